"""A user's own pronunciations: words with phones that stand in place of the libraries'.

One word a line, a tab, its phones separated by spaces; `#` begins a comment line:

    重庆	ch ong2 q ing4
    点解	d Yim2 g Yaai2
    earmark	ɪ ɹ m ɑː ɹ k

A Han word with Cantonese finals (`Y...`) is for Cantonese, any other for Mandarin. Its phones are as spoken: no
sandhi changes them. A Latin word is written as normalised text has it; espeak-ng reads the words around it apart.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from earmark.errors import TextError, UserError
from earmark.text.cantonese import MARK
from earmark.text.inventory import Inventory
from earmark.text.normalise import HAN

LONGEST = 8
"""Characters of a Han word, at most: as far as words are looked up."""


@dataclass
class Lexicon:
    """Phones by word, for each kind of run."""

    mandarin: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cantonese: dict[str, tuple[str, ...]] = field(default_factory=dict)
    latin: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_lexicon(path: Path, inventory: Inventory) -> Lexicon:
    """Words of a TSV file.

    Raises `UserError` that names the file and the line: no tab, a word that normalised text cannot hold, a phone
    outside the inventory, another number of syllables than of characters, a word given twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the lexicon {path} cannot be read ({error}): correct text.lexicon") from None
    lexicon = Lexicon()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            _add(lexicon, line, inventory)
        except ValueError as error:
            raise UserError(f"{path}, line {number}: {line[:60]!r}: {error}") from None
    return lexicon


def _add(lexicon: Lexicon, line: str, inventory: Inventory) -> None:
    word, tab, spoken = line.partition("\t")
    phones = tuple(spoken.split())
    if not tab or not phones:
        raise ValueError("write a word, a tab, and its phones separated by spaces")
    try:
        inventory.encode(phones)
    except TextError as error:
        raise ValueError(f"correct the phones: {error}") from None
    words = _section(lexicon, word, phones)
    if word in words:
        raise ValueError("the word stands there twice: remove one line")
    words[word] = phones


def _section(lexicon: Lexicon, word: str, phones: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The part of the lexicon that `word` belongs to; `ValueError` for a word that is never looked up."""
    if re.fullmatch(r"[a-z]+(?:'[a-z]+)*", word):
        return lexicon.latin
    if not re.fullmatch(f"[{HAN}]{{1,{LONGEST}}}", word):
        raise ValueError(f"write 1 to {LONGEST} Han characters, or one Latin word in small letters")
    finals = [phone for phone in phones if phone[-1].isdigit()]
    if len(finals) != len(word) or not phones[-1][-1].isdigit():
        raise ValueError(f"{len(finals)} syllables for {len(word)} characters: each has one final with its tone")
    cantonese = {final.startswith(MARK) for final in finals}
    if len(cantonese) > 1:
        raise ValueError("Mandarin and Cantonese finals in one word: choose one language")
    return lexicon.cantonese if cantonese == {True} else lexicon.mandarin
