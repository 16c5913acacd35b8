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
TILE_ELEMENTS = 2**19
MIN_TILE = 16
ONEDNN_PRODUCTS = 2**26
"""Multiplications from which oneDNN's product, with its own layout of the weights, beats MKL's by a tenth."""
HAS_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`F.linear`, (..., C) to (..., D); large products on a CPU by oneDNN."""
    if (
        not HAS_ONEDNN
        or x.device.type != "cpu"
        or x.dtype != torch.float32
        or x.numel() * len(weight) < ONEDNN_PRODUCTS
        or torch.compiler.is_compiling()
    ):
        return F.linear(x, weight, bias)
    return _Linear.apply(x, weight, bias)


class _Linear(torch.autograd.Function):
    """torch offers oneDNN's product without a gradient; that of the weight is no faster there."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        wants_input, wants_weight, wants_bias = ctx.needs_input_grad
        rows = gradient.flatten(0, -2)
        return (
            _product(gradient, weight.t(), None) if wants_input else None,
            rows.t() @ x.flatten(0, -2) if wants_weight else None,
            rows.sum(0) if wants_bias else None,
        )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


def dropout(x: Tensor, probability: float, training: bool, inplace: bool = False) -> Tensor:
    """`F.dropout`, with masks that cost a fifth; a pure function of torch's global random state."""
    if not training or probability == 0.0:
        return x
    if x.device.type != "cpu" or x.dtype != torch.float32:
        return F.dropout(x, probability, inplace=inplace)
    mask = dropout_mask(x.shape, probability)
    return x.mul_(mask) if inplace else x * mask


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
        return _shifted(scores, length, length)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        scattered = gradient.new_zeros(ctx.shape)
        _shifted(scattered, ctx.length, ctx.length).copy_(gradient)
        return scattered, None


def _shifted(scores: Tensor, rows: int, length: int) -> Tensor:
    """(batch, rows, length) out of (H, B*rows, length + rows - 1)."""
    width = length + rows - 1
    batch = scores.numel() // (rows * width)
    return scores.as_strided((batch, rows, length), (rows * width, width - 1, 1), rows - 1)


def relative_attention(
    content: Tensor, distance: Tensor, k: Tensor, v: Tensor, p_HKP: Tensor, padding_BL: Tensor | None
) -> Tensor:
    """Attention over content and distance (Transformer-XL): softmax(content k' + shift(distance p)) v.

    :param content: (H, B, L, K) queries with their bias, scaled; `distance`: those for the distances.
    :param k: (H, B, L, K) keys; `v`: values; `p_HKP`: keys of the distances L-1 .. -(L-1).
    :param padding_BL: True at keys that are not attended to.

    On a CPU a few queries at a time, with the distances that those meet: scores stay in the cache, and half of the
    products with distances are saved. Elsewhere by `scaled_dot_product_attention`, whose kernels take the bias.
    """
    if content.device.type == "cpu":
        return _TiledAttention.apply(content, distance, k, v, p_HKP, padding_BL)
    return biased_attention(content, distance, k, v, p_HKP, padding_BL)


def biased_attention(
    content: Tensor, distance: Tensor, k: Tensor, v: Tensor, p_HKP: Tensor, padding_BL: Tensor | None
) -> Tensor:
    """`relative_attention` by `scaled_dot_product_attention`, the distances' scores as additive bias."""
    H, B, L, _ = content.shape
    bias = relative_shift(distance.flatten(1, 2) @ p_HKP, L).view(H, B, L, L)
    if padding_BL is not None:
        bias = bias.masked_fill(padding_BL[:, None], -torch.inf)
    return F.scaled_dot_product_attention(content, k, v, attn_mask=bias, scale=1.0)


class _TiledAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, content: Tensor, distance: Tensor, k: Tensor, v: Tensor, p_HKP: Tensor, padding_BL: Tensor | None
    ) -> Tensor:
        H, B, L, K = content.shape
        mixed = torch.empty_like(v, memory_format=torch.contiguous_format)
        rows, keys = mixed.view(H * B, L, K), k.reshape(H * B, L, K).transpose(1, 2)
        queries, values = content.reshape(H * B, L, K), v.reshape(H * B, L, K)
        tiles = []
        for start, end in _tiles(H * B, L):
            by_distance = distance[:, :, start:end].flatten(1, 2) @ _window(p_HKP, start, end)
            scores = torch.baddbmm(_shifted(by_distance, end - start, L), queries[:, start:end], keys)
            if padding_BL is not None:
                scores.view(H, B, -1, L).masked_fill_(padding_BL[:, None], -torch.inf)
            tiles.append(scores.softmax(-1))
            rows[:, start:end] = tiles[-1] @ values
        ctx.save_for_backward(content, distance, k, v, p_HKP, mixed, *tiles)
        return mixed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        content, distance, k, v, p_HKP, mixed, *tiles = ctx.saved_tensors
        H, B, L, K = content.shape
        queries, keys, values, towards = (x.reshape(H * B, L, K) for x in (content, k, v, gradient))
        inner = (towards * mixed.view(H * B, L, K)).sum(-1, keepdim=True)
        of_queries, of_keys, of_values = torch.empty_like(queries), torch.zeros_like(keys), torch.zeros_like(values)
        of_distance, of_p = torch.empty_like(distance), torch.zeros_like(p_HKP)
        for (start, end), shares in zip(_tiles(H * B, L), tiles, strict=True):
            part, window = towards[:, start:end], _window(p_HKP, start, end)
            of_values.baddbmm_(shares.transpose(1, 2), part)
            of_scores = (part @ values.transpose(1, 2)).sub_(inner[:, start:end]).mul_(shares)
            of_queries[:, start:end] = of_scores @ keys
            of_keys.baddbmm_(of_scores.transpose(1, 2), queries[:, start:end])
            scattered = gradient.new_zeros(H, B * (end - start), window.shape[2])
            _shifted(scattered, end - start, L).copy_(of_scores)
            of_distance[:, :, start:end] = (scattered @ window.transpose(1, 2)).view(H, B, -1, K)
            _window(of_p, start, end).baddbmm_(distance[:, :, start:end].flatten(1, 2).transpose(1, 2), scattered)
        return of_queries.view_as(k), of_distance, of_keys.view_as(k), of_values.view_as(k), of_p, None


def _tiles(batch: int, length: int) -> list[tuple[int, int]]:
    """First and last query (exclusive) of tiles of like size, whose scores fit the cache."""
    fitting = max(MIN_TILE, TILE_ELEMENTS // (batch * length))
    size = -(-length // -(-length // fitting))
    return [(start, min(start + size, length)) for start in range(0, length, size)]


def _window(p_HKP: Tensor, start: int, end: int) -> Tensor:
    """Distances that queries start .. end meet: of the 2L-1 columns, L + end - start - 1."""
    length = (p_HKP.shape[2] + 1) // 2
    return p_HKP[:, :, length - end : 2 * length - 1 - start]


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
