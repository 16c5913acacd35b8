"""From normalised text to phones: pypinyin for Han, espeak-ng (en-us, through phonemizer) for Latin script.

1. The text is split by script, since every library spoils the other script's run.
2. Han runs: words, readings, tone sandhi, initials and finals (`earmark.text.mandarin`).
3. Latin runs of all texts: one call of espeak-ng; its composite phones are taken apart.
4. The phones of a text's runs are joined; a text with a phone outside the inventory has no labels.

Mandarin phones are pypinyin's strict initials and finals with tone (`zh`, `ong1`; `v` is ü), English ones
IPA. Where both languages have about the same consonant they share its symbol: the paper credits phones
shared across languages for its code-switching (Section 4.2). English /j/ and /z/ are `y` and `zz`, since
pinyin's j and z are other sounds.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from earmark.errors import TextError
from earmark.text.inventory import Inventory
from earmark.text.mandarin import mandarin_phones
from earmark.text.normalise import check_language, script_runs

# What espeak-ng says that the inventory has no symbol for. Vowels with r, l or schwa and the syllabic n are
# sequences; doubled, nasal and foreign phones (each under 1 in 4,000) go to their nearest neighbours.
# The last row is renamed: shared with Mandarin (g), or kept apart from it (y, zz).
ENGLISH_PHONES: dict[str, tuple[str, ...]] = {
    "ɑːɹ": ("ɑː", "ɹ"), "ɔːɹ": ("ɔː", "ɹ"), "oːɹ": ("ɔː", "ɹ"),
    "ɪɹ": ("ɪ", "ɹ"), "ɛɹ": ("ɛ", "ɹ"), "ʊɹ": ("ʊ", "ɹ"),
    "aɪɚ": ("aɪ", "ɚ"), "aɪə": ("aɪ", "ə"), "iə": ("i", "ə"), "əl": ("ə", "l"), "n̩": ("ə", "n"),
    "ææ": ("æ", "æ"), "ɐɐ": ("ɐ", "ɐ"), "ɑ̃": ("ɑː", "n"), "ɔ̃": ("ɔː", "n"),
    "nʲ": ("n", "y"), "ɡʲ": ("g", "y"), "o": ("oʊ",), "iːː": ("iː",),
    "ɔ": ("ɔː",), "u": ("uː",), "x": ("k",), "ɬ": ("l",), "r": ("ɹ",),
    "ɡ": ("g",), "j": ("y",), "z": ("zz",),
}  # fmt: skip


class Phonemizer:
    """Labels normalised text with the phones of an inventory.

    espeak-ng is one global engine per process: parallelise with processes, never threads.
    """

    def __init__(self, inventory: Inventory | None = None):
        """`inventory` None takes the packaged one."""
        self.inventory = inventory or Inventory.load()

    def label(self, text: str, language: str) -> list[str]:
        """Phones of one normalised text.

        Raises `TextError` with reason "cannot be labelled" (a text that is not normalised, another script, a
        character without a reading; Cantonese, whose phones are not in the inventory), "phone outside the
        inventory", or "unknown language".
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
        english = english_phones(
            run for runs in split if not isinstance(runs, TextError) for script, run in runs if script == "en"
        )
        return [runs if isinstance(runs, TextError) else self._join(runs, english) for runs in split]

    def _join(self, runs: list[tuple[str, str]], english: dict[str, list[str]]) -> list[str] | TextError:
        try:
            phones = [
                phone for script, run in runs for phone in (english[run] if script == "en" else mandarin_phones(run))
            ]
            self.inventory.encode(phones)
        except TextError as error:
            return error
        return phones


def _runs_or_error(text: str, language: str) -> list[tuple[str, str]] | TextError:
    reason = "cannot be labelled"
    try:
        check_language(language)
    except TextError as error:
        return error
    if language == "yue":
        return TextError("Cantonese has no phones in the inventory: train on its text alone", reason)
    runs = script_runs(text)
    if not runs:
        return TextError(f"an empty text ({text!r}) has no phones: leave this utterance out", reason)
    for script, run in runs:
        if script == "und":
            return TextError(f"{run[:40]!r} has no pronunciation here: normalise or correct the text", reason)
    return runs


def english_phones(runs: Iterable[str]) -> dict[str, list[str]]:
    """Phones of each distinct run of English words, from one call of espeak-ng."""
    distinct = list(dict.fromkeys(runs))
    if not distinct:
        return {}
    backend, separator = _espeak()
    spoken = backend.phonemize(distinct, separator=separator, strip=True)
    return {run: _atomic(phones.replace("|", " ").split()) for run, phones in zip(distinct, spoken, strict=True)}


def _atomic(phones: list[str]) -> list[str]:
    """Take composites apart; espeak-ng writes the r of `duration` twice (`ʊɹ ɹ`), once is spoken."""
    atomic: list[str] = []
    for phone in phones:
        parts = ENGLISH_PHONES.get(phone, (phone,))
        repeated = parts == ("ɹ",) and atomic[-1:] == ["ɹ"]
        atomic += () if repeated else parts
    return atomic


@cache
def _espeak() -> tuple[Any, Any]:
    """The en-us voice of the espeak-ng that espeakng_loader brings, and the separator of its phones."""
    import espeakng_loader
    from phonemizer.backend import EspeakBackend
    from phonemizer.backend.espeak.wrapper import EspeakWrapper
    from phonemizer.separator import Separator

    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    # Without the data path espeak-ng ends the whole process.
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    # A foreign word makes espeak-ng change its voice and write "(fr)" among the phones.
    backend = EspeakBackend("en-us", with_stress=False, language_switch="remove-flags", words_mismatch="ignore")
    return backend, Separator(phone=" ", word="|", syllable="")
