"""On 2,500 made Chinese and code-switch texts every digit, sign and word that is spoken is in the reading.

The readings themselves are in test_text_chinese.py; here only both sides are counted, so that any loss shows.
"""

import random
import re
from collections import Counter

import pytest

from earmark.text.normalise import normalise

COUNT = 2500
HAN = "[\u3400-\u4dbf\u4e00-\u9fff]"
NAMES = {"1": "一幺十", "2": "二两", **dict(zip("3456789", "三四五六七八九", strict=True))}
OPERATORS = {"+": "加", "×": "乘", "*": "乘", "÷": "除以"}
COMPARISONS = {
    "≥": "大于等于", "≤": "小于等于", ">": "大于", "<": "小于", ">=": "大于等于", "<=": "小于等于", "≠": "不等于",
    "≈": "约等于", "=": "等于",
}  # fmt: skip
CURRENCIES = {
    "$": "美元", "US$": "美元", "HK$": "港元", "NT$": "新台币", "A$": "澳元", "C$": "加元", "S$": "新加坡元",
    "NZ$": "新西兰元", "R$": "巴西雷亚尔", "€": "欧元", "£": "英镑", "¥": "元", "￥": "元", "₩": "韩元", "₹": "卢比",
    "₽": "卢布", "฿": "泰铢", "₫": "越南盾", "₱": "比索", "₺": "里拉", "₴": "格里夫纳", "CHF": "法郎", "JPY": "日元",
    "EUR": "欧元", "SEK": "克朗",
}  # fmt: skip
UNITS = {
    "kg": "千克", "km": "公里", "cm": "厘米", "mm": "毫米", "mg": "毫克", "ml": "毫升", "km/h": "每小时",
    "m²": "平方米", "m³": "立方米", "℃": "摄氏度", "°C": "摄氏度", "Hz": "赫兹", "kWh": "千瓦时", "GHz": "吉赫",
    "μm": "微米", "dB": "分贝",
}  # fmt: skip
Text = tuple[str, list[str]]


class Maker:
    """Texts of all kinds, each with the words that its signs have to become."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        kinds = (self.sums, self.comparisons, self.money, self.units, self.percentages, self.signed, self.dates)
        self.kinds = (*kinds, self.hours, self.ranges, self.telephones, self.fractions, self.names, self.written_twice)

    def text(self) -> Text:
        text, words = self.rng.choice(self.kinds)()
        front, behind = self.rng.choice(["", "他说", "我们知道", "这个 project "]), self.rng.choice(["", "对吗", "。"])
        return f"{front}，{text}，{behind}" if front else f"{text}{'，' + behind if behind else ''}", words

    def whole(self, low: int = 1, high: int = 9999) -> str:
        return str(self.rng.randint(low, self.rng.choice([9, 99, high])))

    def number(self) -> str:
        value = self.whole()
        return self.rng.choice([value, value, f"{value}.{self.rng.randint(1, 99)}", f"{int(value) * 1000:,}"])

    def space(self) -> str:
        return self.rng.choice(["", " "])

    def sums(self) -> Text:
        sign, space = self.rng.choice(list(OPERATORS)), self.space()
        one, two, three = self.number(), self.number(), self.number()
        sides = [f"{one}{space}{sign}{space}{two}", three]
        self.rng.shuffle(sides)
        return f"{space}={space}".join(sides), [OPERATORS[sign], "等于"]

    def comparisons(self) -> Text:
        sign, space = self.rng.choice(list(COMPARISONS)), self.space()
        left = self.rng.choice(["年龄", "人数", "误差", "温度", f"{self.number()}"])
        unit = self.rng.choice(["", "万", "岁", "%"])
        words = [COMPARISONS[sign]] + (["百分之"] if unit == "%" else [])
        return f"{left}{space}{sign}{space}{self.number()}{unit}", words

    def money(self) -> Text:
        sign = self.rng.choice(list(CURRENCIES))
        scale = self.rng.choice(["", "万", "亿"])
        return f"{self.rng.choice(['价格是', '一共', '他付了'])}{sign}{self.number()}{scale}", [CURRENCIES[sign]]

    def units(self) -> Text:
        unit = self.rng.choice(list(UNITS))
        return f"大约{self.number()}{self.space()}{unit}", [UNITS[unit]]

    def percentages(self) -> Text:
        sign, name = self.rng.choice([("%", "百分之"), ("‰", "千分之")])
        minus, word = self.rng.choice([("", []), ("-", ["负"]), ("±", ["正负"])])
        return f"变化是{minus}{self.number()}{sign}", [name, *word]

    def signed(self) -> Text:
        one = self.whole()
        return self.rng.choice(
            [
                (f"气温-{one}度", ["负"]),
                (f"数值是-{one}", ["负"]),
                (f"-{one}楼", ["负"]),
                (f"-百分之{one}", ["负", "百分之"]),
                (f"误差±{one}", ["正负"]),
                (f"-1/{int(one) + 1}", ["负", "分之"]),
                (f"长.{one}米", ["点"]),
                (f"-{one}.5", ["负", "点"]),
                (f"√{one}", ["根号"]),
                (f"{one}^3", ["次方"]),
                (f"{one}+", ["加"]),
            ]
        )

    def dates(self) -> Text:
        year, month, day = self.rng.randint(1900, 2030), self.rng.randint(1, 12), self.rng.randint(1, 31)
        cut = self.rng.choice("-/.")
        return self.rng.choice(
            [
                (f"{year}{cut}{month}{cut}{day}", ["年", "月", "日"]),
                (f"{month:02d}-{day:02d}-{year}", ["年", "月", "日"]),
                (f"{year % 100:02d}年{month}月{day}日", ["年", "月", "日"]),
                (f"{year}-{month:02d}", ["年", "月"]),
                (f"{year}年{month}月{day}号", []),
            ]
        )

    def hours(self) -> Text:
        hour, minute = self.rng.randint(0, 23), self.rng.randint(1, 59)
        noon, word = self.rng.choice([("", []), ("am", ["上午"]), (" pm", ["下午"]), (" a.m.", ["上午"])])
        return f"{hour % 12 + 1 if noon else hour}:{minute:02d}{noon}开始", ["点", "分", *word]

    def ranges(self) -> Text:
        low = self.rng.randint(1, 40)
        high = low + self.rng.randint(1, 40)
        return self.rng.choice(
            [
                (f"{low}-{high}天", ["到"]),
                (f"{low}%~{high}%", ["百分之", "到", "百分之"]),
                (f"{low}元-{high}元", ["到"]),
                (f"${low}-{high}", ["到", "美元"]),
                (f"{low}℃~{high}℃", ["到", "摄氏度"]),
                (f"比分{high}-{low}", ["比"]),
                (f"{high}:{low}:{high}", []),
            ]
        )

    def telephones(self) -> Text:
        eight = str(self.rng.randint(10**7, 10**8 - 1))
        mobile = self.rng.choice("3578") + str(self.rng.randint(10**8, 10**9 - 1))
        return self.rng.choice(
            [
                (f"电话1{mobile}", []),
                (f"+86 1{mobile[:2]} {mobile[2:6]} {mobile[6:]}", []),
                (f"010-{eight}", []),
                (f"(021){eight}", []),
                (f"{eight[:3]}-{eight[3:5]}-{eight[4:]}", []),
                (f"请拨打{self.rng.choice(['110', '12345', '10000'])}", []),
            ]
        )

    def fractions(self) -> Text:
        below = self.rng.randint(32, 99)
        space = self.space()
        return f"{self.rng.randint(1, below - 1)}{space}/{space}{below}", ["分之"]

    def names(self) -> Text:
        one = self.whole()
        return self.rng.choice(
            [
                (f"歼-{one}战机", []),
                (f"iPhone {one}手机", []),
                (f"{one}.5M带宽", ["点"]),
                (f"第{one}名", []),
                (f"v{one}.2.3版本", ["点", "点"]),
                (f"{one}蚊", []),
                (f"语文+数学{one}分", ["加"]),
                (f"开了{one}个meeting", []),
            ]
        )

    def written_twice(self) -> Text:
        one = self.number()
        return self.rng.choice(
            [
                (f"￥{one}元", ["元"]),
                (f"${one}美元", ["美元"]),
                (f"{one}km公里", ["公里"]),
                (f"百分之{one}%", ["百分之"]),
            ]
        )


def lost(text: str, words: list[str], read: str) -> list[str]:
    """Digits, words of signs, Han characters and Latin words of `text` that `read` has too few of."""
    raw, spoken = Counter(text), Counter(read)
    missing = [digit for digit, names in NAMES.items() if sum(spoken[name] for name in names) < raw[digit]]
    missing += [word for word, count in Counter(words).items() if read.count(word) < count]
    missing += [one for one, count in Counter(re.findall(HAN, text)).items() if spoken[one] < count]
    return missing + [word for word in re.findall("[a-z]{4,}", text.lower()) if word not in read]


MAKER = Maker(seed=11)
TEXTS = [MAKER.text() for _ in range(COUNT)]


def test_nothing_is_lost():
    found = [(text, read, missing) for text, read, missing in map(checked, TEXTS) if missing]
    assert not found, f"{len(found)} of {COUNT}: {found[:10]}"


def checked(case: Text) -> tuple[str, str, list[str]]:
    text, words = case
    read = normalise(text, "zh-en")
    return text, read, lost(text, words, read)


@pytest.mark.parametrize("text", ["￥3,500元", "$5美元", "5km公里", "百分之50%", "25℃摄氏度", "¥100块", "5kg公斤"])
def test_what_is_written_twice_is_said_once(text):
    words = ["元", "美元", "公里", "百分之", "摄氏度", "块", "千克", "公斤"]
    assert sum(normalise(text, "zh").count(word) for word in words if word != "元" or "美元" not in text) == 1


@pytest.mark.parametrize(
    ("text", "words", "read"),
    [
        ("3 / 4", ["分之"], "三四"),
        ("人数≥20万", ["大于等于"], "人数二十万"),
        ("₩500", ["韩元"], "五百"),
        ("135个", [], "一百三十个"),
        ("好的3个", [], "好三个"),
        ("meeting 3", [], "三"),
    ],
)
def test_a_loss_is_seen(text, words, read):
    assert lost(text, words, read)
