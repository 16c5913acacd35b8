"""A Kaldi data folder, and what becomes of each mistake in it."""

import pytest
from encoded import voice, write
from miniatures.kaldi import make

from earmark.config import KaldiCorpus
from earmark.corpora.base import reader
from earmark.data import manifest
from earmark.errors import CorpusError


def rows_of(settings):
    return manifest.table(reader(settings)(settings, settings.path / "run")).to_pylist()


@pytest.fixture
def folder(tmp_path):
    """A function that replaces files of the miniature and gives its rows by id."""

    def rows(changes, **values):
        settings = make(tmp_path / "data").model_copy(update=values)
        for name, text in changes.items():
            if text is None:
                (settings.path / name).unlink()
            else:
                (settings.path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return {row["id"].removeprefix("calls-"): row for row in rows_of(settings)}

    return rows


def test_segments_texts_speakers_and_languages_come_together(folder):
    rows = folder({})
    assert list(rows) == ["call-1-0001", "call-1-0002", "call-2-0001"]
    one = rows["call-1-0002"]
    assert (one["offset"], one["duration"], one["speaker"]) == (1.0, 1.5, "smith")
    assert (one["raw_text"], one["language"], one["split"]) == ("play some jazz", "en", "train")
    assert rows["call-1-0001"]["language"] == "zh"


def test_without_segments_a_recording_is_an_utterance(folder):
    rows = folder({"segments": None, "text": "call-2 two  spaces\ncall-1 one\n", "utt2dur": "call-1 2.5\n"})
    assert list(rows) == ["call-1", "call-2"]  # the order of wav.scp
    assert [row["duration"] for row in rows.values()] == [2.5, 2.0]
    assert [row["offset"] for row in rows.values()] == [0.0, 0.0]
    assert rows["call-2"]["raw_text"] == "two  spaces"


@pytest.mark.parametrize(
    "target",
    [
        "touch HERE/ran |",
        "sph2pipe -f wav a.sph|",
        "| touch HERE/ran",
        "$(touch HERE/ran) |",
        "-",
        "cat audio/call-1.flac |",
    ],
)
def test_commands_are_never_run(folder, tmp_path, target):
    target = target.replace("HERE", str(tmp_path))
    rows = folder({"wav.scp": f"call-1 {target}\ncall-2 audio/call-2.mp3\n"})
    assert rows["call-1-0001"]["status"] == "audio is a command, which is not run"
    assert rows["call-1-0002"]["audio"] == target
    assert rows["call-2-0001"]["status"] == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("audio/gone.flac", "missing audio"),
        ("audio", "missing audio"),
        ("audio/a.ark:1234", "missing audio"),
        ("x" * 5000, "missing audio"),
        ("a\0b", "missing audio"),
        ("../outside.wav", "audio outside the folder"),
        ("/etc/hostname", "audio outside the folder"),
        ("link.wav", "audio outside the folder"),
        ("circle.wav", "missing audio"),
        ("", "no recording"),
    ],
)
def test_audio_that_cannot_be_used(folder, tmp_path, target, status):
    write(tmp_path / "outside.wav", voice(1.0))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/link.wav").symlink_to(tmp_path / "outside.wav")
    (tmp_path / "data/circle.wav").symlink_to(tmp_path / "data/circle.wav")
    rows = folder({"wav.scp": f"call-1 {target}\ncall-2 audio/call-2.mp3\n"})
    assert [row["status"] for row in rows.values()] == [status, status, "kept"]


def test_audio_may_lie_in_the_folder_that_the_settings_name(folder, tmp_path):
    path = write(tmp_path / "speech/a.wav", voice(3.0))
    for target in (str(path), "a.wav"):
        changes = {"wav.scp": f"call-1 {target}\ncall-2 {target}\n"}
        rows = folder(changes, audio=tmp_path / "speech")
        assert {(row["status"], row["audio"]) for row in rows.values()} == {("kept", str(path))}


@pytest.mark.parametrize(
    ("segment", "status"),
    [
        ("call-1 1.0 0.5", "segment is not a time span"),
        ("call-1 1.0 1.0", "segment is not a time span"),
        ("call-1 -1.0 0.5", "segment is not a time span"),
        ("call-1 nan 0.5", "segment is not a time span"),
        ("call-1 0 inf", "segment is not a time span"),
        ("call-1 a b", "segment is not a time span"),
        ("call-1 1.0", "segment is not a time span"),
        ("call-1 0 1 0 9", "segment is not a time span"),
        ("call-1 9.0 -1", "segment is not a time span"),
        ("call-9 0 1", "no recording"),
        ("", "no segment"),
    ],
)
def test_a_bad_segment_is_set_aside(folder, segment, status):
    rows = folder({"segments": f"call-1-0001 {segment}\ncall-1-0002 call-1 1.00 2.5\ncall-2-0001 call-2 0.5 1.5\n"})
    assert [row["status"] for row in rows.values()] == [status, "kept", "kept"]


def test_channels_and_open_ends_of_segments(folder):
    rows = folder({"segments": "call-1-0001 call-1 0.5 1.5 1\ncall-1-0002 call-1 1.0 -1\ncall-2-0001 call-2 0 1 A\n"})
    assert [row["status"] for row in rows.values()] == ["kept"] * 3
    assert [row["channel"] for row in rows.values()] == [1, None, None]
    assert rows["call-1-0002"]["duration"] == pytest.approx(2.0)


def test_nothing_is_lost(folder):
    rows = folder(
        {
            "text": b"call-1-0001 \xff\ncall-1-0002 first\ncall-1-0002 second\n\nonly-text hello\n",
            "utt2lang": "call-1-0002 fr\n",
        }
    )
    assert {key: row["status"] for key, row in rows.items()} == {
        "call-1-0001": "no text",
        "call-1-0002": "unknown language",
        "call-2-0001": "no text",
        "only-text": "no segment",
        "text:1": "line is not UTF-8",
        "text:3": "id twice in text",
    }
    assert rows["text:3"]["raw_text"] == "call-1-0002 second"
    assert rows["text:3"]["audio"].endswith("/data/text")


def test_words_keep_unicode_spaces_and_line_separators(folder):
    rows = folder({"text": "call-1-0001\t你好　世界\u2028再见\r\n"})
    assert rows["call-1-0001"]["raw_text"] == "你好　世界\u2028再见"


@pytest.mark.parametrize("name", ["wav.scp", "text"])
def test_a_folder_of_another_shape_is_named(folder, name):
    with pytest.raises(CorpusError, match=rf"{name} does not exist: a Kaldi data folder needs wav.scp and text"):
        folder({name: None})
    with pytest.raises(CorpusError, match="is not a folder: correct `path`"):
        rows_of(KaldiCorpus(name="x", reader="kaldi", path="/nowhere", language="zh"))
