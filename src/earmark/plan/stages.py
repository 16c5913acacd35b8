"""Memory of a configuration's stages, each in its worst batch, as a table."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from earmark.config import Config, Stage
from earmark.models.llm import build_small
from earmark.models.qwen3 import build_published, check_folder
from earmark.plan.activations import Shape
from earmark.plan.footprint import Memory, plan_memory

SMALL_VOCABULARY = 4_000
"""Assumed for the small stand-in, whose tokenizer is made of the transcripts."""
_ALIGNED = 16
"""Feature frames of an embedding: lengths are rounded to it."""


class Planned(NamedTuple):
    """A stage with its batch of the worst length, and its memory with activation checkpointing and without."""

    stage: str
    shape: Shape
    checkpointing: bool
    memory: dict[bool, Memory]


def plans(config: Config, names: list[str], world: int, labels: int) -> list[Planned]:
    """Plans of stages, each for the worst of three lengths of utterances: the longest, 10 s and 3 s.

    :raises CheckpointError: a language model of unknown shape.
    """
    found = []
    for name in names:
        stage: Stage = getattr(config.stages, name)
        llm = language_model(config) if stage.loss == "next_token" else None
        measured = {
            (on, shape): plan_memory(
                config, stage.model_copy(update={"activation_checkpointing": on}), llm, labels, world, shape
            )
            for on in (True, False)
            for shape in shapes(config, stage)
        }
        chosen = stage.activation_checkpointing
        worst = max(shapes(config, stage), key=lambda shape: measured[chosen, shape].total)
        found.append(Planned(name, worst, chosen, {on: measured[on, worst] for on in (True, False)}))
    return found


def shapes(config: Config, stage: Stage) -> list[Shape]:
    """Batches that fill the stage's budget: of the longest utterances, of 10 s, of 3 s."""
    longest = int(config.shards.max_seconds * 100)
    lengths = sorted({min(frames, longest) // _ALIGNED * _ALIGNED or _ALIGNED for frames in (longest, 1000, 300)})
    return [Shape(max(1, stage.frames_per_batch // frames), frames) for frames in lengths]


def language_model(config: Config) -> nn.Module:
    """The configured language model without memory; a published Qwen3 that is not there yet is known by its name."""
    if isinstance(config.llm, Path) and config.llm.exists():
        return check_folder(config.llm)[0]
    with torch.device("meta"):
        return (
            build_published(config.llm) if isinstance(config.llm, Path) else build_small(config.llm, SMALL_VOCABULARY)
        )


def table(planned: list[Planned], config: Config, world: int) -> str:
    """The plans as text, GB (1e9 bytes) a process."""
    rows: list[tuple[str, ...]] = [
        ("stage", "batch", "weights", "optimizer", "gradients", "bucket", "activations", "step", "total", "other")
    ]
    for one in planned:
        memory, other = one.memory[one.checkpointing], one.memory[not one.checkpointing]
        numbers = (
            memory.weights,
            memory.optimizer,
            memory.earlier + memory.gradients,
            memory.bucket,
            memory.activations,
            memory.step,
            memory.total,
            other.total,
        )
        batch = f"{one.shape.utterances} x {one.shape.frames / 100:.1f} s"
        rows.append((one.stage, batch, *(f"{number / 1e9:.2f}" for number in numbers)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    how = "ZeRO-2" if world > 1 or config.precision == "bfloat16" else "no ZeRO"
    states = ", ".join(f"{one.stage} {'with' if one.checkpointing else 'without'}" for one in planned)
    return "\n".join(
        [
            f"GB a process: {world} processes, {how}, {config.precision}. Activation checkpointing: {states};",
            "`other` is the total the other way. The total is that of the fullest moment, not the sum.",
            *lines,
        ]
    )
