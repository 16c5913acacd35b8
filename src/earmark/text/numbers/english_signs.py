"""English readings of signs that chunks alone do not tell: operators and comparisons, spaces around them, telephones.

Every sign that is spoken becomes a word. What no rule reads is read piece by piece, so that none is lost.
"""

import re

from earmark.text.numbers.english_units import CODE, CURRENCIES, NUMBER, SIGNS, SPACED
from earmark.text.numbers.english_words import number, spelled

OPERATORS = {
    "+": "plus", "-": "minus", "×": "times", "*": "times", "∗": "times", "∙": "times", "⋅": "times", "·": "times",
    "÷": "divided by", "/": "divided by", "∕": "divided by", "=": "equals", "x": "times", "±": "plus or minus",
    "∓": "minus or plus", "<": "less than", ">": "greater than", "≤": "less than or equal to",
    "≦": "less than or equal to", "≥": "greater than or equal to", "≧": "greater than or equal to",
    "<=": "less than or equal to", ">=": "greater than or equal to", "≠": "not equal to", "!=": "not equal to",
    "≈": "approximately equal to", "⊆": "subset of or equal to", "⋈": "natural join",
    "^": "to the power of",
}  # fmt: skip
# Spoken wherever they stand.
_ALWAYS = {
    "≤": "less than or equal to", "≦": "less than or equal to", "≥": "greater than or equal to",
    "≧": "greater than or equal to", "≠": "not equal to", "≈": "approximately", "±": "plus or minus",
    "∓": "minus or plus", "÷": "divided by", "∕": "divided by", "×": "times", "∞": "infinity", "√": "square root of",
    "⊆": "subset of or equal to", "⋈": "natural join", "§": "section", "∑": "sum", "∗": "times",
    "→": "to",
}  # fmt: skip
ALWAYS = "".join(_ALWAYS)
_SINGLE = {
    "%": "percent", "‰": "per mille", "&": "and", "@": "at", "#": "hash", "+": "plus", "=": "equals", "°": "degrees",
    "/": "slash", "<": "less than", ">": "greater than", "*": "asterisk", "^": "to the power of",
}  # fmt: skip
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρστυφχψω",
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi "  # noqa: SIM905
        "chi psi omega".split(),
        strict=True,
    )
)
_TERM = rf"(?:{NUMBER}|[A-Za-z](?![A-Za-z']))"
_PART = rf"-?{_TERM}(?: ?[-+*×÷/∕∗∙⋅·±⊆⋈x^] ?{_TERM})*"
_EQUATION = re.compile(rf"(?<![\w.,/:@-]){_PART}(?: ?(?:<=|>=|!=|[=<>≤≥≦≧≠≈]) ?{_PART})+(?![\w@/])")
_TOKEN = re.compile(rf"{NUMBER}|<=|>=|!=|[A-Za-z]|[^\s]")
_OPERATION = re.compile(
    r"(?<=\d) ?(?P<dot>[*∙⋅·]) ?(?=[\d(.])|(?<=[\w)])(?: \+ | ?= ?)(?=[\w(.+-])|"
    r"(?<=\b[A-Za-z\d]) \+(?=\d)|(?<=\w)\+(?=\w)"
)
_COMPARISON = re.compile(
    rf"(?<![<>=|-])(?P<sign>[<>]=?)(?= ?[{SIGNS}]?[-.]?\d)|(?<=\d)(?P<behind>(?: ?)[<>]=?)(?= ?\w)|"
    r"(?<=\b[A-Za-z]) ?(?P<letters>[<>]=?) ?(?=[A-Za-z]\b)"
)
# 21%~28%, 6°C~34°C, 10am~5pm; before a number alone it is "approximately".
_TILDE_RANGE = re.compile(
    rf"(?:(?<=\d)|(?<=\d[%°])|(?<=\d°[CF])|(?<=\d[A-Za-z])|(?<=\d[A-Za-z][A-Za-z])) ?~ ?(?=[{SIGNS}]?\d)"
)
_ABOUT = re.compile(rf"(?<![\w~.])~ ?(?=[{SIGNS}]?\.?\d)")
_SPACED_RANGE = re.compile(
    rf"(?<=[\d%])(?: ?[AaPp][Mm])? - (?=[{SIGNS}]?\d)|(?<=\d[AaPp][Mm])-(?=\d)|(?<=\d [AaPp][Mm])-(?=\d)"
)
_SLASH = re.compile(r"(?<=\d) ?/ (?=\d)|(?<=\d) /(?=\d)")
_DIGIT_BY = re.compile(r"\d ?[x×]")
_BY = re.compile(r"(?<=\d) ?[x×] ?(?=\d)")
_CODE = re.compile(rf"(?<![A-Za-z])(?P<code>{CODE}|Rs\.?|Rs) (?=\d)")
_MONEY_SIGN = re.compile(f"[{SIGNS}]")
_SIGN_SPACE = re.compile(rf"(?<=[{SIGNS}]) (?=\d)|(?<=\d) (?=[{SIGNS}](?! ?\d))")
_INCHES = re.compile(r"(?<![\w.'/,])(?P<n>\d{1,3}(?:\.\d{1,2})?)\"(?!\w)")
# 5,5 kg and 3,50 €; 5 ft 10 in.
_COMMA = re.compile(rf"(?<![\d,.])(?P<whole>\d{{1,3}}),(?P<decimals>\d{{1,2}})(?= ?(?:{SPACED})(?![\w'])| ?[%{SIGNS}])")
_DIGITS_COMMA = re.compile(r"\d,\d")
_FEET_INCHES = re.compile(r"(?<=\d ft )(?P<n>\d{1,2}) in\b\.?|(?<=\dft )(?P<m>\d{1,2}) ?in\b\.?")
_HEIGHT = re.compile(r"(?<=\d') (?=\d{1,2}\")")
_DIGIT_H = re.compile(r"\dh")
_HOURS = re.compile(r"(?<![\w.,])(?P<h>\d{1,2})h ?(?P<m>\d{1,2})m(?:in)?(?![A-Za-z])")
_TWO_GROUPS = re.compile(r"\d\)?[ .-]\(?\d|\)\d")
_CAPITALS = re.compile(r"[A-Z]{2} ?\d|Rs\.? \d")
_ARROW = re.compile(r"(?<=\w) ?-+> ?(?=\w)")
_OPERATOR = re.compile(r"[=<>≤≥≦≧≠≈+*∙⋅·~/]")
_ALWAYS_SIGN = re.compile(f"[{ALWAYS}]")
_GREEK_LETTER = re.compile(r"(?<![Ͱ-Ͽἀ-῿])[Α-Ωα-ω](?![Ͱ-Ͽἀ-῿])")
_GREEK_UNIT = re.compile(r"(?:(?<=\d)|(?<=\d ))μ[mgslL]\b|(?<=[\dkM ])Ω")
# Telephone numbers: +44 20 7946 0958, (234)-543-2435, 555.123.4567, 020 7946 0958, 01 23 45 67 89.
_PHONE = re.compile(
    r"(?<![\w.])\+\d{1,3}(?:[ .-]?\(\d{1,5}\))?(?:[ .-]?\d{1,8})(?:[ .-]\d{1,8}){0,6}(?![\d%]|[.,:/]\d)|"
    r"(?<![\w+])\(0?\d{2,4}\)[ -]?\d{3,4}[ .-]?\d{3,4}(?![\w%]|[.,]\d)|"
    r"(?<![\d.,+-])\d{3}[ .]\d{3}[ .]\d{4}(?![\d.,]\d|[\d%])|"
    r"(?<![\d.,+-])\d{4}(?: \d{4}){2,}(?: \d{1,3})?(?![\d.,]\d|[\d%])|"
    r"(?<![\d.,+-])0\d{1,4} \d{3,4} \d{3,4}(?![\d.,]\d|[\d%])|(?<![\d.,+-])0\d(?: \d\d){4}(?![\d.,]\d|[\d%])"
)
_CALLED = re.compile(
    r"(?i)\b(?:call|dial|phone|tel|telephone|fax|text|mobile|cell)[a-z]*\.?:? "
    r"(?:(?:me|us|him|her|it|at|on|number|is|to|the) ){0,3}(?P<n>\d{2,5}(?: \d{2,5}){1,5})(?![\d%]|[.,:/]\d)"
)
_MIN_PHONE = 7


def read_signs(text: str) -> str:
    """An English stretch with operators, comparisons and telephone numbers as words, sums and ranges told apart."""
    if _TWO_GROUPS.search(text):
        text = _CALLED.sub(_called, _PHONE.sub(_phone, text))
    if _CAPITALS.search(text):
        text = _CODE.sub(lambda match: match["code"], text)
    if _MONEY_SIGN.search(text):
        text = _SIGN_SPACE.sub("", text)
    if _DIGIT_H.search(text):
        text = _HOURS.sub(r"\g<h>h \g<m>min", text)
    if "' " in text:
        text = _HEIGHT.sub("", text)
    if "ft" in text:
        text = _FEET_INCHES.sub(r"\g<n>\g<m> inches", text)
    if _DIGITS_COMMA.search(text):
        text = _COMMA.sub(r"\g<whole>.\g<decimals>", text)
    if _OPERATOR.search(text):
        text = _operations(text)
    if _DIGIT_BY.search(text):
        text = _BY.sub(" times ", text)
    if " - " in text or "m-" in text or "M-" in text:
        text = _SPACED_RANGE.sub(_range, text)
    if not text.isascii():
        text = _ALWAYS_SIGN.sub(lambda match: f" {_ALWAYS[match.group()]} ", text)
    return _INCHES.sub(_inches, text) if '"' in text else text


def _operations(text: str) -> str:
    text = _ARROW.sub(" to ", _TILDE_RANGE.sub("-", text))
    text = _SLASH.sub("/", _EQUATION.sub(_equation, re.sub("==+", "=", text)))
    text = _COMPARISON.sub(_compared, _ABOUT.sub(" approximately ", text))
    return _OPERATION.sub(_operation, text)


def _range(match: re.Match[str]) -> str:
    """The noon in front of a dash, and the word for it."""
    return match.group().split("-")[0].rstrip() + " to "


def read_greek(text: str) -> str:
    """Single Greek letters by their names; words of Greek stay, and so do μm and kΩ."""
    if not _GREEK_LETTER.search(text):
        return text
    units = [match.start() for match in _GREEK_UNIT.finditer(text)]
    return _GREEK_LETTER.sub(
        lambda match: match.group() if match.start() in units else f" {_GREEK.get(match.group().lower(), 'sigma')} ",
        text,
    )


def read_pieces(chunk: str) -> str:
    """Numbers, words and signs of a chunk that no rule knows, one by one."""
    reads = []
    for piece in re.findall(rf"{NUMBER}|[A-Za-z']+|[^\s\w]", chunk):
        if piece[0].isdigit() or (piece[0] == "." and len(piece) > 1):
            reads.append(number(piece))
        elif piece in CURRENCIES:
            reads.append(CURRENCIES[piece][0])
        else:
            reads.append(_SINGLE.get(piece) or (piece if piece[0].isalpha() else " "))
    if re.match(r"[-−]\d", chunk):
        reads[0] = "negative"
    return " ".join(reads)


def lost(chunk: str, read: str) -> bool:
    """Whether a sign of the chunk that is spoken has no word in the reading."""
    signs = [sign for sign in chunk if sign in "+=%‰&@#°<>^*" or sign in CURRENCIES]
    words = ({_SINGLE.get(sign) or CURRENCIES[sign][0] for sign in signs}) - {"asterisk", "to the power of", "degrees"}
    return any(re.sub("s$", "", word.split()[-1]) not in read for word in words)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _phone(match: re.Match[str]) -> str:
    digits = _digits(match.group())
    return f" {spelled(digits)} " if len(digits) >= _MIN_PHONE else match.group()


def _called(match: re.Match[str]) -> str:
    digits = _digits(match["n"])
    if len(digits) < _MIN_PHONE:
        return match.group()
    return match.group()[: match.start("n") - match.start()] + spelled(digits) + " "


def _equation(match: re.Match[str]) -> str:
    text = match.group()
    if not re.search(r"\d", text):
        return text
    tokens = _TOKEN.findall(text)
    return " ".join(_term(*three) for three in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)).replace(
        "to the power of two", "squared"
    )


def _term(before: str, token: str, after: str) -> str:
    """A number, a letter or an operator; x between numbers is times."""
    if token[-1].isdigit():
        return number(token)
    variable = token == "x" and not (before[-1:].isdigit() and after[-1:].isdigit())
    return token if variable else OPERATORS.get(token, token)


def _operation(match: re.Match[str]) -> str:
    sign = match["dot"] or match.group().strip()
    return f" {OPERATORS[sign]} "


def _compared(match: re.Match[str]) -> str:
    return f" {OPERATORS[(match['sign'] or match['behind'] or match['letters']).strip()]} "


def _inches(match: re.Match[str]) -> str:
    """A straight quote behind a number is inches where none is open."""
    if match.string.count('"', 0, match.end() - 1) % 2:
        return match.group()
    one = match["n"] == "1" or re.search(r"\b[Aa]n? $", match.string[: match.start()])
    return f"{match['n']} {'inch' if one else 'inches'}"
