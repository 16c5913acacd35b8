import os
import subprocess
import sys
from pathlib import Path

import pytest
from polyphones import cases, share_right

from earmark.text.readings import known_words
from earmark.text.segment import Words

BOUNDARIES = Path(__file__).with_name("boundaries.txt")


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("银行行长喜欢小老虎", ["银行", "行长", "喜欢", "小", "老虎"]),
        ("美元的确定性", ["美元", "的", "确定", "性"]),
        ("中国的士兵", ["中国", "的", "士兵"]),
        ("他的确来了", ["他", "的确", "来", "了"]),
        ("为了解决问题", ["为了", "解决", "问题"]),
        ("飞机降落", ["飞机", "降落"]),
        ("我儿子", ["我", "儿子"]),
        # particles are no part of a word
        ("看着我", ["看", "着", "我"]),
        ("", []),
        ("龘", ["龘"]),
    ],
)
def test_likeliest_words(run, words):
    assert known_words().cut(run) == words


def test_known_words_are_likelier_than_their_parts_but_not_than_words_across():
    words = Words(["老虎机器", "的确定"])
    assert words.cut("老虎机器") == ["老虎机器"]
    assert words.cut("美元的确定性") == ["美元", "的", "确定", "性"]


def test_own_words_go_before_all_others():
    assert known_words().cut("美元的确定性", {"元的确": 1}) == ["美", "元的确", "定性"]
    assert known_words().cut("喜欢你", {"喜": 1}) == ["喜", "欢", "你"]


def test_readings_at_the_boundaries_of_words():
    """pypinyin, which takes the longest match from the left, has 60 % of them."""
    found = cases(BOUNDARIES)
    assert len(found) >= 60
    assert share_right(found) >= 0.92


def test_jieba_is_not_imported_and_writes_no_cache(tmp_path):
    """Its import sets up logging to the terminal, its first use writes a cache into the temporary directory."""
    program = (
        "import sys; from earmark.text.mandarin import mandarin_phones; mandarin_phones('中国的士兵'); "
        "assert 'jieba' not in sys.modules"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_a_word_met_again_is_cut_as_before():
    """Known words are scored when they are first met."""
    words = Words(["的士兵", "士兵"])
    assert [words.cut("中国的士兵") for _ in range(2)] == [["中国", "的士兵"]] * 2
