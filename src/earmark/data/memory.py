"""Memory of batches, used again: the pages of a fresh block cost more than reading a batch into them."""

import math
import weakref

import numpy as np
import torch

SPARE = 4
"""Blocks that are kept while nobody uses them."""
_ROUNDED = 1 << 18
"""Cells that the size of a block is a multiple of, so that batches of like size can follow each other in it."""
_WASTE = 4
"""How much larger than a tensor its block may be."""


class Recycled:
    """Blocks of float32 that come back as soon as no tensor, view or array refers to them."""

    def __init__(self) -> None:
        self._spare: dict[int, np.ndarray] = {}

    def empty(self, *shape: int) -> torch.Tensor:
        """A tensor of arbitrary contents, aligned as torch aligns its own; whoever holds it has it alone."""
        cells = math.prod(shape)
        block = self._fitting(cells)
        # The storage refers to this very array until the last tensor that shares it is gone.
        lent = block[:cells]
        weakref.finalize(lent, self._spare.__setitem__, id(block), block).atexit = False
        return torch.from_numpy(lent).view(shape)

    def _fitting(self, cells: int) -> np.ndarray:
        """The smallest spare block that does, or a new one; the oldest of too many are given up."""
        spare = list(self._spare.values())  # at once: what comes back meanwhile waits for the next call
        for block in spare[:-SPARE]:
            del self._spare[id(block)]
        fitting = [block for block in spare[-SPARE:] if cells <= len(block) <= max(_WASTE * cells, _ROUNDED)]
        if not fitting:
            return torch.empty(-(-cells // _ROUNDED) * _ROUNDED).numpy()
        return self._spare.pop(id(min(fitting, key=len)))
