"""Decode any audio, in a file or in a container, to mono float32 samples at one rate."""

import math
from math import gcd
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import numpy as np

from earmark.audio.fbank import SAMPLE_RATE
from earmark.audio.formats.whole import require_whole
from earmark.audio.segments import seconds, segment
from earmark.audio.source import Source, untrusted
from earmark.errors import AudioError
from earmark.io import existing

MISSING_SECONDS = 0.5
"""What a recording may lack of the duration that was asked for: tables round, and count an encoder's padding.

As in Kaldi's extract-segments, and never half of what was asked for: its text would then be mostly of something else.
"""
FULL_SCALE = 16.0
"""Largest sample: 24 dB over full scale is more than any gain leaves, and less than integers saved as floats have."""
_SHORT = 0.01
"""Seconds that a segment may lack before the recording is looked at: tables round to hundredths."""

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
    if duration is None:
        require_whole(source)
    with untrusted(source):
        samples, rate = segment(source, offset, duration)
    if samples.shape[0] == 0:
        if offset or duration == 0:
            raise AudioError(f"{source} has no samples after {offset:g} s: correct offset and duration")
        raise AudioError(f"{source} has no samples: replace it or leave it out")
    if duration is not None:
        _require_all(source, offset, duration, samples.shape[0] / rate)
    if channel is not None and channel >= samples.shape[1]:
        raise AudioError(f"{source} has {samples.shape[1]} channels, channel {channel} was asked for")
    mixed = channel is None and samples.shape[1] > 1
    if mixed or rate != SAMPLE_RATE:
        samples = scaled(samples)
    mono = samples.mean(axis=1) if mixed else samples[:, channel or 0]
    if mono.dtype == np.int16:
        return np.ascontiguousarray(mono)
    _require_samples(source, mono)
    return resample(mono, rate)


def _require_all(source: Source, offset: float, duration: float, there: float) -> None:
    """:raises AudioError: samples are missing from a segment of which `there` seconds were found."""
    if there < duration - _SHORT:
        require_whole(source)
    if duration - there >= min(MISSING_SECONDS, duration / 2):
        raise AudioError(f"{source} is cut short: {there:.2f} of {duration:.2f} s after {offset:g} s are there")


def _require_samples(source: Source, mono: np.ndarray) -> None:
    """:raises AudioError: samples that are not finite, or far above full scale."""
    peak = max(mono.max(), -mono.min())  # not a number where one sample is none
    if peak <= FULL_SCALE:
        return
    if np.isfinite(mono).all():
        raise AudioError(
            f"{source} holds samples up to {peak:.0f} where 1 is full scale: divide them by 32768, or save integers"
        )
    raise AudioError(f"{source} holds samples that are not finite numbers: replace it or leave it out")


def audio_seconds(path: Path | str, member: str | None = None) -> float:
    """Length of a recording in seconds, by its header where that can be trusted, else by decoding.

    :raises AudioError: missing, empty, or undecodable.
    """
    source = _present(path, member)
    if member is None and source.suffix == ".g722":
        return source.path.stat().st_size / _G722_BYTES_PER_SECOND
    require_whole(source)
    with untrusted(source):
        found = seconds(source)
    if found == 0:
        raise AudioError(f"{source} has no samples: replace it or leave it out")
    return found


def resample(samples: np.ndarray, rate: int, target: int = SAMPLE_RATE) -> np.ndarray:
    """Polyphase resampling (scipy) of (N,) samples from `rate` to `target` Hz, float32; a constant stays one."""
    if rate == target:
        return np.ascontiguousarray(samples, dtype=np.float32)
    if len(samples) and samples.min() == samples.max():  # the filter would make a sound of its beginning and end
        return np.full(math.ceil(len(samples) * target / rate), samples[0], dtype=np.float32)
    from scipy.signal import resample_poly

    divisor = gcd(rate, target)
    return resample_poly(samples, target // divisor, rate // divisor).astype(np.float32)


def _present(path: Path | str, member: str | None) -> Source:
    path = Path(path)
    try:
        stat = path.stat()
    except (OSError, ValueError):  # absent, too long for a name, a zero byte
        path = existing(path)
        try:
            stat = path.stat()
        except PermissionError:
            raise AudioError(f"{path} may not be read: give access to it and its folders") from None
        except (OSError, ValueError):
            raise AudioError(f"{path} does not exist: correct the path") from None
    mode, size = stat.st_mode, stat.st_size
    if S_ISDIR(mode):
        raise AudioError(f"{path} is a folder, not a file: name its files")
    if not S_ISREG(mode):
        raise AudioError(f"{path} is a device or pipe, not a file: name a file")
    if size == 0:
        raise AudioError(f"{path} is empty (0 bytes): replace it or leave it out")
    return Source(path, member)
