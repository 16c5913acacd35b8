"""The synthetic corpus's plan: a pure function of its settings, nothing heard in training heard again in tests."""

from pathlib import Path

import pytest
import soundfile
from tiny import TinyRun

from earmark.config import SyntheticCorpus
from earmark.corpora.small.espeak import say
from earmark.corpora.small.synthetic import RATES, UNUSABLE, Spoken, _speak_part, utterances, variants
from earmark.errors import CorpusError
from earmark.io import read_parquet

SIZES = {
    "train": {"zh": 120, "en": 120, "zh-en": 60},
    "valid": {"zh": 12, "en": 12, "zh-en": 12},
    "test": {"zh": 40, "en": 40, "zh-en": 40},
}


def corpus(**values: object) -> SyntheticCorpus:
    return SyntheticCorpus.model_validate({"name": "s", "reader": "synthetic"} | SIZES | values)


@pytest.fixture(scope="module")
def plan() -> list[Spoken]:
    return utterances(corpus())


def of(plan: list[Spoken], *splits: str) -> list[Spoken]:
    return [one for one in plan if one.split in splits]


TESTS = ("test_zh", "test_en", "test_zh_en")


def test_plan_is_deterministic_and_depends_on_the_seed(plan: list[Spoken]) -> None:
    assert utterances(corpus()) == plan
    assert utterances(corpus(seed=2)) != plan


def test_every_split_has_what_was_asked_for(plan: list[Spoken]) -> None:
    for language in ("zh", "en", "zh-en"):
        for split, name in (("train", "train"), ("valid", "valid"), ("test", f"test_{language.replace('-', '_')}")):
            chosen = [one for one in of(plan, name) if one.language == language]
            assert len(chosen) == SIZES[split][language]
    assert len({one.key for one in plan}) == len(plan)
    assert {one.split for one in plan} == {"train", "valid"} | corpus().test_splits


def test_voices_of_tests_are_never_heard_in_training(plan: list[Spoken]) -> None:
    train = {one.voice.variant for one in of(plan, "train")}
    held_out = {one.voice.variant for one in of(plan, "valid", *TESTS)}
    assert len(train) > 20 and len(held_out) > 5
    assert not train & held_out
    assert train | held_out <= set(variants())


def test_sentences_of_tests_are_never_read_in_training(plan: list[Spoken]) -> None:
    train = {one.text for one in of(plan, "train")}
    assert not train & {one.text for one in of(plan, "valid", *TESTS)}


def test_sentences_of_a_test_set_are_distinct(plan: list[Spoken]) -> None:
    for name in TESTS:
        texts = [one.text for one in of(plan, name)]
        assert len(set(texts)) == len(texts)


def test_split_of_a_sentence_does_not_depend_on_the_sizes() -> None:
    small = utterances(corpus(train={"zh": 30}, valid={"zh": 3}, test={"zh": 10}))
    large = utterances(corpus(train={"zh": 900}, valid={"zh": 24}, test={"zh": 100}))
    assert not {one.text for one in of(small, "train")} & {one.text for one in of(large, "test_zh", "valid")}


def test_languages_are_in_their_scripts(plan: list[Spoken]) -> None:
    for one in plan:
        han = any("\u4e00" <= character <= "\u9fff" for character in one.text)
        latin = any(character.isascii() and character.isalpha() for character in one.text)
        assert (han, latin) == {"zh": (True, False), "en": (False, True), "zh-en": (True, True)}[one.language], one.text


def test_voices_are_usable_and_speak_at_a_pace_that_ctc_can_follow(plan: list[Spoken]) -> None:
    assert not [name for name in variants() if name.lower().startswith(UNUSABLE)]
    for one in plan:
        low, high = RATES["en" if one.language == "en" else "zh"]
        assert low <= one.voice.rate <= high
        assert 0 <= one.voice.pitch <= 99 and 0 <= one.voice.spread <= 99


def test_own_sentences_take_the_grammar_s_place(tmp_path: Path) -> None:
    listed = [f"第{number}句话" for number in "一二三四五六七八九十百千万亿"]
    listed += [f"{one}是{other}" for one in "天地人和" for other in "日月星辰"]
    (tmp_path / "zh.txt").write_text("\n".join([*listed, "", *listed]) + "\n", encoding="utf-8")
    own = corpus(sentences={"zh": tmp_path / "zh.txt"}, train={"zh": 60, "en": 5}, valid={"zh": 1}, test={"zh": 2})
    found = utterances(own)
    chinese = [one for one in found if one.language == "zh"]
    assert {one.text for one in chinese} <= set(listed)
    assert {one.text for one in of(found, "train")} & set(listed)
    assert not {one.text for one in of(found, "train")} & {one.text for one in of(found, "test_zh", "valid")}
    assert len(of(found, "train")) == 65  # training may repeat a sentence in other voices


def test_too_few_held_out_sentences_are_told(tmp_path: Path) -> None:
    listed = [f"{one}是{other}" for one in "天地人和" for other in "日月星辰"]
    (tmp_path / "zh.txt").write_text("\n".join(listed), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"only \d+ sentences are held out, fewer than the test set asks for"):
        utterances(corpus(sentences={"zh": tmp_path / "zh.txt"}, train={"zh": 5}, valid={}, test={"zh": 16}))


def test_list_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"gone\.txt cannot be read"):
        utterances(corpus(sentences={"zh": tmp_path / "gone.txt"}))
    (tmp_path / "zh.txt").write_text("一句话\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="none on one side of the split"):
        utterances(corpus(sentences={"zh": tmp_path / "zh.txt"}))
    (tmp_path / "zh.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorpusError, match="cannot be read"):
        utterances(corpus(sentences={"zh": tmp_path / "zh.txt"}))


def test_what_was_spoken_is_where_the_manifest_says(tiny_run: TinyRun) -> None:
    rows = read_parquet(tiny_run.paths.raw_manifest("spoken")).to_pylist()
    assert len(rows) == 20
    planned = {f"spoken-{one.key}": one for one in utterances(tiny_run.config.corpora[0])}  # type: ignore[arg-type]
    for row in rows:
        one = planned[row["id"]]
        assert (row["raw_text"], row["split"], row["speaker"]) == (one.text, one.split, f"espeak-{one.voice.variant}")
        info = soundfile.info(tiny_run.root / row["audio"])
        assert (info.samplerate, info.channels) == (16_000, 1)
        assert row["duration"] == pytest.approx(info.duration, abs=1e-4)
        assert 0.3 < row["duration"] < 8


def test_speaking_again_gives_the_same_files_on_one_machine(tiny_run: TinyRun, tmp_path: Path) -> None:
    """espeak-ng draws its noise by the clock, and goes on where it stopped: neither may be heard."""
    plan = utterances(tiny_run.config.corpora[0])  # type: ignore[arg-type]
    say("something else before", "en-us+f2", 130, 50, 50)
    for folder in (tmp_path / "1", tmp_path / "2"):
        _speak_part(plan, folder)
        for one in plan:
            name = f"{one.split}/{one.key}.flac"
            spoken = tiny_run.folder / "corpora" / "spoken" / "audio" / name
            assert (folder / name).read_bytes() == spoken.read_bytes(), name
