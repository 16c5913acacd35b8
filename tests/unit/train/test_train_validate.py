"""Validation: weighted as training weighs, and the same whoever shares it."""

from collections.abc import Iterator

import pytest
import torch
from tiny import TinyRun

from earmark.data.dataset import Dataset
from earmark.text.inventory import Inventory
from earmark.train.place import Place
from earmark.train.state.handover import hand_over
from earmark.train.state.initialise import build_task
from earmark.train.validate import validate

INVENTORY = Inventory.load()


@pytest.fixture(params=[("pretrain", 6), ("joint", 4)], ids=str)
def trained(tiny_run: TinyRun, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """A task with trained weights, and the data."""
    instance, step = request.param
    monkeypatch.chdir(tiny_run.root)
    task = build_task(
        tiny_run.config, Place(tiny_run.config, instance, step, False), INVENTORY, tiny_run.paths.llm / "done.json"
    )
    hand_over(task, tiny_run.paths.step(instance, step) / "done.json", INVENTORY)
    task.eval()
    yield task, Dataset(tiny_run.paths.dataset, INVENTORY)


def test_the_loss_is_the_mean_over_all_that_training_counts(trained) -> None:
    """Utterance by utterance, each with its frames or tokens."""
    task, dataset = trained
    rows = dataset.split("valid")
    total = weight = 0.0
    for row in rows:
        batch = dataset.batch(rows[rows == row])
        if hasattr(task, "model"):
            with torch.no_grad():
                loss = float(task(batch, None).value)
        else:
            loss = validate_one(task, batch)
        total += loss * task.weigh(batch)
        weight += task.weigh(batch)
    found = validate(task, dataset, 2000)
    assert found["loss"] == pytest.approx(total / weight, rel=1e-4)


def validate_one(task, batch) -> float:
    from earmark.losses import ctc_sum

    with torch.no_grad():
        encoded, lengths = task.encoder(batch.features, batch.lengths)[:2]
        log_probs = task.head(encoded).float().log_softmax(-1)
        return float(ctc_sum(log_probs, lengths, batch.phones, batch.phone_lengths)) / int(lengths.sum())


def test_processes_share_it(trained) -> None:
    """Each with its part; sums are put together as an all-reduce would."""
    task, dataset = trained
    whole = validate(task, dataset, 60)  # a budget of an utterance a batch
    given: dict[int, list] = {0: [], 1: []}

    def first(rank: int):
        def summed(values):
            given[rank].append(list(values))
            return [max(value, 1e-9) for value in values]

        return summed

    for rank in (0, 1):
        validate(task, dataset, 60, part=(rank, 2), summed=first(rank))
    together = [[a + b for a, b in zip(*pair, strict=True)] for pair in zip(given[0], given[1], strict=True)]
    calls = iter(together)
    assert validate(task, dataset, 60, part=(0, 2), summed=lambda values: next(calls)) == pytest.approx(whole)


def test_a_settled_number_of_utterances_is_enough(trained) -> None:
    task, dataset = trained
    assert validate(task, dataset, 2000, utterances=1) != validate(task, dataset, 2000)
