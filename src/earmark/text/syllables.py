"""Syllables of Mandarin: pinyin as initial and final with tone."""

from dataclasses import dataclass
from functools import cache

# Interjections without a vowel (嗯, 呣, 噷, 哼) and the rare ê (欸) go to the nearest regular final. pypinyin's strict
# finals drop the glide of yo (哟).
_SYLLABIC = {
    "n": ("", "en"),
    "ng": ("", "en"),
    "m": ("m", "u"),
    "hm": ("h", "en"),
    "hng": ("h", "eng"),
    "yo": ("y", "o"),
}
_IRREGULAR = {"ê": "ei"}


@dataclass(slots=True)
class Syllable:
    """One character as it is spoken; `tone` 5 is neutral."""

    character: str
    initial: str
    final: str
    tone: int
    fixed: bool = False
    """From the user's lexicon: as spoken, so that no rule changes it."""

    def phones(self) -> list[str]:
        """Initial, if there is one, and final with tone: ["zh", "ong1"]."""
        final = f"{self.final}{self.tone}"
        return [self.initial, final] if self.initial else [final]

    def read(self, pinyin: str) -> None:
        """Take another reading."""
        self.initial, self.final, self.tone = split_syllable(pinyin)


@cache
def split_syllable(pinyin: str) -> tuple[str, str, int]:
    """Initial ("" if none), final without tone, and tone of pinyin with a tone mark (`zhōng`) or a digit (`zhong1`).

    The final of zhi, chi, shi, ri is `ir`, that of zi, ci, si `iz`: two vowels that pinyin writes alike.
    """
    from pypinyin.contrib.tone_convert import to_finals, to_initials, to_tone3

    toned = to_tone3(pinyin, neutral_tone_with_five=True)
    bare, tone = (toned[:-1], int(toned[-1])) if toned[-1:].isdigit() else (toned, 5)
    if bare in _SYLLABIC:
        return *_SYLLABIC[bare], tone
    initial, final = to_initials(bare, strict=True), to_finals(bare, strict=True, v_to_u=False)
    if final == "i":
        final = {"zh": "ir", "ch": "ir", "sh": "ir", "r": "ir", "z": "iz", "c": "iz", "s": "iz"}.get(initial, "i")
    return initial, _IRREGULAR.get(final, final), tone
