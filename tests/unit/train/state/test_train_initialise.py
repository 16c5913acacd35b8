"""Initial weights of the stages, and what is said of them."""

import pytest
import torch
from tiny import CONFIG, Runner, TinyRun

from earmark.io import read_tensors
from earmark.text.inventory import Inventory
from earmark.train.place import Place
from earmark.train.state.initialise import build_task, modules_of, parameters, what_trains

INVENTORY = Inventory.load()
TRAINED = {
    "pretrain": {"encoder", "ctc_head"},
    "align": {"adaptor"},
    "ia_sft_1": {"adaptor", "llm"},
    "joint": {"encoder", "adaptor", "llm"},
}


def built(run: TinyRun, instance: str) -> tuple[torch.nn.Module, Place]:
    place = Place(run.config, instance, 2, False)
    return build_task(run.config, place, INVENTORY, run.paths.llm / "done.json"), place


@pytest.fixture(autouse=True)
def in_its_folder(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_run.root)


@pytest.mark.parametrize("instance", TRAINED)
def test_only_what_the_stage_trains_receives_updates(tiny_run: TinyRun, instance: str) -> None:
    task, _ = built(tiny_run, instance)
    for name, module in modules_of(task).items():
        assert {one.requires_grad for one in module.parameters()} == {name in TRAINED[instance]}, name


def test_a_ctc_head_can_be_frozen(tiny_run: TinyRun) -> None:
    pretrain = tiny_run.config.stages.pretrain.model_copy(update={"trained": ["encoder"]})
    stages = tiny_run.config.stages.model_copy(update={"pretrain": pretrain})
    config = tiny_run.config.model_copy(update={"stages": stages})
    place = Place(config, "pretrain", 2, False)
    task = build_task(config, place, INVENTORY, tiny_run.paths.llm / "done.json")
    assert parameters(task, trained=True) == parameters(modules_of(task)["encoder"])
    assert f"pretrain: ctc_head is frozen ({parameters(modules_of(task)['ctc_head']):,} parameters)" in what_trains(
        task, place
    )


def test_weights_are_those_of_the_seed_and_the_language_model_s_are_its_file_s(tiny_run: TinyRun) -> None:
    one, other = (modules_of(built(tiny_run, "align")[0]) for _ in range(2))
    for name in one:
        for key, tensor in one[name].state_dict().items():
            assert torch.equal(tensor, other[name].state_dict()[key]), (name, key)
    saved, _ = read_tensors(tiny_run.paths.llm / "model.safetensors")
    assert all(torch.equal(one["llm"].state_dict()[key], tensor) for key, tensor in saved.items())
    pretrained = modules_of(built(tiny_run, "pretrain")[0])["encoder"].state_dict()
    assert all(torch.equal(tensor, pretrained[key]) for key, tensor in one["encoder"].state_dict().items())


def test_the_run_says_what_trains_and_how_many_parameters(earmark: Runner, tiny_copy: TinyRun) -> None:
    task, _ = built(tiny_copy, "ia_sft_1")
    count = {name: parameters(module) for name, module in modules_of(task).items()}
    before = tiny_copy.paths.step("align", 2) / "done.json"
    code, out, err = earmark("train", CONFIG, "ia_sft_1", 2, "--before", before)
    assert code == 0
    said = (out + err).splitlines()
    assert f"ia_sft_1: encoder is frozen ({count['encoder']:,} parameters)" in said
    assert f"ia_sft_1: adaptor trains ({count['adaptor']:,} parameters)" in said
    assert f"ia_sft_1: llm trains ({count['llm']:,} parameters)" in said
    trained = count["adaptor"] + count["llm"]
    assert f"ia_sft_1: {trained:,} of {trained + count['encoder']:,} parameters train" in said
