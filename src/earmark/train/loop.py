"""The one training loop: batches in, updates out. All four stages run through it."""

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from earmark.config import Stage
from earmark.data.batches import BatchPlan
from earmark.data.dataset import Batch, Dataset
from earmark.errors import TrainingError
from earmark.train.engine import Engine
from earmark.train.records import Records
from earmark.train.schedule import rate
from earmark.train.tasks import Loss, Moment


class Source(Protocol):
    """Batches by number."""

    def __call__(self, step: int, micro: int, rank: int) -> Any:
        """Batch number `micro` of `step` on `rank`."""
        ...


def train(
    engine: Engine,
    stage: Stage,
    source: Source,
    records: Records,
    moment: Callable[[int, int], Moment],
    span: range,
    steps: int,
) -> None:
    """Make the updates of `span` (from 0) out of `steps`.

    :raises TrainingError: a loss or gradient that is not a finite number, with the ids of the utterances.
    """
    for step in span:
        learning_rate = rate(step, stage, steps)
        seconds, padding, value = 0.0, 0.0, 0.0
        parts: dict[str, float] = {}
        ids: list[str] = []
        for micro in range(stage.accumulation):
            batch = source(step, micro, engine.rank)
            ids += batch.ids
            loss: Loss = engine(batch, moment(step, micro))
            value += _finite(loss, step, batch.ids) / stage.accumulation
            for name, part in loss.parts.items():
                parts[name] = parts.get(name, 0.0) + float(part.detach()) / stage.accumulation
            engine.backward(loss.value)
            engine.step(learning_rate)
            seconds += batch.seconds
            padding += batch.padding / stage.accumulation
        norm = engine.gradient_norm()
        if not math.isfinite(norm):
            raise TrainingError(_message("gradient", norm, step, ids))
        records.add(
            step + 1,
            loss=value,
            rate=learning_rate,
            gradient_norm=norm,
            audio_seconds=seconds,
            padding=padding,
            **parts,
        )


def _finite(loss: Loss, step: int, ids: list[str]) -> float:
    value = float(loss.value.detach())
    if not math.isfinite(value):
        raise TrainingError(_message("loss", value, step, ids))
    return value


def _message(what: str, value: float, step: int, ids: list[str]) -> str:
    return (
        f"the {what} of step {step + 1} is {value}: lower peak_rate, or look at the utterances of its batch: "
        + ", ".join(ids)
    )


class Batches:
    """The batch plan of a stage over the training split, with the short utterances first where that is set."""

    def __init__(self, dataset: Dataset, stage: Stage, seed: int, world: int):
        self.dataset, self.stage = dataset, stage
        rows = dataset.split("train")
        frames = dataset.frames(rows)
        self.full = (rows, BatchPlan(frames, stage.frames_per_batch, seed, world))
        self.short_steps = 0
        if stage.short_first:
            self.short_steps = stage.short_first.steps
            shortest = np.argsort(frames, kind="stable")[: max(1, int(len(rows) * stage.short_first.fraction))]
            self.short = (rows[shortest], BatchPlan(frames[shortest], stage.frames_per_batch, seed, world))

    def __call__(self, step: int, micro: int, rank: int) -> Batch:
        """Batch number `micro` of `step` on `rank`."""
        early = step < self.short_steps
        rows, plan = self.short if early else self.full
        number = (step if early else step - self.short_steps) * self.stage.accumulation + micro
        return self.dataset.batch(rows[plan.rows(number, rank)])
