"""A swap changes the encoder, and nothing else."""

import pytest
import torch
from tiny import CONFIG, Runner, TinyRun

from earmark.errors import CheckpointError
from earmark.io import read_json, read_tensors, sha256, write_json
from earmark.text.inventory import Inventory
from earmark.train.place import Place
from earmark.train.state.handover import hand_over
from earmark.train.state.initialise import build_task, modules_of
from earmark.train.state.swap import swap_encoder

INVENTORY = Inventory.load()


def test_encoder_is_the_snapshot_s_adaptor_and_llm_are_bit_identical(
    tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_run.root)
    before, snapshot = (tiny_run.paths.step(*one) / "done.json" for one in (("ia_sft_1", 2), ("pretrain", 6)))
    place = Place(tiny_run.config, "ia_sft_2", 2, True)
    task = build_task(tiny_run.config, place, INVENTORY, tiny_run.paths.llm / "done.json")
    origin = hand_over(task, before, INVENTORY)
    modules = modules_of(task)
    held = {
        name: {key: tensor.clone() for key, tensor in module.state_dict().items()} for name, module in modules.items()
    }
    swapped = swap_encoder(task, origin, snapshot, INVENTORY)
    for name in ("adaptor", "llm"):
        assert all(torch.equal(tensor, held[name][key]) for key, tensor in modules[name].state_dict().items()), name
        assert swapped.weights[name] == origin.weights[name]
    saved, _ = read_tensors(tiny_run.paths.step("pretrain", 6) / "encoder.safetensors")
    assert all(torch.equal(modules["encoder"].state_dict()[key], tensor) for key, tensor in saved.items())
    assert any(not torch.equal(saved[key], held["encoder"][key]) for key in saved)
    assert swapped.weights["encoder"] == read_json(snapshot)["weights"]["encoder"] != origin.weights["encoder"]
    assert not any(parameter.requires_grad for parameter in modules["encoder"].parameters())


def test_after_a_swapped_segment_the_encoder_is_still_the_snapshot_s(tiny_run: TinyRun) -> None:
    """IA-SFT's second phase has trained: its frozen encoder has the bits of the snapshot, and its file."""
    done = read_json(tiny_run.paths.step("ia_sft_2", 4) / "done.json")
    snapshot = tiny_run.paths.step("pretrain", 6) / "encoder.safetensors"
    assert done["sha256"]["encoder"] == sha256(snapshot)
    assert (tiny_run.root / done["weights"]["encoder"]) == snapshot


def test_a_snapshot_of_another_inventory_is_refused(earmark: Runner, tiny_copy: TinyRun) -> None:
    snapshot = tiny_copy.paths.step("pretrain", 6) / "done.json"
    write_json(snapshot, read_json(snapshot) | {"inventory": "0" * 16})
    before = tiny_copy.paths.step("ia_sft_1", 2) / "done.json"
    options = ["--before", before, "--encoder", snapshot, "--last-phase"]
    code, _, err = earmark("train", CONFIG, "ia_sft_2", 2, *options)
    assert code == 2
    assert f"{snapshot} was trained with inventory {'0' * 16}, this run has" in err


def test_what_has_no_encoder_is_refused(tiny_copy: TinyRun) -> None:
    snapshot = tiny_copy.paths.step("pretrain", 6) / "done.json"
    done = read_json(snapshot)
    del done["weights"]["encoder"]
    write_json(snapshot, done)
    place = Place(tiny_copy.config, "align", 2, False)
    task = build_task(tiny_copy.config, place, INVENTORY, tiny_copy.paths.llm / "done.json")
    origin = hand_over(task, None, INVENTORY)
    with pytest.raises(
        CheckpointError, match=r"done\.json names no encoder: name the done\.json of a pretraining segment"
    ):
        swap_encoder(task, origin, snapshot, INVENTORY)
