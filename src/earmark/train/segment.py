"""A segment: one job of a stage, from the state of the one before to a completion marker.

1. initial weights (`initialise`)
2. weights of the segment or stage before (`handover`), the encoder swapped where the watch says so (`swap`)
3. optimizer state: from the segment before, if it is of the same stage
4. the loop
5. validation
6. trained weights, metrics.parquet, engine state (`checkpoint`), and last of all done.json (`ending`)

done.json names the file of every module, trained or frozen, so a swap is one file.
"""

import os
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from earmark.config import Config
from earmark.data.dataset import Batch, Dataset
from earmark.errors import TrainingError
from earmark.text.inventory import Inventory
from earmark.train.engine import Engine
from earmark.train.feed.ahead import Ahead
from earmark.train.flops import meter_for
from earmark.train.guard import guard_from
from earmark.train.loop import Batches, train
from earmark.train.memory import saying_how_to_share, saying_what_to_lower
from earmark.train.place import Place
from earmark.train.profile import profiling
from earmark.train.records import Records, Spent, say
from earmark.train.schedule import rate
from earmark.train.state.checkpoint import checksums, save_modules
from earmark.train.state.ending import Ending, described, stand_in, write_done
from earmark.train.state.fallback import Job
from earmark.train.state.handover import Origin, check_origin, hand_over, order_of, state_before
from earmark.train.state.initialise import build_task, modules_of, parameters, what_trains
from earmark.train.state.swap import swap_encoder
from earmark.train.stopping import stop_before
from earmark.train.tasks import Moment
from earmark.train.validate import RATES


def run_segment(
    config: Config, place: Place, before: Path | None, snapshot: Path | None, profiled: bool = False
) -> None:
    """Train one segment and write its folder; nothing is trained where its stage has stopped.

    :param before: done.json of the segment before, or of the stage before.
    :param snapshot: done.json of the pretraining segment whose encoder is swapped in, in place of that of `before`.
    :param profiled: leave a trace of one step in the segment's folder.
    """
    started, spent = time.time(), Spent()
    paths = config.paths
    job = Job(place.instance, place.end, place.last_phase, before, snapshot, place.given)
    inventory = Inventory.from_settings(config.text)
    dataset = Dataset(paths.dataset, inventory)
    if len(dataset.split("valid")) == 0:
        raise TrainingError(
            f"{paths.dataset} has no validation utterance, and swaps are decided on those: give some rows the split "
            f"valid, or see what {paths.excluded} leaves out"
        )
    with saying_how_to_share(place, config):
        task = build_task(config, place, inventory, paths.llm / "done.json")
    ending = Ending(place, paths, task, dataset, config.text.targets, inventory, spent, config.valid.utterances)
    if stop := stop_before(place.stage, place.instance, before):
        if os.environ.get("RANK", "0") == "0":
            hand_over(task, paths.step(place.instance, stop.best) / "done.json", inventory)
            stand_in(ending, job, stop, started)
        return
    with spent.on("load"):
        origin = hand_over(task, before, inventory, {"encoder"} if snapshot else (), place)
        if snapshot:
            origin = swap_encoder(task, origin, snapshot, inventory)
        check_origin(origin, before, place, config)
        state = state_before(origin, before, place, order_of(config, place))
    with saying_how_to_share(place, config):
        engine = Engine(task, place.stage, config.precision, config.gradients)
        if state:
            with spent.on("load"):
                engine.load(state)
    main = engine.rank == 0
    if main:
        for line in what_trains(task, place):
            say(line)
    task.train()
    source = Batches(dataset, config, place.stage, engine.world)
    records = Records(place.instance, place.start, place.end, config.folder / "tensorboard", main)
    folder, span = paths.step(place.instance, place.end), range(place.start, place.end)

    def moment(step: int, micro: int) -> Moment:
        return Moment(config.seed, place.instance, step, micro * engine.world + engine.rank, 0)

    def batches(step: int, micro: int, rank: int) -> Batch:
        return source(place.earlier + step, micro, rank)

    ahead = Ahead(batches, place.stage, span, engine.rank, moment, engine.device)
    # Closed on an error, too: what went wrong gets a line of its own.
    with records.bar, saying_what_to_lower(place, source.longest), spent.on("train"), ahead:
        train(
            engine,
            place.stage,
            ahead,
            records,
            moment,
            span,
            place.steps,
            guard_from(place.stage, paths.stage(place.instance), place.start),
            profiling(span, folder) if profiled and main else lambda step: nullcontext(),
            meter_for(task, config.precision, config.peak_tflops),
            lambda step: rate(step, place.stage, place.steps, place.earlier, place.goes_on),
        )
    with spent.on("save"):
        engine.save(folder / "engine")
    with saying_what_to_lower(place, source.longest):
        _write(config, engine, ending, job, origin, records, started)
    engine.leave()


def _write(
    config: Config, engine: Engine, ending: Ending, job: Job, origin: Origin, records: Records, started: float
) -> None:
    """What a segment leaves besides the engine's state, by the main process; validated by all."""
    place, folder, main = ending.place, ending.folder, engine.rank == 0
    modules = modules_of(ending.task)
    if main:
        records.close(folder)
        with ending.spent.on("save"):
            notes = {"step": str(place.end), "inventory": ending.inventory.hash}
            files = save_modules(modules, folder, origin.weights, place.stage.trained, notes)
            state_hashes = checksums(folder / "engine")
    valid = ending.validated(engine)
    if main:
        done = described(ending, job, files) | {
            "state": state_hashes,
            "parameters": {name: parameters(module) for name, module in modules.items()},
            "valid": valid,
            "processes": engine.world,
            "order": order_of(config, place),
            "started": started,
        }
        write_done(ending, done)


def in_short(done: dict[str, Any]) -> str:
    """What became of a segment (its done.json), in a line for the terminal."""
    names = {"loss": "validation loss {:.3f}"} | {rate: f"{name} {{:.1%}}" for rate, name in RATES.items()}
    figures = [names[name].format(value) for name, value in done["valid"].items()]
    return (
        f"{done['instance']} step {done['step']:,} of {done['steps']:,}: {', '.join(figures)}, "
        f"{done['ended'] - done['started']:.0f} s"
    )
