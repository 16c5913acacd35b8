"""config/paper.yaml with smaller sizes, from corpora in their published layouts to the report, on two processes."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import paper_shaped
import psutil
import pytest
import slurm
import yaml
from conftest import SETTINGS, Run
from test_slurm import QUICK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

LAST = {
    "pretrain": "step_0000008",
    "align": "step_0000006",
    "ia_sft_1": "step_0000006",
    "ia_sft_2": "step_0000006",
    "ia_sft_3": "step_0000008",
    "joint": "step_0000006",
}
"""The last segment of each stage."""


class Paper(Run):
    """A run of paper.yaml made small."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.results = folder / "results" / "paper"

    def copy(self, folder: Path) -> "Paper":
        """As of any run."""
        super().copy(folder)
        return Paper(folder)

    def earmark(self, *arguments: str) -> str:
        """A verb for people, in the run's folder; what it printed."""
        command = [sys.executable, "-m", "earmark.cli", *arguments]
        done = subprocess.run(
            command, check=False, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    """An uninterrupted run. Tests that change anything copy it first."""
    folder = tmp_path_factory.mktemp("paper") / "finished"
    folder.mkdir()
    paper_shaped.make(folder)
    (folder / SETTINGS).write_text(yaml.safe_dump(paper_shaped.settings(), allow_unicode=True), encoding="utf-8")
    run = Paper(folder)
    run.finish()
    yield run
    shutil.rmtree(folder)


def test_every_stage_was_trained_in_three_segments_or_more_by_two_processes(finished: Paper) -> None:
    segments = finished.segments()
    for stage, last in LAST.items():
        ends = [name for name in segments if name.startswith(f"{stage}/")]
        assert len(ends) >= 3
        assert ends[-1] == f"{stage}/{last}"
    assert {done["processes"] for done in segments.values()} == {2}


def test_the_encoder_was_swapped_within_ia_sft(finished: Paper) -> None:
    triggers = finished.last_decision()["triggers"]
    assert triggers == [4, 6, 8]
    for number, step in enumerate(triggers, 1):
        phase = finished.segments()[f"ia_sft_{number}/step_0000002"]
        assert phase["weights"]["encoder"] == f"results/paper/pretrain/step_{step:07d}/encoder.safetensors"


def test_it_comes_to_scores_of_all_test_sets_and_a_report(finished: Paper) -> None:
    text = (finished.results / "evaluation/scores.json").read_text(encoding="utf-8")
    assert all(name in text for name in paper_shaped.TESTS)
    assert (finished.results / "report.html").stat().st_size > 10_000


def test_it_is_exported_and_transcribes(finished: Paper) -> None:
    recording = next((finished.folder / "corpora/librispeech").rglob("*.flac"))
    said = json.loads(finished.earmark("transcribe", "--run-folder", "results/paper", "--json", str(recording)))
    assert said["file"] == str(recording)
    finished.earmark("export", "results/paper", "exported")
    assert (finished.folder / "exported/config.json").is_file()


@pytest.mark.parametrize("stage", LAST)
def test_killed_in_each_stage_it_goes_on_with_the_same_bits_on_one_machine(
    finished: Paper, tmp_path: Path, stage: str
) -> None:
    run, last = finished.copy(tmp_path / "killed"), LAST[stage]
    shutil.rmtree(run.results / stage / last)
    target = f"results/paper/{stage}/{last}/done.json"
    process = run.start(target)
    _kill_training(process, stage)
    assert process.wait(120) != 0
    assert f"{stage}/{last}" not in run.segments()
    run.finish(target)
    assert run.weights() == finished.weights()


def _kill_training(snakemake: "subprocess.Popen[str]", stage: str) -> None:
    """SIGKILL to the ranks of a stage, some seconds after they began."""
    limit = time.monotonic() + 120
    while not (ranks := _ranks(snakemake, stage)):
        assert time.monotonic() < limit and snakemake.poll() is None, f"no process of {stage} was seen"
        time.sleep(0.1)
    time.sleep(3)
    for rank in ranks:
        rank.kill()


def _ranks(snakemake: "subprocess.Popen[str]", stage: str) -> list[psutil.Process]:
    found = []
    for one in psutil.Process(snakemake.pid).children(recursive=True):
        try:
            if "LOCAL_RANK" in one.environ() and {"train", stage} <= set(one.cmdline()):
                found.append(one)
        except psutil.Error:
            continue
    return found


def test_two_nodes_of_slurm_train_the_same_bits(finished: Paper, tmp_path: Path) -> None:
    if why := slurm.missing():
        pytest.skip(why)
    run = finished.copy(tmp_path / "slurm")
    with slurm.running() as cluster:
        for stage, rule in (
            ("joint", "post_train"),
            ("pretrain", "pretrain"),
        ):  # joint SFT comes first
            shutil.rmtree(run.results / stage / LAST[stage])
            target = f"results/paper/{stage}/{LAST[stage]}/done.json"
            run.finish(target, *QUICK, *on_two_nodes(rule), profile="slurm")
        nodes = [job.node for job in cluster.jobs().values()]
    assert nodes == ["node[1-2]"] * 2
    assert run.weights() == finished.weights()


def on_two_nodes(rule: str) -> list[str]:
    """As docs/cluster.md says it."""
    values = ["nodes=2", "tasks=2", "mpi=srun", "gpu=0", "slurm_extra='--gpus-per-node=2'"]
    return ["--set-resources", *(f"{rule}:{value}" for value in values), "--set-threads", f"{rule}=1"]
