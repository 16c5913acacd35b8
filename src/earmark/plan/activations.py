"""What forward and backward of a batch take at a time, seen on torch's meta device, which computes nothing.

The stage's own modules go over a batch of its frame budget; every storage that comes and goes is counted, so that the
plan follows the code.
"""

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from earmark.config import BestRQ, Config, Stage
from earmark.losses import next_token_loss
from earmark.models.build import N_MELS

PROMPT_TOKENS = 20
"""Positions of the prompt around the speech."""
TOKENS_PER_SECOND = 5
"""Tokens of a transcript: fast speech."""
LABELS_PER_SECOND = 15
"""Phones that an attention decoder writes: fast speech."""


class Shape(NamedTuple):
    """A batch: utterances of equal length, feature frames of 10 ms each."""

    utterances: int
    frames: int


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


def activations(modules: dict[str, nn.Module], stage: Stage, config: Config, shape: Shape, device: str) -> int:
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
