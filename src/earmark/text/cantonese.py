"""Cantonese phones of a run of Han characters: ToJyutping's readings in context, as initials and finals with tone.

Normalised text is simplified, and simplified 里, 几 or 只 stand for several words each. OpenCC (`s2hk`) brings
the run back to Hong Kong's characters, on which ToJyutping's words are right (裏面 leoi5 min6, 幾多錢 gei2 do1 cin2).
It knows written Chinese; where spoken Cantonese means another word (吓, 郁, 隻), `cantonese.txt` has that.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from earmark.errors import TextError
from earmark.text.simplified import simplified

MARK = "Y"
"""First letter of every Cantonese final (`Yaa1`): jyutping and pinyin spell different vowels alike."""
# Where the sound is about that of a Mandarin or English consonant it has its symbol; gw and kw are Cantonese alone.
_INITIALS = {"ng": "ŋ", "j": "y"}
_SYLLABLE = re.compile(r"(gw|kw|ng(?=[aeiouy])|[bpmfdtnlgkwhzcsj](?=[aeiouy])|h(?=m|ng))?([a-z]+)([1-6])")


@cache
def split_jyutping(jyutping: str) -> tuple[str, str, int]:
    """Initial ("" if none), final and tone as phones: gwok3 -> ("gw", "Yok", 3), m4 -> ("", "Ym", 4).

    Interjections without a vowel (h'm, h'ng) keep their syllabic nasal.
    """
    match = _SYLLABLE.fullmatch(jyutping)
    if not match:
        raise ValueError(f"{jyutping!r} is not jyutping")
    initial, final, tone = match[1] or "", match[2], int(match[3])
    return _INITIALS.get(initial, initial), MARK + final, tone


def cantonese_phones(run: str, lexicon: Mapping[str, tuple[str, ...]] | None = None) -> tuple[str, ...]:
    """Phones of a run of simplified Han characters.

    :param lexicon: words with phones of their own.

    Raises `TextError` with reason "cannot be labelled" for a character without a reading.
    """
    if not lexicon:
        return tuple(_read(run))
    phones: list[str] = []
    start = 0
    for place, word in _known(run, lexicon):
        phones += _read(run[start:place])
        phones += lexicon[word]
        start = place + len(word)
    return (*phones, *_read(run[start:]))


def _known(run: str, lexicon: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[int, str]]:
    """Places of the lexicon's words in the run, the longest first from the left."""
    longest = max(map(len, lexicon))
    start = 0
    while start < len(run):
        ends = range(min(start + longest, len(run)), start, -1)
        word = next((run[start:end] for end in ends if run[start:end] in lexicon), None)
        if word:
            yield start, word
        start += len(word or "-")


def _read(run: str) -> Iterator[str]:
    import ToJyutping

    for character, reading in ToJyutping.get_jyutping_list(hong_kong(run)):
        if not reading:
            raise TextError(f"{character!r} has no reading in ToJyutping: correct the text", "cannot be labelled")
        for jyutping in reading.split():
            initial, final, tone = split_jyutping(jyutping)
            if initial:
                yield initial
            yield f"{final}{tone}"


def hong_kong(run: str) -> str:
    """A simplified run in the characters of Hong Kong, one for one."""
    characters = list(_opencc().convert(run))
    words, pattern = _words()
    for match in pattern.finditer(run):
        characters[match.start() : match.end()] = words[match.group()]
    return "".join(characters)


@cache
def _words() -> tuple[dict[str, str], re.Pattern[str]]:
    """Hong Kong's word by its simplified form, of `cantonese.txt`, and what finds them, the longest first."""
    lines = Path(__file__).with_name("cantonese.txt").read_text(encoding="utf-8").splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split()]
    known = {simplified(word): word for word in words}
    firsts = "".join(sorted({word[0] for word in known}))
    longest = "|".join(sorted(known, key=lambda word: (-len(word), word)))
    return known, re.compile(f"(?=[{firsts}])(?:{longest})")


@cache
def _opencc() -> Any:
    import opencc

    return opencc.OpenCC("s2hk")
