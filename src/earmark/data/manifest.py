"""Manifests: one Parquet file a corpus, one row an utterance. Rows in = kept + set aside."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

KEPT = "kept"
"""Status of a row that goes into shards; any other status is the reason why it was set aside."""

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
        ("channel", pa.int32()),
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


def table(rows: Iterable[dict[str, Any]], schema: pa.Schema = RAW) -> pa.Table:
    """Arrow table of rows; missing optional values become null, `status` becomes kept.

    A second row with an id that was already seen is kept in the table with status "duplicate id".
    """
    seen: set[str] = set()
    complete = []
    for row in rows:
        status = row.get("status", KEPT)
        if row["id"] in seen:
            status = "duplicate id"
        seen.add(row["id"])
        complete.append({"channel": 0, "offset": 0.0} | row | {"status": status})
    return pa.Table.from_pylist(complete, schema=schema)


def counts(manifest: pa.Table) -> dict[str, int]:
    """Rows by status, most frequent first."""
    grouped = manifest.group_by("status").aggregate([([], "count_all")]).to_pydict()
    pairs = zip(grouped["status"], grouped["count_all"], strict=True)
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
