"""Your own corpus: a folder of audio and a table, TSV with a header line or JSONL with one object a line.

    audio       text            language    speaker
    a/0001.wav  打开空调        zh          li
    a/0002.flac play some jazz  en          smith

    {"audio": "a/0001.wav", "text": "打开空调", "language": "zh", "speaker": "li"}

Columns (or keys) audio, text and, unless the settings say it, language are needed; id, speaker and split are optional,
others are ignored. Fields of a TSV are separated by one tab and taken as they are: there is no quoting.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from earmark.config import FolderCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import described, json_lines, placed, printable, string
from earmark.corpora.public.published import text_lines
from earmark.corpora.sources import folders
from earmark.errors import CorpusError

NEEDED = ("audio", "text", "language")


class Line(NamedTuple):
    """A line of the table."""

    number: int
    fields: dict[str, Any] | None
    """Column -> field; None where the line cannot be read."""
    fault: str = ""
    text: str = ""


def sources(corpus: FolderCorpus) -> Iterator[Path]:
    """The table, and all folders: audio may lie anywhere."""
    yield corpus.path / corpus.table
    yield from folders(corpus.path)


def read(corpus: FolderCorpus, folder: Path) -> Iterator[Row]:
    """A row a line of the table, in its order; what is wrong with a line is its row's status.

    Ids default to the audio path without its ending. A line that cannot be read has the id `line-N`.

    :raises CorpusError: no folder, no table, or a table without the needed columns.
    """
    lines = list(_lines(corpus))
    keys = _keys([_audio(line.fields) for line in lines if line.fields is not None])
    for number, fields, fault, text in lines:
        if fields is None:
            where = {"split": corpus.split, "audio": printable(corpus.path / corpus.table)}
            yield row(corpus, f"line-{number}", **where, raw_text=string(text), status=fault)
            continue
        values = described(corpus, *(fields.get(name) for name in ("text", "language", "speaker", "split")))
        audio = _audio(fields)
        where = {"audio": str(corpus.path / audio)} if "status" in values else placed(corpus.path / audio, corpus.path)
        yield row(corpus, string(fields.get("id")) or keys[audio] or f"line-{number}", **values | where)


def _audio(fields: dict[str, Any]) -> str:
    return string(fields.get("audio")) or ""


def _lines(corpus: FolderCorpus) -> Iterator[Line]:
    """The lines that are not empty."""
    if not corpus.path.is_dir():
        raise CorpusError(f"{corpus.path} is not a folder: correct `path`")
    table = corpus.path / corpus.table
    if table.suffix != ".jsonl":
        yield from _tsv(corpus, table)
        return
    if not table.is_file():
        raise CorpusError(f"{table} is not a file: write a table there")
    for number, value, text, fault in json_lines(table):
        yield Line(number, value, fault, text[:500])


def _tsv(corpus: FolderCorpus, table: Path) -> Iterator[Line]:
    lines = text_lines(table)
    try:
        first = next(lines, None)
    except OSError as error:
        raise CorpusError(f"{table} cannot be read ({error}): write a table there") from None
    if first and first.fault:
        raise CorpusError(f"{table}: its first line, of the columns' names, is not UTF-8: save the table as UTF-8")
    columns = first.text.split("\t") if first else []
    needed = NEEDED[:2] if corpus.language else NEEDED
    if missing := [name for name in needed if name not in columns]:
        raise CorpusError(
            f"{table} has the columns {', '.join(columns) or 'none'} (by tabs) and lacks "
            f"{', '.join(missing)}: its first line must name {', '.join(needed)}"
        )
    for number, line, unreadable in lines:
        fields = [field.strip() for field in line.split("\t")]
        if fault := unreadable or ("" if len(fields) == len(columns) else "wrong number of fields"):
            yield Line(number, None, fault, line[:500])
        else:
            yield Line(number, dict(zip(columns, fields, strict=True)))


def _keys(paths: list[str]) -> dict[str, str]:
    """Audio path -> id: without its ending where no other file shares that."""
    stems = {path: path.removesuffix(PurePosixPath(path).suffix) for path in paths}
    shared = Counter(stems.values())
    return {audio: stem if shared[stem] == 1 else audio for audio, stem in stems.items()}
