"""Bad input through the command line: every row kept or set aside with its reason, nothing written outside the run."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from tiny import SETTINGS, Runner, buzz

from earmark.io import read_json

TEXT = "打开空调吧"
# Name, text, language, split, speaker, and what becomes of it; all but the copies are recordings of their own.
ROWS = [
    ("good", TEXT, "zh", "train", "a", "kept"),
    ("rate8k", TEXT, "zh", "train", "a", "kept"),
    ("rate48k", TEXT, "zh", "train", "a", "kept"),
    ("stereo", TEXT, "zh", "train", "a", "kept"),
    ("valid", TEXT, "zh", "valid", "b", "kept"),
    ("tested", TEXT, "zh", "test_own", "c", "kept"),
    ("short", TEXT, "zh", "train", "a", "too short"),
    ("long", TEXT, "zh", "train", "a", "too long"),
    ("slow", "啊", "zh", "train", "a", "impossible speaking rate"),
    ("dense", TEXT * 4, "zh", "train", "a", "too few frames for CTC"),
    ("blank", "", "zh", "train", "a", "empty text"),
    ("dots", "……！", "zh", "train", "a", "empty after normalising"),
    ("script", TEXT, "en", "train", "a", "wrong script for its language"),
    ("unread", "你㲋好", "zh", "train", "a", None),
    ("noise", TEXT, "zh", "train", "a", "undecodable audio"),
    ("zero", TEXT, "zh", "train", "a", "undecodable audio"),
    ("nan", TEXT, "zh", "train", "a", "undecodable audio"),
    ("gone", TEXT, "zh", "train", "a", "missing audio"),
    ("link", TEXT, "zh", "train", "a", "audio outside the folder"),
    ("../outside", TEXT, "zh", "train", "a", "audio outside the folder"),
    ("good", TEXT, "zh", "train", "a", "duplicate id"),
    ("copy", TEXT, "zh", "train", "a", "duplicate audio"),
    ("heard", TEXT, "zh", "train", "a", "audio of a test set"),
    ("voice", TEXT, "zh", "train", "c", "speaker of a test set"),
    ("tongue", TEXT, "xx", "train", "a", "unknown language"),
]
SECONDS = {"short": 0.1, "long": 6.0, "slow": 4.5, "dense": 1.0}
RATES = {"rate8k": 8_000, "rate48k": 48_000}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A working folder with a corpus that has a mistake of each kind, and one of hostile tars."""
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own"
    own.mkdir()
    lines = ["audio\ttext\tlanguage\tid\tsplit\tspeaker"]
    for number, (name, text, language, split, speaker, _) in enumerate(ROWS):
        lines.append("\t".join([f"{name}.wav", text, language, Path(name).name, split, speaker]))
        if name not in ("gone", "link", "../outside", "noise", "zero"):
            rate = RATES.get(name, 16_000)
            time = np.arange(round(SECONDS.get(name, 1.5) * rate)) / rate
            samples = 0.3 * np.sin(2 * np.pi * (150 + 7 * number) * time)
            if name == "stereo":
                samples = np.stack([samples, samples], axis=1)
            if name == "nan":
                samples[100] = np.nan
            soundfile.write(own / f"{name}.wav", samples, rate, subtype="FLOAT")
    lines.insert(3, "a line with one field")
    (own / "utterances.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (own / "noise.wav").write_bytes(b"this is not audio" * 20)
    (own / "zero.wav").touch()
    soundfile.write(tmp_path / "outside.wav", buzz(1.5), 16_000)
    (own / "link.wav").symlink_to(tmp_path / "outside.wav")
    for copy, source in {"copy": "good", "heard": "tested"}.items():
        (own / f"{copy}.wav").write_bytes((own / f"{source}.wav").read_bytes())
    hostile_tars(tmp_path / "web")
    changed = {
        "run": "bad",
        "corpora": [
            {"name": "own", "reader": "folder", "path": "own"},
            {"name": "web", "reader": "webdataset", "path": "web", "language": "zh"},
        ],
        "shards": {"max_seconds": 5.0, "max_labels_per_second": 60},
        "evaluation": {"tests": [{"name": "test_own", "measure": "cer", "scenario": "bad"}]},
    }
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(SETTINGS | changed))
    return "bad.yaml"


def hostile_tars(folder: Path) -> None:
    """Names that lead out, a link, and a good sample; a tar.gz that unpacks to more than can be."""
    folder.mkdir()
    data = io.BytesIO()
    soundfile.write(data, buzz(1.5, 410.0), 16_000, format="WAV")
    with tarfile.open(folder / "a.tar", "w") as tar:
        for name in ("../evil", "/abs", "good"):
            for ending, content in ((".wav", data.getvalue()), (".txt", TEXT.encode())):
                info = tarfile.TarInfo(name + ending)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("link.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with gzip.open(folder / "bomb.tar.gz", "wb", compresslevel=1) as bomb:
        for _ in range(130):
            bomb.write(bytes(1 << 20))


def files_below(folder: Path) -> set[str]:
    return {os.path.relpath(path, folder) for path in folder.rglob("*") if path.is_file()}


def test_every_row_is_kept_or_set_aside_with_its_reason(earmark: Runner, settings: str, tmp_path: Path) -> None:
    before = files_below(tmp_path)
    for name in ("own", "web"):
        for verb in ("corpus", "label", "shards"):
            code, _, said = earmark(verb, settings, name)
            assert code == 0, said
    assert earmark("dataset", settings)[0] == 0
    assert all(path.startswith("results/bad/") for path in files_below(tmp_path) - before)

    def asked(sql: str) -> list[list[str]]:
        code, out, said = earmark("query", sql, "--catalog", "results/bad", "--format", "csv")
        assert code == 0, said
        return [line.split(",") for line in out.splitlines()[1:]]

    reasons = [tuple(one) for one in asked("SELECT id, status FROM set_aside WHERE corpus = 'own'")]
    expected = [(f"own-{Path(name).name}", why) for name, *_, why in ROWS if why not in ("kept", None)]
    found = [one for one in reasons if one[0] not in ("own-line-4", "own-unread")]
    assert sorted(found) == sorted(expected)
    [bad] = asked("SELECT audio, raw_text, status FROM manifests WHERE id = 'own-line-4'")
    assert bad == ["own/utterances.tsv", "a line with one field", "wrong number of fields"]
    kept = {one[0] for one in asked("SELECT id FROM training UNION SELECT id FROM shard_index WHERE split <> 'train'")}
    assert kept >= {f"own-{name}" for name, *_, why in ROWS if why == "kept"}
    assert {key.rpartition("/")[2] for key in kept if not key.startswith("own")} == {"good"}
    account = read_json("results/bad/shards/dataset.json")["corpora"]["own"]
    assert account["rows"] == account["kept"] + sum(account["set_aside"].values()) == len(ROWS) + 1
    assert set(account["set_aside"]) >= {why for *_, why in ROWS if why not in ("kept", None)}
    durations = dict(asked("SELECT id, duration FROM shard_index WHERE id LIKE 'own-rate%' OR id = 'own-stereo'"))
    assert all(abs(float(seconds) - 1.5) < 0.05 for seconds in durations.values())


def test_a_folder_of_another_shape_names_file_and_version(earmark: Runner, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus").mkdir()
    corpora = [{"name": "libri", "reader": "librispeech", "path": "corpus"}]
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(SETTINGS | {"corpora": corpora}))
    code, _, said = earmark("corpus", "bad.yaml", "libri")
    assert code == 2
    assert "corpus holds no LibriSpeech/train-clean-100 or another part, as LibriSpeech has it (openslr.org/12)" in said
    assert files_below(tmp_path) == {"bad.yaml"}
