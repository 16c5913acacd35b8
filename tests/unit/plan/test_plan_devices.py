"""Which GPUs of a machine a job takes, by a stand-in for the driver's tool."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from earmark.errors import ConfigError
from earmark.plan import devices
from earmark.plan.devices import claim

OTHER = """
import sys, pathlib
from earmark.plan.devices import claim
import os
claim(1, pathlib.Path(sys.argv[1]))
print(os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with two GPUs, and a folder for locks."""
    tool = tmp_path / "bin/nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 81559; echo 81559\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(devices, "_HELD", [])
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    for file in devices._HELD:
        file.close()


def test_two_jobs_take_two_gpus_and_a_third_is_told(two_gpus: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(two_gpus)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout and other.stdin
        assert other.stdout.readline().strip() == "0"
        claim(1, two_gpus)
        assert os.environ.pop("CUDA_VISIBLE_DEVICES") == "1"
        with pytest.raises(ConfigError, match=r"1 of this machine's 2 GPUs are wanted, and 0 are free"):
            claim(1, two_gpus)
        other.stdin.write("\n")
    # The lock ended with its process.
    claim(1, two_gpus)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"


def test_who_hands_gpus_out_is_left_alone(two_gpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    claim(1, two_gpus)
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    monkeypatch.delenv("SLURM_JOB_ID")
    claim(3, two_gpus)  # training says that there are too few
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    os.environ["CUDA_VISIBLE_DEVICES"] = "1"
    claim(1, two_gpus)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
