"""What a stage or segment takes over, and what it refuses."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import CONFIG, Runner, TinyRun

from earmark.config import parse
from earmark.errors import CheckpointError
from earmark.io import read_json, read_tensors, write_json
from earmark.models.done import FORMAT
from earmark.text.inventory import Inventory
from earmark.train.place import Place
from earmark.train.state.handover import Origin, check_order, hand_over, order_of, state_before
from earmark.train.state.initialise import build_task, modules_of

INVENTORY = Inventory.load()


def described(run: TinyRun, instance: str, step: int) -> dict:
    return read_json(run.paths.step(instance, step) / "done.json")


def bits(task: torch.nn.Module) -> dict[str, dict[str, torch.Tensor]]:
    """Copies of all tensors, by module."""
    return {
        name: {key: tensor.clone() for key, tensor in module.state_dict().items()}
        for name, module in modules_of(task).items()
    }


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def holds(tensors: dict[str, torch.Tensor], path: Path) -> bool:
    """Whether all that `path` has is in `tensors`, bit by bit."""
    saved, _ = read_tensors(path)
    return bool(saved) and all(torch.equal(tensors[key], saved[key]) for key in saved)


@pytest.mark.parametrize(
    ("instance", "end", "before"),
    [("pretrain", 4, ("pretrain", 2)), ("ia_sft_1", 2, ("align", 2)), ("joint", 2, ("ia_sft_2", 4))],
)
def test_every_module_of_the_one_before_comes_in_bit_by_bit(
    tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch, instance: str, end: int, before: tuple[str, int]
) -> None:
    monkeypatch.chdir(tiny_run.root)
    place = Place(tiny_run.config, instance, end, False)
    task = build_task(tiny_run.config, place, INVENTORY, tiny_run.paths.llm / "done.json")
    path = tiny_run.paths.step(*before) / "done.json"
    initial = bits(task)
    origin = hand_over(task, path, INVENTORY)
    now = bits(task)
    assert (origin.instance, origin.step) == before
    assert origin.weights == read_json(path)["weights"]
    assert set(origin.weights) == set(now)
    for name, file in origin.weights.items():
        assert holds(now[name], tiny_run.root / file), name
        # Alignment trains the adaptor only: its LLM is the initial one.
        assert equal(now[name], initial[name]) == (before[0] == "align" and name == "llm"), name


def test_alignment_begins_with_initial_weights(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_run.root)
    place = Place(tiny_run.config, "align", 2, False)
    task = build_task(tiny_run.config, place, INVENTORY, tiny_run.paths.llm / "done.json")
    initial = bits(task)
    assert hand_over(task, None, INVENTORY) == Origin(None, 0, {})
    assert all(equal(one, initial[name]) for name, one in bits(task).items())


def test_optimizer_s_state_is_handed_on_over_a_swap(tiny_run: TinyRun) -> None:
    before = tiny_run.paths.step("ia_sft_1", 2) / "done.json"
    second = Place(tiny_run.config, "ia_sft_2", 2, True)
    assert state_before(Origin("ia_sft_1", 2, {}), before, second, {}) == before.parent / "engine"


def test_a_phase_that_stopped_early_hands_on_no_state(tiny_copy: TinyRun) -> None:
    before = tiny_copy.paths.step("ia_sft_1", 2) / "done.json"
    write_json(before, read_json(before) | {"stopped_at": 2, "best": 2})
    second = Place(tiny_copy.config, "ia_sft_2", 2, True)
    assert state_before(Origin("ia_sft_1", 2, {}), before, second, {}) is None


def test_optimizer_s_state_is_handed_on_within_a_stage_only(tiny_run: TinyRun) -> None:
    before = tiny_run.paths.step("joint", 2) / "done.json"
    place = Place(tiny_run.config, "joint", 4, False)
    assert state_before(Origin("joint", 2, {}), before, place, {}) == before.parent / "engine"
    first = Place(tiny_run.config, "joint", 2, False)
    assert state_before(Origin("ia_sft_2", 4, {}), tiny_run.paths.step("ia_sft_2", 4) / "done.json", first, {}) is None
    assert state_before(Origin(None, 0, {}), None, first, {}) is None


def test_a_segment_that_is_no_neighbour_is_refused(tiny_run: TinyRun) -> None:
    before = tiny_run.paths.step("pretrain", 2) / "done.json"
    with pytest.raises(CheckpointError, match=r"is of step 2, the segment starts at 4: rerun it"):
        state_before(Origin("pretrain", 2, {}), before, Place(tiny_run.config, "pretrain", 6, False), {})


@pytest.mark.parametrize(
    ("instance", "before", "missing"),
    [
        ("align", None, "encoder"),
        ("ia_sft_1", None, "encoder, adaptor, llm"),
        ("ia_sft_1", ("pretrain", 4), "adaptor, llm"),
        ("joint", None, "encoder, adaptor, llm"),
        ("joint", ("pretrain", 4), "adaptor, llm"),
    ],
)
def test_post_training_does_not_begin_with_initial_weights(
    earmark: Runner, tiny_copy: TinyRun, instance: str, before: tuple[str, int] | None, missing: str
) -> None:
    path = tiny_copy.paths.step(*before) / "done.json" if before else None
    shutil.rmtree(tiny_copy.paths.step(instance, 2))
    code, _, err = earmark("train", CONFIG, instance, 2, *(["--before", path] if path else []))
    assert code == 2
    assert err.count("error: ") == 1
    source = f"{path} has none" if path else "--before names nothing"
    assert f"{instance} starts from trained weights of {missing}, and {source}: name the done.json of " in err
    assert not tiny_copy.paths.step(instance, 2).exists()


def test_a_swapped_encoder_stands_for_no_other_module(earmark: Runner, tiny_copy: TinyRun) -> None:
    code, _, err = earmark(
        "train", CONFIG, "ia_sft_1", 2, "--encoder", tiny_copy.paths.step("pretrain", 4) / "done.json"
    )
    assert code == 2
    assert "weights of adaptor, llm, and --before names nothing: name the done.json of alignment" in err


def test_alignment_may_begin_with_an_encoder_that_was_pretrained_elsewhere(earmark: Runner, tiny_copy: TinyRun) -> None:
    values = read_json(tiny_copy.folder / "settings.json")
    values["encoder"]["weights"] = str(tiny_copy.paths.step("pretrain", 6) / "encoder.safetensors")
    write_json(Path("imported.yaml"), values)
    assert earmark("train", "imported.yaml", "align", 2)[0] == 0


@pytest.mark.parametrize("before", [None, ("align", 2)])
def test_a_segment_within_a_stage_goes_on_from_that_stage_only(
    earmark: Runner, tiny_copy: TinyRun, before: tuple[str, int] | None
) -> None:
    path = tiny_copy.paths.step(*before) / "done.json" if before else None
    code, _, err = earmark("train", CONFIG, "pretrain", 4, *(["--before", path] if path else []))
    assert code == 2
    said = f"pretrain step 4 goes on from step 2, and --before names {path or 'nothing'}: name the done.json of"
    assert f"{said} pretrain step 2 with --before" in err


def test_another_order_of_utterances_is_refused(earmark: Runner, tiny_copy: TinyRun) -> None:
    """Accumulation was 2: half as many batches a step would meet other utterances."""
    values = read_json(tiny_copy.folder / "settings.json")
    values["stages"]["joint"]["accumulation"] = 1
    write_json(Path("other.yaml"), values)
    before = tiny_copy.paths.step("joint", 2) / "done.json"
    code, _, err = earmark("train", "other.yaml", "joint", 4, "--before", before)
    assert code == 2
    said = f"{before} was trained with batches_per_step (processes x accumulation) 2, this run has 1, which is another"
    assert said in err
    assert f"or delete {tiny_copy.paths.stage('joint')}, so that" in err


CHANGES = {
    "frames_per_batch": {"stages": {"pretrain": {"frames_per_batch": 1999}}},
    "seed": {"seed": 2},
    "sampling_power": {"sampling_power": 0.5},
    "short_first": {"stages": {"pretrain": {"short_first": {"fraction": 0.5, "steps": 3}}}},
    "like_batches": {"like_batches": 2},
    "weights": {"corpora": {0: {"weight": 3.0}}},
}


def changed(values: Any, change: Any) -> Any:
    """Settings with some of their values replaced, however deep they lie."""
    if not isinstance(change, dict):
        return change
    for key, value in change.items():
        values[key] = changed(values[key], value)
    return values


@pytest.mark.parametrize("key", CHANGES)
def test_each_setting_that_changes_the_order_is_named(tiny_run: TinyRun, key: str) -> None:
    other = parse(changed(read_json(tiny_run.folder / "settings.json"), CHANGES[key]))
    before = tiny_run.paths.step("pretrain", 4) / "done.json"
    had = read_json(before)["order"]
    now = order_of(other, Place(other, "pretrain", 6, False))
    with pytest.raises(
        CheckpointError, match=re.escape(f" was trained with {key} {had[key]}, this run has {now[key]},")
    ):
        check_order(before, had, now)
    check_order(before, {one: value for one, value in had.items() if one != key}, now)  # an older one does not say


def test_the_order_is_that_of_any_number_of_processes(tiny_run: TinyRun) -> None:
    values = changed(read_json(tiny_run.folder / "settings.json"), {"like_batches": 2})
    for stage in values["stages"].values():
        stage["accumulation"] = 2
    config = parse(values)
    one, two = (order_of(each, Place(each, "joint", 4, False)) for each in (config, config.on(2)))
    assert one == two


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


def test_other_inventory_is_refused(earmark: Runner, tiny_copy: TinyRun) -> None:
    before = tiny_copy.paths.step("pretrain", 4) / "done.json"
    write_json(before, read_json(before) | {"inventory": "0" * 16})
    code, _, err = earmark("train", CONFIG, "pretrain", 6, "--before", before)
    assert code == 2
    assert f"was trained with inventory {'0' * 16}, this run has" in err


@pytest.mark.parametrize("option", ["--before", "--encoder"])
def test_a_checkpoint_of_another_version_is_refused(earmark: Runner, tiny_copy: TinyRun, option: str) -> None:
    before = tiny_copy.paths.step("pretrain", 4) / "done.json"
    assert read_json(before)["format"] == FORMAT
    write_json(before, {"format": FORMAT + 1, "files": []})  # whatever later ones will hold
    segment = ("pretrain", 6) if option == "--before" else ("align", 2)
    code, _, err = earmark("train", CONFIG, *segment, option, before)
    assert code == 2
    assert err == (
        f"error: {before} describes a checkpoint of version {FORMAT + 1}, this earmark reads version {FORMAT}: go on "
        "with the earmark that wrote it (report.html of its run names the commit), or train it again\n"
    )


@pytest.mark.parametrize("verb", ["train", "transcribe", "language"])
def test_another_tokenizer_of_the_same_size_is_refused(earmark: Runner, tiny_copy: TinyRun, verb: str) -> None:
    """Two tokens change their ids: nothing but the recorded vocabulary can tell."""
    path = tiny_copy.paths.llm / "tokenizer.json"
    tokenizer = read_json(path)
    vocabulary = tokenizer["model"]["vocab"]
    one, other = list(vocabulary)[-2:]
    vocabulary[one], vocabulary[other] = vocabulary[other], vocabulary[one]
    write_json(path, tokenizer)
    before = tiny_copy.paths.step("align", 2) / "done.json"
    refused = before
    if verb == "train":  # the folder was changed after it was prepared
        refused = tiny_copy.config.paths.llm / "done.json"
        said = earmark("train", CONFIG, "joint", 2, "--before", before)
    elif verb == "language":  # it was prepared as it is now, after a stage had been trained on another
        done = read_json(tiny_copy.paths.llm / "done.json")
        write_json(tiny_copy.paths.llm / "done.json", {k: v for k, v in done.items() if k != "vocabulary"})
        said = earmark("train", CONFIG, "joint", 2, "--before", before)
    else:
        refused = tiny_copy.config.paths.step("joint", 4) / "done.json"
        said = earmark("transcribe", "own/buzz1.wav", "--config", CONFIG)
    code, _, err = said
    assert code == 2
    last = err.rstrip().splitlines()[-1]  # before it, transformers says how it loads weights
    assert last.startswith(f"error: {refused} was made with vocabulary ")
    assert "use the language model that it was made with" in last


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
    # Whole it is, by its checksum: not damaged, but another's.
    done = state.parent / "done.json"
    write_json(done, read_json(done) | {"state": described(tiny_copy, "joint", 4)["state"]})
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
