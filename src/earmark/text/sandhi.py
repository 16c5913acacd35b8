"""Tones and suffixes as they are spoken: 儿化, 一 and 不, third tones."""

import itertools
import re

from earmark.text.readings import known_words
from earmark.text.syllables import Syllable

_NUMERALS = frozenset("零一二三四五六七八九")
# 儿 is a syllable of its own after these and before those; after any other character it is the suffix 儿化.
_FULL_ER_AFTER = frozenset("女婴幼少孤胎健宠男侄孙妻生产血能患病托育乞弃娇犬有一两")
_FULL_ER_BEFORE = frozenset("童子女歌科媳孙戏时郎化")
_DIGIT, _NUMBER = "零一二三四五六七八九", "零一二三四五六七八九十百千万亿"
# 一 keeps its tone where it is a digit: before and behind the point (三点一四, but 三点一刻), before ten, in dates, in
# scores and ratios, in fractions, in sums, in names of school years and quarters.
_COUNTED = re.compile(
    f"一(?=点[{_DIGIT}]+(?![{_DIGIT}十百千分刻]|点(?![{_DIGIT}])))|(?<=[{_NUMBER}]点)一(?![刻到过起定直般样边下个些共来点])|"
    f"一(?=十)|(?<=月)一(?=[日至到])|一(?=[到至][{_NUMBER}])|(?<=[{_NUMBER}][到至])一(?![百千万亿个些])|一(?=比[{_NUMBER}])|(?<=[{_NUMBER}]比)一|(?<=之)一(?![百千万亿个些种样次般])|"
    f"一(?=[加减乘][{_NUMBER}]|乘以|除以|等于)|(?<=[{_NUMBER}][加减乘])一|(?<=[乘除]以)一|(?<=等于)一(?![个种些百千万亿])|(?<=负)一(?![百千万亿])|"
    "一(?=年级|季度|把手|单元|环路)|(?<=年)一(?=班)"
)


def sound_together(syllables: list[Syllable], words: list[str]) -> None:
    """Change the syllables of `words`, one a character, as they sound in a row."""
    text = "".join(words)
    if "儿" in text:
        _suffix_er(syllables, words)
    if "一" in text or "不" in text:
        _yi_and_bu(syllables, words, text)
    for first in third_tone_pairs(words):
        if syllables[first].tone == syllables[first + 1].tone == 3 and not syllables[first].fixed:
            syllables[first].tone = 2


def _suffix_er(syllables: list[Syllable], words: list[str]) -> None:
    """儿化: the suffix is `er5` after its host's full final (花儿: h ua1 er5), whatever the dictionary."""
    begins = set(itertools.accumulate((len(word) for word in words), initial=0))
    for index, (before, syllable) in enumerate(itertools.pairwise(syllables), start=1):
        if syllable.character != "儿" or syllable.fixed or before.character in _FULL_ER_AFTER:
            continue
        joined = index + 1 < len(syllables) and index + 1 not in begins
        if not (joined and (index in begins or syllables[index + 1].character in _FULL_ER_BEFORE)):
            syllable.tone = 5


def _yi_and_bu(syllables: list[Syllable], words: list[str], text: str) -> None:
    """一 and 不, from right to left, each by the spoken tone of the syllable that follows.

    一 is yi2 before tone 4 and 个, yi4 before tones 1 to 3, yi5 within a doubled verb (看一看, not 一步一步); it stays
    yi1 at the end of a word, in ordinals and in numbers. 不 is bu2 before tone 4, bu5 in 好不好, else bu4.
    """
    keeps = _last_characters(words) | {match.start() for match in _COUNTED.finditer(text)}
    for index in reversed([index for index, character in enumerate(text) if character in "一不"]):
        syllable = syllables[index]
        before = syllables[index - 1] if index else None
        after = syllables[index + 1] if index + 1 < len(syllables) else None
        if syllable.fixed:
            continue
        if syllable.character == "一" and index > 1 and syllables[index - 2].character == "一":
            before = None if before and before.character not in _NUMERALS else before  # 一步一步
        if syllable.character == "一" and syllable.final == "i":
            syllable.tone = 1 if _is_number_one(before, after, index in keeps) else _tone_of_yi(before, after)
        elif syllable.character == "不" and syllable.final == "u" and syllable.tone != 5:
            doubled = before and after and before.character == after.character
            syllable.tone = 5 if doubled else 2 if after and after.tone == 4 else 4


def _last_characters(words: list[str]) -> set[int]:
    """Indices of the last characters of known words of two and more; 同一 is open to what follows (同一个)."""
    known, ends, end = known_words().known, set(), 0
    for word in words:
        end += len(word)
        if len(word) > 1 and word != "同一" and word in known:
            ends.add(end - 1)
    return ends


def _is_number_one(before: Syllable | None, after: Syllable | None, kept: bool) -> bool:
    """第一, 初一, 十一, 星期一, 一九九八, 一月, 一号, 一楼; and 一 at the end of a word or run."""
    if after is None or kept or after.character in _NUMERALS or after.character in "月号楼":
        return True
    return before is not None and (before.character in _NUMERALS or before.character in "第初十周期拜")


def _tone_of_yi(before: Syllable | None, after: Syllable | None) -> int:
    if before and after and before.character == after.character:
        return 5
    return 2 if after and (after.tone == 4 or after.character == "个") else 4


def third_tone_pairs(words: list[str]) -> list[int]:
    """Indices i, in order, at which two third tones (i, i+1) become second and third.

    Inside a word first, in pairs from its left. Words of one syllable pair up from the left (我|很: 2 3);
    one that is left over leans on the longer word that follows (很|美丽: 2 3 4; 小|老虎: 3 2 3), or at the
    run's end on what precedes (我很|好, 展览|馆: 2 2 3). Nothing crosses two such groups: speakers may
    pause there.
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
    pairs = list(range(0, len(word) - 1, 2))
    return [*pairs, len(word) - 2] if len(word) % 2 else pairs
