"""Formulas against the real modules, built without memory."""

from pathlib import Path

import pytest
import qwen3_like
import torch

from earmark.config import Config, load
from earmark.errors import ConfigError
from earmark.models.adaptor import Adaptor
from earmark.models.llm import build_small
from earmark.models.qwen3 import build_published
from earmark.plan import counts
from earmark.plan.footprint import _modules

ABLATIONS = ("aed", "hybrid", "best_rq")
FILES = ["default.yaml", "words.yaml", "paper.yaml", *(f"ablations/{name}.yaml" for name in ABLATIONS)]


def parameters(module: torch.nn.Module) -> int:
    return sum(one.numel() for one in module.parameters())


@pytest.fixture(params=FILES)
def config(request: pytest.FixtureRequest, repository: Path) -> Config:
    return load(repository / "config" / request.param)


def test_encoder_and_heads_have_as_many_parameters(config: Config) -> None:
    modules = _modules(config, config.stages.pretrain, None, counts.LABELS, "meta")
    assert counts.encoder(config) == parameters(modules.pop("encoder"))
    assert counts.heads(config) == pytest.approx(sum(map(parameters, modules.values())), rel=0.01)


def test_adaptor_and_llm_have_as_many_parameters(config: Config) -> None:
    with torch.device("meta"):
        llm = (
            build_published(config.llm)
            if isinstance(config.llm, Path)
            else build_small(config.llm, counts.SMALL_VOCABULARY)
        )
        adaptor = Adaptor(config.encoder.d_model, llm.config.hidden_size, config.adaptor.downsample)
    assert counts.llm_shape(config.llm).parameters == parameters(llm)
    assert counts.adaptor(config) == parameters(adaptor)


@pytest.mark.parametrize("size", counts.QWEN3)
def test_published_sizes_are_known_by_name(size: str) -> None:
    with torch.device("meta"):
        assert counts.published(Path(f"models/Qwen3-{size}")).parameters == parameters(build_published(f"Qwen3-{size}"))
    assert counts.published(Path(f"Qwen3-Embedding-{size}")) == counts.published(Path(f"Qwen3-{size}"))


@pytest.mark.parametrize("tied", [True, False])
def test_a_folder_says_its_own_size(tmp_path: Path, tied: bool) -> None:
    written = qwen3_like.write(tmp_path, tied=tied)
    assert counts.published(tmp_path).parameters == parameters(written)


def test_a_folder_of_unknown_size_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none does not exist, and its size is not known by its name"):
        counts.published(tmp_path / "none")
    (tmp_path / "config.json").write_text('{"hidden_size": 3}')
    with pytest.raises(ConfigError, match=r"config.json has no sizes of a language model"):
        counts.published(tmp_path)


def test_a_frozen_module_costs_less_than_a_trained_one(repository: Path) -> None:
    """Per feature frame: alignment trains the adaptor alone, joint SFT everything."""
    config = load(repository / "config/paper.yaml")
    cost = {
        name: counts.update_flops(config, stage) / stage.frames_per_batch / stage.accumulation
        for name in ("align", "ia_sft", "joint")
        if (stage := getattr(config.stages, name).model_copy(update={"activation_checkpointing": False}))
    }
    assert cost["align"] < cost["ia_sft"] < cost["joint"]
    # Forward through the encoder 2 x 710,543,968 FLOPs for each of a frame's quarter; the backward pass twice that.
    assert cost["joint"] - cost["ia_sft"] == pytest.approx(2 * 710_543_968 / 4 * 2, rel=0.01)
