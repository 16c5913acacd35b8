"""How loud recordings are, by gains that are known, and what is left alone."""

import numpy as np
import pytest

from earmark.audio.fbank import fbank
from earmark.audio.level import LARGEST, NEAR, Level, amplified, gain_towards, loudness, shifted

RATE = 16_000


def noise(seconds: float, decibels: float = -20.0) -> np.ndarray:
    """Noise of a level in dB, (N,) float32."""
    samples = np.random.default_rng(3).normal(0, 10 ** (decibels / 20), round(seconds * RATE))
    return samples.astype(np.float32)


def level_of(*parts: np.ndarray) -> float:
    return loudness(fbank(np.concatenate(parts)))


@pytest.mark.parametrize("gain", [-40.0, -20.0, 6.0])
def test_a_gain_is_found_again(gain: float) -> None:
    assert level_of(amplified(noise(2), gain)) == pytest.approx(level_of(noise(2)) + gain, abs=0.01)


def test_neither_pauses_nor_clicks_nor_length_decide() -> None:
    alone = level_of(noise(1))
    quiet, click = noise(1, -70), noise(0.04, 0)
    assert level_of(noise(1), quiet, quiet) == pytest.approx(alone, abs=1)
    assert level_of(*[quiet] * 60, noise(1), *[quiet] * 60) == pytest.approx(alone, abs=1)
    assert level_of(noise(1), click, noise(1)) == pytest.approx(alone, abs=1)


def test_a_narrow_band_is_no_quieter() -> None:
    # Most of it below 1 kHz, as of speech; then nothing above 4 kHz, as by telephone.
    spectrum = np.fft.rfft(noise(2)) / (1 + np.arange(RATE + 1) / 2 / 500) ** 3
    whole = level_of(np.fft.irfft(spectrum).astype(np.float32))
    spectrum[len(spectrum) // 2 :] = 0
    assert level_of(np.fft.irfft(spectrum).astype(np.float32)) == pytest.approx(whole, abs=0.2)


def test_only_what_is_far_is_brought_to_the_mean() -> None:
    features = fbank(noise(2))
    found = loudness(features)
    assert gain_towards(Level(found + NEAR - 0.1, 0.5), features) == 0
    assert gain_towards(Level(found + NEAR + 0.1, 0.5), features) == pytest.approx(NEAR + 0.1)
    assert gain_towards(Level(found + 15, 8.0), features) == 0
    assert gain_towards(Level(found - 17, 8.0), features) == pytest.approx(-17)
    assert gain_towards(Level(found + 90, 8.0), features) == LARGEST


def test_silence_and_runs_without_a_level_stay_as_they_are() -> None:
    far = Level(100.0, 1.0)
    assert gain_towards(None, fbank(noise(1))) == 0
    assert gain_towards(far, fbank(np.zeros(RATE, np.float32))) == 0
    assert gain_towards(far, np.zeros((0, 80), np.float32)) == 0
    samples = noise(1)
    assert amplified(samples, 0.0) is samples


def test_features_move_as_those_of_louder_samples_do() -> None:
    samples = np.concatenate([noise(1), np.zeros(RATE // 2, np.float32)])
    np.testing.assert_allclose(shifted(fbank(samples), 12.0), fbank(amplified(samples, 12.0)), atol=2e-4)
