"""The end of a segment: checkpoints averaged where the stage asks for it, and done.json, which is written last."""

import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from earmark.data.dataset import Dataset
from earmark.io import read_json, sha256, write_json
from earmark.models.build import load_weights
from earmark.models.done import FORMAT
from earmark.models.llm import vocabulary_hash
from earmark.paths import RunPaths
from earmark.text.inventory import Inventory
from earmark.train.engine import Engine, device_of
from earmark.train.place import Place
from earmark.train.records import Records, Spent, say
from earmark.train.state.average import SUFFIX, average_files, files_of
from earmark.train.state.checkpoint import prune
from earmark.train.state.fallback import Job
from earmark.train.state.initialise import modules_of
from earmark.train.stopping import Stop, checkpoints
from earmark.train.tasks import NextTokenTask
from earmark.train.validate import validate


class Ending(NamedTuple):
    """What a segment's end needs: where it stands, its modules, the data to validate on, and a clock."""

    place: Place
    paths: RunPaths
    task: nn.Module
    dataset: Dataset
    targets: str
    inventory: Inventory
    spent: Spent
    utterances: int
    """Of the validation split."""

    @property
    def folder(self) -> Path:
        """The segment's folder."""
        return self.paths.step(self.place.instance, self.place.end)

    def validated(self, engine: Engine | None = None) -> dict[str, float]:
        """Validation loss, and phone error rate where there is one, of the modules as they are.

        :param engine: whose processes share the utterances, and all call this; None: this process alone.
        """
        self.task.eval()
        shared: dict[str, Any] = {"part": (engine.rank, engine.world), "summed": engine.sum} if engine else {}
        budget = self.place.stage.frames_per_batch
        with self.spent.on("validate"):
            return validate(self.task, self.dataset, budget, self.targets, self.utterances, **shared)


def described(ending: Ending, job: Job, files: dict[str, str]) -> dict[str, Any]:
    """What done.json says of a segment's files: where they lie, their SHA-256, and the job that makes them again."""
    with ending.spent.on("save"):
        hashes = {name: sha256(path) for name, path in files.items()}
    task = ending.task
    vocabulary = {"vocabulary": vocabulary_hash(task.tokenizer)} if isinstance(task, NextTokenTask) else {}
    return {
        "format": FORMAT,
        "instance": job.instance,
        "step": job.step,
        "steps": ending.place.steps,
        "job": {
            "last_phase": job.last_phase,
            "before": str(job.before) if job.before else None,
            "encoder": str(job.snapshot) if job.snapshot else None,
            "steps": job.steps,
        },
        "weights": files,
        "sha256": hashes,
        "trained": ending.place.stage.trained,
        "inventory": ending.inventory.hash,
        **vocabulary,
        "seconds": ending.spent.seconds,
    }


def stand_in(ending: Ending, job: Job, stop: Stop, started: float) -> None:
    """Write the folder of a segment whose stage has stopped: it names the best checkpoint's files, and has no state."""
    best = read_json(ending.paths.step(job.instance, stop.best) / "done.json")
    shutil.rmtree(ending.folder / "engine", ignore_errors=True)
    Records(job.instance, job.step, job.step, ending.paths.folder / "tensorboard", True).close(ending.folder)
    say(
        f"{job.instance} stopped at step {stop.at:,}, no validation loss below that of step {stop.best:,}: "
        "nothing is trained, that checkpoint is handed on"
    )
    # No engine has moved the modules, or cast them to what FlashAttention-2 takes.
    if isinstance(ending.task, NextTokenTask):
        ending.task.model.llm.set_attn_implementation("sdpa")
    ending.task.to(device_of(0, torch.cuda.device_count()))
    done = best | described(ending, job, best["weights"])
    write_done(ending, done | {"state": {}, "started": started, "stopped_at": stop.at, "best": stop.best})


def write_done(ending: Ending, done: dict[str, Any]) -> None:
    """Average where the stage ends and asks for it, write done.json, and prune the stage's checkpoints."""
    place, count = ending.place, ending.place.stage.average_last
    stage_folder = ending.paths.stage(place.instance)
    if count and place.end == place.steps:
        stopped = "stopped_at" in done
        earlier = checkpoints(stage_folder, place.stage, done["best"] if stopped else place.start)
        with ending.spent.on("average"):
            done |= averaged(ending, done, [*earlier, *([] if stopped else [done])][-count:])
    write_json(ending.folder / "done.json", done | {"ended": time.time()})
    prune(stage_folder, place)


def averaged(ending: Ending, done: dict[str, Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Write the mean of the trained modules over checkpoints, load it, and validate: what changes in done.json.

    :param parts: done.json of the checkpoints, oldest first.
    """
    notes = {"step": str(done["step"]), "inventory": ending.inventory.hash, "averaged": str(len(parts))}
    modules = modules_of(ending.task)
    files = {}
    for name in ending.place.stage.trained:
        path = ending.folder / f"{name}{SUFFIX}"
        average_files(files_of(parts, name), path, notes)
        load_weights(modules[name], path)
        files[name] = str(path)
    steps = [part["step"] for part in parts]
    say(f"{done['instance']}: the mean of the checkpoints of steps {', '.join(map(str, steps))} is handed on")
    return {
        "weights": done["weights"] | files,
        "sha256": done["sha256"] | {name: sha256(path) for name, path in files.items()},
        "valid": ending.validated(),
        "averaged": {
            "steps": steps,
            "last": {name: done["weights"][name] for name in files},
            "sha256": {name: done["sha256"][name] for name in files},
            "valid": done["valid"],
        },
    }
