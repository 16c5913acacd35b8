"""English readings of numbers: the same kinds as in `earmark.text.numbers.chinese_numbers`, word by word.

A chunk is a word with a digit or a symbol. A rule reads a whole chunk, and may take in the words behind it ($3 million,
5 kg, 3:30 pm). Where the readings differ from WeTextProcessing's they do so on purpose (`.deviations`).
"""

import re
from collections.abc import Callable

from earmark.text.numbers import english_dates as dates
from earmark.text.numbers import english_units as units
from earmark.text.numbers.chinese_numbers import ADDRESS
from earmark.text.numbers.english_signs import ALWAYS, OPERATORS, read_pieces
from earmark.text.numbers.english_units import CURRENCY, NUMBER, PER
from earmark.text.numbers.english_words import ONES, cardinal, number, ordinal, share, spelled, two_digits

SIGNS = f"{units.SIGNS}{ALWAYS}μΩ<>*~/∙⋅·"
"""Signs beyond ASCII and the common ones that rules here read."""
_CALL = re.compile(r"(?i)\b(?:call|called|calling|dial|dialed|dialled)$")
_POWERS = {"2": "squared", "3": "cubed"}
# A plural behind four digits is counted (2345 apples); what may be a year (the 2019 elections) only with these.
_COUNTED = re.compile(
    r" (?:(?:more|other|new|different|young|old|of the|of these) )?"
    r"(?:people|men|women|children|years|months|weeks|days|hours|minutes|seconds|miles|meters|metres|feet|kilometers|"
    r"kilometres|points|times|pages|words|votes|dollars|euros|pounds|yen|students|soldiers|workers|employees|members|"
    r"copies|calories|acres|tons|tonnes|cases|deaths|jobs|units|steps|items|square)\b"
)
_PLURAL = re.compile(
    r" (?!(?:is|was|has|as|this|his|its|us|does|plus|versus|minus|across|always|perhaps|thus)\b)"
    r"[a-z]{2,}(?<![su])s\b(?!')"
)
_YEAR_BEFORE = re.compile(r"(?i)\b(?:in|since|by|until|till|during|before|after|from|of|year|to)$")
_CARD = re.compile(
    r"(?i)\b(?:ending (?:in|with)|pin(?: is| code)?|code(?: is)?|otp(?: is)?|account number|extension|ext\.?)$"
)


_ADDRESSED = {"@": "at", ".": "dot", "-": "dash", "_": "underscore", "/": "slash", ":": "colon", "&": "ampersand",
              "+": "plus", "~": "tilde", "?": "question mark", "=": "equals", "%": "percent", "#": "hash"}  # fmt: skip
_HOST = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.[A-Za-z]{2,24}"
_PATH = r"(?:/[A-Za-z0-9._~&+?=%#/-]*)"
_URL = (
    rf"(?:https?|ftp|file)://[A-Za-z0-9._~&+?=%#@:/-]+|www\.{_HOST}{_PATH}?|[A-Za-z0-9._&+-]+@{_HOST}{_PATH}?|"
    r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.(?:com|org|net|edu|gov|io|co\.uk)(?:/[A-Za-z0-9._~&+?=%#/-]*)"
    r"|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?:edu|io|uk)"
)
Reading = str | tuple[str, int] | None
Rule = Callable[[re.Match[str], str, str], Reading]


def read_chunk(chunk: str, before: str, after: str) -> tuple[str, int] | None:
    """Reading of a whole chunk, and how many characters of `after` it takes in; None: no rule knows it.

    :param before: text in front of the chunk. :param after: text behind it.
    """
    for pattern, rule in _RULES:
        match = pattern.fullmatch(chunk)
        if match:
            read = rule(match, before.rstrip(), after)
            if read is not None:
                return read if isinstance(read, tuple) else (read, 0)
    return None


def _plain(match: re.Match[str], before: str, after: str) -> Reading:
    sign, digits = match["sign"], match["n"]
    if behind := units.unit_behind(sign, digits, after):
        return behind
    if not digits.isdigit() or sign:
        return {"-": "negative ", "+": "plus ", "": ""}[sign] + number(digits)
    return _small(digits, before, after) or _four(digits, before, after) or number(digits)


def _small(digits: str, before: str, after: str) -> Reading:
    """What stands beside a whole number makes it a day, an hour, a mixed number or a telephone number."""
    value = int(digits)
    if day := dates.day(digits, before, after):
        return day
    if (noon := dates.NOON.match(after)) and value <= 12:
        return f"{two_digits(value)} {noon[1].lower()}m", noon.end()
    if fraction := re.match(r" ([1-9]\d?)/([2-9]|1\d)(?:th|rd|s)?(?![\w/.])", after):
        mixed = f"{number(digits)} and {_part(int(fraction[1]), int(fraction[2]), article=True)}"
        if unit := units.UNIT_BEHIND.match(after[fraction.end() :]):
            return f"{mixed} {units.NAMES[unit['unit']][1]}", fraction.end() + unit.end("unit")
        return mixed, fraction.end()
    if _CARD.search(before) and len(digits) > 2:
        return spelled(digits)
    return spelled(digits) if digits == "911" and _CALL.search(before) else None


def _four(digits: str, before: str, after: str) -> Reading:
    """Four digits that count something are no year."""
    if len(digits) != 4 or digits[0] == "0":
        return None
    yearlike = 1800 <= int(digits) < 2100
    if yearlike and _YEAR_BEFORE.search(before):
        return None
    counted = _COUNTED.match(after) or (not yearlike and _PLURAL.match(after))
    return cardinal(int(digits)) if counted else None


def _part(above: int, below: int, article: bool = False) -> str:
    if below == 2:
        name = "half" if above == 1 else "halves"
    elif below == 4:
        name = "quarter" if above == 1 else "quarters"
    else:
        name = ordinal(below) + ("" if above == 1 else "s")
    return f"a {name}" if article and above == 1 else f"{cardinal(above)} {name}"


def _fraction(match: re.Match[str], before: str, after: str) -> Reading:
    above, below = int(match["above"]), int(match["below"])
    if above > below > 20:
        return f"{number(match['above'])} over {number(match['below'])}"  # a blood pressure
    if match["sign"]:
        return f"negative {_part(above, below)}" if below > 1 else None
    if (above, below) in ((24, 7), (9, 11)) or above == below > 1:
        return f"{number(match['above'])} {number(match['below'])}"
    return _part(above, below) if 1 < below <= 20 and above < below else None


def _out_of(match: re.Match[str], before: str, after: str) -> Reading:
    """8.5/10; fractions have no points."""
    return f"{number(match['above'])} out of {number(match['below'])}" if "." in match.group() else None


def _percent(match: re.Match[str], before: str, after: str) -> Reading:
    first = f"{share(match['first'])}{' percent' if match['twice'] else ''} to " if match["first"] else ""
    return f"{'negative ' if match['minus'] else ''}{first}{share(match['n'])} percent"


def _ordinal(match: re.Match[str], before: str, after: str) -> Reading:
    """21st; 21th is no ordinal."""
    digits = match["n"].replace(",", "")
    return (dates.day(match["n"], before, after) or ordinal(int(digits))) if _is_ordinal(digits, match["end"]) else None


def _is_ordinal(digits: str, ending: str) -> bool:
    return ending == ("th" if digits[-2:-1] == "1" else {"1": "st", "2": "nd", "3": "rd"}.get(digits[-1], "th"))


def _power(match: re.Match[str], before: str, after: str) -> Reading:
    """10^6, 10², 10⁻³, x^2."""
    power, base = match["power"], match["base"]
    read = ("minus " if power[0] == "-" else "") + number(power.lstrip("-"))
    return f"{number(base) if base.isdigit() else base} {_POWERS.get(power) or f'to the power of {read}'}"


def _phone(match: re.Match[str], before: str, after: str) -> Reading:
    """Groups of digits: of a telephone, an account, a book."""
    digits = re.sub(r"\D", "", match.group())
    return spelled(digits) if len(digits) > 6 else None


def _groups(match: re.Match[str], before: str, after: str) -> Reading:
    """4-4-2, 321/4567/2020: no sums; digit by digit where a group is long."""
    groups = re.findall(r"\d+", match.group())
    long = any(len(group) > 3 for group in groups)
    return " ".join(spelled(group) if long else number(group) for group in groups)


def _range(match: re.Match[str], before: str, after: str) -> Reading:
    first, second = number(match["first"]), number(match["second"])
    if unit := units.unit_behind("", match["second"], after):
        return f"{first} to {unit[0]}", unit[1]
    return f"{first} {second}" if first == second and "-" in match.group() else f"{first} to {second}"


def _dotted(match: re.Match[str], before: str, after: str) -> Reading:
    groups = match["n"].split(".")
    if len(groups) > 3:
        return " dot ".join(spelled(one) for one in groups)
    read = " point ".join([number(groups[0]), *("oh" if one == "0" else number(one) for one in groups[1:])])
    return f"v {read}" if match["letter"] else read


def _name(match: re.Match[str], before: str, after: str) -> Reading:
    """mp3, A4, COVID-19, 10-year-old: letters stay, numbers are read (A380: three hundred eighty)."""
    parts = re.findall(
        r"\d+(?:st|nd|rd|th)(?![a-z])|(?:1[1-9]|20)?[0-9]0s(?![a-z])|[A-Za-z']+|\d+(?:\.\d+)?", match.group()
    )
    return " ".join(_name_part(part, len(parts)) for part in parts).replace(" 's", "'s")


def _name_part(part: str, parts: int) -> str:
    if part.endswith("0s") and part[0].isdigit():
        return dates.years_of(part[:-3], int(part[-3]))
    if not part[0].isdigit():
        return part
    if not part[-1].isdigit():
        return ordinal(int(part[:-2])) if _is_ordinal(part[:-2], part[-2:]) else f"{number(part[:-2])} {part[-2:]}"
    # Four and more digits beside letters are a code, but for years and round numbers.
    code = len(part) > 3 and part.isdigit() and parts > 1 and not re.fullmatch(r"(?:19|20)\d\d|\d\d?00", part)
    return spelled(part) if code else number(part)


def _address(match: re.Match[str], before: str, after: str) -> Reading:
    words = re.sub(r"[@.\-_/:&+~?=%#]", lambda sign: f" {_ADDRESSED[sign[0]]} ", match.group())
    return re.sub(r"\d", lambda digit: f" {ONES[int(digit[0])]} ", words)


def _slash(match: re.Match[str], before: str, after: str) -> Reading:
    """1/f."""
    return f"{number(match['n'])} slash {match['name']}"


def _joined(match: re.Match[str], before: str, after: str) -> Reading:
    """AT&T, &, R&D."""
    return match.group().replace("&", " and ")


def _arithmetic(match: re.Match[str], before: str, after: str) -> Reading:
    parts = re.findall(rf"{NUMBER}|\D", match.group())
    return " ".join(OPERATORS.get(part) or number(part) for part in parts)


def _height(match: re.Match[str], before: str, after: str) -> Reading:
    return f"{number(match['feet'])} foot {number(match['inches'])}"


def _hash(match: re.Match[str], before: str, after: str) -> Reading:
    return f"number {number(match['n'])}"


def _plan(match: re.Match[str], before: str, after: str) -> Reading:
    """401(k)."""
    return f"{spelled(match['n']).replace('zero', 'oh')} {match['letter']}"


def _sign(match: re.Match[str], before: str, after: str) -> Reading:
    """A sign that stands alone: 50 %."""
    return read_pieces(match.group())


def _sharp(match: re.Match[str], before: str, after: str) -> Reading:
    """C#: the language, or the tone."""
    return f"{match['letter']} sharp"


def _tolerance(match: re.Match[str], before: str, after: str) -> Reading:
    return f"plus or minus {number(match['n'])}"


def _plus(match: re.Match[str], before: str, after: str) -> Reading:
    name = match["name"]
    return (number(name) if name[0].isdigit() else name) + " plus" * len(match["signs"])


_N = NUMBER
_AM = r"(?:(?P<noon>[AaPp])\.?[Mm]\.?)?"
_CLOCK_HOUR = r"(?P<hour>[01]?\d|2[0-4])"
_ZONE = r"(?P<zone>EST|EDT|CST|CDT|MST|MDT|PST|PDT|GMT|UTC|CET|BST|IST|JST|ET|PT|est|pst|gmt|utc)?"
_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (rf"{_CLOCK_HOUR}\.(?P<minute>[0-5]\d){_AM}(?P<zone>(?!))?", dates.pointed_time),
        (rf"(?P<sign>[-+]?)(?P<n>{_N})", _plain),
        (r"(?P<n>40[13]|457|529)\(?(?P<letter>[kb])\)?", _plan),
        (rf"(?:(?P<first>{_N})(?P<twice>%?)-)?(?P<minus>-?)(?P<n>{_N})%", _percent),
        (
            rf"(?P<sign>[-+±]?)(?P<currency>{CURRENCY})(?P<inner>[-+]?)(?:(?P<first>{_N})-(?:{CURRENCY})?)?(?P<n>{_N})"
            rf"(?P<larger>{units.AMOUNTS})?(?:/(?P<per>{PER}))?",
            units.money,
        ),
        (rf"(?P<sign>[-+±]?)(?P<n>{_N})(?P<larger>{units.AMOUNTS})?(?P<currency>{CURRENCY})", units.money_behind),
        (
            r"(?P<y>[12]\d{3})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})|"
            r"(?P<first>\d{1,2})(?P<sep2>[-/.])(?P<second>\d{1,2})(?P=sep2)(?P<year>[12]\d{3}|(?<=/)\d\d)",
            dates.date,
        ),
        (
            r"(?P<h1>1?\d)(?::(?P<m1>[0-5]\d))?(?:(?P<n1>[AaPp])\.?[Mm]\.?)?-"
            r"(?P<h2>1?\d)(?::(?P<m2>[0-5]\d))?(?P<n2>[AaPp])\.?[Mm]\.?",
            dates.hours,
        ),
        (
            r"(?P<h1>1?\d)(?::(?P<m1>[0-5]\d))?(?P<n1>[AaPp])\.?[Mm]\.?-(?P<h2>1?\d)(?::(?P<m2>[0-5]\d))?(?P<n2>(?!))?",
            dates.hours,
        ),
        (r"(?P<n>\d{1,3}(?:,\d{3})+|\d{1,15})(?P<end>st|nd|rd|th)", _ordinal),
        (rf"{_CLOCK_HOUR}:(?P<minute>[0-5]\d){_AM}{_ZONE}", dates.time),
        (rf"(?P<hour>\d{{1,3}}):(?P<minute>[0-5]\d):(?P<second>[0-5]\d){_AM}", dates.duration),
        (r"(?P<hour>0?[1-9]|1[0-2])(?P<noon>[AaPp])\.?[Mm]\.?", dates.hour),
        (r"'?(?:1[1-9]|20)?[0-9]0'?s(?:-'?(?:1[1-9]|20)?[0-9]0'?s)?", dates.decade),
        (rf"(?P<sign>[-+±]?)(?P<n>{_N})-?(?P<unit>{units.GLUED})(?:/(?P<per>{PER}))?", units.measured),
        (rf"(?P<n>{_N})/(?P<per>kg|lb|min|hr|l|L|km|day|week|month|year|person)", units.per_unit),
        (rf"(?P<first>{_N})(?:{units.GLUED})?-(?P<n>{_N})(?P<unit>{units.GLUED})", units.measured_range),
        (r"(?P<n>[1-4](?=Q)|[12](?=H))(?P<kind>[QH])'?(?P<year>\d{2}|20\d{2})", dates.quarter),
        (r"(?:\+?1-)?(?:\d{3}-)?\d{3}-\d{4}|\d{5}-\d{4}|0\d{1,4}-\d{5,8}", _phone),
        (r"\+?\(?\d{1,5}\)?(?:-\d{1,7}){2,}", _phone),
        (r"\d+(?:-\d+){2,}|\d+(?:/\d+){2,}", _groups),
        (r"(?P<base>\d+|[A-Za-z]{1,2})\^(?P<power>-?\d+)", _power),
        (r"[%‰@#=°]", _sign),
        (r"(?P<letter>[CF])#", _sharp),
        (rf"±(?P<n>{_N})", _tolerance),
        (rf"(?P<first>{_N})[-:](?P<second>{_N})", _range),
        (r"(?P<month>0[1-9])/(?P<day>0[1-9]|[12]\d|3[01])", dates.month_day),
        (r"(?P<sign>-?)(?P<above>\d+)/(?P<below>\d+)(?:th|rd|s)?", _fraction),
        (rf"(?P<above>{_N})/(?P<below>{_N})", _out_of),
        (r"(?P<letter>[vV])?(?P<n>\d+(?:\.\d+){1,3})", _dotted),
        (r"#(?P<n>\d+)", _hash),
        (r"(?P<feet>\d)'(?P<inches>\d{1,2})", _height),
        (r"(?=.*[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?:'s)?", _name),
        (rf"(?=\d*\.\d)(?:{_N}[A-Za-z]{{1,6}}|[A-Za-z]+-?{_N})(?:-[A-Za-z]+)*", _name),
        (_URL, _address),
        (r"(?P<n>\d+)/(?P<name>[A-Za-z]+)", _slash),
        (ADDRESS, _address),
        (r"[A-Za-z]*&[A-Za-z]*", _joined),
        (rf"(?P<name>[A-Za-z]+|{_N})(?P<signs>\++)", _plus),
        (rf"{_N}(?:[-+±×*÷=x]{_N})+", _arithmetic),
    )
)
