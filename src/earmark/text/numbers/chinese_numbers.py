"""Chinese readings of numbers: dates, times, money, phone numbers, units and what else is common.

A chunk is what stands between spaces and Han characters and holds a digit. A rule reads a whole chunk, knowing the
Han characters around it (2个 is 两个, 第2个 is 第二个), or leaves it to WeTextProcessing, which takes milliseconds.
Where the readings differ from WeTextProcessing's they do so on purpose (`earmark.text.numbers.deviations`).
"""

import re
from collections.abc import Callable
from decimal import Decimal

from earmark.text.numbers import chinese_dates as dates
from earmark.text.numbers.chinese_context import (
    ACCOUNT,
    LEADING_ZERO,
    ORDINAL,
    is_aircraft,
    is_dialled,
    is_event,
    is_minus,
    is_numbered,
    is_score,
    is_year,
    point_day,
)
from earmark.text.numbers.chinese_dates import Reading
from earmark.text.numbers.chinese_sums import OPERATOR, arithmetic, power, ten_thousands
from earmark.text.numbers.chinese_words import (
    CURRENCIES,
    CURRENCY,
    DIALLED,
    MONEY,
    NUMBER,
    SCALE,
    SPEEDS,
    SPELLED,
    UNIT,
    UNITS,
    counted,
    integer,
    number,
    per,
    unit_word,
)

_RATE = re.compile(
    "/(?P<each>公斤|小时|分钟|平米|平方米|[斤天人年月日次吨个件晚克升亩秒分周季户股页本张盒箱瓶平只台套篇首节课题])"
)
_EACH = re.compile(rf"(?P<unit>[^\W\d_A-Za-z]{{1,2}}){_RATE.pattern}")
_PHONE = (
    r"(?:\+?86-?)?1[3-9]\d(-?)\d{4}\1\d{4}|0\d{2,3}-\d{7,8}|[48]00-\d{3,4}-\d{3,4}|\d{3,4}-\d{3,4}-\d{4}|"
    r"\+\d{1,3}-?\d{6,11}|\+?\d{1,4}(?:-\d{2,8}){2,}"
)
DOMAINS = "com|org|net|edu|gov|cn"
ADDRESS = rf"[A-Za-z0-9._-]+@[A-Za-z0-9-]+(?:\.[A-Za-z]+)+|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.(?:{DOMAINS})"
# Signs that a piece of a chunk may be; others part words.
_SINGLE = {
    "+": "加", "=": "等于", "*": "乘", "×": "乘", "÷": "除以", "~": "到", "&": "和", "@": " at ", "%": "百分号",
    "‰": "千分号", "°": "度", "<": "小于", ">": "大于", "^": "的幂", "±": "正负", "#": "井号",
}  # fmt: skip


def read_chunk(chunk: str, before: str, after: str) -> tuple[str, int] | None:
    """Reading of a whole chunk, and how many characters of `after` it takes in; None: no rule knows it.

    :param before: text in front of the chunk. :param after: text behind it.
    """
    for pattern, rule in _RULES:
        match = pattern.fullmatch(chunk)
        if match:
            read = rule(match, before, after)
            if read is not None:
                return read if isinstance(read, tuple) else (read, 0)
    return None


def read_pieces(chunk: str, before: str, after: str) -> str:
    """Numbers, words and signs of a chunk that no rule knows, one by one: nothing that is spoken is lost."""
    pieces = re.findall(rf"(?:{CURRENCY})?{NUMBER}(?:[%‰]|(?:{UNIT})(?![A-Za-z]))?|[A-Za-z']+|\S", chunk)
    reads = []
    for index, piece in enumerate(pieces):
        ends = before if index == 0 else "", after if index == len(pieces) - 1 else ""
        if re.search(r"\d", piece):
            reads.append((read_chunk(piece, *ends) or (piece.translate(SPELLED), 0))[0])
        elif piece == "-" and _is_sign(pieces, index, before):
            reads.append("负")
        else:
            reads.append(CURRENCIES.get(piece) or _SINGLE.get(piece) or f" {piece} ")
    return "".join(reads)


def _is_sign(pieces: list[str], index: int, before: str) -> bool:
    """A minus at the beginning, or behind another (--5), but for the dash of two hyphens behind a word."""
    if not pieces[index + 1 : index + 2] or not pieces[index + 1][0].isdigit():
        return False
    return not index or (pieces[index - 1] == "-" and (index > 1 or is_minus(before, "")))


Rule = Callable[[re.Match[str], str, str], Reading]


def _plain(match: re.Match[str], before: str, after: str) -> Reading:
    digits = match.group()
    if LEADING_ZERO.match(digits):
        return None
    if "." in digits and (day := point_day(digits, after)):
        return day
    each = _EACH.match(after)
    if each:
        return f"{per('每' + each['each'], before)}{counted(digits, each['unit'])}{each['unit']}", each.end()
    return _integer(digits, before, after) if digits.isdigit() else _signed(digits, before, after)


# What a range or a list counts stands behind its last number.
_FURTHER = re.compile(r"^[到至]\d+|^[、 ]3(?!\d)")


def _integer(digits: str, before: str, after: str) -> str:
    """A quantity, or a name digit by digit."""
    if is_event(digits, before, after) or is_year(digits, before, after):
        return digits.translate(SPELLED)
    if is_dialled(digits, before, after):
        return digits.translate(DIALLED)
    if len(digits) == 2 and digits[0] == "0" and after[:1] in ("月", "日", "号"):
        return number(digits[1])
    return number(digits) if ORDINAL.search(before) else counted(digits, _FURTHER.sub("", after, count=1))


def _signed(text: str, before: str, after: str) -> Reading:
    """Decimals and numbers with a sign: -5 behind 是, 气温 and the like; 歼-20 is a name."""
    if text[0] == "-" and text[1:].isdigit() and not is_minus(before, after):
        year = re.fullmatch("(?:19|20)\\d\\d", text[1:])
        return text[1:].translate(SPELLED) if year else number(text[1:])
    return counted(text, after)


def _percent(match: re.Match[str], before: str, after: str) -> Reading:
    name = {"%": "百分之", "‰": "千分之"}[match["sign"]]
    first, second = match["first"], match["second"]
    minus = {"-": "负", "+": "正", "±": "正负"}.get(first[0], "")
    read = minus + name + number(first.lstrip("-+±"))
    if second:
        return read + "到" + (name if match["twice"] else "") + number(second)
    point = re.match("个?百分点|巴仙", after)
    if point and name == "百分之":
        return minus + counted(first.lstrip("-+±"), "个") + point.group(), point.end()
    again = re.match("百分比", after)
    return read, again.end() if again else 0


def _money(match: re.Match[str], before: str, after: str) -> Reading:
    """$100, ¥3,500.50元, $5 million behind Han: the currency once, behind 万 and 亿."""
    sign = match["sign"] or match["behind"]
    larger = re.match(rf"(?:{SCALE})?(?:[多余](?:万亿|[万亿])?)?", after).group()  # type: ignore[union-attr]
    taken = len(larger)
    word = re.match(MONEY, after[taken:])
    if word:
        taken += word.end()
    name = word.group() if word else _currency(CURRENCIES[sign], before)
    minus = {"-": "负", "+": "正", "±": "正负"}.get(match["minus"] or match["inner"] or "", "")
    rate = _RATE.match(after[taken:])
    each = per("每" + rate["each"], before) if rate else ""
    amounts = "到".join(counted(_whole(one, match["short"]), larger or name) for one in match["amount"].split("-"))
    return each + minus + amounts + larger + name, taken + (rate.end() if rate else 0)


def _currency(name: str, before: str) -> str:
    """Behind a currency's word its sign is silent (美元$5), or 元 where the two differ (港币HK$500)."""
    held = re.search(f"(?:{MONEY})$", before)
    if not held or len(held.group()) < 2:
        return name
    return "" if held.group() == name else "元" if name.endswith(("元", "币")) else name


def _whole(amount: str, short: str | None) -> str:
    """1.5M is 1500000."""
    value = Decimal(amount.replace(",", "")) * {"k": 10**3, "m": 10**6, "b": 10**9}[short.lower()] if short else None
    return amount if value is None or value != int(value) else str(int(value))


def _measured(match: re.Match[str], before: str, after: str) -> Reading:
    unit = match["unit"]
    if unit in ("V", "W", "v") and len(match["n"]) == 1:
        return None  # 5V5 and 3W are names more often
    if unit == "t" and not match["n"][-1:].isdigit():
        return None
    word, taken = unit_word(unit, after)
    first = counted(match["first"], "米") + (word if match["twice"] else "") + "到" if match["first"] else ""
    n = match["n"]
    if n[0] == "-" and not first and n[1:].isdigit() and not is_minus(before, "°" if "°" in unit else after):
        n = n[1:]
    speed = SPEEDS.get(unit, "")
    if speed and after[taken:].startswith(speed):
        taken += len(speed)
    return per(speed, before) + first + counted(n, "米") + word, taken


def _per_unit(match: re.Match[str], before: str, after: str) -> Reading:
    """5mg/L: the second unit first, as in speeds."""
    return f"{per('每' + UNITS[match['per']], before)}{counted(match['n'], '米')}{UNITS[match['unit']]}"


def _part_of_unit(match: re.Match[str], before: str, after: str) -> Reading:
    """1/2kg."""
    word, taken = unit_word(match["unit"], after)
    return f"{number(match['below'])}分之{number(match['above'])}{word}", taken


def _range(match: re.Match[str], before: str, after: str) -> Reading:
    first, second, sign = match["first"], match["second"], match["sign"]
    if dates.are_years(first, second, after):
        return f"{first.translate(SPELLED)}到{second.translate(SPELLED)}"
    if sign == "-" and (read := _hyphened(first, second, before, after)):
        return read
    each = _EACH.match(after)
    if each:
        low, high = (counted(one, each["unit"]) for one in (first, second))
        return f"{per('每' + each['each'], before)}{low}到{high}{each['unit']}", each.end()
    if before.endswith("第"):
        return f"{number(first)}到{number(second)}"
    return f"{counted(first, after)}到{counted(second, after)}"


def _hyphened(first: str, second: str, before: str, after: str) -> str:
    """Two numbers whose hyphen is no 到; empty for a range."""
    if ACCOUNT.search(before) and len(first + second) > 6:
        return (first + second).translate(DIALLED)
    if is_aircraft(before):
        return first.translate(DIALLED) + number(second)
    if is_numbered(first, second, before, after):
        return number(first) + number(second)
    return f"{number(first)}比{number(second)}" if is_score(first, second, before, after) else ""


def _dialled(match: re.Match[str], before: str, after: str) -> Reading:
    digits = re.sub(r"\D", "", match.group())
    return digits.translate(DIALLED) if len(digits) > 6 else None


def _address(match: re.Match[str], before: str, after: str) -> Reading:
    """Of a mail box or a site: user39@mail.com."""
    words = match.group().replace("@", " at ").replace(".", " dot ")
    return re.sub(r"\d+", lambda run: run[0].translate(DIALLED) if len(run[0]) > 2 else integer(run[0]), words)


def _name(match: re.Match[str], before: str, after: str) -> Reading:
    """Names of models and terms: letters stay, digits are read; three and more behind letters one by one (C919)."""
    read = ""
    for letters, digits in re.findall(r"([A-Za-z]+)|(\d+(?:\.\d+)?)", match.group()):
        if letters:
            read += f" {letters} "
        elif read and re.fullmatch(r"\d{3,}", digits):
            read += digits.translate(DIALLED)
        else:
            read += number(digits)
    return read


def _behind_name(match: re.Match[str], before: str, after: str) -> Reading:
    """-20S of 歼-20S."""
    sign = "" if before[-1:].isalpha() and not is_minus(before, after) else "负"
    read = read_chunk(match["n"], before, after)
    return (sign + read[0], read[1]) if read else None


_N = NUMBER
_TERM = rf"{_N}(?:\^-?\d+|%)?"
_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"\+\d{10,}", _dialled),
        (rf"[-+±]?{_N}", _plain),
        *dates.DATES,
        (_PHONE, _dialled),
        (rf"(?P<first>[-+±]?{_N})(?:(?P<twice>[%‰])?[-~](?P<second>{_N}))?(?P<sign>[%‰])", _percent),
        (rf"(?P<from>{dates.CLOCK})(?:[-~](?P<to>{dates.CLOCK}))?(?P<noon>[AaPp]\.?[Mm]\.?)?", dates.time),
        (r"\d+(?::\d+)+", dates.ratio),
        (
            rf"(?P<minus>[-+±])?(?:(?P<sign>{CURRENCY})(?P<inner>-)?(?P<amount>{_N}(?:-{_N})?)(?P<short>[kKmMbB])?)(?P<behind>(?!))?",
            _money,
        ),
        (
            rf"(?P<minus>[-+±])?(?P<amount>{_N}(?:-{_N})?)(?P<behind>{CURRENCY})(?P<sign>(?!))?(?P<inner>(?!))?(?P<short>(?!))?",
            _money,
        ),
        (rf"(?:(?P<first>-?{_N})(?P<twice>{UNIT})?[-~])?(?P<n>[-+±]?{_N})(?P<unit>{UNIT})", _measured),
        (rf"(?P<n>{_N})(?P<unit>{UNIT})/(?P<per>{UNIT})", _per_unit),
        (rf"(?P<above>\d+)/(?P<below>\d+)(?P<unit>{UNIT})", _part_of_unit),
        (r"\d{1,2}·\d{1,2}", dates.day_name),
        (rf"(?P<first>{_N})(?P<sign>[-~])(?P<second>{_N})", _range),
        (r"(?P<minus>[-+±]?)(?P<above>\d+)/(?P<below>\d+)", dates.fraction),
        (r"(?P<letters>[A-Za-z]+)?(?P<n>\d+(?:\.\d+){2,3})", dates.dotted),
        (r"\d+(?:-\d+){2,}|\d+(?:/\d+){2,}", dates.groups),
        (r"\d{17}[Xx]", dates.identity),
        (r"(?P<name>[A-Za-z]+):(?P<n>\d{5,})", dates.account),
        (r"-(?P<n>\d+[A-Za-z]+\d*)", _behind_name),
        (rf"(?P<n>{_N})w", ten_thousands),
        (r"(?P<base>\d+|[A-Za-z])\^(?P<power>-?\d+)", power),
        (rf"(?=.*[<>=])[-+±]?\(?(?:[A-Za-z]|{_TERM})\)?(?:{OPERATOR}[-+±]?\(?(?:[A-Za-z]|{_TERM})\)?)+", arithmetic),
        (rf"[-+±]?{_TERM}(?:[-+×*÷<>±/]{_TERM})+", arithmetic),
        (ADDRESS, _address),
        (
            r"(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*|[A-Za-z]+-?\d+\.\d+[A-Za-z]*|\d+\.\d+[A-Za-z]+(?:-?[A-Za-z]+)?",
            _name,
        ),
    )
)
