"""What a bare Chinese number is: a quantity, a year, a telephone, a day's name, below zero, a score.

The characters around it decide; without a sign of something else a number is a quantity.
"""

import re

from earmark.text.numbers import chinese_dates as dates
from earmark.text.numbers.chinese_words import MEASURES, MONEY, SCALE, SPELLED, takes_liang

_HOTLINES = frozenset(
    "110 112 114 119 120 122 10000 10010 10086 12306 12315 12345 12110 12320 12333 12366 12328 95110 95120 95188 "  # noqa: SIM905
    "95500 95511 95533 95555 95566 95588 95598 95599".split()
)
# Who calls, or is called.
_CALLS = re.compile(
    "(?:拨打?|打|呼叫?|致电|来电|去电|回电|拨通|直拨|热线|电话|客服|专线|报警|急救|联系|咨询|投诉|号码?|叫)"
    "(?:[了过通给是为]|一下|一个|[一二三]遍|[:,\"'“”「 ])*$"
)
_CALLED = re.compile(
    "[ ,]?(?:火警|匪警|报警|报案|急救|救护|消防|客服|热线|电话|专线|服务|短信|平台|接警|指挥|中心|举报|投诉|查询|"
    "订票|(?:来|去|并)?咨询|是(?:报警|急救|火警)|(?:给|向|来|去)?(?:报警|求[助救])|警[察车情])"
)
ACCOUNT = re.compile(
    "(?:(?<!\\d)号|号码|密码|代码|编码|邮编|验证码|尾号|电话|手机|座机|传真|微信|身份证|热线|分机|转|QQ群?|qq群?|编号|口令|房号|卡号)"
    "[是为:：]?$"
)
_TELEPHONE = re.compile(r"1[3-9]\d{9}|0[1-9]\d{8,10}")
_AMOUNT = re.compile(f"{MONEY}|人|次|个|{SCALE}")
_DOOR = re.compile("(?:房间?|门牌|分机|座位)号[是为:]?$")
# Numbers that are names: of days (with 一), of schools, roads and models (with 幺).
_DAYS = re.compile("(?:事件|事变|晚会|大促|购物节)")
_FESTIVALS = {"38": "妇女", "51": "劳动", "54": "青年", "61": "儿童", "81": "建军", "99": "乘法"}
_NUMBERED = re.compile("(?:医院|中学|国道|省道|不锈钢|工作制|路(?=公交|车|$))")
_SCHOOLS = re.compile("(?:高校|院校|大学|工程|学校)")
_AIRCRAFT = re.compile("(?:波音|空客)$")
_ROOM = re.compile("室|房间|房(?![子价产租])|宿舍|教室")
_ERA = re.compile("(?:公元前?|纪元)$")
# A hyphen behind a Chinese name is silent (歼-20); it is a minus where something is so much, or below zero.
_MINUS_AFTER = re.compile(
    "[是为到至温度于以即跌降低升约值差率从在第得算求解乘除加减比零取数有等或和与润]$|增长$|增速$|\\W$|^$"
)
_MINUS_BEFORE = re.compile("[度楼层%‰℃°]|摄氏|华氏|万|亿|元|个百分点|分(?!部|店|队)|米|倍|毫|厘")
# No decimal, but a day: 08.08.
LEADING_ZERO = re.compile(r"0\d+\.")
ORDINAL = re.compile(r"第(?:\d{1,4}[到至、,-])?$")
# What is numbered by chapter and place, in front of its number or behind it.
_TWO_PARTS = re.compile(
    "(?<![代外手仪发填])表格?$|(?<![企试地意])图$|(?:[公算]式|(?<![比惯先])例题?|习题|练习|[选必]修|附录|附件|定理|定义|引理|推论)$"
)
_IN_PARTS = re.compile("单元|班(?![车机])|[章节](?![日目课奏约])|表(?![现示明态])|图|号楼|栋|幢|习题|例题")
_SCORES_BEFORE = re.compile(
    "(?:比分|总分|大?比分|局|盘|半场|全场|最终|终场|主场|客场|爆冷|横扫|逆转|领先|落后|取胜|战平|战胜|击败|不敌|负于|输给|[追扳]到|扳成|[以球])"
    "[是为成从:]?$"
)
_SCORES_AFTER = re.compile(
    "(?:大胜|完胜|险胜|小胜|速胜|获胜|取胜|胜出|胜|战胜|击败|横扫|力克|逆转|领先|落后|战平|平局?|握手言和|不敌|负于|惜败|惨败|告负|拿下|"
    "剃光头|零封|淘汰|晋级|[输赢])"
)


def point_day(text: str, after: str) -> str:
    """3.15晚会, 5.1劳动节, 10.1放假: days; empty for a decimal."""
    digits = text.replace(".", "")
    if _DAYS.match(after) or (digits in _FESTIVALS and after.startswith(_FESTIVALS[digits])):
        return digits.translate(SPELLED)
    return dates.point_day(text, after)


def is_minus(before: str, after: str) -> bool:
    """Whether a hyphen between these is spoken as 负."""
    if before.endswith(("零下", "负")):
        return False
    return bool(_MINUS_AFTER.search(before) or _MINUS_BEFORE.match(after))


def is_year(digits: str, before: str, after: str) -> bool:
    """2008年, 80后, 86年8月, 公元前221年, not 1000年前."""
    if len(digits) == 4 and after.startswith("年"):
        return 1900 <= int(digits) < 2100 or not re.match("年[前后来多内间历之]", after)
    if after.startswith("年") and len(digits) > 1 and _ERA.search(before):
        return True
    if len(digits) == 2 and re.match(r"年(?:0?[1-9]|1[0-2]|[一二三四五六七八九十]{1,2})月(?!的?时间|份?前|后)", after):
        return not re.search("民国|光绪|康熙|乾隆|昭和|平成|令和|[治庆嘉道咸]$", before[-4:])
    return len(digits) == 2 and digits[1] in "05" and bool(re.match("(?:[、到至 ]\\d[05])*后(?![天年来，])", after))


def is_event(digits: str, before: str, after: str) -> bool:
    """911事件, 618大促, 51劳动节, 99乘法表, 1米75: digit by digit, with 一."""
    if len(digits) == 2 and re.search(r"\d米$", before) and not takes_liang(after):
        return True
    if digits in _FESTIVALS:
        return after.startswith(_FESTIVALS[digits])
    return len(digits) == 3 and bool(_DAYS.match(after))


def is_dialled(digits: str, before: str, after: str) -> bool:
    """Telephone, account and room numbers, hotlines: digit by digit, with 幺."""
    if len(digits) > 12 or _is_telephone(digits, before, after):
        return True
    measured = after[:1] in MEASURES or bool(re.match("下(?![午次])", after))
    if digits in _HOTLINES:
        return not measured and not after.startswith(("号", "路")) and _is_called(digits, before, after)
    if not measured and (_DOOR if len(digits) < 4 else ACCOUNT).search(before) and len(digits) > 2:
        return True
    if len(digits) == 3 and (_AIRCRAFT.search(before) or (digits in ("985", "211") and _SCHOOLS.match(after))):
        return True
    return len(digits) in (3, 4) and digits[0] != "0" and bool(_ROOM.match(after) or _NUMBERED.match(after))


def _is_telephone(digits: str, before: str, after: str) -> bool:
    """Eleven digits with a prefix of mobiles, ten to twelve with one of a town; others are numbers."""
    return bool(_TELEPHONE.fullmatch(digits)) and not (before.endswith("第") or _AMOUNT.match(after))


def _is_called(digits: str, before: str, after: str) -> bool:
    """A hotline where somebody calls; alone it is one as well, but for 10000."""
    if _CALLS.search(before) or _CALLED.match(after):
        return True
    return digits != "10000" and not (before + after).strip(" .,!?")


def is_numbered(first: str, second: str, before: str, after: str) -> bool:
    """表3-2, 选修2-1, 2-1单元: a number in two parts, whose hyphen is silent."""
    if _SCORES_BEFORE.search(before) or _SCORES_AFTER.match(after) or not (first + second).isdigit():
        return False
    if _TWO_PARTS.search(before):
        return not takes_liang(after) and not after.startswith(("月", "日", "岁"))
    return int(second) <= int(first) and bool(_IN_PARTS.match(after))


def is_aircraft(before: str) -> bool:
    """波音737-800."""
    return bool(_AIRCRAFT.search(before))


def is_score(first: str, second: str, before: str, after: str) -> bool:
    """A range goes upwards from more than nothing; 4-0 and 3-3 cannot be one."""
    if not (first + second).isdigit() or max(len(first), len(second)) > 3:
        return False
    if (_SCORES_BEFORE.search(before) and after[:1] not in MEASURES) or _SCORES_AFTER.match(after):
        return True
    if takes_liang(after) or re.match("[月日号楼层岁]", after):
        return False
    return int(second) <= int(first) or (first == "0" and len(second) == 1 and not re.match("[到至]?\\d", after))
