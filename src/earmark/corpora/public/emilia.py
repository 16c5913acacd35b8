"""Emilia: speech of the web with machine transcripts, one mp3 an utterance.

LAYOUT (https://huggingface.co/datasets/amphion/Emilia-Dataset, as WebDataset tars; Emilia-YODAS alike):

    Emilia/ZH/ZH-B000000.tar          members ZH_B00000_S00000_W000000.mp3 and ZH_B00000_S00000_W000000.json
    Emilia-YODAS/EN/EN-B000000.tar

or, as first published (openemilia_all.tar.gz and the batches' archives unpacked; `raw/` may stand before):

    ZH/ZH_B00000.jsonl
    ZH/ZH_B00000/ZH_B00000_S00000/mp3/ZH_B00000_S00000_W000000.mp3

A line of the jsonl, which is what the member .json holds:

    {"id": "DE_B00000_S00000_W000029", "wav": "DE_B00000/DE_B00000_S00000/mp3/DE_B00000_S00000_W000029.mp3",
     "text": " Und es gibt auch einen Stadtplan von Tegun zu sehen.", "duration": 3.228,
     "speaker": "DE_B00000_S00000", "language": "de", "dnsmos": 3.3697}

lhotse's recipe knows only the second layout, leaves missing files out, opens every mp3, and holds the corpus in
memory. The tars are read in place, one after another.
"""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from earmark.audio.container import open_member, tar_index
from earmark.config import Language, PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import json_lines, seconds, string
from earmark.corpora.public.published import Sound, Source, bad_row, below, chosen, located, matching, written
from earmark.errors import AudioError, CorpusError

SOURCE = Source("Emilia", "huggingface.co/datasets/amphion/Emilia-Dataset")
LANGUAGES: dict[str, Language] = {"EN": "en", "ZH": "zh"}
"""Parts that can be read."""
_PLACES = ("Emilia", "Emilia-YODAS", "raw", ".")
_MAX_JSON = 1 << 20


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Tars, or tables and the folders of their audio."""
    for part in corpus.subsets or LANGUAGES:
        yield from _files(corpus.path, part)
        for place in _PLACES:
            yield from matching(corpus.path / place / part, "*/*/mp3/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by part, file and line; subsets EN and ZH. All are training. Writes nothing.

    :raises CorpusError: no folder EN or ZH with tars or jsonl files, or a tar that cannot be read in place.
    """
    found = {part: _files(corpus.path, part) for part in LANGUAGES}
    there = [part for part, files in found.items() if files]
    if not there:
        raise SOURCE.lacks(corpus.path, "Emilia/ZH/ZH-B000000.tar or ZH/ZH_B00000.jsonl")
    for part in chosen(corpus, there, LANGUAGES, SOURCE):
        for file in found[part]:
            yield from _tar(corpus, file, part) if file.suffix == ".tar" else _jsonl(corpus, file, part)


def _files(top: Path, part: str) -> list[Path]:
    folders = [top / place / part for place in _PLACES]
    return [path for folder in folders for pattern in ("*.tar", "*.jsonl") for path in sorted(folder.glob(pattern))]


def _tar(corpus: PublicCorpus, file: Path, part: str) -> Iterator[Row]:
    try:
        members = tar_index(file).members
    except AudioError as error:
        raise CorpusError(str(error)) from None
    for number, name in enumerate((name for name in members if name.endswith(".json")), 1):
        value = _value(file, name)
        if value is None:
            yield bad_row(corpus, file, number, name, "member is not a JSON object")
            continue
        audio = str(PurePosixPath(name).with_suffix(".mp3"))
        yield _row(corpus, value, part, Sound(file, audio) if audio in members else None, f"{file}/{audio}")


def _value(file: Path, member: str) -> dict[str, Any] | None:
    try:
        with open_member(file, member) as stream:
            value = json.loads(stream.read(_MAX_JSON))
    except (AudioError, OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and string(value.get("id")) else None


def _jsonl(corpus: PublicCorpus, file: Path, part: str) -> Iterator[Row]:
    for line in json_lines(file):
        if line.value is None:
            yield bad_row(corpus, file, line.number, line.text, line.fault)
            continue
        audio = string(line.value.get("wav"))
        if not string(line.value.get("id")) or not audio:
            yield bad_row(corpus, file, line.number, str(line.value), "line lacks id or wav")
            continue
        yield _row(corpus, line.value, part, below(file.parent, audio), str(file.parent / audio))


def _row(corpus: PublicCorpus, value: dict[str, Any], part: str, sound: Sound | None, expected: str) -> Row:
    about = {"split": "train", "language": LANGUAGES[part], "speaker": string(value.get("speaker")) or None}
    where = located(sound, expected, 0.0, seconds(value.get("duration")) or None)
    return row(corpus, str(value["id"]), **about | written(value.get("text")) | where)
