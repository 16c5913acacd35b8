"""The Mandarin words: what is set aside, what is held out, and that it was never heard."""

from collections import Counter

import pytest
from pypinyin import Style, lazy_pinyin

from earmark.config import HskWordsCorpus
from earmark.corpora.base import reader
from earmark.corpora.small.hsk_words import held_out, read
from earmark.data import manifest
from earmark.errors import CorpusError

WORDS = ["苹果", "打开", "空调", "天气", "今天", "明天", "音乐", "电灯", "中国", "北京", "上海", "学校"]
WORDS += ["老师", "学生", "朋友", "高兴"]


def settings(path, **values):
    counts = {"test_words": 4, "valid_words": 2} | values
    return HskWordsCorpus(name="words", reader="hsk_words", path=path, **counts)


@pytest.fixture
def archive(pack, mp3):
    names = [*WORDS, "一", "果", "从_到_", "越_越_"]
    return pack("hsk-words.tar", "hsk-words", {f"cmn-{name}.mp3": mp3 for name in names})


def test_rows_say_what_the_names_say(archive, tmp_path):
    corpus = settings(archive)
    rows = {row["id"]: row for row in reader(corpus)(corpus, tmp_path / "run")}
    assert len(rows) == len(WORDS) + 4
    one = rows["words-苹果"]
    assert (one["raw_text"], one["language"], one["speaker"]) == ("苹果", "zh", "yue-tan")
    assert one["duration"] == pytest.approx(0.8, abs=0.1)
    assert one["audio"] == str(tmp_path / "run/audio/hsk-words/cmn-苹果.mp3")
    assert one["licence"] == "CC-BY-SA"
    assert "status" not in one


def test_gaps_are_set_aside_and_rows_in_are_kept_plus_set_aside(archive, tmp_path):
    table = manifest.table(read(settings(archive), tmp_path / "run"))
    assert manifest.counts(table) == {"kept": len(WORDS) + 2, "gap in the transcript": 2}
    gaps = [row["raw_text"] for row in table.to_pylist() if row["status"] != "kept"]
    assert sorted(gaps) == ["从_到_", "越_越_"]


def test_splits_have_the_asked_sizes_and_single_characters_are_in_training(archive, tmp_path):
    rows = list(read(settings(archive), tmp_path / "run"))
    assert Counter(row["split"] for row in rows) == {"train": len(rows) - 6, "test_words": 4, "valid": 2}
    assert settings(archive).test_splits == {"test_words"}
    assert all(len(row["raw_text"]) > 1 for row in rows if row["split"] != "train")


def test_names_and_files_that_are_no_recorded_words_are_set_aside(pack, mp3, tmp_path):
    odd = {
        "cmn-卡拉OK.mp3": mp3,
        "cmn-.mp3": mp3,
        "cmn-empty.mp3": b"",
        "cmn-空.mp3": b"",
        "cmn-坏.mp3": b"no",
    }
    path = pack("a.tar", "hsk-words", {f"cmn-{word}.mp3": mp3 for word in WORDS} | odd)
    table = manifest.table(read(settings(path), tmp_path / "run"))
    assert manifest.counts(table) == {
        "kept": len(WORDS),
        "not Han characters": 3,
        "undecodable audio": 2,
    }
    assert table.num_rows == len(WORDS) + len(odd)


def test_a_word_recorded_twice_is_kept_once(pack, mp3, tmp_path):
    files = {f"64k/cmn-{word}.mp3": mp3 for word in WORDS} | {"18k/cmn-苹果.mp3": mp3}
    table = manifest.table(read(settings(pack("a.tar", "hsk-words", files)), tmp_path / "run"))
    assert manifest.counts(table) == {"kept": len(WORDS), "duplicate id": 1}


def test_words_that_sound_alike_are_held_out_together():
    alike = ["公式", "攻势", "公事"]
    splits = set()
    for seed in range(30):
        held = held_out([*WORDS, *alike], settings("a.tar", seed=seed))
        assert len(set(map(held.get, alike))) == 1
        splits.add(held.get("公式"))
        assert Counter(held.values()) == {"test_words": 4, "valid": 2}
    assert splits == {None, "test_words"}  # three do not fit into valid's two


def test_a_word_that_sounds_like_a_character_or_its_erhua_is_not_held_out():
    for seed in range(30):
        held = held_out([*WORDS, "个儿", "个", "一下儿", "一下"], settings("a.tar", seed=seed))
        assert held.get("个儿") is None
        assert held.get("一下儿") == held.get("一下")


def test_choice_depends_on_seed_and_word_only():
    corpus = settings("a.tar")
    assert held_out(WORDS, corpus) == held_out(WORDS[::-1], corpus)
    assert held_out(WORDS, corpus) != held_out(WORDS, settings("a.tar", seed=2))
    before = {word for word, split in held_out(WORDS, corpus).items() if split == "test_words"}
    after = {word for word, split in held_out([*WORDS, "水果"], corpus).items() if split == "test_words"}
    assert len(before - after) <= 1


def test_too_few_words_is_an_error_that_names_the_numbers(archive, tmp_path):
    with pytest.raises(CorpusError, match="test_words 15 and valid_words 2: lower them"):
        list(read(settings(archive, test_words=15), tmp_path / "run"))


def test_an_absent_archive_names_the_public_project(tmp_path):
    with pytest.raises(CorpusError, match=r"absent\.tar is not there: .*hugolpz/audio-cmn"):
        list(read(settings(tmp_path / "absent.tar"), tmp_path / "run"))


def test_an_archive_of_something_else_is_refused(pack, wav, tmp_path):
    with pytest.raises(CorpusError, match=r"holds no cmn-WORD\.mp3"):
        list(read(settings(pack("a.tar", "other", {"a.wav": wav})), tmp_path / "run"))


def test_a_damaged_archive_is_refused(archive, tmp_path):
    archive.write_bytes(archive.read_bytes()[:9000])
    with pytest.raises(CorpusError, match="cannot be unpacked"):
        list(read(settings(archive), tmp_path / "run"))


def test_the_published_archive(shared_speech, tmp_path, monkeypatch):
    # Decoding 8,596 files takes ten seconds; lengths are tested above.
    monkeypatch.setattr("earmark.corpora.recordings.audio_seconds", lambda path, member: 1.0)
    corpus = settings(shared_speech / "hsk-words.tar", test_words=400, valid_words=60)
    table = manifest.table(read(corpus, tmp_path / "run"))
    assert manifest.counts(table) == {"kept": 8569, "gap in the transcript": 27}
    kept = [row for row in table.to_pylist() if row["status"] == "kept"]
    assert Counter(row["split"] for row in kept) == {"train": 8109, "test_words": 400, "valid": 60}
    assert sum(len(row["raw_text"]) == 1 for row in kept) == 1734
    heard, tested = (
        {" ".join(lazy_pinyin(row["raw_text"], style=Style.TONE3)) for row in kept if row["split"] == split}
        for split in ("train", "test_words")
    )
    assert not heard & tested
