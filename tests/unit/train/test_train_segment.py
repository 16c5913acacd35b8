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
from earmark.train.place import Place
from earmark.train.segment import in_short, run_segment


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


VARIANTS = {
    "aed": ["encoder", "decoder"],
    "hybrid": ["encoder", "ctc_head", "decoder"],
    "best_rq": ["encoder", "quantizer_head"],
}


@pytest.mark.parametrize("loss", list(VARIANTS))
def test_other_objectives_save_resume_and_describe_their_modules(
    earmark: Runner, tiny_copy: TinyRun, loss: str
) -> None:
    """Two segments of two steps, the second twice, and one of four: always the same bits."""
    values = read_json(tiny_copy.folder / "settings.json")
    values["decoder"] |= {"n_layers": 1, "n_heads": 2}
    values["best_rq"] |= {"codebook_size": 64}
    values["stages"]["pretrain"] |= {"loss": loss, "trained": VARIANTS[loss], "augment": None}
    write_json(Path("variant.yaml"), values)
    values["stages"]["pretrain"] |= {"segment_steps": 6}
    values["watch"] |= {"first_step": 6, "every": 6}
    values["stages"]["pretrain"]["steps"] = 12
    write_json(Path("whole.yaml"), values)
    shutil.rmtree(tiny_copy.paths.stage("pretrain"))
    before: list[object] = []
    for step in (2, 4, 6):
        assert earmark("train", "variant.yaml", "pretrain", step, *before)[0] == 0
        before = ["--before", tiny_copy.paths.step("pretrain", step) / "done.json"]
    done, expected = described(tiny_copy, "pretrain", 6), weights(tiny_copy, "pretrain", 6)
    assert list(done["weights"]) == list(done["parameters"]) == VARIANTS[loss] == done["trained"]
    assert set(expected) == {*(f"{name}.safetensors" for name in VARIANTS[loss]), "optimizer.safetensors"}
    assert done["valid"]["loss"] > 0
    rows = read_parquet(tiny_copy.paths.step("pretrain", 6) / "metrics.parquet").to_pylist()
    assert [row["aed"] is not None for row in rows] == [loss != "best_rq"] * 2
    assert [row["accuracy"] is not None for row in rows] == [loss == "best_rq"] * 2
    shutil.rmtree(tiny_copy.paths.stage("pretrain"))
    assert earmark("train", "whole.yaml", "pretrain", 6)[0] == 0
    assert weights(tiny_copy, "pretrain", 6) == expected


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


def test_more_updates_than_a_stage_has_of_its_own_are_recorded_and_resumed(earmark: Runner, tiny_copy: TinyRun) -> None:
    """`post_training.updates: equal`: five updates instead of four, in segments of two."""
    shutil.rmtree(tiny_copy.paths.stage("joint"))
    before = tiny_copy.paths.step("ia_sft_2", 4) / "done.json"
    for step in (2, 4, 5):
        code, out, err = earmark("train", CONFIG, "joint", step, "--before", before, "--steps", 5)
        assert code == 0, err
        assert f"joint step {step} of 5" in out
        before = tiny_copy.paths.step("joint", step) / "done.json"
        if step == 4:  # made again before the next segment, by the job that done.json records, its updates included
            expected = weights(tiny_copy, "joint", 4)
            (before.parent / "adaptor.safetensors").write_bytes(b"cut")
    assert weights(tiny_copy, "joint", 4) == expected
    for step in (4, 5):
        done = described(tiny_copy, "joint", step)
        assert (done["steps"], done["job"]["steps"]) == (5, 5)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("train", "pretrain", 2), "pretraining"),
        (("corpus", "spoken"), "data"),
        (("label", "spoken"), "data"),
        (("shards", "spoken"), "data"),
        (("dataset",), "data"),
        (("language",), "data"),
    ],
)
def test_shared_parts_are_not_made_by_those_who_take_them(
    earmark: Runner, tiny_copy: TinyRun, arguments: tuple[object, ...], part: str
) -> None:
    values = read_json(tiny_copy.folder / "settings.json")
    write_json(Path("taker.yaml"), values | {"run": "taker", "shares": {"data": "tiny", "pretraining": "tiny"}})
    code, _, err = earmark(arguments[0], "taker.yaml", *arguments[1:])
    assert code == 2
    assert f"{part} is taken from run tiny (shares.{part})" in err
    assert not (tiny_copy.folder.parent / "taker").exists()


def test_a_swap_changes_the_encoder_and_nothing_else_on_one_machine(earmark: Runner, tiny_copy: TinyRun) -> None:
    """With the same encoder swapped in, two phases are one of as many updates; with another, moments and rate go on."""
    paths = tiny_copy.paths
    snapshot, align = paths.step("pretrain", 4) / "done.json", paths.step("align", 2) / "done.json"
    for instance in ("ia_sft_1", "ia_sft_2"):
        shutil.rmtree(paths.stage(instance))

    def train(instance: str, step: int, before: Path, *options: object) -> Path:
        assert earmark("train", CONFIG, instance, step, "--before", before, *options)[0] == 0
        return paths.step(instance, step) / "done.json"

    first = train("ia_sft_1", 2, align, "--encoder", snapshot)
    second = train("ia_sft_2", 2, first, "--encoder", snapshot, "--last-phase")
    swapped = {name: read_tensors(second.parent / f"{name}.safetensors")[0] for name in ("adaptor", "llm")}
    states, _ = read_tensors(second.parent / "engine/optimizer.safetensors")
    assert {float(value) for name, value in states.items() if name.startswith("step/")} == {4.0}
    shutil.rmtree(paths.stage("ia_sft_1"))
    half = train("ia_sft_1", 2, align, "--encoder", snapshot, "--steps", 4)
    whole = train("ia_sft_1", 4, half, "--steps", 4)
    for name, tensors in swapped.items():
        once, _ = read_tensors(whole.parent / f"{name}.safetensors")
        assert all(torch.equal(once[key], tensors[key]) for key in once), name
