"""MSR-86K: segments of videos, one JSON a set."""

import json

import pytest
from miniatures.msr_86k import make, video
from rows import brief, rows_of, statuses

from earmark.corpora.public import lines
from earmark.errors import CorpusError


def test_rows_say_what_the_segments_say(tmp_path):
    rows = rows_of(make(tmp_path), tmp_path / "run")
    assert brief(rows, "id", "split", "offset", "duration", "raw_text", "speaker") == [
        ("msr-xyzXYZ67890_0000", "valid", 0.5, 1.0, "IT'S A TEST", "xyzXYZ67890"),
        ("msr-abcDEF12345_0001", "train", 0.25, 1.0, "HELLO EVERYONE", "abcDEF12345"),
        ("msr-abcDEF12345_0000", "train", 1.5, 1.25, "WELCOME BACK", "abcDEF12345"),
    ]
    assert rows[1]["audio"] == str(tmp_path / "audio/abcDEF12345.opus")
    assert {row["language"] for row in rows} == {"en"}


def test_bad_videos_and_segments_are_set_aside(tmp_path):
    corpus = make(tmp_path).model_copy(update={"subsets": ["train"]})
    good = video("abcDEF12345", (0.0, 1.0, "YES"), (2.0, 1.0, "BACKWARDS"), (1.0, 2.0, ""))
    odd = [{"aid": "noSegments"}, video("goneGONE000", (0.0, 1.0, "GONE")), {"aid": "a", "segments": ["no", 7]}]
    (tmp_path / "train.json").write_text(json.dumps({"audios": [good, *odd]}))
    assert statuses(rows_of(corpus, tmp_path / "run")) == {
        "kept": 1,
        "segment is not a time span": 3,
        "no transcript": 1,
        "audio has no aid or no segments": 1,
        "missing audio": 1,
    }


def test_a_file_that_was_cut_short_keeps_the_videos_that_precede(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "_CHUNK", 64)  # objects are longer than a chunk
    corpus = make(tmp_path).model_copy(update={"subsets": ["train"]})
    text = json.dumps({"audios": [video("abcDEF12345", (0.0, 1.0, "ONE")), video("abcDEF12345", (1.0, 2.0, "TWO"))]})
    (tmp_path / "train.json").write_text(text[:-30])
    rows = rows_of(corpus, tmp_path / "run")
    assert statuses(rows) == {"kept": 1, "file is cut short or damaged": 1}
    assert rows[1]["id"] == "msr-train.json:2"


def test_json_of_something_else_is_refused(tmp_path):
    corpus = make(tmp_path)
    (tmp_path / "train.json").write_text('{"audio": []}')
    with pytest.raises(CorpusError, match=r"train\.json has no list `audios`, as MSR-86K"):
        rows_of(corpus, tmp_path / "run")
