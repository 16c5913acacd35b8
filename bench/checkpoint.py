"""What checkpoints cost: the share of a pretraining segment's time that goes into reading, checking and writing them.

Two segments of 1,000 steps are trained as the workflow does, with the models and batches of config/default.yaml on a
smaller corpus; the second one, which starts from the first one's state, is judged. Its done.json says what loading and
saving took. Checking the files of the first by their SHA-256, which the command does before it trains, is added.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from measured import row

from earmark.train.state.fallback import Job, repairs

STEPS = 1000


def prepared(folder: Path) -> Path:
    """A configuration whose data is built."""
    values = yaml.safe_load(Path("config/default.yaml").read_text(encoding="utf-8"))
    values |= {"run": "checkpoint", "results": str(folder)}
    values["corpora"][0] |= {"train": {"zh": 120, "en": 110, "zh-en": 70}, "test": {"zh": 2, "en": 2, "zh-en": 2}}
    path = folder / "checkpoint.yaml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    for verb in (["corpus"], ["label"], ["shards"]):
        earmark(*verb, path, "synthetic")
    earmark("dataset", path)
    return path


def earmark(*arguments: object) -> float:
    """Run `earmark ARGUMENTS` in a process of its own; the seconds that it took."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    started = time.perf_counter()
    command = [sys.executable, "-m", "earmark.cli", *map(str, arguments)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def rows() -> list[dict[str, Any]]:
    """The row `checkpoint overhead`: per cent of a segment's time; at most 2 are wanted."""
    with tempfile.TemporaryDirectory() as name:
        config = prepared(Path(name))
        first, second = (Path(name) / "checkpoint" / "pretrain" / f"step_{n * STEPS:07d}" / "done.json" for n in (1, 2))
        earmark("train", config, "pretrain", STEPS)
        whole = earmark("train", config, "pretrain", 2 * STEPS, "--before", first)
        started = time.perf_counter()
        assert repairs(Job("pretrain", 2 * STEPS, before=first)) == []
        check = time.perf_counter() - started
        spent = json.loads(second.read_text(encoding="utf-8"))["seconds"]
    parts = {"load": spent["load"], "check": check, "save": spent["save"]}
    return [
        row(
            "checkpoint overhead",
            "% of a segment's time",
            ours=round(100 * sum(parts.values()) / whole, 3),
            command="python bench/checkpoint.py",
            seconds={part: round(value, 3) for part, value in parts.items()} | {"segment": round(whole, 1)},
        )
    ]


if __name__ == "__main__":
    for found in rows():
        print(json.dumps(found, ensure_ascii=False))
