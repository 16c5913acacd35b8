"""Bounds of speech by hand-made energies."""

import numpy as np
import pytest

from earmark.audio.trim import speech_bounds

RATE = 16_000


def signal(*parts):
    """Noise-free square waves: (seconds, level in dB) after one another."""
    pieces = []
    for seconds, level in parts:
        count = round(seconds * RATE)
        pieces.append(10 ** (level / 20) * np.where(np.arange(count) % 2, 1.0, -1.0))
    return np.concatenate(pieces).astype(np.float32)


def test_silence_around_speech_is_cut_but_for_the_margin():
    samples = signal((0.5, -80), (1.0, 0), (0.7, -80))
    assert speech_bounds(samples, RATE) == (round(0.42 * RATE), round(1.58 * RATE))


def test_the_margin_ends_at_the_recording():
    samples = signal((0.03, -80), (1.0, 0), (0.02, -80))
    assert speech_bounds(samples, RATE) == (0, len(samples))


def test_pauses_within_speech_stay():
    samples = signal((0.3, -80), (0.2, 0), (1.0, -90), (0.2, -20), (0.3, -80))
    assert speech_bounds(samples, RATE, margin=0.0) == (round(0.3 * RATE), round(1.7 * RATE))


@pytest.mark.parametrize(("level", "start"), [(-34.5, 0.2), (-35.5, 0.4)])
def test_threshold_counts_from_the_loudest_frame(level, start):
    samples = signal((0.2, -90), (0.2, level), (0.5, 0)) * np.float32(0.01)
    assert speech_bounds(samples, RATE, margin=0.0)[0] == round(start * RATE)


def test_loudness_in_the_last_partial_frame_counts():
    samples = np.concatenate([signal((0.5, 0), (0.5, -80)), np.ones(40, dtype=np.float32)])
    assert speech_bounds(samples, RATE, margin=0.0) == (0, len(samples))


@pytest.mark.parametrize("count", [1, 100, 16_000])
def test_digital_silence_is_not_cut(count):
    assert speech_bounds(np.zeros(count, dtype=np.float32), RATE) == (0, count)


def test_nothing_has_no_bounds():
    assert speech_bounds(np.zeros(0, dtype=np.float32), RATE) == (0, 0)


def test_other_rates_have_frames_of_ten_milliseconds_too():
    samples = np.zeros(22_050, dtype=np.float32)
    samples[11_000:12_000] = 0.3
    start, end = speech_bounds(samples, 22_050, margin=0.0)
    assert 11_000 - 221 < start <= 11_000
    assert 12_000 <= end < 12_000 + 221
