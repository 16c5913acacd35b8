"""How loud a recording is beside the speech of training, and what brings it to that level.

A gain adds a constant to all log-mel energies, and one mean and deviation for everything (section A.2) leave it there:
an encoder that has heard nothing like it takes quiet speech for silence.
"""

import math
from typing import NamedTuple

import numpy as np

WINDOW = 400
"""Frames (4 s): a recording is as loud as its loudest stretch of that length, whatever silence is around it."""
EXCEEDED = 0.05
"""Part of such a stretch that is louder than its level: neither pauses nor clicks decide."""
SPREAD = 2.0
"""Deviations of training's levels within which a recording is left as it is."""
NEAR = 6.0
"""dB within which it is in any case."""
LARGEST = 40.0
"""dB of the largest gain: what is quieter still is hardly more than a microphone's noise."""
FLOOR = math.log(float(np.finfo(np.float32).eps)) + 0.01
"""Log-mel energies up to this are digital silence (see `fbank`), rounded to float16 or not: no gain moves them."""
LOG_PER_DB = math.log(10) / 10
"""What a gain of 1 dB adds to a log-mel energy."""


class Level(NamedTuple):
    """Mean and deviation, in dB, of the levels of training's utterances."""

    mean: float
    deviation: float


def loudness(features: np.ndarray) -> float:
    """Level in dB of (T, n_mels) log-mel energies, T > 0: of the strongest bins, as a narrow band is no quieter."""
    peaks = features.max(axis=1)
    count = -(-len(peaks) // WINDOW)
    return max(_exceeded(part) for part in np.array_split(peaks, count)) / LOG_PER_DB


def _exceeded(peaks: np.ndarray) -> float:
    place = int((1 - EXCEEDED) * (len(peaks) - 1))
    return float(np.partition(peaks, place)[place])


def gain_towards(training: Level | None, features: np.ndarray) -> float:
    """Gain in dB that brings (T, n_mels) log-mel energies to training's mean level.

    0 where they are about as loud as training's, where nothing sounds at all, and where no level is known.
    """
    if training is None or len(features) == 0:
        return 0.0
    found = loudness(features)
    missing = training.mean - found
    if found <= FLOOR / LOG_PER_DB or abs(missing) <= max(NEAR, SPREAD * training.deviation):
        return 0.0
    return min(max(missing, -LARGEST), LARGEST)


def amplified(samples: np.ndarray, gain: float) -> np.ndarray:
    """Samples (N,) float32 louder by `gain` dB; beyond [-1, 1] nothing is cut off."""
    return samples * np.float32(10 ** (gain / 20)) if gain else samples


def shifted(features: np.ndarray, gain: float) -> np.ndarray:
    """Log-mel energies (T, n_mels) float32 of the same samples, louder by `gain` dB; digital silence stays as it is."""
    return np.where(features > FLOOR, features + np.float32(gain * LOG_PER_DB), features)
