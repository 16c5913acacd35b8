"""Tables of published corpora, read line by line: a bad line becomes a row that was set aside."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from earmark.config import PublicCorpus
from earmark.corpora.base import Row
from earmark.corpora.own import MAX_LINE
from earmark.corpora.published import Line, Source, bad_row


class Record(NamedTuple):
    """A line of a table: its fields, or the row that it became because it is bad."""

    fields: dict[str, str]
    bad: Row | None = None


def stream(path: Path) -> Iterator[Line]:
    """Lines of a UTF-8 file that are not empty, one in memory at a time."""
    with path.open("rb") as file:
        number = 0
        while data := file.readline(MAX_LINE):
            number += 1
            try:
                text = data.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                yield Line(number, data.decode(errors="replace").rstrip("\r\n"), "line is not UTF-8")
                continue
            if text.strip():
                yield Line(number, text, None)


def records(
    corpus: PublicCorpus, path: Path, columns: list[str], split: str, delimiter: str | None = "\t"
) -> Iterator[Record]:
    """Lines of a table without a header; the last column takes what is left of the line.

    :param delimiter: None: any white space.
    """
    for line in stream(path):
        values = line.text.split(delimiter, len(columns) - 1)
        fault = line.fault or (None if len(values) == len(columns) else "wrong number of fields")
        if fault:
            yield Record({}, bad_row(corpus, path, line.number, line.text, fault, split))
        else:
            yield Record(dict(zip(columns, values, strict=True)))


def headed(
    corpus: PublicCorpus, path: Path, needed: Iterable[str], source: Source, split: str, delimiter: str = "\t"
) -> Iterator[Record]:
    """Lines of a table whose first line names its columns. Fields are taken as they are: there is no quoting.

    :raises CorpusError: the first line lacks a needed column.
    """
    lines = stream(path)
    first = next(lines, None)
    columns = first.text.split(delimiter) if first else []
    if missing := [name for name in needed if name not in columns]:
        raise source.lacks(path.parent, f"{path.name} with the column {', '.join(missing)}")
    for line in lines:
        values = line.text.split(delimiter)
        fault = line.fault or (None if len(values) == len(columns) else "wrong number of fields")
        if fault:
            yield Record({}, bad_row(corpus, path, line.number, line.text, fault, split))
        else:
            yield Record(dict(zip(columns, values, strict=True)))


def root(corpus: PublicCorpus, inside: str) -> Path:
    """The corpus's top folder: `path`, or `inside` of it, as the archive unpacks."""
    return corpus.path / inside if (corpus.path / inside).is_dir() else corpus.path
