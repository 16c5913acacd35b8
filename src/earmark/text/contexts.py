"""Readings of characters that no known word holds, by what stands around them.

Names before titles (任先生, 姓单), the particle 地, 得 as a particle or one of two verbs; 着, 只 and some hundred more
characters by the lines of `contexts.txt`.
"""

import re
from collections.abc import Callable
from functools import cache

from earmark.text.readings import ends_in_suffix_zi, known_words, table
from earmark.text.segment import parts_of_speech
from earmark.text.syllables import Syllable

_LOOK = 10
"""Characters before another that may decide its reading."""

_SURNAMES = {
    "单": "shan4", "区": "ou1", "任": "ren2", "仇": "qiu2", "解": "xie4", "曾": "zeng1", "查": "zha1", "盖": "ge3",
    "朴": "piao2", "华": "hua4", "缪": "miao4", "翟": "zhai2", "燕": "yan1", "葛": "ge3", "盛": "sheng4", "冼": "xian3",
    "覃": "qin2", "牟": "mu4", "臧": "zang1", "卜": "bu3", "隗": "wei3", "乐": "yue4", "尉": "wei4", "哈": "ha3",
}  # fmt: skip
# These are other words too often to be names before a title.
_SURNAMES_NAMED = _SURNAMES | {
    "应": "ying1", "宿": "su4", "种": "chong2", "折": "she2", "洗": "xian3", "祭": "zhai4", "召": "shao4", "秘": "bi4",
    "能": "nai4", "过": "guo1", "那": "na1", "员": "yun4", "曲": "qu1", "相": "xiang4", "藏": "zang1", "繁": "po2",
    "句": "gou1", "干": "gan1", "都": "du1", "黑": "he4", "适": "kuo4", "宁": "ning4", "重": "chong2", "行": "xing2",
}  # fmt: skip
_PERSON = re.compile(
    "先生|女士|小姐|太太|夫人|老师|老板|老爷|老伯|老汉|大爷|大妈|大哥|大姐|大叔|大婶|阿姨|叔叔|伯伯|师傅|师父|医生|大夫|护士|教授|博士|院士|"
    "律师|法官|警官|同学|同志|导演|工程师|董(?!事会)|总(?![是会要算的得有能在想结之共数体部计能])|姑娘|公子|某(?![个种些])|氏(?!族)"
)
_OFFICE = re.compile(
    "(院|校|局|处|科|部|厂|村|镇|乡|县|市|省|队|班|组|店|行|会|社|团|营|连|排|所)长|主任|主席|书记|总?经理|总监|总裁|董事|编辑|记者|将军|司令|"
    "参谋|检察官|秘书|委员|家(?=的|父|姐|兄|村)"
)
# 任 and others are verbs before an office (他任校长), so they need a beginning or one of these before them.
_VERB_TOO = frozenset("任区曾解查盖盛")
_BEFORE_NAME = re.compile("(^|和|跟|对|问|找|请|是|让|给|向|见|叫|与|及|被|由|随|同|陪|的|，)$")
_NAMED = re.compile("(姓|复姓|名叫|我叫|他叫|她叫)$")
_DIMINUTIVE = re.compile("(^|[^大很最不多])(小|老|阿)$")
_DIMINISHED = frozenset("任仇曾翟缪覃牟臧冼单")
_SAYS = re.compile("[一-龥]{1,2}(说道|表示|认为|指出|告诉|介绍|强调|坦言|透露|先生|女士|教授|老师|同学|同志|院士|博士)")

# What stands beside 地 as ground.
_BEFORE_GROUND = frozenset("块片亩在的把扫拖满买卖有是到从此该某两几各每这那外内落倒遍")
_AFTER_GROUND = frozenset("里上下头边主块方面区很的是有和都也")

_PRONOUNS = frozenset(
    "我 你 您 他 她 它 咱 谁 人 人家 大家 自己 这 那 这样 那样 这事 那就 咱俩 你俩 我俩".split()  # noqa: SIM905
)
# Other nouns of one character are as often verbs or adjectives: 气得说不出话, 美得无法形容.
_NOUNS = frozenset("事人车钱饭药菜活票门路房书")
_BEFORE_MUST = frozenset(
    "还 就 总 都 也 又 可 非 真 便 才 必 必须 先 再 今天 明天 后天 今晚 明早 现在 以后 将来 有时 至少 "  # noqa: SIM905
    "起码 恐怕 肯定 一定 反正 看来 看样子 所以 因此 那么 于是 但 但是 不过 而且 如果 要是 只要 因为 要么 或者 "
    "大概 可能 估计 最好 每天 早晚 迟早 首先 然后 一般 通常 往往 常常 经常 有的 凡事 到时候 到时 平时 时候 后 "
    "前 时 之后 之前 以前".split()
)
# A verb with its object takes no complement: 吃饭得洗手.
_VERB_OBJECT = frozenset(
    "吃饭 睡觉 开车 上课 上班 下班 走路 看病 说话 做饭 洗澡 读书 唱歌 跳舞 游泳 跑步 上学 放学 考试 结婚 起床 "  # noqa: SIM905
    "办事 出门 回家 过年 买房 花钱 打仗 做人 做事 过马路 开会 出国 坐车 打车 请假 种地 写字 学习 减肥".split()
)
_DEGREE = re.compile(
    "很|太|真|更|非常|这么|那么|这样|那样|不得了|不行|要命|要死|厉害|慌|像|跟|如|好|快|慢|不|最|有点|挺|十分|比|一塌|可怕|多($|了)|"
    "[高大小长短远近早晚紧重轻亮黑白红](?!三|四)"
)
_BEFORE_GET = frozenset(
    "想 能 会 没 没有 要 容易 曾 曾经 刚 已 已经 共 不 而 所 应 求 喜 勇 荣 一举 一朝 各 均 心安理".split()  # noqa: SIM905
)
_SCORE = re.compile("[零一二两三四五六七八九十百几满高低负]+(分(?!钟|之)|票|枚|块?金牌|等奖)")
_GETS = re.compile(
    "了|过|到|不[到着]|第|其|此|出(结论|答案|这)|[零一二两三四五六七八九十百千半几满高低负]+(分|票|奖|枚|块?奖|金|等奖|冠|个?(奖|冠军|金牌|第一))|"
    "什么(病|奖)|(重|大|怪|急|绝|流感|感冒|肺|癌|抑郁)"
)
_GOT = re.compile(
    "(病|症|炎|癌|感冒|流感|奖|奖牌|金牌|银牌|铜牌|冠军|亚军|季军|第一|满分|高分|名次|称号|荣誉|便宜|好处|民心|人心|天下)$"
)
# jieba has these as nouns or verbs; as adjectives they take a complement.
_STATES = frozenset(
    "伤心 生气 着急 恶心 神气 客气 得意 小心 热心 细心 粗心 耐心 用心 专心 放心 担心 关心 开心 痛快 痛苦 "  # noqa: SIM905
    "幸福 快乐 健康 自由 困难 麻烦 危险 热闹 漂亮 精神 秀气 小气 大方 规矩 清楚 明白 简单 复杂 认真 仔细 "
    "紧张 激动 兴奋 悲伤 难过 骄傲 惭愧 害羞 吃惊 惊讶 惊喜 失望 绝望 愤怒 疲惫 饥饿 寒冷 炎热 疼痛 虚弱 "
    "瘦弱 可爱 美丽 安静 平静 干净 整齐".split()
)


def settle(syllables: list[Syllable], words: list[str]) -> None:
    """Give the syllables of words that are not known the readings that their neighbours ask for, in place."""
    text, known, open_ones, start = "".join(words), known_words().known, _open(), 0
    for index, word in enumerate(words):
        if not (open_ones.isdisjoint(word) or word in known or syllables[start].fixed):
            for place in range(start, start + len(word)):
                if reading := _reading(text, place, place == start, words, index):
                    syllables[place].read(reading)
            _settle_zi(syllables, start, word)
        start += len(word)


def _settle_zi(syllables: list[Syllable], start: int, word: str) -> None:
    """子 is zi5 at the end of a noun (罐子, 小鸭|子), else zi3 within a word (男子, 子弟)."""
    for place in range(start, start + len(word)):
        if syllables[place].character == "子" and place:
            last = place == start + len(word) - 1
            suffix = last and ends_in_suffix_zi(syllables[place - 1].character + "子")
            syllables[place].read("zi5" if suffix and (place > start or len(word) == 1) else "zi3")


def _reading(text: str, place: int, begins: bool, words: list[str], index: int) -> str | None:
    """Pinyin of the character at `place` of the text, None to leave it; `begins`: is it the first of its word?"""
    character = text[place]
    if begins and character in _SURNAMES_NAMED and _is_surname(text, place):
        return _SURNAMES_NAMED[character]
    if words[index] in _PARTICLES:
        return _PARTICLES[words[index]](text, place, words, index)
    lines, default = _contexts().get(character, ((), None))
    if lines:
        before, after = text[max(0, place - _LOOK) : place], text[place + 1 :]
        for pinyin, ends, begins_with in lines:
            if begins_with.match(after) and ends.search(before):
                return pinyin
    return default if len(words[index]) == 1 else None


def is_decided(text: str, place: int, words: list[str], index: int) -> bool:
    """Whether a sign beside the character at `place` chose its reading, and not what it is most often.

    :param index: of the word that the character is of.
    """
    character, word = text[place], words[index]
    if word == "得":
        return _is_sure_de(text, place, words, index)
    if character in _SURNAMES_NAMED and _is_surname(text, place):
        return True
    before, after = text[max(0, place - _LOOK) : place], text[place + 1 :]
    lines, _ = _contexts().get(character, ((), None))
    return any(begins.match(after) and ends.search(before) for _, ends, begins in lines)


def _is_sure_de(text: str, place: int, words: list[str], index: int) -> bool:
    """得 before a degree, a score or what is got; behind who must, or what comes before must and can."""
    before, after = words[index - 1] if index else "", text[place + 1 :]
    follower = words[index + 1] if index + 1 < len(words) else ""
    got = _SCORE.match(after) or _GETS.match(after) or _GOT.search(follower) or before in _BEFORE_GET
    must = before in _BEFORE_MUST or before in _VERB_OBJECT or (before in _PRONOUNS and after)
    return bool(_DEGREE.match(after) or got or must)


def _is_surname(text: str, place: int) -> bool:
    character, before, after = text[place], text[max(0, place - _LOOK) : place], text[place + 1 :]
    if _NAMED.search(before):
        return True
    if character not in _SURNAMES:
        return False
    sure = character not in _VERB_TOO or _BEFORE_NAME.search(before)
    if (_PERSON.match(after) and (sure or character != "曾")) or (sure and _OFFICE.match(after)):
        return True
    if _DIMINUTIVE.search(before) and character in _DIMINISHED:
        return True
    return not before and character not in "查盖曾乐华盛区" and bool(_SAYS.match(after))


def _particle_di(text: str, place: int, words: list[str], index: int) -> str | None:
    """地 is de5 between two characters and another: 高兴地说; not in 这块地很大, 农民地里."""
    if not 2 <= place < len(text) - 1:
        return None
    particle = text[place - 1] not in _BEFORE_GROUND and text[place + 1] not in _AFTER_GROUND
    return "de5" if particle else None


def _particle_de(text: str, place: int, words: list[str], index: int) -> str:
    """得: de5 behind a verb or an adjective, else dei3 before what must be done and de2 before what is got."""
    before, after = words[index - 1] if index else "", text[place + 1 :]
    follower = words[index + 1] if index + 1 < len(words) else ""
    if (before in _BEFORE_GET and after and not _DEGREE.match(after)) or _SCORE.match(after):
        return "de2"
    subject = before in _PRONOUNS or before[-1:] == "们"
    must = not before or subject or before in _BEFORE_MUST or before in _VERB_OBJECT
    if not must and before not in _STATES and (len(before) > 1 or before in _NOUNS):
        part = parts_of_speech().get(before, "")[:1]
        must = part in ("t", "r") or before[-1] == "得" or (part in ("n", "s", "f") and not _DEGREE.match(after))
    if not must or not after:
        return "de5"
    return "de2" if _GETS.match(after) or _GOT.search(follower) else "dei3"


_PARTICLES: dict[str, Callable[[str, int, list[str], int], str | None]] = {"地": _particle_di, "得": _particle_de}


@cache
def _open() -> frozenset[str]:
    """Characters whose reading may depend on the neighbours."""
    return frozenset((*_contexts(), *_SURNAMES_NAMED, *_PARTICLES, "子"))


@cache
def _contexts() -> dict[str, tuple[list[tuple[str, re.Pattern[str], re.Pattern[str]]], str | None]]:
    """By character: pinyin, end of the text before and beginning of the text behind, in order; and the default."""
    found: dict[str, tuple[list[tuple[str, re.Pattern[str], re.Pattern[str]]], str | None]] = {}
    for line in table("contexts.txt"):
        character, pinyin, before, after = line.split("\t")
        lines, default = found.get(character, ([], None))
        if before == "default":
            default = pinyin
        else:
            before, after = ("" if one == "-" else one for one in (before, after))
            lines.append((pinyin, re.compile(f"(?:{before})$"), re.compile(f"(?:{after})")))
        found[character] = lines, default
    return found
