"""The loop with an engine that only counts: accumulation, records, and what is not a finite number."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from tiny import CONFIG, Runner, TinyRun

from earmark.config import Config, Stage
from earmark.data.batches import Strand
from earmark.data.dataset import Dataset
from earmark.errors import TrainingError
from earmark.io import read_json, read_parquet, read_tensors, sha256, write_json, write_tensors
from earmark.text.inventory import Inventory
from earmark.train.guard import WARM, Guard
from earmark.train.loop import MAX_FRAMES, Batches, check_lengths, corpus_rates, train
from earmark.train.records import Records
from earmark.train.tasks import Loss, Moment


class Made(NamedTuple):
    ids: list[str]
    seconds: float = 2.0
    padding: float = 0.25
    weight: int = 3


class Counting:
    """The first of two processes' engines, whose losses and norms are given."""

    rank = 0

    def __init__(self, losses: list[float], norms: list[float] | None = None):
        self.losses, self.norms = iter(losses), iter(norms or [1.0] * 99)
        self.calls: list[Any] = []

    def __call__(self, batch: Made, moment: Moment) -> Loss:
        value = torch.tensor(next(self.losses))
        self.calls.append(("forward", batch.ids[0], moment.step, moment.micro))
        return Loss(value, {"ctc": value / 2})

    def backward(self, loss: torch.Tensor) -> None:
        self.calls.append(("backward", float(loss)))

    def step(self, learning_rate: float, skip: bool = False) -> None:
        self.calls.append(("skip" if skip else "step", learning_rate))

    def weigh(self, batch: Made) -> int:
        return batch.weight

    def shares(self, weights: list[float]) -> list[torch.Tensor]:
        return [torch.tensor(weight * len(weights) / sum(weights)) for weight in weights]

    def mean(self, values: list[torch.Tensor]) -> list[float]:
        return [float(value) for value in values]

    def gather(self, names: list[str]) -> list[str]:
        return [*names, *(f"{name}'" for name in names)]

    def gradient_norm(self) -> float:
        return next(self.norms)


def stage(**values: object) -> Stage:
    plain = {"trained": ["encoder"], "loss": "ctc", "frames_per_batch": 1000, "steps": 8, "segment_steps": 2}
    return Stage.model_validate(plain | {"peak_rate": 1e-3} | values)


def run(engine: Any, settings: Stage, span: range, folder: Path) -> Records:
    records = Records("pretrain", span.start, span.stop, folder, active=False)
    train(
        engine,
        settings,
        lambda step, micro, rank: Made([f"a-{step}-{micro}", "b"]),
        records,
        lambda step, micro: Moment(1, "pretrain", step, micro, 0),
        span,
        8,
    )
    return records


def test_every_batch_is_one_forward_backward_and_step(tmp_path: Path) -> None:
    engine = Counting([1.0, 3.0, 5.0, 7.0])
    records = run(engine, stage(accumulation=2, warmup_steps=4), range(2, 4), tmp_path)
    assert engine.calls[:6] == [
        ("forward", "a-2-0", 2, 0),
        ("backward", 1.0),
        ("step", 0.75e-3),
        ("forward", "a-2-1", 2, 1),
        ("backward", 3.0),
        ("step", 0.75e-3),
    ]
    first, second = records.rows
    assert (first["step"], second["step"]) == (3, 4)
    assert (first["loss"], first["ctc"], second["loss"]) == (2.0, 1.0, 6.0)
    assert (first["audio_seconds"], first["padding"], first["rate"]) == (4.0, 0.25, 0.75e-3)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_loss_that_is_no_number_stops_before_it_does_harm(value: float, tmp_path: Path) -> None:
    engine = Counting([1.0, value])
    with pytest.raises(TrainingError) as caught:
        run(engine, stage(), range(0, 2), tmp_path)
    message = str(caught.value)
    assert f"the loss of step 2 is {value}: lower peak_rate" in message
    assert message.endswith("a-1-0, b")
    assert engine.calls[-1][0] == "backward"  # no step


def test_gradient_that_is_no_number_names_the_batches_of_its_step_on_all_processes(tmp_path: Path) -> None:
    engine = Counting([1.0] * 4, norms=[1.0, float("nan")])
    with pytest.raises(
        TrainingError, match=r"the gradient of step 2 is nan.*: a-1-0, b, a-1-1, b, a-1-0', b', a-1-1', b'$"
    ):
        run(engine, stage(accumulation=2), range(0, 2), tmp_path)


def guarded(
    losses: list[float], folder: Path, norms: list[float] | None = None, **values: object
) -> tuple[Counting, Records]:
    """Losses through a loop with a guard that has seen twenty losses of 1."""
    engine, settings = Counting(losses, norms), stage(spike=3.0, **values)
    records = Records("pretrain", 0, len(losses), folder, active=False)
    train(
        engine,
        settings,
        lambda step, micro, rank: Made([f"a-{step}-{micro}", "b"]),
        records,
        lambda step, micro: Moment(1, "pretrain", step, micro, 0),
        range(len(losses)),
        len(losses),
        Guard(settings, [1.0] * WARM),
    )
    return engine, records


@pytest.mark.parametrize("loss", [3.1, float("nan"), float("inf")])
def test_update_of_a_spike_is_left_out_and_its_batch_named(
    loss: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine, records = guarded([1.0, loss, 2.9], tmp_path)
    assert [name for name, *_ in engine.calls if name in ("step", "skip")] == ["step", "skip", "step"]
    assert [row.get("skipped") for row in records.rows] == [None, "a-1-0 b a-1-0' b'", None]
    said = (
        f"the loss of step 2 is {loss:.4g}, the median of the steps before 1: its update is left out (spike 1 in a row)"
    )
    assert f"{said}: a-1-0, b, a-1-0', b'\n" in capsys.readouterr().out
    records.active = True
    records.close(tmp_path)
    rows = read_parquet(tmp_path / "metrics.parquet").to_pylist()
    assert [row["skipped"] for row in rows] == [None, "a-1-0 b a-1-0' b'", None]


def test_spikes_in_a_row_end_the_segment(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match=r"the loss of step 5 is 9.*spike 3 in a row: lower peak_rate.*: a-4-0, b, a-4-0', b'$"
    ):
        guarded([9.0, 1.0, 9.0, 9.0, 9.0, 1.0], tmp_path, spikes_in_a_row=3)


@pytest.mark.parametrize("norm", [float("nan"), float("inf")])
def test_gradient_that_is_no_number_is_a_spike_where_there_is_a_guard(
    norm: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, records = guarded([1.0, 2.0, 1.0], tmp_path, norms=[1.0, norm, 1.0])
    assert [row.get("skipped") for row in records.rows] == [None, "a-1-0 b a-1-0' b'", None]
    said = f"the loss of step 2 is 2, the norm of its gradient {norm}: its update is left out (spike 1 in a row)"
    assert f"{said}: a-1-0, b, a-1-0', b'\n" in capsys.readouterr().out


def test_gradients_and_losses_count_as_spikes_of_one_row(tmp_path: Path) -> None:
    norms = [float("nan"), 1.0, float("nan"), 1.0, float("nan")]
    with pytest.raises(TrainingError, match=r"step 5 is 1, the norm of its gradient nan, and it is spike 3 in a row"):
        guarded([1.0, 1.0, 1.0, 9.0, 1.0], tmp_path, norms=norms, spikes_in_a_row=3)


def test_run_that_meets_one_ends_with_the_ids_and_no_checkpoint(earmark: Runner, tiny_copy: TinyRun) -> None:
    before = tiny_copy.paths.step("pretrain", 4)
    tensors, metadata = read_tensors(before / "encoder.safetensors")
    tensors["input_preprocessor.out.bias"][0] = float("nan")
    write_tensors(before / "encoder.safetensors", tensors, metadata)
    described = read_json(before / "done.json")
    described["sha256"]["encoder"] = sha256(before / "encoder.safetensors")  # trained to this, not damaged
    write_json(before / "done.json", described)
    done = tiny_copy.paths.step("pretrain", 6) / "done.json"
    done.unlink()
    code, _, err = earmark("train", CONFIG, "pretrain", 6, "--before", before / "done.json")
    last = err.rstrip().splitlines()[-1]
    assert code == 2
    assert last.startswith("error: the loss of step 5 is nan: lower peak_rate")
    assert "spoken-train-" in last
    assert not done.exists()


# ---------------------------------------------------------------------------- batches


@pytest.fixture
def dataset(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.chdir(tiny_run.root)
    return Dataset(tiny_run.paths.dataset, Inventory.load())


@pytest.fixture
def config(tiny_run: TinyRun) -> Config:
    return tiny_run.config


def test_only_training_rows_are_drawn_and_all_of_them(dataset: Dataset, config: Config) -> None:
    source = Batches(dataset, config, stage(), world=1)
    ids = [one for step in range(source.full.batches) for one in source(step, 0, 0).ids]
    assert sorted(ids) == sorted(one.id for one in dataset.labels(dataset.split("train")))


def test_short_utterances_come_first_and_then_all(dataset: Dataset, config: Config) -> None:
    settings = stage(short_first={"fraction": 0.5, "steps": 3})
    source = Batches(dataset, config, settings, world=1)
    frames = np.sort(dataset.frames(dataset.split("train")))
    early = max(int(source(step, 0, 0).lengths.max()) for step in range(3))
    assert early <= frames[len(frames) // 2 - 1]
    full = Batches(dataset, config, stage(), world=1)
    for step in range(4):
        assert source(3 + step, 0, 0).ids == full(step, 0, 0).ids


@pytest.mark.parametrize(("world", "accumulation"), [(1, 4), (2, 2), (4, 1)])
def test_a_step_takes_the_same_utterances_on_any_number_of_ranks(
    dataset: Dataset, config: Config, world: int, accumulation: int
) -> None:
    config = config.model_copy(update={"like_batches": 4})
    one = Batches(dataset, config, stage(accumulation=4, frames_per_batch=600), 1)
    several = Batches(dataset, config, stage(accumulation=accumulation, frames_per_batch=600), world)
    for step in range(4):
        found = [several(step, micro, rank).ids for micro in range(accumulation) for rank in range(world)]
        assert found == [one(step, micro, 0).ids for micro in range(4)]


def test_weights_and_power_set_the_shares(dataset: Dataset, config: Config) -> None:
    assert corpus_rates(config, dataset) == {"spoken": 1.0, "own": 1.0}
    hours = dataset.corpora()
    spoken, own = config.corpora
    doubled = [spoken, own.model_copy(update={"weight": 2 * hours["own"]})]
    found = corpus_rates(config.model_copy(update={"corpora": doubled}), dataset)
    assert found == {"spoken": pytest.approx(0.5), "own": 1.0}
    found = corpus_rates(config.model_copy(update={"sampling_power": 0.0}), dataset)
    assert found == {"spoken": pytest.approx(hours["own"] / hours["spoken"]), "own": 1.0}


def test_budget_below_the_longest_utterance_is_an_error(dataset: Dataset, config: Config) -> None:
    with pytest.raises(TrainingError, match="exceeds frames_per_batch 10"):
        Batches(dataset, config, stage(frames_per_batch=10), world=1)


# ---------------------------------------------------------------------------- utterances that do not fit


def test_an_utterance_beyond_the_encoder_s_positions_is_named(dataset: Dataset) -> None:
    row = int(dataset.split("train")[3])
    name = dataset.labels(np.array([row]))[0].id
    frames = np.array([100, 120, MAX_FRAMES + 1])
    strands = [Strand(np.array([80]), 0), Strand(frames, row - 2)]
    message = f"utterance {name} has 20001 feature frames, and the encoder positions for 20000 \\(200 s\\): set"
    with pytest.raises(TrainingError, match=message):
        check_lengths(dataset, strands, 10**6)
    assert check_lengths(dataset, [Strand(np.array([80, MAX_FRAMES]), row)], 10**6) == MAX_FRAMES


def test_limit_of_seconds_leaves_nothing_beyond_the_encoder_s_positions(earmark: Runner, tiny_copy: TinyRun) -> None:
    values = read_json(tiny_copy.folder / "settings.json")
    write_json(Path("long.yaml"), values | {"shards": {"max_seconds": 200.5}})
    code, _, err = earmark("train", "long.yaml", "pretrain", 2)
    assert code == 2
    assert "shards.max_seconds (value 200.5): Input should be less than or equal to 200" in err


def test_batches_that_would_be_empty_are_refused_with_the_utterance(earmark: Runner, tiny_copy: TinyRun) -> None:
    values = read_json(tiny_copy.folder / "settings.json")
    values["stages"]["pretrain"]["frames_per_batch"] = 40
    write_json(Path("narrow.yaml"), values)
    code, _, err = earmark("train", "narrow.yaml", "pretrain", 2)
    assert code == 2
    last = err.rstrip().splitlines()[-1]
    assert re.match(r"error: utterance (spoken-train-|own-)\S+ of \d+ frames ", last)
    assert "exceeds frames_per_batch 40, so that its batch would be empty: raise frames_per_batch, or lower" in last


def test_a_training_split_without_rows_is_refused(dataset: Dataset) -> None:
    with pytest.raises(TrainingError, match=r"no utterance is left to train on: see how many were kept"):
        check_lengths(dataset, [Strand(np.zeros(0, dtype=np.int64))], 1000)


def test_every_token_of_an_update_counts_alike(tmp_path: Path) -> None:
    """Two batches of 1 and 9 tokens: their losses weigh as much."""
    engine = Counting([1.0, 3.0])
    records = Records("pretrain", 0, 1, tmp_path, active=False)
    batches = {0: Made(["a"], weight=1), 1: Made(["b"], weight=9)}
    train(
        engine,  # type: ignore[arg-type]
        stage(accumulation=2),
        lambda step, micro, rank: batches[micro],
        records,
        lambda step, micro: Moment(1, "pretrain", step, micro, 0),
        range(1),
        8,
    )
    (row,) = records.rows
    assert row["loss"] == pytest.approx((1 * 1.0 + 9 * 3.0) / 10)
    assert row["ctc"] == pytest.approx(row["loss"] / 2)
    # The engine divides by two.
    assert [call[1] for call in engine.calls if call[0] == "backward"] == pytest.approx([0.2, 5.4])
