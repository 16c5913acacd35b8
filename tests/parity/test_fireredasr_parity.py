"""The import against the public implementation itself, which the package fireredasr brings; random weights."""

import argparse
from pathlib import Path
from typing import Any

import fireredasr_like as published
import numpy as np
import pytest
import torch
from tiny import Runner

from earmark.io import read_json
from earmark.models.build import load_weights
from earmark.models.encoder import ConformerEncoder

aed = pytest.importorskip(
    "fireredasr.models.fireredasr_aed",
    reason="fireredasr is not installed: pip install --no-deps fireredasr==0.0.2",
)

SHAPES = [
    {"n_layers_enc": 2, "n_head": 4, "d_model": 64, "kernel_size": 33},
    {"n_layers_enc": 3, "n_head": 2, "d_model": 48, "kernel_size": 15},
]


@pytest.fixture(params=SHAPES)
def their(request: pytest.FixtureRequest) -> Any:
    """Their model with random weights, its LayerNorms too, and the settings that it was made of."""
    settings = argparse.Namespace(**(vars(published.arguments()) | request.param))
    torch.manual_seed(1)
    model = aed.FireRedAsrAed.from_args(settings).eval()
    for parameter in model.parameters():
        if parameter.dim() == 1:
            parameter.data += 0.1 * torch.randn_like(parameter)
    return model, settings


@pytest.mark.parametrize("lengths", [[160, 97, 31, 7], [400], [64, 64], [9, 8, 5]])
def test_imported_encoder_gives_their_outputs(their: Any, lengths: list[int], tmp_path: Path, earmark: Runner) -> None:
    model, settings = their
    source = published.write(tmp_path / "theirs", args=settings, model_state_dict=model.state_dict())
    assert earmark("import", "fireredasr", source, "--output", tmp_path / "ours")[0] == 0
    shape = read_json(tmp_path / "ours" / "done.json")["encoder"]
    encoder = ConformerEncoder(80, **shape)
    load_weights(encoder, tmp_path / "ours" / "encoder.safetensors")
    features, sizes = torch.randn(len(lengths), max(lengths), 80), torch.tensor(lengths)
    for row, length in zip(features, lengths, strict=True):
        row[length:] = 0  # as both pad
    with torch.no_grad():
        expected, expected_lengths, _ = model.encoder(features, sizes)
        frames, found_lengths = encoder.eval()(features, sizes)
    assert found_lengths.tolist() == expected_lengths.tolist()
    assert frames.shape == expected.shape
    for ours, theirs, length in zip(frames, expected, found_lengths.tolist(), strict=True):
        assert float((ours[:length] - theirs[:length]).abs().max()) <= 1e-4


def test_imported_statistics_normalise_as_theirs_do(tmp_path: Path, earmark: Runner) -> None:
    features = pytest.importorskip(
        "fireredasr.data.asr_feat", reason="kaldiio is not installed: pip install kaldiio kaldi-native-fbank"
    )
    source = published.write(tmp_path / "theirs")
    assert earmark("import", "fireredasr", source, "--output", tmp_path / "ours")[0] == 0
    cmvn, ours = features.CMVN(str(source / "cmvn.ark")), read_json(tmp_path / "ours" / "cmvn.json")
    fbank = np.random.default_rng(1).normal(10, 4, (50, 80))
    np.testing.assert_allclose((fbank - ours["mean"]) / ours["deviation"], cmvn(fbank), atol=1e-9)
