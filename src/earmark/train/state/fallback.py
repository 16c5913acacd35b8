"""Falling back: where a file that a segment starts from is damaged, the segment that wrote it is trained again first.

A stage keeps its newest two engine states, so the segment before can always be made again from the one before that.
Training is deterministic: what comes out has the bits that were lost, and done.json keeps its contents and its time, so
that the workflow repeats nothing else.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from earmark.errors import CheckpointError
from earmark.io import read_json, sha256, write_text
from earmark.models.done import handed_over, read_done
from earmark.train.place import kind_of


class Job(NamedTuple):
    """A segment and what it starts from: the arguments of `earmark train`."""

    instance: str
    step: int
    last_phase: bool = False
    before: Path | None = None
    """done.json of the segment, or stage, before."""
    snapshot: Path | None = None
    """done.json of the snapshot whose encoder is swapped in."""
    steps: int | None = None
    """Updates of the instance where they are not its stage's own."""

    def arguments(self) -> list[str]:
        """What follows `earmark train CONFIG` on the command line."""
        options = [f"--before={self.before}"] if self.before else []
        options += [f"--encoder={self.snapshot}"] if self.snapshot else []
        options += [f"--steps={self.steps}"] if self.steps else []
        return [self.instance, str(self.step), *options, *(["--last-phase"] if self.last_phase else [])]


class Damage(NamedTuple):
    """A file that is not what its segment wrote."""

    file: Path
    what: str
    owner: Path
    """done.json of the segment that wrote it."""


class Repair(NamedTuple):
    """A segment that is to be trained again, and why."""

    job: Job
    damage: Damage

    def __str__(self) -> str:
        start = self.job.before.parent if self.job.before else "its initial weights"
        return (
            f"{self.damage.file} {self.damage.what}: training {self.job.instance} step {self.job.step:,} again "
            f"from {start}"
        )


def repairs(job: Job) -> list[Repair]:
    """Segments to train again before `job`, in this order; none where all that it starts from is whole.

    :raises CheckpointError: a damaged file cannot be made again.
    """
    found: dict[Path, Repair] = {}
    for damage in damages(job):
        if damage.owner in found:
            continue
        again = _job_of(damage)
        for one in repairs(again):
            found.setdefault(one.damage.owner, one)
        found[damage.owner] = Repair(again, damage)
    return list(found.values())


def damages(job: Job) -> Iterator[Damage]:
    """Files that `job` will read and that are missing or other than their done.json says.

    An engine state that was pruned, folder and all, is no damage.
    """
    for done, names in ((job.before, None), (job.snapshot, {"encoder"})):
        if done is None:
            continue
        described = read_done(done)
        goes_on = kind_of(described["instance"]) == kind_of(job.instance)
        if goes_on and (done.parent / "engine").is_dir():
            for name, expected in described.get("state", {}).items():
                yield from _compared(done.parent / "engine" / name, expected, done)
        taken = handed_over(described, goes_on) if names is None else described["weights"]
        for name, path in taken.items():
            replaced = names is None and job.snapshot is not None and name == "encoder"
            if (names is None or name in names) and not replaced:
                yield from _compared(Path(path), _expected(name, Path(path), described), _owner(Path(path)))


def train_again(repair: Repair, run: Callable[[Job], None], say: Callable[[str], None]) -> None:
    """Train a damaged segment again by `run`; its done.json keeps its time, so that nothing else is repeated."""
    path = repair.damage.owner
    text, modified = path.read_text(encoding="utf-8"), path.stat().st_mtime_ns
    say(str(repair))
    run(repair.job)
    before, after = json.loads(text), read_json(path)
    if all(before.get(key) == after[key] for key in ("sha256", "state")):
        write_text(path, text)
        say(f"{path.parent} is whole again, with the bits that it had")
    else:
        # Another number of processes, another machine: as good a model, but not the one that others started from.
        say(f"{path.parent} is whole again, but not with the bits that it had: it was trained on another machine")
    os.utime(path, ns=(modified, modified))


def _owner(file: Path) -> Path:
    """done.json of the segment that wrote a module's file."""
    return file.parent / "done.json"


def _expected(name: str, file: Path, described: dict[str, Any]) -> str | None:
    """SHA-256 that a module's file had when it was written; None: its segment, an older one, did not keep it.

    :param described: what names the file.
    """
    # The owner's word counts: it may have been trained again since, on another machine.
    owner = read_done(_owner(file)) if _owner(file).is_file() else described
    averaged = owner.get("averaged", {})
    if file.name == Path(averaged.get("last", {}).get(name, "")).name:
        return averaged.get("sha256", {}).get(name)
    return owner["sha256"][name]


def _compared(file: Path, expected: str | None, owner: Path) -> Iterator[Damage]:
    if not file.is_file():
        yield Damage(file, "is missing", owner)
    elif expected and sha256(file) != expected:
        yield Damage(file, "is cut short or damaged (its SHA-256 is not the one in done.json)", owner)


def _job_of(damage: Damage) -> Job:
    """The job that wrote a damaged file."""
    described = read_done(damage.owner)
    if "job" not in described:
        raise CheckpointError(
            f"{damage.file} {damage.what}, and {damage.owner} does not say what it was trained from: "
            f"delete {damage.owner.parent.parent}, so that the stage is trained again from its start"
        )
    last_phase, before, snapshot = (described["job"][key] for key in ("last_phase", "before", "encoder"))
    steps = described["job"].get("steps")
    job = Job(described["instance"], described["step"], last_phase, _path(before), _path(snapshot), steps)
    if job.before and not (job.before.parent / "engine").is_dir() and read_done(job.before)["instance"] == job.instance:
        raise CheckpointError(
            f"{damage.file} {damage.what}, and {job.before.parent}, from which it could be trained again, has lost its "
            f"engine state: delete {damage.owner.parent.parent}, so that the stage is trained again from its start"
        )
    return job


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None
