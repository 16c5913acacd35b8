"""Kaldi's log-mel filterbank energies, as FireRedASR computes them (section A.2).

25 ms povey window, 10 ms shift, pre-emphasis 0.97, no dither, snipped edges, 20 Hz to Nyquist, on samples scaled to
int16. Equal to kaldi-native-fbank within 1e-3, but for bins far below the loudest of their frame, where float32 rounds
either of them by more; ours is the nearer to float64 (tests/parity). Frames go through in blocks that stay in the
cache. On one machine a frame has the same bits wherever it stands in an utterance: whatever
adds up a frame's numbers is called for the same count of frames each time.
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
_PIECE = 80
"""Samples that windows and shifts are multiples of: sums of pieces serve the means of all frames that share them."""
_FFT = 512
_BLOCK = 384
"""Frames that are worked on at a time, a multiple of `_TILE`."""
_TILE = 8
"""Frames of one product. A row of a float32 product has other last bits where there are other rows beside it: of more,
OpenBLAS's kernels for processors without AVX-512 take some by 12, some by 8 or 4, each by code of its own."""
_FLOOR = np.float32(np.finfo(np.float32).eps)
_REMAINING = np.float32(1) - np.float32(0.97)
"""What pre-emphasis leaves of a constant."""
_BAND = 16
"""Mel bins whose energies are summed in one product, over those bins of the spectrum that they reach. Half as many
where they would reach more than `_REACH`: most of those products would be with 0."""
_REACH = 64


def frame_count(samples: int) -> int:
    """Frames of an utterance of so many samples (edges snipped)."""
    return max(0, (samples - WINDOW) // SHIFT + 1)


def fbank(samples: np.ndarray, n_mels: int = 80) -> np.ndarray:
    """Log-mel energies, (T, n_mels) float32, of samples (N,) at 16 kHz; T = `frame_count(N)`.

    :param samples: in [-1, 1]; or int16, which gives the same bits as these integers over 32768.
    """
    total = frame_count(len(samples))
    features = np.empty((_whole_tiles(total), n_mels), dtype=np.float32)
    samples = np.ascontiguousarray(samples, dtype=None if samples.dtype == np.int16 else np.float32)
    for start in range(0, total, _BLOCK):
        end = min(start + _BLOCK, total)
        squares = _squares(samples[start * SHIFT : (end - 1) * SHIFT + WINDOW]).reshape(-1, _TILE, _FFT + 2)
        energies = features[start : start + _BLOCK].reshape(-1, _TILE, n_mels)
        for mels, parts, weights in _mel_bands(n_mels):
            np.matmul(squares[:, :, parts], weights, out=energies[:, :, mels])
        np.log(np.maximum(energies, _FLOOR, out=energies), out=energies)
    return features[:total]


def _whole_tiles(frames: int) -> int:
    return -(-frames // _TILE) * _TILE


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
    """Mel bins, the parts (real, imaginary, ...) of the spectrum's bins that they reach, and weights between them.

    Triangles are narrow: most products with the whole bank would be with 0.
    """
    bank, bands, start = _mel_bank(n_mels), [], 0
    while start < n_mels:
        first, last = _reached(bank, start, start + _BAND)
        end = min(n_mels, start + (_BAND // 2 if last - first > _REACH else _BAND))
        first, last = _reached(bank, start, end)
        weights = np.repeat(bank[first : last + 1, start:end], 2, axis=0)
        bands.append((slice(start, end), slice(2 * first, 2 * last + 2), weights))
        start = end
    return bands


def _reached(bank: np.ndarray, start: int, end: int) -> tuple[int, int]:
    """First and last bin of the spectrum that these mel bins reach; (0, 0) of none."""
    reached = np.flatnonzero(bank[:, start:end].any(axis=1))
    return (int(reached[0]), int(reached[-1])) if len(reached) else (0, 0)


def _squares(samples: np.ndarray) -> np.ndarray:
    """Squared real and imaginary parts (F, 514) of the spectra of the frames in samples (N,), 384 at most.

    F is a multiple of `_TILE`: what fills it up is 0.
    """
    count, mine = frame_count(len(samples)), _scratch
    rows = _whole_tiles(count)
    window = mine.window
    if samples.dtype == np.int16:
        samples, window = samples.astype(np.float32), mine.window_of_int16
    # x[n] - 0.97 x[n-1] as a difference and the rest, so that a mean far from 0 costs no digits. Frames share it: what
    # stands before a frame does not matter, for the window begins with 0.
    emphasised, rest = mine.emphasised[1 : len(samples)], mine.rest[1 : len(samples)]
    np.subtract(samples[1:], samples[:-1], out=emphasised)
    np.add(emphasised, np.multiply(samples[:-1], _REMAINING, out=rest), out=emphasised)
    step = samples.itemsize
    frames: np.ndarray = np.ndarray((count, WINDOW), np.float32, mine.emphasised, strides=(SHIFT * step, step))
    padded = mine.padded[:rows]
    padded[count:] = 0
    np.subtract(frames, _means(samples, count) * _REMAINING, out=padded[:count, :WINDOW])
    spectra = rfft(np.multiply(padded, window[:rows], out=padded), axis=1)
    parts: np.ndarray = spectra.view(np.float32)
    return np.square(parts, out=parts)


def _means(samples: np.ndarray, count: int) -> np.ndarray:
    """Mean of each frame, (F, 1)."""
    pieces = np.add.reduce(samples.reshape(-1, _PIECE), axis=1)
    step = SHIFT // _PIECE
    sums = sum(pieces[first : first + (count - 1) * step + 1 : step] for first in range(WINDOW // _PIECE))
    return (sums / np.float32(WINDOW))[:, None]  # type: ignore[no-any-return]


class _Scratch(threading.local):
    """Arrays of a block, one set a thread; frames lie 512 samples apart, so that numpy sees one long row."""

    def __init__(self) -> None:
        self.emphasised = np.zeros(_BLOCK * SHIFT + WINDOW, dtype=np.float32)
        self.rest = np.zeros_like(self.emphasised)
        self.padded = np.zeros((_BLOCK, _FFT), dtype=np.float32)
        self.window_of_int16 = np.zeros_like(self.padded)
        self.window_of_int16[:, :WINDOW] = _window()
        self.window = self.window_of_int16 * np.float32(32768)  # and so samples are scaled to int16


_scratch = _Scratch()
