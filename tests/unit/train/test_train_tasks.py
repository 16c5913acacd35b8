"""What a batch costs, for both kinds of task; all randomness comes from the moment."""

import numpy as np
import pytest
import torch
from tiny import TinyRun

from earmark.config import Config, SpecAugment
from earmark.data.dataset import Batch, Dataset
from earmark.losses import cr_ctc_loss, ctc_sum
from earmark.models.build import build_ctc_head, build_encoder, build_speech_llm
from earmark.text.inventory import Inventory
from earmark.train.feed.augment import views
from earmark.train.tasks import CTCTask, Moment, NextTokenTask

MOMENT = Moment(1, "pretrain", 5, 0, 0)
INVENTORY = Inventory.load()


@pytest.fixture
def config(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tiny_run.root)
    return tiny_run.config


@pytest.fixture
def dataset(tiny_run: TinyRun, config: Config) -> Dataset:
    return Dataset(tiny_run.paths.dataset, INVENTORY)


@pytest.fixture
def batch(dataset: Dataset) -> Batch:
    return dataset.batch(dataset.split("valid"))


def ctc_task(config: Config, **values: object) -> CTCTask:
    stage = config.stages.pretrain.model_copy(update=values)
    return CTCTask(build_encoder(config), build_ctc_head(config, len(INVENTORY)), stage)


def next_token_task(config: Config, trained: list[str], **values: object) -> NextTokenTask:
    model, tokenizer = build_speech_llm(config, config.folder / "llm" / "done.json")
    return NextTokenTask(model, tokenizer, config.stages.joint.model_copy(update={"trained": trained} | values))


def test_moments_draw_the_same_again_and_differ_in_every_part() -> None:
    def drawn(moment: Moment) -> tuple[float, float]:
        return moment.generator().random(), float(torch.rand(1))

    assert drawn(MOMENT) == drawn(MOMENT)
    others = [
        MOMENT._replace(**change)
        for change in ({"seed": 2}, {"stage": "joint"}, {"step": 6}, {"micro": 1}, {"rank": 1})
    ]
    assert len({drawn(moment) for moment in [MOMENT, *others]}) == 6


def test_ctc_is_a_valid_frame(config: Config, batch: Batch) -> None:
    task = ctc_task(config, loss="ctc", augment=None).eval()
    loss = task(batch, MOMENT)
    encoded, lengths = task.encoder(batch.features, batch.lengths)[:2]
    log_probs = task.head(encoded).log_softmax(-1)
    expected = ctc_sum(log_probs, lengths, batch.phones, batch.phone_lengths) / lengths.sum()
    torch.testing.assert_close(loss.value, expected)
    assert set(loss.parts) == {"ctc"}


def test_cr_ctc_is_of_two_views_drawn_from_the_moment(config: Config, batch: Batch) -> None:
    augment = SpecAugment(time_masks=3, warp=10)
    task = ctc_task(config, augment=augment, consistency_from=0, consistency_warmup=10).eval()
    loss = task(batch, MOMENT)
    features = views(batch, task.stage, MOMENT.step, MOMENT.draws())
    encoded, lengths = task.encoder(features, batch.lengths.repeat(2))[:2]
    one, other = task.head(encoded).chunk(2)
    scale = config.stages.pretrain.consistency_scale * 6 / 10
    expected = cr_ctc_loss(one, other, lengths[: len(batch.ids)], batch.phones, batch.phone_lengths, scale)
    torch.testing.assert_close(loss.value, expected.loss)
    torch.testing.assert_close(loss.parts["consistency"], expected.consistency)
    assert float(loss.parts["consistency"]) > 0


def test_one_view_until_consistency_begins(config: Config, batch: Batch) -> None:
    task = ctc_task(config, consistency_from=6).eval()
    assert set(task(batch, MOMENT).parts) == {"ctc"}
    assert set(task(batch, MOMENT._replace(step=6)).parts) == {"ctc", "consistency"}


def test_features_are_clean_until_augmentation_begins(config: Config, batch: Batch) -> None:
    augment = SpecAugment(warp=0, from_step=6)
    task = ctc_task(config, loss="ctc", augment=augment).eval()
    clean = ctc_task(config, loss="ctc", augment=None).eval()
    assert torch.equal(task(batch, MOMENT).value, clean(batch, MOMENT).value)
    later = MOMENT._replace(step=6)
    assert not torch.equal(task(batch, later).value, clean(batch, later).value)


def test_draws_of_augmentation_touch_no_other_generator(config: Config) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert MOMENT.draws().random() == MOMENT.draws().random() != MOMENT._replace(micro=9).draws().random()
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_is_drawn_from_the_moment_too_on_one_machine(config: Config, batch: Batch) -> None:
    task = ctc_task(config).train()
    one = task(batch, MOMENT).value
    torch.manual_seed(0)
    assert torch.equal(task(batch, MOMENT).value, one)
    assert not torch.equal(task(batch, MOMENT._replace(step=6)).value, one)


@pytest.mark.parametrize("task_of", [ctc_task, lambda config: next_token_task(config, ["adaptor"])])
def test_loss_does_not_depend_on_how_wide_the_batch_is(config: Config, dataset: Dataset, task_of) -> None:
    task = task_of(config).eval()
    if isinstance(task, CTCTask):
        task.stage = task.stage.model_copy(update={"augment": None, "loss": "ctc"})
    batch = dataset.batch(dataset.split("valid"))
    wide = torch.nn.functional.pad(batch.features, (0, 0, 0, 37))
    first = task(batch, MOMENT._replace(stage="joint")).value
    second = task(batch._replace(features=wide), MOMENT._replace(stage="joint")).value
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)


def test_next_token_loss_is_the_mean_over_tokens(config: Config, dataset: Dataset) -> None:
    task = next_token_task(config, ["adaptor"]).eval()
    rows = dataset.split("valid")
    whole = task(dataset.batch(rows), None).value
    total, count = 0.0, 0
    for row in rows:
        batch = dataset.batch(np.array([row]))
        number = len(task.tokenizer.encode(batch.texts[0], add_special_tokens=False)) + 1
        total += float(task(batch, None).value) * number
        count += number
    assert float(whole) == pytest.approx(total / count, rel=1e-4)


@pytest.mark.parametrize("trained", [["adaptor"], ["adaptor", "llm"], ["encoder", "adaptor", "llm"]])
def test_only_trained_modules_have_gradients_and_dropout(config: Config, batch: Batch, trained: list[str]) -> None:
    task = next_token_task(config, trained).train()
    task(batch, MOMENT).value.backward()
    for name in ("encoder", "adaptor", "llm"):
        module = getattr(task.model, name)
        moved = any(one.grad is not None and bool(one.grad.any()) for one in module.parameters())
        assert moved == (name in trained), name
        assert module.training == (name in trained), name
    assert not any(module.training for module in task.eval().modules())


@pytest.mark.parametrize("trained", [["adaptor"], ["encoder", "adaptor", "llm"]])
def test_activation_checkpointing_of_the_llm_saves_memory_and_changes_no_gradient_on_one_machine(
    config: Config, batch: Batch, trained: list[str]
) -> None:
    found = {}
    for checkpointing in (False, True):
        task = next_token_task(config, trained, activation_checkpointing=checkpointing).train()
        calls = []
        for layer in task.model.llm.model.layers:
            layer.mlp.register_forward_pre_hook(lambda *_, calls=calls: calls.append(1))
        kept = Kept()
        with torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda tensor: tensor):
            value = task(batch, MOMENT).value
        value.backward()
        gradients = {name: one.grad for name, one in task.named_parameters() if one.grad is not None}
        found[checkpointing] = value.detach(), gradients, kept.bytes, len(calls)
        task.eval()(batch, MOMENT)
        assert len(calls) == found[checkpointing][3] + len(
            task.model.llm.model.layers
        )  # nothing twice outside training
    (plain, gradients, much, once), (same, again, little, twice) = found[False], found[True]
    assert torch.equal(plain, same)
    assert gradients.keys() == again.keys()
    for name, gradient in gradients.items():
        assert torch.equal(gradient, again[name]), name
    assert twice == 2 * once
    assert little < much


def test_activation_checkpointing_of_the_encoder_changes_no_gradient_on_one_machine(
    config: Config, batch: Batch
) -> None:
    found = []
    for checkpointing in (False, True):
        task = ctc_task(config, activation_checkpointing=checkpointing).train()
        assert task.encoder.checkpointing == checkpointing
        assert task.encoder.dropout.p > 0
        value = task(batch, MOMENT).value
        value.backward()
        found.append((value.detach(), *(one.grad for one in task.parameters())))
    assert all(map(torch.equal, *found))


def test_packing_changes_neither_loss_nor_gradients(config: Config, batch: Batch) -> None:
    found = []
    for packing in (False, True):
        task = next_token_task(config, ["encoder", "adaptor", "llm"], packing=packing).train()
        value = task(batch, MOMENT).value
        value.backward()
        found.append((value.detach(), *(one.grad for one in task.parameters())))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


class Kept:
    """Bytes of the activations that the backward pass waits for."""

    def __init__(self) -> None:
        self.bytes = 0

    def pack(self, tensor: torch.Tensor) -> torch.Tensor:
        self.bytes += tensor.nbytes
        return tensor


def test_validation_sees_clean_features(config: Config, batch: Batch) -> None:
    task = next_token_task(config, ["adaptor"], augment=SpecAugment(warp=0)).eval()
    plain = next_token_task(config, ["adaptor"], augment=None).eval()
    assert torch.equal(task(batch, None).value, plain(batch, None).value)
    assert not torch.equal(task(batch, MOMENT).value, plain(batch, None).value)
