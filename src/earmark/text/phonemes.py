"""From normalised text to CTC targets: phones, or characters for comparison.

1. The text is split by script, since every library spoils the other script's run.
2. Han runs: Mandarin (`earmark.text.mandarin`) or Cantonese (`earmark.text.cantonese`), by the utterance's language.
3. Latin runs of all texts: one call of espeak-ng (`earmark.text.english`).
4. The phones of a text's runs are joined; a text with a phone outside the inventory has no labels.

Mandarin phones are pypinyin's strict initials and finals with tone (`zh`, `ong1`; `v` is ü), Cantonese ones
jyutping's with a mark (`gw`, `Yok3`), English ones IPA. Where languages have about the same consonant they share its
symbol: the paper credits phones shared across languages for its code-switching (Section 4.2). English /j/ and /z/ are
`y` and `zz`, since pinyin's j and z are other sounds.

Sichuanese and KeSpeech's subdialects (zh-*) take Mandarin readings: no public dictionary has theirs, they share the
written words and, to a large part, the classes of sounds. Their tones are then names of tone categories, not pitches.
"""

import importlib.metadata
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Literal

from earmark.errors import TextError
from earmark.io import digest
from earmark.text.alternatives import Options, mandarin_options
from earmark.text.cantonese import cantonese_phones
from earmark.text.characters import character_targets
from earmark.text.english import STRESS, english_phones
from earmark.text.inventory import Inventory
from earmark.text.lexicon import Lexicon, read_lexicon
from earmark.text.mandarin import mandarin_phones
from earmark.text.normalise import check_language, script_runs

if TYPE_CHECKING:
    from earmark.config import Text

VERSION = "5"
"""Version of the rules of normaliser and phones: raised when any text gets other labels (a test has samples)."""
LIBRARIES = ("WeTextProcessing", "opencc", "pypinyin", "jieba", "ToJyutping", "phonemizer", "espeakng-loader")
"""Packages whose data labels come from."""
CACHED_RUNS = 1 << 15
"""Runs of one script whose phones are remembered, each kind."""


class Phonemizer:
    """Labels normalised text with the symbols of an inventory.

    espeak-ng is one global engine per process: parallelise with processes, never threads.
    """

    def __init__(
        self,
        inventory: Inventory | None = None,
        targets: Literal["phones", "characters"] = "phones",
        stress: Literal["stripped", "kept"] = "stripped",
        lexicon: Lexicon | None = None,
    ):
        """`inventory` None takes the packaged one of these targets."""
        self.inventory = inventory or Inventory.packaged(targets)
        self._characters = targets == "characters"
        self._stress = stress == "kept"
        lexicon = lexicon or Lexicon()
        installed = [f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES]
        self.hash = digest(VERSION, installed, self.inventory.hash, targets, stress, asdict(lexicon))
        """Of all that labels depend on beside the text: it travels with shards, so that labels never mix."""
        self._han = {
            "zh": lru_cache(CACHED_RUNS)(partial(mandarin_phones, lexicon=lexicon.mandarin)),
            "yue": lru_cache(CACHED_RUNS)(partial(cantonese_phones, lexicon=lexicon.cantonese)),
        }
        self._mandarin = lexicon.mandarin
        self._words = {word: self._stressed(phones) for word, phones in lexicon.latin.items()}
        self._latin: dict[str, tuple[str, ...]] = {}

    @classmethod
    def from_settings(cls, text: "Text") -> "Phonemizer":
        """What the configuration's section `text` asks for.

        Raises `UserError` for an inventory or a lexicon that cannot be read.
        """
        inventory = Inventory.from_settings(text)
        lexicon = read_lexicon(text.lexicon, inventory) if text.lexicon else None
        return cls(inventory, text.targets, text.stress, lexicon)

    def label(self, text: str, language: str) -> list[str]:
        """Phones, or characters, of one normalised text.

        Raises `TextError` with reason "cannot be labelled" (a text that is not normalised, another script, a
        character without a reading), "phone outside the inventory", or "unknown language".
        """
        [result] = self.label_many([(text, language)])
        if isinstance(result, TextError):
            raise result
        return result

    def label_many(self, pairs: Sequence[tuple[str, str]]) -> list[list[str] | TextError]:
        """Label (text, language) pairs in order; an error stands in the place of a text without labels.

        All English runs go to espeak-ng together, about 25,000 words a second.
        """
        split = [_runs_or_error(text, language) for text, language in pairs]
        if not self._characters:
            self._read_english([runs for runs in split if not isinstance(runs, TextError)])
        return [
            runs if isinstance(runs, TextError) else self._join(runs, text, language)
            for runs, (text, language) in zip(split, pairs, strict=True)
        ]

    def options(self, text: str, language: str) -> list[Options]:
        """Readings of a normalised text, of each syllable of Mandarin or run of another script; errors as of `label`.

        The first of each, joined, are its label; others stand behind it where the text leaves the reading open, as far
        as the inventory has their phones. Grounded recognition compares a hypothesis with all of them.
        """
        label = self.label(text, language)
        if self._characters or language == "yue":
            return [(tuple(label),)]
        found: list[Options] = []
        for script, run in script_runs(text):
            found += [(self._latin[run],)] if script == "en" else mandarin_options(run, self._mandarin)
        return [(one[0], *(other for other in one[1:] if self._has(other))) for one in found]

    def _has(self, phones: tuple[str, ...]) -> bool:
        try:
            self.inventory.encode(list(phones))
        except TextError:
            return False
        return True

    def _join(self, runs: list[tuple[str, str]], text: str, language: str) -> list[str] | TextError:
        try:
            labels = character_targets(text) if self._characters else self._phones(runs, language)
            self.inventory.encode(labels)
        except TextError as error:
            return error
        return labels

    def _phones(self, runs: list[tuple[str, str]], language: str) -> list[str]:
        han = self._han["yue" if language == "yue" else "zh"]
        phones: list[str] = []
        for script, run in runs:
            phones += self._latin[run] if script == "en" else han(run)
        return phones

    def _read_english(self, texts: list[list[tuple[str, str]]]) -> None:
        """Have the phones of all Latin runs in `_latin`: one call of espeak-ng for those not met before."""
        if len(self._latin) > CACHED_RUNS:
            self._latin.clear()
        new = {run for runs in texts for script, run in runs if script == "en"} - self._latin.keys()
        pieces = {run: self._pieces(run) for run in sorted(new)}
        known = self._words | english_phones(
            (piece for parts in pieces.values() for piece in parts if piece not in self._words), self._stress
        )
        for run, parts in pieces.items():
            self._latin[run] = tuple(phone for piece in parts for phone in known[piece])

    def _pieces(self, run: str) -> list[str]:
        """The run cut at the lexicon's words, which stand alone."""
        if not self._words:
            return [run]
        words = "|".join(map(re.escape, self._words))
        pieces = re.split(rf"(?:^|(?<= ))({words})(?= |$)", run)
        return [piece.strip() for piece in pieces if piece.strip()]

    def _stressed(self, phones: tuple[str, ...]) -> tuple[str, ...]:
        """Phones of the lexicon with stress as the setting has it."""
        return phones if self._stress else tuple(phone for phone in phones if phone not in STRESS)


def _runs_or_error(text: str, language: str) -> list[tuple[str, str]] | TextError:
    reason = "cannot be labelled"
    try:
        check_language(language)
    except TextError as error:
        return error
    runs = script_runs(text)
    if not runs:
        return TextError(f"an empty text ({text!r}) has no phones: leave this utterance out", reason)
    for script, run in runs:
        if script == "und":
            return TextError(f"{run[:40]!r} has no pronunciation here: normalise or correct the text", reason)
    return runs
