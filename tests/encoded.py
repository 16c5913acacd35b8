"""Real audio in real containers, made for a test."""

import io
from pathlib import Path

import av
import numpy as np
import soundfile


def voice(seconds: float, rate: int = 16_000, seed: int = 0) -> np.ndarray:
    """A gliding buzz with noise: no two stretches are alike. (N,) float32."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.03, len(time))
    pitch = 120 + 60 * np.sin(2 * np.pi * 0.4 * time + seed)
    buzz = np.sin(2 * np.pi * np.cumsum(pitch) / rate) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))
    return (0.4 * buzz + noise).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = 16_000) -> Path:
    """Encode (N,) or (N, channels) samples in the format that the name's ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codecs = {".m4a": ("aac", "ipod"), ".aac": ("aac", "adts"), ".webm": ("libopus", "webm"), ".g722": ("g722", "g722")}
    ending = path.suffix.lower()
    if ending in codecs:
        _write_av(path, samples, rate, *codecs[ending])
    elif ending == ".opus":
        _write_ogg(path, samples, rate, "OPUS")
    elif ending == ".ogg":
        _write_ogg(path, samples, rate, "VORBIS")
    else:
        soundfile.write(path, samples, rate)
    return path


def encoded(ending: str, samples: np.ndarray, rate: int = 16_000) -> bytes:
    """The same in memory, for formats of libsndfile."""
    buffer = io.BytesIO()
    form, subtype = ("OGG", "OPUS") if ending == "opus" else (ending.upper(), None)
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return buffer.getvalue()


def _write_ogg(path: Path, samples: np.ndarray, rate: int, subtype: str) -> None:
    """Second by second: libsndfile's Vorbis encoder ends the process where it is given minutes at once."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with soundfile.SoundFile(path, "w", rate, channels, format="OGG", subtype=subtype) as file:
        for start in range(0, len(samples), rate):
            file.write(samples[start : start + rate])


def _write_av(path: Path, samples: np.ndarray, rate: int, codec: str, container: str) -> None:
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples[None] * 32767).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format.name, "mono", rate, frame_size=stream.frame_size or 0)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
