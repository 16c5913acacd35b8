"""The encoder's operations that torch offers only in a slow form on a CPU; each states what it equals.

On another device torch's own kernels are used. Shapes in names: B utterances, L frames, C channels, K taps,
H heads.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

DRAW_VALUES = 2**16
CHUNK_ELEMENTS = 2**20


def dropout(x: Tensor, probability: float, training: bool) -> Tensor:
    """`F.dropout`, with masks that cost a fifth; a pure function of torch's global random state."""
    if not training or probability == 0.0:
        return x
    if x.device.type != "cpu" or x.dtype != torch.float32:
        return F.dropout(x, probability)
    return x * dropout_mask(x.shape, probability)


def dropout_mask(shape: torch.Size, probability: float) -> Tensor:
    """Zeros with `probability` (to the nearest 1/65,536), else the scale that makes the expected value 1.

    Four 16-bit numbers come out of each 64-bit draw, and all arithmetic stays in float32: comparisons that
    write booleans are several times slower.
    """
    size = shape.numel()
    dropped = round(probability * DRAW_VALUES)
    draws = torch.empty((size + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    mask = draws.view(torch.int16)[:size].float()
    mask.ge_(dropped - DRAW_VALUES // 2).mul_(DRAW_VALUES / max(1, DRAW_VALUES - dropped))
    return mask.view(shape)


def relative_shift(scores: Tensor, length: int) -> Tensor:
    """Scores by distance, (H, B*L, 2L-1), seen by key: (H*B, L, L), where row i, key j has distance i-j.

    Distance i-j lies in column L-1-i+j, so that each row starts one column to the left of the row before: a
    view with a shorter stride, no copy.
    """
    return _RelativeShift.apply(scores, length)


class _RelativeShift(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, length: int) -> Tensor:
        ctx.shape, ctx.length = scores.shape, length
        return _shifted(scores, length)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        scattered = gradient.new_zeros(ctx.shape)
        _shifted(scattered, ctx.length).copy_(gradient)
        return scattered, None


def _shifted(scores: Tensor, length: int) -> Tensor:
    width = 2 * length - 1
    batch = scores.numel() // (length * width)
    return scores.as_strided((batch, length, length), (length * width, width - 1, 1), length - 1)


def depthwise_conv(x_BLC: Tensor, weight_C1K: Tensor) -> Tensor:
    """`F.conv1d` over L with one odd kernel a channel and zeros beyond the ends: (B, L, C) to (B, L, C)."""
    if x_BLC.device.type == "cpu":
        return _DepthwiseConv.apply(x_BLC, weight_C1K)
    padding = weight_C1K.shape[-1] // 2
    columns = x_BLC.transpose(1, 2)
    return F.conv1d(columns, weight_C1K, padding=padding, groups=x_BLC.shape[-1]).transpose(1, 2)


class _DepthwiseConv(torch.autograd.Function):
    """Output and input gradient by the channels-last 2-D kernel, five times as fast as the 1-D one."""

    @staticmethod
    def forward(ctx: Any, x_BLC: Tensor, weight_C1K: Tensor) -> Tensor:
        x_BLC = x_BLC.contiguous()
        ctx.save_for_backward(x_BLC, weight_C1K)
        return _correlate(x_BLC, weight_C1K)

    @staticmethod
    def backward(ctx: Any, gradient_BLC: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x_BLC, weight_C1K = ctx.saved_tensors
        gradient_BLC = gradient_BLC.contiguous()
        wants_input, wants_weight = ctx.needs_input_grad
        return (
            _correlate(gradient_BLC, weight_C1K.flip(-1)) if wants_input else None,
            _tap_gradients(x_BLC, gradient_BLC, weight_C1K.shape[-1]) if wants_weight else None,
        )


def _correlate(x_BLC: Tensor, weight_C1K: Tensor) -> Tensor:
    planes = x_BLC.transpose(1, 2).unsqueeze(2)
    padding = (0, weight_C1K.shape[-1] // 2)
    result = F.conv2d(planes, weight_C1K.unsqueeze(2), padding=padding, groups=x_BLC.shape[-1])
    return result.squeeze(2).transpose(1, 2)


def _tap_gradients(x_BLC: Tensor, gradient_BLC: Tensor, taps: int) -> Tensor:
    """Sum over B and L of gradient times shifted input, (C, 1, K), in pieces of time that fit the cache.

    Utterances lie one behind the other, with zeros between that are as long as the kernel: so a piece may span
    several, and is summed over its first dimension alone, which torch does up to ten times faster than over two.
    """
    C = x_BLC.shape[-1]
    padded_NC = F.pad(x_BLC, (0, 0, taps // 2, taps // 2)).view(-1, C)
    gradient_NC = F.pad(gradient_BLC, (0, 0, 0, taps - 1)).view(-1, C)
    total_KC = x_BLC.new_zeros(taps, C)
    frames, step = len(padded_NC) - taps + 1, max(1, CHUNK_ELEMENTS // (taps * C))
    for start in range(0, frames, step):
        piece = gradient_NC[start : min(start + step, frames)]
        windows = padded_NC.as_strided((len(piece), taps, C), (C, C, 1), start * C)
        total_KC += (windows * piece[:, None]).sum(0)
    return total_KC.t().unsqueeze(1)
