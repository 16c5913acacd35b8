import random

import pytest
import torch

from earmark.config import SpecAugment
from earmark.train.augment import mask, time_warp, views

LENGTHS = torch.tensor([120, 75, 30])


def batch(seed: int = 0) -> torch.Tensor:
    """(3, 120, 80) features without a zero, zero where padded."""
    features = torch.rand(3, 120, 80, generator=torch.Generator().manual_seed(seed)) + 0.5
    for row, length in zip(features, LENGTHS, strict=True):
        row[length:] = 0
    return features


def test_without_settings_views_are_copies() -> None:
    copies = views(batch(), LENGTHS, None, 2, random.Random(0))
    assert torch.equal(copies, torch.cat([batch(), batch()]))


def test_views_share_the_warp_but_not_the_masks_on_one_machine() -> None:
    warp_only = SpecAugment(freq_masks=0, time_masks=0, warp=20, warp_probability=1.0)
    one, other = views(batch(), LENGTHS, warp_only, 2, random.Random(1)).chunk(2)
    assert torch.equal(one, other)
    assert not torch.equal(one, batch())
    one, other = views(batch(), LENGTHS, SpecAugment(warp=0), 2, random.Random(1)).chunk(2)
    assert not torch.equal(one, other)


def test_same_generator_gives_the_same_views_and_leaves_the_batch_alone_on_one_machine() -> None:
    features = batch()
    first = views(features, LENGTHS, SpecAugment(), 2, random.Random(3))
    again = views(features, LENGTHS, SpecAugment(), 2, random.Random(3))
    assert torch.equal(first, again)
    assert torch.equal(features, batch())
    assert not torch.equal(first, views(features, LENGTHS, SpecAugment(), 2, random.Random(4)))


def test_padding_stays_zero() -> None:
    augmented = views(batch(), LENGTHS, SpecAugment(), 2, random.Random(5))
    for row, length in zip(augmented, LENGTHS.repeat(2), strict=True):
        assert not row[length:].any()


def test_level_of_an_utterance_is_shifted_as_a_whole_and_in_both_views_on_one_machine() -> None:
    level_only = SpecAugment(freq_masks=0, time_masks=0, warp=0, level_shift=0.7)
    one, other = views(batch(), LENGTHS, level_only, 2, random.Random(1)).chunk(2)
    assert torch.equal(one, other)
    shifts = [(new[:length] - old[:length]) for new, old, length in zip(one, batch(), LENGTHS, strict=True)]
    levels = [float(shift.mean()) for shift in shifts]
    assert all(float((shift - level).abs().max()) < 1e-5 for shift, level in zip(shifts, levels, strict=True))
    assert len({round(level, 4) for level in levels}) == len(levels)
    assert all(0 < abs(level) <= 0.7 for level in levels)


def test_probability_of_warping_is_a_setting() -> None:
    never = SpecAugment(freq_masks=0, time_masks=0, warp=20, warp_probability=0.0)
    assert torch.equal(views(batch(), LENGTHS, never, 1, random.Random(1)), batch())


@pytest.mark.parametrize("length", [5, 21, 22, 23, 24, 40, 100])
def test_warp_keeps_the_length(length: int) -> None:
    frames = torch.arange(float(length))[:, None].repeat(1, 4)
    for seed in range(300):
        warped = time_warp(frames, 10, random.Random(seed))
        assert warped.shape == frames.shape
        assert bool((warped.diff(dim=0) >= 0).all())  # time does not run backwards
        assert float(warped.min()) >= 0 and float(warped.max()) <= length - 1


def test_warp_moves_a_point_by_up_to_its_factor() -> None:
    frames = torch.arange(200.0)[:, None]
    shifts = [float((time_warp(frames, 10, random.Random(seed)) - frames).abs().max()) for seed in range(300)]
    assert 8 < max(shifts) <= 11
    assert min(shifts) < 1


def test_what_is_too_short_to_warp_stays() -> None:
    frames = torch.rand(21, 4)
    assert time_warp(frames, 10, random.Random(0)) is frames


def test_masks_are_no_wider_than_set() -> None:
    for seed in range(200):
        frames = torch.ones(100, 80)
        settings = SpecAugment(freq_masks=1, freq_width=8, time_masks=1, time_width=20, time_fraction=1.0)
        mask(frames, settings, random.Random(seed))
        bins, times = (frames == 0).all(dim=0), (frames == 0).all(dim=1)
        assert int(bins.sum()) <= 8 and int(times.sum()) <= 20
        for masked in (bins, times):  # one stretch
            assert int((masked.int().diff().abs()).sum()) <= 2
        assert torch.equal(frames == 0, bins[None] | times[:, None])


def test_time_masks_cover_at_most_their_fraction() -> None:
    settings = SpecAugment(freq_masks=0, time_masks=10, time_width=100, time_fraction=0.3)
    covered = []
    for seed in range(200):
        frames = torch.ones(200, 4)
        mask(frames, settings, random.Random(seed))
        covered.append(float((frames == 0).float().mean()))
    assert max(covered) <= 0.3
    assert sum(covered) / len(covered) > 0.08


def test_no_masks_is_a_setting() -> None:
    frames = torch.ones(50, 80)
    mask(frames, SpecAugment(freq_masks=0, time_masks=0), random.Random(0))
    assert frames.all()


def test_a_single_frame_can_be_masked() -> None:
    for seed in range(20):
        mask(torch.ones(1, 80), SpecAugment(), random.Random(seed))
