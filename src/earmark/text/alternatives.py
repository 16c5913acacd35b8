"""Readings that a text leaves open: the one that labels take first, then the others of the character.

A phrase, a lexicon or a sign beside a character decides; where only the commonest reading of a polyphone was taken
(行 alone, a surname in the middle of a sentence), all of them are kept, so that a right hanzi is not held to one.
"""

from collections.abc import Mapping

from earmark.errors import TextError
from earmark.text.contexts import is_decided
from earmark.text.mandarin import mandarin_syllables
from earmark.text.readings import known_words
from earmark.text.syllables import Syllable, split_syllable

Options = tuple[tuple[str, ...], ...]
"""Phones of each reading of a syllable, the chosen one first."""
BY_RULE = frozenset("一不儿")
"""Their tones follow from what is beside them."""


def mandarin_options(run: str, lexicon: Mapping[str, tuple[str, ...]] | None = None) -> list[Options]:
    """Options of each syllable of a run of simplified Han characters; their first ones are its label.

    :param lexicon: words with phones of their own, which are certain.

    Raises `TextError` with reason "cannot be labelled" for a character without a reading.
    """
    own, known = lexicon or {}, known_words().known
    syllables, words = mandarin_syllables(run, own)
    text, found, start = "".join(words), list[Options](), 0
    for index, word in enumerate(words):
        whole = word in own or (len(word) > 1 and word in known)
        for place in range(start, start + len(word)):
            chosen = tuple(syllables[place].phones())
            sure = whole or text[place] in BY_RULE or is_decided(text, place, words, index)
            found.append((chosen,) if sure else (chosen, *_others(text[place], chosen)))
        start += len(word)
    return found


def _others(character: str, chosen: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Phones of the character's other readings in pypinyin, as each is spoken alone."""
    from pypinyin.constants import PINYIN_DICT

    found: dict[tuple[str, ...], None] = {}
    for reading in PINYIN_DICT.get(ord(character), "").split(","):
        try:
            found[tuple(Syllable(character, *split_syllable(reading)).phones())] = None
        except (TextError, ValueError):  # an interjection without a vowel
            continue
    # The chosen one may have another tone than alone: the same initial and final are the same reading.
    return [one for one in found if _toneless(one) != _toneless(chosen) or one[-1][-1] not in (chosen[-1][-1], "3")]


def _toneless(phones: tuple[str, ...]) -> tuple[str, ...]:
    return (*phones[:-1], phones[-1][:-1])
