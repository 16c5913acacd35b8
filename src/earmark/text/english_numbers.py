"""English readings of numbers: the same kinds as in `earmark.text.chinese_numbers`, word by word.

A chunk is a word with a digit or a symbol. A rule reads a whole chunk, and may take in the words behind it ($3 million,
5 kg, 3:30 pm). Where the readings differ from WeTextProcessing's they do so on purpose (`earmark.text.deviations`).
"""

import re
from collections.abc import Callable

from earmark.text.chinese_numbers import ADDRESS
from earmark.text.english_words import ONES, TENS, cardinal, number, ordinal, quantity, share, spelled, two_digits

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_CURRENCIES = {"$": ("dollar", "dollars"), "€": ("euro", "euros"), "£": ("pound", "pounds"), "¥": ("yen", "yen")}
_AMOUNTS = {"k": "thousand", "m": "million", "M": "million", "bn": "billion", "b": "billion", "B": "billion"}
UNITS = {
    "kg": "kilogram", "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "m": "meter", "mg": "milligram",
    "ml": "milliliter", "mL": "milliliter", "L": "liter", "oz": "ounce", "yd": "yard", "tbsp": "tablespoon",
    "tsp": "teaspoon", "sec": "second", "hr": "hour", "hrs": "hour", "yr": "year", "yrs": "year", "dB": "decibel",
    "m2": "square meter", "km2": "square kilometer", "cm2": "square centimeter", "m3": "cubic meter", "GB": "gigabyte",
    "MB": "megabyte", "TB": "terabyte", "lb": "pound", "lbs": "pound", "mi": "mile", "min": "minute", "kW": "kilowatt",
}  # fmt: skip
# These have no plural of their own.
_FIXED = {"ft": "feet", "mph": "miles per hour", "km/h": "kilometers per hour", "Hz": "hertz", "kHz": "kilohertz",
          "MHz": "megahertz", "GHz": "gigahertz", "°C": "degrees Celsius", "°F": "degrees Fahrenheit",
          "°": "degrees"}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, UNITS | _FIXED), key=len, reverse=True))
MONTHS = {
    "jan": "january", "feb": "february", "mar": "march", "apr": "april", "jun": "june", "jul": "july",
    "aug": "august", "sep": "september", "sept": "september", "oct": "october", "nov": "november", "dec": "december",
}  # fmt: skip
_FULL_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
MONTH = re.compile(f"(?:{'|'.join(_FULL_MONTHS)})$", re.IGNORECASE)
_DAY_OF = re.compile(f" (?:{'|'.join(_FULL_MONTHS)})")
_CALL = re.compile(r"(?i)\b(?:call|called|calling|dial|dialed|dialled)$")
_NOON = re.compile(r" ([AaPp])\.?[Mm]\b\.?")
_OPERATORS = {"+": "plus", "-": "minus", "×": "times", "*": "times", "÷": "divided by", "=": "equals", "x": "times",
              "±": "plus or minus"}  # fmt: skip
_POWERS = {"2": "squared", "3": "cubed"}
_PER = {"hr": "hour", "hour": "hour", "day": "day", "week": "week", "month": "month", "mo": "month", "year": "year",
        "yr": "year", "person": "person", "kg": "kilogram", "lb": "pound"}  # fmt: skip


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
    sign, digits = match["minus"], match["n"]
    unit = re.match(rf" ({_UNIT})(?![\w'/])", after)
    if unit:
        return _with_unit(sign, digits, unit[1]), unit.end()
    small = _small(digits, before, after) if digits.isdigit() and not sign else None
    return small or ("negative " if sign else "") + number(digits)


def _small(digits: str, before: str, after: str) -> Reading:
    """What stands beside a whole number makes it a day, an hour, a mixed number or a telephone number."""
    value = int(digits)
    if MONTH.search(before) and len(digits) <= 2 and 0 < value <= 31:
        return ordinal(value)
    if _DAY_OF.match(after) and 0 < value <= 31:
        return ("" if before.endswith("the") else "the ") + f"{ordinal(value)} of"
    if (noon := _NOON.match(after)) and value <= 12:
        return f"{two_digits(value)} {noon[1].lower()}m", noon.end()
    if fraction := re.match(r" ([1-9])/([2-9])(?![\w/.])", after):
        return f"{number(digits)} and {_part(int(fraction[1]), int(fraction[2]), article=True)}", fraction.end()
    rest = re.match(r"\) ?(\d{3})-(\d{4})\b", after)
    if rest and before.endswith("("):
        return spelled(digits + rest[1] + rest[2]), rest.end()
    return spelled(digits) if digits == "911" and _CALL.search(before) else None


def _with_unit(sign: str, digits: str, unit: str) -> str:
    name = _FIXED.get(unit) or UNITS[unit] + ("" if digits == "1" else "s")
    minus = "" if not sign else "minus " if "°" in unit else "negative "
    return f"{minus}{share(digits)} {name}"


def _measured(match: re.Match[str], before: str, after: str) -> Reading:
    return _with_unit(match["minus"], match["n"], match["unit"])


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
    if (above, below) in ((24, 7), (9, 11)) or above == below > 1:
        return f"{number(match['above'])} {number(match['below'])}"
    return _part(above, below) if 1 < below <= 20 and above < below else None


def _percent(match: re.Match[str], before: str, after: str) -> Reading:
    first = f"{share(match['first'])}{' percent' if match['twice'] else ''} to " if match["first"] else ""
    return f"{'negative ' if match['minus'] else ''}{first}{share(match['n'])} percent"


def _money(match: re.Match[str], before: str, after: str) -> Reading:
    scale = re.match(r" (thousand|million|billion|trillion)\b", after)
    larger = _AMOUNTS[match["larger"]] if match["larger"] else scale[1] if scale else ""
    one, several = _CURRENCIES[match["currency"]]
    first = f"{quantity(match['first'])} to " if match["first"] else ""
    read = f"{first}{quantity(match['n'])}{' ' + larger if larger else ''}"
    per = f" per {_PER[match['per']]}" if match["per"] else ""
    read = f"{read} {one if read == 'one' else several}{per}"
    return read, len(scale[0]) if scale and not match["larger"] else 0


def _ordinal(match: re.Match[str], before: str, after: str) -> Reading:
    return ordinal(int(match["n"].replace(",", "")))


def _time(match: re.Match[str], before: str, after: str) -> Reading:
    hour, minute = int(match["hour"]), int(match["minute"])
    behind = None if match["noon"] else _NOON.match(after)
    noon = f" {(match['noon'] or behind[1] if behind else match['noon']).lower()}m" if behind or match["noon"] else ""
    if minute:
        read = f"{two_digits(hour)} {_minute(minute)}"
    else:
        read = two_digits(hour) if noon else f"{two_digits(hour)} o'clock"
    return read + noon, behind.end() if behind else 0


def _hours(match: re.Match[str], before: str, after: str) -> Reading:
    """9am-5pm, 5-6pm, 9:00-17:30."""
    reads = []
    for hour, minute, noon in (match.group("h1", "m1", "n1"), match.group("h2", "m2", "n2")):
        read = two_digits(int(hour)) + ("" if not minute or minute == "00" else f" {_minute(int(minute))}")
        reads.append(read + (f" {noon.lower()}m" if noon else ""))
    return " to ".join(reads)


def _minute(value: int) -> str:
    return f"o {ONES[value]}" if value < 10 else two_digits(value)


def _date(match: re.Match[str], before: str, after: str) -> Reading:
    """2020-05-01."""
    month = _FULL_MONTHS[int(match["month"]) - 1].lower()
    return f"the {ordinal(int(match['day']))} of {month} {number(match['year'])}"


def _power(match: re.Match[str], before: str, after: str) -> Reading:
    """10^6, 10²."""
    power = match["power"]
    return f"{number(match['base'])} {_POWERS.get(power) or f'to the power of {number(power)}'}"


def _hour(match: re.Match[str], before: str, after: str) -> Reading:
    return f"{two_digits(int(match['hour']))} {match['noon'].lower()}m"


def _decade(match: re.Match[str], before: str, after: str) -> Reading:
    century, tens = match["century"], int(match["tens"])
    if not tens:
        return f"{two_digits(int(century))} hundreds" if century and century != "20" else None
    return _years_of(century, tens)


def _years_of(century: str | None, tens: int) -> str:
    decade = "tens" if tens == 1 else TENS[tens][:-1] + "ies"
    return f"{two_digits(int(century))} {decade}" if century else decade


def _phone(match: re.Match[str], before: str, after: str) -> Reading:
    return spelled(re.sub(r"\D", "", match.group()))


def _range(match: re.Match[str], before: str, after: str) -> Reading:
    return f"{number(match['first'])} to {number(match['second'])}"


def _dotted(match: re.Match[str], before: str, after: str) -> Reading:
    groups = match["n"].split(".")
    if len(groups) > 3:
        return " dot ".join(spelled(one) for one in groups)
    read = " point ".join([number(groups[0]), *("oh" if one == "0" else number(one) for one in groups[1:])])
    return f"v {read}" if match["letter"] else read


def _name(match: re.Match[str], before: str, after: str) -> Reading:
    """mp3, A4, COVID-19, 10-year-old: letters stay, numbers are read (A380: three hundred eighty)."""
    parts = re.findall(
        r"\d+(?:st|nd|rd|th)(?![a-z])|(?:1[1-9]|20)?[2-9]0s(?![a-z])|[A-Za-z']+|\d+(?:\.\d+)?", match.group()
    )
    reads = [
        _years_of(part[:-3], int(part[-3]))
        if part.endswith("0s")
        else part
        if not part[0].isdigit()
        else number(part)
        if part[-1].isdigit()
        else ordinal(int(part[:-2]))
        for part in parts
    ]
    joined = match.group()[0].isalpha() and "-" not in match.group()
    return re.sub(r"hundred and", "hundred", " ".join(reads)) if joined else " ".join(reads)


def _address(match: re.Match[str], before: str, after: str) -> Reading:
    words = match.group().replace("@", " at ").replace(".", " dot ").replace("-", " dash ").replace("_", " underscore ")
    return re.sub(r"\d", lambda digit: f" {ONES[int(digit[0])]} ", words)


def _joined(match: re.Match[str], before: str, after: str) -> Reading:
    """AT&T, &, R&D."""
    return match.group().replace("&", " and ")


def _arithmetic(match: re.Match[str], before: str, after: str) -> Reading:
    parts = re.findall(rf"{_NUMBER}|\D", match.group())
    return " ".join(_OPERATORS.get(part) or number(part) for part in parts)


def _height(match: re.Match[str], before: str, after: str) -> Reading:
    return f"{number(match['feet'])} foot {number(match['inches'])}"


def _hash(match: re.Match[str], before: str, after: str) -> Reading:
    return f"number {number(match['n'])}"


def _sharp(match: re.Match[str], before: str, after: str) -> Reading:
    """C#: the language, or the tone."""
    return f"{match['letter']} sharp"


def _tolerance(match: re.Match[str], before: str, after: str) -> Reading:
    return f"plus or minus {number(match['n'])}"


def _plus(match: re.Match[str], before: str, after: str) -> Reading:
    name = match["name"]
    return (number(name) if name[0].isdigit() else name) + " plus" * len(match["signs"])


_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (rf"(?P<minus>-?)(?P<n>{_NUMBER})", _plain),
        (rf"(?:(?P<first>{_NUMBER})(?P<twice>%?)-)?(?P<minus>-?)(?P<n>{_NUMBER})%", _percent),
        (
            rf"(?P<currency>[$€£¥])(?:(?P<first>{_NUMBER})-[$€£¥]?)?(?P<n>{_NUMBER})(?P<larger>k|m|M|bn|b|B)?"
            rf"(?:/(?P<per>{'|'.join(_PER)}))?",
            _money,
        ),
        (r"(?P<year>[12]\d{3})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01])", _date),
        (
            r"(?P<h1>1?\d)(?::(?P<m1>[0-5]\d))?(?:(?P<n1>[AaPp])\.?[Mm]\.?)?-"
            r"(?P<h2>1?\d)(?::(?P<m2>[0-5]\d))?(?P<n2>[AaPp])\.?[Mm]\.?",
            _hours,
        ),
        (r"(?P<n>\d{1,3}(?:,\d{3})+|\d{1,4})(?:st|nd|rd|th)", _ordinal),
        (r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?:(?P<noon>[AaPp])\.?[Mm]\.?)?", _time),
        (r"(?P<hour>[1-9]|1[0-2])(?P<noon>[AaPp])\.?[Mm]\.?", _hour),
        (r"'?(?P<century>1[1-9]|20)?(?P<tens>[0-9])0'?s", _decade),
        (rf"(?P<minus>-?)(?P<n>{_NUMBER})(?P<unit>{_UNIT})", _measured),
        (r"(?:\+?1-)?(?:\d{3}-)?\d{3}-\d{4}", _phone),
        (r"(?P<base>\d+)\^(?P<power>\d+)", _power),
        (r"(?P<letter>[CF])#", _sharp),
        (rf"±(?P<n>{_NUMBER})", _tolerance),
        (rf"(?P<first>{_NUMBER})[-:](?P<second>{_NUMBER})", _range),
        (r"(?P<above>\d+)/(?P<below>\d+)", _fraction),
        (r"(?P<letter>[vV])?(?P<n>\d+(?:\.\d+){1,3})", _dotted),
        (r"#(?P<n>\d+)", _hash),
        (r"(?P<feet>\d)'(?P<inches>\d{1,2})", _height),
        (r"(?=.*[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?:'s)?", _name),
        (ADDRESS, _address),
        (r"[A-Za-z]*&[A-Za-z]*", _joined),
        (r"(?P<name>[A-Za-z]+|\d+)(?P<signs>\++)", _plus),
        (rf"{_NUMBER}(?:[-+±×*÷=x]{_NUMBER})+", _arithmetic),
    )
)
