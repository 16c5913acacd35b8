"""The pretraining objectives that the paper compares with CTC: what they cost, whom they train, what they ignore."""

from collections.abc import Callable

import pytest
import torch
from tiny import TinyRun

from earmark.config import BestRQ, Config, Decoder, SpecAugment
from earmark.data.dataset import Batch, Dataset
from earmark.losses import aed_sum, ctc_sum
from earmark.models.decoder import decoder_labels
from earmark.models.quantizer import corrupt, span_mask
from earmark.text.inventory import Inventory
from earmark.train.segment import Place, build_task
from earmark.train.tasks import Moment, Task
from earmark.train.validate import validate
from earmark.train.variants import AEDTask, BestRQTask

MOMENT = Moment(1, "pretrain", 5, 0, 0)
INVENTORY = Inventory.load()
TRAINED = {
    "aed": ["encoder", "decoder"],
    "hybrid": ["encoder", "ctc_head", "decoder"],
    "best_rq": ["encoder", "quantizer_head"],
}
RATES = {"aed": {"decoder_per"}, "hybrid": {"per", "decoder_per"}, "best_rq": {"accuracy"}}


@pytest.fixture
def config(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tiny_run.root)
    return tiny_run.config.model_copy(
        update={
            "decoder": Decoder(n_layers=1, n_heads=2, dropout=0.1),
            "best_rq": BestRQ(codebook_size=64, codebook_dim=8),
        }
    )


@pytest.fixture
def dataset(tiny_run: TinyRun, config: Config) -> Dataset:
    return Dataset(tiny_run.paths.dataset, INVENTORY)


@pytest.fixture
def batch(dataset: Dataset) -> Batch:
    return dataset.batch(dataset.split("valid"))


TaskOf = Callable[..., Task]


@pytest.fixture
def task_of(config: Config) -> TaskOf:
    def build(loss: str, **values: object) -> Task:
        values = {"loss": loss, "trained": TRAINED[loss], "augment": None} | values
        pretrain = config.stages.pretrain.model_copy(update=values)
        stages = config.stages.model_copy(update={"pretrain": pretrain})
        changed = config.model_copy(update={"stages": stages})
        return build_task(changed, Place(changed, "pretrain", 2, False), INVENTORY, changed.folder / "llm/done.json")

    return build


def test_aed_is_a_label_ends_included(task_of: TaskOf, batch: Batch) -> None:
    task = task_of("aed").eval()
    assert isinstance(task, AEDTask)
    found = task(batch, MOMENT)
    read, written, counted = decoder_labels(batch.phones, batch.phone_lengths)
    logits = task.decoder(read, *task.encoder(batch.features, batch.lengths)[:2])
    labels = int(batch.phone_lengths.sum()) + len(batch.ids)
    torch.testing.assert_close(found.value, aed_sum(logits, written, counted) / labels)
    assert set(found.parts) == {"aed"}


def test_hybrid_is_eq_39_a_frame(task_of: TaskOf, batch: Batch) -> None:
    task = task_of("hybrid").eval()
    assert isinstance(task, AEDTask) and task.head is not None
    found = task(batch, MOMENT)
    encoded, lengths = task.encoder(batch.features, batch.lengths)[:2]
    ctc = ctc_sum(task.head(encoded).log_softmax(-1), lengths, batch.phones, batch.phone_lengths)
    aed, count = task.aed(encoded, lengths, batch)
    frames = lengths.sum()
    torch.testing.assert_close(found.value, (0.3 * ctc + 0.7 * aed) / frames)
    torch.testing.assert_close(found.parts["ctc"], ctc / frames)
    torch.testing.assert_close(found.parts["aed"], aed / count)


def test_best_rq_tells_the_codes_of_clean_frames_under_noise(task_of: TaskOf, batch: Batch) -> None:
    task = task_of("best_rq").eval()
    assert isinstance(task, BestRQTask)
    found = task(batch, MOMENT)
    masked = span_mask(batch.lengths, 0.01, 40, MOMENT.generator())
    noisy = corrupt(batch.features, batch.lengths, masked, 0.1)
    log_probs = task.head(task.encoder(noisy, batch.lengths).frames).log_softmax(-1)
    codes = task.quantizer(batch.features, batch.lengths)
    losses = -log_probs.gather(-1, codes[:, :, None])[:, :, 0]
    torch.testing.assert_close(found.value, losses[masked].mean())
    assert float(found.parts["masked"]) == int(masked.sum())
    assert float(found.parts["accuracy"]) == pytest.approx(
        float((log_probs.argmax(-1) == codes)[masked].float().mean())
    )


@pytest.mark.parametrize("loss", list(TRAINED))
def test_gradients_reach_the_named_modules_and_nothing_else(task_of: TaskOf, batch: Batch, loss: str) -> None:
    task = task_of(loss).train()
    task(batch, MOMENT).value.backward()
    assert list(task.parts()) == TRAINED[loss]
    named = {f"{part}.{name}" for part, module in task.parts().items() for name, _ in module.named_parameters()}
    assert len(named) == len(list(task.parameters()))
    for part, module in task.parts().items():
        assert all(one.grad is not None for one in module.parameters()), part
        assert any(bool(one.grad.any()) for one in module.parameters()), part  # type: ignore[union-attr]


@pytest.mark.parametrize("loss", list(TRAINED))
def test_a_stage_freezes_what_it_does_not_train(task_of: TaskOf, batch: Batch, loss: str) -> None:
    task = task_of(loss, trained=TRAINED[loss][1:]).train()
    task(batch, MOMENT).value.backward()
    for part, module in task.parts().items():
        moved = any(one.grad is not None and bool(one.grad.any()) for one in module.parameters())
        assert moved == module.training == (part != "encoder"), part


@pytest.mark.parametrize("loss", list(TRAINED))
def test_padding_changes_nothing(task_of: TaskOf, batch: Batch, loss: str) -> None:
    task = task_of(loss).eval()
    wide = batch._replace(
        features=torch.nn.functional.pad(batch.features, (0, 0, 0, 37), value=3.0),
        phones=torch.nn.functional.pad(batch.phones, (0, 5)),
    )
    torch.testing.assert_close(task(wide, MOMENT).value, task(batch, MOMENT).value, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("loss", list(TRAINED))
def test_all_randomness_is_the_moment_s_on_one_machine(task_of: TaskOf, batch: Batch, loss: str) -> None:
    task = task_of(loss).train()
    one = task(batch, MOMENT).value
    torch.manual_seed(0)
    assert torch.equal(task(batch, MOMENT).value, one)
    assert not torch.equal(task(batch, MOMENT._replace(step=6)).value, one)


@pytest.mark.parametrize("loss", ["aed", "hybrid"])
def test_features_are_augmented_from_their_step_on(task_of: TaskOf, batch: Batch, loss: str) -> None:
    task, clean = task_of(loss, augment=SpecAugment(warp=0, from_step=6)).eval(), task_of(loss).eval()
    assert torch.equal(task(batch, MOMENT).value, clean(batch, MOMENT).value)
    later = MOMENT._replace(step=6)
    assert not torch.equal(task(batch, later).value, clean(batch, later).value)


@pytest.mark.parametrize("loss", list(TRAINED))
def test_validation_is_the_loss_of_clean_features(task_of: TaskOf, dataset: Dataset, batch: Batch, loss: str) -> None:
    task = task_of(loss).eval()
    found = validate(task, dataset, 2000)
    assert set(found) == {"loss"} | RATES[loss]
    assert found == validate(task, dataset, 2000)
    if loss != "best_rq":  # one batch holds the whole split
        assert found["loss"] == pytest.approx(float(task(batch, MOMENT).value), rel=1e-5)
    if loss == "hybrid":
        assert set(validate(task, dataset, 2000, "characters")) == {"loss", "ter", "decoder_ter"}


@pytest.mark.parametrize("loss", list(TRAINED))
def test_each_learns_a_batch_by_heart(task_of: TaskOf, batch: Batch, loss: str) -> None:
    task = task_of(loss).eval()
    optimizer = torch.optim.Adam(task.parameters(), lr=1e-2)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        value = task(batch, MOMENT).value
        value.backward()
        optimizer.step()
        losses.append(float(value.detach()))
    assert losses[-1] < 0.8 * losses[0]
