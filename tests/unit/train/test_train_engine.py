"""The engine without and with ZeRO-2 (which bfloat16 uses even in one process): updates that are left out, states."""

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from elsewhere import second_device
from tiny import one_process
from torch import nn

from earmark.config import Stage
from earmark.data.dataset import Batch
from earmark.errors import CheckpointError, TrainingError
from earmark.train.engine import Engine, device_of
from earmark.train.state.universal import nothing_runs, written_by

STAGE = Stage.model_validate(
    {
        "trained": ["encoder"],
        "loss": "ctc",
        "frames_per_batch": 100,
        "peak_rate": 1e-2,
        "steps": 8,
        "segment_steps": 4,
        "accumulation": 2,
    }
)


def made(precision: str, weights: dict[str, torch.Tensor] | None = None) -> tuple[Engine, nn.Module]:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(7, 5), nn.Linear(5, 3))
    if weights:
        module.load_state_dict(weights)
    with one_process():
        return Engine(module, STAGE, precision), module


def update(engine: Engine, seed: int, skip: bool = False, scale: float = 1.0) -> None:
    """One update of two batches."""
    for micro in range(2):
        torch.manual_seed(10 * seed + micro)
        batch = torch.randn(4, 7)
        loss = engine(batch if engine._plain else batch.bfloat16()).float().pow(2).mean()
        engine.backward(loss * scale)
        engine.step(1e-2, skip=skip and micro == 1)


def bits(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("skip", "scale"), [(True, 1.0), (True, float("nan")), (False, float("nan")), (False, float("inf"))]
)
def test_an_update_that_is_left_out_leaves_no_trace(precision: str, skip: bool, scale: float) -> None:
    """One that is to be, and one that would be made of a gradient that is no number."""
    engine, module = made(precision)
    update(engine, 1)
    before = bits(module)
    update(engine, 2, skip=skip, scale=scale)
    assert math.isfinite(engine.gradient_norm()) == (scale == 1.0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in bits(module).items())
    update(engine, 3)
    other, unspoiled = made(precision)
    update(other, 1)
    update(other, 3)
    assert all(torch.equal(tensor, bits(unspoiled)[name]) for name, tensor in bits(module).items())
    assert any(not torch.equal(tensor, before[name]) for name, tensor in bits(module).items())


def test_a_process_trains_on_its_node_s_gpu_of_its_number() -> None:
    assert device_of(3, 0) == torch.device("cpu")
    assert device_of(1, 2) == torch.device("cuda", 1)
    with pytest.raises(
        TrainingError, match=r"training process 1 \(from 0\) of .* finds 1 GPU\(s\) there: ask for one a"
    ):
        device_of(1, 1)


def test_what_a_killed_save_of_more_processes_left_is_no_part_of_a_state(tmp_path: Path) -> None:
    engine, _ = made("bfloat16")
    update(engine, 1)
    left = tmp_path / "engine.part" / "state" / "bf16_zero_pp_rank_3_mp_rank_00_optim_states.pt"
    left.parent.mkdir(parents=True)
    left.touch()
    engine.save(tmp_path / "engine")
    assert written_by(tmp_path / "engine") == 1


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_state_goes_on_with_the_same_bits_on_one_machine(precision: str, tmp_path: Path) -> None:
    engine, module = made(precision)
    update(engine, 1)
    engine.save(tmp_path / "engine")
    assert written_by(tmp_path / "engine") == (precision == "bfloat16")
    weights = {name: tensor.float() for name, tensor in bits(module).items()}
    update(engine, 2)
    other, resumed = made(precision, weights)
    other.load(tmp_path / "engine")
    update(other, 2)
    assert all(torch.equal(tensor, bits(module)[name]) for name, tensor in bits(resumed).items())


def half_frozen(precision: str, gradients: str = "float32") -> tuple[Engine, nn.Module]:
    """The first layer is frozen, as an encoder is in alignment."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(7, 5), nn.Linear(5, 3))
    module[0].requires_grad_(False)
    with one_process():
        return Engine(module, STAGE, precision, gradients), module


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_state_beside_frozen_modules_goes_on_with_the_same_bits_on_one_machine(
    precision: str, tmp_path: Path
) -> None:
    engine, module = half_frozen(precision)
    update(engine, 1)
    engine.save(tmp_path / "engine")
    weights = bits(module)
    update(engine, 2)
    other, resumed = half_frozen(precision)
    # The hand-over brings all weights: here a new encoder, which the state must not take back.
    swapped = weights | {"0.weight": weights["0.weight"] + 1}
    resumed.load_state_dict(swapped)
    other.load(tmp_path / "engine")
    assert torch.equal(bits(resumed)["0.weight"], swapped["0.weight"])
    resumed[0].weight.copy_(weights["0.weight"])
    update(other, 2)
    assert all(torch.equal(tensor, bits(module)[name]) for name, tensor in bits(resumed).items())
    assert not torch.equal(bits(module)["1.weight"], weights["1.weight"])


def test_a_state_of_another_stage_is_refused(tmp_path: Path) -> None:
    engine, _ = half_frozen("bfloat16")
    update(engine, 1)
    engine.save(tmp_path / "engine")
    other, _ = made("bfloat16")
    with pytest.raises(CheckpointError, match=r"does not fit this model in 0\.(bias|weight) and 1 more"):
        other.load(tmp_path / "engine")


@pytest.mark.parametrize(("gradients", "kept"), [("float32", True), ("bfloat16", False)])
def test_small_gradients_are_kept_beside_large_ones(gradients: str, kept: bool) -> None:
    """1 and 1/512, which bfloat16, with eight bits, loses beside 1."""
    torch.manual_seed(0)
    module = nn.Linear(1, 1, bias=False)
    with one_process():
        engine = Engine(module, STAGE, "bfloat16", gradients)
    for value in (1.0, 2.0**-9):
        engine.backward(engine(torch.ones(1, 1, dtype=torch.bfloat16)).float().sum() * value)
        engine.step(1e-2)
    # Two batches an update: DeepSpeed takes their mean.
    right = (1 + 2**-9) / 2
    assert (engine.gradient_norm() == pytest.approx(right, rel=1e-6)) is kept


def test_a_partitioned_state_is_read_by_a_plain_process(tmp_path: Path) -> None:
    """By way of the universal form: float32 weights and Adam's moments, as the optimizer holds them."""
    engine, _ = made("bfloat16")
    update(engine, 1)
    update(engine, 2)
    engine.save(tmp_path / "engine")
    plain, module = made("float32")
    plain.load(tmp_path / "engine")
    flat = engine._optimizer.param_groups[0]["params"][0]
    state = engine._optimizer.state[flat]
    parameters = list(module.parameters())
    count = sum(one.numel() for one in parameters)
    joined = torch.cat([one.detach().flatten() for one in parameters])
    assert torch.equal(joined, flat.detach()[:count])
    for key in ("exp_avg", "exp_avg_sq"):
        moments = torch.cat([plain._optimizer.state[one][key].flatten() for one in parameters])
        assert torch.equal(moments, state[key][:count]), key
    assert {float(plain._optimizer.state[one]["step"]) for one in parameters} == {2.0}
    assert not (tmp_path / ".universal").exists()


def test_a_plain_state_replaces_a_partitioned_one_of_the_same_segment(tmp_path: Path) -> None:
    made("bfloat16")[0].save(tmp_path / "engine")
    plain, _ = made("float32")
    update(plain, 1)
    plain.save(tmp_path / "engine")
    assert written_by(tmp_path / "engine") == 0
    assert [path.name for path in (tmp_path / "engine").iterdir()] == ["optimizer.safetensors"]


def test_code_in_a_state_does_not_run(tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"x": Malicious()}, tmp_path / "state.pt")
    with nothing_runs(), pytest.raises(Exception, match="Weights only load failed"):
        torch.load(tmp_path / "state.pt", weights_only=False)
    assert not (tmp_path / "ran").exists()


def test_a_state_that_is_not_there_is_named(tmp_path: Path) -> None:
    for precision in ("float32", "bfloat16"):
        with pytest.raises(CheckpointError, match=r"engine does not exist: rerun the segment that writes it"):
            made(precision)[0].load(tmp_path / "engine")


def test_a_batch_comes_to_where_the_module_is() -> None:
    engine, _ = made("float32")
    lengths = torch.tensor([3, 2])
    batch = Batch(["a", "b"], torch.ones(2, 3, 4), lengths, torch.ones(2, 5), lengths, ["", ""], ["zh", "en"])
    given: list[Any] = []
    with second_device() as device:
        engine.device, engine._engine = device, lambda *arguments: given.extend(arguments)
        engine(batch, "moment")
        moved, moment = given
        assert (moved.features.device, moved.phones.device) == (device, device)
        assert (moved.lengths.device.type, moved.phone_lengths.device.type) == ("cpu", "cpu")
        assert moved.features.tolist() == batch.features.tolist()
    assert moment == "moment"


def test_a_loaded_state_lies_beside_its_parameter(tmp_path: Path) -> None:
    engine, module = made("float32")
    update(engine, 1)
    engine.save(tmp_path / "engine")
    with second_device() as device:
        engine._trained = [parameter.detach().to(device) for parameter in module.parameters()]
        engine.load(tmp_path / "engine")
        held = [one for parameter in engine._trained for one in engine._optimizer.state[parameter].values()]
        assert len(held) == 3 * len(engine._trained)
        assert {one.device for one in held} == {device}


@pytest.mark.parametrize("end", ["pass", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_training_process_leaves_nothing_in_the_temporary_folder(tmp_path: Path, end: str) -> None:
    body = "import os, signal, torch\nfrom earmark.train.engine import _deepspeed\n_deepspeed()\n"
    body += "torch.distributed.all_reduce(torch.ones(2))\nprint('met', flush=True)\n"
    environment = {name: value for name, value in os.environ.items() if name not in ("RANK", "LOCAL_RANK")}
    done = subprocess.run(
        [sys.executable, "-c", body + end],
        env=environment | {"TMPDIR": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "met\n", done.stderr
    assert list(tmp_path.iterdir()) == []
