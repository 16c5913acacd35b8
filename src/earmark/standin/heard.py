"""What an encoder might give of phones: the stand-in for pretrained weights learns to read that before there is one."""

import random
import re
from typing import NamedTuple

import torch
from torch import nn

TEMPO, UNEVEN = (0.5, 1.3), (0.6, 1.4)
"""How long phones last, beside the training speech's mean: drawn evenly for a batch, and for each phone in it."""
PEAK = 4
"""Frames that a phone is heard in, at most; after them comes the blank."""
SHORT, AT_END = 8, 0.9
"""So few phones of an utterance are named by its last frames, one a frame, in so many batches: an encoder that sees all
of a short word waits for its end."""
MISHEARD = 0.05
"""Share of phones that are replaced by others: encoders err, and context has to help."""

_LASTS = [1] * 14 + [2]
_TONE = re.compile(r"[1-9]$")


class Way(NamedTuple):
    """How the texts of a batch are spoken: alike, so that they are about as long as each other.

    :ivar at_end: short ones are named at their end. :ivar pause: blanks before that, as a share of what speech has.
    :ivar tempo: how long a phone lasts otherwise, beside the training speech's mean.
    """

    at_end: bool
    pause: float
    tempo: float

    @classmethod
    def draw(cls, rng: random.Random) -> "Way":
        """Pauses are mostly far shorter than in speech, since they say nothing."""
        return cls(rng.random() < AT_END, rng.random() ** 4, rng.uniform(*TEMPO))


class Heard(nn.Module):
    """Frames as an encoder might give them: (...,) phone ids to (..., width), with noise of deviation 1.

    A final sounds much the same in all its tones, and a tone in all its finals: each is the sum of both, or an adaptor
    would have to tell as many sounds apart as there are finals with tones. Noise, since no encoder names a phone the
    same way twice: a model that was taught without it reads only what is exact, and alignment does not get there.
    """

    def __init__(self, phones: tuple[str, ...], width: int):
        super().__init__()
        plain = [_TONE.sub("", phone) for phone in phones]
        kinds = sorted(set(plain))
        tones = [_TONE.search(phone) for phone in phones]
        self.plain, self.tone = nn.Embedding(len(kinds), width), nn.Embedding(10, width, padding_idx=0)
        self.plain_of = torch.tensor([kinds.index(one) for one in plain])
        self.tone_of = torch.tensor([int(found[0]) if found else 0 for found in tones])

    def forward(self, phones: torch.Tensor) -> torch.Tensor:
        """Frames of phone ids."""
        exact = self.plain(self.plain_of[phones]) + self.tone(self.tone_of[phones])
        return exact + torch.randn_like(exact)


def mean_frames(phones: int, pace: float) -> float:
    """Frames that so many phones take on average, silence apart."""
    stretched = pace * sum(TEMPO) / 2 * sum(UNEVEN) / 2
    at_end = pace / 5 + 1  # a fifth of the pause, then a frame a phone
    return phones * (AT_END * at_end + (1 - AT_END) * stretched if phones <= SHORT else stretched)


def frames_of(phones: list[int], inventory: int, pace: float, size: int, way: Way, rng: random.Random) -> torch.Tensor:
    """Phone ids of frames (L,), a multiple of `size`: all phones in the last ones, or each where it is spoken.

    :param inventory: number of phones, the blank among them. :param pace: frames that a phone lasts on average.
    """
    heard = [rng.randrange(1, inventory) if rng.random() < MISHEARD else phone for phone in phones]
    if len(phones) <= SHORT and way.at_end:
        frames = _at_end(heard, round(pace * len(phones) * way.pause), rng)
        return torch.tensor([0] * (-len(frames) % size) + frames)
    frames = _stretched(heard, pace * way.tempo, size, rng)
    return torch.tensor(frames + [0] * (-len(frames) % size))


def _at_end(phones: list[int], pause: int, rng: random.Random) -> list[int]:
    """So many blanks; then a frame a phone, seldom two or a blank after."""
    frames = [0] * pause
    for phone in phones:
        frames += [0] * (frames[-1:] == [phone]) + [phone] * rng.choice(_LASTS) + [0] * (rng.choice(_LASTS) - 1)
    return frames


def _stretched(phones: list[int], lasting: float, size: int, rng: random.Random) -> list[int]:
    """Silence at both ends; each phone in the first of its frames, one or more, and then blanks."""
    frames = [0] * rng.randint(0, size)
    for phone in phones:
        lasts = max(1, round(lasting * rng.uniform(*UNEVEN)))
        peak = rng.randint(1, min(lasts, PEAK))
        frames += [phone] * peak + [0] * (lasts - peak)
    return frames + [0] * rng.randint(0, size)
