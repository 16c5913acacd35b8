"""What the readers of public corpora share: layouts that are checked, lines that may be bad, audio wherever it lies.

A corpus of the wrong shape is an error that names the file that was expected; a bad line is a row set aside.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from earmark.audio.container import tar_index
from earmark.audio.read import audio_seconds
from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import MAX_LINE, printable, string
from earmark.errors import AudioError, CorpusError
from earmark.io import existing

AUDIO = (".flac", ".wav", ".mp3", ".opus", ".ogg", ".m4a", ".webm", ".aac")
"""Endings of audio."""
_SHOWN = 500
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_LATIN = re.compile(r"[A-Za-z]")


class Sound(NamedTuple):
    """An audio file, or one inside a tar."""

    path: Path
    member: str | None = None


class Source(NamedTuple):
    """The version of a corpus that a reader knows."""

    name: str
    """Corpus and version, as errors call it."""
    url: str
    """Where it is published."""

    def lacks(self, folder: Path, expected: str, remedy: str = "get it there, or correct `path`") -> CorpusError:
        """The error for a folder of another shape."""
        if not folder.is_dir():
            return CorpusError(f"{folder} is not a folder: correct `path`")
        return CorpusError(f"{folder} holds no {expected}, as {self.name} has it ({self.url}): {remedy}")


def chosen(corpus: PublicCorpus, there: Iterable[str], known: Iterable[str], source: Source) -> list[str]:
    """The parts to read: those asked for, else all that are there, in the order of `known`.

    :raises CorpusError: a part that the corpus does not have, or one that was asked for and is not there.
    """
    known, there = list(known), set(there)
    for name in corpus.subsets:
        if name not in known:
            raise CorpusError(f"{source.name} has no subset {name!r}: name some of {', '.join(known)}")
        if name not in there:
            raise CorpusError(f"{corpus.path} lacks subset {name!r} of {source.name} ({source.url}): get it there")
    return [name for name in known if name in (corpus.subsets or there)]


def bad_row(corpus: PublicCorpus, file: Path, number: int, line: str, reason: str, split: str = "train") -> Row:
    """The row of a line that cannot be read: its id names file and line, its text is the line."""
    text = string(line[:_SHOWN]) or ascii(line[:_SHOWN])
    where = file.relative_to(corpus.path).as_posix() if file.is_relative_to(corpus.path) else file.name
    key = printable(f"{where}:{number}")
    return row(corpus, key, split=split, audio=printable(file), raw_text=text, status=reason)


def neighbours(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows of one recording that follow one another, by offset: it is then decoded once.

    A recording's rows are held in memory, never the corpus's.
    """
    for _, run in itertools.groupby(rows, key=lambda one: (one.get("audio"), one.get("member"))):
        yield from sorted(run, key=lambda one: one.get("offset") or 0.0)


def matching(top: Path, *patterns: str) -> Iterator[Path]:
    """What lies at each of the patterns below a folder, sorted; a pattern that ends in a slash matches folders only."""
    for pattern in patterns:
        yield from sorted(top.glob(pattern))


def find_sounds(folder: Path, without: Iterable[str] = ()) -> dict[str, Sound]:
    """Name without its ending -> audio, for all audio files below a folder and inside the tars there.

    A corpus of ten million clips takes about 2 GB. Links that lead out of the folder are left out.

    :param without: folders inside it that are left out.
    :raises CorpusError: a tar that cannot be read in place, or nothing but compressed ones.
    """
    sounds: dict[str, Sound] = {}
    packed: Path | None = None
    root, left_out = folder.resolve(), set(without)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if left_out & set(path.relative_to(folder).parts[:-1]):
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            continue
        if path.suffix.lower() in AUDIO:
            sounds.setdefault(path.stem, Sound(path))
        elif path.suffix.lower() == ".tar":
            for member in _members(path):
                sounds.setdefault(PurePosixPath(member).stem, Sound(path, member))
        elif path.name.lower().endswith((".tar.gz", ".tgz", ".tar.bz2")):
            packed = path
    if packed and not sounds:
        raise CorpusError(f"{packed}: nothing can be sought in a compressed tar: decompress it to a tar, or unpack it")
    return sounds


def _members(path: Path) -> list[str]:
    try:
        names = tar_index(path).members
    except AudioError as error:
        raise CorpusError(str(error)) from None
    return [name for name in names if PurePosixPath(name).suffix.lower() in AUDIO and string(name) is not None]


def located(sound: Sound | None, expected: str, offset: float | None = None, duration: float | None = None) -> Row:
    """`audio`, `member`, `offset` and `duration` of a row; `status` too where there is no such audio.

    :param expected: name of the audio, for the row of one that is missing.
    :param duration: seconds where known: then the audio is not opened.
    """
    if sound is None:
        return {"audio": printable(expected), "status": "missing audio"}
    where: Row = {"audio": printable(sound.path), "member": sound.member}
    if offset is not None:
        where["offset"] = offset
    if duration is not None:
        return where | {"duration": duration}
    try:
        return where | {"duration": audio_seconds(sound.path, sound.member)}
    except AudioError:
        return where | {"status": "undecodable audio"}


def below(root: Path, relative: str) -> Sound | None:
    """The file of that relative path, where it is one and lies below `root`."""
    try:
        path = existing(root / relative)
        if path.is_file() and path.resolve().is_relative_to(root.resolve()):
            return Sound(path)
    except (OSError, ValueError, RuntimeError):  # too long for a name, a zero byte, a circle of links
        pass
    return None


def written(text: Any, fault: str | None = None) -> Row:
    """`raw_text` of a row; `status` too where there is none."""
    value = string(text)
    if fault:
        return {"raw_text": value, "status": fault}
    return {"raw_text": value} if value and value.strip() else {"raw_text": value, "status": "no transcript"}


def mixed_language(text: Any) -> str:
    """zh, en, or zh-en where both scripts occur: single utterances of a code-switch corpus are in one language."""
    value = string(text) or ""
    if not _LATIN.search(value):
        return "zh"
    return "zh-en" if _HAN.search(value) else "en"


class Line(NamedTuple):
    """A line of a text file."""

    number: int
    text: str
    fault: str | None
    """Why it cannot be used."""


def text_lines(path: Path) -> Iterator[Line]:
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


def listed(
    corpus: PublicCorpus,
    folder: Path,
    names: tuple[str, str],
    split: str,
    find: Callable[[str, str], Sound | None],
    describe: Callable[[str, str | None], Row],
    key: str = "{}",
) -> Iterator[Row]:
    """Rows of a folder that lists transcripts and audio in two files of lines `id value`, as Kaldi does.

    A row a transcript, in its order; then audio without one, then bad lines.

    :param names: file of the transcripts, and of the audio.
    :param find: (id, value of the audio's line) -> audio.
    :param describe: (id, transcript) -> language, speaker and whatever else is known.
    :param key: pattern of the row's key.
    """
    bad: list[Row] = []
    texts, sounds = (_keyed(corpus, folder / name, split, bad) for name in names)
    for utterance in dict.fromkeys([*texts, *sounds]):
        text, value = texts.get(utterance), sounds.get(utterance)
        about = describe(utterance, text)
        where = located(find(utterance, value), value) if value is not None else located(None, utterance)
        yield row(corpus, key.format(utterance), **{"split": split} | written(text) | about | where)
    yield from bad


def _keyed(corpus: PublicCorpus, path: Path, split: str, bad: list[Row]) -> dict[str, str]:
    """Id -> value; lines without both, or with an id that was there before, go to `bad`."""
    values: dict[str, str] = {}
    for line in text_lines(path):
        key, *rest = line.text.split(maxsplit=1)
        fault = line.fault or ("line has no value" if not rest else "duplicate id" if key in values else None)
        if fault:
            bad.append(bad_row(corpus, path, line.number, line.text, fault, split))
        else:
            values[key] = rest[0].strip()
    return values
