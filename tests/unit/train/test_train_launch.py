"""Starting several processes: what SLURM says of the job, what srun and torchrun are called with, what comes back."""

import json
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny import CONFIG, Runner, TinyRun

from earmark.errors import ConfigError, TrainingError, UserError
from earmark.train.launch import SAID, leave_word, nodes_of_job, refuse_idle_nodes, under_torchrun

NAMED = (SAID, "OMP_", "SLURM_")
"""Beginnings of the variables that are looked at."""


class Cluster:
    """A folder in the place of PATH, with stand-ins for SLURM's commands."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.called = folder / "called.json"

    def answer(self, squeue: str, code: int = 0) -> None:
        """What squeue says."""
        self._write(
            "squeue", f"import sys; print({squeue!r}, file=sys.stderr if {code} else sys.stdout); sys.exit({code})"
        )

    def launch(self, then: str) -> None:
        """What srun does after it has written down its call."""
        body = "import json, os, pathlib, sys\n"
        body += f"of = {{name: value for name, value in os.environ.items() if name.startswith({NAMED})}}\n"
        body += f"pathlib.Path({str(self.called)!r}).write_text(json.dumps([sys.argv[1:], of]))\n"
        self._write("srun", body + then)

    def call(self) -> tuple[list[str], dict[str, str]]:
        """Arguments of srun, and what it found in its environment."""
        arguments, environment = json.loads(self.called.read_text())
        return arguments, environment

    def _write(self, name: str, body: str) -> None:
        path = self.folder / name
        path.write_text(f"#!{sys.executable}\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in [name for name in os.environ if name.startswith(("OMP_", "SLURM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setenv("SLURM_NNODES", "1")  # of Snakemake's step
    monkeypatch.setenv("OMP_NUM_THREADS", "6")
    return Cluster(tmp_path / "bin")


def test_slurm_says_how_many_nodes_a_job_has(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    assert nodes_of_job() == 1, "no command of SLURM: a container, say"
    cluster.answer("11 1\n12 3")
    assert nodes_of_job() == 3
    monkeypatch.delenv("SLURM_JOB_ID")
    assert nodes_of_job() == 1


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [("slurm_load_jobs error: Invalid job id specified", 1, "Invalid job id specified"), ("", 0, "no such job")],
)
def test_a_silent_slurm_is_one_line(cluster: Cluster, answer: str, code: int, said: str) -> None:
    cluster.answer(answer, code)
    with pytest.raises(
        TrainingError, match=rf"squeue does not say how many nodes SLURM job 12 has \(.*{said}\): run the"
    ):
        nodes_of_job()


def test_srun_starts_a_torchrun_on_each_of_several_nodes(cluster: Cluster, tmp_path: Path) -> None:
    cluster.answer("12 2")
    cluster.launch("")
    said = tmp_path / "run" / "step" / ".said"
    under_torchrun(8, ["train", "mine.yaml", "--run", "mine"], said)
    arguments, environment = cluster.call()
    python = arguments.index(sys.executable)
    assert {"--overlap", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--kill-on-bad-exit=1"} <= set(
        arguments[:python]
    )
    command = arguments[python:]
    assert command[:4] == [sys.executable, "-m", "torch.distributed.run", "--nnodes=2"]
    assert any(re.fullmatch(r"--rdzv-endpoint=[^:]+:[1-9]\d+", one) for one in command)
    assert command[-8:] == ["--nproc-per-node=4", "-m", "--", "earmark.cli", "train", "mine.yaml", "--run", "mine"]
    assert environment == {SAID: str(said), "OMP_NUM_THREADS": "1", "SLURM_JOB_ID": "12"}


def test_a_node_s_processes_share_the_threads(cluster: Cluster, tmp_path: Path) -> None:
    cluster.answer("12 2")
    cluster.launch("")
    under_torchrun(4, [], tmp_path / ".said")
    assert cluster.call()[1]["OMP_NUM_THREADS"] == "3"


def test_nodes_that_do_not_divide_the_processes_are_refused(cluster: Cluster, tmp_path: Path) -> None:
    cluster.answer("12 3")
    cluster.launch("")
    with pytest.raises(
        ConfigError, match="processes 4 cannot be shared out evenly to the 3 nodes of this SLURM job: ask"
    ):
        under_torchrun(4, [], tmp_path / ".said")
    assert not cluster.called.exists()


def test_one_process_in_a_job_of_several_nodes_is_refused(cluster: Cluster) -> None:
    cluster.answer("12 1")
    refuse_idle_nodes()
    cluster.answer("", 1)
    refuse_idle_nodes()  # one process asks SLURM for nothing else
    cluster.answer("12 2")
    with pytest.raises(ConfigError, match="processes 1 cannot be shared out evenly to the 2 nodes of this SLURM job"):
        refuse_idle_nodes()


def test_training_by_one_process_says_so_before_it_begins(
    cluster: Cluster, earmark: Runner, tiny_copy: TinyRun
) -> None:
    cluster.answer("12 2")
    code, _, said = earmark("train", CONFIG, "pretrain", "6")
    assert code == 2 and said.count("\n") == 1 and "to the 2 nodes of this SLURM job" in said


def test_a_launch_that_fails_is_one_line(cluster: Cluster, tmp_path: Path) -> None:
    cluster.answer("12 2")
    cluster.launch("sys.exit(233)")
    with pytest.raises(TrainingError) as failed:
        under_torchrun(2, [], tmp_path / ".said")
    assert str(failed.value).startswith(
        "one of 2 training processes on 2 nodes died or did not start and the others were stopped (srun's exit code 233"
    )


def test_what_a_rank_says_is_what_is_said(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / ".said"
    said.write_text("of a killed job")
    cluster.answer("12 2")
    cluster.launch(f"pathlib.Path(os.environ[{SAID!r}]).write_text('too long'); sys.exit(1)")
    with pytest.raises(UserError, match=r"^too long$"):
        under_torchrun(2, [], said)
    assert not said.exists()
    monkeypatch.setenv(SAID, str(said))
    for line in ("the first", "the second"):
        leave_word(UserError(line))
    assert said.read_text() == "the first"
    cluster.launch("")
    under_torchrun(2, [], said)


def test_outside_of_slurm_torchrun_stands_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    called: list[Any] = []

    def waiting(command: list[str], environment: dict[str, str]) -> int:
        called.append((command, environment["OMP_NUM_THREADS"]))
        return 0

    monkeypatch.setattr("earmark.train.launch._waiting", waiting)
    under_torchrun(2, ["train"], tmp_path / ".said")
    options = ["--standalone", "--nproc-per-node=2", "-m", "--", "earmark.cli", "train"]
    assert called == [([sys.executable, "-m", "torch.distributed.run", *options], "2")]
