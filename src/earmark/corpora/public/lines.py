"""Tables and large JSON documents of published corpora, read piece by piece.

A bad line of a table becomes a row that was set aside.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from earmark.config import PublicCorpus
from earmark.corpora.base import Row
from earmark.corpora.public.published import Source, bad_row, text_lines
from earmark.errors import CorpusError

_CHUNK = 1 << 22
_ROWS = 4096
_MAX_ENTRY = 1 << 28
_SPACE = re.compile(r"[\s,]*")


class Record(NamedTuple):
    """A line of a table: its fields, or the row that it became because it is bad."""

    fields: dict[str, str]
    bad: Row | None = None


def records(
    corpus: PublicCorpus, path: Path, columns: list[str], split: str, delimiter: str | None = "\t"
) -> Iterator[Record]:
    """Lines of a table without a header; the last column takes what is left of the line.

    :param delimiter: None: any white space.
    """
    for line in text_lines(path):
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
    lines = text_lines(path)
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


def cells(path: Path, columns: Iterable[str], source: Source) -> Iterator[dict[str, Any]]:
    """Rows of a Parquet file without its column `audio`, a batch in memory at a time.

    :raises CorpusError: not Parquet, damaged, or without those columns or `audio`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if missing := [name for name in (*columns, "audio") if name not in names]:
                raise source.lacks(path.parent, f"{path.name} with the column {', '.join(missing)}")
            for batch in file.iter_batches(_ROWS, columns=list(columns), use_threads=False):
                yield from batch.to_pylist()
    # A page may turn out to be damaged long after the file was opened.
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())
        raise CorpusError(f"{path} is not readable Parquet ({said}): get it again from {source.url}") from None


def root(corpus: PublicCorpus, inside: str) -> Path:
    """The corpus's top folder: `path`, or `inside` of it, as the archive unpacks."""
    return corpus.path / inside if (corpus.path / inside).is_dir() else corpus.path


def entries(path: Path, key: str) -> Iterator[Any]:
    """Elements of the array `key` of a JSON document, one in memory at a time.

    :raises CorpusError: there is no such array, or it is damaged.
    """
    decoder, opening = json.JSONDecoder(), re.compile(rf'"{re.escape(key)}"\s*:\s*\[')
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = ""
            while not (found := opening.search(text)):
                text += (more := file.read(_CHUNK))
                if not more:
                    raise CorpusError(f'{path} holds no array "{key}": get the file again')
            at = found.end()
            while True:
                at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
                if text.startswith("]", at):
                    return
                try:
                    value, at = decoder.raw_decode(text, at)
                except (ValueError, RecursionError) as error:
                    more = file.read(max(_CHUNK, len(text) - at)) if len(text) - at < _MAX_ENTRY else ""
                    if not more:
                        raise CorpusError(f"{path} is cut short or damaged ({error}): get the file again") from None
                    text, at = text[at:] + more, 0
                    continue
                yield value
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8 ({error}): get the file again") from None
