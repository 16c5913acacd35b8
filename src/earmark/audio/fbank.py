"""Kaldi's log-mel filterbank energies, as FireRedASR computes them (section A.2).

25 ms povey window, 10 ms shift, pre-emphasis 0.97, no dither, snipped edges, 20 Hz to Nyquist, on samples scaled to
int16. Equal to kaldi-native-fbank within 1e-3 (tests/parity). Frames go through in blocks that stay in the cache.
"""

import threading
from functools import lru_cache

import numpy as np

try:
    from scipy.fft import rfft
except ImportError:  # an exported folder has to do without scipy
    from numpy.fft import rfft

SAMPLE_RATE = 16_000
"""Samples a second that all features are computed at."""
WINDOW = 400
"""Samples of a window, 25 ms."""
SHIFT = 160
"""Samples between frames, 10 ms."""
FRAMES_PER_SECOND = SAMPLE_RATE // SHIFT
_FFT = 512
_BLOCK = 128
"""Frames that are worked on at a time, or one more."""
_FLOOR = np.float32(np.finfo(np.float32).eps)
_PREEMPHASIS = np.float32(0.97)
_BAND = 16
"""Mel bins whose energies are summed in one product, over those bins of the spectrum that they reach."""


def frame_count(samples: int) -> int:
    """Frames of an utterance of so many samples (edges snipped)."""
    return max(0, (samples - WINDOW) // SHIFT + 1)


def fbank(samples: np.ndarray, n_mels: int = 80) -> np.ndarray:
    """Log-mel energies, (T, n_mels) float32, of samples (N,) in [-1, 1] at 16 kHz; T = `frame_count(N)`."""
    total = frame_count(len(samples))
    features = np.empty((total, n_mels), dtype=np.float32)
    if total == 0:
        return features
    scaled = np.asarray(samples, dtype=np.float32) * np.float32(32768)
    step = scaled.itemsize
    frames: np.ndarray = np.ndarray((total, WINDOW), np.float32, scaled, strides=(SHIFT * step, step))
    start = end = 0
    while end < total:
        # A lone last frame joins the block before it: numpy multiplies a single row by a routine with other last bits.
        start, end = end, total if total - end <= _BLOCK + 1 else end + _BLOCK
        power, energies = _power(frames[start:end]), features[start:end]
        for mels, bins, weights in _mel_bands(n_mels):
            np.matmul(power[:, bins], weights, out=energies[:, mels])
        np.log(np.maximum(energies, _FLOOR, out=energies), out=energies)
    return features


@lru_cache(maxsize=1)
def _window() -> np.ndarray:
    """Povey's window: a Hann window to the power 0.85."""
    phase = 2 * np.pi * np.arange(WINDOW) / (WINDOW - 1)
    return ((0.5 - 0.5 * np.cos(phase)) ** 0.85).astype(np.float32)


@lru_cache(maxsize=4)
def _mel_bank(n_mels: int) -> np.ndarray:
    """Triangles on Kaldi's mel scale, (256, n_mels)."""

    def mel(hertz: np.ndarray | float) -> np.ndarray:
        return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)

    low, high = float(mel(20.0)), float(mel(SAMPLE_RATE / 2))
    edges = low + np.arange(n_mels + 2) * (high - low) / (n_mels + 1)
    bins = mel(np.arange(_FFT // 2) * SAMPLE_RATE / _FFT)[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)


@lru_cache(maxsize=4)
def _mel_bands(n_mels: int) -> list[tuple[slice, slice, np.ndarray]]:
    """Mel bins, the bins of the spectrum that they reach, and the weights between them.

    Triangles are narrow: most products with the whole bank would be with 0.
    """
    bank, bands = _mel_bank(n_mels), []
    for start in range(0, n_mels, _BAND):
        mels = slice(start, min(start + _BAND, n_mels))
        reached = np.flatnonzero(bank[:, mels].any(axis=1))
        bins = slice(int(reached[0]), int(reached[-1]) + 1) if len(reached) else slice(0, 1)
        bands.append((mels, bins, np.ascontiguousarray(bank[bins, mels])))
    return bands


def _power(frames: np.ndarray) -> np.ndarray:
    """Power spectra (F, 257) of frames (F, 400), F <= 129, which the next call overwrites."""
    count, mine = len(frames), _scratch
    mean = np.add.reduce(frames, axis=1, keepdims=True)
    mean /= np.float32(WINDOW)
    np.subtract(frames, mean, out=mine.centred[:count, :WINDOW])
    mine.centred[:count, WINDOW] = 0  # of a sample that was no number, something was left there
    end = count * _FFT
    given, previous = mine.centred.ravel()[:end], mine.previous[: end - 1]
    # y[n] = (x[n] - 0.97 x[n-1]) w[n]; w[0] is 0, so that the sample before a frame does not matter.
    np.multiply(given[:-1], mine.emphasis[1:end], out=previous)
    np.multiply(given, mine.window[:end], out=given)
    np.subtract(given[1:], previous, out=given[1:])
    spectrum = rfft(given.reshape(count, _FFT), axis=1)
    parts = spectrum.view(np.float32).ravel()
    np.square(parts, out=parts)
    power = mine.power[: len(parts) // 2]
    return np.add(parts[0::2], parts[1::2], out=power).reshape(count, -1)


class _Scratch(threading.local):
    """Arrays of a block, one set a thread; frames lie 512 samples apart, so that numpy sees one long row."""

    def __init__(self) -> None:
        window = np.zeros((_BLOCK + 1, _FFT), dtype=np.float32)
        window[:, :WINDOW] = _window()
        self.window = window.ravel()
        self.emphasis = _PREEMPHASIS * self.window
        self.centred = np.zeros_like(window)
        self.previous = np.empty_like(self.window)
        self.power = np.empty((_BLOCK + 1) * (_FFT // 2 + 1), dtype=np.float32)


_scratch = _Scratch()
