"""The one training loop: batches in, updates out. All four stages run through it."""

import contextlib
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import torch

from earmark.config import Config, Stage
from earmark.data.batches import BatchPlan, Strand, rates
from earmark.data.dataset import Batch, Dataset
from earmark.errors import TrainingError
from earmark.models.encoder import MAX_POSITIONS
from earmark.train.engine import Engine
from earmark.train.flops import Meter
from earmark.train.guard import Guard
from earmark.train.records import Records, say
from earmark.train.schedule import rate
from earmark.train.tasks import Loss, Moment

MAX_FRAMES = 4 * MAX_POSITIONS
"""Feature frames (10 ms) of the longest utterance that the encoder has positions for."""


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
    guard: Guard | None = None,
    watching: Callable[[int], AbstractContextManager[None]] = lambda step: contextlib.nullcontext(),
    meter: Meter | None = None,
    rates: Callable[[int], float] | None = None,
) -> None:
    """Make the updates of `span` (from 0) out of `steps`.

    :param guard: judges losses and gradients; None: no guard. :param watching: what a step runs inside (a profiler).
    :param meter: counts FLOPs, so that the model FLOPs utilisation is recorded; None: it is not.
    :param rates: learning rate of a step; None: the stage's own from its first step on.
    :raises TrainingError: a loss or gradient that is not a finite number, or spikes in a row, with the utterances' ids.
    """
    guard = guard or Guard(stage.model_copy(update={"spike": None}))
    for step in span:
        with watching(step):
            started = time.perf_counter()
            learning_rate = rates(step) if rates else rate(step, stage, steps)
            row = _update(engine, stage, source, moment, step, learning_rate, guard, meter)
            if meter:
                row["mfu"] = meter.mfu(time.perf_counter() - started)
        records.add(step + 1, **row)


def _update(
    engine: Engine,
    stage: Stage,
    source: Source,
    moment: Callable[[int, int], Moment],
    step: int,
    learning_rate: float,
    guard: Guard,
    meter: Meter | None,
) -> dict[str, Any]:
    """One update, or none where the guard sees a spike; its row of the records."""
    batches = [source(step, micro, engine.rank) for micro in range(stage.accumulation)]
    shares = engine.shares([engine.weigh(batch) for batch in batches])
    losses: list[torch.Tensor] = []
    parts: dict[str, torch.Tensor] = {}
    spike, value = False, 0.0
    for micro, (batch, share) in enumerate(zip(batches, shares, strict=True)):
        if meter:
            meter.add(batch, step)
        loss: Loss = engine(batch, moment(step, micro))
        weighed = loss.value * share
        losses.append(weighed.detach() / stage.accumulation)
        for name, part in loss.parts.items():
            parts[name] = parts.get(name, 0.0) + part.detach() * share / stage.accumulation
        engine.backward(weighed)
        if micro == stage.accumulation - 1:
            value, *means = engine.mean([torch.stack(losses).sum(), *parts.values()])
            _check_finite(value, losses, step, batches, guard)
            spike = guard.is_spike(value)
        engine.step(learning_rate, skip=spike)
    norm = engine.gradient_norm()
    row = {"loss": value, "rate": learning_rate, "gradient_norm": norm}
    row |= {"audio_seconds": sum(batch.seconds for batch in batches)}
    row |= {"padding": sum(batch.padding for batch in batches) / stage.accumulation}
    row |= dict(zip(parts, means, strict=True))
    if not spike and math.isfinite(norm):
        guard.keep(value)
        return row
    ids = engine.gather([name for batch in batches for name in batch.ids])  # loss and norm are those of all processes
    if not guard.on:
        raise TrainingError(_message("gradient", norm, step, ids))
    say(guard.count(step, value, norm, ids))
    return row | {"skipped": " ".join(ids)}


def _check_finite(value: float, losses: list[torch.Tensor], step: int, batches: list[Any], guard: Guard) -> None:
    """End a segment without a guard at a loss that is no number, before its gradients are used.

    :raises TrainingError: names the utterances of this process's batches whose losses are none, or of all.
    """
    if math.isfinite(value) or guard.on:
        return
    wrong = [batch for batch, loss in zip(batches, losses, strict=True) if not math.isfinite(float(loss))]
    raise TrainingError(_message("loss", value, step, [name for batch in wrong or batches for name in batch.ids]))


def _message(what: str, value: float, step: int, ids: list[str]) -> str:
    return (
        f"the {what} of step {step + 1} is {value}: lower peak_rate, or look at the utterances of its batch: "
        + ", ".join(ids)
    )


class Batches:
    """The batch plan of a stage over the training split, with the short utterances first where that is set.

    :raises TrainingError: there is no utterance, or the longest one fits neither the encoder nor the frame budget.
    """

    def __init__(self, dataset: Dataset, config: Config, stage: Stage, world: int):
        self.dataset, self.stage, self.world = dataset, stage, world
        strands = dataset.strands(corpus_rates(config, dataset))
        self.longest = check_lengths(dataset, strands, stage.frames_per_batch)
        group = config.batch_group
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


def check_lengths(dataset: Dataset, strands: list[Strand], budget: int) -> int:
    """Feature frames of the longest training utterance.

    :raises TrainingError: the encoder has too few positions for it, or it exceeds the frame budget of a batch.
    """
    ends = [(int(one.frames[-1]), one.first + len(one.frames) - 1) for one in strands if len(one.frames)]
    if not ends:
        raise TrainingError(
            "no utterance is left to train on: see how many were kept in shards/dataset.json, and why not"
        )
    frames, row = max(ends)
    name = dataset.labels(np.array([row]))[0].id
    if frames > MAX_FRAMES:
        raise TrainingError(
            f"utterance {name} has {frames} feature frames, and the encoder positions for {MAX_FRAMES} "
            f"({MAX_FRAMES / 100:g} s): set shards.max_seconds to {MAX_FRAMES / 100:g} or less and run again"
        )
    if frames > budget:
        raise TrainingError(
            f"utterance {name} of {frames} frames exceeds frames_per_batch {budget}, so that its batch would be empty: "
            f"raise frames_per_batch, or lower shards.max_seconds below {budget / 100:g}"
        )
    return frames
