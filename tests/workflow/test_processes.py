"""Two processes under ZeRO-2: a resumed segment gives the bits of an uninterrupted one, and a rank's death is seen."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

SHARED_STEPS = 12


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A configuration for two processes, with its data built."""
    folder = tmp_path_factory.mktemp("two")
    values = yaml.safe_load((repository / "config" / "default.yaml").read_text())
    values |= {"run": "two", "results": str(folder), "processes": 2}
    values["corpora"][0] |= {
        "train": {"zh": 30, "en": 30, "zh-en": 10},
        "valid": {"zh": 4, "en": 4, "zh-en": 4},
        "test": {"zh": 4, "en": 4, "zh-en": 4},
    }
    values["encoder"] = {"n_layers": 1, "n_heads": 2, "d_model": 16, "kernel_size": 7}
    values["stages"]["pretrain"] |= {
        "steps": SHARED_STEPS,
        "segment_steps": 4,
        "consistency_from": 2,
        "warmup_steps": 2,
    }
    values["stages"]["pretrain"].pop("short_first")
    values["watch"] |= {"first_step": 4, "every": 4}
    config = folder / "two.yaml"
    config.write_text(yaml.safe_dump(values))
    for verb in (["corpus"], ["label"], ["shards"]):
        earmark(*verb, str(config), "synthetic")
    earmark("dataset", str(config))
    return config


def earmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.run(
        ["earmark", *arguments], env=environment, capture_output=True, text=True, timeout=300, check=True
    )


def hashes(config: Path, step: int) -> dict[str, str]:
    done = config.parent / "two" / "pretrain" / f"step_{step:07d}" / "done.json"
    described = json.loads(done.read_text())
    assert described["processes"] == 2
    return described["sha256"]


def test_resuming_is_exact(two: Path) -> None:
    first = two.parent / "two" / "pretrain" / "step_0000004"
    earmark("train", str(two), "pretrain", "4")
    earmark("train", str(two), "pretrain", "8", "--before", str(first / "done.json"))
    once = hashes(two, 8)
    assert (first / "engine").is_dir(), "the newest two engine states are kept"
    # The same segment again, as after an interruption: same bits, from the state on disk.
    earmark("train", str(two), "pretrain", "8", "--before", str(first / "done.json"))
    assert hashes(two, 8) == once
    assert hashes(two, 4) != once
