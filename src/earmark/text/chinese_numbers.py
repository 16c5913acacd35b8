"""Chinese readings of numbers: dates, times, money, phone numbers, units and what else is common.

A chunk is what stands between spaces and Han characters and holds a digit. A rule reads a whole chunk, knowing the
Han characters around it (2个 is 两个, 第2个 is 第二个), or leaves it to WeTextProcessing, which takes milliseconds.
Where the readings differ from WeTextProcessing's they do so on purpose (`earmark.text.deviations`).
"""

import re
from collections.abc import Callable

NAMES = "零一二三四五六七八九"
SPELLED = str.maketrans("0123456789", NAMES)
# Digits of telephones, rooms, trains: 1 is yao1.
DIALLED = str.maketrans("0123456789", "零幺二三四五六七八九")
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_SIGN = {"-": "负", "+": "正", "±": "正负", "": ""}
# 2 is 两 before these; 月, 日, 号, 楼, 班, 级, 线 and their like number things and take 二.
MEASURES = frozenset(
    "个只条张本件位名次天周年岁元块毛角分秒时刻种类家间层辆台部封杯瓶碗斤吨米里倍项所套群双对头匹棵朵颗粒支枝把篇首句段幅座栋架"
    "艘场集遍趟回顿口盒箱包袋桶盘份起例根片面门排队届代万千百亿小公厘毫平星礼克升点人课页站步票度处笔批款份道卷罐壶勺世滴股阵摄多"
)
_NO_MEASURE = re.compile("年级|分之|部曲")
UNITS = {
    "kg": "千克", "KG": "千克", "Kg": "千克", "km": "公里", "KM": "公里", "cm": "厘米", "CM": "厘米", "mm": "毫米",
    "m": "米", "mg": "毫克", "ml": "毫升", "mL": "毫升", "L": "升", "g": "克", "h": "小时", "min": "分钟", "s": "秒",
    "ms": "毫秒", "°C": "摄氏度", "°c": "摄氏度", "°F": "华氏度", "°": "度", "m2": "平方米", "m3": "立方米",
    "km2": "平方公里", "cm2": "平方厘米", "cm3": "立方厘米", "mm2": "平方毫米", "kW": "千瓦", "kw": "千瓦",
    "kWh": "千瓦时", "kwh": "千瓦时", "Hz": "赫兹", "kHz": "千赫", "MHz": "兆赫", "GHz": "吉赫",
    "km/h": "公里", "m/s": "米", "nm": "纳米", "dB": "分贝", "mAh": "毫安时", "W": "瓦", "V": "伏",
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_CURRENCIES = {"$": "美元", "US$": "美元", "HK$": "港元", "€": "欧元", "£": "英镑", "¥": "元"}
_HOTLINES = frozenset(
    "110 112 114 119 120 122 10000 10010 10086 12306 12315 12345 12110 12320 12333 12366 12328 95110 95120 95188 "  # noqa: SIM905
    "95500 95511 95533 95555 95566 95588 95598 95599".split()
)
_ACCOUNT = re.compile("(?:(?<!\\d)号|号码|密码|代码|编码|邮编|验证码|尾号|电话|手机|座机|传真|微信|身份证)[是为:：]?$")
# Numbers that are names: of days (with 一), of schools, roads and models (with 幺).
_DAYS = re.compile("(?:事件|事变|晚会|大促|购物节)")
_FESTIVALS = {"38": "妇女", "51": "劳动", "54": "青年", "61": "儿童", "81": "建军", "99": "乘法"}
_NUMBERED = re.compile("(?:医院|中学|国道|省道|不锈钢|工作制|路(?=公交|车|$))")
_SCHOOLS = re.compile("(?:高校|院校|大学|工程|学校)")
_AIRCRAFT = re.compile("(?:波音|空客)$")
_ROOM = re.compile("室|房间|房(?![子价产租])|宿舍|教室")
_EACH = re.compile(
    "(?P<unit>[^\\W\\d_A-Za-z]{1,2})/(?P<each>公斤|小时|分钟|平米|平方米|[斤天人年月日次吨个件晚克升亩])"
)
_OPERATORS = {"+": "加", "-": "减", "×": "乘", "*": "乘", "÷": "除以", "=": "等于", ">": "大于", "<": "小于"}
_PHONE = r"(?:\+?86-?)?1[3-9]\d(-?)\d{4}\1\d{4}|0\d{2,3}-\d{7,8}|[48]00-\d{3,4}-\d{3,4}|\d{3,4}-\d{3,4}-\d{4}"
DOMAINS = "com|org|net|edu|gov|cn"
ADDRESS = rf"[A-Za-z0-9._-]+@[A-Za-z0-9-]+(?:\.[A-Za-z]+)+|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.(?:{DOMAINS})"
_MONTH, _DAY = r"0?[1-9]|1[0-2]", r"0?[1-9]|[12]\d|3[01]"
_CLOCK = r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?"
_NOON = {"a": "上午", "p": "下午"}


def integer(digits: str) -> str:
    """Cardinal reading of up to 12 digits; leading 0, or more digits: one by one."""
    if len(digits) > 12 or (digits[0] == "0" and len(digits) > 1):
        return digits.translate(SPELLED)
    value = int(digits)
    if value == 0:
        return "零"
    parts, gap = "", False
    for power, unit in ((10**8, "亿"), (10**4, "万"), (1, "")):
        group, value = divmod(value, power)
        if group:
            needs_zero = bool(parts) and (gap or group < 1000)
            parts += ("零" if needs_zero else "") + _group(group, first=not parts) + unit
        gap = not group
    return re.sub("^二(?=[百千万亿])", "两", parts)


def _group(value: int, first: bool) -> str:
    """1..9999; 10..19 are 十.. at a number's start only."""
    read, gap = "", False
    for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, power)
        if digit:
            read += ("零" if gap and read else "") + NAMES[digit] + unit
        gap = not digit
    return read[1:] if first and read.startswith("一十") else read


def number(text: str) -> str:
    """Reading of digits with sign, thousands separators and decimals: -1,234.5."""
    sign = text[0] if text[0] in "+-±" else ""
    whole, point, decimals = text[len(sign) :].replace(",", "").partition(".")
    read = integer(whole) + ("点" + decimals.translate(SPELLED) if point else "")
    return _SIGN[sign] + (read if not sign else re.sub("^两", "二", read))


def counted(text: str, after: str) -> str:
    """Number before a measure word: 2个 is 两个."""
    return "两" if text == "2" and _takes_liang(after) else number(text)


def _takes_liang(after: str) -> bool:
    return after[:1] in MEASURES and after != "" and not _NO_MEASURE.match(after)


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


Reading = str | tuple[str, int] | None
Rule = Callable[[re.Match[str], str, str], Reading]


def _plain(match: re.Match[str], before: str, after: str) -> Reading:
    digits = match.group()
    each = _EACH.match(after)
    if each:
        return f"每{each['each']}{counted(digits, each['unit'])}{each['unit']}", each.end()
    if not digits.isdigit():
        return counted(digits, after)
    if _is_event(digits, before, after) or _is_year(digits, after):
        return digits.translate(SPELLED)
    if _is_dialled(digits, before, after):
        return digits.translate(DIALLED)
    if len(digits) == 2 and digits[0] == "0" and after[:1] in ("月", "日", "号"):
        return number(digits[1])
    return number(digits) if before.endswith("第") else counted(digits, re.sub(r"^[到至]\d+", "", after))


def _is_year(digits: str, after: str) -> bool:
    """2008年, 80后, not 1000年前."""
    if len(digits) == 4 and after.startswith("年"):
        return 1900 <= int(digits) < 2100 or not re.match("年[前后来多内间历之]", after)
    return len(digits) == 2 and digits[1] in "05" and bool(re.match("后(?![天年来，])", after))


def _is_event(digits: str, before: str, after: str) -> bool:
    """911事件, 618大促, 51劳动节, 99乘法表, 1米75: digit by digit, with 一."""
    if len(digits) == 2 and re.search(r"\d米$", before) and not _takes_liang(after):
        return True
    if digits in _FESTIVALS:
        return after.startswith(_FESTIVALS[digits])
    return len(digits) == 3 and bool(_DAYS.match(after))


def _is_dialled(digits: str, before: str, after: str) -> bool:
    """Telephone, account and room numbers, hotlines: digit by digit, with 幺."""
    if len(digits) == 11 or len(digits) > 12:
        return True
    measured = after[:1] in MEASURES
    if digits in _HOTLINES:
        return not measured and not after.startswith(("号", "路"))
    if len(digits) > 3 and not measured and _ACCOUNT.search(before):
        return True
    if len(digits) == 3 and (_AIRCRAFT.search(before) or (digits in ("985", "211") and _SCHOOLS.match(after))):
        return True
    return len(digits) in (3, 4) and digits[0] != "0" and bool(_ROOM.match(after) or _NUMBERED.match(after))


def _date(match: re.Match[str], before: str, after: str) -> Reading:
    year, month, day = match["year"], match["month"], match["day"]
    return f"{year.translate(SPELLED)}年{number(str(int(month)))}月{number(str(int(day)))}日"


def _year_month(match: re.Match[str], before: str, after: str) -> Reading:
    return f"{match['year'].translate(SPELLED)}年{number(str(int(match['month'])))}月"


def _month_day(match: re.Match[str], before: str, after: str) -> Reading:
    return f"{number(str(int(match['month'])))}月{number(str(int(match['day'])))}日"


def _clock(text: str) -> str:
    hour, minute, *second = text.split(":")
    read = counted(str(int(hour)), "点") + "点"
    if minute != "00" or second:
        read += integer(minute) + "分" if minute[0] == "0" and minute != "00" else number(str(int(minute))) + "分"
    return read + (number(str(int(second[0]))) + "秒" if second else "")


def _time(match: re.Match[str], before: str, after: str) -> Reading:
    noon = _NOON[match["noon"][0].lower()] if match["noon"] else ""
    return noon + _clock(match["from"]) + ("到" + _clock(match["to"]) if match["to"] else "")


def _ratio(match: re.Match[str], before: str, after: str) -> Reading:
    return "比".join(map(number, match.group().split(":")))


def _percent(match: re.Match[str], before: str, after: str) -> Reading:
    name = {"%": "百分之", "‰": "千分之"}[match["sign"]]
    first, second = match["first"], match["second"]
    minus = "负" if first[0] == "-" else ""
    read = minus + name + number(first.lstrip("-"))
    return read if not second else read + "到" + (name if match["twice"] else "") + number(second)


def _money(match: re.Match[str], before: str, after: str) -> Reading:
    scale = re.match("[十百千]?[万亿]|[百千]", after)
    larger = scale.group() if scale else ""
    currency = _CURRENCIES[match["currency"]]
    amounts = "到".join(counted(one, larger or currency) for one in match["amount"].split("-"))
    return amounts + larger + currency, len(larger)


def _measured(match: re.Match[str], before: str, after: str) -> Reading:
    unit = match["unit"]
    if unit in ("V", "W") and len(match["n"]) == 1:
        return None  # 5V5 and 3W are names more often
    if unit in ("km/h", "m/s"):
        return ("每小时" if unit == "km/h" else "每秒") + counted(match["n"], "米") + UNITS[unit]
    first = counted(match["first"], "米") + "到" if match["first"] else ""
    return first + counted(match["n"], "米") + UNITS[unit]


def _range(match: re.Match[str], before: str, after: str) -> Reading:
    first, second = match["first"], match["second"]
    if len(first) == len(second) == 4 and (after.startswith("年") or {first[:2], second[:2]} <= {"19", "20"}):
        return f"{first.translate(SPELLED)}到{second.translate(SPELLED)}"
    if re.search("比分[是为]?$|[以球]$", before) and after[:1] not in MEASURES:
        return f"{number(first)}比{number(second)}"
    return f"{counted(first, after)}到{counted(second, after)}"


def _dialled(match: re.Match[str], before: str, after: str) -> Reading:
    return re.sub(r"\D", "", match.group()).translate(DIALLED)


def _dotted(match: re.Match[str], before: str, after: str) -> Reading:
    """Addresses digit by digit, versions number by number: 192.168.1.1, v3.0.1."""
    groups = match["n"].split(".")
    return f" {match['letters'] or ''} " + "点".join(
        one.translate(SPELLED) if len(groups) > 3 else number(one) for one in groups
    )


def _arithmetic(match: re.Match[str], before: str, after: str) -> Reading:
    parts = re.findall(rf"{_NUMBER}|\D", match.group())
    reads = (_OPERATORS.get(part) or (f" {part} " if part.isalpha() else number(part)) for part in parts)
    return "".join(reads)


def _power(match: re.Match[str], before: str, after: str) -> Reading:
    """10^6."""
    power = "平" if match["power"] == "2" else number(match["power"]) + "次"
    return f"{number(match['base'])}的{power}方"


def _account(match: re.Match[str], before: str, after: str) -> Reading:
    """QQ:12345678."""
    return f"{match['name']} {match['n'].translate(DIALLED)}"


def _identity(match: re.Match[str], before: str, after: str) -> Reading:
    """Numbers of identity cards that end in X."""
    return f"{match.group()[:-1].translate(DIALLED)} x"


def _fraction(match: re.Match[str], before: str, after: str) -> Reading:
    return f"{number(match['below'])}分之{number(match['above'])}"


def _day_name(match: re.Match[str], before: str, after: str) -> Reading:
    """3·15, 9·11."""
    return match.group().replace("·", "").translate(SPELLED)


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


_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (_PHONE, _dialled),
        (rf"[-+±]?{_NUMBER}", _plain),
        (rf"(?P<first>-?{_NUMBER})(?:(?P<twice>[%‰])?[-~](?P<second>{_NUMBER}))?(?P<sign>[%‰])", _percent),
        (rf"(?P<from>{_CLOCK})(?:[-~](?P<to>{_CLOCK}))?(?P<noon>[AaPp]\.?[Mm]\.?)?", _time),
        (r"\d+(?::\d+)+", _ratio),
        (rf"(?P<year>\d{{4}})(?P<cut>[-/.])(?P<month>{_MONTH})(?P=cut)(?P<day>{_DAY})", _date),
        (r"(?P<year>[12]\d{3})[-/](?P<month>0[1-9]|1[0-2])", _year_month),
        (rf"(?P<month>0[1-9]|1[0-2])/(?P<day>{_DAY})", _month_day),
        (rf"(?P<currency>US\$|HK\$|[$€£¥])(?P<amount>{_NUMBER}(?:-{_NUMBER})?)", _money),
        (rf"(?:(?P<first>{_NUMBER})[-~])?(?P<n>-?{_NUMBER})(?P<unit>{_UNIT})", _measured),
        (r"\d{1,2}·\d{1,2}", _day_name),
        (rf"(?P<first>{_NUMBER})[-~](?P<second>{_NUMBER})", _range),
        (r"(?P<above>\d+)/(?P<below>\d+)", _fraction),
        (r"(?P<letters>[A-Za-z]+)?(?P<n>\d+(?:\.\d+){2,3})", _dotted),
        (r"\d{17}[Xx]", _identity),
        (r"(?P<name>[A-Za-z]+):(?P<n>\d{5,})", _account),
        (r"(?P<base>\d+)\^(?P<power>\d+)", _power),
        (rf"(?=.*=)(?:[A-Za-z]|{_NUMBER})(?:[-+×*÷=](?:[A-Za-z]|{_NUMBER}))+", _arithmetic),
        (rf"{_NUMBER}(?:[-+×*÷=<>]{_NUMBER})+", _arithmetic),
        (ADDRESS, _address),
        (r"(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*|[A-Za-z]+\d+\.\d+[A-Za-z]*", _name),
    )
)
