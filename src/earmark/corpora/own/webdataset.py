"""Your own corpus: WebDataset tars, in which members of one key, side by side, make an utterance.

    0001.flac
    0001.json   {"text": "打开空调", "language": "zh", "speaker": "li"}
    0002.mp3
    0002.txt    play some jazz

The key is the name up to the first dot after the last slash, as the format's specification has it (the GitHub project
webdataset/webdataset). Audio is read inside the tar.
"""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from earmark.audio.container import open_member, tar_index
from earmark.config import WebdatasetCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import bad_line, described, files, printable, seconds, string
from earmark.corpora.recordings import measured
from earmark.errors import AudioError

AUDIO = ("flac", "wav", "mp3", "opus", "ogg", "m4a")
"""Endings of audio, the preferred first."""
UNREADABLE = "tar cannot be read to its end"
"""Status of the row that stands for the rest of a tar; its text says why: damage, or too large."""
_MAX_TEXT = 1 << 20


def sources(corpus: WebdatasetCorpus) -> Iterator[Path]:
    """The tars."""
    yield from files(corpus, corpus.files)


def read(corpus: WebdatasetCorpus, folder: Path) -> Iterator[Row]:
    """A row a key, in the order of the tars and their members; then those members that may not be read.

    Keys without an id are called after tar and key. Damage is one row set aside, after those that precede it.

    :raises CorpusError: no folder, or no tar in it.
    """
    for path in files(corpus, corpus.files):
        try:
            index = tar_index(path)
        except AudioError as error:
            yield bad_line(corpus, path, 0, str(error), UNREADABLE)
            continue
        for key, names in itertools.groupby(index.members, _key):
            yield _row(corpus, path, key, {_ending(name): name for name in names})
        for number, (name, reason) in enumerate(index.refused.items(), 1):
            yield bad_line(corpus, path, number, name, reason)
        if index.fault:
            yield bad_line(corpus, path, 0, index.fault, UNREADABLE)


def _key(name: str) -> str:
    folder, slash, file = name.rpartition("/")
    return folder + slash + file.partition(".")[0]


def _ending(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[2].lower()


def _row(corpus: WebdatasetCorpus, path: Path, key: str, members: dict[str, str]) -> Row:
    """`members`: ending -> name."""
    tar = path.relative_to(corpus.path).as_posix().removesuffix(".gz").removesuffix(".tar")
    fallback = printable(f"{tar}/{key}")
    member = next((members[ending] for ending in AUDIO if ending in members), None)
    where: Row = {"audio": printable(path), "member": member}
    values, fault = _fields(path, members)
    if fault:
        return row(corpus, fallback, split=corpus.split, **where, status=fault)
    keys = corpus.keys
    about = described(corpus, *(values.get(name) for name in (keys.text, keys.language, keys.speaker, keys.split)))
    if member is None:
        where["status"] = "missing audio"
    elif string(member) is None:
        where |= {"member": None, "status": "name of the member is not UTF-8"}
    elif "status" not in about:
        duration = seconds(values.get(keys.duration))
        where |= {"duration": duration} if duration else measured(path, member)
    return row(corpus, string(values.get(keys.id)) or fallback, **where | about)


def _fields(path: Path, members: dict[str, str]) -> tuple[dict[str, Any], str | None]:
    """The object in KEY.json, else the text in KEY.txt; or why there is none."""
    try:
        if "json" in members:
            value = json.loads(_text(path, members["json"]))
            return (value, None) if isinstance(value, dict) else ({}, "KEY.json is not a JSON object")
        if "txt" in members:
            return {"text": _text(path, members["txt"]).strip()}, None
    except (ValueError, RecursionError):
        return {}, "KEY.json is not JSON" if "json" in members else "KEY.txt is not UTF-8"
    return {}, "no KEY.json or KEY.txt"


def _text(path: Path, member: str) -> str:
    """A small member, as text."""
    with open_member(path, member) as stream:
        data = stream.read(_MAX_TEXT + 1)
    if len(data) > _MAX_TEXT:
        raise ValueError("too long")
    return data.decode("utf-8-sig")
