"""Signs of a Chinese stretch that become words before its chunks are read: comparisons, sums, minus, telephones.

Every sign that is spoken becomes a word; spaces around operators, and between a number and its unit, are closed first.
"""

import math
import re
from collections.abc import Callable

from earmark.text.numbers.chinese_words import (
    CURRENCIES,
    CURRENCY,
    CURRENCY_SIGNS,
    MONEY,
    NUMBER,
    SCALE,
    SPELLED,
    UNITS,
)

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
_HAN_CHARACTER = re.compile(f"[{_HAN}]")
_CJK_NUMBER = "零一二两三四五六七八九十百千万亿"
# Spoken wherever they stand.
_ALWAYS = {
    "≤": "小于等于", "≦": "小于等于", "≥": "大于等于", "≧": "大于等于", "≠": "不等于", "≈": "约等于", "±": "正负",
    "∓": "负正", "÷": "除以", "∕": "除以", "×": "乘", "∗": "乘", "∞": "无穷大", "√": "根号", "∑": "求和", "∴": "所以",
    "∵": "因为", "∈": "属于", "∉": "不属于", "∪": "并", "∩": "交", "⊆": "包含于", "⊂": "包含于", "∠": "角",
    "⊥": "垂直于", "∥": "平行于", "∝": "正比于", "∫": "积分", "≡": "恒等于", "§": "第", "‱": "万分之", "→": "到",
    "←": "左箭头", "∅": "空集", "∀": "任意", "∃": "存在", "⇒": "推出", "⇔": "等价于", "⊃": "包含",
}  # fmt: skip
SIGNS = "".join(_ALWAYS)
# Signs in a text without digits that are spoken: a set first, as every text is searched for it.
SPOKEN = (
    rf"[{SIGNS}]|△(?=[A-Z]{{3}})|[-~—<>](?:(?<=[A-Za-z)][<>])(?=[A-Za-z(])|(?<=[{_HAN}][<>]|[{_HAN}]~)(?=[{_HAN}])|(?<=->)(?=[{_HAN}A-Za-z])|(?=[百千万]分之)|"
    rf"(?<=[周期月日号点{_CJK_NUMBER}].)(?=[{_CJK_NUMBER}周星]))"
)
_COMPARED = {"<": "小于", ">": "大于", "<=": "小于等于", ">=": "大于等于", "!=": "不等于", "=": "等于", "==": "等于"}
_BETWEEN_LETTERS = re.compile(
    rf"(?<=[A-Za-z)]) ?(?P<sign>[!=]=|(?<!-)[<>]=|(?<![<>-])[<>](?![<>])|[{SIGNS}]) ?(?=[A-Za-z(])|△(?=[A-Z]{{3}})|"
    rf"(?<=[A-Za-z)]) ?(?P<arrow>-+>) ?(?=[A-Za-z(])|"
    rf"(?<![A-Za-z]{{2}})(?<=[A-Za-z]) ?(?P<sum>[+=×÷]) ?(?=(?:\d+|[A-Za-z])(?![A-Za-z])|[{SIGNS}])|"
    r"(?<=\d) (?P<plus>\+) (?=[A-Za-z](?![A-Za-z]))"
)
# A comparison of letters alone is as Chinese as the text's language.
_FORMULA = re.compile(r"[A-Za-z](?: ?(?:[<>]=?|!=) ?[A-Za-z])+")
_UNEQUAL = re.compile(r"(?<=[\w)]) ?<> ?(?=[\w(])")
_STARS = re.compile(r"(?<=[A-Za-z\d)])\*\*(?=[A-Za-z\d(-])")
_SCIENTIFIC = re.compile(
    r"(?<![A-Za-z\d.])(?P<n>\d+(?:\.\d+)?)[eE](?:\+|(?P<minus>-))(?P<power>\d{1,3})(?![A-Za-z\d.])"
)
_POWERED = re.compile(
    r"(?<![A-Za-z])(?P<base>(?<!\d)[A-Za-z]|[abcnprxyz])\^(?P<power>-?\d+|[a-z](?![A-Za-z]))"
    r"(?: ?(?P<then>[-+×*÷/=]) ?(?=[\dA-Za-z(]))?|"
    r"(?P<number>\d+)\^(?P<letter>[a-z])(?![A-Za-z])"
)
_FACTORIAL = re.compile(r"(?<![A-Za-z\d.])(?P<n>\d{1,2})! ?= ?(?P<value>\d+)(?![\d.])")
# A hyphen apart begins a list, but not before a share, degrees or nothing more.
_MINUS_APART = re.compile(r"(?:(?<=^)|(?<=[是为至:,(]))- +(?=\d[\d.,]*(?:[%‰°℃度]|$))")
_OPERATED = {"+": "加", "*": "乘", "×": "乘", "÷": "除以", "/": "除以", "=": "等于", "-": "减"}
# Units that a space may part from their number; single letters are names as often (5 G, iPhone 5 s).
_SPACED = "|".join(sorted((re.escape(one) for one in UNITS if len(one) > 1 and one != "°"), key=len, reverse=True))
_CODES = "|".join(sorted((one for one in CURRENCIES if one.isalpha() and len(one) > 2), key=len, reverse=True))
_SPACES = re.compile(
    rf"(?<=\d) +(?=(?:{_SPACED}|{_CODES}|[%‰°℃])(?![A-Za-z]))|(?<=\d) +(?=[{CURRENCY_SIGNS}](?! ?\d))|"
    rf"(?<=[{CURRENCY_SIGNS}]) +(?=\d)|(?<![A-Za-z])(?P<code>{_CODES}|RM|Rp|kr|Fr\.) +(?=\d)|"
    rf"(?<=\d) +(?=[mgLVWh](?![\w'.-])|[mgLVWh][{_HAN}])|"
    rf"(?<=\d:\d\d) +(?=[ap]\.?m\.?(?![A-Za-z]))"
)
_OTHER_AREA = re.compile(r"\((\d{2,4})\) ?(\d{3,4})[- ](\d{4})(?!\d)")
_AREA = re.compile(r"\((0\d{2,3})\) ?(\d{3,4})-?(\d{4})(?!\d)")
# What is measured in inches; other quotation marks behind digits end a quotation.
_INCHES = re.compile('(?<=\\d)"(?=的?(?:[屏显电平液轮管硬晶蛋披比笔手]|触))')
_OPERAND = r"[\d)%°]"
_AROUND = re.compile(
    rf"(?<={_OPERAND}) *(?P<sign>[<>!]=|[-+×÷*/=<>:~]) +(?=[-+(.√]?\d)|"
    rf"(?<={_OPERAND}) +(?P<other>[<>!]=|[+×÷*/=<>:~])(?=[-+(.√]?\d)|"
    rf"(?<={_OPERAND}) +(?P<last>=) *(?=[?A-Za-z]\b)|"
    rf"(?<![A-Za-z]{{2}})(?<=[A-Za-z]) +(?P<letter>[-+×÷*=<>]) +(?=(?:\d+|[A-Za-z])(?![A-Za-z]))"
)
_POINT = re.compile(r"(?<![\d.A-Za-z])\.(?=\d)")
_NEGATIVE = re.compile(rf"(?:(?<=^)|(?<=[^\w)%])|(?<=[是为到至]))(?P<sign>[-+±])(?=(?:百|千|万|[{_CJK_NUMBER}]+)分之)")
_COMPARISON = re.compile(
    rf"(?<![<>=|-])(?P<sign>[<>!]=|[<>])(?= ?(?:{CURRENCY})?[-+±.]?\d)|"
    rf"(?<=[\d{_HAN}A-Za-z%)])(?P<between>[<>!]=|[<>])(?=[{_HAN}A-Za-z])(?![^<>]{{0,40}}[<>])|"
    rf"(?<=[\d%°])(?P<behind>[<>]=?)(?=[{_HAN}])"
)
_EQUALS = re.compile(
    rf"(?<=[{_HAN}]) ?(?P<equals>==?) ?(?=[\w(+√±.{CURRENCY_SIGNS}-])|(?<=[\w)%²³]) ?(?P<han>==?) ?(?=[{_HAN}])|"
    r"(?<=\d) ?(?P<end>==?)(?=\s*(?:[?？]|$))"
)
_HAN_SIGN = re.compile(
    rf"(?<=[{_HAN}]) ?(?P<sign>[+&@]) ?(?=[{_HAN}\d])|(?<=[\d{_HAN}]) ?(?P<behind>[+&]) ?(?=[{_HAN}])"
)
_PLUS_END = re.compile(r"(?:(?<=\d)|(?<=\d[kKwWMm万千百亿%]))\+(?![\d+A-Za-z(=])")
_ABOUT = re.compile(rf"(?:(?<=^)|(?<=[\s,:(]))~ ?(?=(?:{CURRENCY})?\.?\d)")
_ALWAYS_SIGN = re.compile(f" ?([{SIGNS}]) ?")
# 3->5; 120°30'; #5, 3#楼.
_ARROW = re.compile(rf"(?<=[\d{_HAN}A-Za-z%]) ?-+> ?(?=[\d{_HAN}A-Za-z])")
_HEIGHT = re.compile(r"(?<![\d'])(?P<feet>\d)'(?P<inches>\d{1,2})(?:\"|'')")
_MIXED = re.compile(r"(?<![\d/.:-])(\d{1,3}) (?=(?:1/[2-9]|2/[35]|3/[458]|[457]/8|[45]/[56])(?![\d/]))")
# With spaces it is no date.
_SPACED_FRACTION = re.compile(r"(?<![\d/.])(?P<above>\d{1,4}) +/ +(?P<below>\d{1,4})(?![\d/.])")
_YEAR = re.compile(r"'(\d\d)(?=年)")
# Signs beside brackets, which part chunks; slashes of formulas in words; 1920x1080.
_BRACKET = re.compile(r"(?<=\)) ?(?P<sign>[-+×÷*/=]) ?(?=[\d(A-Za-z√.])|(?<=[\dA-Za-z)]) ?(?P<open>[-+×÷*/=]) ?(?=\()")
_OVER = re.compile(rf"(?<=等于)(?P<above>[{_HAN}\d.]{{1,20}})/(?=[{_HAN}\d])")
_TIMES = re.compile(r"(?<=\d) ?[xX] ?(?=\d)")
_ANGLE = re.compile(r"(?P<degrees>\d+)°(?P<minutes>\d+)'(?:(?P<seconds>\d+(?:\.\d+)?)(?:''|\"))?")
_NUMBER_SIGN = re.compile(
    r"(?<![\w#&])#(?P<n>\d{1,4})(?![\d.%]|\S{0,40}#)(?P<behind>号?)|(?<![#\d])(?P<m>\d{1,4})#(?=[楼栋厂机炉线井座院桥墩])"
)
# 周一-周五, 三月-五月; 5岁-8岁, 20元-30元, 10%~20% is a chunk.
_SPAN = re.compile(
    rf"(?:(?<=\d[年月日号时点分])|(?<=点半))[-~—–―](?=\d{{1,4}}[年月日号时点分])|"
    rf"(?<=周[一二三四五六日])[-~—](?=周?[一二三四五六日天])|(?<=期[一二三四五六日天])[-~—](?=(?:星期)?[一二三四五六日天])|"
    rf"(?<=[{_CJK_NUMBER}][月日号点])[-~—](?=[{_CJK_NUMBER}]+[月日号点])"
)
_SAME_UNIT = re.compile(rf"(?<=\d)(?P<unit>[{_HAN}]{{1,3}})[-~—](?=\d[\d.,]*(?P=unit))")
_BOTH_MONEY = re.compile(
    rf"(?<![A-Za-z])(?=[A-Zk{CURRENCY_SIGNS}])(?P<sign>{CURRENCY})(?P<first>{NUMBER}(?:{SCALE})?)(?P<to>[到至~-])(?:(?P=sign))?(?P<second>{NUMBER}(?:{SCALE})?)"
    rf"(?P<word>{MONEY})?(?P<rate>/(?:小时|公斤|平米|[斤天人年月日次吨个件晚平]))?(?![\d.])"
)
_MONEY_WORDS = re.compile(rf"(?P<sign>[{CURRENCY_SIGNS}])(?P<n>[{_CJK_NUMBER}点几多]+)(?P<word>{MONEY})?")
_SHARE = re.compile(
    rf"(?P<small>{NUMBER})‱|百分之(?P<n>{NUMBER}|[{_CJK_NUMBER}点]+)%|(?P<word>[{_CJK_NUMBER}]+(?:点[{_CJK_NUMBER}]+)?)%"
)
# Telephone numbers in groups: +86 138 0013 8000, (010) 12345678, +852 2123 4567.
_GROUPED = re.compile(
    r"(?<![\d.])(?:(\+?86)[ -])?(1[3-9]\d)[ -](\d{4})[ -](\d{4})(?!\d)|(\+86) (1[3-9]\d{9})(?!\d)|"
    r"(?<![\d.])\(?(0[1-9]\d{1,2})\)?[ -]{1,2}(\d{7,8})(?![\d.])|(?<![\d.])\((0[1-9]\d{1,2})\)(\d{7,8})(?![\d.])|"
    r"(?<![\d.])\(?(0[1-9]\d{1,2})\)?[ -]{1,2}(\d{3,4})[ -](\d{4})(?![\d.])|"
    r"(?<![\d.])([48]00)[ -](\d{3,4})[ -](\d{3,4})(?![\d.])|"
    r"(?<![\d.])(\+\d{1,3})[ -]\(?(\d{1,4})\)?[ -](\d{3,4})[ -](\d{3,4})(?![\d.])|"
    r"(?<![\d.])(\+\d{1,3})[ -](\d{4})[ -](\d{4})(?![\d.])"
)


def close_spaces(text: str) -> str:
    """`1 kg`, `USD 100`, `8:00 am` without the space, so that number and unit are read together.

    For the same reason (0755)8888-1234 becomes 0755-88881234, and 6"屏幕 6英寸屏幕.
    """
    if "(" in text:
        text = _OTHER_AREA.sub(r"\1-\2-\3", _AREA.sub(r"\1-\2\3", text))
    if "<>" in text:
        text = _UNEQUAL.sub("≠", text)
    if _HAN_CHARACTER.search(text) or _FORMULA.fullmatch(text):
        text = _BETWEEN_LETTERS.sub(_between_letters, text)
    if '"' in text:
        text = _INCHES.sub("英寸", text)
    if " " not in text:
        return text
    return _SPACES.sub(lambda match: match["code"] or "", text)


def read_signs(text: str) -> str:
    """A Chinese stretch whose signs beside numbers are words, or stand without spaces in one chunk."""
    if _PLAIN.fullmatch(text):
        return text
    held = set(text)
    for needs, pattern, replacement in _STEPS:
        if not needs.isdisjoint(held) and (read := pattern.sub(replacement, text)) != text:
            text, held = read, set(read)
    return text


def _between_letters(match: re.Match[str]) -> str:
    """A sign between letters belongs to the Chinese text around: 若a≥b则."""
    sign = match["sign"] or match["sum"] or match["plus"]
    if not sign:
        return "到" if match["arrow"] else "三角形"
    return _ALWAYS.get(sign) or _COMPARED.get(sign) or _OPERATED[sign]


def _scientific(match: re.Match[str]) -> str:
    """3.2E-4."""
    return f"{match['n']}×10^{match['minus'] or ''}{int(match['power'])}"


def _powered(match: re.Match[str]) -> str:
    """x^2 and the operator behind it, 10^n."""
    if match["number"]:
        return f"{match['number']}的{match['letter']}次方"
    power = match["power"]
    name = {"2": "平", "3": "立"}.get(power, power.replace("-", "负") + "次")
    return f"{match['base']}的{name}方{_OPERATED.get(match['then'], '')}"


def _factorial(match: re.Match[str]) -> str:
    """5!=120, which is so; 3!=4 are two numbers that differ."""
    if math.factorial(int(match["n"])) != int(match["value"]):
        return match.group()
    return f"{match['n']}的阶乘等于{match['value']}"


def _grouped(match: re.Match[str]) -> str:
    return "-".join(filter(None, match.groups()))


def _held(match: re.Match[str]) -> str:
    """The sign that matched, without what stood around it."""
    return next(filter(None, match.groups()))


def _fraction(match: re.Match[str]) -> str:
    below, above = match["below"], match["above"]
    return f"{below}分之{above}" if int(above) < int(below) else f"{above}/{below}"


def _year(match: re.Match[str]) -> str:
    return match[1].translate(SPELLED)


def _bracket(match: re.Match[str]) -> str:
    return _OPERATED[_held(match)]


def _number_sign(match: re.Match[str]) -> str:
    return f"{match['n'] or match['m']}号"


def _sign(match: re.Match[str]) -> str:
    return {"-": "负", "+": "正", "±": "正负"}[match["sign"]]


def _angle(match: re.Match[str]) -> str:
    seconds = f"{match['seconds']}秒" if match["seconds"] else ""
    return f"{match['degrees']}度{match['minutes']}分{seconds}"


def _always(match: re.Match[str]) -> str:
    """Between numbers ÷, × and ± are left to the rules that read sums."""
    sign, text = match[1], match.string
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    if (sign == "≈" and before == "约") or (sign == "∞" and after == "大"):
        return "等于" if sign == "≈" else "无穷"
    if sign in "×÷±" and after.isdigit() and (sign == "±" or before.isdigit()):
        return sign
    return _ALWAYS[sign]


def _compared(match: re.Match[str]) -> str:
    return _COMPARED[match["sign"] or match["between"] or match["behind"]]


def _between(match: re.Match[str]) -> str:
    sign = match["sign"] or match["behind"]
    return {"+": "加", "&": "和", "@": " at "}[sign]


def _share(match: re.Match[str]) -> str:
    return f"万分之{match['small']}" if match["small"] else f"百分之{match['n'] or match['word']}"


def _amounts(match: re.Match[str]) -> str:
    """£100到300: the currency goes behind both."""
    rate = "每" + match["rate"][1:] if match["rate"] else ""
    return f"{rate}{match['first']}到{match['second']}{match['word'] or CURRENCIES[match['sign']]}"


def _amount(match: re.Match[str]) -> str:
    """¥五百."""
    return match["n"] + (match["word"] or CURRENCIES[match["sign"]])


_PLAIN = re.compile(rf"[{_HAN}A-WYZa-wyz0-9,:?!，。？！、]*")
_DASHES = "-~—–―"
# Each step with the signs without one of which it has nothing to do.
_STEPS: tuple[tuple[frozenset[str], re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (frozenset(needs), pattern, replacement)
    for needs, pattern, replacement in (
        ("∶", re.compile("∶"), ":"),
        ("eE", _SCIENTIFIC, _scientific),
        ("*", _STARS, "^"),
        ("!", _FACTORIAL, _factorial),
        ("^", _POWERED, _powered),
        ("-", _MINUS_APART, "-"),
        ("- (", _GROUPED, _grouped),
        ("xX", _TIMES, "×"),
        (">", _ARROW, "到"),
        ("°", _ANGLE, _angle),
        ("'", _HEIGHT, r"\g<feet>英尺\g<inches>英寸"),
        ("'", _YEAR, _year),
        (_DASHES, _SPAN, "到"),
        (_DASHES, _SAME_UNIT, r"\g<unit>到"),
        ("-+±", _NEGATIVE, _sign),
        (".", _POINT, "0."),
        (" ", _MIXED, r"\1又"),
        ("/", _SPACED_FRACTION, _fraction),
        (" ", _AROUND, _held),
        ("%‱", _SHARE, _share),
        ("到至~-", _BOTH_MONEY, _amounts),
        (CURRENCY_SIGNS, _MONEY_WORDS, _amount),
        ("()", _BRACKET, _bracket),
        ("~", _ABOUT, "约"),
        ("<>!", _COMPARISON, _compared),
        ("=", _EQUALS, "等于"),
        ("/", _OVER, r"\g<above>除以"),
        ("+&@", _HAN_SIGN, _between),
        ("#", _NUMBER_SIGN, _number_sign),
        (SIGNS, _ALWAYS_SIGN, _always),
        ("+", _PLUS_END, "加"),
    )
)
