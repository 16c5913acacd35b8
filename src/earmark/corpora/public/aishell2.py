"""AISHELL-2: read Mandarin recorded on iOS; its dev and test sets on iOS, Android and a microphone too.

LAYOUT (https://www.aishelltech.com/aishell_2; https://github.com/kaldi-asr/kaldi/tree/master/egs/aishell2):

    AISHELL-2/iOS/data/wav.scp  trans.txt  wav/C0001/IC0001W0001.wav
    AISHELL-2/iOS/dev  test                        (wav.scp, trans.txt, wav/ in each)
    AISHELL-DEV-TEST-SET/iOS/dev  test             (as published apart; also Android and Mic)

A line of trans.txt and one of wav.scp, with tabs:

    IC0001W0001   厨房用品
    IC0001W0001   wav/C0001/IC0001W0001.wav

lhotse's recipe knows iOS only, needs all three parts, opens all audio first, leaves out what lacks its counterpart,
and changes the text (case, punctuation).
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from earmark.config import PublicCorpus
from earmark.corpora.base import Row
from earmark.corpora.public.published import Source, below, chosen, listed, matching

SOURCE = Source("AISHELL-2", "aishelltech.com/aishell_2")
FOLDERS = {"train": "iOS/data"} | {
    f"{device.lower()}_{part}": f"{device}/{part}" for device in ("iOS", "Android", "Mic") for part in ("dev", "test")
}
"""Folder of each part."""
SPLITS = {"train": "train"} | {
    f"{device}_{part}": f"test_aishell2_{device}" + ("_dev" if part == "dev" else "")
    for device in ("ios", "android", "mic")
    for part in ("dev", "test")
}
"""Split of each part."""
FILES = ("trans.txt", "wav.scp")
_PLACES = ("AISHELL-2", "AISHELL-DEV-TEST-SET", ".")


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Tables of each part, and the speakers' folders."""
    for part in corpus.subsets or FOLDERS:
        tops = [f"{place}/{FOLDERS.get(part, part)}" for place in _PLACES]
        yield from matching(corpus.path, *(f"{top}/{name}" for top in tops for name in (*FILES, "wav/", "wav/*/")))


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by part, in the order of trans.txt; subsets train, ios_dev, ios_test, android_dev, ... Writes nothing.

    :raises CorpusError: no part, or one without trans.txt or wav.scp.
    """
    found: dict[str, Path] = {}
    for part, inside in FOLDERS.items():
        for place in _PLACES:
            if (corpus.path / place / inside).is_dir():
                found.setdefault(part, corpus.path / place / inside)
    if not found:
        raise SOURCE.lacks(corpus.path, "AISHELL-2/iOS/data with trans.txt and wav.scp")
    for part in chosen(corpus, found, SPLITS, SOURCE):
        top = found[part]
        for name in FILES:
            if not (top / name).is_file():
                raise SOURCE.lacks(top, name)
        yield from _part(corpus, top, SPLITS[part])


def _part(corpus: PublicCorpus, top: Path, split: str) -> Iterator[Row]:
    # Ids of the sets of several devices begin with different letters: IC0001W0001 is speaker C0001's on iOS.
    def describe(utterance: str, text: str | None) -> Row:
        return {"language": "zh", "speaker": PurePosixPath(utterance[1:]).name.partition("W")[0] or None}

    yield from listed(corpus, top, FILES, split, lambda _, path: below(top, path), describe)
