"""config/paper.yaml itself with smaller sizes: every switch that it sets is set, and so is run.

What it trains from is made here in the formats in which it is published: FireRedASR-AED's checkpoint (imported), a
Qwen3 with tied weights in several files, a Qwen3-Embedding, corpora of four languages. All weights are random.
"""

import contextlib
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import fireredasr_like
import qwen3_like
import torch
import yaml
from conftest import REPOSITORY
from encoded import voice

PAPER = REPOSITORY / "config" / "paper.yaml"
CORPORA = ("librispeech", "aishell", "wenetspeech_yue", "cs_dialogue", "ascend")
"""English, Mandarin, Cantonese, and two of Mandarin mixed with English; `ascend` has a validation split."""
TESTS = (
    *("test_aishell_dev", "test_aishell", "test_wenetspeech_yue_short", "test_wenetspeech_yue_long"),
    *("test_librispeech_other", "test_cs_dialogue", "test_ascend"),
)
"""What of the paper's test sets the miniatures hold."""
SIZES: dict[str, Any] = {
    "shards.hours": 0.001,
    "encoder.n_layers": fireredasr_like.SHAPE["n_layers"],
    "encoder.n_heads": fireredasr_like.SHAPE["n_heads"],
    "encoder.d_model": fireredasr_like.SHAPE["d_model"],
    "encoder.kernel_size": fireredasr_like.SHAPE["kernel_size"],
    "stages.pretrain.steps": 8,
    "stages.align.steps": 6,
    "stages.ia_sft.steps": 6,
    "stages.ia_sft.last_phase_steps": 8,
    "stages.joint.steps": 6,
    "watch.first_step": 2,
    "watch.every": 2,
    "watch.utterances": 4,
    "processes": 2,
}
FOR_ALL_STAGES = {"frames_per_batch": 500, "warmup_steps": 2, "half_life": 8, "segment_steps": 2}
NO_SIZES: dict[str, Any] = {
    # The small encoder drifts by next to nothing in a few steps of 1e-4 and less: at this threshold it is swapped.
    "watch.tau": 0.99999999,
    # Not in the paper's file, and to be run with everything else.
    "stages.joint.average_last": 2,
    "stages.pretrain.activation_checkpointing": True,
    "stages.ia_sft.activation_checkpointing": True,
    # So that a reference of few utterances is enough.
    "evaluation.pca_dim": 2,
    "evaluation.diagnosed_utterances": 6,
}
"""All that is changed besides sizes."""


def settings() -> dict[str, Any]:
    """The paper's file, smaller; every key of it is still there."""
    values = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    before = _keys(values)
    values["corpora"] = [one | {"parts": 1} for one in values["corpora"] if one["name"] in CORPORA]
    values["evaluation"]["tests"] = [one for one in values["evaluation"]["tests"] if one["name"] in TESTS]
    for stage in values["stages"]:
        for key, value in FOR_ALL_STAGES.items():
            _put(values, f"stages.{stage}.{key}", value)
    for key, value in (SIZES | NO_SIZES).items():
        _put(values, key, value)
    assert before <= _keys(values)
    return values


def _keys(values: Any, above: str = "") -> set[str]:
    """Dotted names of all keys but those of list entries."""
    if not isinstance(values, dict):
        return {above}
    return {name for key, value in values.items() for name in _keys(value, f"{above}.{key}")}


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[last] = value


def make(folder: Path) -> None:
    """Models and corpora where the paper's file looks for them."""
    fireredasr_like.write(folder / "published")
    command = [sys.executable, "-m", "earmark.cli", "import", "fireredasr", "published"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    torch.manual_seed(0)
    qwen3_like.write(folder / "models/Qwen3-1.7B", tied=True, shards=True)
    qwen3_like.write_embedding(folder / "models/Qwen3-Embedding-8B")
    with mock.patch.object(sys, "path", [str(REPOSITORY / "tests/unit/corpora"), *sys.path]):
        miniatures = {name: importlib.import_module(f"miniatures.{name}") for name in CORPORA}
    for name, miniature in miniatures.items():
        # Their utterances of half a second are too short for what is said in them, and would be set aside.
        slower = {} if name == "wenetspeech_yue" else {"voice": _slower}
        with mock.patch.multiple(miniature, **slower) if slower else contextlib.nullcontext():
            miniature.make(folder / "corpora" / name)


def _slower(seconds: float, **given: Any) -> Any:
    return voice(6 * seconds, **given)
