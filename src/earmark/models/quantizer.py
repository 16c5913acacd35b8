"""Best-RQ's targets (Chiu et al., 2022; paper Eq. 40): codes of stacked frames in a random codebook, never trained.

Shapes in names: B utterances, T feature frames (10 ms), L encoder frames (40 ms), F mel bins.
"""

import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from earmark.models.encoder import padding_mask, subsampled_lengths

STACKED = 4
"""Feature frames a code: those of one encoder frame."""


class RandomQuantizer(nn.Module):
    """Nearest code of four stacked, projected frames; both projection and codebook are functions of `seed` alone.

    They are buffers that no file holds: nothing trains them, and the seed makes them again.
    """

    def __init__(self, n_mels: int, codes: int, dim: int, seed: int):
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        projection = nn.init.xavier_uniform_(torch.empty(STACKED * n_mels, dim), generator=draw)
        self.projection: Tensor
        self.codebook: Tensor
        self.register_buffer("projection", projection, persistent=False)
        codebook = F.normalize(torch.randn(codes, dim, generator=draw), dim=-1)
        self.register_buffer("codebook", codebook, persistent=False)

    @torch.no_grad()
    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Normalised features (B, T, F) to codes (B, ceil(T / 4)) int64; those beyond an utterance mean nothing.

        The argmin of the distance between unit vectors is the argmax of their product.
        """
        B, T, M = features.shape
        beyond = padding_mask(lengths.to(features.device), T)
        if beyond is not None:
            features = features.masked_fill(beyond[:, :, None], 0.0)
        stacked = F.pad(features.float(), (0, 0, 0, -T % STACKED)).reshape(B, -1, STACKED * M)
        projected = F.normalize(stacked @ self.projection.float(), dim=-1)
        return (projected @ self.codebook.float().T).argmax(dim=-1)


class QuantizerHead(nn.Module):
    """Encoder frames to logits over the codes."""

    def __init__(self, d_model: int, codes: int):
        super().__init__()
        self.linear = nn.Linear(d_model, codes)

    def forward(self, encoded: Tensor) -> Tensor:
        """(..., d_model) to (..., codes)."""
        return self.linear(encoded)


def span_mask(lengths: Tensor, probability: float, frames: int, rng: random.Random) -> Tensor:
    """Masked encoder frames of each utterance, (B, L) bool: spans of `frames` feature frames, which may overlap.

    A span begins at a feature frame with `probability`, counted for the four of an encoder frame together. Every
    utterance has one span at least, since a batch without any would have no loss.
    """
    sizes = subsampled_lengths(lengths).tolist()
    begins = 1 - (1 - probability) ** STACKED
    masked = torch.zeros(len(sizes), max(sizes), dtype=torch.bool)
    for row, size in zip(masked, sizes, strict=True):
        starts = [place for place in range(size) if rng.random() < begins] or [rng.randrange(size)]
        for start in starts:
            row[start : min(start + frames // STACKED, size)] = True
    return masked


def corrupt(features: Tensor, lengths: Tensor, masked: Tensor, noise: float) -> Tensor:
    """Features (B, T, F) with normal noise in the place of masked encoder frames (B, L); drawn by torch's generator.

    Noise is drawn for the masked frames of the utterances only, so padding changes none of it.
    """
    T = features.shape[1]
    frames = masked.to(features.device).repeat_interleave(STACKED, dim=1)[:, :T]
    frames = F.pad(frames, (0, T - frames.shape[1]))
    beyond = padding_mask(lengths.to(features.device), T)
    if beyond is not None:
        frames = frames & ~beyond
    corrupted = features.clone()
    corrupted[frames] = (torch.randn(int(frames.sum()), features.shape[2]) * noise).to(features)
    return corrupted
