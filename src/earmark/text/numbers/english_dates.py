"""English readings of dates and hours: July 4, 4 July, 15.02.2021, 10:30EST, 2.30 p.m., 22:41:31, the 1980s."""

import re

from earmark.text.numbers.english_words import ONES, TENS, cardinal, number, ordinal, spelled, two_digits

MONTHS = {
    "jan": "january", "feb": "february", "mar": "march", "apr": "april", "jun": "june", "jul": "july",
    "aug": "august", "sep": "september", "sept": "september", "oct": "october", "nov": "november", "dec": "december",
}  # fmt: skip
FULL_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
_FULL = "|".join(FULL_MONTHS)
_SHORT = "|".join(MONTHS)
_TITLED = "|".join(map(str.title, MONTHS))
# Lower-case mar, sep and dec are rarely months; `mar 5` and `5 mar 2020` are.
_SURE = "jan|feb|apr|jun|jul|aug|sept|oct|nov"
_MONTH_DAY = re.compile(
    rf"\b(?i:{_SHORT})\b\.?(?=(?: \d{{1,2}}(?:st|nd|rd|th)?| \d{{4}})\b)|(?<=\d )(?:{_TITLED}|{_SURE})\b\.?|"
    rf"(?<=\d )(?i:{_SHORT})\b\.?(?=,? \d{{4}}\b)|(?<=(?:st|nd|rd|th) )(?:{_TITLED}|{_SURE})\b\.?|"
    r"\b(?:Jan|Feb|Aug|Sept|Oct|Nov|Dec)\."
)
_HYPHENED = re.compile(
    rf"\b(?P<month>(?i:{_SHORT}|{_FULL}))-(?P<day>\d{{1,2}})(?:-(?P<year>\d{{4}}))?\b(?!-)|"
    rf"(?<![\w-])(?P<first>\d{{1,2}})-(?P<second>(?i:{_SHORT}|{_FULL}))(?:-(?P<third>\d{{4}}))?\b(?!-)"
)
_MONTHS_RANGE = re.compile(rf"\b(?P<first>{_TITLED})\.?[-–](?P<last>{_TITLED})\b\.?")
_NAMES = ("jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = re.compile(f"(?:{_FULL})$", re.IGNORECASE)
# `5 may` and `5 march` in lower case are dates before a year or at an end.
_DAY_OF = re.compile(
    rf" (?:(?i:{_FULL.replace('|May', '').replace('|March', '')})|May|March|MAY|MARCH)\b|"
    r" (?:may|march)(?=,? \d{4}\b|[.,;]|$)"
)
NOON = re.compile(r" ([AaPp])\.?[Mm]\b\.?")
_ORDINAL_ENDING = re.compile(r"(?:st|nd|rd|th)$")


def read_months(text: str) -> str:
    """Jan. 5: January 5; 25 jul: 25 July; Jan-Feb: January to February; Jan-15-2020: January 15 2020; 15-Jan: ..."""
    lower = text.lower()
    if not any(name in lower for name in _NAMES):
        return text
    text = _MONTHS_RANGE.sub(lambda match: " to ".join(MONTHS[one.lower()].title() for one in match.groups()), text)
    text = _HYPHENED.sub(lambda match: " ".join(part for part in match.groups() if part), text)
    return _MONTH_DAY.sub(lambda match: MONTHS[match.group().strip(".").lower()].title(), text)


def day(digits: str, before: str, after: str) -> str | None:
    """Of a month that stands before it (july fourth) or behind it (the fourth of july)."""
    value = int(_ORDINAL_ENDING.sub("", digits)) if len(digits) <= 4 and "," not in digits else 0
    if not 0 < value <= 31:
        return None
    if MONTH.search(before) and len(digits) <= 2:
        return ordinal(value)
    if _DAY_OF.match(after):
        return ("" if re.search(r"\bthe$", before, re.IGNORECASE) else "the ") + f"{ordinal(value)} of"
    return None


def date(match: re.Match[str], before: str, after: str) -> str | None:
    """2020-05-01 or 15.02.2021: the slash has the month first where it can, the point the day."""
    if match["y"]:
        return _date(match["d"], match["m"], match["y"])
    first, second, separator = match["first"], match["second"], match["sep2"]
    day_first = int(first) > 12 or (separator != "/" and int(second) <= 12)
    return _date(first, second, match["year"]) if day_first else _date(second, first, match["year"])


def _date(day_: str, month: str, year: str) -> str | None:
    if not (0 < int(month) <= 12 and 0 < int(day_) <= 31):
        return None
    years = number(year) if len(year) == 4 else _short_year(year)
    return f"the {ordinal(int(day_))} of {FULL_MONTHS[int(month) - 1].lower()} {years}"


def month_day(match: re.Match[str], before: str, after: str) -> str:
    """03/04: a fraction has no leading zero."""
    return f"{FULL_MONTHS[int(match['month']) - 1].lower()} {ordinal(int(match['day']))}"


def time(match: re.Match[str], before: str, after: str) -> str | tuple[str, int]:
    """3:30, 3:30pm, 10:30EST; with a point only before p.m.: 2.30 p.m."""
    hour, minute = int(match["hour"]), int(match["minute"])
    behind = None if match["noon"] else NOON.match(after)
    noon = f" {(match['noon'] or behind[1] if behind else match['noon']).lower()}m" if behind or match["noon"] else ""
    if minute:
        read = f"{two_digits(hour)} {minutes(minute)}"
    else:
        read = two_digits(hour) if noon else f"{two_digits(hour)} o'clock"
    zone = f" {match['zone']}" if match["zone"] else ""
    return read + noon + zone, behind.end() if behind else 0


def pointed_time(match: re.Match[str], before: str, after: str) -> str | tuple[str, int] | None:
    """2.30 p.m., 2.30pm; without noon it is a decimal."""
    return time(match, before, after) if match["noon"] or NOON.match(after) else None


def duration(match: re.Match[str], before: str, after: str) -> tuple[str, int]:
    """22:41:31 -> twenty two hours forty one minutes and thirty one seconds."""
    parts = [
        f"{cardinal(int(match[name]))} {name}{'' if int(match[name]) == 1 else 's'}"
        for name in ("hour", "minute", "second")
    ]
    behind = None if match["noon"] else NOON.match(after)
    noon = match["noon"] or (behind[1] if behind else "")
    read = f"{parts[0]} {parts[1]} and {parts[2]}" + (f" {noon.lower()}m" if noon else "")
    return read, behind.end() if behind else 0


def hours(match: re.Match[str], before: str, after: str) -> str | tuple[str, int]:
    """9am-5pm, 5-6pm, 9:00-17:30, 5pm-7 pm."""
    behind = None if match["n2"] else NOON.match(after)
    second = match["n2"] or (behind[1] if behind else None)
    reads = []
    for hour, minute, noon in (match.group("h1", "m1", "n1"), (match["h2"], match["m2"], second)):
        read = two_digits(int(hour)) + ("" if not minute or minute == "00" else f" {minutes(int(minute))}")
        reads.append(read + (f" {noon.lower()}m" if noon else ""))
    return " to ".join(reads), behind.end() if behind else 0


def hour(match: re.Match[str], before: str, after: str) -> str:
    """5pm."""
    return f"{two_digits(int(match['hour']))} {match['noon'].lower()}m"


def minutes(value: int) -> str:
    """Of a clock: o five, thirty."""
    return f"o {ONES[value]}" if value < 10 else two_digits(value)


def decade(match: re.Match[str], before: str, after: str) -> str | None:
    """1980s, '90s, 1900s, 1960s-80s."""
    reads = [_decade(one) for one in re.findall(r"\d+", match.group())]
    return None if None in reads else " to ".join(one for one in reads if one)


def _decade(digits: str) -> str | None:
    century, tens = digits[:-2], int(digits[-2])
    if not tens:
        if century == "20":
            return "two thousands"
        return f"{two_digits(int(century))} hundreds" if century else None
    return years_of(century, tens)


def years_of(century: str | None, tens: int) -> str:
    """Of a decade: nineteen eighties."""
    name = "tens" if tens == 1 else TENS[tens][:-1] + "ies"
    return f"{two_digits(int(century))} {name}" if century else name


def quarter(match: re.Match[str], before: str, after: str) -> str:
    """3Q22, 1H23: the third quarter of twenty two."""
    part = "quarter" if match["kind"].upper() == "Q" else "half"
    year = match["year"]
    return f"the {ordinal(int(match['n']))} {part} of {number(year) if len(year) == 4 else _short_year(year)}"


def _short_year(year: str) -> str:
    """Two digits: twenty two, oh five."""
    return f"oh {spelled(year[1])}" if year[0] == "0" else two_digits(int(year))
