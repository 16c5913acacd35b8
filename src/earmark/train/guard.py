"""The guard against loss spikes: an update that a bad batch would make is left out, and the batch is named.

A spike is a loss above a multiple of the median of the steps before, or a loss or gradient that is no finite number.
Where no `spike` is set there is no guard, and what is no number ends the segment.
"""

import math
from collections import deque
from pathlib import Path

import numpy as np

from earmark.config import Stage
from earmark.errors import TrainingError
from earmark.io import read_parquet
from earmark.train.stopping import markers

WINDOW = 100
"""Steps whose median is compared with."""
WARM = 20
"""Steps at least before the guard judges: the first losses of a stage fall steeply."""


class Guard:
    """Judges each step's loss; the same in one segment or several.

    :param losses: losses of the steps before, oldest first, spikes left out. :param row: spikes that came last.
    """

    def __init__(self, stage: Stage, losses: list[float] | None = None, row: int = 0):
        self.stage, self.row = stage, row
        # As metrics.parquet holds them, so that a segment that goes on judges by the same numbers.
        self.losses = deque((float(np.float32(loss)) for loss in losses or []), maxlen=WINDOW)

    @property
    def on(self) -> bool:
        """Whether there is a guard at all."""
        return self.stage.spike is not None

    def is_spike(self, loss: float) -> bool:
        """Whether the update of a step with this loss is to be left out."""
        if self.stage.spike is None:
            return False
        return not math.isfinite(loss) or (len(self.losses) >= WARM and loss > self.stage.spike * self.median())

    def keep(self, loss: float) -> None:
        """Remember the loss of a step whose update was made."""
        self.losses.append(float(np.float32(loss)))
        self.row = 0

    def median(self) -> float:
        """Median of the last losses; NaN before the first."""
        return float(np.median(self.losses)) if self.losses else math.nan

    def count(self, step: int, loss: float, norm: float, ids: list[str]) -> str:
        """Count a spike at `step` (from 0), by its loss or else the norm of its gradient; the line about it.

        :raises TrainingError: it is one too many in a row.
        """
        self.row += 1
        if self.is_spike(loss):
            found = f"the loss of step {step + 1} is {loss:.4g}, the median of the steps before {self.median():.4g}"
        else:
            found = f"the loss of step {step + 1} is {loss:.4g}, the norm of its gradient {norm}"
        names = ", ".join(ids)
        if self.row >= self.stage.spikes_in_a_row:
            raise TrainingError(
                f"{found}, and it is spike {self.row} in a row: lower peak_rate, or look at the utterances of its "
                f"batches: {names}"
            )
        return f"{found}: its update is left out (spike {self.row} in a row): {names}"


def guard_from(stage: Stage, folder: Path, start: int) -> Guard:
    """The guard as it stood at step `start`, by the metrics that the stage's segments have left in `folder`."""
    if stage.spike is None or not start:
        return Guard(stage)
    losses: list[float] = []
    row = 0
    for done in markers(folder, stage, start):
        for one in read_parquet(done.with_name("metrics.parquet"), ["loss", "skipped"]).to_pylist():
            row = row + 1 if one["skipped"] else 0
            if not one["skipped"]:
                losses.append(one["loss"])
        losses = losses[-WINDOW:]
    return Guard(stage, losses, row)
