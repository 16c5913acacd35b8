"""The adaptor between encoder and language model: frames concatenated, two linear layers (A.2, Eq. 3)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Speech(NamedTuple):
    """Speech in the language model's space: `embeddings` (B, L', llm_dim), `lengths` (B,) int64."""

    embeddings: Tensor
    lengths: Tensor


class Adaptor(nn.Module):
    """Concatenate `downsample` frames, then Linear, ReLU, Linear; names as in FireRedASR's adaptor.

    Frames that do not fill the last group are dropped, as FireRedASR does. Only an utterance too short for a
    single group is filled up with zeros, so that it gives one embedding: the language model must not be asked
    to transcribe nothing.
    """

    def __init__(self, encoder_dim: int, llm_dim: int, downsample: int):
        super().__init__()
        self.downsample = downsample
        self.linear1 = nn.Linear(encoder_dim * downsample, llm_dim)
        self.linear2 = nn.Linear(llm_dim, llm_dim)

    def forward(self, encoded: Tensor, lengths: Tensor) -> Speech:
        """`encoded` (B, L, encoder_dim), `lengths` (B,) to embeddings (B, max(1, L // downsample), llm_dim).

        Lengths become max(1, length // downsample): 160 ms an embedding for 4 frames of 40 ms. Embeddings
        beyond them are zero.
        """
        encoded = self._fill_short(encoded, lengths)
        B, L, D = encoded.shape
        groups = L // self.downsample
        grouped = encoded[:, : groups * self.downsample].reshape(B, groups, D * self.downsample)
        embeddings = self.linear2(F.relu(self.linear1(grouped)))
        kept = (lengths // self.downsample).clamp(min=1)
        if int(kept.min()) < groups:
            embeddings = embeddings.masked_fill(beyond(kept.to(encoded.device), groups)[:, :, None], 0.0)
        return Speech(embeddings, kept)

    def _fill_short(self, encoded: Tensor, lengths: Tensor) -> Tensor:
        """Zeros after the end of utterances with fewer than `downsample` frames, and room for one group."""
        if int(lengths.min()) >= self.downsample:
            return encoded
        encoded = F.pad(encoded, (0, 0, 0, max(0, self.downsample - encoded.shape[1])))
        lengths = lengths.to(encoded.device)[:, None]
        filled = beyond(lengths[:, 0], encoded.shape[1]) & (lengths < self.downsample)
        return encoded.masked_fill(filled[:, :, None], 0.0)


def beyond(lengths: Tensor, size: int) -> Tensor:
    """True at the places of a row that lie beyond its length: (B,) to (B, size)."""
    return torch.arange(size, device=lengths.device) >= lengths[:, None]
