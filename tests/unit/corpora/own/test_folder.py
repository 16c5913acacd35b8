"""One's own corpus: what a table may hold, and what becomes of each mistake in it."""

import json

import pytest
from miniatures.folder import make

from earmark.config import FolderCorpus
from earmark.corpora.base import reader
from earmark.corpora.own.folder import read
from earmark.data import manifest
from earmark.errors import CorpusError

HEADER = "audio\ttext\tlanguage\n"


@pytest.fixture
def corpus(tmp_path, wav, mp3):
    """A folder with three recordings: a function that writes its table and gives the settings."""
    folder = tmp_path / "mine"
    for name, data in {"a/1.wav": wav, "b/1.wav": wav, "c.mp3": mp3}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    def settings(lines, **values):
        data = lines if isinstance(lines, bytes) else lines.encode()
        (folder / "utterances.tsv").write_bytes(data)
        return FolderCorpus(name="mine", reader="folder", path=folder, **values)

    return settings


def table_of(corpus, tmp_path):
    return manifest.table(reader(corpus)(corpus, tmp_path / "run")).to_pylist()


def test_three_columns_are_enough(corpus, tmp_path):
    settings = corpus(HEADER + "a/1.wav\t打开空调\tzh\nc.mp3\tplay some jazz\ten\n")
    first, second = table_of(settings, tmp_path)
    assert first["audio"] == str(settings.path / "a/1.wav")
    assert (first["id"], first["raw_text"], first["language"]) == ("mine-a/1", "打开空调", "zh")
    assert (first["split"], first["speaker"], first["duration"]) == ("train", None, 0.4)
    assert (second["id"], second["status"]) == ("mine-c", "kept")


def test_optional_columns_in_any_order_and_others_ignored(corpus, tmp_path):
    header = "split\tnote\tid\tlanguage\tspeaker\ttext\taudio\n"
    lines = "test_car\tloud\tu1\ten\tann\thi\tc.mp3\n\t\t\ten\t\thello\ta/1.wav\n"
    first, second = table_of(corpus(header + lines), tmp_path)
    assert (first["id"], first["split"], first["speaker"]) == ("mine-u1", "test_car", "ann")
    assert (second["id"], second["split"], second["speaker"]) == ("mine-a/1", "train", None)


def test_windows_line_ends_byte_order_mark_and_empty_lines(corpus, tmp_path):
    data = b"\xef\xbb\xbf" + (HEADER + "c.mp3\t你好\tzh\n\n").replace("\n", "\r\n").encode()
    (row,) = table_of(corpus(data), tmp_path)
    assert (row["raw_text"], row["status"]) == ("你好", "kept")


def test_quotes_and_odd_separators_stand_for_themselves(corpus, tmp_path):
    (row,) = table_of(corpus(HEADER + 'c.mp3\t"he said\u2028so"\ten\n'), tmp_path)
    assert row["raw_text"] == '"he said\u2028so"'


def test_files_that_differ_in_their_ending_have_ids_of_their_own(corpus, tmp_path, mp3):
    settings = corpus(HEADER + "a/1.wav\tx\ten\na/1.mp3\ty\ten\n")
    (settings.path / "a/1.mp3").write_bytes(mp3)
    assert [row["id"] for row in table_of(settings, tmp_path)] == ["mine-a/1.wav", "mine-a/1.mp3"]


def test_the_same_line_twice_is_a_duplicate(corpus, tmp_path):
    rows = table_of(corpus(HEADER + "c.mp3\tx\ten\nc.mp3\tx\ten\n"), tmp_path)
    assert [row["status"] for row in rows] == ["kept", "duplicate id"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("c.mp3\tx", "wrong number of fields"),
        ("c.mp3\tx\ten\tmore", "wrong number of fields"),
        ("c.mp3\tx\tfr", "unknown language"),
        ("c.mp3\tx\t", "unknown language"),
        ("no.wav\tx\ten", "missing audio"),
        ("\tx\ten", "missing audio"),
        ("a\tx\ten", "missing audio"),
        ("x" * 5000 + ".wav\tx\ten", "missing audio"),
        ("nul\0.wav\tx\ten", "missing audio"),
        ("../outside.wav\tx\ten", "audio outside the folder"),
        ("a/../../outside.wav\tx\ten", "audio outside the folder"),
        ("/etc/hostname\tx\ten", "audio outside the folder"),
        ("link.wav\tx\ten", "audio outside the folder"),
        ("links/outside.wav\tx\ten", "audio outside the folder"),
        ("circle.wav\tx\ten", "missing audio"),
        ("empty.wav\tx\ten", "undecodable audio"),
        ("text.wav\tx\ten", "undecodable audio"),
    ],
)
def test_a_bad_line_is_set_aside_with_its_reason(corpus, tmp_path, wav, line, status):
    settings = corpus(HEADER + f"a/1.wav\tfine\ten\n{line}\nb/1.wav\tfine too\ten\n")
    (tmp_path / "outside.wav").write_bytes(wav)
    (settings.path / "link.wav").symlink_to(tmp_path / "outside.wav")
    (settings.path / "links").symlink_to(tmp_path)
    (settings.path / "circle.wav").symlink_to(settings.path / "circle.wav")
    (settings.path / "empty.wav").touch()
    (settings.path / "text.wav").write_text("not audio")
    rows = table_of(settings, tmp_path)
    assert [row["status"] for row in rows] == ["kept", status, "kept"]


def test_a_line_that_cannot_be_read_is_found_by_its_number(corpus, tmp_path):
    rows = table_of(corpus(HEADER + "a/1.wav\tx\ten\n\nonly one field\n"), tmp_path)
    assert [row["id"] for row in rows] == ["mine-a/1", "mine-line-4"]


@pytest.mark.parametrize("split", ["my test", "../up", "-x"])
def test_a_split_must_be_a_name(corpus, tmp_path, split):
    rows = table_of(corpus(f"audio\ttext\tlanguage\tsplit\nc.mp3\tx\ten\t{split}\n"), tmp_path)
    assert rows[0]["status"] == "split is not a name"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "audio\ttext\n",
            "has the columns audio, text .* lacks language: .* must name audio, text, language",
        ),
        ("audio,text,language\n", "has the columns audio,text,language .* lacks audio, text, language"),
        ("", "has the columns none .* lacks audio, text, language"),
        ("c.mp3\thello\ten\n", "has the columns c.mp3, hello, en .* lacks audio, text, language"),
    ],
)
def test_missing_columns_are_named_with_those_found(corpus, tmp_path, header, message):
    with pytest.raises(CorpusError, match=rf"utterances\.tsv {message}"):
        list(read(corpus(header), tmp_path))


def test_a_line_that_is_not_utf8_is_set_aside_and_the_others_are_kept(corpus, tmp_path):
    good, bad = "a/1.wav\t打开空调\tzh\n", "c.mp3\t你好\tzh\n"
    lines = (HEADER + good).encode() + bad.encode("gb18030") + b"b/1.wav\tfine\ten\n"
    rows = table_of(corpus(lines), tmp_path)
    assert [(row["id"], row["status"]) for row in rows] == [
        ("mine-a/1", "kept"),
        ("mine-line-3", "line is not UTF-8"),
        ("mine-b/1", "kept"),
    ]
    assert rows[1]["raw_text"].startswith("c.mp3\t\N{REPLACEMENT CHARACTER}")
    assert rows[0]["raw_text"] == "打开空调"


def test_names_of_columns_that_are_not_utf8_refuse_the_table(corpus, tmp_path):
    with pytest.raises(CorpusError, match=r"utterances\.tsv: its first line, .*, is not UTF-8: save the"):
        list(read(corpus((HEADER + "c.mp3\t你好\tzh\n").encode("utf-16")), tmp_path))


def test_an_absent_table_or_folder_is_named(corpus, tmp_path):
    with pytest.raises(CorpusError, match=r"other\.tsv cannot be read"):
        list(read(corpus(HEADER, table="other.tsv"), tmp_path))
    with pytest.raises(CorpusError, match="nowhere is not a folder: correct `path`"):
        list(read(FolderCorpus(name="mine", reader="folder", path=tmp_path / "nowhere"), tmp_path))


def jsonl(corpus, *lines):
    settings = corpus(HEADER, table="utterances.jsonl")
    text = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    (settings.path / "utterances.jsonl").write_text(text, encoding="utf-8")
    return settings


def test_jsonl_gives_the_rows_of_the_same_tsv(tmp_path):
    tsv, lines = make(tmp_path / "a"), make(tmp_path / "b", "utterances.jsonl")
    strip = {"audio"}
    rows = [
        [{k: v for k, v in row.items() if k not in strip} for row in table_of(one, tmp_path)] for one in (tsv, lines)
    ]
    assert rows[0] == rows[1]
    assert [row["status"] for row in rows[0]] == ["kept"] * 4


def test_optional_keys_of_jsonl_and_others_ignored(corpus, tmp_path):
    line = {
        "audio": "c.mp3",
        "text": "a\tb",
        "language": "en",
        "id": 7,
        "speaker": 12,
        "split": "test_x",
        "more": {"x": [1]},
    }
    (row,) = table_of(jsonl(corpus, line), tmp_path)
    assert (row["id"], row["raw_text"], row["speaker"], row["split"]) == ("mine-7", "a\tb", "12", "test_x")
    assert row["status"] == "kept"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("{bad", "line is not JSON"),
        ("[1, 2]", "line is not a JSON object"),
        ({"text": "x", "language": "en"}, "missing audio"),
        ({"audio": 3, "text": "x", "language": "en"}, "missing audio"),
        ({"audio": "c.mp3", "language": "en"}, "no text"),
        ({"audio": "c.mp3", "text": ["x"], "language": "en"}, "no text"),
        ({"audio": "c.mp3", "text": "x"}, "unknown language"),
        ({"audio": "c.mp3", "text": "x", "language": "fr"}, "unknown language"),
        ({"audio": "../outside.wav", "text": "x", "language": "en"}, "audio outside the folder"),
        ('{"audio": "\\ud800.wav", "text": "x", "language": "en"}', "missing audio"),
        ('{"audio": "c.mp3", "text": "\\ud800", "language": "en"}', "no text"),
        ('{"audio": "a\\u0000.wav", "text": "x", "language": "en"}', "missing audio"),
    ],
)
def test_a_bad_line_of_jsonl_is_set_aside_with_its_reason(corpus, tmp_path, wav, line, status):
    (tmp_path / "outside.wav").write_bytes(wav)
    good = [{"audio": audio, "text": "fine", "language": "en"} for audio in ("a/1.wav", "b/1.wav")]
    rows = table_of(jsonl(corpus, good[0], line, good[1]), tmp_path)
    assert [row["status"] for row in rows] == ["kept", status, "kept"]


def test_a_line_that_cannot_be_read_is_kept_with_its_number_and_text(corpus, tmp_path):
    (row,) = table_of(jsonl(corpus, "", '{"audio": '), tmp_path)
    assert (row["id"], row["raw_text"]) == ("mine-line-2", '{"audio":')
    (row,) = table_of(corpus(HEADER + "only one field\n"), tmp_path)
    assert (row["id"], row["raw_text"]) == ("mine-line-2", "only one field")


def test_the_settings_name_language_and_split_of_rows_that_name_none(corpus, tmp_path):
    settings = corpus("audio\ttext\nc.mp3\tx\n", language="yue", split="valid")
    (row,) = table_of(settings, tmp_path)
    assert (row["language"], row["split"], row["status"]) == ("yue", "valid", "kept")


def test_an_absent_jsonl_is_named(corpus, tmp_path):
    with pytest.raises(CorpusError, match=r"no\.jsonl is not a file: write a table there"):
        list(read(corpus(HEADER, table="no.jsonl"), tmp_path))
