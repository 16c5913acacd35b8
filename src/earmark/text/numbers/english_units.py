"""English units and currencies: 5 kg, 1°C, 3 mbps, 200 million kg, $5.20, US$6.3 trillion, ₩20 million, 50 USD."""

import re

from earmark.text.numbers.english_words import quantity, share

NUMBER = r"(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)"
"""With separators between thousands, decimals, or decimals alone."""
_SCALES = "thousand|million|billion|trillion"
UNITS = {
    "g": "gram", "gm": "gram", "kg": "kilogram", "kgs": "kilogram", "KG": "kilogram", "Kg": "kilogram",
    "mg": "milligram", "ug": "microgram", "μg": "microgram", "mcg": "microgram", "lb": "pound", "lbs": "pound",
    "oz": "ounce", "km": "kilometer", "KM": "kilometer", "Km": "kilometer", "cm": "centimeter", "CM": "centimeter",
    "mm": "millimeter", "MM": "millimeter", "m": "meter", "nm": "nanometer", "um": "micrometer", "μm": "micrometer",
    "mi": "mile", "yd": "yard", "yds": "yard", "ml": "milliliter", "mL": "milliliter", "ML": "milliliter",
    "L": "liter", "cl": "centiliter", "cL": "centiliter", "dl": "deciliter", "dL": "deciliter", "ul": "microliter",
    "μL": "microliter", "μl": "microliter", "gal": "gallon", "tbsp": "tablespoon", "tsp": "teaspoon", "sec": "second",
    "secs": "second", "ms": "millisecond", "μs": "microsecond", "ns": "nanosecond", "min": "minute", "mins": "minute",
    "h": "hour", "hr": "hour", "hrs": "hour", "wk": "week", "wks": "week", "mo": "month", "mos": "month", "yr": "year",
    "yrs": "year", "dB": "decibel", "db": "decibel", "ha": "hectare", "B": "byte", "KB": "kilobyte", "kB": "kilobyte",
    "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "PB": "petabyte", "Gb": "gigabit", "Mb": "megabit",
    "kb": "kilobit", "px": "pixel", "MP": "megapixel", "V": "volt", "mV": "millivolt", "kV": "kilovolt", "W": "watt",
    "mW": "milliwatt", "kW": "kilowatt", "KW": "kilowatt", "MW": "megawatt", "GW": "gigawatt", "Wh": "watt hour",
    "kWh": "kilowatt hour", "KWh": "kilowatt hour", "MWh": "megawatt hour", "A": "amp", "mA": "milliamp",
    "mAh": "milliamp hour", "Ω": "ohm", "kΩ": "kilohm", "kPa": "kilopascal", "hPa": "hectopascal",
    "MPa": "megapascal", "Pa": "pascal", "J": "joule", "kJ": "kilojoule", "cal": "calorie", "kcal": "kilocalorie",
    "K": "kelvin",
}  # fmt: skip
# With two names (of one and of several), or with a tail that has no plural.
_PAIRS = {
    "ft": ("foot", "feet"), "in": ("inch", "inches"), '"': ("inch", "inches"),
    "sq ft": ("square foot", "square feet"), "sqft": ("square foot", "square feet"),
    "°": ("degree", "degrees"), "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"), "° C": ("degree Celsius", "degrees Celsius"),
    "° F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "Hz": ("hertz", "hertz"), "kHz": ("kilohertz", "kilohertz"), "KHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"), "GHz": ("gigahertz", "gigahertz"),
    "mph": ("mile per hour", "miles per hour"), "kph": ("kilometer per hour", "kilometers per hour"),
    "kmh": ("kilometer per hour", "kilometers per hour"), "km/h": ("kilometer per hour", "kilometers per hour"),
    "km/hr": ("kilometer per hour", "kilometers per hour"), "m/s": ("meter per second", "meters per second"),
    "kg/m3": ("kilogram per cubic meter", "kilograms per cubic meter"),
    "g/cm3": ("gram per cubic centimeter", "grams per cubic centimeter"),
    "m/s2": ("meter per second squared", "meters per second squared"),
    "m/s^2": ("meter per second squared", "meters per second squared"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "RPM": ("revolution per minute", "revolutions per minute"), "bpm": ("beat per minute", "beats per minute"),
    "BPM": ("beat per minute", "beats per minute"), "fps": ("frame per second", "frames per second"),
    "FPS": ("frame per second", "frames per second"), "ppm": ("part per million", "parts per million"),
    "psi": ("pound per square inch", "pounds per square inch"), "‰": ("per mille", "per mille"), "cc": ("cc", "cc"),
}  # fmt: skip
_BITS = {
    f"{letter}{ending}": (f"{name}{thing} per second", f"{name}{thing}s per second")
    for first, name in (("kK", "kilo"), ("mM", "mega"), ("gG", "giga"), ("tT", "tera"))
    for letter in first
    for ending, thing in (
        ("bps", "bit"),
        ("bit/s", "bit"),
        ("b/s", "bit"),
        ("B/s", "byte"),
        ("BPS", "bit"),
        ("Bps", "byte"),
    )
}
_LENGTHS = {"mm": "millimeter", "cm": "centimeter", "km": "kilometer", "m": "meter", "mi": "mile"}
_POWERED = {
    f"{short}{mark}": (f"{power} {name}", f"{power} {name}s")
    for short, name in _LENGTHS.items()
    for power, marks in (("square", ("2", "^2")), ("cubic", ("3", "^3")))
    for mark in marks
} | {f"ft{mark}": ("square foot", "square feet") for mark in ("2", "^2")}
NAMES = {short: (name, name + "s") for short, name in UNITS.items()} | _PAIRS | _BITS | _POWERED
# Letters that are names as often (5G, 4K, A 3B model) are units behind a space or not at all.
_SPACED_ONLY = frozenset(
    (
        "g",
        "m",
        "in",
        "ms",
        "V",
        "W",
        "J",
        "B",
        "K",
        "A",
        "ha",
        "mo",
        "mos",
        "cal",
        "db",
        "MP",
        "px",
        "ML",
        "MM",
        "gm",
        "mos",
    )
)
_NEVER_SPACED = frozenset(("in", "A", "B", "K", "J", "h", "ms", '"'))


def _either(shorts: list[str]) -> str:
    return "|".join(sorted(map(re.escape, shorts), key=len, reverse=True))


GLUED = _either([short for short in NAMES if short not in _SPACED_ONLY or short in "mgVW"])
SPACED = _either([short for short in NAMES if short not in _NEVER_SPACED])
_PER = {"hr": "hour", "hour": "hour", "h": "hour", "day": "day", "week": "week", "month": "month", "mo": "month",
        "year": "year", "yr": "year", "person": "person", "kg": "kilogram", "lb": "pound", "s": "second",
        "min": "minute", "l": "liter", "L": "liter", "km": "kilometer", "m": "meter", "gal": "gallon"}  # fmt: skip
PER = _either(list(_PER))
_AMOUNTS = {"k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million", "bn": "billion",
    "b": "billion", "B": "billion", "tn": "trillion", "T": "trillion"}  # fmt: skip
AMOUNTS = _either(list(_AMOUNTS))
_DOLLARS = {
    "US": "us", "U.S.": "us", "A": "australian", "AU": "australian", "C": "canadian", "CA": "canadian",
    "HK": "hong kong", "NT": "taiwan", "S": "singapore", "SG": "singapore", "NZ": "new zealand", "MX": None, "R": None,
}  # fmt: skip
CURRENCIES = {
    "$": ("dollar", "dollars"), "€": ("euro", "euros"), "£": ("pound", "pounds"), "¥": ("yen", "yen"),
    "₩": ("won", "won"), "₹": ("rupee", "rupees"), "₽": ("ruble", "rubles"), "₺": ("lira", "liras"),
    "₫": ("dong", "dong"), "฿": ("baht", "baht"), "₱": ("peso", "pesos"), "₦": ("naira", "naira"),
    "₴": ("hryvnia", "hryvnias"), "₪": ("shekel", "shekels"), "₡": ("colon", "colons"), "₲": ("guarani", "guaranis"),
    "₵": ("cedi", "cedis"), "₸": ("tenge", "tenge"), "₿": ("bitcoin", "bitcoins"), "₾": ("lari", "lari"),
    "₼": ("manat", "manats"), "₭": ("kip", "kip"), "₮": ("tugrik", "tugriks"), "R$": ("real", "reais"),
    "MX$": ("mexican peso", "mexican pesos"), "Mex$": ("mexican peso", "mexican pesos"), "CN¥": ("yuan", "yuan"),
    "RMB": ("yuan", "yuan"), "CNY": ("yuan", "yuan"), "USD": ("us dollar", "us dollars"), "EUR": ("euro", "euros"),
    "GBP": ("pound", "pounds"), "JPY": ("yen", "yen"), "KRW": ("won", "won"), "INR": ("rupee", "rupees"),
    "Rs": ("rupee", "rupees"), "Rs.": ("rupee", "rupees"), "CHF": ("swiss franc", "swiss francs"),
    "AUD": ("australian dollar", "australian dollars"), "CAD": ("canadian dollar", "canadian dollars"),
    "HKD": ("hong kong dollar", "hong kong dollars"), "TWD": ("taiwan dollar", "taiwan dollars"),
    "SGD": ("singapore dollar", "singapore dollars"), "NZD": ("new zealand dollar", "new zealand dollars"),
    "RM": ("ringgit", "ringgit"), "MYR": ("ringgit", "ringgit"), "SEK": ("swedish krona", "swedish kronor"),
    "NOK": ("norwegian krone", "norwegian kroner"), "DKK": ("danish krone", "danish kroner"),
    "RUB": ("ruble", "rubles"), "THB": ("baht", "baht"), "VND": ("dong", "dong"), "PHP": ("peso", "pesos"),
    "TRY": ("lira", "liras"), "BRL": ("real", "reais"), "ZAR": ("rand", "rand"),
    "PLN": ("zloty", "zlotys"), "zl": ("zloty", "zlotys"),
} | {f"{land}$": (f"{name} dollar", f"{name} dollars") for land, name in _DOLLARS.items() if name}  # fmt: skip
SIGNS = "".join(sign for sign in CURRENCIES if len(sign) == 1)
CURRENCY = _either(list(CURRENCIES))
CODE = _either([name for name in CURRENCIES if name.isupper() and len(name) == 3] + ["RM"])
_LANDS = r"(?: (?:us|u\.s\.|american|canadian|australian|hong kong|singapore|taiwan|new zealand))?"
_SCALE = re.compile(rf" (?P<word>{_SCALES})\b| (?P<short>bn|b|B|mn|tn)(?![\w'.]|\. ?[a-z])")
_CODE_AGAIN = re.compile(rf" ?(?P<code>{CODE})(?![A-Za-z$])")
UNIT_BEHIND = re.compile(rf"(?: (?P<scale>{_SCALES}))? (?P<unit>{SPACED})(?![\w'/°²³^])(?:/(?P<per>{PER})(?![\w/]))?")
_CODE_BEHIND = re.compile(rf"(?: (?P<scale>{_SCALES}))? (?P<code>{CODE})(?![A-Za-z$])")
_MINUS = {"-": "negative ", "+": "plus ", "±": "plus or minus ", "": ""}


def with_unit(sign: str, digits: str, unit: str, scale: str = "", per: str = "") -> str:
    """-5, kg -> negative five kilograms; 200, km, million -> two hundred million kilometers."""
    one, several = NAMES[unit]
    minus = "minus " if sign == "-" and "°" in unit else _MINUS[sign]
    name = one if digits == "1" and not scale else several
    return f"{minus}{share(digits)} {scale + ' ' if scale else ''}{name}" + (f" per {_PER[per]}" if per else "")


def unit_behind(sign: str, digits: str, after: str) -> tuple[str, int] | None:
    """Reading of a number with the unit, or the code of a currency, that follows it behind a space."""
    if match := UNIT_BEHIND.match(after):
        return with_unit(sign, digits, match["unit"], match["scale"] or "", match["per"] or ""), match.end()
    if match := _CODE_BEHIND.match(after):
        return money_of(sign, digits, match["scale"] or "", match["code"]), match.end()
    return None


def measured(match: re.Match[str], before: str, after: str) -> str:
    """12kg, 15KG, 1°C, 12kg/l."""
    return with_unit(match["sign"], match["n"], match["unit"], "", match["per"] or "")


def per_unit(match: re.Match[str], before: str, after: str) -> str:
    """12/kg."""
    return f"{share(match['n'])} per {_PER[match['per']]}"


def measured_range(match: re.Match[str], before: str, after: str) -> str:
    """2-5lb, 20-25°C."""
    return f"{share(match['first'])} to {with_unit('', match['n'], match['unit'])}"


def money_of(sign: str, digits: str, scale: str, currency: str, first: str = "") -> str:
    """5.20, $ -> five point two dollars; the scale stands before the currency."""
    one, several = CURRENCIES[currency]
    read = (f"{first} to " if first else "") + quantity(digits) + (f" {scale}" if scale else "")
    return f"{_MINUS[sign]}{read} {one if read == 'one' else several}"


def money(match: re.Match[str], before: str, after: str) -> tuple[str, int]:
    """$5, -$5, $5-10, $5m, $3 million, ₩20 million, US$6.3 trillion, $5 USD, $5 dollars."""
    currency, taken, larger = match["currency"], 0, _AMOUNTS[match["larger"]] if match["larger"] else ""
    if not larger and (scale := _SCALE.match(after)):
        larger, taken = scale["word"] or _AMOUNTS[scale["short"]], scale.end()
    first = quantity(match["first"]) if match["first"] else ""
    sign = match["sign"] or match["inner"] or ""
    if _named(currency, after[taken:]):
        read = f"{_MINUS[sign]}{first + ' to ' if first else ''}{quantity(match['n'])}{' ' + larger if larger else ''}"
        return read, taken
    if (code := _CODE_AGAIN.match(after[taken:])) and _kind(code["code"]) == _kind(currency):
        currency, taken = code["code"], taken + code.end()
    read = money_of(sign, match["n"], larger, currency, first)
    return read + (f" per {_PER[match['per']]}" if match["per"] else ""), taken


def _kind(currency: str) -> str:
    """Dollars are dollars, whosever."""
    return CURRENCIES[currency][0].split()[-1]


def _named(currency: str, after: str) -> bool:
    """Whether the words behind name the currency of the sign once more."""
    one, several = (name.split()[-1] for name in CURRENCIES[currency])
    also = "|yuan|renminbi" if currency == "¥" else ""
    return bool(re.match(rf"{_LANDS} (?:{one}|{several}{also})\b", after, re.IGNORECASE))


def money_behind(match: re.Match[str], before: str, after: str) -> str:
    """20€, 500₽, 50USD."""
    return money_of(match["sign"], match["n"], _AMOUNTS[match["larger"]] if match["larger"] else "", match["currency"])
