import pytest

from earmark.text.syllables import Syllable, split_syllable


@pytest.mark.parametrize(
    ("pinyin", "expected"),
    [
        ("zhōng", ("zh", "ong", 1)),
        ("shì", ("sh", "ir", 4)),
        ("sì", ("s", "iz", 4)),
        ("lǜ", ("l", "v", 4)),
        ("yuè", ("", "ve", 4)),
        ("de", ("d", "e", 5)),
        ("ńg", ("", "en", 2)),
        ("m̀", ("m", "u", 4)),
        ("ê̄", ("", "ei", 1)),
        ("yō", ("y", "o", 1)),
        ("yo", ("y", "o", 5)),
        ("o", ("", "o", 5)),
        ("zhong1", ("zh", "ong", 1)),
        ("lv4", ("l", "v", 4)),
        ("zi5", ("z", "iz", 5)),
    ],
)
def test_split_syllable(pinyin, expected):
    assert split_syllable(pinyin) == expected


def test_a_syllable_takes_another_reading():
    syllable = Syllable("着", "zh", "e", 5)
    syllable.read("zhao2")
    assert syllable.phones() == ["zh", "ao2"]
