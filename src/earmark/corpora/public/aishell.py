"""AISHELL-1: read Mandarin, one wav an utterance.

LAYOUT (https://www.openslr.org/33, data_aishell.tgz and the archives inside it unpacked):

    data_aishell/transcript/aishell_transcript_v0.8.txt
    data_aishell/wav/train/S0002/BAC009S0002W0122.wav    (train S0002-S0723, dev S0724-S0763, test S0764-S0916)
    data_aishell/wav/S0002.tar.gz                        (as published; what it holds goes beside it)

A line of the transcript, words apart:

    BAC009S0002W0122 而 对 楼市 成交 抑制 作用 最 大 的 限 购

lhotse's recipe leaves out audio without transcript and transcripts without audio, changes the text (case, spaces,
five full-width letters), and takes files in the order of the file system.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import printable
from earmark.corpora.public.lines import records, root
from earmark.corpora.public.published import Sound, Source, chosen, located, matching, written

SOURCE = Source("AISHELL-1 (transcript v0.8)", "openslr.org/33")
TRANSCRIPT = "transcript/aishell_transcript_v0.8.txt"
SPLITS = {"train": "train", "dev": "test_aishell_dev", "test": "test_aishell"}
"""Split of each part."""
_SPEAKER = re.compile(r"S(\d{4})W")
_LAST = {"train": 723, "dev": 763}
"""Number of the last speaker of a part."""


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Transcript, and the speakers' folders."""
    top = root(corpus, "data_aishell")
    yield from matching(top, TRANSCRIPT, *(f"wav/{part}/*/" for part in corpus.subsets or SPLITS))


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by part and id, audio without transcript and transcripts without audio included. Writes nothing.

    :raises CorpusError: no transcript, or no unpacked part.
    """
    top = root(corpus, "data_aishell")
    transcript = top / TRANSCRIPT
    if not transcript.is_file():
        raise SOURCE.lacks(corpus.path, f"data_aishell/{TRANSCRIPT}")
    there = [part for part in SPLITS if (top / "wav" / part).is_dir()]
    if not there:
        raise SOURCE.lacks(corpus.path, "data_aishell/wav/train", "unpack the archives data_aishell/wav/S*.tar.gz")
    texts: dict[str, str] = {}
    bad: list[Row] = []
    for record in records(corpus, transcript, ["id", "text"], "train", None):
        if record.bad:
            bad.append(record.bad)
        else:
            texts.setdefault(record.fields["id"], record.fields["text"])
    for part in chosen(corpus, there, SPLITS, SOURCE):
        yield from _part(corpus, top / "wav" / part, part, texts)
    yield from bad


def _part(corpus: PublicCorpus, folder: Path, part: str, texts: dict[str, str]) -> Iterator[Row]:
    found = {path.stem: path for path in folder.glob("*/*.wav")}
    for key in sorted(found.keys() | {key for key in texts if _part_of(key) == part}):
        path = found.get(key)
        speaker = path.parent.name if path else f"S{_number(key):04d}"
        expected = path or folder / speaker / f"{key}.wav"
        about = {"split": SPLITS[part], "language": "zh", "speaker": printable(speaker)}
        where = located(Sound(path) if path else None, str(expected))
        yield row(corpus, printable(key), **about | written(texts.get(key)) | where)


def _number(key: str) -> int:
    found = _SPEAKER.search(key)
    return int(found[1]) if found else 0


def _part_of(key: str) -> str:
    """The part that an utterance belongs to, by the number of its speaker."""
    return next((part for part, last in _LAST.items() if _number(key) <= last), "test")
