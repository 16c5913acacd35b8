import pytest

from earmark.text.phonemes import Phonemizer
from earmark.text.sandhi import third_tone_pairs

ER = [
    # the suffix
    ("小孩儿", "x iao3 h ai2 er5"),
    ("雨点儿", "v2 d ian3 er5"),
    ("一会儿", "i2 h uei4 er5"),
    ("这儿那儿", "zh e4 er5 n a4 er5"),
    ("花儿开了", "h ua1 er5 k ai1 l e5"),
    ("画画儿", "h ua4 h ua4 er5"),
    # a syllable of its own
    ("我儿子", "uo3 er2 z iz5"),
    ("他的儿子", "t a1 d e5 er2 z iz5"),
    ("两个儿子", "l iang3 g e4 er2 z iz5"),
    ("关爱儿童", "g uan1 ai4 er2 t ong2"),
    ("六一儿童节", "l iou4 i1 er2 t ong2 j ie2"),
    ("唱儿歌", "ch ang4 er2 g e1"),
    ("看儿科", "k an4 er2 k e1"),
    ("托儿所", "t uo1 er2 s uo3"),
    ("幼儿园", "iou4 er2 van2"),
    ("她儿媳", "t a1 er2 x i2"),
    ("有儿有女", "iou3 er2 iou2 n v3"),
]
YI = [
    ("一月一日", "i1 ve4 i1 r ir4"),
    ("十月一日", "sh ir2 ve4 i1 r ir4"),
    ("十一月一号", "sh ir2 i1 ve4 i1 h ao4"),
    ("一点七倍", "i1 d ian3 q i1 b ei4"),
    ("三点一四", "s an1 d ian3 i1 s iz4"),
    ("零点一米", "l ing2 d ian3 i1 m i3"),
    ("一点一点二", "i1 d ian3 i1 d ian3 er4"),
    ("一点四十分", "i4 d ian3 s iz4 sh ir2 f en1"),
    ("三点一刻", "s an1 d ian3 i2 k e4"),
    ("一点一点地", "i4 d ian3 i4 d ian3 d i4"),
    ("有一点贵", "iou3 i4 d ian3 g uei4"),
    ("一百一十个", "i4 b ai3 i1 sh ir2 g e4"),
    ("五百一十二元", "u2 b ai3 i1 sh ir2 er4 van2"),
    ("一千一百", "i4 q ian1 i4 b ai3"),
    ("一万零一", "i2 uan4 l ing2 i1"),
    ("一比四的比例", "i1 b i3 s iz4 d e5 b i3 l i4"),
    ("二比一", "er4 b i3 i1"),
    ("三比一战胜", "s an1 b i3 i1 zh an4 sh eng4"),
    ("三分之一的人", "s an1 f en1 zh ir1 i1 d e5 r en2"),
    ("百分之一百", "b ai3 f en1 zh ir1 i4 b ai3"),
    ("一加一等于二", "i1 j ia1 i1 d eng3 v2 er4"),
    ("一年级一班", "i1 n ian2 j i2 i4 b an1"),
    ("三年级一个班", "s an1 n ian2 j i2 i2 g e4 b an1"),
    ("从一到十", "c ong2 i1 d ao4 sh ir2"),
    ("五月一至三日", "u3 ve4 i1 zh ir4 s an1 r ir4"),
    ("一到家", "i2 d ao4 j ia1"),
    ("等一等", "d eng3 i5 d eng3"),
    ("一天一天", "i4 t ian1 i4 t ian1"),
]


@pytest.fixture(scope="module")
def phonemizer():
    return Phonemizer()


@pytest.mark.parametrize(("text", "expected"), [*ER, *YI])
def test_er_and_yi(phonemizer, text, expected):
    assert " ".join(phonemizer.label(text, "zh")) == expected


@pytest.mark.parametrize(
    ("words", "pairs"),
    [
        (["我"], []),
        (["我", "很"], [0]),
        (["我", "很", "好"], [0, 1]),
        (["小", "老虎"], [1, 0]),
        (["展览", "馆"], [0, 1]),
        (["我", "想", "买", "水果"], [0, 3, 2]),
        (["岂有此理"], [0, 2]),
        (["你好", "我", "很", "好"], [0, 2, 3]),
    ],
)
def test_third_tone_pairs(words, pairs):
    assert third_tone_pairs(words) == pairs
