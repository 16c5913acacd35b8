"""Lists of texts with the reading of one character behind it: 背(bei1)着包."""

import re
from pathlib import Path

from earmark.text.mandarin import mandarin_phones
from earmark.text.syllables import Syllable

Case = tuple[str, int, str]
"""Text, index of the character, pinyin with a digit."""


def cases(path: Path) -> list[Case]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    parts = [re.fullmatch(r"(.+?)\((\w+)\)(.*)", line) for line in lines]
    return [(part[1] + part[3], len(part[1]) - 1, part[2]) for part in parts if part]


def syllables(text: str) -> list[tuple[str, ...]]:
    """Phones of each character."""
    found: list[tuple[str, ...]] = []
    phones: tuple[str, ...] = ()
    for phone in mandarin_phones(text):
        phones += (phone,)
        if phone[-1].isdigit():
            found.append(phones)
            phones = ()
    return found


def is_right(case: Case) -> bool:
    """Before another third tone, a third tone is heard as the second."""
    text, index, pinyin = case
    syllable = Syllable(text[index], "", "", 0)
    syllable.read(pinyin)
    wanted = [tuple(syllable.phones())]
    if syllable.tone == 3:
        syllable.tone = 2
        wanted.append(tuple(syllable.phones()))
    return syllables(text)[index] in wanted


def share_right(found: list[Case]) -> float:
    return sum(map(is_right, found)) / len(found)
