"""Citation readings of Mandarin words, one syllable a character.

A word of `readings.txt`, else pypinyin's phrase, else the first reading of each character; the last syllable of a word
of `neutral.txt` is neutral, and so is 子 at the end of a noun. What depends on the neighbours: `earmark.text.contexts`.
The authority is 现代汉语词典, for neutral.txt first the national list that it names.
"""

from functools import cache, lru_cache
from pathlib import Path

from earmark.errors import TextError
from earmark.text.segment import LONGEST, Words
from earmark.text.syllables import Syllable, split_syllable

# 子 is a syllable of its own in men, women, masters, children, particles and seeds; elsewhere it ends a noun.
_FULL_ZI = frozenset(
    "男女父母王太公天君才孔孟老庄墨荀弟电原分离质中粒光量核孢精卵因配莲瓜松棋鱼赤游浪逆孝学夫世义养长次独幼爱亲"
    "皇骄门仙臣诸士童处童庶嫡竖介激费玻强声胶中微正负反超重轻"
)


@cache
def known_words() -> Words:
    """The words that are read as a whole, with what cuts a run into them."""
    from pypinyin.constants import PHRASES_DICT

    phrases = (word for word in PHRASES_DICT if 1 < len(word) <= LONGEST)
    return Words([*phrases, *_own(), *_neutral()])


def is_own(word: str) -> bool:
    """Is the word's reading one of the lists beside this module, rather than pypinyin's?"""
    return word in _own() or word in _neutral()


def read_word(word: str) -> list[Syllable]:
    """Citation readings of a word; `TextError` ("cannot be labelled") for a character without one."""
    # Syllables change as they sound together, so each text has its own.
    return [Syllable(*one) for one in citation(word)]


@lru_cache(maxsize=1 << 16)
def citation(word: str) -> list[tuple[str, str, str, int]]:
    """Character, initial, final and tone of the syllables of a word; errors as those of `read_word`."""
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

    if word in _own():
        readings = _own()[word]
    elif len(word) > 1 and word in PHRASES_DICT:
        readings = [reading[0] for reading in PHRASES_DICT[word]]
    else:
        readings = [PINYIN_DICT.get(ord(c), "").split(",")[0] for c in word]
    if "" in readings:
        unknown = word[readings.index("")]
        raise TextError(f"{unknown!r} has no reading in pypinyin: correct the text", "cannot be labelled")
    syllables = [(c, *split_syllable(reading)) for c, reading in zip(word, readings, strict=True)]
    if word in _neutral():
        syllables[-1] = (*syllables[-1][:3], 5)
    return syllables


def ends_in_suffix_zi(word: str) -> bool:
    """Does 子 end the word as a suffix (罐子), not as a syllable of its own (男子)?"""
    return len(word) > 1 and word[-1] == "子" and word[-2] not in _FULL_ZI


def table(name: str) -> list[str]:
    """Lines of a list beside this module, without its comments."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@cache
def _own() -> dict[str, list[str]]:
    rows = (line.split("\t") for line in table("readings.txt"))
    return {word: reading.split(" ") for word, reading in rows}


@cache
def _neutral() -> frozenset[str]:
    return frozenset(word for line in table("neutral.txt") for word in line.split())
