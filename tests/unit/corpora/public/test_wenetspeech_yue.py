"""WenetSpeech-Yue: clips and segments of training, and the benchmark."""

import pytest
from miniatures.wenetspeech_yue import line, make
from rows import append, brief, rows_of, statuses

from earmark.errors import CorpusError


def test_rows_say_what_metadata_and_benchmark_say(tmp_path):
    rows = rows_of(make(tmp_path / "c"), tmp_path / "run")
    assert brief(rows, "id", "split", "offset", "duration", "raw_text", "speaker") == [
        ("yue-gd0000688_90600_91600", "train", 0.0, 1.0, "今日天气好好", "gd0000688-0"),
        ("yue-xg0001887_250_1250", "train", 0.25, 1.0, "你食咗饭未", "xg0001887-0"),
        ("yue-xg0001887_1500_2500", "train", 1.5, 1.0, "多谢晒", "xg0001887-1"),
        ("yue-short-gd0040024_535130_535930", "test_wenetspeech_yue_short", 0.0, 0.8, "呢个 app 好正", None),
        ("yue-long-0000130218", "test_wenetspeech_yue_long", 0.0, 1.5, "我哋今日去饮茶", None),
    ]
    assert {row["language"] for row in rows} == {"yue"}
    assert rows[0]["member"] == "audio/gd0000688_90600_91600.wav"
    assert rows[3]["audio"] == str(tmp_path / "run/Short/wav_/gd0040024_535130_535930.wav")


def test_a_benchmark_that_is_unpacked_already_is_read_in_place(tmp_path):
    corpus = make(tmp_path / "c").model_copy(update={"subsets": ["short"]})
    first = rows_of(corpus, tmp_path / "run")
    (tmp_path / "run/Short/wav_").rename(tmp_path / "c/Short/wav_")
    second = rows_of(corpus, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    assert brief(first, "id", "raw_text", "duration") == brief(second, "id", "raw_text", "duration")


def test_audio_of_the_benchmark_is_never_taken_for_training(tmp_path):
    corpus = make(tmp_path / "c").model_copy(update={"subsets": ["train"]})
    (tmp_path / "c/Short/wav_").mkdir()
    (tmp_path / "c/audio/xg0001887.m4a").rename(tmp_path / "c/Short/wav_/xg0001887.m4a")
    assert statuses(rows_of(corpus, tmp_path / "run")) == {"kept": 1, "missing audio": 2}


def test_bad_lines_are_set_aside(tmp_path):
    corpus = make(tmp_path / "c")
    metadata, content = tmp_path / "c/wenetspeech_yue_meta.jsonl", tmp_path / "c/Short/content.txt"
    for text in ("{", "{}", line("xg0001887_9_8", 1.0, "倒转", "9_8"), line("xg0001887_1_2", 1.0, "", "0.1_0.2")):
        append(metadata, text)
    append(content, "gd1.wav\t中年\t中立\t男")
    append(content, "gd9.wav\t中年\t中立\t男\t冇声")
    assert statuses(rows_of(corpus, tmp_path / "run")) == {
        "kept": 5,
        "line is not JSON": 1,
        "line has no key": 1,
        "segment is not a time span": 1,
        "no transcript": 1,
        "wrong number of fields": 1,
        "missing audio": 1,
    }


def test_a_part_without_its_table_names_the_benchmark(tmp_path):
    corpus = make(tmp_path / "c").model_copy(update={"subsets": ["short"]})
    (tmp_path / "c/Short/content.txt").unlink()
    with pytest.raises(CorpusError, match=r"Short holds no content\.txt, as WSYue-ASR-eval"):
        rows_of(corpus, tmp_path / "run")
    corpus = corpus.model_copy(update={"subsets": ["long"]})
    (tmp_path / "c/Long/TextGrid.tar.gz").write_bytes(b"damage")
    with pytest.raises(CorpusError, match=r"TextGrid\.tar\.gz"):
        rows_of(corpus, tmp_path / "run")
