"""English phones of runs of Latin words: espeak-ng (en-us, through phonemizer), its composites taken apart."""

from collections.abc import Iterable
from functools import cache
from typing import Any

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


def english_phones(runs: Iterable[str], stress: bool = False) -> dict[str, tuple[str, ...]]:
    """Phones of each distinct run of English words, from one call of espeak-ng: about 25,000 words a second.

    :param stress: keep the marks of `STRESS`.
    """
    distinct = list(dict.fromkeys(runs))
    if not distinct:
        return {}
    backend, separator = _espeak(stress)
    spoken = backend.phonemize(distinct, separator=separator, strip=True)
    return {run: tuple(_atomic(phones.replace("|", " ").split())) for run, phones in zip(distinct, spoken, strict=True)}


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
