"""Feature augmentation: one time warp, then masks drawn for each view (SpecAugment, as icefall's CR-CTC recipe).

All of it is drawn on the processor into a few tensors (`Drawn`), for every utterance its own, which are applied to the
batch where it lies in a handful of operations. Distributions are those of lhotse's SpecAugment; B utterances, T frames,
F mel bins, V views, view v of utterance b in row v B + b.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import embedding_bag

from earmark.config import SpecAugment, Stage
from earmark.data.dataset import Batch

_CUBIC = -0.75
"""The constant of cubic convolution (Keys, 1981) in torch's bicubic interpolation, by which lhotse warps time."""


class Drawn(NamedTuple):
    """What is to be done to a batch."""

    taps: torch.Tensor
    """(V B T, K) int32: the frames of the batch, in its B T, out of which a frame is made: 4 for a warp, else 1."""
    weights: torch.Tensor
    """(V B T, K) float32: their weights; 0 where the frame is masked or padding."""
    bins: torch.Tensor
    """(V B, 1, F) float32: 0 where a mel bin is masked, else 1."""
    levels: torch.Tensor | None
    """(B, 1, 1) float32: what is added to an utterance; None: nothing."""

    def to(self, device: torch.device, non_blocking: bool = False) -> "Drawn":
        """The same on `device`."""
        return self._each(lambda one: one.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> "Drawn":
        """The same in pinned memory."""
        return self._each(torch.Tensor.pin_memory)

    def _each(self, changed: Callable[[torch.Tensor], torch.Tensor]) -> "Drawn":
        levels = None if self.levels is None else changed(self.levels)
        return Drawn(changed(self.taps), changed(self.weights), changed(self.bins), levels)


def views(batch: Batch, stage: Stage, step: int, rng: np.random.Generator) -> torch.Tensor:
    """Augmented copies of a batch's features (B, T, F), as many as the step has views, stacked to (V B, T, F).

    Level and warp are shared by the copies; masks are drawn for each. Masked cells become 0, the mean of normalised
    features.

    :param rng: the moment's own; not looked at where the batch's augmentation was drawn ahead from one like it.
    """
    drawn = draw(batch, stage, step, rng) if batch.drawn is None else batch.drawn
    if drawn is None:
        count = views_at(stage, step)
        return batch.features.repeat(count, 1, 1) if count > 1 else batch.features
    assert isinstance(drawn, Drawn)
    return applied(batch.features, drawn.to(batch.features.device))


def views_at(stage: Stage, step: int) -> int:
    """V: two views for CR-CTC, once consistency counts."""
    return 2 if stage.loss == "cr_ctc" and step >= stage.consistency_from else 1


def draw(batch: Batch, stage: Stage, step: int, rng: np.random.Generator) -> Drawn | None:
    """The augmentation of a batch at a step; None: features stay clean."""
    if stage.augment is None or step < stage.augment.from_step:
        return None
    return drawn_for(batch.lengths.numpy(), batch.features.shape[1:], stage.augment, views_at(stage, step), rng)


def drawn_for(
    lengths: np.ndarray, shape: tuple[int, ...], settings: SpecAugment, count: int, rng: np.random.Generator
) -> Drawn:
    """The augmentation of utterances of `lengths` (B,) frames in a batch of (T, F) = `shape`, for `count` views."""
    frames, bins = shape
    levels = rng.uniform(-settings.level_shift, settings.level_shift, (len(lengths), 1, 1)).astype(np.float32)
    taps, weights = warps(lengths, frames, settings, rng)
    rows = np.tile(lengths, count)
    masked = rng.random(len(rows)) < settings.mask_probability
    across = stretches(np.full(len(rows), bins), masked * settings.freq_masks, settings.freq_width, bins, rng)
    number, width = time_masks(rows, settings)
    along = stretches(rows, masked * number, width, frames, rng) | (np.arange(frames) >= rows[:, None])
    return Drawn(
        taps=torch.from_numpy(np.tile(taps, (count, 1))),
        weights=torch.from_numpy(np.tile(weights, (count, 1)) * ~along.reshape(-1, 1)),
        bins=torch.from_numpy((~across).astype(np.float32)[:, None]),
        levels=torch.from_numpy(levels) if settings.level_shift else None,
    )


def time_masks(lengths: np.ndarray, settings: SpecAugment) -> tuple[np.ndarray, np.ndarray]:
    """How many time masks utterances of `lengths` (N,) frames have, and below which width each is drawn, (N,) both."""
    most = settings.time_fraction * lengths
    number = np.minimum(settings.time_masks, np.ceil(most / settings.time_width)).astype(np.int64)
    return number, np.minimum(settings.time_width, most // np.maximum(number, 1)).astype(np.int64)


def stretches(
    lengths: np.ndarray, number: np.ndarray, width: np.ndarray | int, size: int, rng: np.random.Generator
) -> np.ndarray:
    """(N, size) bool: row n has `number[n]` stretches within its first `lengths[n]` cells, each narrower than `width`.

    Widths are uniform, 0 among them, and so is where a stretch begins; stretches may overlap.
    """
    shape = len(lengths), int(number.max(initial=0))
    widths = (rng.random(shape) * np.broadcast_to(np.minimum(width, lengths + 1), len(lengths))[:, None]).astype(int)
    starts = (rng.random(shape) * (lengths[:, None] - widths)).astype(int)
    widths[np.arange(shape[1]) >= number[:, None]] = 0
    edges = np.zeros((len(lengths), size + 1), np.int32)
    rows = np.arange(len(lengths))[:, None]
    np.add.at(edges, (rows, starts), 1)
    np.add.at(edges, (rows, starts + widths), -1)
    return edges[:, :-1].cumsum(axis=1) > 0


def warps(
    lengths: np.ndarray, frames: int, settings: SpecAugment, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Frames (B T, K) int32 and their weights (B T, K) float32 that warp the time of a batch; K is 1 without a warp.

    A point inside an utterance moves, and both sides are stretched to fit (cubic, as torch's bicubic interpolation).
    """
    old, new = (one[:, None] for one in _points(lengths, settings, rng))
    end, time = lengths[:, None], np.arange(frames)
    if (old == end).all():
        return np.arange(end.size * frames, dtype=np.int32)[:, None], np.ones((end.size * frames, 1), np.float32)
    # The left side, the right one, and padding, which stays: where each begins, now and before, and how long it was.
    sides = [time < new, time < end]
    starts, sources = np.select(sides, [0, new], time), np.select(sides, [0, old], time)
    was, becomes = np.select(sides, [old, end - old], 1), np.select(sides, [new, end - new], 1)
    place = sources + (time - starts + 0.5) * was / becomes - 0.5
    taps = np.floor(place)[..., None] + np.arange(-1, 3)
    weights = _cubic(np.abs(place[..., None] - taps))
    taps = taps.clip(sources[..., None], (sources + was - 1)[..., None])
    taps += frames * np.arange(len(lengths))[:, None, None]
    return taps.reshape(-1, 4).astype(np.int32), weights.reshape(-1, 4).astype(np.float32)


def _points(lengths: np.ndarray, settings: SpecAugment, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which frame of each utterance moves, and where to, by up to `settings.warp`; (B,) both.

    Both sides keep a frame at least. Where nothing is warped, or a point has no room to move so far, it is the end.
    """
    factor, drawn = settings.warp, rng.random((3, len(lengths)))
    room = lengths - 2 * factor - 1
    warped = (factor > 0) & (drawn[0] < settings.warp_probability) & (room > 0)
    old = factor + 1 + (drawn[1] * room).astype(int)
    new = old - factor + (drawn[2] * (2 * factor + 1)).astype(int)
    return np.where(warped, old, lengths), np.where(warped, new, lengths)


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Weight of a frame at a distance of 0 to 2 frames (Keys, 1981)."""
    near = ((_CUBIC + 2) * distance - (_CUBIC + 3)) * distance**2 + 1
    far = ((_CUBIC * distance - 5 * _CUBIC) * distance + 8 * _CUBIC) * distance - 4 * _CUBIC
    return np.where(distance <= 1, near, far)


def applied(features: torch.Tensor, drawn: Drawn) -> torch.Tensor:
    """Features (B, T, F) as drawn, (V B, T, F); what is given stays as it is."""
    if drawn.levels is not None:
        features = features + drawn.levels
    frames, bins = features.shape[1:]
    made = embedding_bag(drawn.taps, features.reshape(-1, bins), per_sample_weights=drawn.weights, mode="sum")
    return made.view(-1, frames, bins).mul_(drawn.bins)
