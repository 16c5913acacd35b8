"""The data half of the workflow: parts, restarts, a further corpus, and its size at 560,000 hours."""

import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import Run

from earmark.corpora import tables
from earmark.io import read_json, read_parquet


def own(name: str, **values: object) -> dict[str, object]:
    return {"name": name, "reader": "folder", "path": name} | values


def write_corpus(run: Run, name: str, utterances: int = 6) -> None:
    folder = run.folder / name
    folder.mkdir()
    lines = ["audio\ttext\tlanguage"]
    for number in range(utterances):
        samples = 0.1 * np.random.default_rng(number).normal(size=16_000)
        soundfile.write(folder / f"{number}.flac", samples, 16_000)
        lines.append(f"{number}.flac\t打开空调\tzh")
    (folder / "utterances.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def planned(run: Run, *targets: str, config: tuple[str, ...] = ()) -> list[str]:
    """Files that a dry run would make, relative to the run's results."""
    said = run.finish(*targets, "--dry-run", config=config)
    outputs = re.findall(r"^    output: (.*)$", said, re.MULTILINE)
    return sorted(path.strip().removeprefix("results/tiny/") for line in outputs for path in line.split(","))


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The shards of one corpus in two parts."""
    run = Run(tmp_path_factory.mktemp("data") / "sharded")
    run.set(corpora=[own("first", parts=2)])
    write_corpus(run, "first")
    run.finish(*markers())
    return run


def markers(pattern: str = "results/tiny/shards/first/part_000{}/done.json") -> list[str]:
    return [pattern.format(part) for part in range(2)]


def test_parts_are_jobs_of_their_own(sharded: Run) -> None:
    assert sorted(sharded.times("**/*.arrow")) == [
        "shards/first/part_0000/first-0000-0000.arrow",
        "shards/first/part_0001/first-0001-0000.arrow",
    ]
    assert "Nothing to be done" in sharded.finish(*markers())


def test_adding_a_corpus_rebuilds_nothing_else(sharded: Run, tmp_path: Path) -> None:
    run = sharded.copy(tmp_path / "added")
    run.set(corpora=[own("first", parts=2), own("second")])
    assert planned(run, "data") == [
        "corpora/second/manifest.parquet",
        "shards/dataset.json",
        "shards/second/part_0000/done.json",
        "text/second/part_0000.parquet",
    ]


def test_a_setting_rebuilds_only_what_depends_on_it(sharded: Run, tmp_path: Path) -> None:
    run = sharded.copy(tmp_path / "changed")
    run.set(corpora=[own("first", parts=2, weight=2.0)])
    assert planned(run, "data") == ["shards/dataset.json"]
    run.set(corpora=[own("first", parts=2, trim_silence=True)])
    shards = [f"shards/first/part_000{part}/done.json" for part in range(2)]
    assert planned(run, "data") == ["shards/dataset.json", *shards]
    run.set(corpora=[own("first", parts=2)], shards={"max_seconds": 9.0})
    labels = [f"text/first/part_000{part}.parquet" for part in range(2)]
    assert planned(run, "data") == ["shards/dataset.json", *shards, *labels]


def test_a_corpus_that_was_edited_is_read_again_with_all_that_follows(sharded: Run, tmp_path: Path) -> None:
    run = sharded.copy(tmp_path / "edited")
    table = run.folder / "first" / "utterances.tsv"
    everything = [
        "corpora/first/manifest.parquet",
        *markers("shards/first/part_000{}/done.json"),
        *markers("text/first/part_000{}.parquet"),
    ]
    table.touch()
    assert planned(run, *markers()) == []
    late = run.folder / "first" / "late.wav"
    late.write_bytes(b"RIFF")
    assert planned(run, *markers()) == everything
    late.unlink()
    assert planned(run, *markers()) == []
    table.write_text(table.read_text(encoding="utf-8").replace("打开", "关上", 1), encoding="utf-8")
    assert planned(run, *markers()) == everything
    run.finish(*markers())
    texts = read_parquet(run.results / "shards/first/part_0000/first-0000-0000.parquet", ["text"]).to_pydict()["text"]
    assert texts == ["关上空调", "打开空调", "打开空调"]
    assert "Nothing to be done" in run.finish(*markers())


def test_a_recording_that_was_replaced_by_one_of_its_length_is_heard_again(sharded: Run, tmp_path: Path) -> None:
    run = sharded.copy(tmp_path / "replaced")
    notes = [run.results / f"shards/first/part_000{part}/first-000{part}-0000.json" for part in range(2)]
    before = [read_json(path)["shard"]["sha256"] for path in notes]
    soundfile.write(run.folder / "first" / "5.flac", 0.1 * np.random.default_rng(9).normal(size=16_000), 16_000)
    run.finish(*markers())
    after = [read_json(path)["shard"]["sha256"] for path in notes]
    assert after[0] == before[0] and after[1] != before[1]


def test_a_lost_marker_costs_no_shard(sharded: Run, tmp_path: Path) -> None:
    run = sharded.copy(tmp_path / "lost")
    before = run.times("**/*.arrow")
    (run.folder / markers()[0]).unlink()
    run.finish(*markers())
    assert run.times("**/*.arrow") == before


def test_training_is_planned_without_the_data_s_rules(tmp_path: Path) -> None:
    run = Run(tmp_path / "trained")
    (run.results / "shards").mkdir(parents=True)
    splits = ["train", "valid", "test_zh", "test_en", "test_zh_en"]
    (run.results / "shards" / "dataset.json").write_text(json.dumps({"bounds": {name: {} for name in splits}}))
    files = planned(run, config=("data=False",))
    assert "llm/done.json" in files and any(path.startswith("pretrain/") for path in files)
    assert not [path for path in files if path.split("/")[0] in ("corpora", "text", "shards")]


def test_a_misspelt_test_set_of_finished_data_is_refused_before_training(tmp_path: Path) -> None:
    run = Run(tmp_path / "misspelt")
    (run.results / "shards").mkdir(parents=True)
    (run.results / "shards" / "dataset.json").write_text(json.dumps({"bounds": {"train": {}, "test_zh": {}}}))
    assert run.start("--dry-run", config=("data=False",)).wait(120) == 2
    said = run.said().splitlines()[-1]
    assert said.startswith(
        "error: evaluation.tests: test_en is of split test_en, of which no utterance was kept; there"
    )


@pytest.mark.parametrize(
    ("settings", "config", "line"),
    [
        ({}, "data=false", "--config data=false is neither True nor False: write data=False to leave the data's rules"),
        ({}, "processes=abc", "processes (value 'abc'): give a whole number greater than 0"),
        ({}, "processes=0", "processes (value 0): give a whole number greater than 0"),
        ({}, "processes=2", "stages.pretrain takes 1 batches a step (processes 1 x accumulation 1), which 2"),
        ({"seed": "x"}, "data=True", "tiny.yaml: seed (value 'x'): Input should be a valid integer"),
        ({"results": "x" * 300}, "data=True", f"{'x' * 300}/tiny: File name too long: correct the path"),
        ({"shares": {"data": "gone"}}, "data=True", "shares.data gone: results/gone/settings.json does not exist"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    settings: dict[str, object], config: str, line: str, tmp_path: Path
) -> None:
    run = Run(tmp_path / "refused")
    run.set(**settings)
    assert run.start("--dry-run", config=(config,)).wait(120) == 2
    profile, said = run.said().splitlines()
    assert profile.startswith("Using workflow specific profile")
    assert said.startswith(f"error: {line}")


def test_the_data_of_560_000_hours_is_planned_in_seconds(tmp_path: Path) -> None:
    """Bounds: 200 to 1,000 jobs, 30 s (the processor's seconds: other work on the machine does not count)."""
    run = Run(tmp_path / "large")
    parts = [one.parts for one in tables.corpora()]
    run.set(corpora=[own(f"corpus{number}", parts=count) for number, count in enumerate(parts)])
    started = time.monotonic()
    process = run.start("data", "--dry-run", "--quiet", "rules")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, run.said()[-3000:]
    # Its peak memory is not known from here: a child's begins with that of the process which forked it.
    seconds = usage.ru_utime + usage.ru_stime
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", run.said(), re.MULTILINE))
    print(f"{sum(parts)} parts, {jobs['total']} jobs: {seconds:.1f} s of processor, {time.monotonic() - started:.1f} s")
    assert seconds < 30
    assert jobs["shards"] == str(sum(parts))
    assert 200 <= int(jobs["total"]) <= 1000
