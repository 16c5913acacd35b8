import pytest

from earmark.text.normalise import normalise
from earmark.text.simplified import simplified

WORDS = [
    # the particle and the verb, which Taiwan and Hong Kong write 著
    ("看著我", "看着我"),
    ("他著急了", "他着急了"),
    ("睡著了", "睡着了"),
    ("執著", "执着"),
    ("沉著應戰", "沉着应战"),
    ("穿著附著膠著", "穿着附着胶着"),
    ("著手著重著眼於", "着手着重着眼于"),
    ("大著膽子", "大着胆子"),
    ("討論著問題", "讨论着问题"),
    ("合著眼", "合着眼"),
    ("搵著數", "揾着数"),
    # writing and fame
    ("著名作家", "著名作家"),
    ("世界著名著作", "世界著名著作"),
    ("顯著", "显著"),
    ("原著譯著論著編著", "原著译著论著编著"),
    ("四大名著", "四大名著"),
    ("土著", "土著"),
    ("見微知著", "见微知著"),
    ("著書立說", "著书立说"),
    ("他著有多部小說", "他著有多部小说"),
    # one of the two before the other
    ("看著名著", "看着名著"),
    ("看著名單寫著作業", "看着名单写着作业"),
    ("對著錄音機試著書寫", "对着录音机试着书写"),
    # variants of one character
    ("揹著粧敍痺痲", "背着妆叙痹麻"),
    ("妳和牠和祂", "你和它和他"),
    ("姪子餽贈", "侄子馈赠"),
    # words of another spelling
    ("身分", "身份"),
    ("部份", "部分"),
    ("企畫計畫規畫", "企划计划规划"),
    ("甚麼甚至", "什么甚至"),
    # Cantonese keeps what it writes
    ("枱餸嗰躝", "枱餸嗰躝"),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_one_spelling_idempotent(text, expected):
    assert simplified(text) == expected
    assert simplified(expected) == expected
    assert normalise(text, "zh") == expected


def test_other_scripts_stay():
    assert simplified("the window") == "the window"
    assert simplified("naïve ありがとう") == "naïve ありがとう"
