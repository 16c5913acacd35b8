"""People's Speech: Parquet files with flac inside."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from encoded import encoded, voice

from earmark.config import PublicCorpus


def table(rows: list[tuple[str, float, str]]) -> pa.Table:
    """Rows (id, seconds, text) as they are published."""
    values = [
        {
            "id": key,
            "audio": {"bytes": encoded("flac", voice(length, seed=number)), "path": None},
            "duration_ms": round(length * 1000),
            "text": text,
        }
        for number, (key, length, text) in enumerate(rows)
    ]
    return pa.Table.from_pylist(values)


def make(folder: Path) -> PublicCorpus:
    """Two rows of clean, one of test."""
    parts = {
        "clean/train-00000-of-00001": [("a_SLASH_x_00000.flac", 0.5, "i wanted"), ("a_SLASH_x_00001.flac", 0.75, "to")],
        "test/test-00000-of-00001": [("b_SLASH_y_00000.flac", 0.5, "share this")],
    }
    for name, rows in parts.items():
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(table(rows), path)
    return PublicCorpus(name="peoples", reader="peoples_speech", path=folder)
