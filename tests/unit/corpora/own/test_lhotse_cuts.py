"""CutSets and Shar folders, those that lhotse itself writes included."""

import io
import tarfile

import numpy as np
import pytest
from encoded import voice, write
from miniatures import lhotse_cuts, lhotse_shar
from miniatures.lhotse_cuts import cut, recording, supervision, write_cuts

from earmark.audio.read import read_audio
from earmark.config import LhotseCutsCorpus
from earmark.corpora.base import reader
from earmark.data import manifest
from earmark.errors import CorpusError


def rows_of(settings):
    return manifest.table(reader(settings)(settings, settings.path / "run")).to_pylist()


@pytest.fixture
def rows(tmp_path):
    """Rows of given cuts, beside a recording `a.wav` of 3 s."""
    write(tmp_path / "cuts/a.wav", voice(3.0))
    settings = LhotseCutsCorpus(name="cuts", reader="lhotse_cuts", path=tmp_path / "cuts", language="zh")

    def of(*lines, **values):
        write_cuts(settings.path / "cuts.jsonl", list(lines))
        return rows_of(settings.model_copy(update=values))

    return of


def simple(**values):
    return cut("c1", 0.5, 1.0, recording("r", "a.wav", 3.0), supervision("u1", 0.25, 0.5, "你好")) | values


def sources(*listed, **values):
    return simple(recording=recording("r", "a.wav", 3.0) | {"sources": list(listed)}, **values)


GOOD = simple(id="c2", supervisions=[supervision("u2", 0.0, 1.0, "再见")])


def test_a_supervision_is_a_row(rows):
    first, second = rows(simple(), GOOD)
    assert (first["id"], first["offset"], first["duration"]) == ("cuts-u1", 0.75, 0.5)
    assert (first["raw_text"], first["language"], first["status"]) == ("你好", "zh", "kept")
    assert (second["id"], second["offset"]) == ("cuts-u2", 0.5)


def test_a_custom_field_may_hold_the_text(rows):
    said = supervision("u1", 0.0, 1.0, "raw", custom={"text_norm": "normal"})
    (row,) = rows(simple(supervisions=[said]), text="text_norm")
    assert row["raw_text"] == "normal"


def file_source(source, channels=(0,), kind="file"):
    return {"type": kind, "channels": list(channels), "source": source}


@pytest.mark.parametrize(
    ("source", "status"),
    [
        (file_source("touch HERE/ran", kind="command"), "audio is a command, which is not run"),
        (file_source("http://localhost:1/a.wav", kind="url"), "audio is at a URL, which is not fetched"),
        (file_source("UklGRg==", kind="memory"), "audio inside the manifest"),
        (file_source("x", kind="other"), "unknown kind of source"),
        (file_source("x", kind=["file"]), "no source"),
        (file_source("../outside.wav"), "audio outside the folder"),
        (file_source("/etc/hostname"), "audio outside the folder"),
        (file_source("gone.wav"), "missing audio"),
        (file_source(7), "missing audio"),
        (file_source("a\0.wav"), "missing audio"),
        (file_source("\ud800.wav"), "missing audio"),
        (file_source("a.wav", channels=[1]), "no source for the channel"),
        ({}, "no source for the channel"),
        ("a.wav", "no source for the channel"),
    ],
)
def test_sources_that_are_not_read(rows, tmp_path, source, status):
    write(tmp_path / "outside.wav", voice(1.0))
    if isinstance(source, dict) and isinstance(source.get("source"), str):
        source = source | {"source": source["source"].replace("HERE", str(tmp_path))}
    found = rows(sources(source), GOOD)
    assert [row["status"] for row in found] == [status, "kept"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cuts", "outside.wav"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ({"id": "c1", "type": "MixedCut", "tracks": []}, "MixedCut instead of a cut of one recording"),
        ({"id": "c1", "type": "PaddingCut", "duration": 1}, "PaddingCut instead of a cut of one recording"),
        ({"id": "c1"}, "unknown kind instead of a cut of one recording"),
        (simple(recording=None), "no recording"),
        (simple(supervisions=[]), "no supervision"),
        (simple(supervisions={}), "no supervision"),
        (simple(supervisions=["x"]), "supervision is not a JSON object"),
        (
            simple(recording=recording("r", "a.wav", 3.0) | {"transforms": [{"name": "Speed"}]}),
            "recording with transforms",
        ),
        (sources(), "no source for the channel"),
        (simple(start=-1.0), "segment is not a time span"),
        (simple(start="x"), "segment is not a time span"),
        (simple(supervisions=[supervision("u1", -0.6, 1.0, "x")]), "segment is not a time span"),
        (simple(supervisions=[supervision("u1", 0.0, 0.0, "x")]), "segment is not a time span"),
        (simple(supervisions=[supervision("u1", 10**400, 1.0, "x")]), "segment is not a time span"),
        (simple(supervisions=[supervision("u1", float("nan"), 1.0, "x")]), "segment is not a time span"),
        (simple(supervisions=[supervision("u1", 0.0, float("inf"), "x")]), "segment is not a time span"),
        (simple(supervisions=[supervision("u1", 0.0, 1.0, None)]), "no text"),
        (simple(supervisions=[supervision("u1", 0.0, 1.0, "x", language="fr")]), "unknown language"),
        ("{bad", "line is not JSON"),
        ("[]", "line is not a JSON object"),
    ],
)
def test_what_cannot_be_used_is_set_aside(rows, line, status):
    found = rows(line, GOOD)
    assert [row["status"].startswith(status) for row in found] == [True, False]
    assert found[1]["status"] == "kept"


def test_each_channel_s_own_file(rows, tmp_path):
    write(tmp_path / "cuts/b.wav", voice(3.0, seed=9))
    said = [supervision("u1", 0.0, 1.0, "x", channel=0), supervision("u2", 0.0, 1.0, "y", channel=1)]
    (found) = rows(sources(file_source("a.wav", [0]), file_source("b.wav", [1]), supervisions=said))
    assert [row["audio"].rpartition("/")[2] for row in found] == ["a.wav", "b.wav"]
    assert [row["channel"] for row in found] == [None, None]


def test_of_several_of_more_channels_the_first_is_taken(rows):
    said = [supervision("u1", 0.0, 1.0, "x", channel=[2, 1])]
    (row,) = rows(sources(file_source("a.wav", [0, 1, 2]), supervisions=said))
    assert row["channel"] == 2


def test_a_speaker_on_all_channels_is_their_mean(rows):
    (row,) = rows(
        sources(file_source("a.wav", [0, 1]), supervisions=[supervision("u1", 0.0, 1.0, "x", channel=[0, 1])])
    )
    assert (row["channel"], row["status"]) == (None, "kept")


def test_audio_may_lie_in_the_folder_that_the_settings_name(rows, tmp_path):
    path = write(tmp_path / "speech/b.wav", voice(3.0))
    for target in (str(path), "b.wav"):
        (row,) = rows(sources(file_source(target)), audio=tmp_path / "speech")
        assert (row["audio"], row["status"]) == (str(path), "kept")


def test_a_damaged_cutset_keeps_what_precedes_the_damage(tmp_path):
    settings = lhotse_cuts.make(tmp_path / "a")
    path = settings.path / "cuts_train.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-8])  # gzip's checksum
    statuses = [row["status"] for row in rows_of(settings)]
    assert statuses == ["kept"] * 5 + ["file is cut short or damaged"]


def test_shar_without_its_tar_or_a_member(tmp_path):
    settings = lhotse_shar.make(tmp_path / "a")
    (settings.path / "recording.000001.tar").unlink()
    with tarfile.open(settings.path / "recording.000000.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("cut-0.nodata"), io.BytesIO())
    assert [row["status"] for row in rows_of(settings)] == ["missing audio"] * 3
    (settings.path / "recording.000000.tar").write_bytes(b"no tar")
    assert [row["status"] for row in rows_of(settings)] == ["missing audio"] * 3


def test_a_folder_without_cuts_is_named(tmp_path):
    (tmp_path / "supervisions.jsonl").write_text("{}\n")
    settings = LhotseCutsCorpus(name="x", reader="lhotse_cuts", path=tmp_path)
    with pytest.raises(CorpusError, match=r"holds no file \*\*/\*cuts\*\.jsonl\*: correct `path` or `files`"):
        rows_of(settings)


def test_lhotse_reads_and_writes_what_is_read_here(tmp_path):
    """The miniature is a CutSet; lhotse's audio is the rows'; and the Shar that lhotse makes of it reads alike."""
    from lhotse import CutSet

    settings = lhotse_cuts.make(tmp_path / "a")
    loaded = CutSet.from_file(settings.path / "cuts_train.jsonl.gz").with_recording_path_prefix(str(settings.path))
    single = CutSet.from_cuts([one for one in loaded if type(one).__name__ == "MonoCut"])
    expected = {one.supervisions[0].id: one.load_audio()[0] for one in single.trim_to_supervisions()}
    by_id = {row["id"]: row for row in rows_of(settings)}
    (tmp_path / "shar").mkdir()
    single.to_shar(tmp_path / "shar", fields={"recording": "wav"}, shard_size=2)
    shar = LhotseCutsCorpus(name="cuts", reader="lhotse_cuts", path=tmp_path / "shar")
    in_shar = {row["id"]: row for row in rows_of(shar)}
    assert set(expected) == {"u1", "u2", "u3", "u4"}
    for key, samples in expected.items():
        for row in (by_id[f"cuts-{key}"], in_shar[f"cuts-{key}"]):
            assert row["status"] == "kept"
            heard = read_audio(row["audio"], row["offset"], row["duration"], row["channel"], row["member"])
            # A seek in Opus, as lhotse makes it, is not exact.
            assert np.abs(heard - samples).max() < 0.05
            assert np.corrcoef(heard, samples)[0, 1] > 0.999
