"""The ablations of config/ablations through the workflow, on a tiny run instead of the default one."""

import json
import re
from pathlib import Path

import pytest
from conftest import SETTINGS, Run

NAMES = sorted(path.stem for path in (Path(__file__).resolve().parents[2] / "config" / "ablations").glob("*.yaml"))
FULL = ["align", "ia_sft_1", "ia_sft_2", "joint"]
STAGES = {
    "no_joint": FULL[:-1],
    "no_ia_sft": ["align", "joint"],
    "no_encoder_iteration": ["align", "ia_sft_1", "joint"],
}
FULL_UPDATES = 22
UPDATES = {"no_joint": 14, "no_ia_sft": 12, "no_encoder_iteration": 18}
HEADLESS = ("aed", "best_rq")


@pytest.fixture(scope="module")
def base(finished: Run, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The finished tiny run, and the ablations as they are but for the run that they share parts with."""
    run = finished.copy(tmp_path_factory.mktemp("ablations") / "base")
    folder = run.folder / "config" / "ablations"
    folder.mkdir(parents=True)
    (run.folder / "config" / "default.yaml").write_text((run.folder / SETTINGS).read_text())
    for path in (repository / "config" / "ablations").glob("*.yaml"):
        text = re.sub(r"^shares: .*$", lambda line: line[0].replace("default", "tiny"), path.read_text(), flags=re.M)
        (folder / path.name).write_text(text)
    return run


def settings(name: str) -> tuple[str, ...]:
    return (f"settings=config/ablations/{name}.yaml",)


def planned(run: Run, name: str) -> set[str]:
    """Files that a dry run of an ablation would make, relative to its folder; none lies elsewhere."""
    outputs = re.findall(r"^    output: (.*)$", run.finish("--dry-run", config=settings(name)), re.MULTILINE)
    paths = {path.strip() for line in outputs for path in line.split(",")}
    assert all(path.startswith(f"results/{name}/") for path in paths)
    return {path.removeprefix(f"results/{name}/") for path in paths}


def test_post_training_of_another_length_makes_nothing_of_the_shared_run(base: Run) -> None:
    files = planned(base, "no_encoder_iteration_equal")
    segments = {path for path in files if "/step_" in path}
    # The four updates of the phase that is missing go to the other one: ten, in segments of six.
    ends = ["align/step_0000004", "ia_sft_1/step_0000006", "ia_sft_1/step_0000010"]
    assert segments == {f"{end}/done.json" for end in [*ends, "joint/step_0000004", "joint/step_0000008"]}
    assert {path for path in files if path.startswith("entropy")} == {
        "entropy/align_0000004.json",
        "entropy/ia_sft_1_0000010.json",
        "entropy/joint_0000008.json",
    }
    assert {"report.html", "summary.json", "evaluation/scores.json"} <= files


def test_another_pretraining_is_watched_anew_on_the_shared_data(base: Run) -> None:
    files = planned(base, "best_rq")
    # Up to the first decision: what follows it is planned when it is made.
    assert {path for path in files if path.startswith("pretrain")} == {
        f"pretrain/step_{step:07d}/done.json" for step in (8, 16, 24)
    }
    assert "cka/decision_0000024.json" in files
    assert not {path.split("/")[0] for path in files} & {"corpora", "text", "shards", "llm"}


def test_what_differs_from_the_shared_run_is_refused(base: Run, tmp_path: Path) -> None:
    run = base.copy(tmp_path / "other")
    path = run.folder / "config" / "ablations" / "no_joint.yaml"
    path.write_text(path.read_text() + "watch: {tau: 0.5}\n")
    process = run.start("--dry-run", config=settings("no_joint"))
    assert process.wait(120) != 0
    assert "shares.pretraining tiny: watch.tau is 0.5 here and 0.9999 in that run: make them equal" in run.said()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_ablation_runs_to_its_end(base: Run, name: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in base.results.rglob("*")}
    base.finish(config=settings(name))
    assert {path: path.stat().st_mtime_ns for path in base.results.rglob("*")} == before
    folder = base.folder / "results" / name
    variant = name.removesuffix("_equal")
    done = {path.parents[1].name: json.loads(path.read_text()) for path in sorted(folder.glob("*/step_*/done.json"))}
    stages = [one for one in done if one != "pretrain"]
    if variant in STAGES:
        assert stages == STAGES[variant]
        assert sum(done[one]["steps"] for one in stages) == (FULL_UPDATES if name != variant else UPDATES[variant])
    summary = json.loads((folder / "summary.json").read_text())
    rates = {key: value for key, value in summary.items() if key.startswith(("per_", "ter_"))}
    assert len(rates) == 2
    assert all((value is None) == (name in HEADLESS) for value in rates.values())
    assert all(key.startswith("ter_") == (name == "characters") for key in rates)
    report = (folder / "report.html").read_text()
    assert ("no CTC head" in report) == (name in HEADLESS)
    assert "Nothing to be done" in base.finish(config=settings(name))
