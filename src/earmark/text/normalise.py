"""One spelling for every text, references and hypotheses alike.

1. Unicode to its plain form (NFKC: full width to half width), accents off Latin letters, corpus tags out.
2. Traditional to simplified Chinese (OpenCC, `t2s`).
3. Only where digits or symbols stand: WeTextProcessing reads them out, in Chinese or in English.
4. Lower case, punctuation out, canonical spaces, as in "打开 the window 好吗".

The decoding setup of the paper (Appendix A.2) scores after WeTextProcessing; it reads 5-80 sentences a
second, so that text without digits or symbols never meets it.
"""

import contextlib
import itertools
import os
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from earmark.errors import TextError, UserError

HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"

_SPELLINGS = str.maketrans(
    dict.fromkeys("’‘`´ʼ", "'")
    | dict.fromkeys("–−‐‑", "-")
    | {"〇": "零"}
    # A fraction is set apart: NFKC would make 31/2 of 3½.
    | {c: " " + unicodedata.normalize("NFKC", c).replace("\u2044", "/") for c in "¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
)
# Written Cantonese that OpenCC turns into characters which nobody writes stays as it is; 衞 is Hong Kong's 卫.
_CANTONESE = str.maketrans("𠮶㖞𡥧𩠌䢂𨅬㖊𪠳衞", "嗰喎孻餸𨋢躝噚唓卫")
# Letters that have no accent to take off.
_LIGATURES = {"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff][\u0300-\u036f]*|[\u0300-\u036f]")
# <COMMA>, <NOISE>, <|zh|>, </s>, [laughter], [*]: angle brackets of arithmetic hold spaces or digits.
_TAG = re.compile(r"<[/|]?[A-Za-z_-]{1,30}[/|]?>|\[[A-Za-z_ *-]{1,30}\]")
_SYMBOLS = "%$€£¥°&@+="
_SPOKEN = re.compile(rf"[0-9{_SYMBOLS}]")
_STRETCH = re.compile(rf"[{HAN}]+|[^\s{HAN}]+")
_FOREIGN = rf"[^\W\d_A-Za-z{HAN}]"
_PIECE = re.compile(rf"[{HAN}]+|{_FOREIGN}+|(?:(?!{_FOREIGN})[^\s{HAN}])+")
_UNIT = re.compile(rf"[{HAN}]|[^\s{HAN}]+")
_RUN = re.compile(rf"(?P<zh>[{HAN}]+)|(?P<en>[a-z']+(?: [a-z']+)*(?![^\s{HAN}]))|(?P<und>[^\s{HAN}]+)")
_DIGIT_NAMES = {
    "zh": tuple("零一二三四五六七八九"),
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}


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
    plain = _TAG.sub(" ", _plain(text))
    plain = _simplified(plain)
    if _SPOKEN.search(plain):
        plain = _read_out(plain, language)
    canonical = _simplified(_canonical(plain))
    if not canonical:
        raise TextError(f"nothing is left of {text[:60]!r}: leave this utterance out", "empty after normalising")
    return canonical


def tokens(text: str) -> list[str]:
    """Units of the mixed error rate of a normalised text: one per Han character, one per Latin word."""
    return _UNIT.findall(text)


def script_runs(text: str) -> list[tuple[str, str]]:
    """Split a normalised text by script: ("zh", Han run), ("en", Latin words), ("und", anything else)."""
    return [(match.lastgroup or "und", match.group()) for match in _RUN.finditer(text)]


def _plain(text: str) -> str:
    """NFKC, ASCII digits, plain apostrophes and hyphens, Latin letters without accents."""
    if text.isascii():
        return text.translate(_SPELLINGS)
    text = unicodedata.normalize("NFKC", text.translate(_SPELLINGS))
    text = _ACCENTED.sub(_without_accent, text)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def _without_accent(match: re.Match[str]) -> str:
    letters = unicodedata.normalize("NFKD", match.group())
    bare = "".join(c for c in letters if not "\u0300" <= c <= "\u036f")
    return "".join(_ligature(c) for c in bare)


def _ligature(letter: str) -> str:
    plain = _LIGATURES.get(letter.lower(), letter)
    return plain.upper() if letter.isupper() else plain


@cache
def _opencc() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def _simplified(text: str) -> str:
    return text if text.isascii() else _opencc().convert(text).translate(_CANTONESE)


def _canonical(text: str) -> str:
    """Lower case; letters and apostrophes inside words stay, all else parts words; Han needs no spaces."""
    letters = "".join(c if c.isalpha() or c in "' " or _is_mark(c) else _gap(c) for c in text.lower())
    words = re.sub(r"(?<![a-z])'+|'+(?![a-z])", " ", letters)
    return re.sub(rf"(?<=[{HAN}]) (?=[{HAN}])", "", " ".join(_STRETCH.findall(words)))


def _is_mark(character: str) -> bool:
    return character > "\u036f" and unicodedata.category(character)[0] == "M"


def _gap(character: str) -> str:
    """Zero-width characters vanish, everything else parts two words."""
    return "" if unicodedata.category(character) == "Cf" else " "


def _read_out(text: str, language: str) -> str:
    """Replace digits and symbols by words, each stretch of one language by its own rules."""
    pieces = _PIECE.findall(text)
    readers = _readers(pieces, language)
    parts = []
    for reader, group in itertools.groupby(zip(readers, pieces, strict=True), key=lambda pair: pair[0]):
        stretch = _join(piece for _, piece in group)
        parts.append(_spoken(stretch, reader) if _SPOKEN.search(stretch) else stretch)
    return " ".join(parts)


def _join(pieces: Iterator[str]) -> str:
    """Join with one space, but none beside Han: `5 月` is read as `5月`."""
    return re.sub(rf"(?<=[{HAN}]) | (?=[{HAN}])", "", " ".join(pieces))


def _readers(pieces: list[str], language: str) -> list[str]:
    """Language of each piece: that of its script; for numbers and symbols that of their neighbours."""
    own = [_script(piece) for piece in pieces]
    left = _carried(own)
    right = _carried(own[::-1])[::-1]
    return [script or _reader(left[index], right[index], language, "zh" in own) for index, script in enumerate(own)]


def _carried(scripts: list[str]) -> list[str]:
    """Each empty entry takes its predecessor's value."""
    carried: list[str] = []
    for script in scripts:
        carried.append(script or (carried[-1] if carried else ""))
    return carried


def _script(piece: str) -> str:
    if re.match(f"[{HAN}]", piece):
        return "zh"
    if re.match(_FOREIGN, piece):
        return "und"
    return "en" if re.search("[A-Za-z]", piece) and not re.search(r"\d", piece) else ""


def _reader(left: str, right: str, language: str, has_han: bool) -> str:
    """A Han neighbour makes a number Chinese; at the text's edge the rest of the text decides."""
    if language == "en" or left == right == "en":
        return "en"
    return "en" if "en" in (left, right) and not has_han else "zh"


@lru_cache(maxsize=1 << 16)
def _spoken(text: str, language: str) -> str:
    """WeTextProcessing's reading of `text`; digits that it leaves or chokes on are read one by one."""
    known = re.sub(rf"[^ -~{HAN}{_SYMBOLS}×÷]", " ", text)
    # pynini's errors for text that its rules do not cover.
    with contextlib.suppress(ValueError, RuntimeError):
        text = _wetext(language).normalize(known.strip())
    return re.sub("[0-9]", lambda match: f" {_DIGIT_NAMES[language][int(match.group())]} ", text)


@cache
def _wetext(language: str) -> Any:
    """The text normaliser of one language, loaded once a process."""
    import logging

    import tn.processor  # noqa: F401  (sets the level of its logger when imported)

    logging.getLogger("wetext").setLevel(logging.WARNING)
    if language == "en":
        from tn.english.normalizer import Normalizer

        # It has no options, so the graph in the package is the one that 40 s of building would give.
        return Normalizer()
    return _chinese(_cache_dir() / "wetext-zh-faithful")


def _chinese(folder: Path) -> Any:
    """Chinese rules that keep 儿 and interjections, as both are spoken; the package's graph drops them."""
    from tn.chinese.normalizer import Normalizer

    keep = dict.fromkeys(("remove_interjections", "remove_erhua", "traditional_to_simple", "full_to_half"), False)
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            _build_whole(folder, lambda built: Normalizer(cache_dir=str(built), **keep))
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error}): set XDG_CACHE_HOME to another folder") from None
    return Normalizer(cache_dir=str(folder), **keep)


def _build_whole(folder: Path, build: Callable[[Path], object]) -> None:
    """Build in a temporary folder, then rename; another process may be faster, with the same result."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        built = Path(temporary) / "built"
        build(built)
        try:
            built.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise


def _cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earmark"
