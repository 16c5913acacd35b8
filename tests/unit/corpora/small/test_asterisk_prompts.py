"""The English prompts: what is speech, and whole wordings held out."""

import gzip
from collections import defaultdict

import numpy as np
import pytest
import soundfile

from earmark.config import AsteriskPromptsCorpus
from earmark.corpora.base import reader
from earmark.corpora.small.asterisk_prompts import SOURCE, SUFFIXES, read
from earmark.data import manifest
from earmark.errors import CorpusError

LIST = """\
; Core Asterisk Sounds in English

agent-loginok: Agent logged in.
auth-thankyou: Thank you.
privacy-thankyou: thank you
beep: [this is a simple beep tone]
confbridge-join: <beep ascending>
silence/1: (1 second of silence)
letters/at: at [@]
digits/1: one
priv-callpending: I have a caller waiting, who introduces themselves as:
spy-iax2: IAX (note: does not say "2")
dictate/both_help: press * to toggle pause, press # to enter a new dictation filename
pls-try-call-later: Please try your call again later.
"""


@pytest.fixture
def packages(tmp_path, g722):
    """Both packages, unpacked: a function that adds prompts and gives the settings."""

    def settings(extra="", **values):
        sounds, transcripts = tmp_path / "en_US_f_Allison", tmp_path / "core-sounds-en.txt.gz"
        transcripts.write_bytes(gzip.compress((LIST + extra).encode()))
        names = [line.partition(":")[0] for line in (LIST + extra).splitlines() if ": " in line]
        for name in [*names, "untold"]:
            (sounds / name).parent.mkdir(parents=True, exist_ok=True)
            (sounds / f"{name}.g722").write_bytes(g722)
        (sounds / "pls-try-call-later.g722").unlink()
        values = {"sounds": sounds, "transcripts": transcripts, "valid_prompts": 1} | values
        return AsteriskPromptsCorpus(name="prompts", reader="asterisk_prompts", **values)

    return settings


def test_rows_hold_what_is_spoken(packages, tmp_path):
    corpus = packages()
    rows = {row["id"]: row for row in reader(corpus)(corpus, tmp_path)}
    one = rows["prompts-agent-loginok"]
    assert (one["raw_text"], one["language"], one["speaker"]) == ("Agent logged in.", "en", "allison-smith")
    assert one["duration"] == pytest.approx(1.5, abs=0.05)
    assert (one["licence"], "status" in one) == ("CC-BY-SA-3.0", False)
    assert rows["prompts-letters/at"]["raw_text"] == "at"
    assert rows["prompts-spy-iax2"]["raw_text"] == "IAX"
    assert rows["prompts-priv-callpending"]["raw_text"].endswith("introduces themselves as:")


def test_what_is_not_speech_with_a_transcript_is_set_aside(packages, tmp_path):
    table = manifest.table(read(packages(), tmp_path))
    reasons = {row["id"].removeprefix("prompts-"): row["status"] for row in table.to_pylist()}
    assert {name: status for name, status in reasons.items() if status != "kept"} == {
        "beep": "sound effect or silence",
        "confbridge-join": "sound effect or silence",
        "silence/1": "sound effect or silence",
        "dictate/both_help": "symbol in the transcript",
        "pls-try-call-later": "missing audio",
        "untold": "no transcript",
    }
    assert table.num_rows == 13


def test_a_share_of_wordings_is_held_out_and_no_wording_is_heard_elsewhere(packages, tmp_path):
    extra = "".join(f"a{n}: sentence number {n} of many\nb{n}: Sentence number {n}, of many!\n" for n in range(60))
    corpus = packages(extra, valid_prompts=4, test_fraction=0.25)
    rows = list(read(corpus, tmp_path))
    assert {row["split"] for row in rows} == {"train", "valid"} | corpus.test_splits
    wordings = defaultdict(set)
    for row in rows:
        if row["raw_text"].lower().startswith("sentence"):
            wordings[row["raw_text"].split()[2].strip(",")].add(row["split"])
    assert len(wordings) == 60
    assert all(len(splits) == 1 for splits in wordings.values())
    heard = [splits.pop() for splits in wordings.values()]
    assert {"train", "test_prompts"} <= set(heard)
    spoken = {row["raw_text"].lower().strip(".!").replace(",", "") for row in rows if row["split"] == "test_prompts"}
    assert len(spoken) == round(0.25 * 67)  # 60 of these and 7 of the list


def test_choice_depends_on_the_seed(packages, tmp_path):
    def tests(seed):
        rows = read(packages(test_fraction=0.5, seed=seed), tmp_path)
        return {row["id"] for row in rows if row["split"] == "test_prompts"}

    assert tests(1) == tests(1)
    assert len({frozenset(tests(seed)) for seed in range(8)}) > 1


def test_an_empty_file_is_set_aside(packages, tmp_path):
    corpus = packages()
    (corpus.sounds / "agent-loginok.g722").write_bytes(b"")
    table = manifest.table(read(corpus, tmp_path))
    assert manifest.counts(table)["undecodable audio"] == 1


@pytest.mark.parametrize("missing", ["sounds", "transcripts"])
def test_absent_packages_are_named(packages, tmp_path, missing):
    corpus = packages(**{missing: tmp_path / "absent"})
    with pytest.raises(CorpusError, match=r"absent is not there: .*asterisk-core-sounds-en.*-g722") as caught:
        list(read(corpus, tmp_path))
    assert f"`{missing}`" in str(caught.value)


def test_a_folder_without_sounds_is_refused(packages, tmp_path):
    (tmp_path / "hollow").mkdir()
    with pytest.raises(CorpusError, match=r"hollow holds no \*\.g722 or \*\.wav or \*\.gsm"):
        list(read(packages(sounds=tmp_path / "hollow"), tmp_path))


@pytest.mark.parametrize("data", [b"", b"plain text", gzip.compress(b"a: b\n" * 99)[:-12], gzip.compress(b"a: \xff")])
def test_a_damaged_list_is_refused(packages, tmp_path, data):
    corpus = packages()
    corpus.transcripts.write_bytes(data)
    with pytest.raises(CorpusError, match=r"not a gzipped list|lists no prompts"):
        list(read(corpus, tmp_path))


@pytest.mark.parametrize(("suffix", "kind"), [(".wav", "WAV PCM_16"), (".gsm", "RAW GSM610"), (".ulaw", "RAW ULAW")])
def test_whichever_package_is_installed_is_read(packages, tmp_path, suffix, kind):
    corpus = packages()
    for path in corpus.sounds.rglob("*.g722"):
        path.unlink()
        soundfile.write(
            path.with_suffix(suffix), np.zeros(12_000), 8000, format=kind.split()[0], subtype=kind.split()[1]
        )
    rows = {row["id"].removeprefix("prompts-"): row for row in read(corpus, tmp_path)}
    assert len(rows) == 13
    assert rows["agent-loginok"]["audio"] == str(corpus.sounds / f"agent-loginok{suffix}")
    assert rows["agent-loginok"]["duration"] == pytest.approx(1.5, abs=0.05)
    assert "status" not in rows["agent-loginok"]


def test_of_two_packages_the_better_sound_is_read_once(packages, tmp_path):
    corpus = packages()
    soundfile.write(corpus.sounds / "agent-loginok.wav", np.zeros(8000), 8000)
    soundfile.write(corpus.sounds / "pls-try-call-later.wav", np.zeros(8000), 8000)
    rows = list(read(corpus, tmp_path))
    audio = {row["id"].removeprefix("prompts-"): row["audio"] for row in rows}
    assert len(rows) == len(audio) == 13
    assert audio["agent-loginok"].endswith(".g722") and audio["pls-try-call-later"].endswith(".wav")


def test_the_published_packages(tmp_path):
    corpus = AsteriskPromptsCorpus(name="prompts", reader="asterisk_prompts")
    if not corpus.transcripts.exists() or not any(list(corpus.sounds.rglob(f"*{suffix}")) for suffix in SUFFIXES):
        pytest.skip(f"absent: install {SOURCE}")
    table = manifest.table(read(corpus, tmp_path))
    assert manifest.counts(table) == {
        "kept": 548,
        "sound effect or silence": 17,
        "symbol in the transcript": 3,
        "missing audio": 1,
    }
    splits = [row["split"] for row in table.to_pylist() if row["status"] == "kept"]
    assert 45 <= splits.count("test_prompts") <= 65
    assert splits.count("valid") >= 20
