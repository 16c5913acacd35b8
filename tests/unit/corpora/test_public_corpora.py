"""Readers of public corpora on miniatures in the published layouts: rows, missing audio, bad lines, wrong folders."""

import importlib
import json

import pytest

from earmark.audio.read import read_audio
from earmark.config import PublicCorpus
from earmark.corpora.public.lines import entries
from earmark.errors import CorpusError

# id, split, language, offset, duration, text, speaker, status
EXPECTED = {
    "librispeech": [
        ("libri-103-1240-0000", "train", "en", 0.0, 0.5, "CHAPTER ONE MISSUS RACHEL", "103", "kept"),
        ("libri-103-1240-0001", "train", "en", 0.0, 0.75, "THAT HAD ITS SOURCE", "103", "kept"),
        ("libri-1688-142285-0000", "test_librispeech_other", "en", 0.0, 0.5, "THERE'S IRON THEY SAY", "1688", "kept"),
    ],
    "aishell": [
        (
            "aishell-BAC009S0002W0122",
            "train",
            "zh",
            0.0,
            0.5,
            "而 对 楼市 成交 抑制 作用 最 大 的 限 购",
            "S0002",
            "kept",
        ),
        (
            "aishell-BAC009S0724W0121",
            "test_aishell_dev",
            "zh",
            0.0,
            0.5,
            "广州市 房地产 中介 协会 分析",
            "S0724",
            "kept",
        ),
        (
            "aishell-BAC009S0764W0121",
            "test_aishell",
            "zh",
            0.0,
            0.5,
            "甚至 出现 交易 几乎 停滞 的 情况",
            "S0764",
            "kept",
        ),
    ],
    "gigaspeech": [
        ("giga-AUD0000000007_S0000024", "train", "en", 0.25, 0.75, "DOUGLAS MCGRAY <PERIOD>", None, "kept"),
        ("giga-AUD0000000007_S0000025", "train", "en", 1.5, 1.0, "HELLO <COMMA> WORLD", None, "kept"),
        ("giga-YOU0000000315_S0000001", "test_gigaspeech", "en", 0.0, 0.75, "AS THEY SAY", None, "kept"),
    ],
    "wenetspeech": [
        ("wenet-Y0000000000_--5llN02F84_S00000", "train", "zh", 0.25, 0.75, "怎么样这些日子", None, "kept"),
        ("wenet-Y0000000000_--5llN02F84_S00001", "train", "zh", 1.5, 1.0, "住得还习惯吧", None, "kept"),
        ("wenet-TEST_NET_Y1_S00000", "test_wenetspeech_net", "zh", 0.0, 0.75, "谢谢大家", None, "kept"),
    ],
    "common_voice": [
        ("cv-common_voice_zh-CN_18524180", "train", "zh", 0.0, 0.504, "宋朝末年年间定居粉岭围。", "speaker0", "kept"),
        ("cv-common_voice_zh-CN_18524181", "valid", "zh", 0.0, 0.504, '渐渐行动不便"', "speaker1", "kept"),
        (
            "cv-common_voice_zh-CN_18524182",
            "test_common_voice_zh-CN",
            "zh",
            0.0,
            0.504,
            "二十一年去世。",
            "speaker2",
            "kept",
        ),
        ("cv-common_voice_zh-HK_18524180", "train", "yue", 0.0, 0.5, "你食咗飯未呀？", "speaker0", "kept"),
    ],
    "emilia": [
        ("emilia-EN_B00000_S00001_W000000", "train", "en", 0.0, 0.75, " And there it is.", "EN_B00000_S00001", "kept"),
        ("emilia-ZH_B00000_S00000_W000000", "train", "zh", 0.0, 0.5, " 你好，世界。", "ZH_B00000_S00000", "kept"),
        ("emilia-ZH_B00000_S00000_W000001", "train", "zh", 0.0, 0.5, " 我们走吧。", "ZH_B00000_S00000", "kept"),
    ],
    "mls": [
        ("mls-4800_10003_000000", "train", "en", 0.0, 0.5, "oh my dear 0", "4800", "kept"),
        ("mls-4800_10003_000001", "train", "en", 0.0, 0.5, "oh my dear 1", "4800", "kept"),
        ("mls-10226_10111_000000", "test_mls", "en", 0.0, 0.5, "oh my dear 0", "10226", "kept"),
    ],
    "voxpopuli": [
        (
            "vox-20090113-0900-PLENARY-5-en_20090113-17:20:57_0",
            "train",
            "en",
            0.0,
            0.5,
            "thank you mr train",
            "28113",
            "kept",
        ),
        (
            "vox-20090113-0900-PLENARY-5-en_20090113-17:20:57_1",
            "test_voxpopuli_dev",
            "en",
            0.0,
            0.5,
            "thank you mr dev",
            "28113",
            "kept",
        ),
        (
            "vox-20090113-0900-PLENARY-5-en_20090113-17:20:57_2",
            "test_voxpopuli",
            "en",
            0.0,
            0.5,
            "thank you mr test",
            "28113",
            "kept",
        ),
    ],
    "spgispeech": [
        (
            "spgi-13aa6c0669adb5544a0d62beef677189train/12",
            "train",
            "en",
            0.0,
            0.5,
            "Daniel, Q12 results -- and so on.",
            None,
            "kept",
        ),
        (
            "spgi-13aa6c0669adb5544a0d62beef677189train/75",
            "train",
            "en",
            0.0,
            0.5,
            "Daniel, Q75 results -- and so on.",
            None,
            "kept",
        ),
        (
            "spgi-13aa6c0669adb5544a0d62beef677189val/3",
            "valid",
            "en",
            0.0,
            0.5,
            "Daniel, Q3 results -- and so on.",
            None,
            "kept",
        ),
    ],
    "peoples_speech": [
        ("peoples-a_SLASH_x_00000", "train", "en", 0.0, 0.5, "i wanted", None, "kept"),
        ("peoples-a_SLASH_x_00001", "train", "en", 0.0, 0.75, "to", None, "kept"),
        ("peoples-b_SLASH_y_00000", "test_peoples_speech", "en", 0.0, 0.5, "share this", None, "kept"),
    ],
    "vctk": [
        ("vctk-p225_001_mic1", "train", "en", 0.0, 0.5, "Please call Stella.", "p225", "kept"),
        ("vctk-p225_001_mic2", "train", "en", 0.0, 0.5, "Please call Stella.", "p225", "kept"),
        ("vctk-p280_001_mic1", "train", "en", 0.0, 0.5, "Please call Stella.", "p280", "kept"),
        ("vctk-p315_001_mic1", "train", "en", 0.0, 0.5, None, "p315", "no transcript"),
    ],
    "tedlium": [
        ("ted-911Mothers_2010W-2", "train", "en", 0.25, 0.75, "some of", "911Mothers_2010W", "kept"),
        ("ted-911Mothers_2010W-1", "train", "en", 1.5, 1.0, "some {NOISE} <unk>", "911Mothers_2010W", "kept"),
        (
            "ted-AimeeMullins_2009P-1",
            "test_tedlium",
            "en",
            0.0,
            0.5,
            "ignore_time_segment_in_scoring",
            "AimeeMullins_2009P",
            "not scored",
        ),
        ("ted-AimeeMullins_2009P-2", "test_tedlium", "en", 0.5, 1.5, "i 'd like", "AimeeMullins_2009P", "kept"),
    ],
    "fleurs": [
        ("fleurs-en_us-10002302398740", "train", "en", 0.0, 0.5, "However, train 3.", None, "kept"),
        ("fleurs-en_us-10002302398741", "valid", "en", 0.0, 0.5, "However, dev 3.", None, "kept"),
        ("fleurs-en_us-10002302398742", "test_fleurs_en_us", "en", 0.0, 0.5, "However, test 3.", None, "kept"),
        ("fleurs-yue_hant_hk-10002302398740", "train", "yue", 0.0, 0.5, "我哋走啦。", None, "kept"),
        ("fleurs-yue_hant_hk-10002302398741", "valid", "yue", 0.0, 0.5, "我哋走啦。", None, "kept"),
        ("fleurs-yue_hant_hk-10002302398742", "test_fleurs_yue_hant_hk", "yue", 0.0, 0.5, "我哋走啦。", None, "kept"),
    ],
    "aishell2": [
        ("aishell2-IC0001W0001", "train", "zh", 0.0, 0.5, "厨房用品", "C0001", "kept"),
        ("aishell2-IC0001W0002", "train", "zh", 0.0, 0.5, "听beat it", "C0001", "kept"),
        ("aishell2-IT0011W0001", "test_aishell2_ios", "zh", 0.0, 0.5, "换一首歌", "T0011", "kept"),
        ("aishell2-MD0012W0001", "test_aishell2_mic_dev", "zh", 0.0, 0.5, "电灯打开", "D0012", "kept"),
    ],
    "kespeech": [
        ("ke-1000001_63740949", "train", "zh-jianghuai", 0.0, 0.5, "明天下午<SPOKEN_NOISE>", "1000001", "kept"),
        ("ke-1000002_2c863844", "train", "zh-jilu", 0.0, 0.5, "今天晴", "1000002", "kept"),
        ("ke-1000003_4ee86ae9", "test_kespeech", "zh", 0.0, 0.5, "北京欢迎你", "1000003", "kept"),
    ],
}

GIGA, WENET = "GigaSpeech.json", "WenetSpeech.json"
BAD_LINES = {
    "librispeech": ("LibriSpeech/train-clean-100/103/1240/103-1240.trans.txt", b"103-1240-0009\n"),
    "aishell": ("data_aishell/transcript/aishell_transcript_v0.8.txt", b"BAC009S0002W0999\n"),
    "common_voice": ("cv-corpus-15.0-2023-09-08/zh-CN/train.tsv", b"a\tb\n"),
    "emilia": ("EN/EN_B00000.jsonl", b'{"id": \n'),
    "mls": ("mls_english/train/transcripts.txt", b"4800_1_2 no tab\n"),
    "voxpopuli": ("transcribed_data/en/asr_train.tsv", b"x\n"),
    "spgispeech": ("spgispeech/train.csv", b"a/1.wav|12\n"),
    "tedlium": ("TEDLIUM_release-3/legacy/train/stm/911Mothers_2010W.stm", b"911Mothers_2010W 1 x 3.0 2.0 <NA> a\n"),
    "fleurs": ("data/en_us/train.tsv", b"903\t\xff\n"),
    "aishell2": ("AISHELL-2/iOS/data/trans.txt", b"IC0001W0009\n"),
    "kespeech": ("KeSpeech/Tasks/ASR/train_phase1/text", b"1000001_0f0f0f0f\n"),
}
AUDIO = (".flac", ".wav", ".mp3", ".opus", ".ogg", ".sph")


def read(name, folder, **changes):
    corpus = importlib.import_module(f"miniatures.{name}").make(folder)
    return rows(corpus.model_copy(update=changes), folder)


def rows(corpus, folder):
    reader = importlib.import_module(f"earmark.corpora.public.{corpus.reader}")
    return list(reader.read(corpus, folder.parent / "own"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "corpus").mkdir()
    return tmp_path / "corpus"


@pytest.mark.parametrize("name", EXPECTED)
def test_rows_of_the_published_layout(name, folder):
    found = read(name, folder)
    assert [
        (
            each["id"],
            each["split"],
            each["language"],
            each.get("offset", 0.0),
            round(each.get("duration", 0.0), 3),
            each["raw_text"],
            each["speaker"],
            each.get("status", "kept"),
        )
        for each in found
    ] == EXPECTED[name]
    for each in found:
        samples = read_audio(each["audio"], each.get("offset", 0.0), each["duration"], member=each.get("member"))
        assert len(samples) / 16_000 == pytest.approx(each["duration"], abs=0.06)


@pytest.mark.parametrize("name", sorted(EXPECTED.keys() - {"peoples_speech"}))
def test_missing_audio_is_a_row_set_aside(name, folder):
    corpus = importlib.import_module(f"miniatures.{name}").make(folder)
    before = rows(corpus, folder)
    gone = next(path for path in sorted(folder.rglob("*")) if path.suffix in AUDIO)
    gone.unlink()
    after = rows(corpus, folder)
    changed = [each for each in after if each.get("status") == "missing audio"]
    if name == "vctk":  # its audio is its list: the sentence is still there by the other microphone
        assert len(after) == len(before) - 1
        return
    assert sorted(each["id"] for each in after) == sorted(each["id"] for each in before)
    assert changed
    assert all(str(gone) == each["audio"] or each["audio"] in str(gone) for each in changed)


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_set_aside_alone(name, folder):
    corpus = importlib.import_module(f"miniatures.{name}").make(folder)
    before = rows(corpus, folder)
    file, line = BAD_LINES[name]
    with (folder / file).open("ab") as stream:
        stream.write(line)
    after = rows(corpus, folder)
    bad = [each for each in after if each["id"] not in {one["id"] for one in before}]
    assert len(after) == len(before) + 1
    assert len(bad) == 1
    assert bad[0]["status"] != "kept"
    assert ":" in bad[0]["id"]
    assert [each for each in after if each not in bad] == before


@pytest.mark.parametrize(("name", "file"), [("gigaspeech", GIGA), ("wenetspeech", WENET)])
def test_bad_segments_and_recordings_of_a_json_document(name, file, folder):
    corpus = importlib.import_module(f"miniatures.{name}").make(folder)
    before = rows(corpus, folder)
    value = json.loads((folder / file).read_text(encoding="utf-8"))
    good = value["audios"][0]["segments"][0]
    value["audios"][0]["segments"] += [{"sid": "x"}, good | {"sid": "late", "begin_time": 90.0, "end_time": 91.0}]
    value["audios"].append("no recording")
    (folder / file).write_text(json.dumps(value), encoding="utf-8")
    after = rows(corpus, folder)
    kept = [each for each in after if each.get("status", "kept") == "kept"]
    aside = sorted(each["status"] for each in after if each.get("status", "kept") != "kept")
    assert kept == before
    assert aside == ["bad segment", "entry is not a recording", "segment beyond the recording"]


def test_a_document_cut_short_is_an_error(folder):
    corpus = importlib.import_module("miniatures.gigaspeech").make(folder)
    text = (folder / GIGA).read_text(encoding="utf-8")
    (folder / GIGA).write_text(text[:-40], encoding="utf-8")
    with pytest.raises(CorpusError, match="cut short or damaged"):
        rows(corpus, folder)


def test_entries_do_not_depend_on_where_a_read_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("earmark.corpora.public.lines._CHUNK", 7)
    (tmp_path / "a.json").write_text('{"x": 1, "audios": [{"a": "]}"}, {"a": [1, 2]}\n ]}', encoding="utf-8")
    assert list(entries(tmp_path / "a.json", "audios")) == [{"a": "]}"}, {"a": [1, 2]}]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_wrong_folder_names_what_was_expected(name, folder):
    corpus = PublicCorpus(name="x", reader=name, path=folder)
    with pytest.raises(CorpusError, match=r"holds no .*, as .* has it"):
        rows(corpus, folder)


@pytest.mark.parametrize(
    ("name", "subsets", "count"),
    [
        ("librispeech", ["test-other"], 1),
        ("gigaspeech", ["M"], 1),
        ("wenetspeech", ["L", "TEST_NET"], 3),
        ("common_voice", ["zh-HK"], 1),
        ("emilia", ["ZH"], 2),
        ("vctk", ["mic2"], 1),
        ("kespeech", ["test"], 1),
        ("aishell2", ["mic_dev"], 1),
    ],
)
def test_subsets_by_the_corpus_s_own_names(name, subsets, count, folder):
    assert len(read(name, folder, subsets=subsets)) == count
