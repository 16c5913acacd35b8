"""WebDataset tars, and what becomes of each mistake in them."""

import io
import json
import tarfile

import pytest
from encoded import encoded, voice
from miniatures.webdataset import make, pack

from earmark.audio import container
from earmark.config import Fields, WebdatasetCorpus
from earmark.corpora.base import reader
from earmark.corpora.own import webdataset
from earmark.data import manifest
from earmark.errors import CorpusError

FLAC = encoded("flac", voice(0.5))
TEXT = json.dumps({"text": "hello"}).encode()


def rows_of(settings):
    return manifest.table(reader(settings)(settings, settings.path / "run")).to_pylist()


@pytest.fixture
def rows(tmp_path):
    """Rows of a tar with the given members."""

    def of(*members, name="a.tar", **values):
        pack(tmp_path / "web" / name, list(members))
        return rows_of(
            WebdatasetCorpus(name="web", reader="webdataset", path=tmp_path / "web", language="en", **values)
        )

    return of


def test_members_of_a_key_are_an_utterance(tmp_path):
    first, second, _, last = rows_of(make(tmp_path))
    assert (first["id"], first["member"], first["speaker"]) == ("web-shards/000000/x/0000", "x/0000.flac", "li")
    assert (second["raw_text"], second["language"], second["duration"]) == ("play some jazz", "en", 0.6)
    assert (last["raw_text"], last["language"], last["speaker"]) == ("今天天气", "zh", None)


def test_keys_end_at_the_first_dot_of_the_file_s_name(rows):
    found = rows(("d.1/a.b.flac", FLAC), ("d.1/a.json", TEXT), ("d.1/c.flac", FLAC), ("d.1/c.txt", b"\xef\xbb\xbfhi\n"))
    assert [row["status"] for row in found] == ["missing audio", "kept"]
    assert (found[1]["id"], found[1]["raw_text"]) == ("web-a/d.1/c", "hi")


def test_keys_of_the_json_are_named_by_the_settings(rows):
    values = {
        "transcript": "hello",
        "spk": 7,
        "lang": "cmn",
        "set": "test_a",
        "uid": "u1",
        "dur": 9.5,
        "nested": {"text": 1},
    }
    names = Fields(text="transcript", speaker="spk", language="lang", split="set", id="uid", duration="dur")
    (row,) = rows(("a.flac", FLAC), ("a.json", json.dumps(values).encode()), keys=names, languages={"cmn": "zh"})
    assert (row["id"], row["raw_text"], row["speaker"], row["language"]) == ("web-u1", "hello", "7", "zh")
    assert (row["split"], row["duration"], row["status"]) == ("test_a", 9.5, "kept")


def test_a_known_duration_spares_the_audio(rows, monkeypatch):
    monkeypatch.setattr(webdataset, "measured", lambda *_: pytest.fail("audio was read"))
    (row,) = rows(("a.flac", FLAC), ("a.json", b'{"text": "x", "duration": 0.5}'))
    assert row["duration"] == 0.5


def test_a_small_compressed_tar_is_read(rows):
    (row,) = rows(("a.flac", FLAC), ("a.json", TEXT), name="a.tar.gz")
    assert (row["id"], row["status"], row["duration"]) == ("web-a/a", "kept", 0.5)


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ([("b.json", TEXT)], "missing audio"),
        ([("b.png", b"x"), ("b.json", TEXT)], "missing audio"),
        ([("b.flac", FLAC)], "no KEY.json or KEY.txt"),
        ([("b.flac", FLAC), ("b.json", b"{bad")], "KEY.json is not JSON"),
        ([("b.flac", FLAC), ("b.json", b"\xff")], "KEY.json is not JSON"),
        ([("b.flac", FLAC), ("b.json", b"[" * 200_000)], "KEY.json is not JSON"),
        ([("b.flac", FLAC), ("b.json", b"[1]")], "KEY.json is not a JSON object"),
        ([("b.flac", FLAC), ("b.json", b'"' + b"x" * (2 << 20) + b'"')], "KEY.json is not JSON"),
        ([("b.flac", FLAC), ("b.txt", b"\xff")], "KEY.txt is not UTF-8"),
        ([("b.flac", FLAC), ("b.json", b"{}")], "no text"),
        ([("b.flac", FLAC), ("b.json", b'{"text": "x", "language": "fr"}')], "unknown language"),
        ([("b.flac", FLAC), ("b.json", b'{"text": "x", "split": "../x"}')], "split is not a name"),
        ([("b.flac", b""), ("b.json", TEXT)], "undecodable audio"),
        ([("b.flac", b"not audio"), ("b.json", TEXT)], "undecodable audio"),
    ],
)
def test_what_cannot_be_used_is_set_aside(rows, members, status):
    found = rows(("a.flac", FLAC), ("a.json", TEXT), *members, ("c.flac", FLAC), ("c.json", TEXT))
    assert [row["status"] for row in found] == ["kept", status, "kept"]


def test_hostile_members_are_rows_set_aside(tmp_path):
    (tmp_path / "web").mkdir()
    with tarfile.open(tmp_path / "web/a.tar", "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as tar:
        for name, kind, data in (
            ("a.flac", tarfile.REGTYPE, FLAC),
            ("a.json", tarfile.REGTYPE, TEXT),
            ("../b.flac", tarfile.REGTYPE, FLAC),
            ("/c.flac", tarfile.REGTYPE, FLAC),
            ("d.flac", tarfile.SYMTYPE, b""),
            ("\udcff.flac", tarfile.REGTYPE, FLAC),
            ("\udcff.json", tarfile.REGTYPE, TEXT),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), "a.flac" if kind == tarfile.SYMTYPE else ""
            tar.addfile(info, io.BytesIO(data))
    found = rows_of(WebdatasetCorpus(name="web", reader="webdataset", path=tmp_path / "web", language="en"))
    assert [row["status"] for row in found] == [
        "kept",
        "name of the member is not UTF-8",
        "its name leads out of the archive",
        "its name leads out of the archive",
        "it is neither a folder nor a regular file",
    ]
    assert found[2]["raw_text"] == "../b.flac"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.tar", "web"]


def test_a_tar_cut_short_keeps_what_precedes_the_cut(tmp_path):
    settings = make(tmp_path)
    path = tmp_path / "shards/000000.tar"
    place = container.tar_index(path).members["x/0001.mp3"]
    path.write_bytes(path.read_bytes()[: place.start - 100])
    assert [row["status"] for row in rows_of(settings)] == ["kept", "tar cannot be read to its end", "kept"]


def test_what_is_no_tar_is_one_row_and_costs_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "MAX_UNPACKED", 1 << 20)
    settings = make(tmp_path)
    (tmp_path / "bad.tar").write_bytes(b"x" * 3000)
    pack(tmp_path / "bomb.tar.gz", [("a.flac", bytes(4 << 20))])
    (tmp_path / "zip.tar").write_bytes(b"PK\x03\x04" + bytes(3000))
    statuses = {row["id"]: row["status"] for row in rows_of(settings)}
    assert [key for key, status in statuses.items() if status == "tar cannot be read to its end"] == [
        "web-bad.tar:0",
        "web-bomb.tar.gz:0",
        "web-zip.tar:0",
    ]
    assert list(statuses.values()).count("kept") == 4


def test_a_folder_without_tars_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"holds no file \*\*/\*\.tar\*: correct `path` or `files`"):
        rows_of(WebdatasetCorpus(name="web", reader="webdataset", path=tmp_path))
