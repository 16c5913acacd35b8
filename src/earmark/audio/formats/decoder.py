"""What every decoder of an open recording offers, and what recordings may be."""

from typing import Protocol

import numpy as np

from earmark.audio.source import Source
from earmark.errors import AudioError

RATES = (1_000, 768_000)
"""Sample rates that recordings have; resampling from others would fill the memory."""
MAX_CHANNELS = 64
DAMAGED = "is cut short or damaged"
PRE_ROLL = 1.0
"""Seconds that a lossy format is decoded before the place that it is sought at; Opus asks for 0.08."""


class Decoder(Protocol):
    """An open recording."""

    rate: int
    channels: int
    frames: int | None
    """Samples that it has; None where no header says so that can be trusted."""
    exact: bool
    """Whether seeking loses nothing, and costs nothing."""

    @property
    def seeks(self) -> bool:
        """Whether `seek` may be called."""
        ...

    def read(self, count: int) -> np.ndarray:
        """The next samples, (n, channels) float32, 0 < n <= count; n = 0 at the end."""
        ...

    def seek(self, frame: int) -> bool:
        """Go to a sample; False where the recording ends before it."""
        ...


def check(source: Source, rate: int, channels: int) -> None:
    """:raises AudioError: no recording has such a rate, or so many channels."""
    if not RATES[0] <= rate <= RATES[1]:
        raise AudioError(f"{source} has a sample rate of {rate} Hz: replace it or leave it out")
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"{source} has {channels} channels: replace it or leave it out")


def skipped(decoder: Decoder, count: int) -> bool:
    """Read past samples; False where the recording ends before."""
    while count and (block := len(decoder.read(count))):
        count -= block
    return count == 0
