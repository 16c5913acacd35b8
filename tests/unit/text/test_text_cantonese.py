from pathlib import Path

import pytest
import ToJyutping

from earmark.text.cantonese import cantonese_phones, hong_kong, split_jyutping
from earmark.text.normalise import normalise

WORDS = [
    word
    for line in Path(__file__).with_name("cantonese_words.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
]
LOST = {"沈迷", "單只", "商鋪", "封鋪", "床鋪", "鋪頭", "摀低身", "棄舖潛逃"}
"""Words whose simplified form is another word's as well, or written in two ways that are read otherwise."""


def original(text: str) -> tuple[str, ...]:
    """Phones as ToJyutping reads the text as it was written."""
    syllables = [one for _, reading in ToJyutping.get_jyutping_list(text) for one in reading.split()]
    parts = [split_jyutping(one) for one in syllables]
    return tuple(phone for initial, final, tone in parts for phone in (initial, f"{final}{tone}") if phone)


def test_words_are_read_as_they_were_written_in_traditional_script():
    assert len(set(WORDS)) >= 400
    wrong = {word for word in WORDS if cantonese_phones(normalise(word, "yue")) != original(word)}
    assert wrong <= LOST


@pytest.mark.parametrize(
    "text",
    [
        "睇吓先啦",
        "你咪嚇我",
        "嚇親個細路",
        "郁手郁腳",
        "佢有抑鬱症",
        "仆低咗",
        "僕人同公僕",
        "呢隻狗仔好得意",
        "隻貓喺張檯上面",
        "嗰隻係我嘅",
        "我只係想講",
        "只有你先知",
        "唔只係我",
        "幾多隻雞",
        "間舖頭執咗",
        "鋪床單",
        "捱夜捱到殘",
        "戴住隻手錶",
        "睇下時間表",
        "鬆啲啦",
        "棵松樹",
        "抹乾隻碗",
        "做乜嘢幹部",
        "摺好件衫",
        "打八折",
        "骨折咗",
        "去葵涌同東涌",
        "湧出嚟",
        "唔捨得走",
        "心臟病",
        "好骯髒",
        "佢重係好細個",
        "打邊爐要等位",
        "佢着咗件新衫",
    ],
)
def test_sentences_are_read_as_they_were_written_in_traditional_script(text):
    assert cantonese_phones(normalise(text, "yue")) == original(text)


def test_hong_kong_has_one_character_for_each():
    assert hong_kong("只狗睇吓个台") == "隻狗睇吓個台"
    assert hong_kong("头发发现里面几多") == "頭髮發現裏面幾多"
