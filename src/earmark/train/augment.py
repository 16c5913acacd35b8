"""Feature augmentation: one time warp, then masks drawn for each view (SpecAugment, as icefall's CR-CTC recipe)."""

import random

import torch

from earmark.config import SpecAugment


def views(
    features: torch.Tensor, lengths: torch.Tensor, settings: SpecAugment | None, count: int, rng: random.Random
) -> torch.Tensor:
    """`count` augmented copies of features (B, T, F), stacked to (count * B, T, F).

    Level and warp are shared by the copies; masks are drawn for each. Masked cells become 0, the mean of normalised
    features.
    """
    if settings is None:
        return features.repeat(count, 1, 1)
    warped = features.clone()
    for number, length in enumerate(lengths.tolist()):
        if settings.level_shift:
            warped[number, :length] += rng.uniform(-settings.level_shift, settings.level_shift)
        if settings.warp and rng.random() < settings.warp_probability:
            warped[number, :length] = time_warp(warped[number, :length], settings.warp, rng)
    copies = warped.repeat(count, 1, 1)
    for number, length in enumerate(lengths.tolist() * count):
        mask(copies[number, :length], settings, rng)
    return copies


def time_warp(frames: torch.Tensor, factor: int, rng: random.Random) -> torch.Tensor:
    """Move a point inside (T, F) by up to `factor` frames, both sides stretched to fit; T stays."""
    length = len(frames)
    if length - factor <= factor + 1:
        return frames
    # Both sides keep a frame at least.
    centre = rng.randint(factor + 1, length - factor - 1)
    moved = rng.randint(centre - factor, centre + factor)
    left, right = (
        torch.nn.functional.interpolate(part.T[None], size=size, mode="linear", align_corners=False)[0].T
        for part, size in ((frames[:centre], moved), (frames[centre:], length - moved))
    )
    return torch.cat([left, right])


def mask(frames: torch.Tensor, settings: SpecAugment, rng: random.Random) -> None:
    """Blank bands of mel bins and stretches of frames of (T, F) in place."""
    length, bins = frames.shape
    for _ in range(settings.freq_masks):
        width = rng.randint(0, min(settings.freq_width, bins))
        start = rng.randint(0, bins - width)
        frames[:, start : start + width] = 0
    if not settings.time_masks:
        return
    each = min(settings.time_width, int(settings.time_fraction * length / settings.time_masks))
    for _ in range(settings.time_masks):
        width = rng.randint(0, each)
        start = rng.randint(0, length - width)
        frames[start : start + width] = 0
