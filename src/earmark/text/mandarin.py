"""Mandarin phones of a run of Han characters: words, readings, tone sandhi, initials and finals.

1. Words by frequency (`earmark.text.segment`): 美元|的|确定|性, 银行|行长.
2. Readings of the word (`earmark.text.readings`), or by the neighbours of a character (`earmark.text.contexts`).
3. 儿化, 一 and 不, then third tones, by rule (`earmark.text.sandhi`). pypinyin's phrases mix citation tones with spoken
   ones, and its own `tone_sandhi` changes 你好 but not 老虎.
4. Initial and final of each syllable; the final carries the tone.
"""

from collections.abc import Mapping

from earmark.text.contexts import settle
from earmark.text.readings import known_words, read_word
from earmark.text.sandhi import sound_together
from earmark.text.syllables import Syllable


def mandarin_phones(run: str, lexicon: Mapping[str, tuple[str, ...]] | None = None) -> tuple[str, ...]:
    """Phones of a run of simplified Han characters.

    :param lexicon: words with phones of their own, one final with tone a character.

    Raises `TextError` with reason "cannot be labelled" for a character without a reading.
    """
    syllables, _ = mandarin_syllables(run, lexicon)
    return tuple(phone for syllable in syllables for phone in syllable.phones())


def mandarin_syllables(
    run: str, lexicon: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[list[Syllable], list[str]]:
    """Syllables of a run as they are spoken, one a character, and the run's words; errors as of `mandarin_phones`."""
    own = lexicon or {}
    words = known_words().cut(run, own)
    syllables = [one for word in words for one in (_given(word, own[word]) if word in own else read_word(word))]
    settle(syllables, words)
    sound_together(syllables, words)
    return syllables, words


def spoken(syllables: list[Syllable], words: list[str]) -> tuple[str, ...]:
    """Phones of citation readings, one syllable a character of `words`, after the rules of contexts and of sandhi.

    The syllables are changed in place.
    """
    settle(syllables, words)
    sound_together(syllables, words)
    return tuple(phone for syllable in syllables for phone in syllable.phones())


def _given(word: str, phones: tuple[str, ...]) -> list[Syllable]:
    """Syllables of a word of the lexicon: each ends in the phone that carries a digit."""
    syllables: list[Syllable] = []
    initial = ""
    for phone in phones:
        if phone[-1].isdigit():
            syllables.append(Syllable(word[len(syllables)], initial, phone[:-1], int(phone[-1]), fixed=True))
            initial = ""
        else:
            initial = phone
    return syllables
