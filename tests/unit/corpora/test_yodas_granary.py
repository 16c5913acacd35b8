"""YODAS-Granary: a manifest over videos in tars and files."""

import json

from miniatures.yodas_granary import OTHER, TAR, line, make
from public import append, brief, rows_of, statuses


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
