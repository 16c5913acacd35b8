"""Every objective, validation and decoding on another device than the processor: nothing mixed, the same numbers."""

import pytest
import torch
from elsewhere import second_device
from tiny import TinyRun

from earmark.config import BestRQ, Config, Decoder, Stage
from earmark.data.dataset import Batch, Dataset
from earmark.decode.recognize import PhoneRecognizer, Recognizer
from earmark.text.inventory import Inventory
from earmark.train.segment import Place, build_task
from earmark.train.tasks import Moment, NextTokenTask, Task
from earmark.train.validate import validate

INVENTORY = Inventory.load()
TRAINED = {
    "ctc": ["encoder", "ctc_head"],
    "cr_ctc": ["encoder", "ctc_head"],
    "aed": ["encoder", "decoder"],
    "hybrid": ["encoder", "ctc_head", "decoder"],
    "best_rq": ["encoder", "quantizer_head"],
}
OBJECTIVES = [*TRAINED, "next_token", "packed"]


@pytest.fixture
def config(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tiny_run.root)
    return tiny_run.config.model_copy(
        update={
            "encoder": tiny_run.config.encoder.model_copy(update={"dropout": 0.0}),
            "decoder": Decoder(n_layers=1, n_heads=2, dropout=0.0),
            "best_rq": BestRQ(codebook_size=64, codebook_dim=8),
        }
    )


@pytest.fixture
def dataset(tiny_run: TinyRun, config: Config) -> Dataset:
    return Dataset(tiny_run.paths.dataset, INVENTORY)


@pytest.fixture
def batch(dataset: Dataset) -> Batch:
    return dataset.batch(dataset.split("valid"))


def task_of(config: Config, objective: str) -> Task:
    """A stage's modules, the same bits every time."""
    pretrains = objective in TRAINED
    name = "pretrain" if pretrains else "joint"
    stage: Stage = getattr(config.stages, name)
    values = {"loss": objective, "trained": TRAINED[objective]} if pretrains else {"packing": objective == "packed"}
    if objective == "best_rq":
        values["augment"] = None
    stages = config.stages.model_copy(update={name: stage.model_copy(update=values)})
    changed = config.model_copy(update={"stages": stages})
    return build_task(changed, Place(changed, name, 2, False), INVENTORY, config.paths.llm / "done.json")


def moved(task: Task, device: torch.device) -> Task:
    """There; tensors of another class lose what ties a language model's embedding to its output, as others do not."""
    task.to(device)
    if isinstance(task, NextTokenTask):
        task.model.llm.tie_weights()
    return task


def learned(task: Task, batch: Batch) -> tuple[float, dict[str, torch.Tensor]]:
    """A training step's loss, and its gradients."""
    torch.manual_seed(3)
    loss = task.train()(batch, Moment(1, "pretrain", 4, 0, 0)).value
    loss.backward()
    return float(loss), {name: one.grad.cpu() for name, one in task.named_parameters() if one.grad is not None}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_step_is_the_same(objective: str, config: Config, batch: Batch) -> None:
    loss, gradients = learned(task_of(config, objective), batch)
    with second_device() as device:
        far, theirs = learned(moved(task_of(config, objective), device), batch.to(device))
    assert far == pytest.approx(loss, rel=1e-5)
    assert theirs.keys() == gradients.keys() != set()
    for name, gradient in gradients.items():
        torch.testing.assert_close(theirs[name], gradient, atol=1e-5, rtol=1e-4, msg=name)


def test_a_batch_that_stayed_behind_fails(config: Config, batch: Batch) -> None:
    with second_device() as device, pytest.raises(RuntimeError, match="mixes devices"):
        learned(moved(task_of(config, "ctc"), device), batch)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_validation_is_the_same(objective: str, config: Config, dataset: Dataset) -> None:
    here = validate(task_of(config, objective).eval(), dataset, 2000)
    with second_device() as device:
        there = validate(moved(task_of(config, objective), device).eval(), dataset, 2000)
    assert there == pytest.approx(here, rel=1e-5)


def test_transcripts_are_the_same(
    tiny_run: TinyRun, config: Config, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "inference_mode", torch.no_grad)  # tensors of other classes do not know it
    done = tiny_run.paths.step("joint", 4) / "done.json"
    recognizer = Recognizer.load(tiny_run.config, done, tiny_run.paths.llm / "done.json")
    phones = PhoneRecognizer.load(tiny_run.config, tiny_run.paths.step("pretrain", 6) / "done.json", INVENTORY)

    def heard() -> list[object]:
        found = [recognizer.transcribe(batch.features, batch.lengths, batch.languages, beams) for beams in (1, 3)]
        return [*(one.raw for part in found for one in part), *phones.transcribe(batch.features, batch.lengths)]

    here = heard()
    assert any(here)
    with second_device() as device:
        recognizer.model.to(device)
        phones.encoder.to(device)
        phones.head.to(device)
        assert heard() == here
