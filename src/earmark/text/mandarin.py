"""Mandarin phones of a run of Han characters: words, readings, tone sandhi, initials and finals.

1. Words by maximum matching over pypinyin's phrases (银行行长 and 重新 come out right) and two lists below.
2. Readings of the phrase, else the first of each character; neutral tones; 儿化.
3. 一 and 不, then third tones, by rule. pypinyin's phrases mix citation tones with spoken ones, and its
   own `tone_sandhi` changes 你好 but not 老虎.
4. Initial and final of each syllable; the final carries the tone.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from earmark.errors import TextError

# Everyday words whose second syllable is neutral, which pypinyin gives in full tone.
_NEUTRAL_SECOND = frozenset(
    "爸爸 妈妈 爷爷 奶奶 哥哥 弟弟 姐姐 妹妹 叔叔 姑姑 舅舅 太太 宝宝 娃娃 星星 谢谢 看看 试试 听听 "  # noqa: SIM905
    "说说 学生 先生 医生 朋友 丈夫 师傅 姑娘 媳妇 亲戚 客人 别人 大夫 护士 东西 衣服 时候 休息 消息 "
    "关系 事情 喜欢 认识 知识 明白 清楚 漂亮 便宜 舒服 热闹 聪明 麻烦 糊涂 老实 厉害 干净 凉快 暖和 "
    "窗户 月亮 太阳 告诉 商量 打听 打扮 收拾 照顾 答应 招呼 客气 脾气 力气 运气 名字 意思 故事 生意 "
    "学问 道理 地方 眼睛 耳朵 头发 嘴巴 尾巴 脑袋 胳膊 豆腐 葡萄 玻璃 钥匙 行李 萝卜 蘑菇 粮食 动静 "
    "功夫 工夫 困难 咱们 部分 应付 应酬 称呼 吩咐 耽误 折腾 琢磨 比方 口袋 包袱 笑话 活泼 结实 骆驼 "
    "狐狸 蛤蟆 相声 石榴 棉花 木头 石头 骨头 舌头 馒头 枕头 念头 前头 后头 里头 外头".split()
)
# Words of two third tones that pypinyin's phrases lack: they decide where third-tone sandhi groups.
_THIRD_THIRD = frozenset(
    "两手 主导 主管 产品 以免 以往 侮辱 保养 保姆 保守 保管 保险 假使 偶尔 典礼 冷饮 减产 减少 剪彩 "  # noqa: SIM905
    "勇敢 反感 古典 古老 土壤 奖品 奶粉 守法 审理 审美 导演 小姐 小米 小组 小鬼 展览 岛屿 引导 引起 "
    "影响 彼此 往往 往返 总理 总统 恼火 悔改 想法 感想 感慨 感染 所以 手指 手法 手表 抚养 指导 指引 "
    "指点 指甲 掌管 搞鬼 改组 敏感 整整 整理 旅馆 早已 早晚 早点 本领 检举 检讨 水产 水土 水果 永久 "
    "渺小 演讲 点火 理想 理睬 理解 甲板 礼品 祖母 稳妥 稿纸 简短 粉笔 统统 缓缓 美满 老板 老虎 老鼠 "
    "考取 考古 腐朽 舞蹈 苦恼 表演 讲演 讲理 请柬 走狗 走访 赶紧 起点 起码 起草 辅导 选举 选取 选手 "
    "阻止 顶点 领土 领导 饱满 首脑 首领 鼓掌 鼓舞 可以 也许 只有 只好 洗澡 雨伞 了解 友好 美好 管理 "
    "广场 永远 语法 表姐 洗手 打扫 举手 好久 很久".split()
)
# Complements (跑得快) outnumber 得 as a verb, except in these words. A character that stands alone is a verb or an
# adjective more often than pypinyin's first reading says.
_READINGS = {
    "得": ["de"],
    "必须得": ["bì", "xū", "děi"],
    "还得": ["hái", "děi"],
    "就得": ["jiù", "děi"],
    "长": ["cháng"],
    "长得": ["zhǎng", "de"],
    "长着": ["zhǎng", "zhe"],
    "长高": ["zhǎng", "gāo"],
    "长胖": ["zhǎng", "pàng"],
    "长满": ["zhǎng", "mǎn"],
    "长成": ["zhǎng", "chéng"],
    "长在": ["zhǎng", "zài"],
    "教": ["jiāo"],
    "弹": ["tán"],
    "似": ["sì"],
    "嚼": ["jiáo"],
    "削": ["xiāo"],
    "数到": ["shǔ", "dào"],
    "数一数": ["shǔ", "yī", "shǔ"],
    "投行": ["tóu", "háng"],
    "得到": ["dé", "dào"],
    "得以": ["dé", "yǐ"],
    "得分": ["dé", "fēn"],
    "得奖": ["dé", "jiǎng"],
    "长头发": ["cháng", "tóu", "fa"],
}
_LONGEST_WORD = 8

_NUMERALS = frozenset("零一二三四五六七八九")
# What stands beside 地 as ground.
_BEFORE_GROUND = frozenset("块片亩在的把扫拖满买卖有是到从此该某两几各每这那外内落倒遍")
_AFTER_GROUND = frozenset("里上下头边主块方面区很的是有和都也")
# 儿 is a syllable of its own after these; after any other character it is the suffix 儿化.
_FULL_ER_AFTER = frozenset("女婴幼少孤胎健宠男侄孙妻生产血能患病")
# Interjections without a vowel (嗯, 呣, 噷, 哼) and the rare ê (欸) go to the nearest regular final.
_SYLLABIC = {"n": ("", "en"), "ng": ("", "en"), "m": ("m", "u"), "hm": ("h", "en"), "hng": ("h", "eng")}
_IRREGULAR = {"ê": "ei"}


@dataclass
class Syllable:
    """One character as it is spoken; `tone` 5 is neutral."""

    character: str
    initial: str
    final: str
    tone: int
    fixed: bool = False
    """From the user's lexicon: as spoken, so that no rule changes it."""

    def phones(self) -> list[str]:
        """Initial, if there is one, and final with tone: ["zh", "ong1"]."""
        return [phone for phone in (self.initial, f"{self.final}{self.tone}") if phone]


@cache
def split_syllable(pinyin: str) -> tuple[str, str, int]:
    """Initial ("" if none), final without tone, and tone of pinyin with a tone mark (`zhōng`).

    The final of zhi, chi, shi, ri is `ir`, that of zi, ci, si `iz`: two vowels that pinyin writes alike.
    """
    from pypinyin.contrib.tone_convert import to_finals, to_initials, to_tone3

    toned = to_tone3(pinyin, neutral_tone_with_five=True)
    bare, tone = (toned[:-1], int(toned[-1])) if toned[-1:].isdigit() else (toned, 5)
    if bare in _SYLLABIC:
        return *_SYLLABIC[bare], tone
    initial, final = to_initials(pinyin, strict=True), to_finals(pinyin, strict=True, v_to_u=False)
    if final == "i":
        final = {"zh": "ir", "ch": "ir", "sh": "ir", "r": "ir", "z": "iz", "c": "iz", "s": "iz"}.get(initial, "i")
    return initial, _IRREGULAR.get(final, final), tone


def mandarin_phones(run: str, lexicon: Mapping[str, tuple[str, ...]] | None = None) -> tuple[str, ...]:
    """Phones of a run of simplified Han characters.

    :param lexicon: words with phones of their own, one final with tone a character.

    Raises `TextError` with reason "cannot be labelled" for a character without a reading.
    """
    own = lexicon or {}
    words = list(split_words(run, own))
    syllables = [one for word in words for one in (_given(word, own[word]) if word in own else read_word(word))]
    return spoken(syllables, words)


def spoken(syllables: list[Syllable], words: list[str]) -> tuple[str, ...]:
    """Phones of citation readings, one syllable a character of `words`, after the rules of 儿, 一, 不 and third tones.

    The syllables are changed in place.
    """
    _suffix_er(syllables)
    _adverbial_di(syllables, words)
    _yi_and_bu(syllables, words)
    for first in third_tone_pairs(words):
        if syllables[first].tone == syllables[first + 1].tone == 3 and not syllables[first].fixed:
            syllables[first].tone = 2
    return tuple(phone for syllable in syllables for phone in syllable.phones())


def split_words(run: str, lexicon: Mapping[str, tuple[str, ...]] | None = None) -> Iterator[str]:
    """Cut a run of Han characters into known words, the longest first from the left; others stand alone."""
    from pypinyin.constants import PHRASES_DICT

    lists = (lexicon or {}, _READINGS, PHRASES_DICT, _NEUTRAL_SECOND, _THIRD_THIRD)
    start = 0
    while start < len(run):
        ends = range(min(start + _LONGEST_WORD, len(run)), start + 1, -1)
        words = (run[start:end] for end in ends)
        word = next((word for word in words if any(word in known for known in lists)), run[start])
        yield word
        start += len(word)


def _given(word: str, phones: tuple[str, ...]) -> list[Syllable]:
    """Syllables of a word of the lexicon: each ends in the phone that carries a digit."""
    syllables: list[Syllable] = []
    initial = ""
    for phone in phones:
        if phone[-1].isdigit():
            syllables.append(Syllable(word[len(syllables)], initial, phone[:-1], int(phone[-1]), fixed=True))
            initial = ""
        else:
            initial = phone
    return syllables


def is_own(word: str) -> bool:
    """Is the word's reading one of this module's lists, rather than pypinyin's?"""
    return word in _READINGS or word in _NEUTRAL_SECOND


def read_word(word: str) -> list[Syllable]:
    """Citation readings: the phrase's, else the first reading of each character."""
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

    if word in _READINGS:
        readings = _READINGS[word]
    elif len(word) > 1 and word in PHRASES_DICT:
        readings = [reading[0] for reading in PHRASES_DICT[word]]
    else:
        readings = [PINYIN_DICT.get(ord(c), "").split(",")[0] for c in word]
    if "" in readings:
        unknown = word[readings.index("")]
        raise TextError(f"{unknown!r} has no reading in pypinyin: correct the text", "cannot be labelled")
    syllables = [Syllable(c, *split_syllable(reading)) for c, reading in zip(word, readings, strict=True)]
    if word in _NEUTRAL_SECOND:
        syllables[1].tone = 5
    return syllables


def _suffix_er(syllables: list[Syllable]) -> None:
    """儿化: the suffix is `er5` after its host's full final (花儿: h ua1 er5), whatever the dictionary."""
    for before, syllable in itertools.pairwise(syllables):
        if syllable.character == "儿" and before.character not in _FULL_ER_AFTER and not syllable.fixed:
            syllable.tone = 5


def _adverbial_di(syllables: list[Syllable], words: list[str]) -> None:
    """地 that is no part of a word is de5 between two characters and another: 高兴地说; not in 这块地很大, 农民地里."""
    text, start = "".join(words), 0
    for word in words:
        inside = word == "地" and 2 <= start < len(text) - 1 and not syllables[start].fixed
        if inside and text[start - 1] not in _BEFORE_GROUND and text[start + 1] not in _AFTER_GROUND:
            syllables[start].final, syllables[start].tone = "e", 5
        start += len(word)


def _yi_and_bu(syllables: list[Syllable], words: list[str]) -> None:
    """一 and 不, from right to left, each by the spoken tone of the syllable that follows.

    一 is yi2 before tone 4 and 个, yi4 before tones 1 to 3, yi5 within a doubled verb (看一看, not 一步一步); it stays
    yi1 at the end of a word, in ordinals and in numbers. 不 is bu2 before tone 4, bu5 in 好不好, else bu4.
    """
    ends = _last_characters(words)
    for index in reversed(range(len(syllables))):
        syllable = syllables[index]
        before = syllables[index - 1] if index else None
        after = syllables[index + 1] if index + 1 < len(syllables) else None
        if syllable.fixed:
            continue
        if syllable.character == "一" and index > 1 and syllables[index - 2].character == "一":
            before = None if before and before.character not in _NUMERALS else before  # 一步一步
        if syllable.character == "一" and syllable.final == "i":
            syllable.tone = 1 if _is_number_one(before, after, index in ends) else _tone_of_yi(before, after)
        elif syllable.character == "不" and syllable.final == "u" and syllable.tone != 5:
            doubled = before and after and before.character == after.character
            syllable.tone = 5 if doubled else 2 if after and after.tone == 4 else 4


def _last_characters(words: list[str]) -> set[int]:
    """Indices of the last characters of words of two and more; 同一 is open to what follows (同一个)."""
    ends, end = set(), 0
    for word in words:
        end += len(word)
        if len(word) > 1 and word != "同一":
            ends.add(end - 1)
    return ends


def _is_number_one(before: Syllable | None, after: Syllable | None, ends_word: bool) -> bool:
    """第一, 初一, 十一, 星期一, 一九九八, 一月, 一号, 一楼; and 一 at the end of a word or run."""
    if after is None or ends_word or after.character in _NUMERALS or after.character in "月号楼":
        return True
    return before is not None and (before.character in _NUMERALS or before.character in "第初十周期拜")


def _tone_of_yi(before: Syllable | None, after: Syllable | None) -> int:
    if before and after and before.character == after.character:
        return 5
    return 2 if after and (after.tone == 4 or after.character == "个") else 4


def third_tone_pairs(words: list[str]) -> list[int]:
    """Indices i, in order, at which two third tones (i, i+1) become second and third.

    Inside a word first, in pairs from its left. Words of one syllable pair up from the left (我|很: 2 3);
    one that is left over leans on the longer word that follows (很|美丽: 2 3 4; 小|老虎: 3 2 3), or at the
    run's end on what precedes (我很|好, 展览|馆: 2 2 3). Nothing crosses two such groups: speakers may
    pause there.
    """
    pairs: list[int] = []
    start, single = 0, None
    for word in words:
        if len(word) > 1:
            pairs += [start + index for index in _pairs_inside(word)]
        if single is not None:
            pairs.append(single)
            single = None
        elif len(word) == 1:
            single = start
        start += len(word)
    if single:
        pairs.append(single - 1)
    return pairs


def _pairs_inside(word: str) -> list[int]:
    pairs = list(range(0, len(word) - 1, 2))
    return [*pairs, len(word) - 2] if len(word) % 2 else pairs
