"""The parts of gpu_check.py: each a function of its `Setup` that says `ok` and what it saw."""

import contextlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import decoding
import torch
from measured import peak_memory

from earmark.config import Config, load
from earmark.data.dataset import Batch
from earmark.decode.search import beam, greedy
from earmark.losses import cr_ctc_loss, ctc_sum, next_token_loss
from earmark.metrics.cka import linear_cka
from earmark.metrics.entropy import accessible_information, normalized_spectral_entropy
from earmark.models.adaptor import Adaptor
from earmark.models.ctc_head import CTCHead
from earmark.models.encoder import ConformerEncoder
from earmark.models.llm import attention
from earmark.models.qwen3 import build_published
from earmark.models.speech_llm import SpeechLLM
from earmark.plan.activations import PROMPT_TOKENS, TOKENS_PER_SECOND, Shape
from earmark.plan.footprint import plan_memory
from earmark.train.engine import Engine
from earmark.train.flops import peak_of, step_flops
from earmark.train.loop import train
from earmark.train.profile import profiling
from earmark.train.tasks import CTCTask, Moment, NextTokenTask

if TYPE_CHECKING:
    from gpu_check import Setup

PAPER = Path(__file__).resolve().parents[1] / "config" / "paper.yaml"
CLOSE = {torch.float32: 2e-4, torch.bfloat16: 1e-1}
"""Largest difference from the processor's float32, over the largest value, that counts as the same."""
LABELS = 610
STEPS = 3
"""Updates that are timed: the first allocates and is left out."""
SECONDS = 10.0
"""Of an utterance."""


# ---------------------------------------------------------------------------- against the processor


def device(setup: "Setup") -> dict[str, Any]:
    """What there is."""
    found: dict[str, Any] = {"ok": True, "torch": torch.__version__, "attention": attention("bfloat16")}
    if setup.device == "cuda":
        one = torch.cuda.get_device_properties(0)
        found |= {"name": one.name, "gb": round(one.total_memory / 1e9, 1), "devices": torch.cuda.device_count()}
        found |= {"capability": list(torch.cuda.get_device_capability()), "cuda": torch.version.cuda}
        found["peak_tflops"] = (peak_of(one.name, "bfloat16") or 0) / 1e12
    return found


def encoder(setup: "Setup") -> dict[str, Any]:
    """Frames and a gradient of two blocks of the paper's encoder, float32 and bfloat16, padded and not."""
    config = settings(setup)
    model = build_encoder(config, blocks=2)
    batch = made_batch(Shape(3, 160 if setup.small else 600), padded=True)
    right = _frames_and_gradient(model, batch)
    differences = {}
    for dtype in (torch.float32, torch.bfloat16):
        moved = build_encoder(config, blocks=2).to(setup.device, dtype)
        found = _frames_and_gradient(moved, batch.to(torch.device(setup.device)))
        differences[str(dtype)] = [difference(one, other) for one, other in zip(found, right, strict=True)]
    return {"ok": all(max(differences[str(dtype)]) < limit for dtype, limit in CLOSE.items()), "off": differences}


def _frames_and_gradient(model: ConformerEncoder, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    features = batch.features.to(next(model.parameters()).dtype)
    frames = model.eval()(features, batch.lengths)[0]
    # Any sum that weighs frames differently: their mean square is always one.
    weights = torch.randn(frames.shape, generator=torch.Generator().manual_seed(1)).to(frames.device)
    (frames.float() * weights).mean().backward()
    gradient = model.input_preprocessor.out.weight.grad
    assert gradient is not None
    return frames.detach(), gradient


def losses(setup: "Setup") -> dict[str, Any]:
    """CTC, CR-CTC and next token: values and gradients."""
    torch.manual_seed(0)
    one, other = torch.randn(4, 50, LABELS), torch.randn(4, 50, LABELS)
    lengths, labels = torch.tensor([50, 40, 30, 20]), torch.randint(1, LABELS, (4, 12))
    counts = torch.tensor([12, 10, 8, 4])
    tokens = torch.randint(0, LABELS, (200,))

    def value(name: str, where: str) -> torch.Tensor:
        first, second = (part.to(where).requires_grad_() for part in (one.clone(), other.clone()))
        if name == "ctc":
            loss = ctc_sum(first.log_softmax(-1), lengths, labels.to(where), counts)
        elif name == "cr_ctc":
            loss = cr_ctc_loss(first, second, lengths, labels.to(where), counts, 0.2).loss
        else:
            loss = next_token_loss(first.flatten(0, 1), tokens.to(where))
        loss.backward()
        assert first.grad is not None
        return torch.cat([loss.detach()[None], first.grad.flatten()])

    names = ("ctc", "cr_ctc", "next_token")
    off = {name: difference(value(name, setup.device), value(name, "cpu")) for name in names}
    return {"ok": max(off.values()) < CLOSE[torch.float32], "off": off}


def search(setup: "Setup") -> dict[str, Any]:
    """Greedy and beam search give the processor's tokens, in float32; how fast."""
    prompts = torch.nn.utils.rnn.pad_sequence(
        [
            torch.randn(int(n), decoding.WIDTH, generator=torch.Generator().manual_seed(int(n)))
            for n in decoding.PROMPTS
        ],
        batch_first=True,
    )
    found: dict[str, Any] = {}
    for where in ("cpu", setup.device):
        lm, embedded = decoding.model().to(where), prompts.to(where)
        started = time.perf_counter()
        found[f"greedy {where}"] = greedy(lm, embedded, decoding.PROMPTS, decoding.END, decoding.TOKENS)
        found[f"beam {where}"] = [
            one.tokens for one in beam(lm, embedded, decoding.PROMPTS, decoding.END, decoding.TOKENS, beams=3)
        ]
        found[f"seconds {where}"] = round(time.perf_counter() - started, 2)
    same = {name: _share_alike(found[f"{name} cpu"], found[f"{name} {setup.device}"]) for name in ("greedy", "beam")}
    times = {name: value for name, value in found.items() if name.startswith("seconds")}
    return {"ok": min(same.values()) == 1.0, "same": same} | times


def _share_alike(one: list[list[int]], other: list[list[int]]) -> float:
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)


def diagnosis(setup: "Setup") -> dict[str, Any]:
    """CKA, NSE and accessible information of tensors on the device."""
    torch.manual_seed(0)
    x, y = torch.randn(400, 64), torch.randn(400, 64)
    y[:, :32] = x[:, :32]
    phones, meaning = torch.randn(400, 40), torch.randn(400, 40)

    def values(where: str) -> torch.Tensor:
        a, b, p, c = (part.to(where) for part in (x, y, phones, meaning))
        told = accessible_information(a.double(), p.double(), c.double(), 8, 0.1)
        return torch.tensor([linear_cka(a, b), normalized_spectral_entropy(a), *told[:2]], dtype=torch.float64)

    off = difference(values(setup.device), values("cpu"))
    return {"ok": off < CLOSE[torch.float32], "off": off}


def kernels(setup: "Setup") -> dict[str, Any]:
    """Which kernels attention takes: the encoder's, which has a bias for distance, and the LLM's."""
    config = settings(setup)
    dtype, batch = torch.bfloat16, made_batch(Shape(2, 160 if setup.small else 1000)).to(torch.device(setup.device))
    ear = build_encoder(config, blocks=1).to(setup.device, dtype).eval()
    llm = language_model(setup, layers=1).to(setup.device, dtype).eval()
    llm.set_attn_implementation(attention("bfloat16") if setup.device == "cuda" else "sdpa")
    ids = torch.zeros(2, 64, dtype=torch.long, device=setup.device)
    found = {
        "encoder": _attention_kernels(setup, lambda: ear(batch.features.to(dtype), batch.lengths)),
        "llm": _attention_kernels(setup, lambda: llm(ids)),
    }
    return {"ok": all(found.values()), "implementation": llm.config._attn_implementation} | found


@torch.no_grad()
def _attention_kernels(setup: "Setup", call: Any) -> list[str]:
    """Names of operations and kernels that have to do with attention, the dearest first."""
    kinds = [torch.profiler.ProfilerActivity.CPU]
    kinds += [torch.profiler.ProfilerActivity.CUDA] if setup.device == "cuda" else []
    call()
    with torch.profiler.profile(activities=kinds) as seen:
        call()
    names = [one.key for one in sorted(seen.key_averages(), key=lambda one: -one.self_device_time_total)]
    return [
        name[:120] for name in names if any(part in name.lower() for part in ("attention", "flash", "fmha", "attn"))
    ]


# ---------------------------------------------------------------------------- the paper's sizes


def pretrain(setup: "Setup") -> dict[str, Any]:
    """Updates of pretraining: CR-CTC."""
    return update(setup, "pretrain")


def align(setup: "Setup") -> dict[str, Any]:
    """Updates of alignment: adaptor alone."""
    return update(setup, "align")


def ia_sft(setup: "Setup") -> dict[str, Any]:
    """Updates of IA-SFT: adaptor and LLM."""
    return update(setup, "ia_sft")


def joint(setup: "Setup") -> dict[str, Any]:
    """Updates of joint SFT: everything."""
    return update(setup, "joint")


def update(setup: "Setup", name: str) -> dict[str, Any]:
    """Seconds, MFU and memory of an update of a stage, beside what the memory plan says; a trace of the last."""
    config = settings(setup)
    stage = getattr(config.stages, name)
    frames = 160 if setup.small else int(100 * SECONDS)
    shape = Shape(max(1, stage.frames_per_batch // frames), frames)
    torch.manual_seed(0)
    task: Any = made_task(setup, config, name)
    engine = Engine(task, stage, config.precision, config.gradients)
    task.train()
    batch, seconds, watching = made_batch(shape), list[float](), profiling(range(STEPS), setup.folder / f"gpu_{name}")

    class Records:
        def add(self, step: int, **row: Any) -> None:
            wait(setup)
            seconds.append(time.perf_counter())

    started = time.perf_counter()
    train(
        engine,
        stage,
        lambda step, micro, rank: batch,
        Records(),  # type: ignore[arg-type]
        lambda step, micro: Moment(1, name, step, micro, 0),
        range(STEPS),
        stage.steps,
        watching=watching,
    )
    each = statistics.median(b - a for a, b in zip(seconds[:-2] or [started], seconds[1:-1] or seconds, strict=True))
    planned = plan_memory(config, stage, None if name == "pretrain" else meta_llm(setup), LABELS, 1, shape).total
    return {"ok": True, "shape": list(shape), "seconds_an_update": round(each, 3)} | {
        "mfu": mfu(setup, task, batch, stage.accumulation, each),
        "audio_seconds_a_second": round(stage.accumulation * batch.seconds / each, 1),
        "planned_gb": round(planned / 1e9, 2),
        "peak_gb": round(memory(setup), 2),
        "trace": str(setup.folder / f"gpu_{name}"),
    }


def mfu(setup: "Setup", task: Any, batch: Batch, accumulation: int, seconds: float) -> float | None:
    """Share of the device's peak; None where that is not known."""
    peak = peak_of(torch.cuda.get_device_name(), "bfloat16") if setup.device == "cuda" else None
    flops = step_flops(task, batch, 10**9)
    return round(accumulation * flops / (seconds * peak), 3) if peak and flops else None


@torch.no_grad()
def evaluation(setup: "Setup") -> dict[str, Any]:
    """Encoding and beam search of a batch with the whole model: seconds of audio a second, tokens a second."""
    config, size, tokens = settings(setup), (2 if setup.small else 16), (4 if setup.small else 60)
    model = speech_llm(setup, config).to(setup.device, torch.bfloat16).eval()
    batch = made_batch(Shape(size, 160 if setup.small else int(100 * SECONDS))).to(torch.device(setup.device))
    times = []
    for _ in range(2):
        wait(setup)
        started = time.perf_counter()
        speech, lengths = model.embed(batch.features.bfloat16(), batch.lengths)
        spliced = model.splice(speech, lengths)
        found = beam(model.llm, spliced.embeddings, spliced.mask.sum(dim=1), -1, tokens, beams=config.decoding.beams)
        wait(setup)
        times.append(time.perf_counter() - started)
    written = sum(len(one.tokens) for one in found)
    return {"ok": written == size * tokens, "audio_seconds_a_second": round(batch.seconds / times[-1], 1)} | {
        "tokens_a_second": round(written / times[-1], 1),
        "peak_gb": round(memory(setup), 2),
    }


@torch.no_grad()
def watch(setup: "Setup") -> dict[str, Any]:
    """Frames of a batch of the watch with the whole encoder."""
    config = settings(setup)
    model = build_encoder(config, blocks=config.encoder.n_layers).to(setup.device, torch.bfloat16).eval()
    batch = made_batch(Shape(4, 160 if setup.small else int(100 * SECONDS))).to(torch.device(setup.device))
    times = []
    for _ in range(2):
        wait(setup)
        started = time.perf_counter()
        model(batch.features.bfloat16(), batch.lengths)
        wait(setup)
        times.append(time.perf_counter() - started)
    return {
        "ok": True,
        "audio_seconds_a_second": round(batch.seconds / times[-1], 1),
        "peak_gb": round(memory(setup), 2),
    }


def processes(setup: "Setup") -> dict[str, Any]:
    """Two processes under ZeRO-2 train what one does; where there is one GPU, this is left out."""
    if setup.device == "cuda" and torch.cuda.device_count() < 2:
        return {"ok": True, "left_out": "one GPU"}
    weights = [_trained_by(number) for number in (1, 2)]
    off = difference(*weights)
    return {"ok": off < CLOSE[torch.bfloat16], "off": off}


def _trained_by(number: int) -> torch.Tensor:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={number}", __file__]
    done = subprocess.run([*command, str(number)], check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    return torch.tensor(json.loads(done.stdout.strip().splitlines()[-1]))


def _train_a_little(number: int) -> None:
    """A few updates of a small CTC model by so many processes, each with its share of four batches."""
    stage = load(PAPER).stages.pretrain.model_copy(
        update={"accumulation": 4 // number, "loss": "ctc", "augment": None, "warmup_steps": 1, "peak_rate": 1e-3}
    )
    torch.manual_seed(0)
    task = CTCTask(ConformerEncoder(80, 2, 4, 64, 15, 0.0), CTCHead(64, LABELS), stage)
    engine = Engine(task, stage, "bfloat16")
    task.train()
    batches = [made_batch(Shape(2, 160), seed=seed) for seed in range(4)]

    class Records:
        def add(self, step: int, **row: Any) -> None:
            pass

    train(
        engine,
        stage,
        lambda step, micro, rank: batches[micro * number + rank],
        Records(),  # type: ignore[arg-type]
        lambda step, micro: Moment(1, "pretrain", step, micro * number + engine.rank, 0),
        range(3),
        3,
    )
    if engine.rank == 0:
        print(json.dumps(next(task.head.parameters()).detach().float().flatten()[:500].tolist()))
    engine.leave()


# ---------------------------------------------------------------------------- made things


class Tokenizer:
    """A character is a token."""

    eos_token_id = 1

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        """One token a character."""
        return [2] * len(text)


def settings(setup: "Setup") -> Config:
    """The paper's settings, or those of a small model."""
    config = load(PAPER)
    if not setup.small:
        return config
    small = config.encoder.model_copy(update={"n_layers": 2, "n_heads": 2, "d_model": 32, "kernel_size": 5})
    stages = {
        name: getattr(config.stages, name).model_copy(update={"frames_per_batch": 320})
        for name in type(config.stages).model_fields
    }
    return config.model_copy(update={"encoder": small, "stages": config.stages.model_copy(update=stages)})


def build_encoder(config: Config, blocks: int) -> ConformerEncoder:
    """Random weights, the same ones each time."""
    torch.manual_seed(0)
    one = config.encoder
    return ConformerEncoder(80, blocks, one.n_heads, one.d_model, one.kernel_size, 0.0)


def language_model(setup: "Setup", layers: int | None = None) -> Any:
    """Qwen3-1.7B with random weights in bfloat16, or a small Qwen3."""
    if setup.small:
        return decoding.model().bfloat16()
    with bfloat16():
        llm = build_published("Qwen3-1.7B")
    if layers:
        llm.model.layers = llm.model.layers[:layers]
    return llm


def meta_llm(setup: "Setup") -> Any:
    """The same without memory."""
    with torch.device("meta"):
        return language_model(setup)


def speech_llm(setup: "Setup", config: Config) -> SpeechLLM:
    """Encoder, adaptor and LLM in bfloat16 from the start."""
    llm = language_model(setup)
    with bfloat16():
        ear = build_encoder(config, config.encoder.n_layers)
        adaptor = Adaptor(config.encoder.d_model, llm.config.hidden_size, config.adaptor.downsample)
    half = PROMPT_TOKENS // 2
    return SpeechLLM(ear, adaptor, llm, list(range(half)), list(range(half)))


def made_task(setup: "Setup", config: Config, name: str) -> Any:
    """The task of a stage."""
    stage = getattr(config.stages, name)
    if name == "pretrain":
        return CTCTask(build_encoder(config, config.encoder.n_layers), CTCHead(config.encoder.d_model, LABELS), stage)
    model = speech_llm(setup, config)
    model.llm.set_attn_implementation(attention("bfloat16"))
    return NextTokenTask(model, Tokenizer(), stage)


def made_batch(shape: Shape, padded: bool = False, seed: int = 0) -> Batch:
    """Noise with as many labels and tokens as fast speech has."""
    generator = torch.Generator().manual_seed(seed)
    B, tokens = shape.utterances, max(1, round(TOKENS_PER_SECOND * shape.frames / 100))
    lengths = torch.full((B,), shape.frames)
    if padded:
        lengths -= 16 * torch.arange(B)
    features = torch.randn(B, shape.frames, 80, generator=generator)
    features[torch.arange(shape.frames)[None] >= lengths[:, None]] = 0
    phones = torch.randint(1, LABELS, (B, 2 * tokens), generator=generator)
    counts = torch.full((B,), 2 * tokens)
    return Batch([str(n) for n in range(B)], features, lengths, phones, counts, ["x" * tokens] * B, ["en"] * B)


@contextlib.contextmanager
def bfloat16() -> Any:
    """What is built inside is bfloat16: no float32 copy is ever made."""
    torch.set_default_dtype(torch.bfloat16)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """Largest difference over the largest value."""
    one, other = (part.detach().double().cpu() for part in (one, other))
    return round(float((one - other).abs().max() / other.abs().max().clamp(min=1e-12)), 8)


def wait(setup: "Setup") -> None:
    """Until the device has done what it was given."""
    if setup.device == "cuda":
        torch.cuda.synchronize()


def memory(setup: "Setup") -> float:
    """Most that was held, GB: of the device, or of this process."""
    return torch.cuda.max_memory_allocated() / 1e9 if setup.device == "cuda" else peak_memory()


if __name__ == "__main__":
    _train_a_little(int(sys.argv[1]))
