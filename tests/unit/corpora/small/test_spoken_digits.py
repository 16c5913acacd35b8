"""The English digits: one speaker held out."""

from collections import Counter

import pytest

from earmark.config import SpokenDigitsCorpus
from earmark.corpora.base import reader
from earmark.corpora.small.spoken_digits import WORDS, read
from earmark.data import manifest
from earmark.errors import CorpusError


def settings(path, **values):
    return SpokenDigitsCorpus(name="digits", reader="spoken_digits", path=path, **({"valid_recordings": 5} | values))


@pytest.fixture
def files(wav):
    speakers = ("george", "jackson", "theo")
    return {f"{digit}_{name}_{n}.wav": wav for digit in range(10) for name in speakers for n in range(2)}


@pytest.fixture
def archive(pack, files):
    return pack("spoken-digits.tar.gz", "spoken-digits", files)


def test_rows_say_what_the_names_say(archive, tmp_path):
    corpus = settings(archive)
    rows = {row["id"]: row for row in reader(corpus)(corpus, tmp_path / "run")}
    assert len(rows) == 60
    one = rows["digits-7_theo_1"]
    assert (one["raw_text"], one["language"], one["speaker"]) == ("seven", "en", "theo")
    assert (one["split"], one["duration"], one["licence"]) == ("test_digits", 0.4, "CC-BY-SA-4.0")
    assert one["audio"] == str(tmp_path / "run/audio/spoken-digits/7_theo_1.wav")
    assert {row["raw_text"] for row in rows.values()} == set(WORDS)


def test_the_held_out_speaker_is_in_the_test_set_only(archive, tmp_path):
    rows = list(read(settings(archive, test_speaker="george"), tmp_path / "run"))
    assert Counter(row["split"] for row in rows) == {"train": 35, "valid": 5, "test_digits": 20}
    assert settings(archive).test_splits == {"test_digits"}
    assert {row["speaker"] for row in rows if row["split"] == "test_digits"} == {"george"}
    assert {row["speaker"] for row in rows if row["split"] != "test_digits"} == {"jackson", "theo"}


def test_validation_recordings_depend_on_the_seed(archive, tmp_path):
    def valid(seed):
        rows = read(settings(archive, seed=seed), tmp_path / "run")
        return {row["id"] for row in rows if row["split"] == "valid"}

    assert valid(1) == valid(1) != valid(2)


def test_undecodable_recordings_are_set_aside(pack, files, tmp_path):
    files |= {"0_theo_0.wav": b"", "1_theo_0.wav": b"RIFF....not a wave", "12_theo_0.wav": b"other name"}
    table = manifest.table(read(settings(pack("a.tar.gz", "spoken-digits", files)), tmp_path / "run"))
    assert manifest.counts(table) == {"kept": 58, "undecodable audio": 2}


def test_an_unknown_speaker_is_an_error_that_names_the_known(archive, tmp_path):
    with pytest.raises(CorpusError, match="no test_speaker 'bob': name one of george, jackson, theo"):
        list(read(settings(archive, test_speaker="bob"), tmp_path / "run"))


def test_an_absent_archive_names_the_public_project(tmp_path):
    with pytest.raises(CorpusError, match=r"absent\.tar\.gz is not there: .*Jakobovski/free-spoken-digit"):
        list(read(settings(tmp_path / "absent.tar.gz"), tmp_path / "run"))


def test_an_archive_of_something_else_is_refused(pack, wav, tmp_path):
    with pytest.raises(CorpusError, match=r"holds no DIGIT_SPEAKER_N\.wav"):
        list(read(settings(pack("a.tar.gz", "other", {"hello.wav": wav})), tmp_path / "run"))


def test_a_damaged_archive_is_refused(archive, tmp_path):
    archive.write_bytes(archive.read_bytes()[:-9])
    with pytest.raises(CorpusError, match="cannot be unpacked"):
        list(read(settings(archive), tmp_path / "run"))


def test_the_published_archive(shared_speech, tmp_path):
    corpus = settings(shared_speech / "spoken-digits.tar.gz", valid_recordings=30)
    table = manifest.table(read(corpus, tmp_path / "run"))
    assert manifest.counts(table) == {"kept": 3000}
    rows = table.to_pylist()
    assert Counter(row["split"] for row in rows) == {"train": 2470, "valid": 30, "test_digits": 500}
    assert Counter(row["raw_text"] for row in rows) == dict.fromkeys(WORDS, 300)
    assert sum(row["duration"] for row in rows) == pytest.approx(1312.3, abs=0.1)
