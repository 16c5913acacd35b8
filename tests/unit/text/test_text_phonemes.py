"""Labels, as a specification: one case a line, pinyin spelled in initials and finals with spoken tones."""

import time

import pytest

from earmark.config import Text
from earmark.errors import TextError
from earmark.io import digest
from earmark.text.characters import spell
from earmark.text.inventory import PACKAGED, Inventory
from earmark.text.normalise import normalise
from earmark.text.phonemes import VERSION, Phonemizer

MANDARIN = [
    # initials and finals: no y or w, ü is v, two vowels for the i of zhi and zi
    ("中国", "zh ong1 g uo2"),
    ("人", "r en2"),
    ("雨", "v3"),
    ("月亮", "ve4 l iang5"),
    ("云", "vn2"),
    ("绿色", "l v4 s e4"),
    ("我", "uo3"),
    ("翁", "ueng1"),
    ("就", "j iou4"),
    ("知道", "zh ir1 d ao4"),
    ("日子", "r ir4 z iz5"),
    ("四十", "s iz4 sh ir2"),
    ("吃词", "ch ir1 c iz2"),
    ("嗯", "en2"),
    ("哼", "h eng1"),
    # neutral tone
    ("好吗", "h ao3 m a5"),
    ("妈妈", "m a1 m a5"),
    ("喜欢", "x i3 h uan5"),
    ("我们的", "uo3 m en5 d e5"),
    ("跑得快", "p ao3 d e5 k uai4"),
    # characters with several readings
    ("银行行长", "in2 h ang2 h ang2 zh ang3"),
    ("重新", "ch ong2 x in1"),
    ("重要", "zh ong4 iao4"),
    ("音乐", "in1 ve4"),
    ("快乐", "k uai4 l e4"),
    ("得到", "d e2 d ao4"),
    ("长头发", "ch ang2 t ou2 f a5"),
    ("长发", "ch ang2 f a4"),
    ("校长", "x iao4 zh ang3"),
    ("曲调", "q v3 d iao4"),
    ("弯曲", "uan1 q v1"),
    ("调查", "d iao4 ch a2"),
    ("空调", "k ong1 t iao2"),
    ("会计", "k uai4 j i4"),
    ("开会", "k ai1 h uei4"),
    ("还有", "h ai2 iou3"),
    ("归还", "g uei1 h uan2"),
    ("音乐快乐", "in1 ve4 k uai4 l e4"),
    ("看朝霞", "k an4 zh ao1 x ia2"),
    ("都市", "d u1 sh ir4"),
    ("都是", "d ou1 sh ir4"),
    # third tones
    ("你好", "n i2 h ao3"),
    ("老虎", "l ao2 h u3"),
    ("小老虎", "x iao3 l ao2 h u3"),
    ("展览馆", "zh an2 l an2 g uan3"),
    ("我很好", "uo2 h en2 h ao3"),
    ("很美丽", "h en2 m ei3 l i4"),
    ("买水果", "m ai3 sh uei2 g uo3"),
    ("我想买水果", "uo2 x iang3 m ai3 sh uei2 g uo3"),
    ("老师", "l ao3 sh ir1"),
    ("姐姐", "j ie3 j ie5"),
    # 一
    ("一", "i1"),
    ("一个", "i2 g e4"),
    ("一样", "i2 iang4"),
    ("一天", "i4 t ian1"),
    ("一年", "i4 n ian2"),
    ("一起", "i4 q i3"),
    ("第一", "d i4 i1"),
    ("第一个", "d i4 i1 g e4"),
    ("十一个", "sh ir2 i1 g e4"),
    ("星期一", "x ing1 q i1 i1"),
    ("一月", "i1 ve4"),
    ("万一", "uan4 i1"),
    ("同一个", "t ong2 i2 g e4"),
    ("一九九八年", "i1 j iou3 j iou3 b a1 n ian2"),
    ("看一看", "k an4 i5 k an4"),
    # 不
    ("不", "b u4"),
    ("不是", "b u2 sh ir4"),
    ("不好", "b u4 h ao3"),
    ("不一样", "b u4 i2 iang4"),
    ("好不好", "h ao3 b u5 h ao3"),
    # 儿
    ("花儿", "h ua1 er5"),
    ("一会儿", "i2 h uei4 er5"),
    ("哪儿", "n a3 er5"),
    ("女儿", "n v3 er2"),
    ("儿子", "er2 z iz5"),
]

ENGLISH = [
    ("hello world", "h ə l oʊ w ɜː l d"),
    ("yes", "y ɛ s"),
    ("zoo", "zz uː"),
    ("judge", "dʒ ʌ dʒ"),
    ("good", "g ʊ d"),
    ("red", "ɹ ɛ d"),
    ("don't", "d oʊ n t"),
    ("it's", "ɪ t s"),
    ("fire", "f aɪ ɚ"),
    ("car", "k ɑː ɹ"),
    ("four", "f ɔː ɹ"),
    ("little", "l ɪ ɾ ə l"),
    ("button", "b ʌ ʔ ə n"),
    ("idea", "aɪ d i ə"),
    ("client", "k l aɪ ə n t"),
    ("duration", "d ʊ ɹ eɪ ʃ ə n"),
    ("loch", "l ɑː k"),
    ("jalapeno", "h ɑː l ə p eɪ n y oʊ"),
    ("gps", "dʒ iː p iː ɛ s"),
]

CANTONESE = [
    ("唔该", "Ym4 g Yoi1"),
    ("佢哋去银行做嘢", "k Yeoi5 d Yei6 h Yeoi3 ŋ Yan4 h Yong4 z You6 y Ye5"),
    ("五个", "Yng5 g Yo3"),
    ("广东话", "gw Yong2 d Yung1 w Yaa2"),
    ("月亮", "y Yyut6 l Yoeng6"),
    # simplified characters that stand for several words
    ("里面", "l Yeoi5 m Yin6"),
    ("几多钱", "g Yei2 d Yo1 c Yin2"),
    ("后面有只猫", "h Yau6 m Yin6 y Yau5 z Yek3 m Yaau1"),
    ("干净", "g Yon1 z Yeng6"),
    ("头发", "t Yau4 f Yaat3"),
    ("发生", "f Yaat3 s Yang1"),
    # with English
    ("佢做紧 project 喎", "k Yeoi5 z You6 g Yan2 p ɹ ɑː dʒ ɛ k t w Yo3"),
]

STRESS_KEPT = [
    ("hello world", "h ə l ˈ oʊ w ˈ ɜː l d"),
    ("duration", "d ʊ ɹ ˈ eɪ ʃ ə n"),
    ("fire car", "f ˈ aɪ ɚ k ˈ ɑː ɹ"),
    ("understand", "ˌ ʌ n d ɚ s t ˈ æ n d"),
]

CODE_SWITCH = [
    ("打开 the window 好吗", "d a3 k ai1 ð ə w ɪ n d oʊ h ao3 m a5"),
    ("我用 wifi 上网", "uo3 iong4 w aɪ f aɪ sh ang4 uang3"),
    ("ok 好的", "oʊ k eɪ h ao3 d e5"),
]

AUDITED = [
    # 地 between what is said of a verb and the verb; the ground elsewhere
    ("高兴地说", "g ao1 x ing4 d e5 sh uo1"),
    ("认真地看", "r en4 zh en1 d e5 k an4"),
    ("静静地坐着", "j ing4 j ing4 d e5 z uo4 zh e5"),
    ("在地里", "z ai4 d i4 l i3"),
    ("这块地很大", "zh e4 k uai4 d i4 h en3 d a4"),
    ("北京地铁", "b ei3 j ing1 d i4 t ie3"),
    # characters that stand alone
    ("很长", "h en3 ch ang2"),
    ("长得高", "zh ang3 d e5 g ao1"),
    ("时间长了", "sh ir2 j ian1 ch ang2 l e5"),
    ("教我", "j iao1 uo3"),
    ("宗教", "z ong1 j iao4"),
    ("弹钢琴", "t an2 g ang1 q in2"),
    ("削苹果", "x iao1 p ing2 g uo3"),
    ("我还得走", "uo3 h ai2 d ei2 z ou3"),
    # 一 in pairs is no doubled verb
    ("一步一步", "i2 b u4 i2 b u4"),
    ("一天一天", "i4 t ian1 i4 t ian1"),
    ("试一试", "sh ir4 i5 sh ir4"),
    ("数一数", "sh u3 i5 sh u3"),
]


@pytest.fixture(scope="module")
def phonemizer():
    return Phonemizer()


@pytest.mark.parametrize(("text", "expected"), [*MANDARIN, *AUDITED])
def test_mandarin(phonemizer, text, expected):
    assert " ".join(phonemizer.label(text, "zh")) == expected


@pytest.mark.parametrize(("text", "expected"), ENGLISH)
def test_english(phonemizer, text, expected):
    assert " ".join(phonemizer.label(text, "en")) == expected


@pytest.mark.parametrize(("text", "expected"), CANTONESE)
def test_cantonese(phonemizer, text, expected):
    assert " ".join(phonemizer.label(text, "yue")) == expected


@pytest.mark.parametrize(("text", "expected"), STRESS_KEPT)
def test_stress_is_kept_where_the_setting_says_so(phonemizer, text, expected):
    kept = Phonemizer.from_settings(Text(stress="kept")).label(text, "en")
    assert " ".join(kept) == expected
    assert [phone for phone in kept if phone not in "ˈˌ"] == phonemizer.label(text, "en")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好", "你 好"),
        ("打开 the window 好吗", "打 开 t h e ▁ w i n d o w 好 吗"),
        ("don't stop", "d o n ' t ▁ s t o p"),
        ("佢哋喺度", "佢 哋 喺 度"),
    ],
)
def test_characters_are_targets_too_and_spell_back(text, expected):
    labeller = Phonemizer.from_settings(Text(targets="characters"))
    assert " ".join(labeller.label(text, "zh-en")) == expected
    assert spell(labeller.label(text, "zh-en")) == text


def test_rare_character_is_outside_the_characters():
    with pytest.raises(TextError) as caught:
        Phonemizer(targets="characters").label("𪜀", "zh")
    assert caught.value.reason == "phone outside the inventory"


def test_characters_have_neither_stress_nor_lexicon():
    with pytest.raises(ValueError, match="leave out stress and lexicon"):
        Text(targets="characters", stress="kept")


@pytest.mark.parametrize(("text", "expected"), CODE_SWITCH)
def test_code_switch(phonemizer, text, expected):
    assert " ".join(phonemizer.label(text, "zh-en")) == expected


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("3个", "zh", "cannot be labelled"),
        ("room 5", "en", "cannot be labelled"),
        ("mp3", "en", "cannot be labelled"),
        ("привет", "en", "cannot be labelled"),
        ("hello привет", "en", "cannot be labelled"),
        ("ありがとう", "zh", "cannot be labelled"),
        ("你好。", "zh", "cannot be labelled"),
        ("Hello", "en", "cannot be labelled"),
        ("𪜀", "zh", "cannot be labelled"),
        ("", "zh", "cannot be labelled"),
        ("𪜀", "yue", "cannot be labelled"),
        ("你好", "fr", "unknown language"),
    ],
)
def test_what_cannot_be_labelled(phonemizer, text, language, reason):
    with pytest.raises(TextError) as caught:
        phonemizer.label(text, language)
    assert caught.value.reason == reason


def test_phone_outside_the_inventory_is_named():
    small = Phonemizer(Inventory(("<blank>", "n", "i2", "h")))
    with pytest.raises(TextError, match="'ao3'") as caught:
        small.label("你好", "zh")
    assert caught.value.reason == "phone outside the inventory"


def test_many_texts_keep_their_order_and_errors_their_place(phonemizer):
    pairs = [("yes", "en"), ("3", "zh"), ("好", "zh"), ("yes 好", "zh-en"), ("yes", "en")]
    first, second, *rest = phonemizer.label_many(pairs)
    assert isinstance(second, TextError)
    assert [first, *rest] == [phonemizer.label(*pairs[i]) for i in (0, 2, 3, 4)]
    assert phonemizer.label_many([]) == []


def test_dialects_of_mandarin_take_mandarin_labels(phonemizer):
    assert phonemizer.label("你好", "zh-sichuan") == phonemizer.label("你好", "zh")


def test_all_labels_are_in_the_inventory(phonemizer):
    phones = phonemizer.label("我今天 really want to try 一下 the new restaurant 附近的", "zh-en")
    assert phonemizer.inventory.decode(phonemizer.inventory.encode(phones)) == phones


def test_short_sentences_are_labelled_fast(phonemizer):
    """2,500 sentences take 0.5 s on one core; the limit leaves room for a loaded machine."""
    pairs = [(f"{a}想买{b}水果", "zh") for a in "我你他她它" for b in "红黄蓝绿白黑青紫灰粉"] * 25
    pairs += [(f"the {a} {b} walks home", "en") for a in ("old", "big", "red") for b in ("cat", "dog")] * 200
    phonemizer.label("打开 the window", "zh-en")
    start = time.perf_counter()
    labels = phonemizer.label_many(pairs)
    assert time.perf_counter() - start < 3
    assert not any(isinstance(label, TextError) for label in labels)


# ---------------------------------------------------------------------------- what labels depend on

SAMPLES = [
    ("2024年12月2日, 第2名得了¥1,200.50", "zh"),
    ("拨打010-12345678, iPhone 15 Pro打8.5折", "zh"),
    ("911事件, 301医院, 1米75, 10³, 220V", "zh"),
    ("他一会儿不去银行行长那儿, 老虎展览馆", "zh"),
    ("他高兴地教我一步一步弹琴", "zh"),
    ("巴适得板", "zh-sichuan"),
    ("佢哋喺度食咗2碗雲吞麵", "yue"),
    ("On May 5, 2020 Dr. Smith paid $5.20 at 3:30 pm <COMMA> didn't he", "en"),
    ("这个project有3个bug, deadline是5月1日", "zh-en"),
    ("10月1日-7日, 9点-11点", "zh"),
    ("in the mid-1980s", "en"),
    ("World War II on Mt. Everest, 15-02-2021, ₩20 million at .75 km, call 135-4567-8900", "en"),
    ("人数≥20万, 3 + 4 = 7, -1/4, 86年8月18日, 歼-20以4-0获胜", "zh"),
    ("早上任先生得走了, 他得了奖, 背着包的确定性, 儿子看著一点五", "zh"),
    ("睇吓幾多隻, 2蚊", "yue"),
]
LABELS = {"5": "1615b55d9b05044a"}
"""Of each version of the rules: hash of the samples' texts and phones."""


def test_other_rules_are_another_version(phonemizer):
    """Shards carry the version: when this fails, raise VERSION and write down the new hash beside it."""
    texts = [(normalise(text, language), language) for text, language in SAMPLES]
    assert digest(texts, phonemizer.label_many(texts)) == LABELS[VERSION]


def test_hash_is_of_all_that_labels_depend_on(tmp_path, monkeypatch):
    lexicon, phones = tmp_path / "lexicon.tsv", tmp_path / "phones.txt"
    phones.write_bytes(PACKAGED["phones"].read_bytes() + b"new\n")
    lexicon.write_text("重庆\tch ong2 q ing4\n", encoding="utf-8")
    kinds = [
        Text(),
        Text(stress="kept"),
        Text(targets="characters"),
        Text(lexicon=lexicon),
        Text(inventory=phones),
    ]
    found = [Phonemizer.from_settings(kind).hash for kind in kinds]
    assert len(set(found)) == len(kinds)
    assert Phonemizer().hash == found[0]
    lexicon.write_text("# a comment changes nothing\n重庆\tch ong2 q ing4\n", encoding="utf-8")
    assert Phonemizer.from_settings(Text(lexicon=lexicon)).hash == found[3]
    lexicon.write_text("重庆\tzh ong4 q ing4\n", encoding="utf-8")
    assert Phonemizer.from_settings(Text(lexicon=lexicon)).hash not in found
    monkeypatch.setattr("earmark.text.phonemes.VERSION", "another")
    assert Phonemizer().hash not in found
