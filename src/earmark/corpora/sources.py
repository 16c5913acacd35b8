"""What a corpus is made of, as a short text that changes when any of it does: the workflow reads the corpus again then.

Each reader says by `sources(corpus)` which tables it reads and which folders its audio lies in. Small tables count by
their content, so that one which was only touched has not changed; large ones, tars and Parquet files by size and time;
audio by name, size and time. Of a corpus of very many files the folders' own times count, which change when a file is
added, removed, or replaced by renaming. No audio is opened.
"""

import itertools
import os
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from earmark.config import Corpus
from earmark.corpora.base import sources
from earmark.errors import CorpusError
from earmark.io import digest, sha256

BY_CONTENT = 1000
"""So many tables of a corpus count by content, where they are small."""
SMALL = 1_000_000
"""Bytes of a table that counts by content; Snakemake compares checksums up to the same size."""
BY_FILE = 50_000
"""So many audio files of a corpus count one by one."""
NOT_AUDIO = (
    *(".txt", ".md", ".rst", ".tsv", ".csv", ".json", ".jsonl", ".yaml", ".yml", ".xml", ".html", ".pdf", ".textgrid"),
    *(".py", ".sh", ".log", ".bak", ".tmp", ".part", ".swp", ".doc", ".docx", ".xls", ".xlsx", ".ods", ".odt", "~"),
)
"""Endings of what lies beside audio and is none; the tables that count are named by the readers."""


def folders(top: Path) -> Iterator[Path]:
    """A folder and all below it, sorted; hidden ones and links to folders are left out, as readers leave them out."""
    for place, names, _ in os.walk(top):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield Path(place)


def fingerprint(corpus: Corpus, results: Path) -> str:
    """Numbers of tables and folders, and a hash of them and of what lies in them: equal while nothing has changed.

    Never an error: what is missing or cannot be read is for the reader to say. In one process a corpus is looked at
    once: a plan that is made anew while its run goes on stays the same plan.

    :param results: folder of the results, which is no part of a corpus that it lies in.
    """
    return _fingerprint(type(corpus), corpus.model_dump_json(), results.absolute())


@cache
def _fingerprint(kind: type[Corpus], settings: str, results: Path) -> str:
    try:
        named = list(dict.fromkeys(sources(kind.model_validate_json(settings))))
    except (CorpusError, OSError, ValueError):
        named = []
    paths = [path for path in named if not path.absolute().is_relative_to(results)]
    tables = [path for path in paths if not path.is_dir()]
    beside = defaultdict(set)
    for path in tables:
        beside[path.parent].add(path.name)
    marks: list[list[object]] = [_table(path, number < BY_CONTENT) for number, path in enumerate(tables)]
    left, places = BY_FILE, [path for path in paths if path.is_dir()]
    for place in places:
        mark = _folder(place, beside[place], left)
        left = max(0, left - len(mark))
        marks.append([str(place), *mark])
    return f"tables: {len(tables)}, folders: {len(places)}, hash: {digest(marks)}"


def _table(path: Path, by_content: bool) -> list[object]:
    try:
        known = path.stat()
        small = by_content and known.st_size <= SMALL and path.is_file()
        return [str(path), known.st_size, sha256(path) if small else known.st_mtime_ns]
    except OSError:
        return [str(path)]


def _folder(place: Path, tables: set[str], left: int) -> list[object]:
    """Name, size and time of what may be audio, up to `left` files; the folder's own time where there are more."""
    try:
        with os.scandir(place) as entries:
            files = list(itertools.islice((one for one in entries if _may_be_audio(one, tables)), left + 1))
        if len(files) > left:
            return [place.stat().st_mtime_ns]
    except OSError:
        return []
    return [_file(one) for one in sorted(files, key=lambda one: one.name)]


def _may_be_audio(entry: os.DirEntry[str], tables: set[str]) -> bool:
    name = entry.name
    if name in tables or name.startswith(".") or name.lower().endswith(NOT_AUDIO):
        return False
    return not entry.is_dir()


def _file(entry: os.DirEntry[str]) -> list[object]:
    try:
        known = entry.stat()
    except OSError:  # a link to nothing
        return [entry.name]
    return [entry.name, known.st_size, known.st_mtime_ns]
