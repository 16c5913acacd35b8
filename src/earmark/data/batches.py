"""The batch plan: which utterances make step s on rank r of w is a pure function of (index, seed, s, r, w).

There is no sampler to save or restore: resuming is exact and instant. Each epoch, rows are sorted by length with random
ties, cut into batches under a frame budget (padding included), grouped so that the ranks of one step meet batches of
like length, and the groups are shuffled. No utterance comes twice in an epoch on any rank.
"""

from functools import lru_cache

import numpy as np

from earmark.errors import TrainingError


class BatchPlan:
    """Batches of one set of rows.

    :param frames: (N,) frames of each row. :param budget: frames of a batch, padding included.
    :param world: number of ranks.
    """

    def __init__(self, frames: np.ndarray, budget: int, seed: int, world: int = 1):
        if len(frames) == 0:
            raise TrainingError("the batch plan has no utterances: see how many were kept in shards/dataset.json")
        longest = int(frames.max())
        if longest > budget:
            raise TrainingError(
                f"an utterance of {longest} frames exceeds frames_per_batch {budget}: raise it or lower max_seconds"
            )
        self.frames, self.seed, self.world = frames, seed, world
        # Sorted lengths, and with them the cuts, are the same in every epoch: only ties move.
        self.cuts = _cut(np.sort(frames), budget)
        batches = len(self.cuts) - 1
        self.steps = max(1, batches // world)
        self._epoch = lru_cache(maxsize=2)(self._make_epoch)

    def rows(self, step: int, rank: int = 0) -> np.ndarray:
        """Row numbers of the batch of `step` (from 0, over all epochs) on `rank`."""
        epoch, position = divmod(step, self.steps)
        order, groups = self._epoch(epoch)
        batch = (groups[position] * self.world + rank) % (len(self.cuts) - 1)
        return order[self.cuts[batch] : self.cuts[batch + 1]]

    def _make_epoch(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([self.seed, epoch])
        order = np.lexsort((rng.random(len(self.frames)), self.frames))
        return order, rng.permutation(self.steps)


def _cut(lengths: np.ndarray, budget: int) -> np.ndarray:
    """Bounds of batches over ascending lengths, each as full as longest x count <= budget allows."""
    bounds = [0]
    while bounds[-1] < len(lengths):
        start = bounds[-1]
        count = np.arange(1, len(lengths) - start + 1)
        fits = lengths[start:] * count <= budget
        bounds.append(start + int(np.argmin(fits)) if not fits.all() else len(lengths))
    return np.array(bounds)
