"""Labelled manifest of a part -> its shards: decode, trim, features, write.

Which rows a shard holds follows from the manifest alone. So a shard is built, kept or rebuilt without the others, and
its bytes depend neither on the number of workers nor on how often the job was interrupted.
"""

import collections
import hashlib
import itertools
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from earmark.audio.fbank import fbank
from earmark.audio.read import SAMPLE_RATE, read_samples, scaled
from earmark.audio.trim import speech_bounds
from earmark.config import Config, CorpusBase
from earmark.data.labels import frames_status, is_test, phonemizer
from earmark.data.manifest import KEPT, counts, labels_of, ranked
from earmark.data.moments import Moments, summed
from earmark.data.shards import FORMAT, Example, Notes, whole, write_shard
from earmark.errors import AudioError, ShardError, UserError
from earmark.io import digest, read_json, sha256, stream_parquet, write_json, write_parquet
from earmark.text.inventory import Inventory

ASIDE = pa.schema([("id", pa.string()), ("status", pa.string())])
N_MELS = 80
Change = Callable[[np.ndarray], np.ndarray]
_CHUNK = 32
"""Rows that a worker gets at a time: neighbours, often of one recording."""


def samples_of(row: dict[str, Any]) -> np.ndarray:
    """Samples (N,) at 16 kHz of a manifest row: float32 in [-1, 1], or int16."""
    member = {"member": row["member"]} if row.get("member") is not None else {}
    return read_samples(row["audio"], row["offset"] or 0.0, row["duration"], row["channel"], **member)


def features_of(row: dict[str, Any], trim: bool, change: Change | None = None) -> np.ndarray:
    """Log-mel features (T, 80) float16 of a manifest row; for `change` see `log_mel`."""
    return half(log_mel(samples_of(row), trim, change))


def log_mel(samples: np.ndarray, trim: bool, change: Change | None = None) -> np.ndarray:
    """Log-mel features (T, 80) float32 of samples (N,) at 16 kHz, float32 or int16.

    :param change: what becomes of the samples after trimming: float32 in, float32 or int16 out.
    """
    if trim or change:
        samples = scaled(samples)
    if trim:
        start, end = speech_bounds(samples, SAMPLE_RATE)
        samples = samples[start:end]
    return fbank(change(samples) if change else samples, N_MELS)


def half(features: np.ndarray) -> np.ndarray:
    """`features.astype(np.float16)`, to the last bit, by torch: numpy takes twenty times as long."""
    converted: np.ndarray = torch.from_numpy(features).half().numpy()
    return converted


def audio_hash(samples: np.ndarray) -> int:
    """First 8 bytes, read big-endian, of the SHA-256 of samples (N,) as 16-bit integers: equal for equal recordings."""
    if samples.dtype != np.int16:
        samples = samples * np.float32(32768)
        np.clip(np.rint(samples, out=samples), -32768, 32767, out=samples)
    return int.from_bytes(hashlib.sha256(samples.astype("<i2", copy=False).data).digest()[:8], "big")


Computed = tuple[np.ndarray, int] | str
"""Features and audio hash of a row, or why it is set aside."""


NO_SIGNAL = "no signal"
"""Status of a row whose samples are one constant, or move by one step of 16 bits at most: nothing of what was said."""


def has_signal(samples: np.ndarray) -> bool:
    """Whether (N,) samples, int16 or float32 in [-1, 1], move by more than one step of 16 bits.

    Zeros, a constant offset, channels that cancel each other and the noise of rounding them have none.
    """
    low, high = samples.min(), samples.max()
    return bool(int(high) - int(low) > 1 if samples.dtype == np.int16 else high - low > 1 / 32768)


def _compute(row: dict[str, Any], trim: bool) -> Computed:
    try:
        samples = samples_of(row)
    except AudioError:
        return "undecodable audio"
    if row.get("text") and not has_signal(samples):
        return NO_SIGNAL
    features = log_mel(samples, trim)
    if not np.isfinite(features).all():
        return "features not finite"
    status = KEPT if is_test(row.get("split", "train")) else frames_status(len(features), row["phones"])
    return (half(features), audio_hash(samples)) if status == KEPT else status


def _compute_chunk(rows: list[dict[str, Any]], trim: bool) -> list[Computed]:
    return [_compute(row, trim) for row in rows]


@dataclass(frozen=True)
class Part:
    """What the shards of one part of a corpus are made of, and where they lie."""

    corpus: str
    number: int
    manifest: Path
    """Labelled manifest of the part."""
    folder: Path
    inventory: Inventory
    hours: float
    """Of a shard, at most."""
    trim: bool = False
    workers: int = 1
    """Processes; one: this one."""
    labels: str | None = None
    """Hash of what labels have to depend on; none: the manifest's."""

    def shard(self, number: int) -> Path:
        """Path of a shard."""
        return self.folder / f"{self.corpus}-{self.number:04d}-{number:04d}.arrow"


def parts_of(config: Config, corpus: CorpusBase, workers: int = 1) -> Iterator[Part]:
    """The parts of a corpus, as the configuration has them."""
    paths, inventory = config.paths, Inventory.from_settings(config.text)
    hours, trim, labels = config.shards.hours, corpus.trim_silence, phonemizer(config.text).hash
    for number in range(corpus.parts):
        places = paths.manifest(corpus.name, number), paths.shards(corpus.name, number)
        yield Part(corpus.name, number, *places, inventory, hours, trim, workers, labels)


def remove_other_parts(config: Config, corpus: CorpusBase) -> None:
    """Remove the shards of parts that the corpus had with another setting of `parts`: patterns would find them."""
    for folder in config.paths.shards(corpus.name).parent.glob("part_[0-9][0-9][0-9][0-9]"):
        if int(folder.name[-4:]) >= corpus.parts:
            shutil.rmtree(folder, ignore_errors=True)  # another part's job may be faster


def build_shards(part: Part) -> dict[str, Any]:
    """Write a part's shards; `done.json` comes last and says what they hold.

    Shards that are there, undamaged and made of the same things stay as they are, and so does an equal `done.json`.
    Rows whose audio turns out unusable go to `aside.parquet`.

    :raises ShardError: a row was lost, a worker was killed, or the manifest has labels of another kind.
    """
    kind = labels_of(part.manifest)
    if part.labels not in (None, kind):
        raise ShardError(
            f"{part.manifest} has labels of kind {kind or 'unknown'}, this run has {part.labels} (lexicon, stress, "
            "inventory or rules differ): run `earmark label` again"
        )
    part.folder.mkdir(parents=True, exist_ok=True)
    labels = sha256(part.manifest)
    made_of = digest(FORMAT, labels, part.inventory.hash, part.trim)
    ranges = shard_ranges(part.manifest, part.hours)
    _remove_others(part, len(ranges))
    with _Workers(part.workers) as workers:
        notes = [_whole_or_built(part, number, rows, made_of, workers, kind) for number, rows in enumerate(ranges)]
    aside = [{"id": key, "status": status} for one in notes for key, status in one.aside]
    write_parquet(part.folder / "aside.parquet", pa.Table.from_pylist(aside, schema=ASIDE))
    done = _done(part, notes, labels, kind)
    if not _says(part.folder / "done.json", done):
        write_json(part.folder / "done.json", done)
    return done


def _says(path: Path, done: dict[str, Any]) -> bool:
    """Whether the marker is there already; written again, it would make the workflow repeat what follows."""
    try:
        return bool(read_json(path) == done)
    except UserError:
        return False


def shard_ranges(manifest: Path, hours: float) -> list[tuple[int, int]]:
    """Rows [start, end) of each shard: as few as can be of about equal length, none over `hours` by much."""
    tables = stream_parquet(manifest, ["status", "duration"])
    seconds = [_kept_seconds(table) for table in tables]
    total = np.cumsum(np.concatenate([np.zeros(1), *seconds]))
    count = int(np.ceil(total[-1] / (hours * 3600)))
    # total[n] is the length of the first n rows.
    ends = [int(np.searchsorted(total, total[-1] * number / count - 1e-6)) for number in range(1, count + 1)]
    bounds = sorted({0, *ends})
    return list(itertools.pairwise(bounds))


def _kept_seconds(table: pa.Table) -> np.ndarray:
    kept = table["status"].to_numpy(zero_copy_only=False) == KEPT
    return np.where(kept, np.nan_to_num(table["duration"].to_numpy(zero_copy_only=False).astype(float)), 0.0)


def _remove_others(part: Part, count: int) -> None:
    """Remove what other settings or a killed job left in the folder, so that patterns find this part's files alone."""
    shards = [part.shard(number) for number in range(count)]
    ours = {path.with_suffix(suffix).name for path in shards for suffix in (".arrow", ".parquet", ".json")}
    ours |= {"aside.parquet", "done.json"}
    for path in part.folder.iterdir():
        if path.name not in ours:
            path.unlink(missing_ok=True)


def _whole_or_built(
    part: Part, number: int, rows: tuple[int, int], made_of: str, workers: "_Workers", kind: str
) -> Notes:
    """`made_of`: hash of what all shards of the part depend on. Where audio is gone, a shard of it is kept."""
    made_of, heard = f"{digest(made_of, *rows)}-", _heard(part.manifest, rows)
    kept = whole(part.shard(number), made_of + (heard or ""))
    return kept or _build(part, number, rows, made_of + (heard or ""), workers, kind)


def _heard(manifest: Path, rows: tuple[int, int]) -> str | None:
    """Hash of the sizes and times of the files that kept rows are read from; None: one is missing."""
    files: dict[str, None] = {}
    for table in stream_parquet(manifest, ["audio", "status"], *rows):
        files.update(dict.fromkeys(row["audio"] for row in table.to_pylist() if row["status"] == KEPT))
    try:
        known = [Path(name).stat() for name in files]
    except OSError:
        return None
    return digest([(one.st_size, one.st_mtime_ns) for one in known])


def _build(part: Part, number: int, rows: tuple[int, int], made_of: str, workers: "_Workers", kind: str) -> Notes:
    aside: list[list[str]] = []
    moments = Moments(N_MELS)
    examples = _examples(part, rows, workers, aside, moments)
    return write_shard(part.shard(number), examples, part.inventory.hash, made_of, aside, moments, kind)


def _examples(
    part: Part, rows: tuple[int, int], workers: "_Workers", aside: list[list[str]], moments: Moments
) -> Iterator[Example]:
    from tqdm import tqdm

    tables = stream_parquet(part.manifest, start=rows[0], end=rows[1])
    kept = (row for table in tables for row in table.to_pylist() if row["status"] == KEPT)
    progress = tqdm(desc=f"part {part.number}, rows from {rows[0]} on", unit=" rows", mininterval=2)
    with progress:
        for row, computed in workers.compute(kept, part.trim):
            progress.update()
            if isinstance(computed, str):
                aside.append([row["id"], computed])
                continue
            features, hashed = computed
            if row["split"] == "train":
                moments.add(features)
            yield Example(row, part.inventory.encode(row["phones"]), features, hashed)


class _Workers:
    """Computes features in this process, or in several; a process is started when it is first needed."""

    def __init__(self, count: int):
        self.count = count
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def compute(self, rows: Iterator[dict[str, Any]], trim: bool) -> Iterator[tuple[dict[str, Any], Computed]]:
        """Each row with what came of it, in order; few rows are under way at a time, whatever takes them up."""
        if self.count == 1:
            for row in rows:
                yield row, _compute(row, trim)
            return
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.count, mp_context=multiprocessing.get_context("spawn"))
        waiting: collections.deque[tuple[list[dict[str, Any]], Future[list[Computed]]]] = collections.deque()
        try:
            while chunk := list(itertools.islice(rows, _CHUNK)):
                waiting.append((chunk, self._pool.submit(_compute_chunk, chunk, trim)))
                if len(waiting) > 2 * self.count:
                    yield from _taken(*waiting.popleft())
            while waiting:
                yield from _taken(*waiting.popleft())
        except BrokenProcessPool:
            raise ShardError("a worker was killed, likely for its memory: give more, or fewer workers") from None


def _taken(chunk: list[dict[str, Any]], future: "Future[list[Computed]]") -> Iterator[tuple[dict[str, Any], Computed]]:
    return zip(chunk, future.result(), strict=True)


def _done(part: Part, notes: list[Notes], manifest_sha256: str, kind: str) -> dict[str, Any]:
    """What a part's shards hold: rows = kept + all reasons."""
    labelled: collections.Counter[str] = collections.Counter()
    for table in stream_parquet(part.manifest, ["status"]):
        labelled.update(counts(table))
    rows_in = labelled.pop(KEPT, 0)
    aside = collections.Counter(status for one in notes for _, status in one.aside)
    kept = sum(one.shard["rows"] for one in notes)
    if rows_in != kept + aside.total():
        raise ShardError(f"{part.folder}: {rows_in} rows in, {kept} kept, {aside.total()} set aside: a row was lost")
    moments = [one.moments for one in notes]
    return {
        "corpus": part.corpus,
        "part": part.number,
        "inventory": part.inventory.hash,
        "labels": kind,
        "rows": rows_in + labelled.total(),
        "rows_in": rows_in,
        "kept": kept,
        "set_aside": aside.total(),
        "reasons": ranked(labelled + aside),
        "shards": [one.shard for one in notes if one.shard["rows"]],
        "moments": {
            "frames": sum(one["frames"] for one in moments),
            "total": summed([one["total"] for one in moments], N_MELS),
            "squares": summed([one["squares"] for one in moments], N_MELS),
            **{name: sum(one[name] for one in moments) for name in ("utterances", "level", "level_squares")},
        },
        "manifest": str(part.manifest),
        "manifest_sha256": manifest_sha256,
    }
