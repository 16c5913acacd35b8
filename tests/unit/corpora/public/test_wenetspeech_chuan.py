"""WenetSpeech-Chuan: clips by file name, and the benchmark."""

import json

import pytest
from miniatures.wenetspeech_chuan import line, make
from rows import append, brief, rows_of, statuses

from earmark.errors import CorpusError


def test_rows_say_what_metadata_and_benchmark_say(tmp_path):
    rows = rows_of(make(tmp_path), tmp_path / "run")
    assert brief(rows, "id", "split", "duration", "raw_text") == [
        ("chuan-013165482320_dwM1G_56_1000", "train", 1.0, "今天切吃火锅"),
        ("chuan-70421922132_XIuKg_48_800", "train", 0.8, "巴适得很"),
        ("chuan-easy-01285631540_RqvQt_5_900", "test_wenetspeech_chuan_easy", 0.9, "好嘛这个事情今天先整起"),
        ("chuan-hard-704219243_YT2Ge_63_700", "test_wenetspeech_chuan_hard", 0.7, "莫得问题"),
    ]
    assert {row["language"] for row in rows} == {"zh-sichuan"}
    assert brief(rows, "offset", "speaker") == [(0.0, None)] * 4
    assert rows[0]["member"] == "wav/013165482320_dwM1G_56_1000.wav"


def test_a_name_without_a_length_is_measured(tmp_path):
    corpus = make(tmp_path).model_copy(update={"subsets": ["train"]})
    (tmp_path / "wav/70421922132_XIuKg_48_800.wav").rename(tmp_path / "wav/clip.wav")
    append(tmp_path / "wsc_metadata.jsonl", line("clip", "要得"))
    last = rows_of(corpus, tmp_path / "run")[-1]
    assert (last["status"], last["duration"]) == ("kept", pytest.approx(0.8))


def test_bad_lines_are_set_aside(tmp_path):
    corpus = make(tmp_path)
    for text in ("no", '{"utt": "a"}', line("gone_1_1000", "没得")):
        append(tmp_path / "wsc_metadata.jsonl", text)
    easy = tmp_path / "WSC-Eval-ASR/Easy"
    append(easy / "text", "lonely")
    append(easy / "text", "silent_1 没得声音")
    append(easy / "wav.scp", "wordless_1 Eval/Easy/wav/../../../secret.wav")
    append(easy / "wav.scp", "01285631540_RqvQt_5_900 again.wav")
    assert statuses(rows_of(corpus, tmp_path / "run")) == {
        "kept": 4,
        "line is not JSON": 1,
        "line has no utt or no filename": 1,
        "missing audio": 3,
        "line has no value": 1,
        "duplicate id": 1,
    }


def test_a_part_of_the_benchmark_without_its_list_is_refused(tmp_path):
    corpus = make(tmp_path)
    (tmp_path / "WSC-Eval-ASR/Hard/wav.scp").unlink()
    with pytest.raises(CorpusError, match=r"Hard holds no wav\.scp, as WSC-Eval-ASR"):
        rows_of(corpus, tmp_path / "run")


def test_the_first_version_has_a_file_of_labels_a_recording(tmp_path):
    corpus = make(tmp_path)
    (tmp_path / "wsc_metadata.jsonl").unlink()
    for part, utt, text in (
        ("data1", "013165482320_dwM1G_56_1000", "今天"),
        ("data2", "70421922132_XIuKg_48_800", "好"),
    ):
        value = {"wav_utt_id_timestamp": utt, "wav_utt_id_timestamp_path": f"/their/{utt}.wav", "text": text}
        path = tmp_path / f"WenetSpeech-Chuan/{part}/audio_labels/{utt[:18]}.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(value | {"text_punc": text + "。", "spk_num": "single"}) + "\n")
    rows = rows_of(corpus.model_copy(update={"subsets": ["train"]}), tmp_path / "run")
    assert brief(rows, "id", "duration", "raw_text", "status") == [
        ("chuan-013165482320_dwM1G_56_1000", 1.0, "今天", "kept"),
        ("chuan-70421922132_XIuKg_48_800", 0.8, "好", "kept"),
    ]
