"""Mandarin phones of a run of Han characters: words, readings, tone sandhi, initials and finals.

pypinyin's phrase dictionary, cut by maximum matching, settles 银行行长 and 重新. Its entries mix citation tones
with spoken ones, so the tones of 一 and 不 are always made by rule; recordings follow the rules below in 18 of
19 words looked at, where pypinyin's own `tone_sandhi` changes 你好 but not 老虎.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from earmark.errors import TextError

_NUMERALS = frozenset("零一二三四五六七八九")
# 儿 is a syllable of its own after these; after any other character it is the suffix 儿化.
_FULL_ER_AFTER = frozenset("女婴幼少孤胎健宠男侄孙妻生产血能患病")
# Interjections without a vowel (嗯, 呣, 噷, 哼) and the rare ê (欸) go to the nearest regular final.
_SYLLABIC = {"n": ("", "en"), "ng": ("", "en"), "m": ("m", "u"), "hm": ("h", "en"), "hng": ("h", "eng")}
_IRREGULAR = {"ê": "ei"}


@dataclass
class Syllable:
    """One character as it is spoken; `tone` 5 is neutral."""

    character: str
    initial: str
    final: str
    tone: int

    def phones(self) -> list[str]:
        """Initial, if there is one, and final with tone: ["zh", "ong1"]."""
        return [phone for phone in (self.initial, f"{self.final}{self.tone}") if phone]


@cache
def split_syllable(pinyin: str) -> tuple[str, str, int]:
    """Initial ("" if none), final without tone, and tone of pinyin with a tone mark (`zhōng`).

    The final of zhi, chi, shi, ri is `ir`, that of zi, ci, si `iz`: two vowels that pinyin writes alike.
    """
    from pypinyin.contrib.tone_convert import to_finals, to_initials, to_tone3

    toned = to_tone3(pinyin, neutral_tone_with_five=True)
    bare, tone = (toned[:-1], int(toned[-1])) if toned[-1:].isdigit() else (toned, 5)
    if bare in _SYLLABIC:
        return *_SYLLABIC[bare], tone
    initial, final = to_initials(pinyin, strict=True), to_finals(pinyin, strict=True, v_to_u=False)
    if final == "i":
        final = {"zh": "ir", "ch": "ir", "sh": "ir", "r": "ir", "z": "iz", "c": "iz", "s": "iz"}.get(
            initial, "i"
        )
    return initial, _IRREGULAR.get(final, final), tone


def mandarin_phones(run: str) -> list[str]:
    """Phones of a run of simplified Han characters.

    Raises `TextError` with reason "cannot be labelled" for a character without a reading.
    """
    words = list(_words(run))
    syllables = [syllable for word in words for syllable in _read(word)]
    _neutral_and_er(syllables, words)
    _yi_and_bu(syllables, words)
    for first in third_tone_pairs(words):
        if syllables[first].tone == syllables[first + 1].tone == 3:
            syllables[first].tone = 2
    return [phone for syllable in syllables for phone in syllable.phones()]


def _words(run: str) -> Iterator[str]:
    from pypinyin.seg.mmseg import seg

    return seg.cut(run)


def _read(word: str) -> list[Syllable]:
    """Citation readings: the phrase's, else the first reading of each character."""
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

    if len(word) > 1 and word in PHRASES_DICT:
        readings = [reading[0] for reading in PHRASES_DICT[word]]
    else:
        readings = [PINYIN_DICT.get(ord(character), "").split(",")[0] for character in word]
    for character, reading in zip(word, readings, strict=True):
        if not reading:
            raise TextError(
                f"{character!r} has no reading in pypinyin: correct the text", "cannot be labelled"
            )
    return [Syllable(c, *split_syllable(reading)) for c, reading in zip(word, readings, strict=True)]


def _neutral_and_er(syllables: list[Syllable], words: list[str]) -> None:
    """儿化: the suffix is `er5` after its host's full final (花儿: h ua1 er5), whatever the dictionary's tone."""
    for before, syllable in zip(syllables, syllables[1:], strict=False):
        if syllable.character == "儿" and before.character not in _FULL_ER_AFTER:
            syllable.tone = 5


def _yi_and_bu(syllables: list[Syllable], words: list[str]) -> None:
    """一 and 不, from right to left, each by the spoken tone of the syllable that follows.

    一 is yi2 before tone 4 and 个, yi4 before tones 1 to 3, yi5 within a doubled verb (看一看), and stays yi1 at
    the end of a word, in ordinals and in numbers read digit by digit. 不 is bu2 before tone 4 and bu5 in 好不好.
    """
    ends = _last_characters(words)
    for index in reversed(range(len(syllables))):
        syllable = syllables[index]
        before = syllables[index - 1] if index else None
        after = syllables[index + 1] if index + 1 < len(syllables) else None
        if syllable.character == "一" and syllable.final == "i":
            syllable.tone = 1 if _is_number_one(before, after, index in ends) else _tone_of_yi(before, after)
        elif syllable.character == "不" and syllable.final == "u" and syllable.tone != 5:
            doubled = before and after and before.character == after.character
            syllable.tone = 5 if doubled else 2 if after and after.tone == 4 else 4


def _last_characters(words: list[str]) -> set[int]:
    """Indices of the last characters of words of two and more; 同一 is open to what follows (同一个)."""
    ends, end = set(), 0
    for word in words:
        end += len(word)
        if len(word) > 1 and word != "同一":
            ends.add(end - 1)
    return ends


def _is_number_one(before: Syllable | None, after: Syllable | None, ends_word: bool) -> bool:
    """第一, 初一, 十一, 星期一, 一九九八, 一月, 一号, 一楼; and 一 at the end of a word or run."""
    if after is None or ends_word or after.character in _NUMERALS or after.character in "月号楼":
        return True
    return before is not None and (before.character in _NUMERALS or before.character in "第初十周期拜")


def _tone_of_yi(before: Syllable | None, after: Syllable | None) -> int:
    if before and after and before.character == after.character:
        return 5
    return 2 if after and (after.tone == 4 or after.character == "个") else 4


def third_tone_pairs(words: list[str]) -> list[int]:
    """Indices i, in order, at which two third tones (i, i+1) become second and third.

    Inside a word first: pairs from its left; three syllables from the left too (展览馆: 2 2 3) unless only the
    last two are a word (小老虎: 3 2 3). Words of one syllable pair up from the left (我|很: 2 3); one that is
    left over leans on the longer word that follows (很|美丽: 2 3 4), at the end of the run on what precedes
    (我很|好: 2 2 3). Nothing crosses two such groups: a speaker may pause there.
    """
    pairs: list[int] = []
    start, single = 0, None
    for word in words:
        if len(word) > 1:
            pairs += [start + index for index in _pairs_inside(word)]
        if single is not None:
            pairs.append(single)
            single = None
        elif len(word) == 1:
            single = start
        start += len(word)
    if single:
        pairs.append(single - 1)
    return pairs


def _pairs_inside(word: str) -> list[int]:
    from pypinyin.constants import PHRASES_DICT

    if len(word) == 3 and word[1:] in PHRASES_DICT and word[:2] not in PHRASES_DICT:
        return [1, 0]
    pairs = list(range(0, len(word) - 1, 2))
    return [*pairs, len(word) - 2] if len(word) % 2 else pairs
