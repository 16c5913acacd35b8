"""Encoder and CTC head in operations that every runtime has: what the ONNX graph is traced from.

The same mathematics as `models/encoder.py` over the same parameters, without the tricks that make it fast on a CPU
(strided views, functions with gradients of their own) and without branches on values, which no graph can hold.

Shapes in names: as in `models/encoder.py`.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from earmark.models.ctc_head import CTCHead
from earmark.models.encoder import RIGHT_CONTEXT, ConformerEncoder, relative_sinusoids, subsampled_lengths


class PlainCTC(nn.Module):
    """Features to log-probabilities of phones, for tracing; weights are shared with the modules given."""

    def __init__(self, encoder: ConformerEncoder, head: CTCHead):
        super().__init__()
        self.encoder, self.head = encoder.eval(), head.eval()

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised log-mel (B, T, n_mels) float32 at 100 Hz and its lengths (B,) int64, each 1 to T.

        Gives log-probabilities (B, L, vocabulary), L = ceil(T / 4), and their lengths (B,). Frames beyond a length are
        meaningless, and what the features hold there changes nothing.
        """
        features = features.masked_fill(_beyond(lengths, features.shape[1])[:, :, None], 0.0)
        x_BLD = _subsample(self.encoder.input_preprocessor, features)
        encoded_lengths = subsampled_lengths(lengths)
        padding_BL = _beyond(encoded_lengths, x_BLD.shape[1])
        positions_PD = relative_sinusoids(x_BLD.shape[1], x_BLD.shape[2])
        for block in self.encoder.layer_stack:
            x_BLD = _block(block, x_BLD, positions_PD, padding_BL)
        return self.head(x_BLD).log_softmax(-1), encoded_lengths


def _beyond(lengths: Tensor, size: int) -> Tensor:
    """True where a frame is padding: (B,) to (B, size)."""
    return torch.arange(size)[None] >= lengths[:, None]


def _subsample(module: Any, features: Tensor) -> Tensor:
    planes = module.conv(F.pad(features, (0, 0, 0, RIGHT_CONTEXT))[:, None])
    return module.out(planes.transpose(1, 2).flatten(2))


def _block(block: Any, x_BLD: Tensor, positions_PD: Tensor, padding_BL: Tensor) -> Tensor:
    x_BLD = x_BLD + 0.5 * _feed_forward(block.ffn1, x_BLD)
    x_BLD = x_BLD + _attend(block.mhsa, x_BLD, positions_PD, padding_BL)
    x_BLD = x_BLD + _convolve(block.conv, x_BLD, padding_BL)
    return block.layer_norm(x_BLD + 0.5 * _feed_forward(block.ffn2, x_BLD))


def _feed_forward(module: Any, x_BLD: Tensor) -> Tensor:
    norm, widen, _, _, narrow, _ = module.net
    return _linear(narrow, F.silu(_linear(widen, norm(x_BLD))))


def _linear(module: Any, x: Tensor) -> Tensor:
    """The layer by torch's product, whatever its own `forward` chooses by size."""
    return F.linear(x, module.weight, module.bias)


def _attend(module: Any, x_BLD: Tensor, positions_PD: Tensor, padding_BL: Tensor) -> Tensor:
    """Transformer-XL's attention: content plus distance, heads side by side."""
    H, K = module.pos_bias_u.shape
    q_BLHK = _linear(module.w_qs, module.layer_norm_q(x_BLD)).unflatten(-1, (H, K))
    k_BHLK = _linear(module.w_ks, module.layer_norm_k(x_BLD)).unflatten(-1, (H, K)).transpose(1, 2)
    v_BHLK = _linear(module.w_vs, module.layer_norm_v(x_BLD)).unflatten(-1, (H, K)).transpose(1, 2)
    p_HKP = _linear(module.linear_pos, positions_PD).unflatten(-1, (H, K)).permute(1, 2, 0)
    content = (q_BLHK + module.pos_bias_u).transpose(1, 2) @ k_BHLK.transpose(2, 3)
    distance = _shift((q_BLHK + module.pos_bias_v).transpose(1, 2) @ p_HKP)
    scores = ((content + distance) * K**-0.5).masked_fill(padding_BL[:, None, None], -torch.inf)
    return _linear(module.fc, (scores.softmax(-1) @ v_BHLK).transpose(1, 2).flatten(2))


def _shift(scores_BHLP: Tensor) -> Tensor:
    """Scores by distance seen by key, (B, H, L, L): row i, key j has distance i-j, which lies in column L-1-i+j.

    With a column before the first, rows of 2 L cells read as rows of L start each one place further left.
    """
    B, H, L, P = scores_BHLP.shape
    padded = F.pad(scores_BHLP, (1, 0)).reshape(B, H, P + 1, L)
    return padded[:, :, 1:].reshape(B, H, L, P)[..., :L]


def _convolve(module: Any, x_BLD: Tensor, padding_BL: Tensor) -> Tensor:
    hidden = F.glu(F.linear(module.pre_layer_norm(x_BLD), module.pointwise_conv1.weight.squeeze(-1)))
    columns = hidden.masked_fill(padding_BL[:, :, None], 0.0).transpose(1, 2)
    weight = module.depthwise_conv.weight
    hidden = F.conv1d(columns, weight, padding=weight.shape[-1] // 2, groups=weight.shape[0]).transpose(1, 2)
    return F.linear(F.silu(module.batch_norm(hidden)), module.pointwise_conv2.weight.squeeze(-1))
