"""No digit, sign or word of a written English text is lost: 2,500 made texts of all kinds, counted on both sides.

Each text is made of pieces that say what has to be heard of them: words, in order, of which one of several may stand.
"""

import random
import re

from earmark.text.normalise import normalise
from earmark.text.numbers.english_words import ONES, TENS

TEXTS = 2500
WORDS = "about after the report we saw that nobody had said anything but it went on for them".split()  # noqa: SIM905
NUMBER = "|".join(
    [*ONES, *filter(None, TENS), "oh", "hundred", "thousand", "million", "billion", "o", "half", "quarter"]
)
ORDINAL = "first|second|third|thirds|[a-z]+th|[a-z]+ths|half|halves|quarters?"
_N = rf"(?:{NUMBER}|first|second|third|[a-z]+th)"
SIGNS = {
    "+": "plus", "*": "times", "×": "times", "÷": "divided by", "=": "equals", "<": "less than", ">": "greater than",
    "≤": "less than or equal to", "≥": "greater than or equal to", "≠": "not equal to", "±": "plus or minus",
}  # fmt: skip
CURRENCIES = {
    "$": "dollars?", "€": "euros?", "£": "pounds?", "¥": "yen", "₩": "won", "₹": "rupees?", "US$": "us dollars?",
    "A$": "australian dollars?", "HK$": "hong kong dollars?", "R$": "reais|real", "₽": "rubles?", "₺": "liras?",
}  # fmt: skip
UNITS = {
    "kg": "kilograms?", "KG": "kilograms?", "km": "kilometers?",
    "mbps": "megabits? per second", "°C": "degrees? celsius", "lbs": "pounds?", "μm": "micrometers?",
    "GB": "gigabytes?", "km/h": "kilometers? per hour", "%": "percent",
    "mins": "minutes?", "MHz": "megahertz", "m²": "square meters?", "‰": "per mille", "°": "degrees?",
}  # fmt: skip
ABBREVIATIONS = {
    "Mt. Hood": "mount hood", "St. Paul": "saint paul",
    "Dr. Lee": "doctor lee", "Ft. Lee": "fort lee",
    "No. 7": "number seven",
    "№ 4": "number four", "Nr. 3": "number three", "#8": "number eight", "World War II": "world war two",
    "Henry VIII": "henry the eighth", "Chapter IV": "chapter four",
    "U.S.A.": "usa", "R&amp;D": "r and d",
    "AT&T": "at and t",
}  # fmt: skip
MONTHS = "January February April June July August October November".split()  # noqa: SIM905


def amount(rng):
    return rng.choice([
        str(rng.randint(2, 99)), str(rng.randint(100, 99999)), f"{rng.randint(1000, 9999999):,}",
        f"{rng.uniform(0, 50):.{rng.randint(1, 3)}f}", f".{rng.randint(11, 99)}",
    ])  # fmt: skip


def pointed(value):
    """What is heard of a number: a point where one is written."""
    return rf"(?:{_N} )*point {_N}.*?" if "." in value else rf"{_N}.*?"


def sum_(rng):
    sign, spaced = rng.choice(list(SIGNS)), rng.choice(["", " "])
    left, right = (str(rng.randint(2, 999)) for _ in range(2))
    return f"{left}{spaced}{sign}{spaced}{right}", rf"{_N}.* {SIGNS[sign]} {_N}.*?"


def money(rng):
    sign, value, scale = rng.choice(list(CURRENCIES)), amount(rng), rng.choice(["", " million", " billion"])
    # Nobody says the zeros of $5.00.
    said = value.rstrip("0").rstrip(".") if "." in value else value
    return f"{sign}{value}{scale}", rf"{pointed(said)}{scale} (?:{CURRENCIES[sign]})"


def measure(rng):
    unit, value = rng.choice(list(UNITS)), amount(rng)
    return f"{value}{rng.choice(['', ' ']) if unit != 'm²' else ''}{unit}", rf"{pointed(value)} {UNITS[unit]}"


def telephone(rng):
    groups = [
        "".join(rng.choices("0123456789", k=size)) for size in rng.choice([(3, 4, 4), (3, 3, 4), (4, 3, 3), (3, 2, 4)])
    ]
    return "-".join(groups), " ".join(ONES[int(digit)] for digit in "".join(groups))


def day(rng):
    month, value = rng.choice(MONTHS), rng.randint(1, 28)
    year = rng.randint(1900, 2030)
    return rng.choice([
        (f"{value} {month} {year}", rf"the {_N}(?: {_N})?.* of {month.lower()} {_N}.*"),
        (f"{month} {value}, {year}", rf"{month.lower()} {_N}.* {_N}.*"),
        (f"{value:02d}-{rng.randint(1, 9):02d}-{year}", rf"the {_N}.* of [a-z]+ {_N}.*"),
        (f"{rng.randint(13, 28)}.{rng.randint(1, 9):02d}.{year}", rf"the {_N}.* of [a-z]+ {_N}.*"),
    ])  # fmt: skip


def hour(rng):
    first, minute = rng.randint(1, 12), rng.randint(10, 59)
    return rng.choice([
        (f"{first}:{minute}EST", rf"{_N} {_N}.* est"),
        (f"{first}.{minute} p.m.", rf"{_N} {_N}.* pm"),
        (f"{first}pm-{first % 12 + 1} pm", rf"{_N} pm to {_N} pm"),
        (f"{first + 9}:{minute}:{minute}", rf"{_N}.* hours {_N}.* minutes and {_N}.* seconds"),
    ])  # fmt: skip


def short(rng):
    written = rng.choice(list(ABBREVIATIONS))
    return written, ABBREVIATIONS[written]


def share(rng):
    above, below = rng.randint(1, 5), rng.randint(6, 19)
    return rng.choice([
        (f"{above}/{below}", rf"{_N} (?:{ORDINAL})"),
        (f"{below} {above}/{above + 1}", rf"{_N} and (?:{_N}|a) (?:{ORDINAL})"),
        (f"{above}-{below}", rf"{_N} to {_N}"),
        (f"-{below}", rf"negative {_N}"),
    ])  # fmt: skip


KINDS = (sum_, money, measure, telephone, day, hour, short, share)


def made(rng):
    """A text of one to three pieces with marked words between them, and the pattern of what is to be heard."""
    written, heard = [], []
    for kind in rng.choices(KINDS, k=rng.randint(1, 3)):
        word = rng.choice(WORDS)
        piece, pattern = kind(rng)
        written += [f"{word} qua", f"{piece}{rng.choice(['', ',', ';'])}", "zed"]
        heard += [word, "qua", f"(?:{pattern})", "zed"]
    return " ".join(written), " ".join(heard)


def test_no_digit_sign_or_word_is_lost():
    rng = random.Random(1)
    lost = []
    for text, heard in (made(rng) for _ in range(TEXTS)):
        read = normalise(text, "en")
        if not re.fullmatch(heard, read) or re.search("[^a-z' ]", read):
            lost.append((text, read, heard))
    assert not lost, f"{len(lost)} of {TEXTS}: {lost[:5]}"
