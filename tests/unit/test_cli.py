"""What the command says: one line for each mistake, exit code 2, no traceback; results on standard output."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
import yaml
from tiny import CONFIG, SETTINGS, Runner, TinyRun, buzz

from earmark.data.manifest import LABELLED, LABELS
from earmark.io import read_json, write_parquet
from earmark.text.phonemes import Phonemizer


def refused(outcome: tuple[int, str, str]) -> str:
    """The one line on standard error of a command that was refused."""
    code, _, err = outcome
    said = [line for line in err.splitlines() if line.startswith("error: ")]
    assert code == 2, err
    assert len(said) == 1 and "Traceback" not in err
    assert err.rstrip().splitlines()[-1] == said[0]  # whatever was logged before, this is the last line
    return said[0]


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a configuration with some keys replaced, in an empty working folder."""
    monkeypatch.chdir(tmp_path)

    def write(**values: object) -> str:
        Path(CONFIG).write_text(yaml.safe_dump(SETTINGS | values))
        return CONFIG

    return write


# ---------------------------------------------------------------------------- configuration


def test_wrong_key(earmark: Runner, configured) -> None:
    line = refused(earmark("dataset", configured(sed=1)))
    assert line.startswith("error: tiny.yaml: sed (value 1): unknown key; remove it")


def test_wrong_value(earmark: Runner, configured) -> None:
    line = refused(earmark("dataset", configured(encoder={"d_model": 10, "n_heads": 3})))
    assert "encoder: d_model 10 is not a multiple of n_heads 3" in line


def test_configuration_that_does_not_exist(earmark: Runner, configured) -> None:
    assert "nowhere.yaml is not a file: name a configuration file" in refused(earmark("dataset", "nowhere.yaml"))


def test_what_the_system_refuses(earmark: Runner, configured) -> None:
    name = "x" * 300
    line = refused(earmark("dataset", configured(results=name)))
    assert line == f"error: {name}/tiny: File name too long: correct the path or what lies there, and run again"


def test_unknown_corpus(earmark: Runner, configured) -> None:
    for verb in ("corpus", "shards"):
        line = refused(earmark(verb, configured(), "spokn"))
        assert "corpus 'spokn' is not in the configuration: it has ['spoken', 'own']" in line


def test_corpus_whose_path_does_not_exist(earmark: Runner, configured) -> None:
    assert "own is not a folder: correct `path`" in refused(earmark("corpus", configured(), "own"))


def test_stage_before_that_has_not_run(earmark: Runner, configured) -> None:
    line = refused(earmark("label", configured(), "own"))
    assert "corpora/own/manifest.parquet does not exist: run the stage that writes it first" in line
    assert not Path("results/tiny/text").exists()


def test_inventory_that_does_not_exist(earmark: Runner, configured) -> None:
    line = refused(earmark("dataset", configured(text={"inventory": "phones.txt"})))
    assert "phones.txt" in line


# ---------------------------------------------------------------------------- damaged files


def flip(path: Path, part: float) -> None:
    """Turn one byte of a file around, at this part of its length."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * part)] ^= 0xFF
    path.write_bytes(data)


def test_shard_with_a_flipped_byte(earmark: Runner, tiny_copy: TinyRun) -> None:
    shard = tiny_copy.paths.shards("spoken") / "spoken-0000-0000.arrow"
    code, out, _ = earmark("verify", shard)
    assert (code, out.split()) == (
        0,
        [str(shard), read_json(shard.parent / "done.json")["shards"][0]["sha256"]],
    )
    flip(shard, 0.7)  # in a row that is validated
    assert f"{shard} is damaged" in refused(earmark("verify", shard))
    done = tiny_copy.paths.step("pretrain", 2) / "done.json"
    done.unlink()
    line = refused(earmark("train", CONFIG, "pretrain", 2))
    assert re.search(r"spoken-0000-0000\.arrow is damaged in row 1\d \(checksum\): rebuild it", line)
    assert not done.exists()


def test_verify_names_each_damaged_shard_of_a_run_and_repair_rebuilds_them(earmark: Runner, tiny_copy: TinyRun) -> None:
    shards = tiny_copy.folder / "shards"
    spoken, own = (tiny_copy.paths.shards(name) / f"{name}-0000-0000.arrow" for name in ("spoken", "own"))
    code, out, _ = earmark("verify", tiny_copy.folder)
    assert (code, [line.split()[0] for line in out.splitlines()]) == (0, [str(own), str(spoken)])
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in shards.rglob("*") if path.is_file()}
    flip(spoken, 0.5)
    own.unlink()
    code, out, err = earmark("verify", shards)
    assert (code, out) == (2, "")
    assert [line.partition(": ")[2].split()[:3] for line in err.splitlines()] == [
        [str(own), "does", "not"],
        [str(spoken), "is", "damaged"],
    ]
    code, out, _ = earmark("verify", "--repair", CONFIG)
    assert (code, len(out.splitlines())) == (0, 2)
    assert {path: path.read_bytes() for path in before} == {path: data for path, (data, _) in before.items()}
    # The markers stand as they did: nothing that was trained on these shards is to be trained again.
    for path in [*shards.rglob("done.json"), shards / "dataset.json"]:
        assert path.stat().st_mtime_ns == before[path][1]
    assert earmark("verify", tiny_copy.folder)[0] == 0


def test_repair_of_what_was_made_of_other_things_says_so(earmark: Runner, tiny_copy: TinyRun) -> None:
    shard = tiny_copy.paths.shards("own") / "own-0000-0000.arrow"
    soundfile.write(tiny_copy.root / "own" / "buzz1.wav", buzz(1.2, 300), 16_000)
    shard.unlink()
    line = refused(earmark("verify", "--repair", CONFIG))
    assert "part_0000: labels, recordings or settings are not what its shards were made of" in line


def test_bytes_do_not_depend_on_the_number_of_threads_on_one_machine(tmp_path: Path) -> None:
    """Snakemake gives a job as many as its rule has; matrix products of several differ in their last bits."""
    rows, seconds = [], 20
    for number in range(30):
        samples = np.random.default_rng(number).normal(0, 0.05, seconds * 16_000)
        soundfile.write(tmp_path / f"{number}.wav", samples, 16_000)
        rows.append({"id": f"own-{number}", "split": "train", "language": "zh", "duration": seconds, "phones": ["a1"]})
        rows[-1] |= {"audio": str(tmp_path / f"{number}.wav"), "channel": 0, "offset": 0.0, "status": "kept"}
    made = []
    schema = LABELLED.with_metadata({LABELS: Phonemizer().hash})
    for threads in ("1", "2"):
        settings = SETTINGS | {"run": threads, "corpora": [{"name": "own", "reader": "folder", "path": "own"}]}
        (tmp_path / CONFIG).write_text(yaml.safe_dump(settings))
        folder = tmp_path / "results" / threads
        write_parquet(folder / "text/own/part_0000.parquet", pa.Table.from_pylist(rows, schema=schema))
        command = [sys.executable, "-m", "earmark.cli", "shards", CONFIG, "own", "--workers", threads]
        environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        subprocess.run(command, cwd=tmp_path, env=environment, check=True)
        made.append((folder / "shards/own/part_0000/own-0000-0000.arrow").read_bytes())
    assert made[0] == made[1]


def test_labels_of_two_kinds_never_mix(earmark: Runner, tiny_copy: TinyRun) -> None:
    """Stress and the lexicon change labels without a change of the inventory."""
    lexicon = Path("lexicon.tsv")
    lexicon.write_text("打开\td a2 k ai1\n", encoding="utf-8")
    for text in ({"stress": "kept"}, {"lexicon": str(lexicon)}):
        (tiny_copy.root / "other.yaml").write_text(yaml.safe_dump(SETTINGS | {"text": text}))
        assert "has labels of kind" in refused(earmark("dataset", "other.yaml"))
        assert "run `earmark label` again" in refused(earmark("shards", "other.yaml", "own"))
    for verb in ("label", "shards"):
        assert earmark(verb, "other.yaml", "own")[0] == 0
    line = refused(earmark("dataset", "other.yaml"))
    assert "spoken/part_0000 has labels of kind" in line
    lexicon.write_text("打开\td a1 k ai1\n", encoding="utf-8")
    assert "run `earmark label` again" in refused(earmark("shards", "other.yaml", "own"))


def test_what_is_no_shard_is_not_verified(earmark: Runner, tmp_path: Path) -> None:
    assert "nothing to verify: name shards" in refused(earmark("verify"))
    assert "holds no finished shards" in refused(earmark("verify", tmp_path))
    assert "gone.arrow does not exist: name shards" in refused(earmark("verify", tmp_path / "gone.arrow"))


def test_parts_are_counted_from_0(earmark: Runner, configured) -> None:
    for verb in ("label", "shards"):
        line = refused(earmark(verb, configured(), "own", "--part", 1))
        assert "corpus 'own' has no part 1: its 1 parts are counted from 0" in line


def test_parts_one_by_one_or_all_at_once_are_the_same_on_one_machine(earmark: Runner, tiny_copy: TinyRun) -> None:
    settings = SETTINGS | {"run": "parted", "corpora": [one | {"parts": 3} for one in SETTINGS["corpora"]]}
    Path("parted.yaml").write_text(yaml.safe_dump(settings))
    raw = tiny_copy.paths.raw_manifest("spoken")
    folder = tiny_copy.folder.parent / "parted"
    (folder / "corpora" / "spoken").mkdir(parents=True)
    (folder / "corpora" / "spoken" / "manifest.parquet").write_bytes(raw.read_bytes())
    for verb in ("label", "shards"):
        assert earmark(verb, "parted.yaml", "spoken")[0] == 0
    done = {path: path.read_bytes() for path in folder.rglob("part_*/*")}
    assert [read_json(path)["rows"] for path in sorted(folder.rglob("done.json"))] == [6, 7, 7]
    shutil.rmtree(folder / "shards")
    for part in (2, 0, 1):
        assert earmark("shards", "parted.yaml", "spoken", "--part", part)[0] == 0
    assert {path: path.read_bytes() for path in folder.rglob("part_*/*")} == done
    Path("parted.yaml").write_text(yaml.safe_dump(settings | {"corpora": SETTINGS["corpora"]}))
    for verb in ("label", "shards"):
        assert earmark(verb, "parted.yaml", "spoken")[0] == 0
    assert [path.parent.name for path in folder.rglob("done.json")] == ["part_0000"]
    assert [path.name for path in folder.glob("text/spoken/*")] == ["part_0000.parquet"]


def test_checkpoint_cut_short(earmark: Runner, tiny_copy: TinyRun) -> None:
    weights = tiny_copy.paths.step("pretrain", 4) / "encoder.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    done = tiny_copy.paths.step("pretrain", 6) / "done.json"
    done.unlink()
    before = tiny_copy.paths.step("pretrain", 4) / "done.json"
    line = refused(earmark("train", CONFIG, "pretrain", 6, "--before", before))
    assert "encoder.safetensors is cut short or damaged" in line
    assert not done.exists()


def test_optimizer_state_cut_short(earmark: Runner, tiny_copy: TinyRun) -> None:
    state = tiny_copy.paths.step("pretrain", 4) / "engine" / "optimizer.safetensors"
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    before = tiny_copy.paths.step("pretrain", 4) / "done.json"
    line = refused(earmark("train", CONFIG, "pretrain", 6, "--before", before))
    assert "optimizer.safetensors is cut short or damaged" in line


def test_segment_from_the_wrong_step(earmark: Runner, tiny_copy: TinyRun) -> None:
    before = tiny_copy.paths.step("pretrain", 2) / "done.json"
    line = refused(earmark("train", CONFIG, "pretrain", 6, "--before", before))
    assert "is of step 2, the segment starts at 4" in line


def test_done_that_is_not_json(earmark: Runner, tiny_copy: TinyRun) -> None:
    before = tiny_copy.paths.step("pretrain", 4) / "done.json"
    before.write_text('{"instance": "pre')
    line = refused(earmark("train", CONFIG, "pretrain", 6, "--before", before))
    assert "done.json is not JSON" in line


def test_test_set_that_no_split_has(earmark: Runner, tiny_copy: TinyRun) -> None:
    values = yaml.safe_load(Path(CONFIG).read_text())
    values["evaluation"]["tests"][0]["name"] = "test_fr"
    Path(CONFIG).write_text(yaml.safe_dump(values))
    done = [tiny_copy.paths.step(*place) / "done.json" for place in (("joint", 4), ("pretrain", 6))]
    assert "no utterance of split 'test_fr' was kept" in refused(earmark("evaluate", CONFIG, *done))


# ---------------------------------------------------------------------------- query


def test_query_finds_the_only_run(earmark: Runner, tiny_copy: TinyRun) -> None:
    sql = "SELECT test, rate FROM scores WHERE system = 'greedy' ORDER BY test"
    code, out, _ = earmark("query", sql, "--format", "json")
    rates = {
        one["test"]: one["rate"]
        for one in read_json(tiny_copy.paths.evaluation / "scores.json")
        if one["system"] == "greedy"
    }
    assert code == 0
    assert {row["test"]: row["rate"] for row in json.loads(out)} == rates
    (tiny_copy.folder / "catalog.duckdb").unlink()  # then its folder
    assert earmark("query", sql, "--format", "json")[:2] == (0, out)


def test_query_prints_a_table(earmark: Runner, tiny_run: TinyRun) -> None:
    sql = "SELECT status, count(*) AS n FROM manifests WHERE status LIKE '%audio' GROUP BY status ORDER BY 1"
    code, out, _ = earmark("query", sql, "--catalog", tiny_run.folder)
    assert code == 0
    assert out == ("status             n\n-----------------  -\nmissing audio      1\nundecodable audio  1\n")


def test_query_that_is_no_sql(earmark: Runner, tiny_run: TinyRun) -> None:
    line = refused(earmark("query", "SELEC 1", "--catalog", tiny_run.folder / "catalog.duckdb"))
    assert 'syntax error at or near "SELEC"' in line


def test_query_makes_no_choice(earmark: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "results holds no run" in refused(earmark("query", "SELECT 1"))
    for name in ("a", "b"):
        (tmp_path / "results" / name / "text").mkdir(parents=True)
    assert "2 runs (a, b)" in refused(earmark("query", "SELECT 1"))
    assert "nix.duckdb does not exist" in refused(earmark("query", "SELECT 1", "--catalog", "nix.duckdb"))


# ---------------------------------------------------------------------------- transcribe


def test_transcribe_one_file_is_its_text(earmark: Runner, tiny_copy: TinyRun) -> None:
    (path,) = sorted(tiny_copy.folder.glob("corpora/spoken/audio/test_zh/*.flac"))[:1]
    code, out, _ = earmark("transcribe", path)
    plain = out
    assert code == 0
    assert out.endswith("\n") and out.count("\n") == 1 and "\t" not in out
    code, out, _ = earmark("transcribe", path, "--json")
    value = json.loads(out)
    assert (code, value["text"] + "\n", value["file"]) == (0, plain, str(path))
    assert value["seconds"] == pytest.approx(soundfile.info(path).duration, abs=1e-3)


def test_transcribe_says_that_a_recording_is_quiet(earmark: Runner, tiny_copy: TinyRun, tmp_path: Path) -> None:
    (path,) = sorted(tiny_copy.folder.glob("corpora/spoken/audio/test_zh/*.flac"))[:1]
    samples, rate = soundfile.read(path)
    soundfile.write(tmp_path / "quiet.wav", samples * 0.03, rate, subtype="FLOAT")
    code, out, error = earmark("transcribe", tmp_path / "quiet.wav")
    assert code == 0 and out.count("\n") == 1
    (line,) = [line for line in error.splitlines() if "quiet.wav" in line]
    assert re.search(r"quiet\.wav: quieter than .* by \+[23]\d dB$", line)
    assert "quieter" not in earmark("transcribe", path)[2]


def test_transcribe_several_files_names_each(earmark: Runner, tiny_run: TinyRun) -> None:
    paths = sorted(tiny_run.folder.glob("corpora/spoken/audio/test_*/*.flac"))
    code, out, _ = earmark("transcribe", *paths, "--run-folder", tiny_run.folder)
    assert code == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == [str(path) for path in paths]
    code, out, _ = earmark("transcribe", *paths, "--run-folder", tiny_run.folder, "--json")
    assert [json.loads(line)["file"] for line in out.splitlines()] == [str(path) for path in paths]


def test_transcribe_what_is_not_audio(earmark: Runner, tiny_run: TinyRun) -> None:
    line = refused(earmark("transcribe", tiny_run.root / "tiny.yaml", "--run-folder", tiny_run.folder))
    assert "tiny.yaml is not audio that can be decoded" in line
    line = refused(earmark("transcribe", "gone.wav", "--run-folder", tiny_run.folder))
    assert "gone.wav does not exist" in line


def test_transcribe_gives_what_can_be_heard_and_then_the_mistakes(
    earmark: Runner, tiny_run: TinyRun, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "good.wav", buzz(1.0), 16_000)
    soundfile.write(tmp_path / "tiny.wav", buzz(0.01), 16_000)
    files = [tmp_path / "gone.wav", tmp_path / "good.wav", tmp_path / "tiny.wav"]
    code, out, err = earmark("transcribe", *files, "--run-folder", tiny_run.folder)
    assert code == 2
    assert out.startswith(f"{tmp_path / 'good.wav'}\t")
    assert "gone.wav does not exist" in err and "tiny.wav holds 0.01 s" in err


def test_transcribe_with_a_run_that_is_not_finished(earmark: Runner, tiny_copy: TinyRun) -> None:
    (tiny_copy.paths.step("joint", 4) / "done.json").unlink()
    line = refused(earmark("transcribe", "own/buzz1.wav", "--run-folder", "results/tiny"))
    assert "results/tiny is not finished" in line
    line = refused(earmark("transcribe", "own/buzz1.wav", "--run-folder", "results/nix"))
    assert "results/nix does not exist" in line


def test_transcribe_with_a_configuration(earmark: Runner, tiny_copy: TinyRun) -> None:
    (tiny_copy.folder / "settings.json").unlink()
    assert "settings.json does not exist" in refused(earmark("transcribe", "own/buzz1.wav"))
    assert earmark("transcribe", "own/buzz1.wav", "--config", CONFIG)[0] == 0


# ---------------------------------------------------------------------------- the installed command


def test_a_mistake_ends_the_process_with_2_and_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "earmark.cli", "query", "SELECT 1", "--catalog", "nix"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: nix does not exist: name a catalogue, or the folder of a run such as results/default\n"
    )


def test_help_names_every_verb(earmark: Runner) -> None:
    code, out, _ = earmark("--help")
    assert code == 0
    for verb in (
        "corpus",
        "label",
        "shards",
        "dataset",
        "train",
        "decide",
        "evaluate",
        "query",
        "transcribe",
    ):
        assert re.search(rf"^  {verb} ", out, re.MULTILINE), verb


def test_start_up_imports_nothing_heavy() -> None:
    heavy = {"torch", "transformers", "duckdb", "pyarrow", "numpy"}
    program = f"import sys, earmark.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_command_that_is_cancelled_leaves_nothing_in_temporary_folders(tmp_path: Path) -> None:
    body = "import os, pathlib, signal\nfrom unittest import mock\nimport earmark.cli\n"
    body += "from earmark.io import new_folder\n"
    body += f"def verb():\n    with new_folder(pathlib.Path({str(tmp_path / 'made')!r})):\n"
    body += "        os.kill(os.getpid(), signal.SIGTERM)\n"
    body += "with mock.patch.object(earmark.cli, 'cli', verb):\n    earmark.cli.main()\n"
    done = subprocess.run([sys.executable, "-c", body], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "")
    assert list(tmp_path.iterdir()) == []
