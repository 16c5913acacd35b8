"""English phones of runs of Latin words: espeak-ng (en-us, through phonemizer), its composites taken apart."""

import itertools
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from earmark.text.numbers.english_roman import value

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
STRESS = "ˈˌ"
"""Primary and secondary stress: symbols of their own before a stressed vowel, where the setting keeps them."""

# Initials that espeak-ng takes for words. `eg` is read "for example", the surname and syllable Xi sounds like she.
_INITIALS = (
    "atf aws dea eg eod epa etf gop icu imf iot iou ipo iq ncaa nyc nyu qa roi uae ufc usps ux vip".split()  # noqa: SIM905
)
# It reads small letters that make a numeral from 2 to 49 as "roman two", whatever they are, but xl and xxx.
_NUMERALS = [
    word
    for word in ("".join(letters) for size in range(2, 8) for letters in itertools.product("ivxl", repeat=size))
    if word not in ("xl", "xxx") and 2 <= value(word) < 50
]
# Letter by letter; `eigh` is how it says the letter a anywhere.
_RESPELLED = {word: " ".join(word).replace("a", "eigh") for word in (*_NUMERALS, *_INITIALS)} | {"xi": "shee"}
# Its rule for the beginning `retro` also fires inside a word and says it in place of what stands before it
# (alpharetrovirus: "retroretrovirus"; espeak-ng issue 2050, mended upstream in 2026): the word is read in two parts.
_RETRO = re.compile(r"(?<=[a-z])(?=retro)")


def english_phones(runs: Iterable[str], stress: bool = False) -> dict[str, tuple[str, ...]]:
    """Phones of each distinct run of English words, from one call of espeak-ng: about 25,000 words a second.

    :param stress: keep the marks of `STRESS`.
    """
    distinct = list(dict.fromkeys(runs))
    if not distinct:
        return {}
    backend, separator = _espeak(stress)
    parts = {run: _parts(run) for run in distinct}
    spoken = iter(backend.phonemize([one for each in parts.values() for one in each], separator=separator, strip=True))
    read = {run: " ".join(next(spoken) for _ in each) for run, each in parts.items()}
    return {run: tuple(_atomic(phones.replace("|", " ").split())) for run, phones in read.items()}


def _parts(run: str) -> list[str]:
    """The run as espeak-ng has to be given it to say what is written."""
    words = run.split(" ")
    if not _RESPELLED.keys().isdisjoint(words):
        run = " ".join(_RESPELLED.get(word, word) for word in words)
    return _RETRO.split(run) if "retro" in run else [run]


def _atomic(phones: list[str]) -> list[str]:
    """Take composites apart; espeak-ng writes the r of `duration` twice (`ʊɹ ɹ`), once is spoken."""
    atomic: list[str] = []
    for phone in phones:
        bare = phone.lstrip(STRESS)
        parts = ENGLISH_PHONES.get(bare, (bare,))
        repeated = parts == ("ɹ",) and atomic[-1:] == ["ɹ"]
        atomic += phone[: len(phone) - len(bare)]
        atomic += () if repeated else parts
    return atomic


@cache
def _espeak(stress: bool) -> tuple[Any, Any]:
    """The en-us voice of the espeak-ng that espeakng_loader brings, and the separator of its phones."""
    import espeakng_loader
    from phonemizer.backend import EspeakBackend
    from phonemizer.backend.espeak.wrapper import EspeakWrapper
    from phonemizer.separator import Separator

    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    # Without the data path espeak-ng ends the whole process.
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    # A foreign word makes espeak-ng change its voice and write "(fr)" among the phones.
    backend = EspeakBackend("en-us", with_stress=stress, language_switch="remove-flags", words_mismatch="ignore")
    return backend, Separator(phone=" ", word="|", syllable="")
