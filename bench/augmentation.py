"""How many operations augmentation sends to the device, whatever the number of utterances."""

from typing import Any

import numpy as np
import torch
from measured import row
from torch.utils._python_dispatch import TorchDispatchMode

from earmark.config import SpecAugment
from earmark.train.feed.augment import applied, drawn_for

BATCHES = ((34, 588), (100, 200))
"""Utterances, frames of each: about 20,000 in all, a batch of the paper's pretraining."""
LIMIT = 40


class _Counted(TorchDispatchMode):
    count = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        self.count += 1
        return function(*arguments, **(named or {}))


def rows() -> list[dict[str, Any]]:
    """The operations of two views with everything drawn: levels, warps, masks; a row a batch."""
    settings = SpecAugment(level_shift=1.0, warp_probability=1.0, mask_probability=1.0)
    found = []
    for size, frames in BATCHES:
        drawn = drawn_for(np.full(size, frames), (frames, 80), settings, 2, np.random.default_rng(1))
        features = torch.randn(size, frames, 80)
        with _Counted() as counted:
            applied(features, drawn)
        moved = sum(one is not None for one in drawn)  # each of them a copy to the device
        what = f"device operations of augmentation, {size} x {frames}, two views"
        found.append(row(what, "operations", counted.count + moved, limit=LIMIT))
    return found
