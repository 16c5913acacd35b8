"""YODAS-Granary: a manifest over videos in tars and files."""

import json

import pyarrow.parquet as pq
import pytest
from miniatures.yodas_granary import OTHER, TAR, line, make, make_parquet
from rows import append, brief, rows_of, statuses

from earmark.audio.read import read_audio
from earmark.errors import CorpusError


def test_rows_say_what_the_manifest_says_and_are_neighbours_by_offset(tmp_path):
    rows = rows_of(make(tmp_path), tmp_path / "run")
    assert brief(rows, "id", "member", "offset", "duration", "raw_text") == [
        (f"granary-{TAR}-00000", f"./{TAR}.wav", 0.25, 1.0, "Hello everyone,"),
        (f"granary-{TAR}-00001", f"./{TAR}.wav", 1.5, 1.0, "And welcome back."),
        (f"granary-{OTHER}-00000", None, 0.5, 1.25, "This is a test."),
    ]
    assert brief(rows, "split", "language", "speaker")[0] == ("train", "en", TAR)
    assert rows[0]["audio"] == str(tmp_path / "data/en000/audio/00000000.tar")


def test_a_segment_without_offset_is_the_file_of_its_id_never_the_whole_video(tmp_path):
    corpus = make(tmp_path)
    value = json.loads(line(TAR, 7, 0.0, 1.0, "Where am I?"))
    del value["offset"]
    append(tmp_path / "en/yodas/en_asr.jsonl", json.dumps(value))
    rows = rows_of(corpus, tmp_path / "run")
    assert statuses(rows) == {"kept": 3, "segment has no offset": 1}
    segment = tmp_path / f"segments/{TAR}-00007.wav"
    segment.parent.mkdir()
    (tmp_path / f"yodas/en000/00000000/{OTHER}.wav").rename(segment)
    last = next(row for row in rows_of(corpus, tmp_path / "run") if row["id"] == f"granary-{TAR}-00007")
    assert (last["status"], last["audio"], last["offset"]) == ("kept", str(segment), 0.0)


def test_bad_lines_and_missing_videos_are_set_aside(tmp_path):
    corpus = make(tmp_path)
    manifest = tmp_path / "en/yodas/en_asr.jsonl"
    for text in ("{", '{"duration": 1}', line("nowhere", 0, 0.0, 1.0, "gone"), line(TAR, 3, 0.0, 1.0, "")):
        append(manifest, text)
    rows = rows_of(corpus, tmp_path / "run")
    assert statuses(rows) == {
        "kept": 3,
        "line is not JSON": 1,
        "line has no audio_filepath or no duration": 1,
        "missing audio": 1,
        "no transcript": 1,
    }
    assert next(row["id"] for row in rows if row["status"] == "line is not JSON") == "granary-en/yodas/en_asr.jsonl:4"


def test_parquet_with_its_audio_is_read_before_manifests(tmp_path):
    corpus = make_parquet(tmp_path)
    rows = rows_of(corpus, tmp_path / "run")
    assert brief(rows, "id", "split", "language", "speaker", "offset", "duration", "raw_text", "status") == [
        (f"granary-{TAR}-00000", "train", "en", TAR, 0.0, 1.0, "Hello everyone,", "kept"),
        (f"granary-{TAR}-00001", "train", "en", TAR, 0.0, 0.5, "And.", "kept"),
        (f"granary-{OTHER}-00000", "train", "en", OTHER, 0.0, 0.75, "This is a test.", "kept"),
    ]
    for row in rows:
        assert len(read_audio(row["audio"], 0.0, row["duration"], member=row["member"])) == row["duration"] * 16_000
    only = rows_of(corpus.model_copy(update={"subsets": ["en100"]}), tmp_path / "run")
    assert brief(only, "id") == [(f"granary-{OTHER}-00000",)]


def test_parquet_of_another_shape_is_an_error(tmp_path):
    corpus = make_parquet(tmp_path)
    path = tmp_path / "data/en100/ast/00000000.parquet"
    whole = pq.read_table(path)
    pq.write_table(whole.drop_columns(["text"]), path)
    with pytest.raises(CorpusError, match=r"holds no 00000000.parquet with the column text, as YODAS-Granary"):
        rows_of(corpus, tmp_path / "run")
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(CorpusError, match="is not readable Parquet"):
        rows_of(corpus, tmp_path / "run")
