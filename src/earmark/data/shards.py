"""Shards: Arrow IPC files of log-mel features and labels, mapped into memory and read in place.

A shard's columns: id, language, text, phones (list of int16), frames (int32), features (list of float16, frames x
n_mels), crc32 (of features and phones, checked whenever a row is read). Its schema metadata: hash of the inventory,
hash of what labels depend on (lexicon, stress, rules; `Phonemizer.hash`), version of the format, and the SHA-256 of the
file itself, computed with 64 placeholders in the hash's place.

Beside it lie a Parquet index and, written last, its notes as JSON: what the shard was made of, the checksums of both
files, and what became of every row. So a job that was killed keeps the shards that it had finished.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from isal import isal_zlib

from earmark.data.moments import Moments
from earmark.errors import ShardError, UserError
from earmark.io import digest, read_json, replacing, sha256, write_json, write_parquet

FORMAT = "5"
"""Version of the shard format and of the code that makes its features: it is part of what a shard was made of."""
ROWS_PER_BATCH = 256
_PLACEHOLDER = b"@" * 64
_EDGE = 1 << 16
"""The schema, and with it the checksum, stands in the first and the last bytes of an Arrow file."""

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("language", pa.string()),
        ("text", pa.string()),
        ("phones", pa.list_(pa.int16())),
        ("frames", pa.int32()),
        ("features", pa.list_(pa.float16())),
        ("crc32", pa.uint32()),
    ]
)

INDEX = pa.schema(
    [
        ("id", pa.string()),
        ("corpus", pa.string()),
        ("split", pa.string()),
        ("language", pa.string()),
        ("speaker", pa.string()),
        ("shard", pa.string()),
        ("row", pa.int32()),
        ("frames", pa.int32()),
        ("phones", pa.int32()),
        ("duration", pa.float64()),
        ("text", pa.string()),
        ("audio_hash", pa.uint64()),
    ]
)
"""Columns of the index beside a shard; `phones` is their number, `audio_hash` that of `earmark.data.build`."""
REMEDY = "rebuild it with `earmark verify --repair CONFIG`"


class Example(NamedTuple):
    """An utterance ready for a shard: `row` is its manifest row, features are (T, n_mels) float16."""

    row: dict[str, Any]
    phones: list[int]
    features: np.ndarray
    audio_hash: int


def crc(features: np.ndarray, phones: np.ndarray) -> int:
    """Checksum of one row: of its float16 features and int16 phones."""
    return isal_zlib.crc32(phones.data, isal_zlib.crc32(features.data))


class Notes(NamedTuple):
    """What is known of a shard beside its rows."""

    made_of: str
    """Hash of everything that its bytes depend on."""
    shard: dict[str, Any]
    """{"shard", "rows", "seconds", "sha256"}."""
    index_sha256: str
    aside: list[list[str]]
    """Id and reason of each row that was meant for the shard and could not be used."""
    moments: dict[str, Any]
    """Sums over its training rows."""


def write_shard(
    path: Path,
    examples: Iterable[Example],
    inventory_hash: str,
    made_of: str = "",
    aside: list[list[str]] | None = None,
    moments: Moments | None = None,
    labels: str = "",
) -> Notes:
    """Write a shard, its index and its notes; the notes come last, so that a shard without them is not whole.

    A shard without a row has no Arrow file. `aside` and `moments` may grow while examples are taken.

    :param labels: hash of what the labels depend on.
    """
    noted, indexed = path.with_suffix(".json"), path.with_suffix(".parquet")
    noted.unlink(missing_ok=True)
    index: list[dict[str, Any]] = []
    checksum = _write_arrow(path, iter(examples), {"inventory": inventory_hash, "labels": labels}, index)
    write_parquet(indexed, pa.Table.from_pylist(index, schema=INDEX))
    seconds = round(sum(row["duration"] for row in index), 3)
    shard = {"shard": path.name, "rows": len(index), "seconds": seconds, "sha256": checksum}
    notes = Notes(made_of, shard, sha256(indexed), aside or [], moments.as_json() if moments else {})
    write_json(noted, notes._asdict() | {"digest": digest(*notes)})
    return notes


def read_notes(path: Path) -> Notes:
    """Notes of a shard, their own checksum compared.

    :raises ShardError: there are none, or they are damaged.
    """
    try:
        noted = read_json(path.with_suffix(".json"))
        stated, notes = noted.pop("digest"), Notes(**noted)
    except (UserError, AttributeError, KeyError, TypeError) as error:
        raise ShardError(f"{path} is damaged (its notes: {error}): {REMEDY}") from None
    if stated != digest(*notes):
        raise ShardError(f"{path} is damaged (its notes): {REMEDY}")
    return notes


def _write_arrow(path: Path, examples: Iterator[Example], hashes: dict[str, str], index: list[dict[str, Any]]) -> str:
    """Write the Arrow file, append to `index`, return the checksum; no example, no file."""
    batches = _batches(examples)
    batch = next(batches, None)
    if batch is None:
        path.unlink(missing_ok=True)
        return ""
    metadata = {"format": FORMAT, **hashes, "sha256": _PLACEHOLDER.decode()}
    with replacing(path) as temporary:
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, SCHEMA.with_metadata(metadata)) as writer:
            while batch:
                index += [_index_row(one, path.name, len(index) + place) for place, one in enumerate(batch)]
                writer.write_batch(_record_batch(batch))
                batch = next(batches, None)
        return _stamp(temporary)


def _batches(examples: Iterable[Example]) -> Iterator[list[Example]]:
    batch: list[Example] = []
    for example in examples:
        batch.append(example)
        if len(batch) == ROWS_PER_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _record_batch(batch: list[Example]) -> pa.RecordBatch:
    phones = [np.asarray(example.phones, dtype=np.int16) for example in batch]
    features = [np.ascontiguousarray(example.features, dtype=np.float16) for example in batch]
    columns = [
        pa.array([example.row["id"] for example in batch]),
        pa.array([example.row["language"] for example in batch]),
        pa.array([example.row["text"] for example in batch]),
        _lists(phones, pa.int16()),
        pa.array([len(one) for one in features], pa.int32()),
        _lists([one.reshape(-1) for one in features], pa.float16()),
        pa.array([crc(one, ids) for one, ids in zip(features, phones, strict=True)], pa.uint32()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _lists(arrays: list[np.ndarray], kind: pa.DataType) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(arrays), kind))


def _index_row(example: Example, shard: str, position: int) -> dict[str, Any]:
    row = example.row
    kept = {name: row[name] for name in ("id", "corpus", "split", "language", "speaker", "text")}
    frames = len(example.features)
    return kept | {
        "shard": shard,
        "row": position,
        "frames": frames,
        "phones": len(example.phones),
        "duration": frames / 100,
        "audio_hash": example.audio_hash,
    }


def _stamp(path: Path) -> str:
    """Put the file's own SHA-256 in the placeholders' places."""
    checksum = _hash_without(path, _PLACEHOLDER)
    with path.open("r+b") as handle:
        for position in _positions(path, _PLACEHOLDER):
            handle.seek(position)
            handle.write(checksum.encode())
    return checksum


def _positions(path: Path, token: bytes) -> list[int]:
    size = path.stat().st_size
    found = set()
    with path.open("rb") as handle:
        for start in (0, max(0, size - _EDGE)):
            handle.seek(start)
            edge, at = handle.read(_EDGE), -1
            while (at := edge.find(token, at + 1)) >= 0:
                found.add(start + at)
    return sorted(found)


def _hash_without(path: Path, token: bytes) -> str:
    """SHA-256 of the file as it is with placeholders wherever `token` stands in its edges."""
    hasher, position = hashlib.sha256(), 0
    with path.open("rb") as handle:
        for start in [*_positions(path, token), path.stat().st_size]:
            while position < start:
                block = handle.read(min(1 << 20, start - position))
                hasher.update(block)
                position += len(block)
            if position < path.stat().st_size:
                handle.read(len(token))
                hasher.update(_PLACEHOLDER)
                position += len(token)
    return hasher.hexdigest()


class Shard:
    """A shard opened for reading: rows come as views into the memory map."""

    def __init__(self, path: Path | str, inventory_hash: str | None = None, labels: str | None = None):
        """Open it; hashes that are given are compared with its own."""
        self.path = Path(path)
        try:
            self._map = pa.memory_map(str(self.path))
            self._reader = pa.ipc.open_file(self._map)
        except FileNotFoundError:
            raise ShardError(f"{path} does not exist: {REMEDY}") from None
        except (pa.ArrowInvalid, OSError) as error:
            raise ShardError(f"{path} is damaged ({error}): {REMEDY}") from None
        self.metadata = {key.decode(): value.decode() for key, value in (self._reader.schema.metadata or {}).items()}
        if inventory_hash and self.metadata.get("inventory") != inventory_hash:
            raise ShardError(
                f"{path} was labelled with inventory {self.metadata.get('inventory')}, this run has {inventory_hash}: "
                "build the shards again"
            )
        if labels is not None and self.metadata.get("labels") != labels:
            raise ShardError(
                f"{path} has labels of kind {self.metadata.get('labels')}, its dataset has {labels} (lexicon, stress "
                "or rules differ): build the shards again"
            )
        self._columns: dict[int, tuple[Any, ...]] = {}

    def __getitem__(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """(features (T, n_mels) float16 view, phones (U,) int16 view) of a row, its checksum compared."""
        number, position = divmod(row, ROWS_PER_BATCH)
        try:
            features, feature_at, phones, phones_at, frames, checksums, _ = self._batch(number)
            feature = features[feature_at[position] : feature_at[position + 1]]
            phone = phones[phones_at[position] : phones_at[position + 1]]
            whole = crc(feature, phone) == int(checksums[position])
        except (IndexError, ValueError, OSError, pa.ArrowException):
            whole = False
        if not whole:
            raise ShardError(f"{self.path} is damaged in row {row} (checksum): {REMEDY}")
        return feature.reshape(frames[position], -1), phone

    def labels(self, row: int) -> tuple[str, str, str]:
        """(id, language, text) of a row."""
        number, position = divmod(row, ROWS_PER_BATCH)
        try:
            batch = self._batch(number)[-1]
            key, language, text = (batch.column(name)[position].as_py() for name in ("id", "language", "text"))
        except (IndexError, ValueError, OSError, pa.ArrowException):
            raise ShardError(f"{self.path} is damaged in row {row}: {REMEDY}") from None
        return key, language, text

    def _batch(self, number: int) -> tuple[Any, ...]:
        if number not in self._columns:
            batch = self._reader.get_batch(number)
            features, phones = batch.column("features"), batch.column("phones")
            self._columns[number] = (
                features.values.to_numpy(),
                features.offsets.to_numpy(),
                phones.values.to_numpy(),
                phones.offsets.to_numpy(),
                batch.column("frames").to_numpy(),
                batch.column("crc32").to_numpy(),
                batch,
            )
        return self._columns[number]


def verify(path: Path) -> Notes:
    """Notes of a whole shard, whose file and index have the checksums that they state.

    :raises ShardError: damaged, cut short, or without its index or notes.
    """
    notes, index = read_notes(path), path.with_suffix(".parquet")
    if notes.shard["rows"]:
        stated = Shard(path).metadata.get("sha256", "")
        found = _hash_without(path, stated.encode()) if len(stated) == len(_PLACEHOLDER) else ""
        if stated != found or stated != notes.shard["sha256"]:
            raise ShardError(f"{path} is damaged (SHA-256): {REMEDY}")
    if not index.is_file() or sha256(index) != notes.index_sha256:
        raise ShardError(f"{path} is damaged (its index {index.name}): {REMEDY}")
    return notes


def whole(path: Path, made_of: str) -> Notes | None:
    """Notes of a shard that is undamaged and was made of the same things; None: it is to be built.

    :param made_of: hash of those things, or the beginning of it where the rest is not known.
    """
    try:
        return verify(path) if read_notes(path).made_of.startswith(made_of) else None
    except ShardError:
        return None
