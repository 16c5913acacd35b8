"""The one training loop: batches in, updates out. All four stages run through it."""

import math
from collections.abc import Callable
from typing import Any, Protocol

from earmark.config import Config, Stage
from earmark.data.batches import BatchPlan, rates
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

    def __init__(self, dataset: Dataset, config: Config, stage: Stage, world: int):
        self.dataset, self.stage, self.world = dataset, stage, world
        strands = dataset.strands(corpus_rates(config, dataset))
        group = config.like_batches or world
        self.full = BatchPlan(strands, stage.frames_per_batch, config.seed, group)
        self.short_steps = 0
        if stage.short_first:
            self.short_steps = stage.short_first.steps
            self.short = BatchPlan(strands, stage.frames_per_batch, config.seed, group, stage.short_first.fraction)

    def __call__(self, step: int, micro: int, rank: int) -> Batch:
        """Batch number `micro` of `step` on `rank`."""
        early = step < self.short_steps
        plan = self.short if early else self.full
        number = (step if early else step - self.short_steps) * self.stage.accumulation + micro
        return self.dataset.batch(plan.rows(number * self.world + rank))


def corpus_rates(config: Config, dataset: Dataset) -> dict[str, float]:
    """Share of each corpus's training utterances that an epoch takes, by its weight or hours."""
    hours = dataset.corpora()
    weights = {corpus.name: corpus.weight for corpus in config.corpora}
    found = rates(list(hours.values()), [weights[name] for name in hours], config.sampling_power)
    return dict(zip(hours, found, strict=True))
