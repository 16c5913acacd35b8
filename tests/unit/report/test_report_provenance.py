import shlex
from pathlib import Path

import made_run
import pytest

from earmark.cli import cli
from earmark.report import provenance
from earmark.report.results import Results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(made_run.make(tmp_path_factory.mktemp("run")))


def test_every_command_is_one_that_earmark_has(results: Results) -> None:
    lines = [line for _, lines in provenance.commands(results, Path("made.yaml")) for line in lines]
    assert len(lines) > 30
    for verb in {line.split()[1] for line in lines}:
        assert verb in cli.commands, verb
    for line in lines:
        command = cli.commands[line.split()[1]]
        command.make_context(line.split()[1], shlex.split(line)[2:])  # a wrong option or argument raises


def test_training_commands_are_the_workflows(results: Results) -> None:
    lines = dict(provenance.commands(results, Path("made.yaml")))
    run, folder = "earmark train made.yaml --run made", results.paths.folder
    assert lines["pretraining"][1] == f"{run} pretrain 0000200 --before {folder}/pretrain/step_0000100/done.json"
    assert lines["alignment"] == [f"{run} align 0000040 --encoder {folder}/pretrain/step_0000300/done.json"]
    assert lines["IA-SFT 3"][0] == (
        f"{run} ia_sft_3 0000040 --before {folder}/ia_sft_2/step_0000040/done.json "
        f"--encoder {folder}/pretrain/step_0000600/done.json --last-phase"
    )
    assert lines["joint SFT"][0] == f"{run} joint 0000040 --before {folder}/ia_sft_3/step_0000060/done.json"


def test_no_git_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit().startswith("unknown")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit().startswith("unknown")


def test_hashes_are_of_data_and_of_what_each_stage_trained(results: Results) -> None:
    found = dict(provenance.hashes(results))
    assert found["own: own-0000-0000.arrow"] == results.dataset["corpora"]["own"]["shards"][0]["sha256"]
    assert [name for name in found if name.startswith("joint")] == [
        "joint SFT: encoder",
        "joint SFT: adaptor",
        "joint SFT: llm",
    ]
    assert "alignment: encoder" not in found, "it was frozen"


def test_machine_is_described() -> None:
    assert "cores" in provenance.machine() and "GiB memory" in provenance.machine()
