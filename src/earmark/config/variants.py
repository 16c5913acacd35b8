"""Variants of post-training (Table 3 of the paper), and what a run takes from another one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import model_validator

from earmark.config.base import Name, Section
from earmark.errors import ConfigError

if TYPE_CHECKING:
    from earmark.config import Config

PostStage = Literal["align", "ia_sft", "joint"]
SETTINGS = "settings.json"
"""Resolved settings in the folder of a finished run."""


class PostTraining(Section):
    """What follows pretraining (section 3.4); the paper's Table 3 leaves parts of it out."""

    stages: list[PostStage] = ["align", "ia_sft", "joint"]
    """Stages in their order: alignment, then IA-SFT, joint SFT, or both."""
    encoders: Literal["swapped", "final"] = "swapped"
    """swapped: alignment starts with the encoder of the first trigger of the watch, each later one begins a phase of
    IA-SFT. final: all stages follow pretraining, with its last encoder; IA-SFT has one phase."""
    at_swap: Literal["go_on", "restart"] = "go_on"
    """go_on: a swap changes the encoder and nothing else (A.4); Adam's moments, weights in full precision, rate and
    order of utterances go on over all phases of IA-SFT. restart: each phase has its own optimizer and warm-up."""
    updates: Literal["own", "equal"] = "own"
    """own: each stage has its own number of updates. equal: as many together as the full recipe has with the same
    triggers. What was left out goes to IA-SFT's last phase, or to joint SFT where IA-SFT is missing; the half-life of
    its rate is stretched in proportion."""

    @model_validator(mode="after")
    def _order(self) -> "PostTraining":
        if self.stages not in (["align", "ia_sft"], ["align", "joint"], ["align", "ia_sft", "joint"]):
            raise ValueError(f"stages {self.stages}: align, then ia_sft, joint, or both in this order")
        if "ia_sft" not in self.stages and self.encoders == "swapped":
            raise ValueError("encoders swapped without ia_sft: only its phases swap encoders; set encoders: final")
        return self


class Shares(Section):
    """Parts of other runs in the same `results` that this run takes, and never makes or changes."""

    data: Name | None = None
    """Run whose corpora, labels, shards and language model are taken; none: its own."""
    pretraining: Name | None = None
    """Run whose pretraining, decisions of the watch and entropy metrics of it are taken; none: its own."""

    @model_validator(mode="after")
    def _whole(self) -> "Shares":
        if self.pretraining and not self.data:
            raise ValueError(f"pretraining {self.pretraining} without data: name the run whose data it was trained on")
        return self


# ---------------------------------------------------------------------------- post-training


class Planned(NamedTuple):
    """A stage instance of post-training: its name (ia_sft_2), kind (ia_sft), and updates."""

    instance: str
    kind: str
    steps: int
    last_phase: bool


def phases(triggers: list[int], pretrain_steps: int) -> list[int]:
    """Pretraining steps of the encoders of post-training, in order; the last entry is the final encoder's.

    Before pretraining ends, all but the last entry are known from the triggers so far. A trigger at the very end is
    the final encoder, and makes no phase of its own.
    """
    return [*(step for step in triggers if step < pretrain_steps), pretrain_steps]


def encoders(config: "Config", triggers: list[int]) -> list[int]:
    """Pretraining steps of the encoders of alignment and IA-SFT: one a phase, alignment has the first one's."""
    swapped = config.post_training.encoders == "swapped"
    return phases(triggers if swapped else [], config.stages.pretrain.steps)


def plan(config: "Config", triggers: list[int]) -> list[Planned]:
    """Stage instances of post-training in their order, from all triggers of the watch."""
    chosen, count = config.post_training.stages, len(encoders(config, triggers))
    planned = [Planned("align", "align", config.stage_steps("align"), False)]
    if "ia_sft" in chosen:
        for number in range(1, count + 1):
            steps = config.stage_steps("ia_sft", number == count)
            planned.append(Planned(f"ia_sft_{number}", "ia_sft", steps, number == count))
    if "joint" in chosen:
        planned.append(Planned("joint", "joint", config.stage_steps("joint"), False))
    if config.post_training.updates == "own":
        return planned
    receiver = count if "ia_sft" in chosen else -1  # alignment stands before the phases
    missing = _full_updates(config, triggers) - sum(one.steps for one in planned)
    planned[receiver] = planned[receiver]._replace(steps=planned[receiver].steps + missing)
    return planned


def _full_updates(config: "Config", triggers: list[int]) -> int:
    """Updates of post-training by the full recipe with these triggers."""
    swaps = len(phases(triggers, config.stages.pretrain.steps)) - 1
    ia_sft = swaps * config.stage_steps("ia_sft") + config.stage_steps("ia_sft", last_phase=True)
    return config.stage_steps("align") + ia_sft + config.stage_steps("joint")


# ---------------------------------------------------------------------------- sharing


def check_shared(config: "Config") -> None:
    """Refuse a run that shares what was made with other settings than its own, or is not there.

    :raises ConfigError: names the first difference, with both values.
    """
    for part, compared in (("data", _of_data), ("pretraining", _of_pretraining)):
        run = getattr(config.shares, part)
        if not run:
            continue
        there = _finished(config, part, run)
        for name, value in compared(config).items():
            where, here, other = _difference(name, value, compared(there)[name])
            if where:
                raise ConfigError(
                    f"shares.{part} {run}: {where} is {here} here and {other} in that run: make them equal, or leave "
                    f"out shares.{part}"
                )
        if part == "pretraining" and (there.shares.data or run) != config.shares.data:
            raise ConfigError(
                f"shares.pretraining {run} was trained on the data of {there.shares.data or run}, shares.data is "
                f"{config.shares.data}: name the same"
            )


def check_tests(config: "Config") -> None:
    """Refuse a test set that data which are there already, another run's or finished ones, do not have.

    :raises ConfigError: names the splits that they have. Data that are not there are for Snakemake to miss.
    """
    path = config.paths.dataset
    try:
        splits = list(json.loads(path.read_text(encoding="utf-8"))["bounds"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is damaged ({error!r}): run `earmark dataset` again") from None
    require_tests(config, splits)


def require_tests(config: "Config", splits: list[str]) -> None:
    """Refuse a test set without utterances before training, not after it.

    :param splits: names of those that have some.
    """
    for test in config.evaluation.tests:
        if test.split not in splits:
            raise ConfigError(
                f"evaluation.tests: {test.name} is of split {test.split}, of which no utterance was kept; there are "
                f"{', '.join(splits)}: correct the name, or see {config.paths.excluded}"
            )


def _finished(config: "Config", part: str, run: str) -> "Config":
    from earmark.config import parse

    path = config.results / run / SETTINGS
    if run == config.run:
        raise ConfigError(f"shares.{part} {run} is this run itself: leave it out, or name another run")
    try:
        there = parse(json.loads(path.read_text(encoding="utf-8")), str(path))
    except FileNotFoundError:
        raise ConfigError(f"shares.{part} {run}: {path} does not exist: finish that run first") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"shares.{part} {run}: {path} is damaged ({error}): make that run's report again") from None
    owner = getattr(there.shares, part)
    if owner:
        raise ConfigError(f"shares.{part} {run}: it takes that from {owner} itself: name that one")
    return there


def _of_data(config: "Config") -> dict[str, Any]:
    """Settings that corpora, labels, shards and language model were made with."""
    values = config.model_dump(mode="json")
    corpora = [{key: one[key] for key in one if key != "weight"} for one in values["corpora"]]
    if isinstance(config.llm, Path):
        values["llm"] = str(config.llm.resolve())
    return {"corpora": corpora} | {key: values[key] for key in ("text", "shards", "llm", "prompt", "adaptor")}


def _of_pretraining(config: "Config") -> dict[str, Any]:
    """Settings that pretraining, the watch and the entropy metrics of snapshots were made with."""
    values = config.model_dump(mode="json")
    shared = {key: values[key] for key in ("encoder", "decoder", "best_rq", "watch", "sampling_power")}
    weights = {"corpora": {one["name"]: {"weight": one["weight"]} for one in values["corpora"]}}
    diagnosis = {key: values["evaluation"][key] for key in ("pca_dim", "ridge", "diagnosed_utterances", "embedder")}
    return shared | weights | {"stages": {"pretrain": values["stages"]["pretrain"]}, "evaluation": diagnosis}


def _difference(where: str, here: Any, there: Any) -> tuple[str, Any, Any]:
    """(path, value, other value) of the first difference; ("", None, None) if there is none."""
    if here == there:
        return "", None, None
    pairs: list[tuple[Any, Any, Any]] = []
    if isinstance(here, dict) and isinstance(there, dict):
        pairs = [(key, here.get(key), there.get(key)) for key in dict.fromkeys([*here, *there])]
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        pairs = [(number, *both) for number, both in enumerate(zip(here, there, strict=True))]
    found = (_difference(f"{where}.{key}", one, other) for key, one, other in pairs)
    return next((one for one in found if one[0]), (where, here, there))
