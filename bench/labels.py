"""Labels of 5,000 mixed utterances against the naive way: `python bench/labels.py [UTTERANCES]`.

The naive way: the whole text through WeTextProcessing, then a phonemizer call an utterance and a lazy_pinyin call an
utterance. One thread, one process; what is loaded once (rules, dictionaries, espeak-ng) is loaded before either starts.
Cold: nothing remembered. Warm: the same texts again, so that every span is known.

Base sentences are the Mandarin ones of the PyPI package hsk-sentences-audio and their English translations; two in five
utterances get a clause with digits or symbols of many kinds.
"""

import itertools
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from earmark.errors import TextError
from earmark.io import read_json
from earmark.text import mandarin, normalise, readings, syllables
from earmark.text.english import english_phones
from earmark.text.numbers import wetext
from earmark.text.numbers.deviations import deviation
from earmark.text.phonemes import Phonemizer

UTTERANCES = 5000
COMMAND = "python bench/labels.py"
WITH_DIGITS = 0.4
SHARES = {"zh": 0.5, "en": 0.35, "zh-en": 0.15}
ENGLISH_WORDS = (
    "project meeting deadline email budget presentation app update bug server feedback schedule coffee weekend "  # noqa: SIM905
    "manager team report design offer interview party movie shopping game check double office".split()
)
PRODUCTS = "iPhone Windows Galaxy Python PlayStation Model Chapter Terminal Level Version".split()  # noqa: SIM905
CODES = "A C G K MU CA GPT- H B T COVID- RTX F J".split()  # noqa: SIM905
Text = tuple[str, str]


class Numbers:
    """Random numbers of many kinds, as people write them."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def count(self) -> str:
        return str(self.rng.choice([self.rng.randint(0, 20), self.rng.randint(1, 200), self.rng.randint(1, 9999)]))

    def large(self) -> str:
        value = self.rng.choice([self.rng.randint(1000, 99999), self.rng.randint(10**5, 10**8)])
        return self.rng.choice([str(value), f"{value:,}"])

    def decimal(self) -> str:
        return f"{self.rng.uniform(0, 100):.{self.rng.randint(1, 2)}f}"

    def year(self) -> str:
        return str(self.rng.randint(1900, 2030))

    def month(self) -> int:
        return self.rng.randint(1, 12)

    def day(self) -> int:
        return self.rng.randint(1, 31)

    def clock(self) -> str:
        return f"{self.rng.randint(0, 23)}:{self.rng.randint(0, 59):02d}"

    def code(self) -> str:
        return self.rng.choice(CODES) + str(self.rng.choice([self.rng.randint(1, 99), self.rng.randint(100, 999)]))

    def product(self) -> str:
        return f"{self.rng.choice(PRODUCTS)} {self.rng.randint(1, 20)}"

    def mobile(self) -> str:
        return "1" + self.rng.choice("3578") + "".join(self.rng.choices("0123456789", k=9))

    def digits(self, length: int) -> str:
        return "".join(self.rng.choices("0123456789", k=length))

    def ordinal(self) -> tuple[int, str]:
        value = self.day()
        return value, {1: "st", 2: "nd", 3: "rd"}.get(value % 10 if value not in (11, 12, 13) else 0, "th")

    def pair(self) -> tuple[int, int]:
        first = self.rng.randint(1, 60)
        return first, first + self.rng.randint(1, 40)


def chinese_clause(n: Numbers) -> str:
    """A clause with a number."""
    return n.rng.choice([*chinese_amounts(n), *chinese_names(n)])


def chinese_amounts(n: Numbers) -> list[str]:
    """How many and how much, dates and times."""
    low, high = n.pair()
    measure = n.rng.choice("个 本 天 次 人 位 公里 米 块 岁 斤 小时 分钟 年 辆 张 种 家 楼 度 倍 项 页 件".split())  # noqa: SIM905
    return [
        f"一共{n.count()}{measure}",
        f"大概有{n.count()}{measure}",
        f"第{n.count()}{measure}",
        f"人口是{n.large()}人",
        f"花了{n.large()}元",
        f"平均{n.decimal()}{measure}",
        f"上涨了{n.decimal()}%",
        f"占{n.rng.randint(1, 100)}%",
        f"从{low}%到{high}%",
        f"{n.year()}年{n.month()}月{n.day()}日",
        f"{n.month()}月{n.day()}号",
        f"日期是{n.year()}-{n.month():02d}-{n.day():02d}",
        f"{n.year()}年的时候",
        f"在{n.rng.choice([60, 70, 80, 90])}年代",
        f"现在{n.clock()}",
        f"会议{n.rng.randint(7, 11)}:00到{n.clock()}",
        f"下午{n.rng.randint(1, 11)}点{n.rng.randint(1, 59)}分",
        f"价格是¥{n.count()}",
        f"只要${n.decimal()}",
        f"大约{n.decimal()}万元",
        f"投资{n.rng.randint(1, 900)}亿",
    ]


def chinese_names(n: Numbers) -> list[str]:
    """Telephones, units, ranges, scores, models."""
    low, high = n.pair()
    measure = n.rng.choice("个 本 天 次 年 项".split())  # noqa: SIM905
    return [
        f"电话是{n.mobile()}",
        f"打{n.rng.choice(['110', '120', '119', '10086', '12306'])}",
        f"座机0{n.digits(2)}-{n.digits(8)}",
        f"温度{n.rng.randint(-20, 40)}℃",
        f"重{n.decimal()}kg",
        f"速度{n.count()}km/h",
        f"距离{n.count()}km",
        f"{low}-{high}{measure}",
        f"{low}到{high}{measure}",
        f"比分{n.rng.randint(0, 9)}:{n.rng.randint(0, 9)}",
        f"大约{n.rng.randint(1, 5)}/{n.rng.randint(6, 9)}",
        f"坐{n.code()}去",
        f"我买了{n.product()}",
        f"订单号{n.digits(n.rng.randint(8, 18))}",
        f"住在{n.rng.randint(100, 2500)}房间",
        f"{n.rng.randint(2, 5)}G网络",
        f"版本{n.rng.randint(1, 9)}.{n.rng.randint(0, 20)}.{n.rng.randint(0, 9)}",
        f"{n.rng.randint(1, 50)}+{n.rng.randint(1, 50)}",
        f"邮箱是user{n.digits(2)}@mail.com",
    ]


def english_clause(n: Numbers) -> str:
    """A clause with a number or an abbreviation."""
    return n.rng.choice([*english_amounts(n), *english_names(n)])


def english_amounts(n: Numbers) -> list[str]:
    """How many and how much, dates and times."""
    month = n.rng.choice("January March April May June July August September October December".split())  # noqa: SIM905
    thing = n.rng.choice("people days cars books minutes students miles houses years votes".split())  # noqa: SIM905
    ordinal, ending = n.ordinal()
    return [
        f"there are {n.count()} {thing}",
        f"about {n.large()} {thing}",
        f"it was {n.decimal()} on average",
        f"up {n.decimal()}% since {n.year()}",
        f"nearly {n.rng.randint(1, 100)}% of them",
        f"on {month} {n.day()}",
        f"on {month} {n.day()}, {n.year()}",
        f"the {ordinal}{ending} of {month}",
        f"back in {n.year()}",
        f"in the {n.rng.choice(['1980s', '90s', '1960s', '2010s'])}",
        f"at {n.clock()}",
        f"at {n.rng.randint(1, 12)}:{n.rng.randint(0, 59):02d} {n.rng.choice(['am', 'pm', 'a.m.', 'PM'])}",
        f"at {n.rng.randint(1, 12)} {n.rng.choice(['am', 'pm'])}",
        f"it costs ${n.count()}",
        f"for ${n.decimal()} each",
        f"raised ${n.rng.randint(1, 90)} million",
        f"only €{n.count()}",
    ]


def english_names(n: Numbers) -> list[str]:
    """Telephones, units, ranges, models, abbreviations."""
    low, high = n.pair()
    thing = n.rng.choice("people days cars books minutes students miles houses years votes".split())  # noqa: SIM905
    ordinal, ending = n.ordinal()
    return [
        f"call {n.digits(3)}-{n.digits(3)}-{n.digits(4)}",
        f"it weighs {n.decimal()} kg",
        f"another {n.count()} km away",
        f"at {n.count()} mph",
        f"{n.rng.randint(-10, 40)}°C outside",
        f"with {n.rng.choice([8, 16, 64, 256])}GB of memory",
        f"{low}-{high} {thing}",
        f"between {low} and {high} {thing}",
        f"the score was {n.rng.randint(0, 9)}-{n.rng.randint(0, 9)}",
        f"{n.rng.randint(1, 3)}/{n.rng.randint(4, 8)} of the {thing}",
        f"the {ordinal}{ending} time",
        f"on flight {n.code()}",
        f"my new {n.product()}",
        f"room {n.rng.randint(100, 999)}",
        f"order {n.digits(n.rng.randint(6, 12))}",
        f"version {n.rng.randint(1, 9)}.{n.rng.randint(0, 20)}",
        f"write to user@{n.rng.choice(['mail', 'example', 'office'])}.com",
        f"Mr. {n.rng.choice(['Brown', 'Smith', 'Lee'])} and Dr. {n.rng.choice(['Wang', 'Jones', 'Hill'])}",
        f"R&D and Q{n.rng.randint(1, 4)}",
        f"a {n.rng.randint(2, 90)}-year-old house",
        f"page #{n.rng.randint(1, 400)}",
    ]


def texts(count: int, seed: int = 1) -> list[Text]:
    """(raw text, language) of `count` utterances."""
    import hsk_sentences_audio

    path = Path(hsk_sentences_audio.__file__).parent / "data/sentences.json"
    pairs = [(one["chinese"], one["translation"]["en"]) for one in read_json(path)]
    pairs = [pair for pair in pairs if "placeholder" not in pair[1]]
    rng = random.Random(seed)
    # Every sentence once, as far as they go: repeated ones would flatter what is remembered.
    decks = {language: itertools.cycle(rng.sample(pairs, len(pairs))) for language in ("zh", "en")}
    return [_text(rng, decks) for _ in range(count)]


def _text(rng: random.Random, decks: dict[str, Iterator[tuple[str, str]]]) -> Text:
    language = rng.choices(list(SHARES), list(SHARES.values()))[0]
    chinese, english = next(decks["en" if language == "en" else "zh"])
    numbers = Numbers(rng)
    text = english if language == "en" else chinese
    if rng.random() < WITH_DIGITS:
        clause = english_clause(numbers) if language == "en" else chinese_clause(numbers)
        comma = ", " if language == "en" else "，"
        text = clause + comma + text if rng.random() < 0.5 else text[:-1] + comma + clause + text[-1]
    if language == "zh-en":
        word, place = rng.choice(ENGLISH_WORDS), len(chinese) // 2
        text = text.replace(chinese[:place], f"{chinese[:place]} {word} ", 1)
    return text, language


def naive(text: str, language: str) -> tuple[str, list[str]]:
    """Normalised text and phones, with a call of each library an utterance.

    What is ours on both sides: canonical spelling, the split by script, Mandarin's words, contexts and tone rules.
    """
    spoken = wetext.normaliser("en" if language == "en" else "zh").normalize(text)
    canonical = normalise.normalise(spoken, language)
    runs = normalise.script_runs(canonical)
    english = english_phones(run for script, run in runs if script == "en")
    phones: list[str] = []
    for script, run in runs:
        phones += english[run] if script == "en" else _pinyin(run)
    return canonical, phones


def _pinyin(run: str) -> tuple[str, ...]:
    """lazy_pinyin's readings, our words, our neutral tones and the rules for what words leave open."""
    from pypinyin import Style, lazy_pinyin

    words = readings.known_words().cut(run)
    pinyin = lazy_pinyin(words, style=Style.TONE)
    spoken = [syllables.Syllable(c, *syllables.split_syllable(one)) for c, one in zip(run, pinyin, strict=True)]
    start = 0
    for word in words:
        if readings.is_own(word):
            spoken[start : start + len(word)] = readings.read_word(word)
        start += len(word)
    return mandarin.spoken(spoken, words)


def ours(pairs: list[Text], phonemizer: Phonemizer) -> list[tuple[str, Any]]:
    """Normalised text and phones of all."""
    canonical = [(normalise.normalise(text, language), language) for text, language in pairs]
    return [(text, labels) for (text, _), labels in zip(canonical, phonemizer.label_many(canonical), strict=True)]


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def forget() -> None:
    """Empty what earlier calls remember of texts; dictionaries and rules stay loaded."""
    wetext.fst_reading.cache_clear()
    syllables.split_syllable.cache_clear()
    readings.citation.cache_clear()


def measure(count: int) -> dict[str, Any]:
    """Seconds of each way, and the utterances on which they differ."""
    pairs = texts(count)
    for language, text in (("zh", "预热1次"), ("en", "warm up 1 time"), ("zh-en", "预热 once")):
        naive(text, language)
        Phonemizer().label(normalise.normalise(text, language), language)
    forget()
    phonemizer = Phonemizer()
    cold, first = timed(lambda: ours(pairs, phonemizer))
    warm, second = timed(lambda: ours(pairs, phonemizer))
    assert first == second
    peer, theirs = timed(lambda: [naive(text, language) for text, language in pairs])
    differing = [
        (text, language, mine, other)
        for (text, language), mine, other in zip(pairs, first, theirs, strict=True)
        if isinstance(mine[1], TextError) or list(mine[1]) != list(other[1])
    ]
    listed = [one for one in differing if deviation(one[0], one[1])]
    outside = sum(not deviation(*pair) for pair in pairs)
    return {
        "cold": cold, "warm": warm, "naive": peer, "differing": differing, "listed": len(listed), "outside": outside,
        "digits": sum(bool(re.search(r"\d", text)) for text, _ in pairs),
    }  # fmt: skip


def rows(count: int = UTTERANCES) -> list[dict[str, Any]]:
    """Rows of results/bench/data.json: utterances a second, and the share of identical labels."""
    found = measure(count)
    unlisted = len(found["differing"]) - found["listed"]
    rate = count / found["naive"]
    table = [
        {
            "what": f"labels {kind} vs naive",
            "peer": round(rate, 1),
            "ours": round(count / found[kind], 1),
            "ratio": round(found["naive"] / found[kind], 1),
            "unit": "utterances/s",
            "command": COMMAND,
        }
        for kind in ("cold", "warm")
    ]
    share = 1 - unlisted / found["outside"]
    what = f"labels identical to naive, outside the list of its errors ({count - found['outside']} of {count} listed)"
    table.append({"what": what, "peer": 1.0, "ours": share, "ratio": share, "unit": "share", "command": COMMAND})
    return table


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else UTTERANCES):
        print(row)
