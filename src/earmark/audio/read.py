"""Decode any audio file to mono float32 samples at one rate."""

import contextlib
from math import gcd
from pathlib import Path

import numpy as np

from earmark.errors import AudioError

SAMPLE_RATE = 16_000
"""Samples a second that all features are computed at."""

_G722_BYTES_PER_SECOND = 8_000
_UNKNOWN_FRAMES = 2**62
"""libsndfile claims about 2^63 frames where a header gives none, as in FLAC written to a pipe."""


def read_audio(
    path: Path | str, offset: float = 0.0, duration: float | None = None, channel: int | None = None
) -> np.ndarray:
    """Samples of (a part of) a file, shape (N,), float32 in [-1, 1], at 16 kHz.

    :param offset: start in seconds.
    :param duration: length in seconds; None: to the end.
    :param channel: channel to take; None: the mean of all.
    :raises AudioError: missing, empty, undecodable, or with samples that are not finite.
    """
    path = _present(path)
    samples, rate = _decode(path, offset, duration)
    if samples.shape[0] == 0:
        raise AudioError(f"{path} holds no samples after {offset:g} s: correct the offset or leave it out")
    if channel is not None and channel >= samples.shape[1]:
        raise AudioError(f"{path} has {samples.shape[1]} channels, channel {channel} was asked for")
    mono = samples.mean(axis=1) if channel is None else samples[:, channel]
    if not np.isfinite(mono).all():
        raise AudioError(f"{path} holds samples that are not finite numbers: replace it or leave it out")
    return resample(mono, rate)


def audio_seconds(path: Path | str) -> float:
    """Length of a file in seconds, by its header where that can be trusted, else by decoding.

    :raises AudioError: missing, empty, or undecodable.
    """
    import soundfile

    path = _present(path)
    if _is_g722(path):
        return path.stat().st_size / _G722_BYTES_PER_SECOND
    with contextlib.suppress(soundfile.LibsndfileError):
        info = soundfile.info(path)
        # An mp3's header keeps the full length when the file was cut short.
        if 0 < info.frames < _UNKNOWN_FRAMES and not info.subtype.startswith("MPEG"):
            return float(info.frames / info.samplerate)
    samples, rate = _decode(path, 0.0, None)
    if samples.shape[0] == 0:
        raise AudioError(f"{path} holds no samples: replace it or leave it out")
    return samples.shape[0] / rate


def resample(samples: np.ndarray, rate: int, target: int = SAMPLE_RATE) -> np.ndarray:
    """Polyphase resampling (scipy) of (N,) samples from `rate` to `target` Hz, float32."""
    if rate == target:
        return np.ascontiguousarray(samples, dtype=np.float32)
    from scipy.signal import resample_poly

    divisor = gcd(rate, target)
    return resample_poly(samples, target // divisor, rate // divisor).astype(np.float32)


def _present(path: Path | str) -> Path:
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path} does not exist: correct the path in the manifest or configuration")
    if path.stat().st_size == 0:
        raise AudioError(f"{path} is empty (0 bytes): replace it or leave it out")
    return path


def _is_g722(path: Path) -> bool:
    """Raw G.722 has no header: only its name tells what it is."""
    return path.suffix.lower() == ".g722"


def _decode(path: Path, offset: float, duration: float | None) -> tuple[np.ndarray, int]:
    """(N, channels) float32 and rate: libsndfile first, FFmpeg (PyAV) for what it does not know."""
    import soundfile

    if not _is_g722(path):
        with contextlib.suppress(soundfile.LibsndfileError), soundfile.SoundFile(path) as file:
            if file.frames < _UNKNOWN_FRAMES:
                file.seek(min(round(offset * file.samplerate), file.frames))
                count = -1 if duration is None else round(duration * file.samplerate)
                return file.read(count, dtype="float32", always_2d=True), file.samplerate
    samples, rate = _decode_av(path)
    start = round(offset * rate)
    return samples[start:] if duration is None else samples[start : start + round(duration * rate)], rate


def _decode_av(path: Path) -> tuple[np.ndarray, int]:
    import av

    try:
        with av.open(str(path), format="g722" if _is_g722(path) else None) as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="fltp")
            frames = [out for frame in container.decode(stream) for out in resampler.resample(frame)]
            frames += resampler.resample(None)
            arrays = [frame.to_ndarray() for frame in frames]
            if not arrays:
                raise AudioError(f"{path} holds no audio: replace it or leave it out")
            return np.concatenate(arrays, axis=1).T, int(frames[0].sample_rate)
    except (av.FFmpegError, IndexError, ValueError, OSError) as error:
        raise AudioError(f"{path} is not audio that can be decoded ({error}): replace it or leave it out") from None
