"""What the tests of readers of public corpora share."""

from pathlib import Path

from earmark.config import PublicCorpus
from earmark.corpora.base import reader
from earmark.data import manifest


def rows_of(corpus: PublicCorpus, folder: Path) -> list[dict]:
    """Rows of the manifest."""
    return manifest.table(reader(corpus)(corpus, folder)).to_pylist()


def brief(rows: list[dict], *columns: str) -> list[tuple]:
    """Some columns of the rows."""
    return [tuple(row[column] for column in columns) for row in rows]


def statuses(rows: list[dict]) -> dict[str, int]:
    """Rows by status."""
    counted: dict[str, int] = {}
    for row in rows:
        counted[row["status"]] = counted.get(row["status"], 0) + 1
    return counted


def append(path: Path, line: str) -> None:
    """Add a line to a text file."""
    with path.open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(line + "\n")
