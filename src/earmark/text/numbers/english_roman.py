"""Roman numerals that are spoken as numbers: World War II, Chapter IV, Henry VIII, 第III期.

espeak-ng reads them, but says "roman two" (`earmark.text.english`), so they are read here, where letters still have
their case: `IV` is a number beside a name or a thing that is counted, else two letters.
"""

import re

from earmark.text.numbers.english_words import cardinal, ordinal

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_VALID = re.compile("M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_COUNTED = (
    "act|apollo|appendix|article|battalion|book|bowl|canto|chapter|class|corps|division|episode|exhibit|fantasy|"
    "figure|grade|group|level|mark|model|module|movement|olympiad|part|phase|quest|rocky|scene|schedule|season|section|"
    "stage|table|theorem|tier|title|type|unit|vol|volume|war"
)
_REGNAL = (
    "albert|alexander|alfonso|alphonse|artaxerxes|basil|benedict|bonaparte|boniface|carlos|catherine|charles|christian|"
    "clement|constantine|darius|david|edward|elizabeth|emmanuel|felipe|ferdinand|francis|frederick|george|gregory|"
    "gustav|haakon|harald|henry|innocent|ivan|james|joseph|juan|justinian|kenneth|leo|leopold|louis|mahmud|malcolm|"
    "margaret|mary|mehmed|michael|murad|napoleon|nicholas|olaf|otto|paul|peter|philip|pius|ptolemy|rama|ramesses|"
    "ramses|richard|robert|selim|suleiman|theodosius|umberto|urban|victoria|wilhelm|william|xerxes"
)
_MANY = "[IVXLivxl]{2,8}"
# Behind a thing that is counted; one letter only in capitals, and I only where no pronoun is likely.
_THING = re.compile(
    rf"\b(?i:{_COUNTED})\.? (?P<many>{_MANY})(?!\w|'(?!s\b))|"
    rf"\b(?:{'|'.join(one.title() for one in _COUNTED.split('|'))}|{_COUNTED.upper()})\.? (?P<one>[VX]|I(?!'))(?![\w-])"
)
_RULER = re.compile(
    rf"\b(?i:{_REGNAL}) (?P<many>{_MANY})(?!\w|'(?!s\b))|"
    rf"\b(?:{'|'.join(one.title() for one in _REGNAL.split('|'))}|{_REGNAL.upper()}) "
    r"(?P<one>(?<!alcolm )(?<!ALCOLM )[VX](?![\w'-])|"
    r"I(?= (?:of|was|had|is|and|who|died|reigned|became|in)\b|[.,;:)]|$))"
)
_NAMED = re.compile(r"(?<=[a-z] )(?<![.!?] )[IVX]{2,6}(?![\w'-])")
_CAPITAL_BEFORE = re.compile(r"[A-Z][a-z]+ $")
_ALONE = re.compile(r"\W*([IVXL]{2,8})\W*")
_CHINESE = re.compile("(?<=第)[IVX]+(?![A-Za-z])|(?<![A-Za-z])(?:I{1,3}|IV|V|VI{1,3}|IX|X)(?=[期型类级度](?![A-Za-z]))")
_QUICK = re.compile(r"(?<![A-Za-z'])(?:[IVXL]{2,8}|[ivxl]{2,8}|[VX])(?![A-Za-z])|[A-Z][A-Za-z]+\.? I(?![\w'])")
_LOWER = re.compile(r" [ivxl]{2,8}(?!\w)")


def value(numeral: str) -> int:
    """Of a Roman numeral in either case; 0 for what is none (IIX, empty)."""
    letters = numeral.upper()
    if not letters or not _VALID.fullmatch(letters):
        return 0
    numbers = [_VALUES[letter] for letter in letters]
    return sum(-one if one < after else one for one, after in zip(numbers, [*numbers[1:], 0], strict=True))


def read_numerals(text: str) -> str:
    """Raw text with the Roman numerals read that stand beside a thing that is counted, a ruler, a name, or alone."""
    if not _QUICK.search(text):
        return text
    if alone := _ALONE.fullmatch(text):
        return _cardinal(alone[1])
    text = _CHINESE.sub(lambda match: str(value(match.group()) or match.group()), text)
    text = _known(text)
    if text.isupper():
        return text
    # Any other name: Rocky II, Final Fantasy VII.
    return _NAMED.sub(
        lambda match: (
            _cardinal(match.group()) if _CAPITAL_BEFORE.search(match.string[: match.start()]) else match.group()
        ),
        text,
    )


def read_known(text: str) -> str:
    """The same of canonical text, where only things and rulers tell: chapter iv."""
    return _known(text) if _LOWER.search(text) else text


def _known(text: str) -> str:
    """Numerals behind a thing that is counted (cardinal) or a ruler (ordinal), in either case."""
    text = _RULER.sub(lambda match: _behind(match, "the " + ordinal(number) if (number := _of(match)) else ""), text)
    return _THING.sub(lambda match: _behind(match, cardinal(number) if (number := _of(match)) else ""), text)


def _of(match: re.Match[str]) -> int:
    return value(match["many"] or match["one"])


def _behind(match: re.Match[str], read: str) -> str:
    if not read:
        return match.group()
    return match.group()[: match.start(match.lastgroup or 0) - match.start()] + read


def _cardinal(numeral: str) -> str:
    return cardinal(number) if (number := value(numeral)) else numeral
