"""The normaliser, as a specification: one case a line."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earmark.errors import TextError, UserError
from earmark.text import normalise as module
from earmark.text import numbers, wetext
from earmark.text.normalise import normalise, script_runs, tokens

WITHOUT_NUMBERS = [
    # punctuation and case
    ("你好，世界！", "zh", "你好世界"),
    ("哈哈哈！！！", "zh", "哈哈哈"),
    ("《红楼梦》——曹雪芹", "zh", "红楼梦曹雪芹"),
    ("“好”、‘不好’……", "zh", "好不好"),
    ("Hello, World!", "en", "hello world"),
    ("WAIT -- what?!", "en", "wait what"),
    ("well-known state-of-the-art", "en", "well known state of the art"),
    ("snake_case and/or", "en", "snake case and or"),
    ("the U.S. army", "en", "the u s army"),
    ("end.Next", "en", "end next"),
    ("(parenthesis) {braces}", "en", "parenthesis braces"),
    # apostrophes
    ("don't", "en", "don't"),
    ("Don’t", "en", "don't"),
    ("don`t don´t", "en", "don't don't"),
    ("It's five o'clock", "en", "it's five o'clock"),
    ("rock 'n' roll", "en", "rock n roll"),
    ("the dogs' bowls", "en", "the dogs bowls"),
    ("'quoted'", "en", "quoted"),
    ("I'd've", "en", "i'd've"),
    ("'", "en", None),
    # full width, compatibility and zero-width characters
    ("ＡＢＣ　ｄｅｆ", "en", "abc def"),
    ("ﬁre ﬂy", "en", "fire fly"),
    ("zero\u200bwidth", "en", "zerowidth"),
    ("tab\tand\nline", "en", "tab and line"),
    ("no\u00a0break", "en", "no break"),
    ("你\ufeff好", "zh", "你好"),
    # accents and ligatures
    ("Café naïve", "en", "cafe naive"),
    ("Straße Ærø Œuvre", "en", "strasse aero oeuvre"),
    ("cafe\u0301", "en", "cafe"),
    # traditional to simplified
    ("銀行", "zh", "银行"),
    ("軟體開發", "zh", "软体开发"),
    ("乾淨的頭髮", "zh", "干净的头发"),
    ("乾隆皇帝", "zh", "乾隆皇帝"),
    ("著名", "zh", "著名"),
    ("香港嘅天氣", "yue", "香港嘅天气"),
    ("裏面", "zh-en", "里面"),
    ("二〇二四", "zh", "二零二四"),
    # spaces
    ("你 好 吗", "zh", "你好吗"),
    ("  hello   world  ", "en", "hello world"),
    ("打开the window好吗", "zh-en", "打开 the window 好吗"),
    ("打开 the window 好吗", "zh-en", "打开 the window 好吗"),
    ("打开，the window。好吗？", "zh-en", "打开 the window 好吗"),
    ("我用WiFi上网", "zh", "我用 wifi 上网"),
    # tags of corpora
    ("HELLO <COMMA> WORLD <PERIOD>", "en", "hello world"),
    ("WHY <QUESTIONMARK>", "en", "why"),
    ("<NOISE>你好", "zh", "你好"),
    ("<|zh|>你好</s>", "zh", "你好"),
    ("so [laughter] funny [*]", "en", "so funny"),
    ("[LAUGHTER]好", "zh", "好"),
    ("<spoken_noise> yes", "en", "yes"),
    ("＜ＮＯＩＳＥ＞好", "zh", "好"),
    ("a < b and c > d", "en", "a b and c d"),
    # other scripts stay, so that labelling can refuse them
    ("Привет, мир", "en", "привет мир"),
    ("ありがとう", "zh", "ありがとう"),
    ("好😀的", "zh", "好的"),
    # dialects
    ("巴适得板", "zh-sichuan", "巴适得板"),
    # nothing left
    ("", "zh", None),
    ("   ", "en", None),
    ("……！？", "zh", None),
    ("<NOISE>", "en", None),
    ("[laughter] <SIL>", "zh-en", None),
    ("😀", "zh", None),
]

WITH_NUMBERS = [
    # Chinese
    ("我有3个苹果", "zh", "我有三个苹果"),
    ("我有２个", "zh", "我有两个"),
    ("2020年5月1日", "zh", "二零二零年五月一日"),
    ("5 月 1 日", "zh", "五月一日"),
    ("涨了3.5%", "zh", "涨了百分之三点五"),
    ("３．５％", "zh", "百分之三点五"),
    ("¥100", "zh", "一百元"),
    ("1,000元", "zh", "一千元"),
    ("气温-5°C", "zh", "气温负五摄氏度"),
    ("20℃", "zh", "二十摄氏度"),
    ("重5kg", "zh", "重五千克"),
    ("2+3=5", "zh", "二加三等于五"),
    ("10:30开会", "zh", "十点三十分开会"),
    ("第1名", "zh", "第一名"),
    ("12 13", "zh", "十二十三"),
    ("玩儿2天", "zh", "玩儿两天"),
    ("呃，有5个", "zh", "呃有五个"),
    ("2個蘋果", "yue", "两个苹果"),
    # English
    ("I have 3 apples", "en", "i have three apples"),
    ("50%", "en", "fifty percent"),
    ("$5.20", "en", "five point two dollars"),
    ("May 5, 2020", "en", "may five twenty twenty"),
    ("at 3:30 pm", "en", "at three thirty pm"),
    ("the 2nd", "en", "the second"),
    ("3½ cups", "en", "three and a half cups"),
    ("AT&T", "en", "at and t"),
    ("a@b.com", "en", "a at b dot com"),
    ("٣ apples", "en", "three apples"),
    # code-switch: the neighbours choose
    ("我 have 3 apples", "zh-en", "我 have three apples"),
    ("50% off今天", "zh-en", "百分之五十 off 今天"),
    ("我用iPhone 15", "zh-en", "我用 iphone 十五"),
    ("iPhone 15 Pro很好", "zh-en", "iphone fifteen pro 很好"),
    ("3G网络", "zh", "三 g 网络"),
    ("我学C++", "zh", "我学 c plus plus"),
    ("2020", "zh", "两千零二十"),
    ("2020", "en", "twenty twenty"),
    ("привет 5", "en", "привет five"),
]


@pytest.mark.parametrize(("text", "language", "expected"), WITHOUT_NUMBERS + WITH_NUMBERS)
def test_normalise(text, language, expected):
    if expected is None:
        with pytest.raises(TextError) as caught:
            normalise(text, language)
        assert caught.value.reason == "empty after normalising"
    else:
        assert normalise(text, language) == expected
        assert normalise(expected, language) == expected


@pytest.mark.parametrize("language", ["fr", "", "ZH", "zh_cn", "english"])
def test_unknown_language_is_named(language):
    with pytest.raises(TextError, match=repr(language)) as caught:
        normalise("你好", language)
    assert caught.value.reason == "unknown language"


LANGUAGES = st.sampled_from(["zh", "en", "zh-en", "yue"])
CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("你好乾著裏〇 ab'-.,<>[]Éßが")
# Numbers and symbols cost 1-100 ms each, so that they get fewer examples.
NUMBERS = st.text(st.sampled_from("0123456789.%$€+-=/:,&@ aK我个年½²"), max_size=8)


@settings(max_examples=400, deadline=None)
@given(st.text(CHARACTERS.filter(lambda c: not numbers.SPOKEN.search(module._plain(c))), max_size=20), LANGUAGES)
def test_normalising_twice_changes_nothing(text, language):
    assert_canonical(text, language)


@settings(max_examples=60, deadline=None)
@given(NUMBERS, LANGUAGES)
def test_normalising_numbers_twice_changes_nothing(text, language):
    assert_canonical(text, language)


def assert_canonical(text, language):
    try:
        once = normalise(text, language)
    except TextError as error:
        assert error.reason == "empty after normalising"
        return
    assert all(normalise(once, other) == once for other in ("zh", "en", "zh-en"))
    assert once == " ".join(once.split())
    assert not any(c.isdigit() or c.isupper() for c in once if c.lower() != c or c.isdecimal())


def test_digits_that_no_rule_reads_are_read_one_by_one(monkeypatch):
    class Broken:
        def normalize(self, text):
            raise ValueError("Unable to compile")

    wetext.fst_reading.cache_clear()
    monkeypatch.setattr(wetext, "normaliser", lambda language: Broken())
    try:
        assert normalise("我有30个", "zh") == "我有三零个"
        assert normalise("room 30", "en") == "room three zero"
    finally:
        wetext.fst_reading.cache_clear()


def test_plain_text_loads_no_rules():
    code = (
        "import sys; from earmark.text.normalise import normalise;"
        "from earmark.text.phonemes import Phonemizer; light = set(sys.modules);"
        "assert normalise('銀行, don’t', 'zh-en') == \"银行 don't\";"
        "assert not {'opencc', 'pypinyin', 'phonemizer'} & light, light;"
        "assert not {'tn', 'pynini'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_cache_folder_follows_the_user_s_setting(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert wetext.cache_dir() == tmp_path / "earmark"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert wetext.cache_dir() == tmp_path / ".cache" / "earmark"


def test_a_slower_process_takes_the_rules_that_a_faster_one_built(tmp_path):
    folder = tmp_path / "rules"

    def build(built):
        built.mkdir()
        (built / "mine").touch()
        folder.mkdir()
        (folder / "theirs").touch()

    wetext.build_whole(folder, build)
    assert [entry.name for entry in tmp_path.rglob("*")] == ["rules", "theirs"]


def test_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="XDG_CACHE_HOME"):
        wetext.chinese(tmp_path / "file" / "rules")


@pytest.mark.slow
def test_chinese_rules_are_built_once_and_whole(tmp_path):
    folder = tmp_path / "rules"
    wetext.chinese(folder)
    built = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert set(built) == {"zh_tn_tagger.fst", "zh_tn_verbalizer.fst"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["rules"]
    assert wetext.chinese(folder).normalize("玩儿2天") == "玩儿两天"
    assert built == {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好", ["你", "好"]),
        ("don't stop", ["don't", "stop"]),
        ("打开 the window 好吗", ["打", "开", "the", "window", "好", "吗"]),
        ("привет 好", ["привет", "好"]),
        ("𠀀a", ["𠀀", "a"]),
        ("", []),
    ],
)
def test_tokens_are_characters_and_words(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好", [("zh", "你好")]),
        ("hello big world", [("en", "hello big world")]),
        ("打开 the window 好吗", [("zh", "打开"), ("en", "the window"), ("zh", "好吗")]),
        ("don't 停", [("en", "don't"), ("zh", "停")]),
        ("hello привет world", [("en", "hello"), ("und", "привет"), ("en", "world")]),
        ("a3 b", [("und", "a3"), ("en", "b")]),
        ("3个", [("und", "3"), ("zh", "个")]),
        ("", []),
    ],
)
def test_script_runs(text, expected):
    assert script_runs(text) == expected
