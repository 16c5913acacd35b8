"""Recorded Mandarin words of the public project audio-cmn: one speaker, the name is the transcript.

Layout of the tar archive, one word or character a file:

    hsk-words/cmn-一下儿.mp3
    hsk-words/cmn-从_到_.mp3        (gaps: two words with something in between, set aside)

Held-out words are never heard in training: whole groups of words that sound alike are held out
together, and a group with a single character stays in training, where all of those are.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from earmark.audio.archive import extract
from earmark.config import HskWordsCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.recordings import measured, require, shuffled
from earmark.errors import CorpusError

SOURCE = "the GitHub project hugolpz/audio-cmn (as a tar archive hsk-words/cmn-WORD.mp3)"
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]+")


def sources(corpus: HskWordsCorpus) -> Iterator[Path]:
    """The archive."""
    yield corpus.path


def read(corpus: HskWordsCorpus, folder: Path) -> Iterator[Row]:
    """Rows by word; splits train, valid and test_words. Unpacks to `folder`/audio.

    :raises CorpusError: absent or damaged archive, or more words to hold out than there are.
    """
    extract(corpus.path, folder / "audio", SOURCE)
    found = sorted((folder / "audio").rglob("cmn-*.mp3"))
    require(found, "cmn-WORD.mp3", corpus.path, SOURCE)
    words = {path: unicodedata.normalize("NFC", path.stem.removeprefix("cmn-")) for path in found}
    splits = held_out([word for word in words.values() if _fault(word) is None], corpus)
    for path, word in words.items():
        fault = _fault(word)
        yield row(
            corpus,
            word,
            split=splits.get(word, "train"),
            language="zh",
            speaker="yue-tan",
            raw_text=word,
            **measured(path) | ({"status": fault} if fault else {}),
        )


def held_out(words: Iterable[str], corpus: HskWordsCorpus) -> dict[str, str]:
    """Split of each word that is not in training; chosen by hash, so that other words move none.

    :raises CorpusError: there are fewer words that can be held out than the settings ask for.
    """
    groups = defaultdict(list)
    for word in words:
        groups[_sound(word)].append(word)
    splits: dict[str, str] = {}
    wanted = {"test_words": corpus.test_words, "valid": corpus.valid_words}
    for sound in shuffled(groups, corpus.seed):
        group = groups[sound]
        split = next((name for name, count in wanted.items() if len(group) <= count), None)
        if split and min(map(len, group)) > 1:
            splits |= dict.fromkeys(group, split)
            wanted[split] -= len(group)
    if any(wanted.values()):
        raise CorpusError(
            f"{corpus.path} has too few words of two or more characters for test_words {corpus.test_words} "
            f"and valid_words {corpus.valid_words}: lower them"
        )
    return splits


def _fault(word: str) -> str | None:
    if "_" in word:
        return "gap in the transcript"
    return None if _HAN.fullmatch(word) else "not Han characters"


def _sound(word: str) -> str:
    """Toned pinyin; a final 儿 may be heard as a colour of the vowel only, so it makes no other word."""
    from pypinyin import Style, lazy_pinyin

    return " ".join(lazy_pinyin(word[0] + word[1:].removesuffix("儿"), style=Style.TONE3))
