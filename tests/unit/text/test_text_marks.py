"""What is not heard, as a specification: one case a line."""

import pytest

from earmark.decode.recognize import clean
from earmark.text.marks import plain_numbers
from earmark.text.normalise import normalise

UNHEARD = [
    # variation selectors of all planes, joiners, keycaps, tags, directions, skin tones, fillers
    ("I ❤\ufe0f you", "en", "i you"),
    ("葛\U000e0100城", "zh", "葛城"),
    ("step 1\ufe0f\u20e3", "en", "step one"),
    ("press #\ufe0f\u20e3 now", "en", "press now"),
    ("\U0001f3f4\U000e0067\U000e0062\U000e007f flag", "en", "flag"),
    ("👨\u200d👩\u200d👧 family 👍🏽", "en", "family"),
    ("a\u200fb \u202eright\u202c", "en", "ab right"),
    ("soft\u00adhyphen wo\u034frd", "en", "softhyphen word"),
    ("10\u2060000", "en", "ten thousand"),
    ("你\u3164好", "zh", "你好"),
    # signs that NFKC takes apart
    ("Acme™ phone", "en", "acme phone"),
    ("苹果®手机", "zh", "苹果手机"),
    ("Cola℠ and Foo(TM)", "en", "cola and foo"),
    ("© 2020 Acme", "en", "twenty twenty acme"),
    # entities
    ("it&#8217;s &#x27;ok&#x27;", "en", "it's ok"),
    ("there&amp;#39;s more", "en", "there's more"),
    ("R&amp;amp;D", "en", "r and d"),
    ("caf&eacute;", "en", "cafe"),
    ("5&nbsp;000 km", "en", "five thousand kilometers"),
    ("do&not stop", "en", "do and not stop"),
    ("&lt;b&gt;hi&lt;/b&gt;", "en", "hi"),
    ("你好&hellip;", "zh", "你好"),
    # tags and times
    ("<|0.00|> hello there<|2.50|>", "en", "hello there"),
    ("<|zh|><|0.00|>打开<|3.00|>", "zh", "打开"),
    ("[00:12.34] la", "en", "la"),
    ("00:00:01,000 --> 00:00:04,000 yes", "en", "yes"),
    ("<font color=\"#fff\">so</font> <c.yellow>it</c> <00:01:02.000>is", "en", "so it is"),
    ("a < b and c > d", "en", "a less than b and c greater than d"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "language", "expected"), UNHEARD)
def test_marks_are_not_heard_in_references_and_hypotheses(text, language, expected):
    assert normalise(text, language) == expected == clean(text, language)


@pytest.mark.parametrize("text", ["❤\ufe0f", "\U000e0100", "™", "<|0.00|>", "&nbsp;", "\u200d"])
def test_marks_alone_are_nothing(text):
    assert clean(text, "en") == clean(text, "zh") == ""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1'000'000", "1,000,000"),
        ("5\u202f000 km", "5,000 km"),
        ("1 000 000", "1,000,000"),
        ("12 345", "12 345"),
        ("1_000_000", "1000000"),
        ("12,34,567", "1234567"),
        ("1.234.567", "1234567"),
        ("192.168.100.200", "192.168.100.200"),
        ("10⁻³", "10^-3"),
        ("№ 7", "No. 7"),
        ("45º", "45°"),
        ("5—6", "5-6"),
        ("5'10", "5'10"),
    ],
)
def test_typography_of_numbers(text, plain):
    assert plain_numbers(text) == plain
