"""Lines, texts, times and paths that may be anything."""

import gzip
import json

import pytest

from earmark.config import FolderCorpus
from earmark.corpora.entries import MAX_LINE, bad_line, described, files, json_lines, seconds, string
from earmark.errors import CorpusError


@pytest.fixture
def corpus(tmp_path):
    return FolderCorpus(name="mine", reader="folder", path=tmp_path)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", "a"), ("", ""), (7, "7"), (True, None), (None, None), (1.5, None), (["a"], None), ("\ud800", None)],
)
def test_what_is_a_text(value, expected):
    assert string(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        (0.5, 0.5),
        ("2.5", 2.5),
        *((value, None) for value in (-1, float("nan"), float("inf"), "x", True, None, [1], 10**400, "1e999")),
    ],
)
def test_what_is_a_time(value, expected):
    assert seconds(value) == expected


def test_languages_go_by_their_names_in_the_data(tmp_path):
    corpus = FolderCorpus(
        name="m", reader="folder", path=tmp_path, language="yue", languages={"cmn": "zh"}, split="valid"
    )
    assert described(corpus, "x", "cmn", 7, "test_a") == {
        "split": "test_a",
        "language": "zh",
        "speaker": "7",
        "raw_text": "x",
    }
    assert described(corpus, "x", None, None, None)["language"] == "yue"
    assert described(corpus, "x", None, None, "")["split"] == "valid"
    assert described(corpus, "x", "fr", None, None)["status"] == "unknown language"


@pytest.mark.parametrize(
    ("values", "status"),
    [
        (("x", None, None, None), "unknown language"),
        (("x", ["en"], None, None), "unknown language"),
        ((None, "en", None, None), "no text"),
        (("\udc80", "en", None, None), "no text"),
        (("x", "en", None, "../up"), "split is not a name"),
        (("x", "en", None, "a" * 9 + "\n"), "split is not a name"),
    ],
)
def test_what_cannot_be_used_is_the_status(corpus, values, status):
    assert described(corpus, *values)["status"] == status


def test_a_bad_line_names_file_and_number_and_keeps_the_line(corpus, tmp_path):
    row = bad_line(corpus, tmp_path / "a.jsonl", 17, "{bad" + "x" * 900, "line is not JSON")
    assert (row["id"], row["status"]) == ("mine-a.jsonl:17", "line is not JSON")
    assert row["audio"] == str(tmp_path / "a.jsonl")
    assert row["raw_text"].startswith("{badx")
    assert len(row["raw_text"]) == 500


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_lines_of_json_and_what_is_wrong_with_them(tmp_path, name):
    lines = [b'{"a": 1}', b"", b"[1]", b"{bad", b'{"a": "\xff"}', b"[" * 100_000, b"1" * 5000, b'{"a": "\\ud800"}']
    data = b"\xef\xbb\xbf" + b"\n".join(lines)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    found = list(json_lines(tmp_path / name))
    assert [(line.number, line.fault) for line in found] == [
        (1, ""),
        (3, "line is not a JSON object"),
        (4, "line is not JSON"),
        (5, "line is not UTF-8"),
        (6, "line is not JSON"),
        (7, "line is not JSON"),
        (8, ""),
    ]
    assert found[0].value == {"a": 1}


def test_damaged_gzip_keeps_what_precedes_the_damage(tmp_path):
    packed = gzip.compress("".join(json.dumps({"n": n, "x": str(n) * 50}) + "\n" for n in range(2000)).encode())
    (tmp_path / "a.gz").write_bytes(packed[: len(packed) // 2])
    *good, last = json_lines(tmp_path / "a.gz")
    assert len(good) > 100
    assert [line.value["n"] for line in good if line.value] == list(range(len(good)))
    assert (last.number, last.value, last.fault) == (len(good) + 1, None, "file is cut short or damaged")
    (tmp_path / "a.gz").write_bytes(b"not gzip")
    (only,) = json_lines(tmp_path / "a.gz")
    assert only.fault == "file is cut short or damaged"


def test_a_gzip_of_zeros_ends_at_the_longest_line(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(bytes(4 * MAX_LINE)))
    (line,) = json_lines(tmp_path / "a.jsonl.gz")
    assert (line.number, line.value, line.fault) == (1, None, "line without an end")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("*.no", r"holds no file \*\.no"),
        ("/etc/*", "is no pattern of files"),
        ("", "is no pattern of files"),
        ("../*.txt", "lies outside"),
        ("link.txt", "lies outside"),
    ],
)
def test_patterns_stay_inside_and_find_something(tmp_path, pattern, message):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "outside.txt").write_text("x")
    (inside / "link.txt").symlink_to(tmp_path / "outside.txt")
    corpus = FolderCorpus(name="mine", reader="folder", path=inside)
    with pytest.raises(CorpusError, match=message):
        files(corpus, pattern)
