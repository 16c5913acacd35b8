"""Traditional to simplified Chinese, of the mainland, Taiwan and Hong Kong alike.

OpenCC's `t2s` knows the characters. It leaves what only Taiwan or Hong Kong writes otherwise: 著 for 着 (看著, 著急),
variants of one character (揹, 敍, 粧) and a few words (身分). OpenCC's own `tw2s` makes 着 of 原著, 論著 and 土著 as
well, and `hk2s` makes 台 of 枱, which Cantonese reads otherwise: so the difference is listed here.
"""

import re
from functools import cache
from typing import Any

# Written Cantonese that OpenCC turns into characters which nobody writes stays as it is; then variants of characters of
# the Table of General Standard Characters, which OpenCC leaves.
_VARIANTS = str.maketrans(
    "𠮶㖞𡥧𩠌䢂𨅬㖊𪠳衞妳牠祂敍粧痺簷衹揹摀搥餽瞇啣姪妬廻扠抝拏搾昬煑畧痲皷砲籐荳賸躭輭隄鬪徬銲蔴糭媿犂虵覩",
    "嗰喎孻餸𨋢躝噚唓卫你它他叙妆痹檐只背捂捶馈眯衔侄妒回叉拗拿榨昏煮略麻鼓炮藤豆剩耽软堤斗彷焊麻粽愧犁蛇睹",
)
_WORDS = {
    "甚么": "什么",
    "身分": "身份",
    "部份": "部分",
    "企画": "企划",
    "规画": "规划",
    "澈底": "彻底",
    "徬徨": "彷徨",
}
_WORD = re.compile("|".join(_WORDS))
# What is changed here holds one of these.
_LISTED = re.compile(f"[{''.join(map(chr, _VARIANTS))}著甚身份画澈]")
# 著 is zhù in words of writing and of fame, which group 1 finds, and 着 elsewhere. A verb and its object may meet where
# such a word would stand: 写著作业, 看著名单.
_ZHE = re.compile(
    r"([名原巨译专拙遗新所显卓昭土撰佳彰](?:著|名著)|(?<![讨争议谈辩评])论著|编著(?![辫花织草竹])|合著(?![眼嘴上手掌双])|"
    r"微知著|著名(?!单|字|片|牌|著(?!作))|著作(?!业|品|文|画|曲|弊|息|战|案|揖|者)|著作者|著者|著述(?![说职])|"
    r"著称(?![号为呼霸])|著录(?![音像影下制取])|著书(?=立)|"
    r"(?:^|(?<=[他她曾还也均各共人]))著有|^著$)|著"
)


def simplified(text: str) -> str:
    """Simplified Chinese, one spelling a word; idempotent, and without effect on other scripts."""
    if text.isascii():
        return text
    text = _opencc().convert(text)
    if not _LISTED.search(text):
        return text
    text = text.translate(_VARIANTS)
    if "著" in text:
        text = _ZHE.sub(lambda match: match[1] or "着", text)
    return _WORD.sub(lambda match: _WORDS[match.group()], text)


@cache
def _opencc() -> Any:
    import opencc

    return opencc.OpenCC("t2s")
