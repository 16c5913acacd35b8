"""The encoder against stored outputs of the public FireRedASR2S encoder with random weights."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from earmark.models.encoder import ConformerEncoder, relative_sinusoids

SHARED = Path(os.environ.get("EARMARK_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
GOLDEN = SHARED / "golden" / "encoder.safetensors"

pytestmark = pytest.mark.skipif(
    not GOLDEN.exists(),
    reason=f"{GOLDEN} is absent: set EARMARK_SHARED to the folder with golden/",
)


@pytest.fixture(scope="module")
def golden():
    with safe_open(str(GOLDEN), "pt") as file:
        return json.loads(file.metadata()["config"]), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


@pytest.fixture(scope="module")
def encoder(golden):
    config, tensors = golden
    model = ConformerEncoder(
        config["idim"], config["n_layers"], config["n_head"], config["d_model"], config["kernel_size"]
    )
    model.load_state_dict(weights(tensors), strict=True)
    return model.eval()


def weights(tensors):
    return {key.removeprefix("weight."): value for key, value in tensors.items() if key.startswith("weight.")}


def valid(frames, lengths):
    return [row[:length] for row, length in zip(frames, lengths.tolist(), strict=True)]


def test_outputs_equal_the_public_encoder(encoder, golden):
    _, tensors = golden
    with torch.no_grad():
        frames, lengths = encoder(tensors["fbank"], tensors["fbank_lengths"])
    assert frames.shape == tensors["encoded"].shape
    assert lengths.tolist() == tensors["encoded_lengths"].tolist()
    for ours, theirs in zip(valid(frames, lengths), valid(tensors["encoded"], lengths), strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=0)


def test_outputs_are_the_same_in_training_mode_without_dropout(golden):
    config, tensors = golden
    model = ConformerEncoder(80, config["n_layers"], config["n_head"], config["d_model"], 33, dropout=0.0)
    model.load_state_dict(weights(tensors))
    frames, lengths = model.train()(tensors["fbank"], tensors["fbank_lengths"])
    for ours, theirs in zip(valid(frames, lengths), valid(tensors["encoded"], lengths), strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=0)


def test_garbage_in_the_padding_changes_nothing(encoder, golden):
    _, tensors = golden
    spoilt = tensors["fbank"].clone()
    for row, length in zip(spoilt, tensors["fbank_lengths"].tolist(), strict=True):
        row[length:] = float("nan")
    with torch.no_grad():
        frames, lengths = encoder(spoilt, tensors["fbank_lengths"])
    for ours, theirs in zip(valid(frames, lengths), valid(tensors["encoded"], lengths), strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=0)


def test_state_dict_has_the_public_names(encoder, golden):
    assert set(encoder.state_dict()) == set(weights(golden[1]))


def test_a_stored_position_table_is_accepted(encoder, golden):
    stored = {**weights(golden[1]), "positional_encoding.pe": relative_sinusoids(5000, 64)[None]}
    assert stored["positional_encoding.pe"].shape == (1, 9999, 64)
    missing, unexpected = encoder.load_state_dict(stored, strict=True)
    assert (missing, unexpected) == ([], [])
