"""Mean and variance of each mel bin over all training rows: sums that do not depend on how rows are spread."""

import math
from typing import Any

import numpy as np

from earmark.audio.level import loudness


class Moments:
    """Sums for mean and variance, of mel bins over all frames and of utterances' levels, taken while writing.

    An utterance's sums are rounded to multiples of 2^-16: so they add up without another rounding (usual features to
    1,900 hours), and the total does not depend on how utterances are spread over shards, which `summed` adds.
    """

    def __init__(self, n_mels: int):
        self.frames = 0
        self.total = np.zeros(n_mels)
        self.squares = np.zeros(n_mels)
        self.utterances, self.level, self.level_squares = 0, 0.0, 0.0

    def add(self, features: np.ndarray) -> None:
        """Count an utterance of (T, n_mels) features."""
        wide = features.astype(np.float64)
        self.frames += len(wide)
        self.total += _rounded(wide.sum(axis=0))
        self.squares += _rounded(np.einsum("ij,ij->j", wide, wide))
        level = loudness(wide)
        self.utterances += 1
        self.level += float(_rounded(level))
        self.level_squares += float(_rounded(level**2))

    def as_json(self) -> dict[str, Any]:
        """Plain values, to be summed over shards."""
        sums = {"frames": self.frames, "total": self.total.tolist(), "squares": self.squares.tolist()}
        return sums | {"utterances": self.utterances, "level": self.level, "level_squares": self.level_squares}


def summed(sums: list[list[float]], bins: int) -> list[float]:
    """Sums of several shards or parts, of each bin: rounded once, so their order does not matter."""
    return [math.fsum(one[number] for one in sums) for number in range(bins)]


def _rounded(sums: np.ndarray | float) -> np.ndarray:
    return np.ldexp(np.rint(np.ldexp(sums, 16)), -16)
