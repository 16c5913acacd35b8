"""The speech encoder: 4x convolutional subsampling and Conformer blocks with relative positions.

The mathematics and the parameter names are those of the public project FireRedASR (Apache-2.0), whose AED-L
weights the paper starts from (appendix A.2): 80 mel bins, 16 blocks, 20 heads, width 1280, kernel 33, 25 Hz.

Shapes in names: B utterances, T feature frames (10 ms), L encoder frames (40 ms), D width, H heads,
K head width, P = 2L-1 relative distances.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from earmark.errors import ConfigError, UserError
from earmark.models.kernels import depthwise_conv, dropout, linear, relative_attention

MAX_POSITIONS = 5000
RIGHT_CONTEXT = 6


class Encoded(NamedTuple):
    """Frames of a batch and how many of them are speech: `frames` (B, L, D), `lengths` (B,) int64."""

    frames: Tensor
    lengths: Tensor


def subsampled_lengths(lengths: Tensor) -> Tensor:
    """Encoder frames (40 ms) for feature frames (10 ms): ceil(T / 4), any shape, int64."""
    return (lengths + 3) // 4


def padding_mask(lengths: Tensor, size: int) -> Tensor | None:
    """True where a frame is padding, shape (B, size); None when every utterance fills its row."""
    if int(lengths.min()) >= size:
        return None
    return torch.arange(size, device=lengths.device)[None, :] >= lengths[:, None]


class Subsampling(nn.Module):
    """Two 3x3 convolutions of stride 2 and a projection: (B, T, n_mels) to (B, ceil(T / 4), D)."""

    def __init__(self, n_mels: int, d_model: int, channels: int = 32):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, channels, 3, 2), nn.ReLU(), nn.Conv2d(channels, channels, 3, 2), nn.ReLU()
        )
        self.out = nn.Linear(channels * (((n_mels - 1) // 2 - 1) // 2), d_model)
        # As before a ReLU (He et al., 2015): as torch starts them, frames differ less, and CTC learns later.
        for layer in (cast(nn.Conv2d, self.conv[i]) for i in (0, 2)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(cast(Tensor, layer.bias))

    def forward(self, features: Tensor) -> Tensor:
        """Frames beyond an utterance's end must be zero, as the six that are added here are."""
        first, second = (cast(nn.Conv2d, self.conv[i]) for i in (0, 2))
        patches = F.pad(features, (0, 0, 0, RIGHT_CONTEXT)).unfold(1, 3, 2).unfold(2, 3, 2)
        B, T, M = patches.shape[:3]
        # With one channel in, the first convolution is a product of nine rows, 20 times faster on a CPU; its
        # result lies channels-last, which is the fast layout for the second.
        rows = patches.permute(3, 4, 0, 1, 2).reshape(9, B * T * M)
        planes = torch.addmm(cast(Tensor, first.bias), rows.t(), first.weight.flatten(1).t().contiguous())
        planes = planes.relu_().view(B, T, M, -1).permute(0, 3, 1, 2)
        planes = F.relu_(F.conv2d(planes, second.weight, second.bias, stride=2))
        weight = self.out.weight.unflatten(1, (planes.shape[1], -1)).transpose(1, 2).flatten(1)
        return F.linear(planes.permute(0, 2, 3, 1).flatten(2), weight, self.out.bias)


class PositionalEncoding(nn.Module):
    """Sinusoids of the relative distances L-1 .. -(L-1) (Transformer-XL), made when first needed.

    The table is a plain attribute, neither parameter nor buffer: its length differs from rank to rank, so
    that broadcasting it would fail. FireRedASR stores its own (`pe`); loading accepts and ignores it.
    """

    def __init__(self, d_model: int):
        super().__init__()
        self.d_model = d_model
        self.table = torch.empty(0, d_model)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to load: the table is computed."""

    def forward(self, x_BLD: Tensor) -> Tensor:
        """The (2L-1, D) table for `x_BLD`, on its device and in its type."""
        length = x_BLD.shape[1]
        if self.table.shape[0] < 2 * length - 1 or self.table.device != x_BLD.device:
            self.table = relative_sinusoids(max(length, 256), self.d_model).to(x_BLD.device)
        middle = self.table.shape[0] // 2
        return self.table[middle - length + 1 : middle + length].to(x_BLD.dtype)


def relative_sinusoids(length: int, d_model: int) -> Tensor:
    """Sines (even columns), cosines (odd) of distances length-1 .. -(length-1): (2 length - 1, d_model)."""
    distance = torch.arange(length - 1, -length, -1, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, d_model, 2, dtype=torch.float32) * -(math.log(10000.0) / d_model))
    return torch.stack((torch.sin(distance * rate), torch.cos(distance * rate)), dim=-1).flatten(1)


class Dropout(nn.Dropout):
    """`nn.Dropout` through the cheap masks."""

    def forward(self, x: Tensor) -> Tensor:
        """The same shape; active in training only."""
        return dropout(x, self.p, self.training, self.inplace)


class Linear(nn.Linear):
    """`nn.Linear` through the fast product."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        return linear(x, self.weight, self.bias)


class FeedForward(nn.Module):
    """Half a step of a feed-forward network: x + 0.5 net(x), (B, L, D) to the same.

    FireRedASR writes it as 0.5 x + 0.5 (x + net(x)).
    """

    def __init__(self, d_model: int, dropout: float):
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(d_model),
            Linear(d_model, 4 * d_model),
            nn.SiLU(),
            Dropout(dropout, inplace=True),
            Linear(4 * d_model, d_model),
            Dropout(dropout),
        )

    def forward(self, x_BLD: Tensor) -> Tensor:
        """One half step, residual included."""
        return torch.add(x_BLD, self.net(x_BLD), alpha=0.5)


class RelativeAttention(nn.Module):
    """Multi-head self-attention over content and relative distance (Transformer-XL), residual included."""

    def __init__(self, n_heads: int, d_model: int, dropout: float):
        super().__init__()
        self.w_qs = Linear(d_model, d_model, bias=False)
        self.w_ks = Linear(d_model, d_model, bias=False)
        self.w_vs = Linear(d_model, d_model, bias=False)
        self.layer_norm_q = nn.LayerNorm(d_model)
        self.layer_norm_k = nn.LayerNorm(d_model)
        self.layer_norm_v = nn.LayerNorm(d_model)
        self.fc = Linear(d_model, d_model, bias=False)
        self.linear_pos = Linear(d_model, d_model, bias=False)
        self.pos_bias_u = nn.Parameter(torch.empty(n_heads, d_model // n_heads))
        self.pos_bias_v = nn.Parameter(torch.empty(n_heads, d_model // n_heads))
        nn.init.xavier_uniform_(self.pos_bias_u)
        nn.init.xavier_uniform_(self.pos_bias_v)
        self.dropout = Dropout(dropout)

    def forward(self, x_BLD: Tensor, positions_PD: Tensor, padding_BL: Tensor | None) -> Tensor:
        """Attend from every frame to the frames that are speech."""
        B, L, _ = x_BLD.shape
        H, K = self.pos_bias_u.shape
        # Heads first, so that the distances' keys serve a whole batch in one product a head.
        q, k, v = (
            projection(norm(x_BLD)).view(B, L, H, K).permute(2, 0, 1, 3)
            for projection, norm in (
                (self.w_qs, self.layer_norm_q),
                (self.w_ks, self.layer_norm_k),
                (self.w_vs, self.layer_norm_v),
            )
        )
        content, distance = ((q + bias[:, None, None]) * K**-0.5 for bias in (self.pos_bias_u, self.pos_bias_v))
        p_HKP = self.linear_pos(positions_PD).view(-1, H, K).permute(1, 2, 0)
        mixed_BLD = relative_attention(content, distance, k, v, p_HKP, padding_BL).permute(1, 2, 0, 3).flatten(2)
        return x_BLD + self.dropout(self.fc(mixed_BLD))


class Convolution(nn.Module):
    """Pointwise, gated, depthwise, LayerNorm, Swish, pointwise; residual included. (B, L, D) to the same.

    The modules named conv hold weights under FireRedASR's names; the pointwise ones act as matrix products.
    """

    def __init__(self, d_model: int, kernel_size: int, dropout: float):
        super().__init__()
        inner = 2 * d_model
        self.pre_layer_norm = nn.LayerNorm(d_model)
        self.pointwise_conv1 = nn.Conv1d(d_model, 2 * inner, 1, bias=False)
        self.depthwise_conv = nn.Conv1d(inner, inner, kernel_size, groups=inner, bias=False)
        self.batch_norm = nn.LayerNorm(inner)
        self.pointwise_conv2 = nn.Conv1d(inner, d_model, 1, bias=False)
        self.dropout = Dropout(dropout)

    def forward(self, x_BLD: Tensor, padding_BL: Tensor | None) -> Tensor:
        """Convolve over time; padding counts as silence, as beyond the ends."""
        hidden = F.glu(linear(self.pre_layer_norm(x_BLD), self.pointwise_conv1.weight.squeeze(-1)))
        if padding_BL is not None:
            hidden = hidden.masked_fill(padding_BL[:, :, None], 0.0)
        hidden = depthwise_conv(hidden, self.depthwise_conv.weight)
        hidden = F.silu(self.batch_norm(hidden))
        return x_BLD + self.dropout(linear(hidden, self.pointwise_conv2.weight.squeeze(-1)))


class ConformerBlock(nn.Module):
    """Half a feed-forward step, attention, convolution, half a feed-forward step, LayerNorm."""

    def __init__(self, n_heads: int, d_model: int, kernel_size: int, dropout: float):
        super().__init__()
        self.ffn1 = FeedForward(d_model, dropout)
        self.mhsa = RelativeAttention(n_heads, d_model, dropout)
        self.conv = Convolution(d_model, kernel_size, dropout)
        self.ffn2 = FeedForward(d_model, dropout)
        self.layer_norm = nn.LayerNorm(d_model)

    def forward(self, x_BLD: Tensor, positions_PD: Tensor, padding_BL: Tensor | None) -> Tensor:
        """(B, L, D) to the same."""
        x_BLD = self.mhsa(self.ffn1(x_BLD), positions_PD, padding_BL)
        return self.layer_norm(self.ffn2(self.conv(x_BLD, padding_BL)))


class ConformerEncoder(nn.Module):
    """Features to frames at a quarter of their rate; weights interchangeable with FireRedASR's encoder.

    What lies beyond an utterance's length, garbage included, changes nothing on its valid frames.
    """

    checkpointing = False
    """Keep each block's input only, and compute its activations again in the backward pass: the same gradients to the
    bit, the random state of dropout being restored."""

    def __init__(
        self,
        n_mels: int,
        n_layers: int,
        n_heads: int,
        d_model: int,
        kernel_size: int,
        dropout: float = 0.1,
    ):
        super().__init__()
        if d_model % n_heads or d_model % 2:
            raise ConfigError(
                f"encoder width {d_model} does not suit {n_heads} heads: choose an even multiple of the heads"
            )
        if kernel_size % 2 == 0:
            raise ConfigError(f"encoder kernel {kernel_size} is even: choose an odd number of frames")
        self.input_preprocessor = Subsampling(n_mels, d_model)
        self.positional_encoding = PositionalEncoding(d_model)
        self.dropout = Dropout(dropout)
        self.layer_stack = nn.ModuleList(
            ConformerBlock(n_heads, d_model, kernel_size, dropout) for _ in range(n_layers)
        )

    def forward(self, features: Tensor, lengths: Tensor) -> Encoded:
        """Encode a batch (paper Eq. 2).

        `features` (B, T, n_mels) normalised log-mel at 100 Hz in any float type, `lengths` (B,) int64 in
        frames; gives frames (B, ceil(T/4), D) at 25 Hz and their lengths (B,). Frames beyond a length are
        meaningless.
        UserError: more than 5,000 encoder frames (200 s).
        """
        (last,) = deque(self._states(features, lengths), maxlen=1)
        return Encoded(last, subsampled_lengths(lengths))

    def forward_layers(self, features: Tensor, lengths: Tensor) -> list[Tensor]:
        """The output (B, L, D) of every block, for layer-wise CKA (paper Eq. 10); the last is `forward`'s."""
        return list(self._states(features, lengths))

    def _states(self, features: Tensor, lengths: Tensor) -> Iterator[Tensor]:
        size = int(subsampled_lengths(torch.tensor(features.shape[1])))
        if size > MAX_POSITIONS:
            raise UserError(
                f"an utterance of {features.shape[1]} feature frames gives {size} encoder frames, "
                f"the limit is {MAX_POSITIONS}: split it or leave it out"
            )
        lengths = lengths.to(features.device)
        beyond_BT = padding_mask(lengths, features.shape[1])
        if beyond_BT is not None:
            features = features.masked_fill(beyond_BT[:, :, None], 0.0)
        padding_BL = padding_mask(subsampled_lengths(lengths), size)
        features = features.to(self.input_preprocessor.out.weight.dtype)
        x_BLD = self.dropout(self.input_preprocessor(features))
        positions_PD = self.dropout(self.positional_encoding(x_BLD))
        for block in self.layer_stack:
            if self.checkpointing and x_BLD.requires_grad:
                x_BLD = checkpoint(block, x_BLD, positions_PD, padding_BL, use_reentrant=False)
            else:
                x_BLD = block(x_BLD, positions_PD, padding_BL)
            yield x_BLD
