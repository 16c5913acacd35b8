"""Chinese readings of dates, hours, telephone-like groups and fractions: what slashes, points, hyphens part."""

import re

from earmark.text.numbers.chinese_words import DIALLED, SPELLED, counted, integer, number

Reading = str | tuple[str, int] | None
MONTH, DAY = r"0?[1-9]|1[0-2]", r"0?[1-9]|[12]\d|3[01]"
CLOCK = r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?"
_NOON = {"a": "上午", "p": "下午"}
_DAY_BEFORE = re.compile("(?:日期|时间|截[至止]|定于|将于|生于|生日|到期日?|有效期)[是为在到至:]?$")
_DAY_AFTER = re.compile(
    "放假|当[天日]|起(?!来)|开[始学幕业播抢售]|截止|生日|活动|凌晨|[上中下]午|[早晚]上?|夜|清晨|傍晚|周[一二三四五六日]|星期|"
    "[^\\W\\d_]{0,3}节(?!省|约)|见面|出发|到期|更新|发布|上[线映市]|首[发映播]|之[前后]|号|考试|纪念日|比赛|放榜"
)
_POINT_DAY = re.compile("放假|国庆|开学|[当那这]天|[^\\W\\d_]{0,2}节(?![省约目课])")
# The 30th of February is no day.
_DAYS_OF = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_SEASON = re.compile("赛季|学年|财年|年度|雪季|榨季|跨年")


def date(match: re.Match[str], before: str, after: str) -> Reading:
    """2020-05-01, 2020.5.1, 15-02-2021, 12/25/2020; of two digits the year stands first: 12/2/2."""
    year, month, day = match["year"], match["month"], match["day"]
    if int(month) > 12:
        month, day = day, month
    if int(day) > _DAYS_OF.get(int(month), 31):
        return None
    read = f"{year.translate(SPELLED)}年{number(str(int(month)))}月{number(str(int(day)))}"
    return read if re.match("[日号]", after) else read + "日"


def days(match: re.Match[str], before: str, after: str) -> Reading:
    """2024/10/1-2024/10/7, 10/1-10/7."""
    reads = []
    for one in (match["start"], match["end"]):
        *year, month, day = re.split("[-/.]", one)
        if not re.fullmatch(MONTH, month) or not re.fullmatch(DAY, day):
            return None
        reads.append("".join(f"{y.translate(SPELLED)}年" for y in year) + f"{number(month.lstrip('0'))}月")
        reads[-1] += f"{number(day.lstrip('0'))}日"
    return "到".join(reads)


def year_month(match: re.Match[str], before: str, after: str) -> Reading:
    """2020-05, 2020/5, 08-2020, 08.2020."""
    read = f"{match['year'].translate(SPELLED)}年{number(str(int(match['month'])))}"
    return read if after.startswith("月") else read + "月"


def month_day(match: re.Match[str], before: str, after: str) -> Reading:
    """05/01, 08-08, not 08-09赛季; with a point only where a zero leads: 08.08, for 10.1 is a decimal."""
    if _SEASON.match(after) or after.startswith("年"):
        return None
    return f"{number(str(int(match['month'])))}月{number(str(int(match['day'])))}日"


def point_day(text: str, after: str) -> str:
    """10.1放假, 5.1劳动节: a day; empty for a decimal."""
    match = re.fullmatch(rf"(?P<month>{MONTH})\.(?P<day>{DAY})", text)
    if not match or not _POINT_DAY.match(after):
        return ""
    return f"{number(match['month'].lstrip('0'))}月{number(match['day'].lstrip('0'))}日"


def era(match: re.Match[str], before: str, after: str) -> Reading:
    """221BC, 79 AD."""
    name = "公元前" if match["era"][0].lower() == "b" else "公元"
    return name + match["n"].translate(SPELLED) + ("" if after.startswith("年") else "年")


def decade(match: re.Match[str], before: str, after: str) -> Reading:
    """1990s: no seconds."""
    return match["n"].translate(SPELLED) + ("" if after.startswith("年代") else "年代")


def clock(text: str) -> str:
    """3:05, 18:30:05."""
    hour, minute, *second = text.split(":")
    read = counted(str(int(hour)), "点") + "点"
    if minute != "00" or second:
        read += integer(minute) + "分" if minute[0] == "0" and minute != "00" else number(str(int(minute))) + "分"
    return read + (number(str(int(second[0]))) + "秒" if second else "")


def time(match: re.Match[str], before: str, after: str) -> Reading:
    """10:30, 10:00-12:00, 3:30pm."""
    noon = _NOON[match["noon"][0].lower()] if match["noon"] else ""
    if noon and re.search("[上下]午$|[早晚]上$|凌晨$|中午$", before):
        noon = ""
    return noon + clock(match["from"]) + ("到" + clock(match["to"]) if match["to"] else "")


def ratio(match: re.Match[str], before: str, after: str) -> Reading:
    """3:2, 1:2:3."""
    return "比".join(map(number, match.group().split(":")))


def fraction(match: re.Match[str], before: str, after: str) -> Reading:
    """1/2; not 24/7, 5/1放假, 2024/25赛季, 50/50, 血压120/80."""
    above, below, minus = match["above"], match["below"], match["minus"]
    if not minus:
        read = _no_fraction(above, below, before, after)
        if read:
            return read
    return {"-": "负", "+": "正", "±": "正负", "": ""}[minus] + f"{number(below)}分之{number(above)}"


def _no_fraction(above: str, below: str, before: str, after: str) -> str:
    """Dates, seasons and pairs that are written with a slash; empty for a fraction."""
    if len(above) == 4 and above[:2] in ("19", "20") and (_SEASON.match(after) or above[:2] == below[:2] != below):
        return above.translate(SPELLED) + ("到" if len(below) == 4 else "") + below.translate(SPELLED)
    if (_SEASON.match(after) and len(above) == len(below) == 2) or {above, below} == {"985", "211"}:
        return above.translate(SPELLED) + below.translate(SPELLED)
    day = int(below) == 1 or _DAY_AFTER.match(after) or _DAY_BEFORE.search(before)
    if day and re.fullmatch(MONTH, above) and re.fullmatch(DAY, below):
        return f"{number(str(int(above)))}月{number(str(int(below)))}日"
    if (above, below) == ("24", "7") or "血压" in before[-8:] or re.match("[月日号楼点]", after):
        return number(above) + number(below)
    return f"{number(above)}比{number(below)}" if above == below and len(above) > 1 else ""


def are_years(first: str, second: str, after: str) -> bool:
    """1998-2000年, 1990-1995, 2024-25赛季, 07-08年, 90-00后."""
    if len(first) == len(second) == 4:
        return after.startswith("年") or {first[:2], second[:2]} <= {"19", "20"} or bool(_SEASON.match(after))
    if not re.fullmatch(r"(?:19|20)?\d\d", first) or not re.fullmatch(r"\d\d", second):
        return False
    generations = first[-1] + second[-1] in ("00", "05", "50", "55") and re.match("后(?!天)", after)
    past = "0" in (first[0], second[0]) and after.startswith("年")
    return bool(_SEASON.match(after) or generations or past)


def groups(match: re.Match[str], before: str, after: str) -> Reading:
    """Three and more groups are names, digit by digit: 222-33-4444, 321/4567/2020; 4-3-3 has 一, telephones 幺."""
    digits = re.sub(r"\D", "", match.group())
    return digits.translate(DIALLED if len(digits) > 5 else SPELLED)


def dotted(match: re.Match[str], before: str, after: str) -> Reading:
    """Addresses digit by digit, versions number by number: 192.168.1.1, v3.0.1."""
    parts = match["n"].split(".")
    return f" {match['letters'] or ''} " + "点".join(
        one.translate(SPELLED) if len(parts) > 3 else number(one) for one in parts
    )


def account(match: re.Match[str], before: str, after: str) -> Reading:
    """QQ:12345678."""
    return f"{match['name']} {match['n'].translate(DIALLED)}"


def identity(match: re.Match[str], before: str, after: str) -> Reading:
    """Numbers of identity cards that end in X."""
    return f"{match.group()[:-1].translate(DIALLED)} x"


def day_name(match: re.Match[str], before: str, after: str) -> Reading:
    """3·15, 9·11."""
    return match.group().replace("·", "").translate(SPELLED)


_GROUP_DATE = r"(?P<cut>[-/.])"
_FULL = r"\d{4}[/.]\d{1,2}[/.]\d{1,2}"
DATES = (
    (rf"(?P<start>{_FULL})[-~](?P<end>{_FULL})", days),
    (r"(?P<start>\d{1,2}/\d{1,2})[-~](?P<end>\d{1,2}/\d{1,2})", days),
    (rf"(?P<year>\d{{4}}){_GROUP_DATE}(?P<month>{MONTH})(?P=cut)(?P<day>{DAY})", date),
    (rf"(?P<year>\d{{4}})(?P<cut>·)(?P<month>{MONTH})(?P=cut)(?P<day>{DAY})", date),
    (rf"(?P<month>{MONTH}){_GROUP_DATE}(?P<day>{DAY})(?P=cut)(?P<year>[12]\d{{3}})", date),
    (rf"(?P<month>{DAY}){_GROUP_DATE}(?P<day>{MONTH})(?P=cut)(?P<year>[12]\d{{3}})", date),
    (rf"(?P<year>\d{{2}})/(?P<month>{MONTH})/(?P<day>{DAY})", date),
    (r"(?P<year>[12]\d{3})[-/](?P<month>0[1-9]|1[0-2])", year_month),
    (r"(?P<year>(?:19|20)\d\d)/(?P<month>[1-9])", year_month),
    (r"(?P<month>0[1-9]|1[0-2])[-/](?P<year>[12]\d{3})", year_month),
    (r"(?P<month>0[1-9])\.(?P<year>[12]\d{3})", year_month),
    (rf"(?P<month>0[1-9]|1[0-2])/(?P<day>{DAY})", month_day),
    (r"(?P<month>0[1-9])[-.](?P<day>0[1-9]|[12]\d|3[01])", month_day),
    (r"(?P<n>\d{1,4})(?P<era>(?i:ad|bc|a\.d\.?|b\.c\.?|bce|ce))", era),
    (r"(?P<n>(?:1[5-9]|20)\d0)s", decade),
)
