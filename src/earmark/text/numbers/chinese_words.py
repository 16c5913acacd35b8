"""Chinese words for integers and decimals, and what is counted: measure words, units, currencies."""

import re

NAMES = "零一二三四五六七八九"
SPELLED = str.maketrans("0123456789", NAMES)
# Digits of telephones, rooms, trains: 1 is yao1.
DIALLED = str.maketrans("0123456789", "零幺二三四五六七八九")
NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_SIGN = {"-": "负", "+": "正", "±": "正负", "": ""}
# 2 is 两 before these; 月, 日, 号, 楼, 班, 级, 线 and their like number things and take 二.
MEASURES = frozenset(
    "个只条张本件位名次天周年岁元块毛角分秒时刻种类家间层辆台部封杯瓶碗斤吨米里倍项所套群双对头匹棵朵颗粒支枝把篇首句段幅座栋架"
    "艘场集遍趟回顿口盒箱包袋桶盘份起例根片面门排队届代万千百亿小公厘毫平星礼克升点人课页站步票度处笔批款份道卷罐壶勺世滴股阵摄多"
    "蚊餐樽啖煲嚿镬圈轮局球胜枪箭桌席床捆叠摞堆列节册章剂贴丸团串扇盏枚柄束捧匙拳幢针堂身辈管立尊瓣丛坛缸筐篮副枪叶窝尾泡帧"
)
_NO_MEASURE = re.compile("年级|分之|部曲|小于|度音|立方根|排长|团[长部]|个性")
# Two characters that say what one does not: 2美元, 2英里, 2立方米.
_COUNTED = re.compile(
    "[美欧日港澳加韩新]元|英[镑里尺寸亩]|新台币|台币|港[币纸]|人民币|日[币圆]|纳米|微米|海里|华氏|欧姆|厅|卫(?![生星视])|室(?=[\\d一二两三]厅)|伏|瓦|赫兹|兆赫|卢[布比]|泰铢|分贝"
)
UNITS = {
    "kg": "千克", "KG": "千克", "Kg": "千克", "km": "公里", "KM": "公里", "cm": "厘米", "CM": "厘米", "mm": "毫米",
    "dm": "分米", "m": "米", "mg": "毫克", "μg": "微克", "ng": "纳克", "ml": "毫升", "mL": "毫升", "L": "升",
    "dL": "分升", "g": "克", "h": "小时", "min": "分钟", "s": "秒", "ms": "毫秒", "μs": "微秒", "ns": "纳秒",
    "°C": "摄氏度", "°c": "摄氏度", "°F": "华氏度", "°": "度", "m2": "平方米", "m3": "立方米", "m^2": "平方米",
    "m^3": "立方米", "km2": "平方公里", "km^2": "平方公里", "cm2": "平方厘米", "cm^2": "平方厘米", "cm3": "立方厘米",
    "cm^3": "立方厘米", "mm2": "平方毫米", "mm^2": "平方毫米", "dm3": "立方分米", "kW": "千瓦", "kw": "千瓦",
    "MW": "兆瓦", "GW": "吉瓦", "mW": "毫瓦", "kWh": "千瓦时", "kwh": "千瓦时", "Hz": "赫兹", "kHz": "千赫",
    "MHz": "兆赫", "GHz": "吉赫", "km/h": "公里", "m/s": "米", "nm": "纳米", "μm": "微米", "um": "微米", "dB": "分贝",
    "mAh": "毫安时", "mA": "毫安", "W": "瓦", "V": "伏", "kV": "千伏", "mV": "毫伏", "Ω": "欧姆", "kΩ": "千欧",
    "Pa": "帕", "kPa": "千帕", "MPa": "兆帕", "hPa": "百帕", "kcal": "千卡", "kJ": "千焦", "mol": "摩尔",
    "μL": "微升", "μl": "微升", "rpm": "转每分", "r/min": "转每分", "mmol": "毫摩尔", "v": "伏", "Mbps": "兆比特每秒",
    "mbps": "兆比特每秒", "kbps": "千比特每秒", "Gbps": "吉比特每秒",
    "ha": "公顷", "lb": "磅", "lbs": "磅", "oz": "盎司", "ft": "英尺", "mi": "英里", "mph": "英里", "t": "吨",
}  # fmt: skip
UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
# Speeds name the time first.
SPEEDS = {"km/h": "每小时", "m/s": "每秒", "mph": "每小时"}
# Words beside a unit's sign that say the same: 5km公里 is five kilometres once.
_SAME = {
    "千克": "千克|公斤", "公里": "公里|千米", "摄氏度": "摄氏度|度", "华氏度": "华氏度|度", "厘米": "厘米|公分",
    "平方米": "平方米|平米|平方|平", "小时": "小时|个小时|个钟头", "分钟": "分钟|分", "秒": "秒钟|秒",
    "升": "公升|升", "千瓦时": "千瓦时|度", "立方米": "立方米|立方|方", "平方公里": "平方公里|平方千米",
    "吨": "公吨|吨", "千赫": "千赫兹?", "兆赫": "兆赫兹?", "吉赫": "吉赫兹?", "伏": "伏特?", "瓦": "瓦特?",
}  # fmt: skip
CURRENCIES = {
    "$": "美元", "US$": "美元", "USD": "美元", "USD$": "美元", "HK$": "港元", "HKD": "港元", "HKD$": "港元",
    "NT$": "新台币", "NTD": "新台币", "TWD": "新台币", "A$": "澳元", "AU$": "澳元", "AUD": "澳元", "C$": "加元",
    "CA$": "加元", "CAD": "加元", "CAD$": "加元", "S$": "新加坡元", "SG$": "新加坡元", "SGD": "新加坡元",
    "NZ$": "新西兰元", "NZD": "新西兰元", "MOP$": "澳门元", "MOP": "澳门元", "R$": "巴西雷亚尔", "BRL": "巴西雷亚尔",
    "MX$": "墨西哥比索", "MXN": "墨西哥比索", "€": "欧元", "EUR": "欧元", "£": "英镑", "GBP": "英镑", "¢": "美分",
    "¥": "元", "CN¥": "元", "RMB": "人民币", "RMB¥": "人民币", "CNY": "人民币", "CNY¥": "人民币", "JP¥": "日元",
    "J¥": "日元", "JPY": "日元", "JPY¥": "日元", "₩": "韩元", "KRW": "韩元", "₹": "印度卢比", "INR": "印度卢比",
    "₽": "卢布", "RUB": "卢布", "฿": "泰铢", "THB": "泰铢", "₫": "越南盾", "VND": "越南盾", "₱": "菲律宾比索",
    "PHP": "菲律宾比索", "₺": "土耳其里拉", "TRY": "土耳其里拉", "₴": "格里夫纳", "UAH": "格里夫纳", "₦": "奈拉",
    "NGN": "奈拉", "₪": "新谢克尔", "ILS": "新谢克尔", "₡": "科朗", "₲": "瓜拉尼", "₵": "塞地", "₸": "坚戈",
    "KZT": "坚戈", "₿": "比特币", "BTC": "比特币", "₾": "拉里", "₼": "马纳特", "₭": "基普", "₮": "图格里克",
    "CHF": "瑞士法郎", "Fr.": "瑞士法郎", "SEK": "瑞典克朗", "NOK": "挪威克朗", "DKK": "丹麦克朗", "kr": "克朗",
    "RM": "林吉特", "MYR": "林吉特", "Rp": "印尼盾", "IDR": "印尼盾", "AED": "阿联酋迪拉姆", "SAR": "沙特里亚尔",
    "ZAR": "南非兰特", "PLN": "波兰兹罗提", "CZK": "捷克克朗", "HUF": "匈牙利福林", "ARS": "阿根廷比索",
    "EGP": "埃及镑", "USDT": "usdt",
}  # fmt: skip
CURRENCY = "|".join(sorted(map(re.escape, CURRENCIES), key=len, reverse=True))
# Signs that are no letters: they are currencies behind a number as well, without more context.
CURRENCY_SIGNS = "".join(sign for sign in CURRENCIES if len(sign) == 1)
SCALE = "[十百千]?(?:万亿|[万亿])|[百千]"
# Currencies in words, also those of everyday speech.
MONEY = (
    "人民币|新台币|台币|港币|港元|港纸|美元|美金|美刀|欧元|英镑|日元|日币|日圆|韩元|韩币|澳元|澳币|加元|加币|新加坡元|新元|新币|"
    "新西兰元|澳门元|印度卢比|卢比|卢布|泰铢|越南盾|印尼盾|菲律宾比索|墨西哥比索|比索|土耳其里拉|里拉|瑞士法郎|法郎|"
    "瑞典克朗|挪威克朗|丹麦克朗|克朗|巴西雷亚尔|雷亚尔|林吉特|马币|格里夫纳|比特币|元|圆|块|蚊"
)


_HUNDREDS = ("百", "千", "万", "亿")


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
    return "两" + parts[1:] if parts[0] == "二" and parts[1:2] in _HUNDREDS else parts


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
    return _SIGN[sign] + ("二" + read[1:] if sign and read[0] == "两" else read)


def counted(text: str, after: str) -> str:
    """Number before a measure word: 2个 is 两个."""
    return "两" if text == "2" and takes_liang(after) else number(text)


def takes_liang(after: str) -> bool:
    """Whether 2 is 两 before this: measure words, units, currencies."""
    return bool(_COUNTED.match(after)) or (after[:1] in MEASURES and after != "" and not _NO_MEASURE.match(after))


def per(each: str, before: str) -> str:
    """每小时 of a rate, silent where it stands in front already: 每小时80km/h."""
    return "" if each and re.search(f"{each}钟?$", before) else each


def unit_word(unit: str, after: str) -> tuple[str, int]:
    """A unit's word, and how much of `after` says the same once more: 5kg公斤 is 五公斤."""
    word = UNITS[unit]
    again = re.match(rf"(?:{_SAME.get(word, word)})(?![钟辆])", after)
    return (again.group(), again.end()) if again else (word, 0)
