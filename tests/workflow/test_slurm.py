"""The recipe through SLURM: two nodes on this host, the profile that teams use."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import slurm
import yaml
from conftest import SETTINGS, Run

QUICK = ["--slurm-init-seconds-before-status-checks=1", "--seconds-between-status-checks=1", "--latency-wait=5"]
"""A real cluster is asked less often."""


TWO_NODES = [
    "--set-resources",
    *("pretrain:nodes=2", "pretrain:tasks=2", "pretrain:mpi=srun"),
    *("pretrain:gpu=0", "pretrain:slurm_extra='--gpus-per-node=2'"),
    "--set-threads",
    "pretrain=1",
]
"""As docs/cluster.md says it."""
SEGMENT = "results/tiny/pretrain/step_0000008/done.json"


class Placed(NamedTuple):
    """A job of the workflow as SLURM ran it."""

    rule: str
    wildcards: str
    job: slurm.Job


class Rank(NamedTuple):
    """A training process, from its environment."""

    job: str
    node: str
    pid: int
    gpus: str


def _skip_without_slurm() -> None:
    why = slurm.missing()
    if why:
        pytest.skip(why)


@pytest.fixture(scope="module")
def cluster() -> Iterator[slurm.Slurm]:
    _skip_without_slurm()
    with slurm.running() as running:
        yield running


@pytest.fixture(scope="module")
def run(cluster: slurm.Slurm, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A whole run. A job takes seconds to get through SLURM: longer segments leave alignment the time to begin."""
    run = Run(tmp_path_factory.mktemp("slurm") / "run")
    run.set(stages__pretrain__segment_steps=80, stages__pretrain__steps=400, watch__first_step=80, watch__every=160)
    run.finish(*QUICK, profile="slurm", timeout=1000)
    return run


@pytest.fixture(scope="module")
def placed(run: Run, cluster: slurm.Slurm) -> list[Placed]:
    """Which node had which job, from Snakemake's log and SLURM's record of jobs."""
    jobs = cluster.jobs()
    pattern = r"SLURM jobid (\d+) \(log: .*/rule_(\w+)/(?:([^/\s]+)/)?\d+\.log\)"
    return [Placed(rule, wildcards, jobs[number]) for number, rule, wildcards in re.findall(pattern, run.said())]


def test_daemons_end_with_a_killed_test_and_the_next_one_starts() -> None:
    _skip_without_slurm()
    script = """import slurm, time
with slurm.running() as one:
    print(*(daemon.pid for daemon in one.daemons), flush=True)
    time.sleep(600)"""
    killed = subprocess.Popen(
        [sys.executable, "-c", script], cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout
    daemons = [int(pid) for pid in killed.stdout.readline().split()]
    killed.kill()
    killed.wait()
    assert len(daemons) == 4
    _wait_until(lambda: not any(psutil.pid_exists(pid) for pid in daemons))
    assert (slurm.ETC / "slurm.conf").is_symlink()
    with slurm.running() as again:
        said = subprocess.run(["srun", "--nodes=2", "hostname"], capture_output=True, text=True, check=True, timeout=60)
        assert len(said.stdout.split()) == 2
    assert not again.folder.exists()
    assert not (slurm.ETC / "slurm.conf").is_symlink()


def _wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, f"not within {seconds} s"
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_job_but_the_local_ones_went_through_slurm(run: Run, placed: list[Placed]) -> None:
    begun = re.findall(r"^(?:rule|checkpoint) (\w+):", run.said(), re.MULTILINE)
    local = set(re.findall(r"^local(?:rule|checkpoint) (\w+):", run.said(), re.MULTILINE))
    assert sorted(one.rule for one in placed) == sorted(begun)
    assert local <= {"decide", "trace", "all"}
    assert {one.job.state for one in placed} == {"COMPLETED"}
    assert {one.job.node for one in placed} == {"node1", "node2"}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_alignment_began_on_another_node_while_pretraining_went_on(run: Run, placed: list[Placed]) -> None:
    segments = run.segments()
    assert segments["align/step_0000004"]["started"] < segments["pretrain/step_0000400"]["ended"]
    align = next(one.job for one in placed if one.wildcards == "align_0000004")
    beside = [
        one.job for one in placed if one.rule == "pretrain" and one.job.start < align.end and align.start < one.job.end
    ]
    assert beside
    assert align.node not in {job.node for job in beside}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_run_on_slurm_is_whole(run: Run) -> None:
    assert len(run.last_decision()["triggers"]) >= 2
    assert (run.results / "report.html").stat().st_size > 0
    assert "Nothing to be done" in run.finish(*QUICK, profile="slurm")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A first segment of pretraining by two processes, without SLURM."""
    run = Run(tmp_path_factory.mktemp("alone") / "run")
    run.set(processes=2)
    run.finish(SEGMENT)
    return run


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_on_one_node_train_what_they_train_without_slurm(
    cluster: slurm.Slurm, alone: Run, tmp_path: Path
) -> None:
    run = _before_training(alone, tmp_path / "run")
    ranks = _ranks_of(run)
    assert sorted(ranks) == [0, 1]
    (job,) = {one.job for one in ranks.values()}
    (node,) = {one.node for one in ranks.values()}
    _wait_until(lambda: job in cluster.jobs())
    assert cluster.jobs()[job][1:3] == ("COMPLETED", node)
    assert run.segments()["pretrain/step_0000008"]["processes"] == 2
    assert run.weights() == alone.weights()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_nodes_train_what_one_trains(cluster: slurm.Slurm, alone: Run, tmp_path: Path) -> None:
    run = _before_training(alone, tmp_path / "run")
    ranks = _ranks_of(run, *TWO_NODES)
    (job,) = {one.job for one in ranks.values()}
    assert sorted(one.node for one in ranks.values()) == ["node1", "node2"]
    assert {one.gpus for one in ranks.values()} == {"0,1"}, "as many as its node has for the job"
    _wait_until(lambda: job in cluster.jobs())
    assert cluster.jobs()[job][1:3] == ("COMPLETED", "node[1-2]")
    assert run.segments()["pretrain/step_0000008"]["processes"] == 2
    assert run.weights() == alone.weights()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("cluster")
def test_a_rank_that_dies_on_a_node_ends_those_of_all_and_the_segment_starts_over(alone: Run, tmp_path: Path) -> None:
    run = _before_training(alone, tmp_path / "run")
    with (run.folder / "out.txt").open("w") as out:
        command = _on_two_nodes(run, stdout=out, stderr=subprocess.STDOUT)
        ranks = _ranks_that_met()
        os.kill(next(one.pid for one in ranks.values() if one.node == "node2"), signal.SIGKILL)
        assert command.wait(60) == 2
    said = (run.folder / "out.txt").read_text()
    assert "error: one of 2 training processes on 2 nodes died or did not start and the others were stopped" in said
    _wait_until(lambda: not _processes_of(ranks[0].job))
    assert run.segments() == {}
    assert _on_two_nodes(run).wait(200) == 0
    assert run.weights() == alone.weights()
    assert not list(run.results.rglob(".said"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("cluster")
def test_what_a_rank_says_comes_back_from_the_nodes(alone: Run, tmp_path: Path) -> None:
    run = _before_training(alone, tmp_path / "run")
    run.set(stages__pretrain__frames_per_batch=50)
    with (run.folder / "out.txt").open("w") as out:
        assert _on_two_nodes(run, stdout=out, stderr=subprocess.STDOUT).wait(200) == 2
    said = (run.folder / "out.txt").read_text()
    assert re.search(r"^error: utterance synthetic-.*exceeds frames_per_batch 50", said, re.MULTILINE)
    assert not list(run.results.rglob(".said"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("how", ["SIGTERM", "scancel"])
def test_a_stop_leaves_no_process_on_any_node(alone: Run, tmp_path: Path, how: str) -> None:
    run = _before_training(alone, tmp_path / "run")
    snakemake = run.start(SEGMENT, *QUICK, *TWO_NODES, "--retries=0", profile="slurm")
    job = _ranks_that_met()[0].job
    if how == "SIGTERM":
        snakemake.terminate()
    else:
        subprocess.run(["scancel", job], check=True)
    _wait_until(lambda: not _processes_of(job))
    # It may look at its jobs only 40 s later.
    assert snakemake.wait(200) != 0


def _on_two_nodes(run: Run, **where: Any) -> subprocess.Popen[bytes]:
    """A segment of pretraining in a job of two nodes, without Snakemake."""
    command = ["salloc", "--nodes=2", "--ntasks=2", "--mem=4000", "earmark", "train", SETTINGS, "pretrain", "8"]
    return subprocess.Popen(command, cwd=run.folder, env=run.environment, **where)


def _before_training(run: Run, folder: Path) -> Run:
    """A copy of a run that has its data and no segment."""
    copy = run.copy(folder)
    shutil.rmtree(copy.results / "pretrain")
    return copy


def _ranks_of(run: Run, *arguments: str, seconds: float = 200) -> dict[int, Rank]:
    """Train a segment through SLURM; its ranks, by their number."""
    found = {}
    snakemake = run.start(SEGMENT, *QUICK, *arguments, profile="slurm")
    try:
        limit = time.monotonic() + seconds
        while snakemake.poll() is None:
            assert time.monotonic() < limit, run.said()[-6000:]
            found |= _ranks_now()
            time.sleep(0.2)
    finally:
        snakemake.kill()
    assert snakemake.returncode == 0, run.said()[-6000:]
    return found


def _ranks_that_met() -> dict[int, Rank]:
    """Two ranks once they train: gloo's threads are there."""
    found: dict[int, Rank] = {}

    def met() -> bool:
        found.update(_ranks_now())
        with contextlib.suppress(psutil.Error):
            return len(found) == 2 and all(psutil.Process(one.pid).num_threads() > 4 for one in found.values())
        return False

    _wait_until(met, 100)
    return found


def _processes_of(job: str) -> list[psutil.Process]:
    """Processes of this host that a job of SLURM has started."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("SLURM_JOB_ID") == job:
                found.append(process)
    return found


def _ranks_now() -> dict[int, Rank]:
    """Ranks of this host that SLURM has started, by their number."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            of = process.environ() if "earmark.cli" in process.cmdline() else {}
            if "RANK" in of and "SLURM_JOB_ID" in of:
                gpus = of.get("CUDA_VISIBLE_DEVICES", "")
                found[int(of["RANK"])] = Rank(of["SLURM_JOB_ID"], of["SLURMD_NODENAME"], process.pid, gpus)
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("site", "why"),
    [
        ({"gpu_partition": "fast"}, "site: gpu_partition 'fast' is none of SLURM's partitions (main): name one"),
        ({"gpus_a_node": 8}, "site: gpus_a_node is 8, and SLURM's nodes have at most 2: correct the site file"),
    ],
)
def test_a_site_that_slurm_is_not_is_a_line(tmp_path: Path, site: dict[str, Any], why: str) -> None:
    run = Run(tmp_path / "run")
    (run.folder / "config").mkdir()
    (run.folder / "config/site.yaml").write_text(yaml.safe_dump(site))
    assert run.start("--dry-run", profile="slurm").wait(60) == 2
    assert f"error: {why}" in run.said()
