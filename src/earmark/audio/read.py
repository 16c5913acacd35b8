"""Decode any audio, in a file or in a container, to mono float32 samples at one rate."""

import math
from math import gcd
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import numpy as np

from earmark.audio.decoders import Source, header_seconds
from earmark.audio.fbank import SAMPLE_RATE
from earmark.audio.segments import count_seconds, segment
from earmark.errors import AudioError

MISSING_SECONDS = 1.0
"""What a recording may lack of the duration that was asked for: tables round, and count an encoder's padding."""

_G722_BYTES_PER_SECOND = 8_000


def read_audio(
    path: Path | str,
    offset: float = 0.0,
    duration: float | None = None,
    channel: int | None = None,
    member: str | None = None,
) -> np.ndarray:
    """Samples of (a part of) a recording, shape (N,), float32 in [-1, 1], at 16 kHz; see `read_samples`."""
    return scaled(read_samples(path, offset, duration, channel, member))


def scaled(samples: np.ndarray) -> np.ndarray:
    """Samples as float32 in [-1, 1], whether they are so already or int16."""
    return samples.astype(np.float32) * np.float32(1 / 32768) if samples.dtype == np.int16 else samples


def read_samples(
    path: Path | str,
    offset: float = 0.0,
    duration: float | None = None,
    channel: int | None = None,
    member: str | None = None,
) -> np.ndarray:
    """What `read_audio` gives, or, where that would only be integers over 32768, those integers: (N,) int16.

    Segments of one recording that are read in ascending order decode it once.

    :param offset: start in seconds.
    :param duration: length in seconds; None: to the end.
    :param channel: channel to take; None: the mean of all.
    :param member: name in the tar, or row of the Parquet file, that `path` is; None: `path` is the audio itself.
    :raises AudioError: missing, empty, undecodable, cut short, or with samples that are not finite.
    """
    source = _present(path, member)
    if not (0 <= offset < math.inf and (duration is None or 0 <= duration < math.inf)):
        raise AudioError(f"{source} has no segment of {duration} s after {offset} s: correct offset and duration")
    samples, rate = segment(source, offset, duration)
    if samples.shape[0] == 0:
        if offset or duration == 0:
            raise AudioError(f"{source} has no samples after {offset:g} s: correct offset and duration")
        raise AudioError(f"{source} has no samples: replace it or leave it out")
    if duration is not None and samples.shape[0] < (duration - MISSING_SECONDS) * rate:
        raise AudioError(
            f"{source} is cut short: {samples.shape[0] / rate:.2f} of {duration:.2f} s after {offset:g} s are there"
        )
    if channel is not None and channel >= samples.shape[1]:
        raise AudioError(f"{source} has {samples.shape[1]} channels, channel {channel} was asked for")
    mixed = channel is None and samples.shape[1] > 1
    if mixed or rate != SAMPLE_RATE:
        samples = scaled(samples)
    mono = samples.mean(axis=1) if mixed else samples[:, channel or 0]
    if mono.dtype == np.int16:
        return np.ascontiguousarray(mono)
    if not np.isfinite(mono).all():
        raise AudioError(f"{source} holds samples that are not finite numbers: replace it or leave it out")
    return resample(mono, rate)


def audio_seconds(path: Path | str, member: str | None = None) -> float:
    """Length of a recording in seconds, by its header where that can be trusted, else by decoding.

    :raises AudioError: missing, empty, or undecodable.
    """
    source = _present(path, member)
    if member is None and source.is_g722:
        return source.path.stat().st_size / _G722_BYTES_PER_SECOND
    seconds = header_seconds(source) or count_seconds(source)
    if seconds == 0:
        raise AudioError(f"{source} has no samples: replace it or leave it out")
    return seconds


def resample(samples: np.ndarray, rate: int, target: int = SAMPLE_RATE) -> np.ndarray:
    """Polyphase resampling (scipy) of (N,) samples from `rate` to `target` Hz, float32."""
    if rate == target:
        return np.ascontiguousarray(samples, dtype=np.float32)
    from scipy.signal import resample_poly

    divisor = gcd(rate, target)
    return resample_poly(samples, target // divisor, rate // divisor).astype(np.float32)


def _present(path: Path | str, member: str | None) -> Source:
    path = Path(path)
    try:
        stat = path.stat()
        mode, size = stat.st_mode, stat.st_size
    except (OSError, ValueError):  # absent, too long for a name, a zero byte
        raise AudioError(f"{path} does not exist: correct the path") from None
    if S_ISDIR(mode):
        raise AudioError(f"{path} is a folder, not a file: name its files")
    if not S_ISREG(mode):
        raise AudioError(f"{path} is a device or pipe, not a file: name a file")
    if size == 0:
        raise AudioError(f"{path} is empty (0 bytes): replace it or leave it out")
    return Source(path, member)
