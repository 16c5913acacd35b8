"""AISHELL-2021-Eval in the layout that is assumed."""

import pytest
from miniatures.aishell_2021_eval import make
from rows import append, brief, rows_of, statuses

from earmark.errors import CorpusError


def test_rows_say_what_the_lists_say(tmp_path):
    rows = rows_of(make(tmp_path), tmp_path / "run")
    assert brief(rows, "id", "split", "language", "duration", "raw_text") == [
        ("eval-A-A0001", "test_aishell_2021_a", "zh", 0.5, "导航去最近的加油站"),
        ("eval-A-A0002", "test_aishell_2021_a", "zh", 0.75, "打开空调"),
        ("eval-C-C0001", "test_aishell_2021_c", "zh", 0.5, "您好请问"),
        ("eval-D-D0001", "test_aishell_2021_d", "zh", 0.5, "播放音乐"),
    ]
    assert brief(rows, "offset", "speaker", "member") == [(0.0, None, None)] * 4


def test_bad_lines_are_set_aside(tmp_path):
    corpus = make(tmp_path).model_copy(update={"subsets": ["C"]})
    append(tmp_path / "C/trans.txt", "C0002")
    append(tmp_path / "C/trans.txt", "C0003\t没有")
    append(tmp_path / "C/wav.scp", "C0004\t../A/wav/A0001.wav")
    (tmp_path / "C/wav/C0001.wav").write_bytes(b"")
    assert statuses(rows_of(corpus, tmp_path / "run")) == {
        "undecodable audio": 1,
        "missing audio": 2,
        "line has no value": 1,
    }


def test_a_part_without_its_list_is_refused(tmp_path):
    corpus = make(tmp_path)
    (tmp_path / "D/trans.txt").unlink()
    with pytest.raises(
        CorpusError, match=r"D holds no trans\.txt, as AISHELL-2021-Eval \(AISHELL-2's layout assumed\)"
    ):
        rows_of(corpus, tmp_path / "run")
