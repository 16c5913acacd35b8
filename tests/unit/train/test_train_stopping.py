"""When a stage has nothing to gain any more, and what its other segments leave."""

from pathlib import Path

import pytest
from tiny import Runner, TinyRun

from earmark.io import read_json, read_parquet, write_json
from earmark.paths import step_name
from earmark.train.stopping import Stop, stop_before


def chain(run: TinyRun, folder: Path, losses: list[float]) -> Path:
    """done.json of so many segments of two steps; the last one's."""
    for number, loss in enumerate(losses, 1):
        done = {"instance": "joint", "step": 2 * number, "valid": {"loss": loss}}
        write_json(folder / "joint" / step_name(2 * number) / "done.json", done)
    return folder / "joint" / step_name(2 * len(losses)) / "done.json"


@pytest.mark.parametrize(
    ("losses", "patience", "stop"),
    [
        ([3.0, 2.0, 1.0, 0.9], 3, None),
        ([3.0, 2.0, 2.5, 2.1], 3, None),
        ([3.0, 2.0, 2.5, 2.1, 2.0], 3, Stop(10, 4)),  # as good is no improvement
        ([3.0, 2.0, 2.5, 2.1, 1.9], 3, None),
        ([1.0, 2.0], 1, Stop(4, 2)),
        ([1.0], 1, None),
        ([3.0, 2.0, 2.5, 2.1, 2.0, 9.0], None, None),
    ],
)
def test_a_stage_stops_when_so_many_checkpoints_are_no_better(
    tiny_run: TinyRun, tmp_path: Path, losses: list[float], patience: int | None, stop: Stop | None
) -> None:
    stage = tiny_run.config.stages.joint.model_copy(update={"patience": patience})
    assert stop_before(stage, "joint", chain(tiny_run, tmp_path, losses)) == stop


def test_another_stage_and_a_beginning_do_not_stop(tiny_run: TinyRun, tmp_path: Path) -> None:
    stage = tiny_run.config.stages.joint.model_copy(update={"patience": 1})
    before = chain(tiny_run, tmp_path, [1.0, 2.0])
    assert stop_before(stage, "ia_sft_1", before) is None
    assert stop_before(stage, "joint", None) is None


def test_segments_after_a_stop_name_the_best_checkpoint_and_train_nothing(earmark: Runner, tiny_copy: TinyRun) -> None:
    paths = tiny_copy.paths
    values = read_json(tiny_copy.folder / "settings.json")
    values["stages"]["pretrain"] |= {"patience": 1, "steps": 10}
    values["watch"] |= {"every": 4}
    write_json(Path("patient.yaml"), values)
    done = {step: paths.step("pretrain", step) / "done.json" for step in (2, 4, 6, 8, 10)}
    write_json(done[6], read_json(done[6]) | {"valid": {"loss": 99.0, "per": 1.0}})
    best = read_json(done[4])
    for step in (8, 10):
        code, said, _ = earmark("train", "patient.yaml", "pretrain", step, "--before", done[step - 2])
        assert code == 0
        assert "pretrain stopped at step 6, no validation loss below that of step 4: nothing is trained" in said
        left = read_json(done[step])
        assert (left["stopped_at"], left["best"], left["step"], left["steps"]) == (6, 4, step, 10)
        for key in ("weights", "sha256", "valid", "inventory", "parameters", "trained"):
            assert left[key] == best[key], key
        assert sorted(path.name for path in done[step].parent.iterdir()) == ["done.json", "metrics.parquet"]
        assert read_parquet(done[step].parent / "metrics.parquet").num_rows == 0
        assert left["ended"] >= left["started"] > best["started"]
    # What follows takes it as any other: the watch, a swap, and a repair that finds all whole.
    score = tiny_copy.folder / "score.json"
    assert earmark("cka", "patient.yaml", done[10], done[4], score)[0] == 0
    assert read_json(score)["score"] == pytest.approx(1.0, abs=1e-6)
    options = ["--before", paths.step("ia_sft_1", 2) / "done.json", "--encoder", done[10], "--last-phase"]
    assert earmark("train", "patient.yaml", "ia_sft_2", 2, *options)[0] == 0
    assert read_json(paths.step("ia_sft_2", 2) / "done.json")["weights"]["encoder"] == best["weights"]["encoder"]


def test_a_stopped_stage_averages_what_it_trained_up_to_its_best(earmark: Runner, tiny_copy: TinyRun) -> None:
    paths = tiny_copy.paths
    values = read_json(tiny_copy.folder / "settings.json")
    values["stages"]["pretrain"] |= {"patience": 1, "steps": 8, "average_last": 2}
    values["watch"] |= {"every": 2}
    write_json(Path("patient.yaml"), values)
    six, eight = (paths.step("pretrain", step) / "done.json" for step in (6, 8))
    write_json(six, read_json(six) | {"valid": {"loss": 99.0, "per": 1.0}})
    assert earmark("train", "patient.yaml", "pretrain", 8, "--before", six)[0] == 0
    left = read_json(eight)
    assert (left["stopped_at"], left["best"], left["averaged"]["steps"]) == (6, 4, [2, 4])
    assert left["weights"]["encoder"].endswith("step_0000008/encoder.average.safetensors")
    assert left["valid"]["loss"] < 99
