import pytest

from earmark.errors import TextError
from earmark.text.normalise import WRONG_SCRIPT as WRONG
from earmark.text.normalise import script_fault


@pytest.mark.parametrize(
    ("text", "language", "fault"),
    [
        ("你好", "zh", None),
        ("我用 wifi 上网", "zh", None),
        ("please subscribe", "zh", WRONG),
        ("ありがとう", "zh", WRONG),
        ("世界の友達", "zh", WRONG),
        ("안녕하세요", "zh", WRONG),
        ("你好 привет", "zh", WRONG),
        ("巴适得板", "zh-sichuan", None),
        ("ok", "zh-sichuan", WRONG),
        ("hello world", "en", None),
        ("don't", "en", None),
        ("hello 世界", "en", WRONG),
        ("привет", "en", WRONG),
        ("mp3", "en", None),
        ("唔该晒", "yue", None),
        ("唔该 sir", "yue", None),
        ("thank you", "yue", WRONG),
        ("打开 the window", "zh-en", None),
        ("你好", "zh-en", None),
        ("hello", "zh-en", None),
        ("hello かな", "zh-en", WRONG),
    ],
)
def test_script_fault(text, language, fault):
    assert script_fault(text, language) == fault


def test_unknown_language_is_named():
    with pytest.raises(TextError, match="'fr'"):
        script_fault("bonjour", "fr")
