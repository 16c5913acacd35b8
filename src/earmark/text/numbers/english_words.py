"""Plain English numbers word by word: cardinals, ordinals, years, decimals, digits."""

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "  # noqa: SIM905
    "eighteen nineteen".split()
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion")
# Digits that the scales reach.
_LONGEST = 21
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip


def cardinal(value: int) -> str:
    """Reading below 10**21, with "and" before the last two digits of every group: 1,001 one thousand and one."""
    groups = []
    rest = value
    while rest:
        rest, group = divmod(rest, 1000)
        groups.append(group)
    words = [
        f"{_hundreds(group)} {_SCALES[power]}".strip()
        for power, group in reversed(list(enumerate(groups)))
        if group and power
    ]
    last = value % 1000
    if last or not words:
        words.append(("and " if words and last < 100 else "") + _hundreds(last))
    return " ".join(words)


def _hundreds(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    if not hundreds:
        return two_digits(rest)
    return f"{ONES[hundreds]} hundred" + (f" and {two_digits(rest)}" if rest else "")


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
    read = cardinal(int(whole)) if whole and len(whole) <= _LONGEST else spelled(whole)
    return (read + (number(f".{decimals}") if not whole else " " + number(f".{decimals}")) if point else read).strip()


def spelled(digits: str) -> str:
    """Digit by digit."""
    return " ".join(ONES[int(digit)] for digit in digits)


def number(text: str) -> str:
    """Reading of digits with thousands separators and decimals; four digits alone are read as a year."""
    whole, point, decimals = text.replace(",", "").partition(".")
    if len(whole) > (_LONGEST if "," in text else 15) or (len(whole) > 1 and whole[0] == "0"):
        read = " ".join("oh" if digit == "0" else ONES[int(digit)] for digit in whole)
    elif len(text) == 4 and text.isdigit():
        read = year(int(text))
    else:
        read = cardinal(int(whole)) if whole else ""
    if point:
        read += " point " + " ".join("oh" if digit == "0" else ONES[int(digit)] for digit in decimals)
    return read.strip()


def quantity(text: str) -> str:
    """Reading of an amount of money: never a year, no trailing zeros."""
    return share(text.rstrip("0").rstrip(".") if "." in text else text)


def ordinal(value: int) -> str:
    """21 -> twenty first, 121 -> one hundred and twenty first."""
    words = cardinal(value).split()
    last = words[-1]
    if last.endswith("y"):
        words[-1] = last[:-1] + "ieth"
    else:
        words[-1] = _ORDINALS.get(last, last + "th")
    return " ".join(words)
