"""Which readings a text leaves open; the first of each are its label."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earmark.text.lexicon import Lexicon
from earmark.text.phonemes import Phonemizer

PHONEMIZER = Phonemizer()
SENTENCES = [
    *("他得了奖", "你得早点来", "他跑得很快", "这事我看得办", "银行行长很重视", "他把行都占了", "单先生来了"),
    *("我昨天看见单在门口", "一不做二不休", "花儿开了", "play 音乐 please", "打开空调", "重庆的重", "我们走一走"),
]


def open_ones(text: str) -> dict[str, int]:
    """Characters with more than one reading, and how many."""
    found = PHONEMIZER.options(text, "zh")
    return {character: len(options) for character, options in zip(text, found, strict=True) if len(options) > 1}


@pytest.mark.parametrize("text", SENTENCES)
def test_first_readings_are_the_label(text: str) -> None:
    options = PHONEMIZER.options(text, "zh")
    assert [phone for one in options for phone in one[0]] == PHONEMIZER.label(text, "zh")


@settings(max_examples=200, deadline=None)
@given(st.text("的得地行长重乐单任华解好一不儿了着我他们看见去来大小中国人", min_size=1, max_size=12))
def test_first_readings_are_the_label_whatever_the_text(text: str) -> None:
    options = PHONEMIZER.options(text, "zh")
    assert [phone for one in options for phone in one[0]] == PHONEMIZER.label(text, "zh")
    for one in options:
        assert len(set(one)) == len(one)
        PHONEMIZER.inventory.encode([phone for other in one for phone in other])


@pytest.mark.parametrize(
    ("text", "character"),
    [("他得了奖", "得"), ("他跑得很快", "得"), ("你得早点来", "得"), ("银行行长很重视", "行"), ("单先生来了", "单")],
)
def test_what_a_word_or_a_sign_decides_is_certain(text: str, character: str) -> None:
    assert character not in open_ones(text)


def test_where_it_is_unsure_all_readings_are_kept() -> None:
    place = "这事我看得办".index("得")
    found = PHONEMIZER.options("这事我看得办", "zh")[place]
    assert {one[-1] for one in found} >= {"e5", "e2", "ei3"}
    assert ("sh", "an4") in PHONEMIZER.options("我昨天看见单在门口", "zh")[5]
    assert ("zh", "ao1") in PHONEMIZER.options("他朝我笑", "zh")[1]


def test_a_character_with_one_reading_is_certain() -> None:
    assert open_ones("我们爱北京") == {}


def test_the_user_s_words_are_certain() -> None:
    own = Phonemizer(lexicon=Lexicon(mandarin={"得": ("d", "ei3")}))
    (found,) = own.options("得", "zh")
    assert found == (("d", "ei3"),)


def test_other_scripts_and_languages_have_one_reading_each() -> None:
    assert len(PHONEMIZER.options("play 音乐 please", "zh-en")) == 4
    assert [len(one) for one in PHONEMIZER.options("今日天气好好", "yue")] == [1]
