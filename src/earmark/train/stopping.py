"""Early stop: a stage ends when its validation loss has not improved for some checkpoints (section 4.5).

The workflow's chain of segments is static, so the segments that are left still run: each names the best checkpoint's
files, trains nothing, and says `stopped_at`. The best checkpoint is what the stage hands on.
"""

from pathlib import Path
from typing import Any, NamedTuple

from earmark.config import Stage, segments
from earmark.io import read_json
from earmark.paths import step_name


class Stop(NamedTuple):
    """That a stage has stopped: after which step, and which step's checkpoint is its best."""

    at: int
    best: int


def stop_before(stage: Stage, instance: str, before: Path | None) -> Stop | None:
    """Whether the segment after `before` (a done.json) has nothing to train any more; None: it has."""
    if stage.patience is None or before is None:
        return None
    described = read_json(before)
    if described["instance"] != instance:
        return None
    if "stopped_at" in described:
        return Stop(described["stopped_at"], described["best"])
    written = checkpoints(before.parent.parent, stage, described["step"])
    best = best_of(written)["step"]
    since = sum(one["step"] > best for one in written)
    return Stop(described["step"], best) if since >= stage.patience else None


def best_of(written: list[dict[str, Any]]) -> dict[str, Any]:
    """The one of some checkpoints (done.json) with the lowest validation loss; the first of equals."""
    return min(written, key=lambda one: float(one["valid"]["loss"]))


def checkpoints(folder: Path, stage: Stage, end: int) -> list[dict[str, Any]]:
    """What done.json of a stage's segments up to the one that ends with step `end` (0: none) say, oldest first."""
    return [read_json(done) for done in markers(folder, stage, end)]


def markers(folder: Path, stage: Stage, end: int) -> list[Path]:
    """done.json of these segments."""
    ends = segments(end, stage.segment_steps) if end else []
    return [folder / step_name(step) / "done.json" for step in ends]
