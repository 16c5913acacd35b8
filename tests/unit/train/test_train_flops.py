"""FLOPs by formula against those that torch counts, and the utilisation that comes of them."""

import pytest
import torch
from tiny import CONFIG, Runner, TinyRun
from torch.utils.flop_counter import FlopCounterMode

from earmark.config import Config
from earmark.data.dataset import Batch, Dataset
from earmark.io import read_parquet
from earmark.models.build import build_adaptor, build_ctc_head, build_encoder
from earmark.models.llm import load_llm
from earmark.text.inventory import Inventory
from earmark.train import flops
from earmark.train.flops import (
    Meter,
    adaptor_flops,
    encoder_flops,
    encoder_frames,
    head_flops,
    llm_flops,
    meter_for,
    peak_of,
    step_flops,
    trained_flops,
)
from earmark.train.place import Place
from earmark.train.state.initialise import build_task

INVENTORY = Inventory.load()
LENGTH, ROWS = 120, 3


@pytest.fixture
def config(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tiny_run.root)
    encoder = tiny_run.config.encoder.model_copy(update={"d_model": 64})
    return tiny_run.config.model_copy(update={"encoder": encoder})


def counted(call) -> int:
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def test_encoder(config: Config) -> None:
    """The counter sees neither the depthwise convolution's kernel nor that half of the distances is shifted out."""
    encoder = build_encoder(config).eval()
    lengths = [LENGTH] * ROWS
    found = counted(lambda: encoder(torch.randn(ROWS, LENGTH, 80), torch.tensor(lengths)))
    assert encoder_flops(encoder, lengths) == pytest.approx(found, rel=0.03)


def test_head_and_adaptor(config: Config) -> None:
    frames = encoder_frames([LENGTH] * ROWS)
    encoded = torch.randn(ROWS, frames[0], 64)
    head = build_ctc_head(config, len(INVENTORY))
    assert head_flops(head, frames) == counted(lambda: head(encoded))
    adaptor = build_adaptor(config, 48)
    assert adaptor_flops(adaptor, frames) == counted(lambda: adaptor(encoded, torch.tensor(frames)))


def test_llm(config: Config, tiny_run: TinyRun) -> None:
    llm, _ = load_llm(tiny_run.paths.llm)
    llm.set_attn_implementation("eager")  # the counter does not know a CPU's fused attention
    embeddings = torch.randn(ROWS, 40, llm.config.hidden_size)

    def forward() -> None:
        hidden = llm.model(inputs_embeds=embeddings, attention_mask=torch.ones(ROWS, 40), use_cache=False)[0]
        llm.lm_head(hidden[:, :12].reshape(-1, llm.config.hidden_size))

    assert llm_flops(llm, [40] * ROWS, 12 * ROWS) == pytest.approx(counted(forward), rel=0.01)


def alike(dataset: Dataset) -> Batch:
    """A batch without padding: an utterance, three times."""
    row = dataset.split("valid")[:1]
    one = dataset.batch(row)
    return Batch(
        one.ids * 3,
        one.features.repeat(3, 1, 1),
        one.lengths.repeat(3),
        one.phones.repeat(3, 1),
        one.phone_lengths.repeat(3),
        one.texts * 3,
        one.languages * 3,
    )


@pytest.mark.parametrize("instance", ["pretrain", "align", "ia_sft_1", "joint"])
def test_a_step_of_each_stage(config: Config, tiny_run: TinyRun, instance: str) -> None:
    """Forward and backward, with what is frozen before and after a trained module."""
    from earmark.train.tasks import Moment

    task = build_task(config, Place(config, instance, 2, False), INVENTORY, tiny_run.paths.llm / "done.json").train()
    if instance != "pretrain":
        task.model.llm.set_attn_implementation("eager")
    batch = alike(Dataset(tiny_run.paths.dataset, INVENTORY))
    for step in (0, 5):  # one view, two views
        moment = Moment(1, instance, step, 0, 0)
        found = counted(lambda moment=moment: task(batch, moment).value.backward())
        assert step_flops(task, batch, step) == pytest.approx(found, rel=0.08), step
    if instance == "pretrain":
        assert step_flops(task, batch, 5) == pytest.approx(2 * step_flops(task, batch, 0), rel=0.05)


def test_backward_by_what_is_trained() -> None:
    forward = [("encoder", 100.0), ("adaptor", 10.0), ("llm", 1000.0)]
    assert trained_flops(["encoder", "adaptor", "llm"], forward) == 3 * 1110
    assert trained_flops(["adaptor", "llm"], forward) == 100 + 3 * 1010
    assert trained_flops(["adaptor"], forward) == 100 + 30 + 2000  # gradients pass through the frozen LLM
    assert trained_flops(["llm"], forward) == 110 + 3000


@pytest.mark.parametrize(
    ("name", "precision", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", "bfloat16", 989e12),
        ("NVIDIA H100 PCIe", "bfloat16", 756e12),
        ("NVIDIA A100-SXM4-80GB", "float32", 19.5e12),
        ("NVIDIA A10", "bfloat16", 125e12),
        ("NVIDIA A10G", "bfloat16", 70e12),
        ("NVIDIA A10G", "float32", 35e12),
        ("NVIDIA GH200 480GB", "bfloat16", 989e12),
        ("NVIDIA A10M", "bfloat16", None),
        ("Some Other GPU", "bfloat16", None),
    ],
)
def test_peaks_by_name(name: str, precision: str, peak: float | None) -> None:
    assert peak_of(name, precision) == peak


def test_nothing_is_measured_on_a_cpu(config: Config, tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    task = build_task(config, Place(config, "pretrain", 2, False), INVENTORY, tiny_run.paths.llm / "done.json")
    assert not torch.cuda.is_available()
    assert meter_for(task, "float32", 100.0) is None
    rows = read_parquet(tiny_run.paths.step("pretrain", 2) / "metrics.parquet").to_pylist()
    assert [row["mfu"] for row in rows] == [None, None]
    # With a GPU: of its name, or as it is set.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA A100-SXM4-80GB")
    for set_to, peak in ((None, 312e12), (100.0, 100e12)):
        meter = meter_for(task, "bfloat16", set_to)
        assert meter and meter.peak == peak
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some Other GPU")
    assert meter_for(task, "bfloat16", None) is None


def test_utilisation_is_recorded_a_step(earmark: Runner, tiny_copy: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    from earmark.train import segment

    monkeypatch.setattr(segment, "meter_for", lambda task, precision, peak: Meter(task, 1e9))
    counts = []
    monkeypatch.setattr(flops, "step_flops", lambda task, batch, step: counts.append((step, len(batch.ids))) or 5e6)
    before = tiny_copy.paths.step("joint", 2) / "done.json"
    assert earmark("train", CONFIG, "joint", 4, "--before", before)[0] == 0
    assert [step for step, _ in counts] == [2, 2, 3, 3]  # two batches a step
    rows = read_parquet(tiny_copy.paths.step("joint", 4) / "metrics.parquet").to_pylist()
    assert all(0 < row["mfu"] < 1 for row in rows)
    meter = Meter(object(), 1e6)
    meter.flops = 3e6
    assert (meter.mfu(6.0), meter.mfu(1.0)) == (0.5, 0.0)
