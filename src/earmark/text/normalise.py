"""One spelling for every text, references and hypotheses alike.

1. Unicode to its plain form (NFKC: full width to half width), accents off Latin letters, corpus tags out.
2. Traditional to simplified Chinese (`earmark.text.simplified`).
3. Only where digits or symbols stand: they are read out, in Chinese or in English (`earmark.text.numbers.stretches`).
4. Lower case, punctuation out, canonical spaces, as in "打开 the window 好吗".

The decoding setup of the paper (Appendix A.2) scores after WeTextProcessing. Here rules of our own read what is common
and agree with it but for its errors (`earmark.text.numbers.deviations`); it reads the rest.
"""

import re
import unicodedata

from earmark.errors import TextError
from earmark.text.marks import plain_numbers, without_marks, without_tags
from earmark.text.numbers.english_abbreviations import read_abbreviations
from earmark.text.numbers.english_dates import read_months
from earmark.text.numbers.english_roman import read_known, read_numerals
from earmark.text.numbers.english_signs import read_greek
from earmark.text.numbers.stretches import HAN, SPOKEN, read_out
from earmark.text.simplified import simplified

WRONG_SCRIPT = "wrong script for its language"
_SPELLINGS = str.maketrans(
    dict.fromkeys("’‘`´ʼ′", "'")
    | dict.fromkeys("–−‐‑", "-")
    | {"〇": "零", "，": ", ", "；": "; ", "：": ":", "¢": " cents", "″": '"'}
    # A fraction is set apart: NFKC would make 31/2 of 3½.
    | {c: " " + unicodedata.normalize("NFKC", c).replace("\u2044", "/") for c in "¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
)
# A circle among digits is a zero.
_CIRCLE = re.compile("(?<=[零一二三四五六七八九])○+|○+(?=[零一二三四五六七八九])")
# Letters that have no accent to take off.
_LIGATURES = {"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff][\u0300-\u036f]*|[\u0300-\u036f]")
# Digits of other scripts.
_DECIMAL = re.compile(r"[^\D0-9]")
_LATIN_OR_GREEK = re.compile("[A-Za-zΑ-Ωα-ω]")
# Subtitles cut clitics off (TED-LIUM: it 's).
_CLITIC = re.compile(r"(?<=[a-z]) '(?=(?:s|re|ve|ll|d|m)(?![a-z']))", re.IGNORECASE)
# Units beside Han.
_SPACED_UNIT = re.compile(r"(?<=\d) +(?=(?:kg|km|cm|mm|mg|ml|kW|kWh|Hz|km/h)(?![A-Za-z]))")
_STRETCH = re.compile(rf"[{HAN}]+|[^\s{HAN}]+")
_INNER_SPACE = re.compile(rf"(?<=[{HAN}]) (?=[{HAN}])")
_OUTER_APOSTROPHE = re.compile(r"(?<![a-z])'+|'+(?![a-z])")
_UNIT = re.compile(rf"[{HAN}]|[^\s{HAN}]+")
_RUN = re.compile(rf"(?P<zh>[{HAN}]+)|(?P<en>[a-z']+(?: [a-z']+)*(?![^\s{HAN}]))|(?P<und>[^\s{HAN}]+)")


def check_language(language: str) -> None:
    """Accept zh, en, yue and zh-* (zh-en: code-switch; zh-sichuan: a dialect); else `TextError`."""
    if language not in ("zh", "en", "yue") and not re.fullmatch(r"zh-[a-z0-9-]+", language):
        raise TextError(
            f"language {language!r} is not known: use zh, en, zh-en, yue or zh-<dialect>", "unknown language"
        )


def normalise(text: str, language: str) -> str:
    """Bring `text` to its one spelling; idempotent.

    `language` (zh, en, zh-en, yue, zh-*) only decides in which language a number is read that has neither
    Chinese nor Latin neighbours, or stands at the edge between them.

    Raises `TextError` with reason "empty after normalising" or "unknown language".
    """
    check_language(language)
    plain = without_tags(_plain(text))
    plain = _abbreviations(simplified(plain))
    if SPOKEN.search(plain):
        plain = read_out(plain, language)
    canonical = read_known(simplified(_canonical(plain)))
    if not canonical:
        raise TextError(f"nothing is left of {text[:60]!r}: leave this utterance out", "empty after normalising")
    return canonical


def tokens(text: str) -> list[str]:
    """Units of the mixed error rate of a normalised text: one per Han character, one per Latin word."""
    return _UNIT.findall(text)


def script_runs(text: str) -> list[tuple[str, str]]:
    """Split a normalised text by script: ("zh", Han run), ("en", Latin words), ("und", anything else)."""
    return [(match.lastgroup or "und", match.group()) for match in _RUN.finditer(text)]


def script_fault(text: str, language: str) -> str | None:
    """`WRONG_SCRIPT` for a normalised text that another language's script gives away, else None.

    Mandarin, its dialects and Cantonese hold a Han character at least (Latin words among them are code-switching),
    English holds none, zh-en either; kana, hangul, Cyrillic and other letters are in none of them. Raises `TextError`
    for an unknown language.
    """
    check_language(language)
    runs = script_runs(text)
    # `mp3` is no fault of script.
    if any(c.isalpha() and not c.isascii() for script, run in runs if script == "und" for c in run):
        return WRONG_SCRIPT
    has_han = any(script == "zh" for script, _ in runs)
    return WRONG_SCRIPT if language != "zh-en" and has_han == (language == "en") else None


def _plain(text: str) -> str:
    """NFKC, ASCII digits, plain apostrophes and hyphens, Latin letters without accents, no unheard marks."""
    text = plain_numbers(without_marks(text))
    if text.isascii():
        return text.replace("`", "'")
    text = unicodedata.normalize("NFKC", text.translate(_SPELLINGS))
    if "○" in text:
        text = _CIRCLE.sub(lambda match: "零" * len(match.group()), text)
    text = _ACCENTED.sub(_without_accent, text)
    return _DECIMAL.sub(lambda match: str(unicodedata.decimal(match.group())), text)


def _abbreviations(text: str) -> str:
    """Mr. Brown: mister brown; Jan. 5: january 5; Henry VIII: henry the eighth; it 's: it's; 5 kg: 5kg beside Han."""
    if not _LATIN_OR_GREEK.search(text):
        return text
    if " '" in text:
        text = _CLITIC.sub("'", text)
    if not text.isascii():
        text = read_greek(_SPACED_UNIT.sub("", text))
    return read_numerals(read_abbreviations(read_months(text)))


def _without_accent(match: re.Match[str]) -> str:
    letters = unicodedata.normalize("NFKD", match.group())
    bare = "".join(c for c in letters if not "\u0300" <= c <= "\u036f")
    return "".join(_ligature(c) for c in bare)


def _ligature(letter: str) -> str:
    plain = _LIGATURES.get(letter.lower(), letter)
    return plain.upper() if letter.isupper() else plain


def _canonical(text: str) -> str:
    """Lower case; letters and apostrophes inside words stay, all else parts words; Han needs no spaces."""
    words = text.lower().translate(_LETTERS)
    if "'" in words:
        words = _OUTER_APOSTROPHE.sub(" ", words)
    if words.isascii():
        return " ".join(words.split())
    return _INNER_SPACE.sub("", " ".join(_STRETCH.findall(words)))


class _Letters(dict[int, str]):
    """A table for `str.translate` that fills itself: letters and marks stay, all else is a gap."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        stays = character.isalpha() or character in "' " or _is_mark(character)
        self[code] = character if stays else _gap(character)
        return self[code]


_LETTERS = _Letters()


def _is_mark(character: str) -> bool:
    return character > "\u036f" and unicodedata.category(character)[0] == "M"


def _gap(character: str) -> str:
    """Zero-width characters vanish, everything else parts two words."""
    return "" if unicodedata.category(character) == "Cf" else " "
