"""Masks, warps and levels of a batch; distributions are compared with those of lhotse's own SpecAugment."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import lhotse.dataset.signal_transforms as theirs
import numpy as np
import pytest
import torch
from elsewhere import second_device
from torch.utils._python_dispatch import TorchDispatchMode

from earmark.config import SpecAugment, Stage
from earmark.data.dataset import Batch
from earmark.train.feed.augment import Drawn, applied, draw, drawn_for, stretches, time_masks, views, views_at, warps

LENGTHS = torch.tensor([120, 75, 30])
CLEAN = SpecAugment(freq_masks=0, time_masks=0, warp=0)


def features(seed: int = 0) -> torch.Tensor:
    """(3, 120, 80) without a zero, zero where padded."""
    made = torch.rand(3, 120, 80, generator=torch.Generator().manual_seed(seed)) + 0.5
    for row, length in zip(made, LENGTHS, strict=True):
        row[length:] = 0
    return made


def batch(drawn: Drawn | None = None) -> Batch:
    none = torch.zeros(3, 1, dtype=torch.int64)
    return Batch(["a", "b", "c"], features(), LENGTHS, none, none[:, 0], [""] * 3, ["en"] * 3, drawn)


def stage(augment: SpecAugment | None, **values: object) -> Stage:
    plain: dict[str, object] = {"trained": ["encoder"], "loss": "cr_ctc", "frames_per_batch": 1000, "peak_rate": 1.0}
    return Stage.model_validate(plain | {"steps": 9, "segment_steps": 9, "augment": augment} | values)


def seen(settings: SpecAugment, seed: int = 0, count: int = 2) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return applied(features(), drawn_for(LENGTHS.numpy(), (120, 80), settings, count, rng))


# ---------------------------------------------------------------------------- views


def test_without_augmentation_views_are_copies() -> None:
    rng = np.random.default_rng(0)
    assert torch.equal(views(batch(), stage(None), 0, rng), torch.cat([features(), features()]))
    assert torch.equal(views(batch(), stage(None, loss="ctc"), 0, rng), features())
    assert torch.equal(views(batch(), stage(SpecAugment(from_step=5), loss="ctc"), 4, rng), features())
    assert not torch.equal(views(batch(), stage(SpecAugment(from_step=5), loss="ctc"), 5, rng), features())


@pytest.mark.parametrize(("loss", "step", "count"), [("ctc", 8, 1), ("cr_ctc", 2, 1), ("cr_ctc", 3, 2)])
def test_a_second_view_comes_with_consistency(loss: str, step: int, count: int) -> None:
    settings = stage(SpecAugment(), loss=loss, consistency_from=3)
    assert views_at(settings, step) == count
    assert views(batch(), settings, step, np.random.default_rng(0)).shape == (3 * count, 120, 80)


def test_what_was_drawn_ahead_is_what_is_drawn_on_the_spot_on_one_machine() -> None:
    settings = stage(SpecAugment(warp=10, level_shift=0.5))
    now = views(batch(), settings, 0, np.random.default_rng(3))
    drawn = draw(batch(), settings, 0, np.random.default_rng(3))
    assert torch.equal(views(batch(drawn), settings, 0, np.random.default_rng(4)), now)
    assert not torch.equal(views(batch(), settings, 0, np.random.default_rng(4)), now)


def test_views_share_warp_and_level_but_not_the_masks_on_one_machine() -> None:
    shared = CLEAN.model_copy(update={"warp": 20, "warp_probability": 1.0, "level_shift": 0.3})
    one, other = seen(shared).chunk(2)
    assert torch.equal(one, other)
    assert not torch.equal(one, features())
    one, other = seen(SpecAugment(warp=0, mask_probability=1.0)).chunk(2)
    assert not torch.equal(one, other)


def test_nothing_drawn_leaves_the_batch_as_it_is() -> None:
    assert torch.equal(seen(CLEAN, count=1), features())
    never = {"warp_probability": 0.0, "mask_probability": 0.0}
    assert torch.equal(seen(SpecAugment(**never), count=1), features())


def test_padding_stays_zero_and_the_given_features_as_they_were() -> None:
    given, settings = features(), SpecAugment(warp=10, warp_probability=1.0, level_shift=0.7)
    for seed in range(20):
        drawn = drawn_for(LENGTHS.numpy(), (120, 80), settings, 2, np.random.default_rng(seed))
        for row, length in zip(applied(given, drawn), LENGTHS.repeat(2), strict=True):
            assert not row[length:].any()
    assert torch.equal(given, features())


def test_level_of_an_utterance_is_shifted_as_a_whole_on_one_machine() -> None:
    new = seen(CLEAN.model_copy(update={"level_shift": 0.7}), count=1)
    shifts = [(one - old)[:length] for one, old, length in zip(new, features(), LENGTHS, strict=True)]
    levels = [float(shift.mean()) for shift in shifts]
    assert all(float((shift - level).abs().max()) < 1e-5 for shift, level in zip(shifts, levels, strict=True))
    assert len({round(level, 4) for level in levels}) == len(levels)
    assert all(0 < abs(level) <= 0.7 for level in levels)


class Counted(TorchDispatchMode):
    """How many operations reach a device."""

    count = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        self.count += 1
        return function(*arguments, **(named or {}))


@pytest.mark.parametrize(("size", "frames"), [(34, 588), (100, 200)])
def test_few_operations_reach_the_device_however_large_the_batch(size: int, frames: int) -> None:
    settings = SpecAugment(level_shift=0.5)
    drawn = drawn_for(np.full(size, frames), (frames, 80), settings, 2, np.random.default_rng(0))
    with Counted() as counted:
        applied(torch.ones(size, frames, 80), drawn.to(torch.device("cpu")))
    assert 0 < counted.count <= 40


def test_views_elsewhere_are_the_same() -> None:
    settings = stage(SpecAugment(warp=10, level_shift=0.5))
    here = views(batch(), settings, 0, np.random.default_rng(3))
    ahead = batch(draw(batch(), settings, 0, np.random.default_rng(3)))
    with second_device() as device:
        there = [views(one.to(device), settings, 0, np.random.default_rng(3)).cpu() for one in (ahead, batch())]
    for one in there:
        torch.testing.assert_close(one, here)


# ---------------------------------------------------------------------------- masks

DRAWS = 3000


def masks_of_theirs(frames: int, settings: SpecAugment) -> Iterator[np.ndarray]:
    """(T, F) bool of lhotse's own; a utterance's cells are blanked to their mean, which no cell has."""
    made = theirs.SpecAugment(
        time_warp_factor=None,
        num_feature_masks=settings.freq_masks,
        features_mask_size=settings.freq_width,
        num_frame_masks=settings.time_masks,
        frames_mask_size=settings.time_width,
        max_frames_mask_fraction=settings.time_fraction,
        p=settings.mask_probability,
    )
    random.seed(frames)
    for number in range(DRAWS):
        torch.manual_seed(number)
        given = torch.arange(frames * 80.0).view(1, frames, 80) % 2  # of mean 0.5
        yield (made(given)[0] == 0.5).numpy()


def masks_of_ours(frames: int, settings: SpecAugment) -> Iterator[np.ndarray]:
    for seed in range(DRAWS // 10):
        drawn = drawn_for(np.full(5, frames), (frames, 80), settings, 2, np.random.default_rng(seed))
        yield from (applied(torch.ones(5, frames, 80), drawn) == 0).numpy()


def widths(masked: np.ndarray) -> np.ndarray:
    """Lengths of the stretches of a (N,) bool."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], masked.astype(int), [0]])))
    return edges[1::2] - edges[::2]


def described(masks: Iterator[np.ndarray]) -> dict[str, np.ndarray]:
    """What is compared, a number a draw; stretches that meet are one."""
    found: dict[str, list[float]] = {}
    for cells in masks:
        times, bins = cells.all(axis=1), cells.all(axis=0)
        row = {"frames": times.mean(), "bins": bins.mean(), "cells": cells.mean(), "none": float(not cells.any())}
        row |= {"time masks": len(widths(times)), "frequency masks": len(widths(bins))}
        row |= {"widest": widths(times).max(initial=0), "widest of frequency": widths(bins).max(initial=0)}
        for name, value in row.items():
            found.setdefault(name, []).append(float(value))
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("frames", [40, 66, 300, 1000, 3000])
@pytest.mark.parametrize("settings", [SpecAugment(warp=0), SpecAugment(warp=0, time_masks=10, time_fraction=0.15)])
def test_masks_are_distributed_as_lhotse_s(frames: int, settings: SpecAugment) -> None:
    mine, yours = described(masks_of_ours(frames, settings)), described(masks_of_theirs(frames, settings))
    for name, values in yours.items():
        assert gap(mine[name], values) < limit(DRAWS, DRAWS), name
    # The masks of before, 25 narrow ones, were far outside.
    before = settings.model_copy(update={"time_width": max(1, int(settings.time_fraction * frames / 25))})
    narrow = described(masks_of_ours(frames, before.model_copy(update={"time_fraction": 1.0})))
    assert gap(narrow["widest"], yours["widest"]) > 5 * limit(DRAWS, DRAWS)


def gap(one: np.ndarray, other: np.ndarray) -> float:
    """The largest distance of two distributions (Kolmogorov and Smirnov)."""
    places = np.union1d(one, other)
    shares = [np.searchsorted(np.sort(values), places, side="right") / len(values) for values in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def limit(one: int, other: int) -> float:
    """What that distance exceeds once in a million draws from the same distribution."""
    return float(np.sqrt(-np.log(1e-6 / 2) / 2 * (one + other) / (one * other)))


BOUNDS = {
    1: (1, 0),
    2: (1, 0),
    40: (1, 15),
    66: (1, 24),
    267: (2, 50),
    300: (2, 56),
    1000: (4, 93),
    3000: (12, 93),
    6400: (24, 100),
    6667: (25, 100),
    20000: (25, 100),
}


@pytest.mark.parametrize("frames", BOUNDS)
def test_number_and_width_of_time_masks_follow_the_length(frames: int) -> None:
    number, width = time_masks(np.array([frames]), SpecAugment())
    assert (int(number[0]), int(width[0])) == BOUNDS[frames]


def test_bounds_of_masks_are_kept() -> None:
    lengths = np.array([200, 200, 90, 7])
    for seed in range(300):
        rng = np.random.default_rng(seed)
        made = stretches(lengths, np.array([1, 3, 1, 0]), np.array([20, 5, 30, 7]), 200, rng)
        assert widths(made[0]).max(initial=0) <= 19 and len(widths(made[0])) <= 1
        assert made[1].sum() <= 12
        assert not made[2, 90:].any() and not made[3].any()


def test_widths_and_starts_take_all_their_values() -> None:
    lengths, one = np.full(4000, 10), np.full(4000, 1)
    made = stretches(lengths, one, 4, 10, np.random.default_rng(0))
    counts = np.bincount(made.sum(axis=1), minlength=5)
    assert counts[4] == 0
    assert counts[:4] == pytest.approx(1000, abs=150)
    begins = made[made.sum(axis=1) == 3].argmax(axis=1)
    assert np.bincount(begins) == pytest.approx(
        counts[3] / 7, rel=0.35
    )  # 0 to 6: 7, which would fit, is never drawn there


def test_a_mask_wider_than_there_are_bins_fits() -> None:
    drawn = drawn_for(np.array([50]), (50, 4), SpecAugment(mask_probability=1.0), 2, np.random.default_rng(0))
    assert drawn.bins.shape == (2, 1, 4)


# ---------------------------------------------------------------------------- warps


def warped(frames: torch.Tensor, factor: int, seed: int) -> torch.Tensor:
    """A (T, F) utterance."""
    settings = CLEAN.model_copy(update={"warp": factor, "warp_probability": 1.0})
    drawn = drawn_for(np.array([len(frames)]), tuple(frames.shape), settings, 1, np.random.default_rng(seed))
    return applied(frames[None], drawn)[0]


def points(length: int, factor: int, seed: int) -> tuple[int, int]:
    """Where the point of a warp is, and where it moves to: by the same random numbers."""
    _, centre, shift = np.random.default_rng(seed).random((3, 1))[:, 0]
    first = factor + 1 + int(centre * (length - 2 * factor - 1))
    return first, first - factor + int(shift * (2 * factor + 1))


@pytest.mark.parametrize(("length", "factor"), [(22, 10), (24, 10), (100, 10), (588, 80), (3000, 80)])
def test_warp_is_lhotse_s(length: int, factor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = torch.randn(length, 80)
    settings = SpecAugment(warp=factor, warp_probability=1.0)
    for seed in range(20):
        drawn = list(points(length, factor, seed))
        monkeypatch.setattr(theirs.np.random, "randint", taken(drawn))
        taps, weights = (
            torch.from_numpy(one) for one in warps(np.array([length]), length, settings, np.random.default_rng(seed))
        )
        ours = (frames[taps.clamp(max=length - 1)] * weights[..., None]).sum(dim=1)
        torch.testing.assert_close(ours, theirs.time_warp(frames, factor), atol=2e-3, rtol=0)
        assert not drawn or length < 2 * factor + 2


def taken(numbers: list[int]) -> Callable[[int, int], int]:
    """A `randint` that gives these, all of them within its bounds."""

    def randint(low: int, high: int) -> int:
        assert low <= numbers[0] < high
        return numbers.pop(0)

    return randint


def test_points_of_warps_take_all_their_values() -> None:
    found = [points(31, 10, seed) for seed in range(3000)]
    assert {centre for centre, _ in found} == set(range(11, 21))
    assert {moved - centre for centre, moved in found} == set(range(-10, 11))


def test_warp_moves_time_by_up_to_its_factor_and_keeps_the_ends() -> None:
    frames = torch.arange(200.0)[:, None].repeat(1, 4)
    shifts = []
    for seed in range(300):
        made = warped(frames, 10, seed)
        assert float(made.min()) >= -0.1 and float(made.max()) <= 199.1
        shifts.append(float((made - frames).abs().max()))
    assert 8 < max(shifts) <= 11
    assert min(shifts) < 1


@pytest.mark.parametrize("length", [5, 20, 21])
def test_what_is_too_short_to_warp_stays(length: int) -> None:
    frames = torch.rand(length, 4)
    assert all(torch.equal(warped(frames, 10, seed), frames) for seed in range(20))


def test_an_utterance_is_warped_within_its_own_frames_on_one_machine() -> None:
    settings = CLEAN.model_copy(update={"warp": 10, "warp_probability": 1.0})
    several = seen(settings, count=1)
    for number, length in enumerate(LENGTHS.tolist()):
        others = features()
        others[:number], others[number + 1 :] = 7, 7
        drawn = drawn_for(LENGTHS.numpy(), (120, 80), settings, 1, np.random.default_rng(0))
        assert torch.equal(applied(others, drawn)[number, :length], several[number, :length])


def test_probability_of_warping_is_kept() -> None:
    settings = CLEAN.model_copy(update={"warp": 10, "warp_probability": 0.4})
    given = torch.rand(2000, 30, 2)
    drawn = drawn_for(np.full(2000, 30), (30, 2), settings, 1, np.random.default_rng(0))
    stayed = float((applied(given, drawn) == given).flatten(1).all(dim=1).float().mean())
    assert stayed == pytest.approx(0.6 + 0.4 / 21, abs=0.04)
