"""Manifests: Parquet files with one row an utterance. Rows in = kept + set aside.

The raw manifest of a corpus is written as a stream: fifty million rows need no more memory than ten thousand, and
eight bytes an id. It is labelled in parts: contiguous ranges of its rows.
"""

import hashlib
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from earmark.io import parquet_rows, parquet_schema, parquet_writer, stream_parquet

KEPT = "kept"
"""Status of a row that goes into shards; any other status is the reason why it was set aside."""
DUPLICATE_ID = "duplicate id"
BAD_ROW = "bad row"
"""Status of a row that is none, has no id, or has a value that its column cannot hold (which then is null)."""
ROW_GROUP = 10_000
"""Rows that are held in memory at a time."""

RAW = pa.schema(
    [
        ("id", pa.string()),  # unique over all corpora: begins with the corpus's name
        ("corpus", pa.string()),
        ("split", pa.string()),  # train, valid, or the name of a test set
        ("language", pa.string()),  # see earmark.config.Language
        ("domain", pa.string()),
        ("speaker", pa.string()),
        ("audio", pa.string()),  # path of the file, or of the container that holds it
        ("member", pa.string()),  # name in a tar, or row number in a Parquet file; null: `audio` is the file itself
        ("channel", pa.int32()),  # from 0; null: the mean of all
        ("offset", pa.float64()),  # seconds
        ("duration", pa.float64()),  # seconds
        ("raw_text", pa.string()),
        ("licence", pa.string()),
        ("status", pa.string()),  # kept, or why the row was set aside
    ]
)
"""Columns of a raw manifest, as readers write it."""

LABELLED = pa.schema(
    [
        *RAW,
        pa.field("text", pa.string()),  # normalised
        pa.field("phones", pa.list_(pa.string())),
    ]
)
"""Columns of a labelled manifest."""
LABELS = "labels"
"""Entry of a labelled manifest's metadata: hash of what its labels depend on (`Phonemizer.hash`)."""


def write_manifest(path: Path, rows: Iterable[dict[str, Any]], corpus: str) -> None:
    """Write a corpus's raw manifest while its reader yields, in row groups of 10,000."""
    with parquet_writer(path, RAW) as writer:
        for part in tables(rows, RAW, corpus):
            writer.write_table(part)


def table(rows: Iterable[dict[str, Any]], schema: pa.Schema = RAW) -> pa.Table:
    """One Arrow table of rows, as `tables` completes and judges them."""
    return pa.concat_tables([schema.empty_table(), *tables(rows, schema, "")])


def tables(rows: Iterable[Any], schema: pa.Schema, corpus: str) -> Iterator[pa.Table]:
    """Arrow tables of 10,000 rows; missing optional values become null, `status` becomes kept.

    A second row with an id that was already seen has status "duplicate id". A row that does not fit the columns keeps
    what fits, with status "bad row".
    """
    seen, number, left = SeenIds(), 0, iter(rows)
    while chunk := list(itertools.islice(left, ROW_GROUP)):
        complete = [_complete(row, f"{corpus}-row-{number + place}", corpus) for place, row in enumerate(chunk)]
        for place in np.flatnonzero(seen.add([row["id"] for row in complete])):
            complete[place]["status"] = DUPLICATE_ID
        yield _fitted(complete, schema)
        number += len(chunk)


class SeenIds:
    """The ids so far as 64-bit hashes, in sorted runs that are merged when they have grown alike: 8 bytes an id.

    Among fifty million ids one is taken for another with a probability of 7e-5; its row is then set aside.
    """

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []

    def add(self, ids: list[str]) -> np.ndarray:
        """(N,) whether each id came before, here or in an earlier call."""
        encoded = (one.encode("utf-8", "surrogatepass") for one in ids)
        digests = b"".join(hashlib.blake2b(one, digest_size=8).digest() for one in encoded)
        distinct, first, place = np.unique(np.frombuffer(digests, np.uint64), return_index=True, return_inverse=True)
        known = np.zeros(len(distinct), dtype=bool)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, distinct), len(run) - 1)
            known |= run[at] == distinct
        repeated = np.ones(len(ids), dtype=bool)
        repeated[first] = False
        self._keep(distinct)
        return repeated | known[place]

    def _keep(self, hashes: np.ndarray) -> None:
        while self._runs and len(self._runs[-1]) <= len(hashes):
            hashes = np.concatenate([self._runs.pop(), hashes])
            hashes.sort()
        if len(hashes):
            self._runs.append(hashes)


def _complete(row: Any, key: str, corpus: str) -> dict[str, Any]:
    """A row with its defaults; `key` is the id of one that has none."""
    if not isinstance(row, Mapping):
        return {"id": key, "corpus": corpus, "status": BAD_ROW}
    complete = {"offset": 0.0} | dict(row) | {"status": row.get("status") or KEPT}
    if not isinstance(row.get("id"), str) or not row["id"]:
        complete |= {"id": key, "status": BAD_ROW}
    for name in ("offset", "duration"):
        value = complete.get(name)
        if isinstance(value, int | float) and not 0 <= value < math.inf:
            complete |= {name: None, "status": BAD_ROW}
    return complete


_MISFIT = (pa.ArrowException, TypeError, ValueError, OverflowError)
"""What Arrow raises for a value that its column cannot hold."""


def _fitted(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    try:
        return pa.Table.from_pylist(rows, schema=schema)
    except _MISFIT:
        return pa.Table.from_pylist([_fitting(row, schema) for row in rows], schema=schema)


def _fitting(row: dict[str, Any], schema: pa.Schema) -> dict[str, Any]:
    """The row's values that fit; the others are null."""
    kept = {}
    for column in schema:
        try:
            pa.array([row.get(column.name)], column.type)
        except _MISFIT:
            row = row | {"status": BAD_ROW}
            continue
        kept[column.name] = row.get(column.name)
    return kept | {"status": row["status"] if isinstance(row["status"], str) else BAD_ROW}


def labels_of(path: Path) -> str:
    """Hash of what the labels of a manifest depend on; empty where it says nothing.

    :raises UserError: no such manifest, or a damaged one.
    """
    metadata = parquet_schema(path).metadata or {}
    return metadata.get(LABELS.encode(), b"").decode()


def part_rows(path: Path, part: int, parts: int) -> tuple[int, int]:
    """Rows [start, end) of a part of a manifest: equal shares, each begun where a recording begins."""
    return _cut(path, part, parts), _cut(path, part + 1, parts)


def _cut(path: Path, part: int, parts: int) -> int:
    rows = parquet_rows(path)
    at = rows * part // parts
    if at in (0, rows):
        return at
    recordings = (
        (row["audio"], row["member"])
        for chunk in stream_parquet(path, ["audio", "member"], at - 1)
        for row in chunk.to_pylist()
    )
    before = next(recordings)
    # The segments of one recording stay together: it is then decoded once.
    return at + sum(1 for _ in itertools.takewhile(lambda one: one[0] is not None and one == before, recordings))


def kept_rows(
    manifests: Iterable[Path], split: str | None = None, columns: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of labelled manifests that labelling kept, in order, streamed.

    :param split: that split alone. :param columns: only these; None: all.
    """
    import pyarrow.compute as pc

    needed = None if columns is None else list(dict.fromkeys([*columns, "status", "split"]))
    for path in manifests:
        for chunk in stream_parquet(path, needed):
            wanted = pc.equal(chunk["status"], KEPT)
            if split is not None:
                wanted = pc.and_(wanted, pc.equal(chunk["split"], split))
            kept = chunk.filter(wanted)
            yield from (kept if columns is None else kept.select(columns)).to_pylist()


def counts(manifest: pa.Table) -> dict[str, int]:
    """Rows by status, most frequent first."""
    grouped = manifest.group_by("status").aggregate([([], "count_all")]).to_pydict()
    return ranked(dict(zip(grouped["status"], grouped["count_all"], strict=True)))


def ranked(reasons: Mapping[str, int]) -> dict[str, int]:
    """Counts, most frequent first."""
    return dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0])))
