"""The workflow as a whole: ends in one call, resumes from anywhere with the same bits, repeats nothing needlessly."""

import base64
import os
import random
import re
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import psutil
import pytest
from conftest import Run

PRETRAINED = "pretrain/step_0000040"
TRIGGERS = [24, 40]


# ---------------------------------------------------------------------------- one call


def test_one_call_runs_everything_to_the_end(finished: Run) -> None:
    assert finished.last_decision()["triggers"] == TRIGGERS
    stages = {segment.split("/")[0] for segment in finished.segments()}
    assert stages == {"pretrain", "align", "ia_sft_1", "ia_sft_2", "joint"}
    for name in ("report.html", "summary.json", "catalog.duckdb", "evaluation/scores.json", "cka/trace.json"):
        assert (finished.results / name).stat().st_size > 0, name


def test_alignment_begins_before_pretraining_ends(finished: Run) -> None:
    segments = finished.segments()
    assert segments["align/step_0000004"]["started"] < segments[PRETRAINED]["ended"]


def test_each_stage_starts_with_the_encoder_of_its_trigger(finished: Run) -> None:
    segments = finished.segments()
    first, last = (f"results/tiny/pretrain/step_{step:07d}/encoder.safetensors" for step in TRIGGERS)
    assert segments["align/step_0000004"]["weights"]["encoder"] == first
    assert segments["ia_sft_1/step_0000004"]["weights"]["encoder"] == first
    assert segments["ia_sft_2/step_0000006"]["weights"]["encoder"] == last
    assert segments["joint/step_0000008"]["weights"]["encoder"].startswith("results/tiny/joint/")


def test_a_second_call_has_nothing_to_do(finished: Run, tmp_path: Path) -> None:
    run = finished.copy(tmp_path / "again")
    before = run.times("**/*")
    assert "Nothing to be done" in run.finish()
    assert run.times("**/*") == before


def test_engine_states_are_pruned_but_the_newest_two(finished: Run) -> None:
    kept = sorted(path.parent.name for path in finished.results.glob("pretrain/step_*/engine"))
    assert kept == ["step_0000032", "step_0000040"]


def test_snakemakes_own_report(finished: Run, tmp_path: Path) -> None:
    run = finished.copy(tmp_path / "reported")
    run.finish("--report", "report.zip")
    with zipfile.ZipFile(run.folder / "report.zip") as archive:
        assert any(name.endswith("report.html") for name in archive.namelist())


def test_a_dry_run_of_an_empty_folder_names_the_first_jobs(tmp_path: Path) -> None:
    run = Run(tmp_path / "empty")
    said = run.finish("--dry-run")
    assert "rule pretrain:" in said
    assert "checkpoint decide:" in said
    assert not run.results.exists()


# ---------------------------------------------------------------------------- changed settings


def planned(run: Run) -> set[str]:
    """Files that a dry run would make, relative to the run's results."""
    outputs = re.findall(r"^    output: (.*)$", run.finish("--dry-run"), re.MULTILINE)
    return {path.strip().removeprefix("results/tiny/") for line in outputs for path in line.split(",")}


def test_decoding_changes_only_evaluation_and_report(finished: Run, tmp_path: Path) -> None:
    run = finished.copy(tmp_path / "decoding")
    run.set(decoding={"beams": 2})
    assert {Path(path).parts[0] for path in planned(run)} == {
        "evaluation",
        "report.html",
        "summary.json",
        "catalog.duckdb",
    }


def test_joint_training_changes_only_what_follows_it(finished: Run, tmp_path: Path) -> None:
    run = finished.copy(tmp_path / "joint")
    run.set(stages__joint__peak_rate=1e-4)
    files = planned(run)
    parts = {Path(path).parts[0] for path in files}
    assert parts == {"joint", "entropy", "evaluation", "report.html", "summary.json", "catalog.duckdb"}
    assert {path for path in files if path.startswith("entropy")} == {"entropy/joint_0000008.json"}


def test_stages_are_targets(finished: Run, tmp_path: Path) -> None:
    """Each with what comes before it and nothing behind; phases still begin while pretraining goes on."""
    run = finished.copy(tmp_path / "targets")
    for target in ("data", "pretraining", "alignment", "ia_sft", "joint_sft", "evaluate"):
        assert "Nothing to be done" in run.finish(target, "--dry-run"), target
    for stage in ("pretrain", "cka", "align", "ia_sft_1", "ia_sft_2", "joint"):
        shutil.rmtree(run.results / stage)
    for target, stages in (
        ("alignment", {"align"}),
        ("ia_sft", {"align", "ia_sft_1", "ia_sft_2"}),
        ("pretraining", {"align", "ia_sft_1", "ia_sft_2"}),
        ("joint_sft", {"align", "ia_sft_1", "ia_sft_2", "joint"}),
    ):
        run.finish(target)
        trained = {name.partition("/")[0]: done for name, done in run.segments().items()}
        assert set(trained) - {"pretrain"} == stages, target
        if target == "alignment":
            assert f"{PRETRAINED}" not in run.segments()
    assert run.segments()["ia_sft_1/step_0000004"]["started"] < run.segments()[PRETRAINED]["ended"]
    assert run.weights() == finished.weights()


def test_pretraining_is_trained_anew_from_its_start(finished: Run, tmp_path: Path) -> None:
    """A stage of more segments than states are kept: those of its last training are in nobody's way."""
    run = finished.copy(tmp_path / "anew")
    before = run.segments()
    run.set(stages__pretrain__peak_rate=1e-4)
    run.finish(f"results/tiny/{PRETRAINED}/done.json")
    for name, done in run.segments().items():
        assert (done["sha256"] != before[name]["sha256"]) is name.startswith("pretrain/"), name
    run.set(stages__pretrain__segment_steps=20, watch__first_step=20, watch__every=20)
    run.finish(f"results/tiny/{PRETRAINED}/done.json")
    assert [name for name in run.segments() if name.startswith("pretrain/")] == ["pretrain/step_0000020", PRETRAINED]


def test_recomputing_activations_trains_nothing_again(finished: Run, tmp_path: Path) -> None:
    run = finished.copy(tmp_path / "run")
    run.set(stages__pretrain__activation_checkpointing=True, stages__joint__activation_checkpointing=True)
    planned = run.finish("--dry-run")
    assert "pretrain" not in planned
    assert "post_train" not in planned


def test_another_threshold_makes_decisions_but_no_score(finished: Run, tmp_path: Path) -> None:
    """The new threshold decides as the old one did: nothing is trained again."""
    run = finished.copy(tmp_path / "threshold")
    run.set(watch__tau=0.99995)
    before = {pattern: run.times(pattern) for pattern in ("cka/score_*", "*/step_*/done.json", "cka/decision_*")}
    run.finish()
    assert run.times("cka/score_*") == before["cka/score_*"]
    assert run.times("*/step_*/done.json") == before["*/step_*/done.json"]
    assert not set(run.times("cka/decision_*").values()) & set(before["cka/decision_*"].values())
    assert "Nothing to be done" in run.finish()


def test_without_a_trigger_post_training_takes_the_final_encoder(finished: Run, tmp_path: Path) -> None:
    run = finished.copy(tmp_path / "untriggered")
    run.set(watch__tau=1e-6)
    before = run.times("pretrain/*/done.json")
    run.finish("results/tiny/ia_sft_1/step_0000006/done.json")
    segments = run.segments()
    assert run.last_decision()["triggers"] == []
    assert run.times("pretrain/*/done.json") == before
    final = f"results/tiny/{PRETRAINED}/encoder.safetensors"
    assert segments["align/step_0000004"]["weights"]["encoder"] == final
    assert segments["ia_sft_1/step_0000006"]["weights"]["encoder"] == final


def test_a_stage_without_engine_state_says_what_to_do(finished: Run, tmp_path: Path) -> None:
    run = finished.copy(tmp_path / "pruned")
    shutil.rmtree(run.results / "pretrain/step_0000024")
    run.start("results/tiny/pretrain/step_0000024/done.json").wait(300)
    said = (run.results / "logs/pretrain/step_0000024.log").read_text()
    assert "error: results/tiny/pretrain/step_0000016 has lost its engine state" in said
    assert "delete results/tiny/pretrain" in said


@pytest.mark.slow
def test_two_processes_train_and_resume(finished: Run, tmp_path: Path) -> None:
    run = finished.copy(tmp_path / "processes")
    shutil.rmtree(run.results / "pretrain")
    run.set(processes=2)
    run.finish("results/tiny/pretrain/step_0000016/done.json", "--cores=2")
    assert {name: done["processes"] for name, done in run.segments().items() if name.startswith("pretrain")} == {
        "pretrain/step_0000008": 2,
        "pretrain/step_0000016": 2,
    }


@pytest.mark.slow
def test_another_number_of_processes_goes_on_where_the_run_stands(finished: Run, tmp_path: Path) -> None:
    run = finished.copy(tmp_path / "elastic")
    shutil.rmtree(run.results / "pretrain")
    run.set(**{f"stages__{stage}__accumulation": 2 for stage in ("pretrain", "align", "ia_sft", "joint")})
    run.finish("results/tiny/pretrain/step_0000008/done.json")
    before = run.times("pretrain/step_0000008/done.json")
    said = run.finish("results/tiny/pretrain/step_0000016/done.json", "--cores=2", config=("processes=2",))
    assert "step_0000008/engine: written by 1 process(es), made universal, and read by 2" in said
    assert run.times("pretrain/step_0000008/done.json") == before
    assert run.segments()["pretrain/step_0000016"]["processes"] == 2


@pytest.mark.slow
def test_a_damaged_checkpoint_is_trained_again_and_nothing_else(finished: Run, tmp_path: Path) -> None:
    run = finished.copy(tmp_path / "damaged")
    shutil.rmtree(run.results / "joint/step_0000008")
    weights = run.results / "joint/step_0000004/llm.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    before, target = run.times("*/step_*/done.json"), "results/tiny/joint/step_0000008/done.json"
    said = run.finish(target)
    assert "joint/step_0000004/llm.safetensors is cut short or damaged" in said
    assert "training joint step 4 again from results/tiny/ia_sft_2/step_0000006" in said
    after = run.times("*/step_*/done.json")
    assert {name for name in after if after[name] != before.get(name)} == {"joint/step_0000008/done.json"}
    assert run.weights() == finished.weights()
    assert "Nothing to be done" in run.finish(target)


# ---------------------------------------------------------------------------- killed


def below(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Processes of snakemake's jobs."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def is_training(process: psutil.Process) -> bool:
    try:
        line = process.cmdline()
    except psutil.Error:
        return False
    return "train" in line and line[0].endswith(("python", "python3"))


def kill(process: subprocess.Popen[str], victim: str) -> bool:
    """SIGKILL to snakemake alone, to it and all of its jobs, or to one job of training; False: there was none."""
    if process.poll() is not None:
        return False
    if victim == "job":
        jobs = [one for one in below(process) if is_training(one)]
        for job in jobs[:1]:
            job.kill()
        return bool(jobs)
    if victim == "everything":
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    return True


def interrupted(run: Run) -> set[str]:
    """Segments that Snakemake has recorded as begun and not as ended."""
    folder = run.folder / ".snakemake" / "incomplete"
    paths = [Path(base64.b64decode(path.relative_to(folder).as_posix()).decode()) for path in folder.rglob("*")]
    return {
        path.parent.relative_to("results/tiny").as_posix() for path in paths if path.parent.name.startswith("step_")
    }


def strike(
    run: Run, victim: str, moment: float, targets: tuple[str, ...], jobs: list[psutil.Process]
) -> dict[str, float]:
    """Start, kill after `moment` seconds; beginnings of the segments that had ended by then. Appends to `jobs`."""
    process = run.start(*targets)
    time.sleep(moment)
    jobs += below(process)
    while not (hit := kill(process, victim)) and process.poll() is None:
        time.sleep(0.05)
    process.wait(300)
    begun = interrupted(run)
    ended = {name: done["started"] for name, done in run.segments().items() if name not in begun}
    print(f"{victim} {'killed' if hit else 'not killed'} after {moment:.1f} s in {sorted(begun)}, had {sorted(ended)}")
    assert len(begun) <= 2
    return ended


def survive(run: Run, victims: list[str], span: tuple[float, float], seed: int, *targets: str) -> None:
    """Kill at random moments and start again at once, until it ends; what had ended before a kill is not repeated."""
    print(f"seed {seed}")
    rng = random.Random(seed)
    ended: dict[str, float] = {}
    jobs: list[psutil.Process] = []
    try:
        for victim in victims:
            ended |= strike(run, victim, rng.uniform(*span), targets, jobs)
        run.finish(*targets)
        # Jobs of a killed snakemake go on by themselves, and may still write.
        assert not psutil.wait_procs(jobs, timeout=120)[1]
    finally:
        for job in psutil.wait_procs(jobs, timeout=0)[1]:
            job.kill()
    assert {name: run.segments()[name]["started"] for name in ended} == ended


def test_killed_and_started_again_it_ends_with_the_same_bits_on_one_machine(finished: Run, tmp_path: Path) -> None:
    """From the last segment of pretraining to the end of joint training; the slow test kills whole runs."""
    run = finished.copy(tmp_path / "killed")
    for folder in ("cka", "align", "ia_sft_1", "ia_sft_2", "joint", PRETRAINED):
        shutil.rmtree(run.results / folder)
    survive(run, ["snakemake", "job"], (6, 30), random.randrange(10**6), "results/tiny/joint/step_0000008/done.json")
    assert run.weights() == finished.weights()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_whole_run_killed_again_and_again_ends_with_the_same_bits_on_one_machine(
    finished: Run, tmp_path: Path
) -> None:
    victims = ["snakemake", "job", "everything"] * 2
    seed = random.randrange(10**6)
    random.Random(seed).shuffle(victims)
    run = Run(tmp_path / "killed")
    survive(run, victims, (10, 60), seed)
    assert run.weights() == finished.weights()
    assert "Nothing to be done" in run.finish()
