"""What the readers of one's own data share: lines, texts, languages, times and paths that may be anything."""

import gzip
import json
import math
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, get_args

from earmark.config import Language, OwnCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.recordings import measured
from earmark.errors import CorpusError
from earmark.io import existing

MAX_LINE = 16 << 20
"""Bytes of a line; more is no line of a manifest."""
_SHOWN = 500
_SPLIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LANGUAGES = frozenset(get_args(Language))


class Line(NamedTuple):
    """A line of a JSONL file."""

    number: int
    value: dict[str, Any] | None
    """The object; None where the line holds none."""
    text: str
    """The line as it stands, where it is bad."""
    fault: str
    """Why it is bad."""


def bad_line(corpus: OwnCorpus, file: Path, number: int, line: str, reason: str) -> Row:
    """The row of a line that cannot be read: its id names file and line, its text is the line."""
    text = string(line[:_SHOWN]) or ascii(line[:_SHOWN])
    return row(corpus, f"{file.name}:{number}", split=corpus.split, audio=printable(file), raw_text=text, status=reason)


def string(value: Any) -> str | None:
    """A text, or a whole number as text; None for anything else, and for what cannot be written as UTF-8."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 1 << 64 else None
    if not isinstance(value, str):
        return None
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return None
    return value


def printable(path: Path | str) -> str:
    """A path that can be written as UTF-8."""
    return string(str(path)) or ascii(str(path))


def seconds(value: Any) -> float | None:
    """A time in seconds, 0 or more; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < math.inf else None


def described(corpus: OwnCorpus, text: Any, language: Any, speaker: Any, split: Any) -> Row:
    """Text, language, speaker and split of a row; `status` where one cannot be used."""
    named = string(language) or corpus.language
    values: Row = {
        "split": string(split) or corpus.split,
        "language": corpus.languages.get(named, named) if named else None,
        "speaker": string(speaker) or None,
        "raw_text": string(text),
    }
    if values["language"] not in _LANGUAGES:
        return values | {"status": "unknown language"}
    if not _SPLIT.fullmatch(values["split"]):
        return values | {"split": corpus.split, "status": "split is not a name"}
    if values["raw_text"] is None:
        return values | {"status": "no text"}
    return values


def placed(path: Path, root: Path, duration: float | None = None) -> Row:
    """Audio and duration of a file that must lie below `root`; `status` where it cannot be used.

    :param duration: seconds where known: then the file is not opened.
    """
    path = existing(path)
    try:
        if not path.resolve().is_relative_to(root.resolve()):
            return {"audio": printable(path), "status": "audio outside the folder"}
        if duration is None:
            return measured(path)
        status = {} if path.is_file() else {"status": "missing audio"}
        return {"audio": printable(path), "duration": duration} | status
    except (OSError, ValueError, RuntimeError):  # too long for a name, a zero byte, a circle of links
        return {"audio": printable(path), "status": "missing audio"}


def files(corpus: OwnCorpus, pattern: str) -> list[Path]:
    """Files below the corpus's folder that match, sorted.

    :raises CorpusError: no folder, no such file, or a pattern that leads out.
    """
    if not corpus.path.is_dir():
        raise CorpusError(f"{corpus.path} is not a folder: correct `path`")
    try:
        found = sorted(path for path in corpus.path.glob(pattern) if path.is_file())
    except (ValueError, NotImplementedError) as error:
        raise CorpusError(f"{pattern!r} is no pattern of files ({error}): correct `files`") from None
    root = corpus.path.resolve()
    if outside := [path for path in found if not path.resolve().is_relative_to(root)]:
        raise CorpusError(f"{outside[0]} lies outside {corpus.path}: copy it there, or correct `files`")
    if not found:
        raise CorpusError(f"{corpus.path} holds no file {pattern}: correct `path` or `files`")
    return found


def json_lines(path: Path) -> Iterator[Line]:
    """Objects of a JSONL file, plain or gzip, line by line; empty lines are skipped, damage is the last line."""
    number = 0
    try:
        with path.open("rb") as raw:
            stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw  # type: ignore[assignment]
            while data := stream.readline(MAX_LINE):
                number += 1
                if len(data) == MAX_LINE:
                    yield Line(number, None, "", "line without an end")
                    return
                if data.strip():
                    yield _parsed(number, data)
    except (OSError, EOFError, zlib.error) as error:
        yield Line(number + 1, None, str(error), "file is cut short or damaged")


def _parsed(number: int, data: bytes) -> Line:
    text = data.decode(errors="replace").strip()
    try:
        value = json.loads(data.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        return Line(number, None, text, "line is not UTF-8")
    except (ValueError, RecursionError):
        return Line(number, None, text, "line is not JSON")
    if not isinstance(value, dict):
        return Line(number, None, text, "line is not a JSON object")
    return Line(number, value, text, "")
