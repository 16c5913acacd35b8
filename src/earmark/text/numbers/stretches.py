"""Digits and symbols become words: rules for what is common, WeTextProcessing for the rest.

1. Each piece of the text is read in the language of its script; numbers in that of their neighbours.
2. A stretch of one language is cut into chunks; own rules read a chunk as a whole, or its parts at commas.
3. What no rule knows goes to WeTextProcessing, a Chinese chunk with the characters beside it (units, 第).
"""

import itertools
import re

from earmark.text.numbers import chinese_numbers, chinese_signs, english_numbers, english_signs
from earmark.text.numbers.chinese_words import CURRENCY_SIGNS
from earmark.text.numbers.english_words import ONES, TENS
from earmark.text.numbers.wetext import fst_reading

HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"

SYMBOLS = "%‰$€£¥°&@+=#" + "₩₹₽₺₫฿₱₦₴₪₡₲₵₸₿₾₼₭₮"
_DOMAIN = rf"\.(?:{chinese_numbers.DOMAINS})\b"
_LETTERS = r"[<>](?<=\b[A-Za-z] .)=? ?[A-Za-z]\b"
SPOKEN = re.compile(rf"[0-9{SYMBOLS}{english_signs.ALWAYS}]|{_DOMAIN}|://|{chinese_signs.SPOKEN}|{_LETTERS}")
_FOREIGN = rf"[^\W\d_A-Za-zμΩ{HAN}]"
_PIECE = re.compile(rf"(?P<zh>[{HAN}]+)|(?P<und>{_FOREIGN}+)|(?:(?!{_FOREIGN})[^\s{HAN}])+")
_WORD = re.compile(r"\D*[A-Za-z]\D*")
_HAN_SPACE = re.compile(rf"(?<=[{HAN}]) | (?=[{HAN}])")
_RULES = {"zh": chinese_numbers.read_chunk, "en": english_numbers.read_chunk}
_CHINESE_CHUNK = re.compile(rf"[^\s{HAN}]*[0-9][^\s{HAN}]*")
# What a word needs to be a chunk; a set first, as every text with numbers is searched for it.
_ENGLISH_CHUNK = re.compile(rf"[0-9{SYMBOLS}.:](?:(?<=[0-9{SYMBOLS}])|(?<=\.)(?:{chinese_numbers.DOMAINS})\b|(?<=:)//)")
_BARE_POINT = re.compile(r"(?<![\w.])\.$")
# Characters on either side that a rule may look at; without a bound long texts would take quadratic time.
_CONTEXT = 40
# What a rule may meet; other characters part chunks.
_UNKNOWN = {
    "zh": re.compile(rf"[^0-9A-Za-z{HAN}{SYMBOLS}{CURRENCY_SIGNS}.,:/~*×÷<>±^'·μΩ\s-]"),
    "en": re.compile(rf"[^ -~{SYMBOLS}{english_numbers.SIGNS}]"),
}
# One style of "and", whoever reads.
_AND = re.compile(rf"\bhundred (?=(?:{'|'.join([*ONES[1:], *TENS[2:]])})\b)")
# Chunks with signs that WeTextProcessing leaves out.
_SIGNED = re.compile(r"[^0-9A-Za-z.,:]")
_EDGES = {"zh": (".,:/~*<>'=&@#·", ".,:/~*<>'=&@#+·-"), "en": ("\"'(<[{.,:;!?*~/", "\"')>]}.,:;!?*~/-")}


def read_out(text: str, language: str) -> str:
    """Replace digits and symbols by words, each stretch of one language by its own rules."""
    if language == "en" and text.isascii():
        stretch = " ".join(text.split())
        return _read_stretch(stretch, "en") if SPOKEN.search(stretch) else stretch
    matches = list(_PIECE.finditer(text if language == "en" else chinese_signs.close_spaces(text)))
    readers = _readers([_script(match) for match in matches], language)
    parts = []
    for reader, group in itertools.groupby(zip(readers, matches, strict=True), key=lambda pair: pair[0]):
        stretch = " ".join([match.group() for _, match in group])
        if reader == "zh":
            # No space beside Han: `5 月` is read as `5月`.
            stretch = _HAN_SPACE.sub("", stretch)
        parts.append(_read_stretch(stretch, reader) if SPOKEN.search(stretch) else stretch)
    return " ".join(parts)


def _readers(own: list[str], language: str) -> list[str]:
    """Language of each piece: that of its script; for numbers and symbols that of their neighbours."""
    if language == "en":
        return [script or "en" for script in own]
    left = _carried(own)
    right = _carried(own[::-1])[::-1]
    has_han = "zh" in own
    return [script or _reader(left[index], right[index], has_han) for index, script in enumerate(own)]


def _carried(scripts: list[str]) -> list[str]:
    """Each empty entry takes its predecessor's value."""
    carried: list[str] = []
    for script in scripts:
        carried.append(script or (carried[-1] if carried else ""))
    return carried


def _script(match: re.Match[str]) -> str:
    """Of a piece; empty for numbers and signs."""
    return match.lastgroup or ("en" if _WORD.fullmatch(match.group()) else "")


def _reader(left: str, right: str, has_han: bool) -> str:
    """A Han neighbour makes a number Chinese; at the text's edge the rest of the text decides."""
    if left == right == "en":
        return "en"
    return "en" if "en" in (left, right) and not has_han else "zh"


def _read_stretch(text: str, language: str) -> str:
    """Readings of all chunks of a stretch in one language."""
    if language == "zh":
        text = _UNKNOWN[language].sub(" ", chinese_signs.read_signs(text))
    else:
        text = english_signs.read_signs(_UNKNOWN[language].sub(" ", text))
    parts, position = [], 0
    while span := _chunk(text, position, language):
        parts.append(text[position : span[0]])
        start, end = _core(text, *span, language)
        before, after = text[max(0, start - _CONTEXT) : start], text[end : end + _CONTEXT]
        read, taken = _read(text[start:end], before, after, language)
        parts.append(f" {read} " if language == "en" else read)
        position = (end if taken else span[1]) + taken
    return "".join([*parts, text[position:]])


def _chunk(text: str, position: int, language: str) -> tuple[int, int] | None:
    """Start and end of the next chunk from `position` on; an English one is a word between plain spaces."""
    match = (_CHINESE_CHUNK if language == "zh" else _ENGLISH_CHUNK).search(text, position)
    if match is None or language == "zh":
        return match and match.span()
    start, end = text.rfind(" ", position, match.start()), text.find(" ", match.end())
    return max(start + 1, position), end if end >= 0 else len(text)


def _core(text: str, start: int, end: int, language: str) -> tuple[int, int]:
    """Start and end of a chunk without the punctuation at its edges."""
    chunk = text[start:end]
    left, right = _EDGES[language]
    edge = len(chunk) - len(chunk.lstrip(left))
    end -= len(chunk) - len(chunk.rstrip(right))
    if edge and language == "en" and _BARE_POINT.search(chunk[:edge]):
        # .75 keeps its point.
        edge -= chunk[edge : edge + 1].isdigit()
    return start + edge, max(start + edge, end)


def _read(chunk: str, before: str, after: str, language: str) -> tuple[str, int]:
    """Reading of a chunk and how much of `after` it takes in: by rules, by its parts, or by WeTextProcessing."""
    if not SPOKEN.search(chunk):
        return chunk, 0
    rule = _RULES[language]
    if (read := rule(chunk, before, after)) is not None:
        return read
    parts = re.split(r"[,;()\"]+", chunk)
    if len(parts) > 1:
        reads = [rule(part, "", "") or (None if SPOKEN.search(part) else (part, 0)) for part in parts]
        if all(reads):
            return " ".join(one[0] for one in reads if one), 0
    return _fallback(chunk, before, after, language), 0


def _fallback(chunk: str, before: str, after: str, language: str) -> str:
    """WeTextProcessing's reading; in Chinese with neighbours, which are cut off again."""
    if language == "en":
        read = _AND.sub("hundred and ", fst_reading(chunk, language))
        return english_signs.read_pieces(chunk) if english_signs.lost(chunk, read) else read
    if _SIGNED.search(chunk):
        return chinese_numbers.read_pieces(chunk, before, after)
    left = re.search(f"[{HAN}]{{0,2}}$", before).group()  # type: ignore[union-attr]
    right = re.match(f"[{HAN}/]{{0,3}}", after).group()  # type: ignore[union-attr]
    read = fst_reading(left + chunk + right, language)
    if read.startswith(left) and read.endswith(right):
        return read[len(left) : len(read) - len(right)]
    return fst_reading(chunk, language)
