"""Frames that the stand-in learns to read."""

import itertools
import random

import numpy as np
import pytest
import torch

from earmark.standin import heard
from earmark.standin.heard import Heard, Way, frames_of


def test_phones_last_as_long_as_in_the_training_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard, "MISHEARD", 0.0)
    phones, rng = [5, 6, 5, 9, 7, 8, 5, 6, 10], random.Random(1)
    lasted, lengths = [], set()
    for _ in range(500):
        frames = frames_of(phones, 20, 5.0, 4, Way.draw(rng), rng).tolist()
        assert len(frames) % 4 == 0
        assert [key for key, _ in itertools.groupby(frames) if key] == phones
        lasted.append(len(frames) - 4 - 1.5)  # silence of 0 to 4 frames at both ends, filled up to a multiple
        lengths.add(len(frames))
    assert abs(np.mean(lasted) / len(phones) / (5.0 * sum(heard.TEMPO) / 2) - 1) < 0.05
    assert len(lengths) > 4


def test_phones_of_short_texts_stand_mostly_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard, "MISHEARD", 0.0)
    phones, rng = [5, 6, 6, 9], random.Random(1)
    ends, lengths = [], set()
    for _ in range(1000):
        frames = frames_of(phones, 20, 5.0, 2, Way.draw(rng), rng).tolist()
        assert len(frames) % 2 == 0
        assert [key for key, _ in itertools.groupby(frames) if key][:2] == phones[:2]
        spoken = "".join(str(key) for key in frames).strip("0")
        ends.append(spoken == "56069" and frames[-1] == 9)
        lengths.add(len(frames))
    usual = (14 / 15) ** 8  # each phone once, no blank after it that is not needed
    assert np.mean(ends) == pytest.approx(heard.AT_END * usual, abs=0.06)
    assert min(lengths) <= 8
    assert max(lengths) >= 22


def test_a_text_of_equal_phones_keeps_them_apart() -> None:
    frames = heard._at_end([4, 4, 4], 3, random.Random(3))
    assert [key for key, _ in itertools.groupby(frames)].count(4) == 3


def test_a_tone_sounds_the_same_in_all_finals() -> None:
    torch.manual_seed(1)
    sounds = Heard(("<blank>", "b", "an1", "an4", "ang1", "ang4"), 8)
    often = sounds(torch.arange(6).repeat(20_000, 1)).detach()
    assert often.shape == (20_000, 6, 8)
    assert (often.std(dim=0) - 1).abs().max() < 0.03
    _, b, an1, an4, ang1, ang4 = often.mean(dim=0)
    near = {"rtol": 0, "atol": 0.06}
    torch.testing.assert_close(an4 - an1, ang4 - ang1, **near)
    torch.testing.assert_close(ang1 - an1, ang4 - an4, **near)
    assert (an1 - an4).abs().max() > 0.5
    torch.testing.assert_close(b, sounds.plain(sounds.plain_of[1]).detach(), **near)  # no tone


def test_a_twentieth_of_the_phones_is_misheard() -> None:
    rng, taught = random.Random(2), 0
    for _ in range(200):
        frames = frames_of([7] * 50, 400, 3.0, 1, Way.draw(rng), rng).tolist()
        taught += sum(key not in (0, 7) for key in frames) > 0
        wrong = [key for key, _ in itertools.groupby(frames) if key not in (0, 7)]
        assert len(wrong) < 12
    assert taught > 150


def test_mean_frames_are_those_of_many() -> None:
    rng = random.Random(4)
    for count in (4, 12):
        lasted = [len(frames_of([5] * count, 20, 6.0, 1, Way.draw(rng), rng)) for _ in range(4000)]
        silence = 1 if count > heard.SHORT else 1 - heard.AT_END
        apart = 0 if count > heard.SHORT else heard.AT_END * (count - 1)  # equal phones: a blank between them
        assert np.mean(lasted) - silence - apart == pytest.approx(heard.mean_frames(count, 6.0), rel=0.08)
