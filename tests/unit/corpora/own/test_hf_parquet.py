"""Parquet files with audio bytes, and what becomes of each mistake in them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from encoded import encoded, voice
from miniatures.hf_parquet import AUDIO, make

from earmark.audio.read import read_audio
from earmark.config import Fields, HfParquetCorpus
from earmark.corpora.base import reader
from earmark.corpora.own import hf_parquet
from earmark.data import manifest
from earmark.errors import AudioError, CorpusError

WAV = encoded("wav", voice(0.5))


def rows_of(settings):
    return manifest.table(reader(settings)(settings, settings.path / "run")).to_pylist()


@pytest.fixture
def rows(tmp_path):
    """Rows of a file `a.parquet` with the given columns; `audio` is 0.5 s where it is not among them."""

    def of(table=None, settings=None, **columns):
        size = len(next(iter(columns.values()))) if columns else 0
        columns = {"audio": pa.array([{"bytes": WAV, "path": "x"}] * size, AUDIO)} | columns
        pq.write_table(table or pa.table(columns), tmp_path / "a.parquet")
        return rows_of(
            HfParquetCorpus(name="hub", reader="hf_parquet", path=tmp_path, language="en", **(settings or {}))
        )

    return of


def test_columns_are_named_by_the_settings(tmp_path):
    first, second, *_, last = rows_of(make(tmp_path))
    assert (first["language"], first["raw_text"], first["speaker"], first["duration"]) == ("zh", "打开空调", "0", 0.5)
    assert (second["language"], second["id"]) == ("en", "hub-data/train-00000-of-00002-1")
    assert (last["member"], last["duration"]) == ("1", 0.9)
    assert last["audio"] == str(tmp_path / "data/train-00001-of-00002.parquet")


def test_optional_columns(rows):
    (row,) = rows(text=["x"], id=["u1"], split=["test_a"], language=["en"], speaker=["ann"], duration=[7.5])
    assert (row["id"], row["split"], row["speaker"], row["duration"]) == ("hub-u1", "test_a", "ann", 7.5)


def test_a_known_duration_spares_the_audio(rows, monkeypatch):
    monkeypatch.setattr(hf_parquet, "measured", lambda *_: pytest.fail("audio was read"))
    found = rows(text=["x", "y"], seconds=[0.5, 1.5], settings={"columns": Fields(duration="seconds")})
    assert [row["duration"] for row in found] == [0.5, 1.5]


def test_another_audio_column_and_other_types(rows):
    table = pa.table(
        {
            "audio": ["not this"],
            "speech": pa.array([WAV], pa.large_binary()),
            "text": pa.array(["hello"]).dictionary_encode(),
            "speaker": pa.array([7], pa.uint16()),
        }
    )
    (row,) = rows(table, {"audio": "speech"})
    assert (row["member"], row["raw_text"], row["speaker"], row["duration"]) == ("0:speech", "hello", "7", 0.5)


def test_rows_that_cannot_be_used_are_set_aside(rows):
    bytes_ = [WAV, b"", None, b"not audio", WAV[:40], WAV, WAV, WAV]
    audio = pa.array([{"bytes": one, "path": "a.wav"} for one in bytes_], AUDIO)
    text = ["fine", "x", "x", "x", "x", None, "x", "x"]
    found = rows(
        audio=audio, text=text, language=[None, "en", "en", "en", "en", "en", "fr", "en"], split=[None] * 7 + ["../x"]
    )
    assert [row["status"] for row in found] == [
        "kept",
        *["undecodable audio"] * 4,
        "no text",
        "unknown language",
        "split is not a name",
    ]
    assert [row["member"] for row in found] == [str(number) for number in range(8)]


def test_text_that_is_not_utf8_costs_its_row_only(rows):
    text = pa.array([b"a", b"\xff\xfe", b"c"], pa.binary()).view(pa.string())
    assert [row["status"] for row in rows(text=text)] == ["kept", "no text", "kept"]


def test_types_that_are_no_text_cost_their_rows_only(rows):
    found = rows(text=pa.array([[1], [2]]), duration=pa.array(["x", "0.5"]))
    assert [row["status"] for row in found] == ["no text", "no text"]


@pytest.mark.parametrize(
    "columns",
    [
        {"audio": ["a.wav"], "text": ["x"]},
        {"audio": pa.array([{"path": "a.wav"}]), "text": ["x"]},
        {"sound": pa.array([WAV]), "text": ["x"]},
        {"audio": pa.array([WAV]), "sentence": ["x"]},
    ],
)
def test_wrong_columns_are_named_with_those_found(rows, columns):
    with pytest.raises(CorpusError, match=rf"a\.parquet has the columns {', '.join(columns)}, not the columns 'audio'"):
        rows(pa.table(columns))


def test_a_damaged_file_is_one_row_and_costs_no_other(tmp_path):
    settings = make(tmp_path)
    for name, data in (("bad.parquet", b"PAR1 and no more"), ("data/empty.parquet", b"")):
        (tmp_path / name).write_bytes(data)
    statuses = {row["id"]: row["status"] for row in rows_of(settings)}
    assert [status for status in statuses.values() if status != "kept"] == ["file is cut short or damaged"] * 2
    assert statuses["hub-bad.parquet:0"] == statuses["hub-empty.parquet:0"] == "file is cut short or damaged"
    assert len(statuses) == 7


def test_absent_files_and_links_out_are_named(tmp_path):
    settings = make(tmp_path / "a")
    with pytest.raises(CorpusError, match=r"holds no file test-\*"):
        rows_of(settings.model_copy(update={"files": "test-*"}))
    (settings.path / "link.parquet").symlink_to(next((make(tmp_path / "b").path / "data").iterdir()))
    with pytest.raises(CorpusError, match=r"link\.parquet lies outside"):
        rows_of(settings)


def test_a_column_whose_name_is_no_text(rows, tmp_path):
    """The footer's copies of a name were hit, the Arrow schema's was not (found by random inputs)."""
    rows(text=["x"], id=["u1"], speaker=["ann"])
    path = tmp_path / "a.parquet"
    data = path.read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    path.write_bytes(data[:footer] + data[footer:].replace(b"speaker", b"\x9dpeaker"))
    (row,) = rows_of(HfParquetCorpus(name="hub", reader="hf_parquet", path=tmp_path, language="en"))
    assert row["status"] == "file is cut short or damaged"
    with pytest.raises(AudioError, match="is not readable Parquet"):
        read_audio(path, member="0")
