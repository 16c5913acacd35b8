"""Hand-over: the weights that a segment takes from the segment, or the stage, before it."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from earmark.config import Config
from earmark.errors import CheckpointError
from earmark.models.build import load_weights
from earmark.models.done import handed_over, read_done
from earmark.models.llm import check_vocabulary
from earmark.text.inventory import Inventory
from earmark.train.place import Place
from earmark.train.state.checkpoint import KEPT
from earmark.train.state.initialise import modules_of
from earmark.train.tasks import NextTokenTask

FROM_BEFORE = {
    "align": ["encoder"],
    "ia_sft": ["encoder", "adaptor", "llm"],
    "joint": ["encoder", "adaptor", "llm"],
}
"""Modules that a stage of post-training takes from those before it: with their initial weights it would train, and
mean nothing."""


class Origin(NamedTuple):
    """What a segment starts from."""

    instance: str | None
    """Stage instance that was handed over; None: nothing was, the weights are the initial ones."""
    step: int
    weights: dict[str, str]
    """File of each module that was handed over; modules that are not named have their initial weights."""
    order: dict[str, Any] = {}  # noqa: RUF012 (a NamedTuple's default, never written to)
    """What the order of its utterances depended on, as `order_of` says."""


def hand_over(
    task: nn.Module, before: Path | None, inventory: Inventory, but: Collection[str] = (), place: Place | None = None
) -> Origin:
    """Load the modules that `before` (a done.json) names and `task` has; those in `but` stay as they are.

    :param place: of the segment that takes over; None: it trains nothing.
    :raises CheckpointError: `before` has another version, inventory or tokenizer, or its weights are absent, damaged or
        of another shape.
    """
    if before is None:
        return Origin(None, 0, {})
    done = read_done(before)
    check_inventory(before, done["inventory"], inventory)
    if isinstance(task, NextTokenTask):
        check_vocabulary(before, done, task.tokenizer)
    modules = modules_of(task)
    named = handed_over(done, place is not None and place.follows(done["instance"])).items()
    weights = {name: path for name, path in named if name in modules and name not in but}
    for name, path in weights.items():
        load_weights(modules[name], path)
    return Origin(done["instance"], done["step"], weights, done.get("order", {}))


def check_origin(origin: Origin, before: Path | None, place: Place, config: Config) -> None:
    """Refuse to begin, or to go on, without what the stages and segments before have trained.

    :param origin: what `before` and the swap handed over. Alignment may begin with an encoder that was pretrained
        elsewhere and that the configuration names.
    :raises CheckpointError: names the modules that are missing; a segment within a stage does not follow on another.
    """
    if place.start and origin.instance != place.instance:
        raise CheckpointError(
            f"{place.instance} step {place.end:,} goes on from step {place.start:,}, and --before names "
            f"{before or 'nothing'}: name the done.json of {place.instance} step {place.start:,} with --before"
        )
    imported = {"encoder"} if place.kind == "align" and config.encoder.weights else set()
    missing = [name for name in FROM_BEFORE.get(place.kind, []) if name not in {*origin.weights, *imported}]
    if missing:
        advice = "of a pretraining segment with --encoder"
        if place.kind != "align":
            advice = "of alignment, or of the stage after it that comes before this one, with --before"
        raise CheckpointError(
            f"{place.instance} starts from trained weights of {', '.join(missing)}, and "
            f"{f'{before} has none' if before else '--before names nothing'}: name the done.json {advice}"
        )


def check_inventory(described: Path, found: str, inventory: Inventory) -> None:
    """Refuse weights that were trained with another inventory.

    :param described: done.json that names the inventory `found`.
    """
    if found != inventory.hash:
        raise CheckpointError(
            f"{described} was trained with inventory {found}, this run has {inventory.hash}: "
            "use the inventory that it was trained with"
        )


def order_of(config: Config, place: Place) -> dict[str, Any]:
    """What the utterances of each step depend on, besides the data; as JSON holds it.

    Not the number of processes: a step's batches over all of them count.
    """
    short = place.stage.short_first
    return {
        "batches_per_step": config.processes * place.stage.accumulation,
        "like_batches": config.batch_group,
        "frames_per_batch": place.stage.frames_per_batch,
        "seed": config.seed,
        "sampling_power": config.sampling_power,
        "weights": {corpus.name: corpus.weight for corpus in config.corpora if corpus.weight is not None},
        "short_first": short.model_dump() if short else None,
    }


def check_order(before: Path, had: dict[str, Any], have: dict[str, Any]) -> None:
    """Refuse to go on in another order of utterances: some would be repeated, others skipped.

    :param had: of the segment before; what an older one does not say is not compared.
    :raises CheckpointError: names the first difference, with both values.
    """
    for key, value in have.items():
        if had.get(key, value) != value:
            name = f"{key} (processes x accumulation)" if key == "batches_per_step" else key
            raise CheckpointError(
                f"{before} was trained with {name} {had[key]}, this run has {value}, which is another order of "
                "utterances: go on with the configuration as it was (--config processes=N changes no order), or delete "
                f"{before.parent.parent}, so that the stage is trained again from its start"
            )


def state_before(origin: Origin, before: Path | None, place: Place, order: dict[str, Any]) -> Path | None:
    """Folder of the engine state to go on from; None where a stage begins: its optimizer starts afresh.

    Over a swap of the encoder IA-SFT goes on, unless it is to restart.

    :raises CheckpointError: `before` is no neighbour of the segment, its state is gone, or its utterances had another
        order.
    """
    if before is None or not place.follows(origin.instance):
        return None
    if origin.instance == place.instance and origin.step != place.start:
        raise CheckpointError(f"{before} is of step {origin.step}, the segment starts at {place.start}: rerun it")
    check_order(before, origin.order, order)
    if origin.instance != place.instance and "stopped_at" in read_done(before):
        return None  # a phase that stopped early hands on its best checkpoint, whose optimizer's state is gone
    state = before.parent / "engine"
    if not state.is_dir():
        raise CheckpointError(
            f"{before.parent} has lost its engine state (a stage keeps its newest {KEPT}): "
            f"delete {before.parent.parent}, so that the stage is trained again from its start"
        )
    return state
