import pytest

from earmark.text.contexts import _contexts
from earmark.text.phonemes import Phonemizer
from earmark.text.syllables import split_syllable

DE = [
    # a particle
    ("跑得快", "p ao3 d e5 k uai4"),
    ("气得说不出话", "q i4 d e5 sh uo1 b u4 ch u1 h ua4"),
    ("她伤心得哭了", "t a1 sh ang1 x in1 d e5 k u1 l e5"),
    ("病得很重", "b ing4 d e5 h en3 zh ong4"),
    ("打得敌人跑了", "d a3 d e5 d i2 r en2 p ao3 l e5"),
    ("看得到", "k an4 d e5 d ao4"),
    ("受得了", "sh ou4 d e5 l iao3"),
    ("衣服洗得干净", "i1 f u5 x i3 d e5 g an1 j ing5"),
    # to get
    ("得了奖", "d e2 l e5 j iang3"),
    ("他得了第一名", "t a1 d e2 l e5 d i4 i1 m ing2"),
    ("她得过冠军", "t a1 d e2 g uo4 g uan4 j vn1"),
    ("你得感冒了", "n i3 d e2 g an3 m ao4 l e5"),
    ("我们得出了结论", "uo3 m en5 d e2 ch u1 l e5 j ie2 l uen4"),
    ("每题得三分", "m ei3 t i2 d e2 s an1 f en1"),
    ("得不到", "d e2 b u2 d ao4"),
    ("获得成功", "h uo4 d e2 ch eng2 g ong1"),
    # must
    ("得立即去医院", "d ei3 l i4 j i2 q v4 i1 van4"),
    ("你得去", "n i2 d ei3 q v4"),
    ("我们得走", "uo3 m en5 d ei2 z ou3"),
    ("这事得办", "zh e4 sh ir4 d ei3 b an4"),
    ("孩子得上学", "h ai2 z iz5 d ei3 sh ang4 x ve2"),
    ("明天得去", "m ing2 t ian1 d ei3 q v4"),
    ("吃饭得付钱", "ch ir1 f an4 d ei3 f u4 q ian2"),
    ("我得出去", "uo2 d ei3 ch u1 q v4"),
    ("晚上得早睡", "uan3 sh ang5 d ei2 z ao3 sh uei4"),
    ("他觉得得去", "t a1 j ve2 d e5 d ei3 q v4"),
    ("还得再来", "h ai2 d ei3 z ai4 l ai2"),
]
NAMES = [
    ("区先生", "ou1 x ian1 sh eng5"),
    ("任先生", "r en2 x ian1 sh eng5"),
    ("仇教授", "q iou2 j iao4 sh ou4"),
    ("单老师", "sh an4 l ao3 sh ir1"),
    ("解同学", "x ie4 t ong2 x ve2"),
    ("曾女士", "z eng1 n v3 sh ir4"),
    ("朴总", "p iao2 z ong3"),
    ("查医生", "zh a1 i1 sh eng5"),
    ("我找翟主任", "uo2 zh ao3 zh ai2 zh u3 r en4"),
    ("任经理来了", "r en2 j ing1 l i3 l ai2 l e5"),
    ("我姓单", "uo3 x ing4 sh an4"),
    ("他姓曾", "t a1 x ing4 z eng1"),
    ("曾国藩", "z eng1 g uo2 f an1"),
    # no names
    ("他任校长", "t a1 r en4 x iao4 zh ang3"),
    ("任何人", "r en4 h e2 r en2"),
    ("单位领导", "d an1 uei4 l ing2 d ao3"),
    ("曾经说过", "c eng2 j ing1 sh uo1 g uo4"),
    ("区长来了", "q v1 zh ang3 l ai2 l e5"),
    ("了解老师", "l iao2 j ie3 l ao3 sh ir1"),
]
OTHERS = [
    ("一只猫", "i4 zh ir1 m ao1"),
    ("这只是开始", "zh e4 zh ir3 sh ir4 k ai1 sh ir3"),
    ("睡得着吗", "sh uei4 d e5 zh ao2 m a5"),
    ("找着了", "zh ao3 zh ao2 l e5"),
    ("门开着呢", "m en2 k ai1 zh e5 n e5"),
    ("高兴地说", "g ao1 x ing4 d e5 sh uo1"),
    ("这块地很大", "zh e4 k uai4 d i4 h en3 d a4"),
    ("哟", "y o1"),
    ("哎哟", "ai1 y o1"),
    ("哦", "o2"),
]


@pytest.fixture(scope="module")
def phonemizer():
    return Phonemizer()


@pytest.mark.parametrize(("text", "expected"), [*DE, *NAMES, *OTHERS])
def test_readings_by_their_neighbours(phonemizer, text, expected):
    assert " ".join(phonemizer.label(text, "zh")) == expected


def test_the_users_words_stay():
    assert Phonemizer().label("任先生", "zh")[:2] == ["r", "en2"]
    from earmark.text.mandarin import mandarin_phones

    assert mandarin_phones("任先生", {"任": ("r", "en4")})[:2] == ("r", "en4")


def test_every_line_of_the_list_is_a_reading_of_its_character(phonemizer):
    from pypinyin.constants import PINYIN_DICT

    for character, (lines, default) in _contexts().items():
        possible = {split_syllable(one) for one in PINYIN_DICT[ord(character)].split(",")}
        for pinyin in [line[0] for line in lines] + ([default] if default else []):
            assert split_syllable(pinyin) in possible, (character, pinyin)
            initial, final, tone = split_syllable(pinyin)
            assert f"{final}{tone}" in phonemizer.inventory
            assert not initial or initial in phonemizer.inventory
