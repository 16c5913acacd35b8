"""What a finished run left behind, read once: the summary, the figures and the page all start from here.

Only what the configuration asks for is read, so leftovers of earlier settings in the folder do not show.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from earmark.config import TRAINS, Config, CorpusBase, Planned, encoders, plan, segments
from earmark.errors import ShardError
from earmark.io import read_json, read_parquet

LABEL_SYSTEMS = {"per": "ctc phones", "ter": "ctc characters"}
"""Measures of the CTC head alone, and its names among the systems of the evaluation."""


@dataclass(frozen=True)
class Segment:
    """A segment of training, from its done.json."""

    instance: str
    """pretrain, align, ia_sft_1, ..., joint."""
    start: int
    """Updates made before it."""
    step: int
    """Updates made after it."""
    done: dict[str, Any]
    folder: Path

    @property
    def started(self) -> float:
        """Unix seconds."""
        return float(self.done["started"])

    @property
    def ended(self) -> float:
        """Unix seconds."""
        return float(self.done["ended"])

    @property
    def encoder_step(self) -> int | None:
        """Pretraining step of the encoder that it ended with; None: it trained one itself."""
        match = re.search(r"pretrain/step_(\d+)/", self.done["weights"]["encoder"])
        return int(match[1]) if match and "encoder" not in self.done["trained"] else None


@dataclass(frozen=True)
class Part:
    """Utterances of one corpus, split and language."""

    corpus: str
    split: str
    language: str
    rows: int
    kept: int
    seconds: float
    """Speech of the kept ones."""

    @property
    def set_aside(self) -> int:
        """Rows that were not kept."""
        return self.rows - self.kept


class Results:
    """The files of a finished run; a missing one is a `UserError` that names it."""

    def __init__(self, config: Config):
        self.config = config
        self.paths = config.paths
        self.dataset: dict[str, Any] = read_json(self.paths.dataset)
        self.language: dict[str, Any] = read_json(self.paths.llm / "done.json")
        self.trace: list[dict[str, Any]] = read_json(self.paths.trace)
        self.scores: list[dict[str, Any]] = read_json(self.paths.evaluation / "scores.json")

    @cached_property
    def phases(self) -> list[int]:
        """Pretraining steps of the encoders that alignment and IA-SFT had, the final one last."""
        return encoders(self.config, self.trace[-1]["triggers"])

    @cached_property
    def plan(self) -> list[Planned]:
        """Stage instances of post-training, in order."""
        return plan(self.config, self.trace[-1]["triggers"])

    @property
    def has_ctc_head(self) -> bool:
        """Whether pretraining had one; AED and Best-RQ have none."""
        return "ctc_head" in TRAINS[self.config.stages.pretrain.loss][1]

    @cached_property
    def stages(self) -> dict[str, list[Segment]]:
        """Segments by stage instance, in the order of training."""
        pretrain = self._segments("pretrain", self.config.stages.pretrain.steps)
        return {"pretrain": pretrain} | {one.instance: self._segments(one.instance, one.steps) for one in self.plan}

    @cached_property
    def own_stages(self) -> dict[str, list[Segment]]:
        """The same without pretraining where it is another run's."""
        shared = self.config.shares.pretraining
        return {name: parts for name, parts in self.stages.items() if not (shared and name == "pretrain")}

    def _segments(self, instance: str, steps: int) -> list[Segment]:
        ends = segments(steps, getattr(self.config.stages, kind_of(instance)).segment_steps)
        found = []
        for start, end in zip([0, *ends], ends, strict=False):
            folder = self.paths.step(instance, end)
            found.append(Segment(instance, start, end, read_json(folder / "done.json"), folder))
        return found

    def records(self, instance: str, columns: list[str]) -> dict[str, list[Any]]:
        """Columns of metrics.parquet over all segments of a stage instance."""
        tables = [read_parquet(one.folder / "metrics.parquet", columns) for one in self.stages[instance]]
        return pa.concat_tables(tables).to_pydict()

    @cached_property
    def entropy(self) -> list[dict[str, Any]]:
        """Entropy metrics of all diagnosed snapshots, in the order of training."""
        watched = {
            self.config.watch.first_step,
            *self.config.watched_steps(),
            self.config.stages.pretrain.steps,
        }
        files = [self.paths.entropy("pretrain", step) for step in sorted(watched)]
        for instance, parts in self.stages.items():
            if instance == "joint":  # every snapshot of it that was diagnosed: its trend is what section 3.2 warns of
                ends = [one.step for one in parts[:-1] if self.paths.entropy(instance, one.step).is_file()]
                files += [self.paths.entropy(instance, step) for step in ends]
            if instance != "pretrain":
                files.append(self.paths.entropy(instance, parts[-1].step))
        return [read_json(path) for path in files]

    @cached_property
    def utterances(self) -> list[dict[str, Any]]:
        """Rows of evaluation/utterances.parquet."""
        return read_parquet(self.paths.evaluation / "utterances.parquet").to_pylist()

    @cached_property
    def parts(self) -> list[Part]:
        """Utterances by corpus, split and language.

        :raises ShardError: rows in differ from kept + set aside as the shards have them.
        """
        accounts = self.dataset["corpora"]
        return [part for one in self.config.corpora for part in _parts(self.config, one, accounts[one.name])]

    @property
    def started(self) -> float:
        """Beginning of the run, Unix seconds: the earliest time that any file of it bears.

        Data preparation writes no times of its own. Its logs and audio are the first files of a run; they bear the
        time at which they were last written, which for the earliest of them is seconds after the beginning.
        """
        logs, corpora = self.paths.folder / "logs", self.paths.folder / "corpora"
        early = [*logs.glob("*"), *logs.glob("corpus/*"), *corpora.glob("*"), *corpora.glob("*/*")]
        early += corpora.glob("*/audio/*")
        times = [path.stat().st_mtime for path in early]
        times += [one.started for parts in self.own_stages.values() for one in parts]
        return min([*times, *([] if self.config.shares.data else [self.language["started"]])])

    @property
    def ended(self) -> float:
        """End of the run before its report, Unix seconds: the last end of a segment, or of the evaluation."""
        evaluated = (self.paths.evaluation / "scores.json").stat().st_mtime
        return max([evaluated, *(one.ended for parts in self.stages.values() for one in parts)])


def kind_of(instance: str) -> str:
    """Stage of an instance: ia_sft_2 -> ia_sft."""
    return "ia_sft" if instance.startswith("ia_sft") else instance


def system_of(systems: list[str], measure: str) -> str:
    """The system whose rate stands for a measure: the CTC head for its labels, else beam search if there is one."""
    if LABEL_SYSTEMS.get(measure) in systems:
        return LABEL_SYSTEMS[measure]
    return "beam" if "beam" in systems else "greedy"


def _parts(config: Config, corpus: CorpusBase, account: dict[str, Any]) -> list[Part]:
    """Rows in from the labelled manifests, rows kept from the indexes beside the shards but for the excluded ones."""
    keys, paths = ["split", "language"], config.paths
    manifests = [read_parquet(path, keys) for path in paths.manifests(corpus.name, corpus.parts)]
    rows = _grouped(pa.concat_tables(manifests), keys, [([], "count_all")])
    indexes = [
        read_parquet((marker.parent / shard["shard"]).with_suffix(".parquet"), [*keys, "duration", "id"])
        for marker in (paths.shards_done(corpus.name, part) for part in range(corpus.parts))
        for shard in read_json(marker)["shards"]
    ]
    kept: dict[tuple[str, ...], dict[str, Any]] = {}
    if indexes:
        index = pa.concat_tables(indexes)
        if paths.excluded.is_file():
            excluded = read_parquet(paths.excluded, ["id", "corpus"])
            excluded = excluded.filter(pc.equal(excluded["corpus"], corpus.name))
            index = index.filter(pc.invert(pc.is_in(index["id"], excluded["id"].combine_chunks())))
        kept = _grouped(index, keys, [([], "count_all"), ("duration", "sum")])
    splits = [split for split, _ in rows]
    none = {"count_all": 0, "duration_sum": 0.0}
    parts = [
        Part(corpus.name, split, language, one["count_all"], *kept.get((split, language), none).values())
        for (split, language), one in sorted(rows.items(), key=lambda item: splits.index(item[0][0]))
    ]
    aside = sum(part.set_aside for part in parts)
    if aside != sum(account["set_aside"].values()) or sum(part.kept for part in parts) != account["kept"]:
        raise ShardError(
            f"{corpus.name}: {aside} rows are not in its shards, {account['set_aside']} set aside: build again"
        )
    return parts


def _grouped(table: pa.Table, keys: list[str], aggregations: list[Any]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Aggregates by the values of `keys`, in order of first appearance."""
    rows = table.group_by(keys, use_threads=False).aggregate(aggregations).to_pylist()
    return {tuple(row[key] for key in keys): {name: row[name] for name in row if name not in keys} for row in rows}
