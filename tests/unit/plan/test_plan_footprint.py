"""The plan of memory: what is counted, how it is shared, and that a real process takes what was planned."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import measured_memory
import pytest
import torch
from tiny import Runner

from earmark.config import load
from earmark.errors import CheckpointError
from earmark.models.qwen3 import build_published
from earmark.plan.activations import Live, Shape
from earmark.plan.footprint import BUCKET, Memory, plan_memory
from earmark.plan.stages import language_model, shapes

SMALL = {
    "encoder": {"n_layers": 2, "n_heads": 2, "d_model": 64, "kernel_size": 15, "dropout": 0.1},
    "llm": {
        "vocab_size": 500,
        "hidden_size": 64,
        "intermediate_size": 192,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "tie_word_embeddings": True,
    },
}
MIDDLE = {
    "encoder": {"n_layers": 4, "n_heads": 4, "d_model": 256, "kernel_size": 33, "dropout": 0.1},
    "llm": SMALL["llm"]
    | {
        "vocab_size": 8000,
        "hidden_size": 384,
        "intermediate_size": 1152,
        "num_hidden_layers": 6,
        "num_attention_heads": 6,
        "num_key_value_heads": 3,
        "head_dim": 64,
    },
}


def planned(case: dict[str, Any], world: int = 1, device: str = "meta", **stage: object) -> Memory:
    config = measured_memory.configuration(case)
    settings = getattr(config.stages, case["stage"]).model_copy(update=stage)
    with torch.device(device):
        llm = None if case["stage"] == "pretrain" else measured_memory.language_model(case["sizes"])
    return plan_memory(config, settings, llm, case["labels"], world, Shape(*case["shape"]), device)


def small(stage: str, precision: str = "float32", **more: Any) -> dict[str, Any]:
    return {"sizes": SMALL, "stage": stage, "precision": precision, "shape": [4, 160], "labels": 50} | more


def test_live_bytes_and_their_peak() -> None:
    with Live() as live:
        one = torch.zeros(1000)
        view = one[10:]
        two = one + 1
        assert live.bytes == 8000
        del one, two
        assert live.bytes == 4000  # the view holds the first
        del view
        assert live.bytes == 0
        torch.zeros(500).mul_(2)
    assert live.peak == 8000


def test_states_are_shared_and_weights_are_not() -> None:
    one, four = (planned(small("joint", "bfloat16"), world) for world in (1, 4))
    assert four.weights == one.weights and four.activations == one.activations
    parameters = one.weights // 2
    assert one.optimizer == 12 * parameters and four.optimizer == 3 * parameters
    assert one.gradients == one.earlier == 4 * parameters  # float32, unless the settings say otherwise
    assert four.gradients == pytest.approx(parameters, abs=4)
    assert one.bucket == 4 * BUCKET
    assert one.step == 4 * parameters  # flat


def test_only_what_trains_has_states() -> None:
    align, ia_sft, joint = (planned(small(stage, "bfloat16")) for stage in ("align", "ia_sft", "joint"))
    assert align.weights == ia_sft.weights == joint.weights
    assert align.optimizer < ia_sft.optimizer < joint.optimizer == 6 * joint.weights


def test_a_single_float32_process_has_no_copy_of_its_weights() -> None:
    alone, shared = planned(small("joint")), planned(small("joint"), 2)
    assert alone.optimizer == 2 * alone.weights and alone.bucket == 0 == alone.step
    assert shared.optimizer == pytest.approx(12 * alone.weights / 4 / 2, abs=12)
    assert planned(small("joint"), accumulation=1).earlier == 0


def test_activations_grow_with_the_batch_and_checkpointing_saves_them() -> None:
    case = small("ia_sft", "bfloat16", sizes=SMALL | {"llm": SMALL["llm"] | {"num_hidden_layers": 12}})
    once, twice, four = (planned(case | {"shape": [batch, 160]}).activations for batch in (16, 32, 64))
    assert four - twice == pytest.approx(2 * (twice - once), rel=0.02)  # linear, beside gradients of single weights
    assert planned(case | {"shape": [64, 160]}, activation_checkpointing=True).activations < 0.7 * four
    assert planned(case | {"shape": [16, 160]}).activations == once  # nothing of it is left behind


def test_two_views_take_twice_as_much() -> None:
    case = small("pretrain", shape=[32, 320])
    assert planned(case, loss="cr_ctc").activations == pytest.approx(2 * planned(case).activations, rel=0.1)


def test_moments_are_compared_not_added() -> None:
    memory = Memory(weights=100, optimizer=10, earlier=1, gradients=2, bucket=3, activations=50, step=5)
    assert memory.total == 110 + 1 + 3 + 50
    assert memory._replace(activations=1, step=70).total == 110 + 72


def test_every_objective_of_pretraining_has_a_plan() -> None:
    plans = {loss: planned(small("pretrain", loss=loss)) for loss in measured_memory.HEADS}
    encoder = {loss: plan.weights for loss, plan in plans.items()}
    assert encoder["hybrid"] > encoder["aed"] > encoder["ctc"]
    assert encoder["hybrid"] - encoder["aed"] < encoder["ctc"]  # the head alone
    assert plans["hybrid"].activations > plans["aed"].activations
    # Logits over 8,192 codes, for 4 x 40 frames in float32, and the quantizer's products beside them.
    assert plans["best_rq"].activations > 2 * 160 * 8192 * 4


# ---------------------------------------------------------------------------- the paper's


def test_the_paper_s_model_by_its_shapes(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no models/ here
    config = load(repository / "config" / "paper.yaml")
    llm, shape = language_model(config), Shape(2, 2992)
    assert shape in shapes(config, config.stages.joint)
    memory = plan_memory(config, config.stages.joint, llm, 600, 8, shape)
    assert sum(one.numel() for one in llm.parameters()) == pytest.approx(1720.6e6, rel=1e-4)
    parameters = memory.weights / 2
    assert parameters == pytest.approx(710.5e6 + 14.7e6 + 1720.6e6, rel=1e-3)
    assert memory.optimizer == pytest.approx(12 * parameters / 8, rel=1e-6)
    assert memory.total < 80e9  # an A100 80 GB (A.3)


def test_unknown_size_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"models/Qwen4-1T does not exist.*Qwen3-1\.7B"):
        build_published("models/Qwen4-1T")


def test_command_prints_a_line_a_stage(repository: Path, earmark: Runner) -> None:
    code, out, _ = earmark("plan", "memory", repository / "config" / "default.yaml", "--stage", "align", "--world", 2)
    assert code == 0
    assert out.startswith("GB a process: 2 processes, ZeRO-2, float32.")
    *_, head, line = out.splitlines()
    assert len(head.split()) == 10 and line.split()[0] == "align"


# ---------------------------------------------------------------------------- measured


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "world", "checkpointing", "loss", "precision"),
    [
        ("pretrain", 1, False, "ctc", "float32"),
        ("pretrain", 1, False, "aed", "float32"),
        ("pretrain", 1, False, "hybrid", "float32"),
        ("pretrain", 1, False, "best_rq", "float32"),
        ("ia_sft", 1, False, "ctc", "float32"),
        ("joint", 1, False, "ctc", "float32"),
        ("joint", 1, True, "ctc", "float32"),
        ("joint", 2, False, "ctc", "float32"),
        ("pretrain", 1, False, "ctc", "bfloat16"),
        ("ia_sft", 1, False, "ctc", "bfloat16"),
        ("joint", 1, False, "ctc", "bfloat16"),
        ("joint", 2, False, "ctc", "bfloat16"),
    ],
)
def test_a_process_takes_what_was_planned(
    stage: str, world: int, checkpointing: bool, loss: str, precision: str
) -> None:
    """Resident memory of a real step of the engine within 10 %, with this machine's kernels."""
    case = {"sizes": MIDDLE, "stage": stage, "precision": precision, "shape": [8, 800], "labels": 300}
    case |= {"checkpointing": checkpointing, "loss": loss}
    # The collector of gradients is touched where gradients are put, and that is after the fullest moment.
    expected = planned(case, world, "cpu")._replace(bucket=0).total
    found = measured(case, world)
    print(
        f"{stage} {precision} {world} {loss} checkpointing={checkpointing}: planned / measured {expected / found:.2f}"
    )
    assert abs(found / expected - 1) < 0.1


def measured(case: dict[str, Any], world: int) -> int:
    """Bytes, in processes of their own whose allocator gives freed memory back at once."""
    environment = os.environ | {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": "65536",
        "MALLOC_TRIM_THRESHOLD_": "65536",
        "MALLOC_TOP_PAD_": "0",
    }
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={world}"] if world > 1 else []
    program = str(Path(measured_memory.__file__))
    done = subprocess.run(
        [sys.executable, *launcher, program, json.dumps(case)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["left"]
    return int(told["peak"])
