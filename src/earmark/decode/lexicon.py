"""Phones to characters without a language model: each syllable becomes its most frequent character.

The floor that homophones set: what the CTC head alone can spell. Shown beside the full recipe.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

Syllable = tuple[str, ...]
"""Initial, if there is one, and final with tone."""


class CharacterLexicon:
    """Characters by syllable, learnt from transcripts and their phones."""

    def __init__(self, pairs: Iterable[tuple[str, list[str]]]):
        """`pairs` are (text, phones); texts that are not Han characters alone are passed over."""
        toned: defaultdict[Syllable, Counter[str]] = defaultdict(Counter)
        toneless: defaultdict[Syllable, Counter[str]] = defaultdict(Counter)
        for text, phones in pairs:
            spoken = syllables(phones)
            if len(spoken) != len(text):
                continue
            for character, syllable in zip(text, spoken, strict=True):
                toned[syllable][character] += 1
                toneless[_toneless(syllable)][character] += 1
        self._toned = {syllable: _first(counted) for syllable, counted in toned.items()}
        self._toneless = {syllable: _first(counted) for syllable, counted in toneless.items()}

    def spell(self, phones: list[str]) -> list[str]:
        """One character a syllable; a tone never met with that syllable is ignored, an unknown syllable left out."""
        characters = []
        for syllable in syllables(phones):
            character = self._toned.get(syllable) or self._toneless.get(_toneless(syllable))
            if character:
                characters.append(character)
        return characters


def syllables(phones: list[str]) -> list[Syllable]:
    """Phones cut behind each final (the phones that carry a tone); of several initials the last one counts."""
    found: list[Syllable] = []
    initial: Syllable = ()
    for phone in phones:
        if phone[-1].isdigit():
            found.append((*initial, phone))
            initial = ()
        else:
            initial = (phone,)
    return found


def _toneless(syllable: Syllable) -> Syllable:
    return (*syllable[:-1], syllable[-1][:-1])


def _first(counted: Counter[str]) -> str:
    """The most frequent; of equally frequent ones the first in code order, whatever the order of the rows."""
    return min(counted, key=lambda character: (-counted[character], character))
