"""A segment: one job of a stage, from the state of the one before to a completion marker.

1. initial weights (`initialise`)
2. weights of the segment or stage before (`handover`), the encoder swapped where the watch says so (`swap`)
3. optimizer state: from the segment before, if it is of the same stage
4. the loop
5. validation
6. trained weights, metrics.parquet, engine state (`checkpoint`), and last of all done.json

done.json names the file of every module, trained or frozen, so a swap is one file.
"""

import time
from pathlib import Path
from typing import Any

from earmark.config import Config
from earmark.data.dataset import Dataset
from earmark.errors import TrainingError
from earmark.io import sha256, write_json
from earmark.paths import RunPaths
from earmark.text.inventory import Inventory
from earmark.train.checkpoint import prune, save_modules
from earmark.train.engine import Engine
from earmark.train.handover import hand_over, state_before
from earmark.train.initialise import build_task, modules_of, parameters, what_trains
from earmark.train.loop import Batches, train
from earmark.train.place import Place
from earmark.train.records import Records
from earmark.train.swap import swap_encoder
from earmark.train.tasks import Moment
from earmark.train.validate import RATES, validate


def run_segment(config: Config, place: Place, before: Path | None, snapshot: Path | None) -> None:
    """Train one segment and write its folder.

    :param before: done.json of the segment before, or of the stage before.
    :param snapshot: done.json of the pretraining segment whose encoder is swapped in, in place of that of `before`.
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
    origin = hand_over(task, before, inventory, but={"encoder"} if snapshot else ())
    if snapshot:
        origin = swap_encoder(task, origin, snapshot, inventory)
    state = state_before(origin, before, place)
    engine = Engine(task, place.stage, config.precision)
    if state:
        engine.load(state)
    main = engine.rank == 0
    if main:
        _say(what_trains(task, place))
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
        valid = validate(task, dataset, config.text.targets)
        records.close(folder)
        notes = {"step": str(place.end), "inventory": inventory.hash}
        weights = save_modules(modules_of(task), folder, origin.weights, place.stage.trained, notes)
        write_json(
            folder / "done.json",
            {
                "instance": place.instance,
                "step": place.end,
                "steps": place.steps,
                "weights": weights,
                "sha256": {name: sha256(path) for name, path in weights.items()},
                "trained": place.stage.trained,
                "parameters": {name: parameters(module) for name, module in modules_of(task).items()},
                "valid": valid,
                "inventory": inventory.hash,
                "processes": engine.world,
                "started": started,
                "ended": time.time(),
            },
        )
        prune(paths.stage(place.instance), place)
    engine.barrier()


def in_short(done: dict[str, Any]) -> str:
    """What became of a segment (its done.json), in a line for the terminal."""
    names = {"loss": "validation loss {:.3f}"} | {rate: f"{name} {{:.1%}}" for rate, name in RATES.items()}
    figures = [names[name].format(value) for name, value in done["valid"].items()]
    return (
        f"{done['instance']} step {done['step']:,} of {done['steps']:,}: {', '.join(figures)}, "
        f"{done['ended'] - done['started']:.0f} s"
    )


def _say(lines: list[str]) -> None:
    from tqdm import tqdm

    for line in lines:
        tqdm.write(line)
