"""CS-Dialogue: utterances by the index."""

import tarfile

import pytest
from miniatures.cs_dialogue import make
from rows import append, brief, rows_of, statuses

from earmark.errors import CorpusError


def test_rows_say_what_the_index_says(tmp_path):
    rows = rows_of(make(tmp_path), tmp_path / "run")
    assert brief(rows, "id", "split", "language", "speaker", "duration") == [
        ("dialogue-ZH-CN_U0001_S0_2", "train", "zh", "ZH-CN_U0001", 0.5),
        ("dialogue-ZH-CN_U0001_S0_101", "train", "zh-en", "ZH-CN_U0001", 0.75),
        ("dialogue-ZH-CN_U0058_S0_7", "valid", "en", "ZH-CN_U0058", 0.5),
        ("dialogue-ZH-CN_U1003_S0_56", "test_cs_dialogue", "zh-en", "ZH-CN_U1003", 0.5),
    ]
    assert rows[1]["raw_text"] == "我觉得这个 project 很 interesting"
    assert rows[0]["offset"] == 0.0


def test_the_archive_is_read_in_place_or_found_where_it_was_unpacked(tmp_path):
    corpus = make(tmp_path)
    plain = rows_of(corpus, tmp_path / "run")
    (tmp_path / "data/short_wav").rename(tmp_path / "inner")
    (tmp_path / "data/short_wav").mkdir()
    with tarfile.open(tmp_path / "data/short_wav/short_wav.tar", "w") as tar:
        tar.add(tmp_path / "inner", "short_wav")
    (tmp_path / "data/short_wav/short_wav.tar.gz00").write_bytes(b"")
    packed = rows_of(corpus, tmp_path / "run")
    assert packed[0]["member"] == "short_wav/WAVE/C0/ZH-CN_U0001_S0/ZH-CN_U0001_S0_2.wav"
    (tmp_path / "data/short_wav/short_wav.tar").unlink()
    (tmp_path / "inner").rename(tmp_path / "data/short_wav/short_wav")
    inside = rows_of(corpus, tmp_path / "run")
    columns = ("id", "split", "duration", "status")
    assert brief(plain, *columns) == brief(packed, *columns) == brief(inside, *columns)


def test_an_archive_in_pieces_is_an_error_that_says_how_to_unpack_it(tmp_path):
    corpus = make(tmp_path)
    (tmp_path / "data/short_wav").rename(tmp_path / "away")
    (tmp_path / "data/short_wav").mkdir()
    (tmp_path / "data/short_wav/short_wav.tar.gz00").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"cat .*short_wav\.tar\.gz\* \| tar xzf - -C"):
        rows_of(corpus, tmp_path / "run")


def test_bad_lines_are_set_aside(tmp_path):
    corpus = make(tmp_path).model_copy(update={"subsets": ["test"]})
    index = tmp_path / "data/index/short_wav/test"
    append(index / "text", "ZH-CN_U1003_S0_57")
    append(index / "text", "ZH-CN_U1003_S0_58 没有 audio")
    append(index / "text", "ZH-CN_U1003_S0_59 \udcff\udcfe")
    append(index / "wav.scp", "ZH-CN_U1003_S0_60 short_wav/WAVE/C0/ZH-CN_U1003_S0/ZH-CN_U1003_S0_56.wav")
    assert statuses(rows_of(corpus, tmp_path / "run")) == {
        "kept": 1,
        "line has no value": 1,
        "missing audio": 1,
        "line is not UTF-8": 1,
        "no transcript": 1,
    }


def test_an_index_without_its_list_is_refused(tmp_path):
    corpus = make(tmp_path)
    (tmp_path / "data/index/short_wav/dev/wav.scp").unlink()
    with pytest.raises(CorpusError, match=r"dev holds no wav\.scp, as CS-Dialogue"):
        rows_of(corpus, tmp_path / "run")
