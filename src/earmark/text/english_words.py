"""Plain English numbers word by word: cardinals, ordinals, years, decimals, digits."""

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "  # noqa: SIM905
    "eighteen nineteen".split()
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ("", "thousand", "million", "billion", "trillion")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip


def cardinal(value: int) -> str:
    """Reading below 10**15, with "and" in the last three digits, as after thousands: 1,001 one thousand and one."""
    groups = []
    rest = value
    while rest:
        rest, group = divmod(rest, 1000)
        groups.append(group)
    words = [
        f"{_hundreds(group, '')} {_SCALES[power]}".strip()
        for power, group in reversed(list(enumerate(groups)))
        if group and power
    ]
    last = value % 1000
    if last or not words:
        glue = "and " if last < 100 and len(groups) > 1 and groups[1] else ""
        words.append(glue + _hundreds(last, "and "))
    return " ".join(words)


def _hundreds(value: int, glue: str) -> str:
    hundreds, rest = divmod(value, 100)
    if not hundreds:
        return two_digits(rest)
    return f"{ONES[hundreds]} hundred" + (f" {glue}{two_digits(rest)}" if rest else "")


def two_digits(value: int) -> str:
    """0..99."""
    if value < 20:
        return ONES[value]
    tens, ones = divmod(value, 10)
    return TENS[tens] + (f" {ONES[ones]}" if ones else "")


def year(value: int) -> str:
    """Four digits in pairs up to 2999 (nineteen oh five), above as a cardinal."""
    high, low = divmod(value, 100)
    if value >= 3000:
        return cardinal(value)
    if high % 10 == 0 and low < 10:
        return f"{ONES[high // 10]} thousand" + (f" {ONES[low]}" if low else "")
    if not low:
        return f"{two_digits(high)} hundred"
    return f"{two_digits(high)} " + (f"oh {ONES[low]}" if low < 10 else two_digits(low))


def share(text: str) -> str:
    """Reading of a percentage's number: never a year, decimals digit by digit."""
    whole, point, decimals = text.replace(",", "").partition(".")
    return cardinal(int(whole)) + (number(f"0.{decimals}").removeprefix("zero") if point else "")


def spelled(digits: str) -> str:
    """Digit by digit."""
    return " ".join(ONES[int(digit)] for digit in digits)


def number(text: str) -> str:
    """Reading of digits with thousands separators and decimals; four digits alone are read as a year."""
    whole, point, decimals = text.replace(",", "").partition(".")
    if len(whole) > 15 or (len(whole) > 1 and whole[0] == "0"):
        read = " ".join("oh" if digit == "0" else ONES[int(digit)] for digit in whole)
    elif len(text) == 4 and text.isdigit():
        read = year(int(text))
    else:
        read = cardinal(int(whole))
    if point:
        read += " point " + " ".join("oh" if digit == "0" else ONES[int(digit)] for digit in decimals)
    return read


def quantity(text: str) -> str:
    """Reading of an amount of money: never a year, no trailing zeros."""
    return share(text.rstrip("0").rstrip(".") if "." in text else text)


def ordinal(value: int) -> str:
    """21 -> twenty first."""
    words = cardinal(value).replace("and ", "").split()
    last = words[-1]
    if last.endswith("y"):
        words[-1] = last[:-1] + "ieth"
    else:
        words[-1] = _ORDINALS.get(last, last + "th")
    return " ".join(words)
