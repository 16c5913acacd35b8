"""Your own corpus: a folder of audio and a TSV with a header line.

    audio       text            language    speaker
    a/0001.wav  打开空调        zh          li
    a/0002.flac play some jazz  en          smith

Columns audio, text and language are needed; id, speaker and split are optional, others are ignored.
Fields are separated by one tab and taken as they are: there is no quoting.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import get_args

from earmark.config import FolderCorpus, Language
from earmark.corpora.base import Row, row
from earmark.corpora.recordings import measured
from earmark.errors import CorpusError

NEEDED = ("audio", "text", "language")
_SPLIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

Line = dict[str, str]
"""One line of the table: column -> field."""


def read(corpus: FolderCorpus, folder: Path) -> Iterator[Row]:
    """A row a line of the table, in its order; what is wrong with a line is its row's status.

    Ids default to the audio path without its ending. A line that cannot be read has the id `line-N`.

    :raises CorpusError: no folder, no table, or a table without the needed columns.
    """
    lines = _lines(corpus)
    keys = _keys([fields for _, fields in lines if fields])
    for number, fields in lines:
        if fields is None:
            yield row(corpus, f"line-{number}", split="train", status="wrong number of fields")
            continue
        yield row(
            corpus,
            fields.get("id") or keys[fields["audio"]] or f"line-{number}",
            split=fields.get("split") or "train",
            language=fields["language"],
            speaker=fields.get("speaker") or None,
            raw_text=fields["text"],
            **_checked(corpus.path, fields),
        )


def _lines(corpus: FolderCorpus) -> list[tuple[int, Line | None]]:
    """Line number and fields of each line that is not empty; None where their number is wrong."""
    if not corpus.path.is_dir():
        raise CorpusError(f"{corpus.path} is not a folder: correct `path`")
    table = corpus.path / corpus.table
    try:
        # Not splitlines: it would also break at characters that may stand inside a text.
        first, *rest = table.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{table} cannot be read as UTF-8 text ({error}): write a table there") from None
    columns = first.rstrip("\r").split("\t")
    if missing := [name for name in NEEDED if name not in columns]:
        raise CorpusError(
            f"{table} has the columns {', '.join(columns) or 'none'} (by tabs) and lacks "
            f"{', '.join(missing)}: its first line must name {', '.join(NEEDED)}"
        )
    split = [(number, line.rstrip("\r").split("\t")) for number, line in enumerate(rest, 2) if line.strip()]
    return [
        (number, dict(zip(columns, map(str.strip, fields), strict=True)))
        if len(fields) == len(columns)
        else (number, None)
        for number, fields in split
    ]


def _keys(lines: list[Line]) -> dict[str, str]:
    """Audio path -> id: without its ending where no other file shares that."""
    paths = {fields["audio"] for fields in lines}
    stems = {path: path.removesuffix(PurePosixPath(path).suffix) for path in paths}
    shared = Counter(stems.values())
    return {audio: stem if shared[stem] == 1 else audio for audio, stem in stems.items()}


def _checked(folder: Path, fields: Line) -> Row:
    audio = folder / fields["audio"]
    if fields["language"] not in get_args(Language):
        return {"audio": str(audio), "status": "unknown language"}
    if not _SPLIT.fullmatch(fields.get("split") or "train"):
        return {"audio": str(audio), "status": "split is not a name"}
    try:
        if not audio.resolve().is_relative_to(folder.resolve()):
            return {"audio": str(audio), "status": "audio outside the folder"}
        return measured(audio)
    except (OSError, ValueError, RuntimeError):  # too long for a name, a zero byte, a circle of links
        return {"audio": str(audio), "status": "missing audio"}
