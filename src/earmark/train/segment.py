"""A segment: one job of a stage, from the state of the one before to a completion marker.

1. weights: from the segment before, or handed over by the stage before, the encoder swapped where the watch says so
2. optimizer state: from the segment before, if it is of the same stage
3. the loop
4. validation
5. trained weights, metrics.parquet, engine state, and last of all done.json

done.json names the file of every module, trained or frozen, so a swap is one file.
"""

import shutil
import time
from pathlib import Path
from typing import Any

from torch import nn

from earmark.config import Config, Stage
from earmark.data.dataset import Dataset
from earmark.errors import CheckpointError, TrainingError
from earmark.io import read_json, sha256, write_json
from earmark.models.build import build_ctc_head, build_encoder, build_speech_llm, load_weights, save_weights
from earmark.paths import RunPaths, step_name
from earmark.text.inventory import Inventory
from earmark.train.engine import Engine
from earmark.train.loop import Batches, train
from earmark.train.records import Records
from earmark.train.tasks import CTCTask, Moment, NextTokenTask
from earmark.train.validate import validate

KEPT_STATES = 2
"""Engine states that are kept besides the one at a stage's end."""


class Place:
    """Where a segment stands: stage instance (ia_sft_2), its kind (ia_sft), first and last step."""

    def __init__(self, config: Config, instance: str, end: int, last_phase: bool):
        self.instance = instance
        self.kind = "ia_sft" if instance.startswith("ia_sft") else instance
        self.stage: Stage = getattr(config.stages, self.kind)
        self.steps = config.stage_steps(self.kind, last_phase)
        self.end = end
        self.start = (end - 1) // self.stage.segment_steps * self.stage.segment_steps


def modules_of(task: nn.Module) -> dict[str, nn.Module]:
    """Modules by the name that configuration and files give them."""
    if isinstance(task, CTCTask):
        return {"encoder": task.encoder, "ctc_head": task.head}
    assert isinstance(task, NextTokenTask)
    return {"encoder": task.model.encoder, "adaptor": task.model.adaptor, "llm": task.model.llm}


def build_task(config: Config, place: Place, inventory: Inventory, llm_done: Path) -> CTCTask | NextTokenTask:
    """The stage's modules with their initial weights."""
    if place.stage.loss == "next_token":
        model, tokenizer = build_speech_llm(config, llm_done)
        return NextTokenTask(model, tokenizer, place.stage)
    return CTCTask(build_encoder(config), build_ctc_head(config, len(inventory)), place.stage)


def run_segment(config: Config, place: Place, before: Path | None, encoder: Path | None) -> None:
    """Train one segment and write its folder.

    :param before: done.json of the segment before, or of the stage before.
    :param encoder: encoder weights to swap in, in place of those that `before` names.
    """
    started = time.time()
    paths = RunPaths(config.folder)
    inventory = Inventory.from_settings(config.text)
    dataset = Dataset(paths.dataset, inventory)
    if len(dataset.split("valid")) == 0:
        raise TrainingError(
            f"{paths.dataset} has no validation utterance, and swaps are decided on those: give some rows the split "
            f"valid, or see what {paths.excluded} leaves out"
        )
    task = build_task(config, place, inventory, paths.llm / "done.json")
    origin = _load(task, before, encoder, inventory)
    resumed = bool(before) and origin["instance"] == place.instance
    if resumed and origin["step"] != place.start:
        raise CheckpointError(f"{before} is of step {origin['step']}, the segment starts at {place.start}: rerun it")
    if resumed and before and not (before.parent / "engine").is_dir():
        raise CheckpointError(
            f"{before.parent} has lost its engine state (a stage keeps its newest {KEPT_STATES}): "
            f"delete {paths.stage(place.instance)}, so that the stage is trained again from its start"
        )
    engine = Engine(task, place.stage, config.precision)
    if resumed and before:
        engine.load(before.parent / "engine")
    main = engine.rank == 0
    _say_what_trains(task, place, main)
    task.train()
    records = Records(place.instance, place.start, place.end, config.folder / "tensorboard", main)
    source = Batches(dataset, config, place.stage, engine.world)
    # Closed on an error, too: what went wrong gets a line of its own.
    with records.bar:
        train(
            engine,
            place.stage,
            source,
            records,
            lambda step, micro: Moment(config.seed, place.instance, step, micro, engine.rank),
            range(place.start, place.end),
            place.steps,
        )
    folder = paths.step(place.instance, place.end)
    engine.save(folder / "engine")
    if main:
        task.eval()
        valid = validate(task, dataset)
        records.close(folder)
        weights = _save(task, folder, origin["weights"], place, inventory)
        write_json(
            folder / "done.json",
            {
                "instance": place.instance,
                "step": place.end,
                "steps": place.steps,
                "weights": weights,
                "sha256": {name: sha256(path) for name, path in weights.items()},
                "trained": place.stage.trained,
                "parameters": {name: _parameters(module) for name, module in modules_of(task).items()},
                "valid": valid,
                "inventory": inventory.hash,
                "processes": engine.world,
                "started": started,
                "ended": time.time(),
            },
        )
        _prune(paths.stage(place.instance), place)
    engine.barrier()


def in_short(done: dict[str, Any]) -> str:
    """What became of a segment (its done.json), in a line for the terminal."""
    names = {"loss": "validation loss {:.3f}", "per": "phone error rate {:.1%}"}
    figures = [names[name].format(value) for name, value in done["valid"].items()]
    return (
        f"{done['instance']} step {done['step']:,} of {done['steps']:,}: {', '.join(figures)}, "
        f"{done['ended'] - done['started']:.0f} s"
    )


def _load(task: nn.Module, before: Path | None, encoder: Path | None, inventory: Inventory) -> dict[str, Any]:
    """Load what `before` names; its description, with the weights that the task now has."""
    origin: dict[str, Any] = {"instance": None, "step": 0, "weights": {}}
    if before:
        origin = read_json(before)
        if origin["inventory"] != inventory.hash:
            raise CheckpointError(
                f"{before} was trained with inventory {origin['inventory']}, this run has {inventory.hash}: "
                "use the inventory that it was trained with"
            )
    weights = dict(origin["weights"])
    if encoder:
        weights["encoder"] = str(encoder)
    modules = modules_of(task)
    origin["weights"] = {name: path for name, path in weights.items() if name in modules}
    for name, path in origin["weights"].items():
        load_weights(modules[name], path)
    return origin


def _save(task: nn.Module, folder: Path, frozen: dict[str, str], place: Place, inventory: Inventory) -> dict[str, str]:
    """Write the trained modules; frozen ones that no stage has written yet are written, too."""
    weights = {}
    for name, module in modules_of(task).items():
        if name in frozen and name not in place.stage.trained:
            weights[name] = frozen[name]
            continue
        path = folder / f"{name}.safetensors"
        save_weights(module, path, {"step": str(place.end), "inventory": inventory.hash})
        weights[name] = str(path)
    return weights


def _say_what_trains(task: nn.Module, place: Place, main: bool) -> None:
    from tqdm import tqdm

    if main:
        for name, module in modules_of(task).items():
            verb = "trains" if name in place.stage.trained else "is frozen"
            tqdm.write(f"{place.instance}: {name} {verb} ({_parameters(module):,} parameters)")


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _prune(folder: Path, place: Place) -> None:
    """Remove engine states but the newest two and the one at the stage's end."""
    states = sorted(path.parent for path in folder.glob("step_*/engine"))
    for old in states[:-KEPT_STATES]:
        if old.name != step_name(place.steps):
            # An orphan of a killed snakemake may be pruning the same folder.
            shutil.rmtree(old / "engine", ignore_errors=True)
