"""Segments of a run: where they stand, what they hand over, what they leave, and that a cut changes no bit."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import CONFIG, Runner, TinyRun

from earmark.data.dataset import Dataset
from earmark.errors import TrainingError
from earmark.io import read_json, read_parquet, read_tensors, sha256, write_json
from earmark.train.segment import Place, _prune, in_short, run_segment


@pytest.mark.parametrize(
    ("instance", "end", "last_phase", "kind", "start", "steps"),
    [
        ("pretrain", 2, False, "pretrain", 0, 6),
        ("pretrain", 6, False, "pretrain", 4, 6),
        ("align", 2, False, "align", 0, 2),
        ("ia_sft_1", 2, False, "ia_sft", 0, 2),
        ("ia_sft_12", 4, True, "ia_sft", 2, 4),
        ("joint", 4, False, "joint", 2, 4),
    ],
)
def test_place(tiny_run: TinyRun, instance: str, end: int, last_phase: bool, kind: str, start: int, steps: int) -> None:
    place = Place(tiny_run.config, instance, end, last_phase)
    assert (place.kind, place.start, place.end, place.steps) == (kind, start, end, steps)
    assert place.stage == getattr(tiny_run.config.stages, kind)


def test_shorter_last_segment_starts_where_the_one_before_ended(tiny_run: TinyRun) -> None:
    joint = tiny_run.config.stages.joint.model_copy(update={"steps": 5})
    stages = tiny_run.config.stages.model_copy(update={"joint": joint})
    config = tiny_run.config.model_copy(update={"stages": stages})
    assert [Place(config, "joint", end, False).start for end in (2, 4, 5)] == [0, 2, 4]


def described(run: TinyRun, instance: str, step: int) -> dict:
    return read_json(run.paths.step(instance, step) / "done.json")


def test_done_names_the_file_of_every_module_and_its_hash(tiny_run: TinyRun) -> None:
    for path in tiny_run.folder.glob("*/step_*/done.json"):
        done = read_json(path)
        ctc = done["instance"] == "pretrain"
        assert set(done["weights"]) == ({"encoder", "ctc_head"} if ctc else {"encoder", "adaptor", "llm"})
        for name, recorded in done["weights"].items():
            weights = tiny_run.root / recorded
            assert sha256(weights) == done["sha256"][name]
            own = weights.parent == path.parent
            assert own or name not in done["trained"]
        assert done["ended"] >= done["started"]
        assert set(done["valid"]) == ({"loss", "per"} if ctc else {"loss"})


def test_stages_hand_over_what_they_trained(tiny_run: TinyRun) -> None:
    align, first, second = (
        described(tiny_run, name, step)["weights"] for name, step in (("align", 2), ("ia_sft_1", 2), ("ia_sft_2", 4))
    )
    swap = read_json(tiny_run.paths.trace)[0]["triggers"][0]
    snapshot = str(tiny_run.config.folder / "pretrain" / f"step_{swap:07d}" / "encoder.safetensors")
    final = str(tiny_run.config.folder / "pretrain" / "step_0000006" / "encoder.safetensors")
    assert align["encoder"] == first["encoder"] == snapshot  # frozen: named, not copied
    assert second["encoder"] == final  # the hot-swap
    joint = described(tiny_run, "joint", 4)["weights"]
    assert all("joint" in path for path in joint.values())
    before, _ = read_tensors(tiny_run.root / second["adaptor"])
    after, _ = read_tensors(tiny_run.root / joint["adaptor"])
    assert not torch.equal(before["linear1.weight"], after["linear1.weight"])
    torch.testing.assert_close(before["linear1.weight"], after["linear1.weight"], atol=0.1, rtol=0)


def test_metrics_continue_over_segments(tiny_run: TinyRun) -> None:
    steps = [
        row["step"]
        for end in (2, 4, 6)
        for row in read_parquet(tiny_run.paths.step("pretrain", end) / "metrics.parquet").to_pylist()
    ]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_states_are_pruned_but_the_newest_two(tiny_run: TinyRun) -> None:
    kept = sorted(path.parent.name for path in tiny_run.paths.stage("pretrain").glob("step_*/engine"))
    assert kept == ["step_0000004", "step_0000006"]


def test_state_at_the_stage_s_end_outlives_newer_ones(tiny_run: TinyRun, tmp_path: Path) -> None:
    for step in (2, 4, 6, 8, 10):
        (tmp_path / f"step_{step:07d}" / "engine").mkdir(parents=True)
        (tmp_path / f"step_{step:07d}" / "done.json").touch()
    place = Place(tiny_run.config, "joint", 4, False)  # the stage ends at 4
    _prune(tmp_path, place)
    assert sorted(path.parent.name[-2:] for path in tmp_path.glob("*/engine")) == ["04", "08", "10"]
    assert len(list(tmp_path.glob("*/done.json"))) == 5


def weights(run: TinyRun, instance: str, step: int) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.paths.step(instance, step).rglob("*.safetensors")}


@pytest.mark.parametrize(
    ("instance", "before", "steps"),
    [("pretrain", ("pretrain", 4), [6]), ("ia_sft_2", ("ia_sft_2", 2), [4]), ("joint", ("ia_sft_2", 4), [2, 4])],
)
def test_segments_run_again_give_the_same_files(
    earmark: Runner, tiny_copy: TinyRun, instance: str, before: tuple[str, int], steps: list[int]
) -> None:
    """Resuming is a theorem: wherever it was interrupted, a segment starts over from the one before."""
    for step in steps:
        expected = weights(tiny_copy, instance, step)
        shutil.rmtree(tiny_copy.paths.step(instance, step))
        options = ["--before", tiny_copy.paths.step(*before) / "done.json"]
        options += ["--last-phase"] if instance == "ia_sft_2" else []
        assert earmark("train", CONFIG, instance, step, *options)[0] == 0
        assert weights(tiny_copy, instance, step) == expected
        before = (instance, step)


def test_one_segment_of_four_steps_is_two_of_two(earmark: Runner, tiny_copy: TinyRun) -> None:
    values = read_json(tiny_copy.folder / "settings.json")
    values["stages"]["joint"]["segment_steps"] = 4
    write_json(Path("whole.yaml"), values)  # JSON is YAML
    expected = weights(tiny_copy, "joint", 4)
    shutil.rmtree(tiny_copy.paths.stage("joint"))
    done = tiny_copy.paths.step("ia_sft_2", 4) / "done.json"
    assert earmark("train", "whole.yaml", "joint", 4, "--before", done)[0] == 0
    assert weights(tiny_copy, "joint", 4) == expected


def test_other_inventory_is_refused(earmark: Runner, tiny_copy: TinyRun) -> None:
    before = tiny_copy.paths.step("pretrain", 4) / "done.json"
    write_json(before, read_json(before) | {"inventory": "0" * 16})
    code, _, err = earmark("train", CONFIG, "pretrain", 6, "--before", before)
    assert code == 2
    assert f"was trained with inventory {'0' * 16}, this run has" in err


def test_weights_of_another_size_are_refused(earmark: Runner, tiny_copy: TinyRun) -> None:
    values = read_json(tiny_copy.folder / "settings.json")
    values["encoder"]["d_model"] = 32
    write_json(Path("wider.yaml"), values)
    before = tiny_copy.paths.step("pretrain", 4) / "done.json"
    code, _, err = earmark("train", "wider.yaml", "pretrain", 6, "--before", before)
    assert code == 2
    assert "encoder.safetensors does not fit ConformerEncoder" in err
    assert "use the configuration that it was trained with" in err


def test_state_of_another_model_is_refused(earmark: Runner, tiny_copy: TinyRun) -> None:
    state = tiny_copy.paths.step("pretrain", 4) / "engine"
    shutil.rmtree(state)
    shutil.copytree(tiny_copy.paths.step("joint", 4) / "engine", state)
    code, _, err = earmark("train", CONFIG, "pretrain", 6, "--before", state.parent / "done.json")
    assert code == 2
    assert "it belongs to another model; rerun its segment" in err


def test_state_that_is_gone_is_named(earmark: Runner, tiny_copy: TinyRun) -> None:
    state = tiny_copy.paths.step("pretrain", 4) / "engine"
    shutil.rmtree(state)
    code, _, err = earmark("train", CONFIG, "pretrain", 6, "--before", state.parent / "done.json")
    assert code == 2
    assert "step_0000004 has lost its engine state" in err
    assert "pretrain, so that the stage is trained again from its start" in err


def test_a_run_without_validation_is_refused_before_it_trains(
    tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_run.root)
    monkeypatch.setattr(Dataset, "split", lambda dataset, name: np.arange(0))
    with pytest.raises(TrainingError, match=r"no validation utterance.*split valid"):
        run_segment(tiny_run.config, Place(tiny_run.config, "pretrain", 2, False), None, None)


def test_segments_in_a_line() -> None:
    done = {"instance": "pretrain", "step": 2000, "steps": 24000, "started": 10.0, "ended": 70.4}
    said = in_short(done | {"valid": {"loss": 0.5906, "per": 0.6881}})
    assert said == "pretrain step 2,000 of 24,000: validation loss 0.591, phone error rate 68.8%, 60 s"
    assert "phone" not in in_short(done | {"valid": {"loss": 4.2}})
