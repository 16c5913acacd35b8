"""Memory of a training process, planned before there is a GPU: what ZeRO-2 shards, and what a batch's activations take.

1. weights, gradients and optimizer states are counted, as DeepSpeed's ZeRO-2 holds them (Rajbhandari et al., 2020)
2. the stage's own modules go forward and backward over a batch of its frame budget on torch's meta device, which
   computes nothing; every storage that comes and goes is counted, so that the plan follows the code
3. the fullest moment counts: in the backward pass, or in the optimizer's step

Not in it: the CUDA context (0.5 to 1 GB), NCCL's buffers, fragmentation, workspaces inside kernels, and the float32
copy of the weights while a process starts.
"""

import contextlib
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from earmark.config import BestRQ, Config, Stage
from earmark.losses import next_token_loss
from earmark.models.adaptor import Adaptor
from earmark.models.build import N_MELS
from earmark.models.ctc_head import CTCHead
from earmark.models.decoder import AttentionDecoder
from earmark.models.encoder import ConformerEncoder
from earmark.models.llm import build_small, checkpoint_activations
from earmark.models.quantizer import QuantizerHead
from earmark.models.qwen3 import build_published, check_folder

BUCKET = 500_000_000
"""Gradients that DeepSpeed reduces at a time: a buffer of so many numbers (its default)."""
PROMPT_TOKENS = 20
"""Positions of the prompt around the speech."""
TOKENS_PER_SECOND = 5
"""Tokens of a transcript: fast speech."""
LABELS_PER_SECOND = 15
"""Phones that an attention decoder writes: fast speech."""
SMALL_VOCABULARY = 4_000
"""Assumed for the small stand-in, whose tokenizer is made of the transcripts."""
_ALIGNED = 16
"""Feature frames of an embedding: lengths are rounded to it."""


class Shape(NamedTuple):
    """A batch: utterances of equal length, feature frames of 10 ms each."""

    utterances: int
    frames: int


class Memory(NamedTuple):
    """Bytes of one process."""

    weights: int
    optimizer: int
    """Master copies and Adam's moments."""
    earlier: int
    """Gradients of the step's batches before this one."""
    gradients: int
    """Gradients of this batch, as far as they are this process's."""
    bucket: int
    """Where DeepSpeed collects gradients before it reduces them."""
    activations: int
    """Most that the backward pass waits for and works with at a time."""
    step: int
    """What the optimizer's step needs besides: flat gradients, and as float32."""

    @property
    def total(self) -> int:
        """The fullest of three moments: the backward pass begins, it ends, the optimizer's step."""
        moments = (
            self.earlier + self.bucket + self.activations,
            self.earlier + self.bucket + self.gradients,
            self.gradients + self.step,
        )
        return self.weights + self.optimizer + max(moments)


class Live(TorchDispatchMode):
    """Bytes of the storages that were made under this mode and still live, and the most of them at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = self.peak = 0
        self._sizes: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation; count what it made."""
        result = func(*args, **(kwargs or {}))
        for one in torch.utils._pytree.tree_leaves(result):
            if isinstance(one, Tensor):
                self._count(one.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self._sizes:
            self._sizes[key] = storage.nbytes()
            self.bytes += storage.nbytes()
            self.peak = max(self.peak, self.bytes)
            weakref.finalize(storage, self._freed, key)

    def _freed(self, key: int) -> None:
        self.bytes -= self._sizes.pop(key)


class _Lengths(Tensor):
    """Lengths that stay where they are and keep their values: the meta device has none, and masks ask for them."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """No operation moves them."""
        if func is Tensor.to:
            return args[0]
        return super().__torch_function__(func, types, args, kwargs or {})


class _Fused(torch.autograd.Function):
    """What a fused attention kernel keeps: its inputs, its output, and a number a query (Dao, 2023)."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
        out = q.new_empty(*q.shape[:-1], v.shape[-1])
        ctx.save_for_backward(q, k, v, bias, out, q.new_empty(q.shape[:-1], dtype=torch.float32))
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        inputs = ctx.saved_tensors[:4]
        return tuple(
            torch.empty_like(one) if one is not None and wanted else None
            for one, wanted in zip(inputs, ctx.needs_input_grad, strict=True)
        )


def _fused(q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None, **_: Any) -> Tensor:
    return _Fused.apply(q, k, v, attn_mask)


def plan_memory(
    config: Config, stage: Stage, llm: "nn.Module | None", labels: int, world: int, shape: Shape, device: str = "meta"
) -> Memory:
    """Memory of each of `world` processes that train `stage` on batches of `shape`.

    :param llm: the language model (its weights are not used); None in pretraining. :param labels: CTC's symbols.
    :param device: meta, or cpu to run the batch with this machine's kernels.
    """
    modules = _modules(config, stage, llm, labels, device)
    everything = sum(one.numel() for module in modules.values() for one in module.parameters())
    trained = sum(one.numel() for name in stage.trained for one in modules[name].parameters())
    size = 2 if config.precision == "bfloat16" else 4
    activations = _activations(modules, stage, config, shape, device)
    before = 1 if stage.accumulation > 1 else 0
    if world == 1 and config.precision == "float32":  # Adam itself, without a DeepSpeed optimizer around it
        return Memory(4 * everything, 8 * trained, 4 * trained * before, 4 * trained, 0, activations, 0)
    share = -(-trained // world)
    return Memory(
        weights=size * everything,
        optimizer=12 * share,
        earlier=size * share * before,
        gradients=size * share,
        bucket=size * BUCKET,
        activations=activations,
        step=size * share + (4 * share if size != 4 else 0),
    )


def _modules(config: Config, stage: Stage, llm: "nn.Module | None", labels: int, device: str) -> dict[str, nn.Module]:
    settings = config.encoder
    dtype = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
    with torch.device(device):
        encoder = ConformerEncoder(
            N_MELS, settings.n_layers, settings.n_heads, settings.d_model, settings.kernel_size, settings.dropout
        )
        encoder.checkpointing = stage.activation_checkpointing
        modules: dict[str, nn.Module] = {"encoder": encoder}
        if stage.loss == "next_token":
            assert llm is not None
            width: Any = llm.config
            modules["adaptor"] = Adaptor(settings.d_model, width.hidden_size, config.adaptor.downsample)
            modules["llm"] = llm
        if stage.loss in ("ctc", "cr_ctc", "hybrid"):
            modules["ctc_head"] = CTCHead(settings.d_model, labels)
        if stage.loss in ("aed", "hybrid"):
            size = config.decoder
            modules["decoder"] = AttentionDecoder(labels, size.n_layers, size.n_heads, settings.d_model, size.dropout)
        if stage.loss == "best_rq":
            modules["quantizer_head"] = QuantizerHead(settings.d_model, config.best_rq.codebook_size)
    for name, module in modules.items():
        module.to(dtype).requires_grad_(name in stage.trained).train(name in stage.trained)
    if "llm" in modules:
        model: Any = modules["llm"]
        model.activation_checkpointing_disable()
        if stage.activation_checkpointing:
            checkpoint_activations(model)
            for layer in model.model.layers:
                layer.training = True
    return modules


def _activations(modules: dict[str, nn.Module], stage: Stage, config: Config, shape: Shape, device: str) -> int:
    """Most bytes that live at a time in forward and backward of a batch, gradients of weights not among them."""
    views = 2 if stage.loss == "cr_ctc" else 1
    features = torch.empty(views * shape.utterances, shape.frames, N_MELS, device=device)
    if device != "meta":
        features.normal_()
    lengths = torch.full((views * shape.utterances,), shape.frames).as_subclass(_Lengths)
    hooks = [
        parameter.register_post_accumulate_grad_hook(_forget)
        for module in modules.values()
        for parameter in module.parameters()
        if parameter.requires_grad
    ]
    with Live() as live, _fused_attention() if device == "meta" else contextlib.nullcontext():
        _loss(modules, stage, config, features, lengths, shape).backward()  # type: ignore[no-untyped-call]
    for hook in hooks:
        hook.remove()
    return live.peak + features.nbytes


def _loss(
    modules: dict[str, Any], stage: Stage, config: Config, features: Tensor, lengths: Tensor, shape: Shape
) -> Tensor:
    """The stage's loss over a batch, or what takes as much."""
    if stage.loss == "next_token":
        return _next_token(modules, features, lengths, shape)
    encoded = modules["encoder"](features, lengths)[0]
    if stage.loss == "best_rq":
        return _codes(modules["quantizer_head"], encoded, features, config.best_rq)
    parts = []
    if "decoder" in modules:
        parts.append(_labels(modules["decoder"], encoded, shape))
    if "ctc_head" in modules:
        parts.append(_ctc(modules["ctc_head"], encoded, shape))
    return torch.stack(parts).sum()


def _forget(parameter: Tensor) -> None:
    parameter.grad = None  # counted apart: ZeRO-2 moves it into a bucket as soon as it is there


@contextlib.contextmanager
def _fused_attention() -> Iterator[None]:
    with mock.patch.object(F, "scaled_dot_product_attention", _fused):
        yield


def _labels(decoder: nn.Module, encoded: Tensor, shape: Shape) -> Tensor:
    """The attention decoder's loss, all places counted: meta cannot know the number that a mask chooses."""
    size = round(LABELS_PER_SECOND * shape.frames / 100) + 1
    labels = torch.zeros(len(encoded), size, dtype=torch.long, device=encoded.device)
    heard = torch.full((len(encoded),), encoded.shape[1], device=encoded.device)
    return next_token_loss(decoder(labels, encoded, heard).flatten(0, 1), labels.flatten())


def _codes(head: nn.Module, encoded: Tensor, features: Tensor, settings: BestRQ) -> Tensor:
    """Best-RQ's loss over as many frames as are masked on average; the quantizer's products are as wide as logits."""
    logits = head(encoded).flatten(0, 1)
    with torch.no_grad():
        features.new_empty(len(logits), settings.codebook_size).argmax(-1)
    share = 1 - (1 - settings.mask_probability) ** settings.mask_frames
    kept = logits[: max(1, round(share * len(logits)))]
    return next_token_loss(kept.clone(), torch.zeros(len(kept), dtype=torch.long, device=kept.device))


def _ctc(head: nn.Module, encoded: Tensor, shape: Shape) -> Tensor:
    """In place of CTC, the log-probabilities that it takes: its own table is small beside the encoder's."""
    log_probs = head(encoded).float().log_softmax(-1)
    one, other = log_probs.chunk(2) if len(encoded) > shape.utterances else (log_probs, log_probs)
    return (one.exp() * (one - other)).mean() + log_probs.mean()


def _next_token(modules: dict[str, Any], features: Tensor, lengths: Tensor, shape: Shape) -> Tensor:
    """`target_logits` and the loss, but for the choice of positions by a mask, whose number meta cannot know."""
    speech = modules["adaptor"](modules["encoder"](features, lengths)[0], (lengths + 3) // 4)[0]
    tokens = round(TOKENS_PER_SECOND * shape.frames / 100) + 1
    text = torch.zeros(len(features), PROMPT_TOKENS + tokens, dtype=torch.long, device=features.device)
    embedded = modules["llm"].get_input_embeddings()(text)
    inputs = torch.cat([speech, embedded], dim=1)
    # A mask of its own kind is taken as it is; none: causal, as the fused kernels do it themselves.
    masks = {"full_attention": None}
    hidden = modules["llm"].model(inputs_embeds=inputs, attention_mask=masks, use_cache=False)[0]
    kept = hidden[:, -tokens - 1 : -1].flatten(0, 1)
    labels = torch.zeros(len(kept), dtype=torch.long, device=features.device)
    return next_token_loss(modules["llm"].lm_head(kept), labels)


# ---------------------------------------------------------------------------- for people


class Planned(NamedTuple):
    """A stage with its batch of the worst length, and its memory with activation checkpointing and without."""

    stage: str
    shape: Shape
    checkpointing: bool
    memory: dict[bool, Memory]


def plans(config: Config, names: list[str], world: int, labels: int) -> list[Planned]:
    """Plans of stages, each for the worst of three lengths of utterances: the longest, 10 s and 3 s.

    :raises CheckpointError: a language model of unknown shape.
    """
    found = []
    for name in names:
        stage: Stage = getattr(config.stages, name)
        llm = language_model(config) if stage.loss == "next_token" else None
        measured = {
            (on, shape): plan_memory(
                config, stage.model_copy(update={"activation_checkpointing": on}), llm, labels, world, shape
            )
            for on in (True, False)
            for shape in shapes(config, stage)
        }
        chosen = stage.activation_checkpointing
        worst = max(shapes(config, stage), key=lambda shape: measured[chosen, shape].total)
        found.append(Planned(name, worst, chosen, {on: measured[on, worst] for on in (True, False)}))
    return found


def shapes(config: Config, stage: Stage) -> list[Shape]:
    """Batches that fill the stage's budget: of the longest utterances, of 10 s, of 3 s."""
    longest = int(config.shards.max_seconds * 100)
    lengths = sorted({min(frames, longest) // _ALIGNED * _ALIGNED or _ALIGNED for frames in (longest, 1000, 300)})
    return [Shape(max(1, stage.frames_per_batch // frames), frames) for frames in lengths]


def language_model(config: Config) -> nn.Module:
    """The configured language model without memory; a published Qwen3 that is not there yet is known by its name."""
    if isinstance(config.llm, Path) and config.llm.exists():
        return check_folder(config.llm)[0]
    with torch.device("meta"):
        return (
            build_published(config.llm) if isinstance(config.llm, Path) else build_small(config.llm, SMALL_VOCABULARY)
        )


def table(planned: list[Planned], config: Config, world: int) -> str:
    """The plans as text, GB (1e9 bytes) a process."""
    rows: list[tuple[str, ...]] = [
        ("stage", "batch", "weights", "optimizer", "gradients", "bucket", "activations", "step", "total", "other")
    ]
    for one in planned:
        memory, other = one.memory[one.checkpointing], one.memory[not one.checkpointing]
        numbers = (
            memory.weights,
            memory.optimizer,
            memory.earlier + memory.gradients,
            memory.bucket,
            memory.activations,
            memory.step,
            memory.total,
            other.total,
        )
        batch = f"{one.shape.utterances} x {one.shape.frames / 100:.1f} s"
        rows.append((one.stage, batch, *(f"{number / 1e9:.2f}" for number in numbers)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    how = "ZeRO-2" if world > 1 or config.precision == "bfloat16" else "no ZeRO"
    states = ", ".join(f"{one.stage} {'with' if one.checkpointing else 'without'}" for one in planned)
    return "\n".join(
        [
            f"GB a process: {world} processes, {how}, {config.precision}. Activation checkpointing: {states};",
            "`other` is the total the other way. The total is that of the fullest moment, not the sum.",
            *lines,
        ]
    )
