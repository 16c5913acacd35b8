"""FireRedASR's files: what comes out, what is refused, and that no code of theirs runs."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fireredasr_like as published
import numpy as np
import pytest
import torch
from tiny import Runner

from earmark.errors import CheckpointError
from earmark.io import read_json, read_tensors
from earmark.models.build import load_weights
from earmark.models.encoder import ConformerEncoder
from earmark.models.fireredasr import encoder_tensors, import_fireredasr, read_checkpoint, read_cmvn


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return published.write(tmp_path / "published")


@pytest.mark.parametrize("second_release", [False, True])
def test_command_writes_what_a_configuration_can_name(tmp_path: Path, earmark: Runner, second_release: bool) -> None:
    source, output = published.write(tmp_path / "published", second_release), tmp_path / "ours"
    code, out, err = earmark("import", "fireredasr", source, "--output", output)
    assert (code, err) == (0, "")
    shape = published.SHAPE
    encoder = ConformerEncoder(80, *shape.values())
    load_weights(encoder, output / "encoder.safetensors")
    state = published.state_dict(second_release)
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(tensor, state[f"encoder.{name}"]), name
    assert (output / "dict.txt").read_bytes() == (source / "dict.txt").read_bytes()
    printed = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    number = sum(one.numel() for one in encoder.parameters())
    assert printed["encoder"][0] == f"{number:,}" and printed["n_layers:"] == ["2"]
    # The decoder's two names for one matrix count once.
    assert printed["decoder"] == [str(published.TOKENS * 16 + 16), "(left", "out)"]
    assert ("ctc" in printed) == second_release
    parts = [int(row[0].replace(",", "")) for name, row in printed.items() if name.startswith("encoder.")]
    assert sum(parts) == number
    assert read_json(output / "done.json")["encoder"] == shape


def test_mean_and_deviation_are_those_of_the_features(source: Path) -> None:
    mean, deviation = read_cmvn(source / "cmvn.ark")
    features = np.random.default_rng(0).normal(12.0, 3.0, (1000, 80)) + np.linspace(-2, 2, 80)
    np.testing.assert_allclose(mean, features.mean(0))
    np.testing.assert_allclose(deviation, features.std(0))


@pytest.mark.parametrize(
    "written",
    [
        lambda stats: published.kaldi_binary(stats, kind=b"F"),
        lambda stats: published.kaldi_binary(stats, key=b"global "),
        lambda stats: ("[\n" + "\n".join(" ".join(f"{one:.12g}" for one in row) for row in stats) + " ]\n").encode(),
    ],
    ids=["float", "with a key", "text"],
)
def test_other_ways_of_writing_statistics(source: Path, written: Callable[[np.ndarray], bytes]) -> None:
    expected = read_cmvn(source / "cmvn.ark")
    (source / "cmvn.ark").write_bytes(written(published.cmvn()))
    for ours, theirs in zip(read_cmvn(source / "cmvn.ark"), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no matrix"),
        (b"\0B", "no matrix"),
        (published.kaldi_binary(published.cmvn())[:-8], "no matrix"),
        (published.kaldi_binary(np.ones((2, 81)) * np.nan), "(2, 81)"),
        (published.kaldi_binary(np.ones((2, 41))), "shape (2, 41)"),
        (published.kaldi_binary(np.zeros((2, 81))), "count 0"),
        (published.kaldi_binary(np.ones((2, 81))), "mel bin 0 does not vary"),
        (b"[ 1 2\n3 ]", "no matrix"),
        (b"[ nonsense ]", "no matrix"),
    ],
)
def test_wrong_statistics_are_refused(source: Path, content: bytes, said: str) -> None:
    (source / "cmvn.ark").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"cmvn\.ark") as caught:
        read_cmvn(source / "cmvn.ark")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["model.pth.tar", "cmvn.ark", "dict.txt"])
def test_missing_file_is_named_and_nothing_written(source: Path, tmp_path: Path, earmark: Runner, name: str) -> None:
    (source / name).unlink()
    code, out, err = earmark("import", "fireredasr", source, "--output", tmp_path / "ours")
    assert (code, out) == (2, "")
    assert err == f"error: {source / name} does not exist: name the folder of FireRedASR-AED's files\n"
    assert not (tmp_path / "ours").exists()


def test_legacy_form_of_torch_is_read(source: Path) -> None:
    path = source / "model.pth.tar"
    parts = {"args": published.arguments(), "model_state_dict": published.state_dict()}
    torch.save(parts, path, _use_new_zipfile_serialization=False)
    tensors, shape = encoder_tensors(read_checkpoint(path), path)
    assert shape._asdict() == published.SHAPE
    assert torch.equal(
        tensors["input_preprocessor.out.bias"], published.state_dict()["encoder.input_preprocessor.out.bias"]
    )


# ---------------------------------------------------------------------------- code


class Touch:
    """Unpickled by an unrestricted reader, it would make a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("where", ["args", "model_state_dict", "optimizer"])
def test_code_in_a_checkpoint_is_named_and_never_runs(
    tmp_path: Path, earmark: Runner, where: str, zipped: bool
) -> None:
    source, mark = published.write(tmp_path / "published"), tmp_path / "it-ran"
    package = {"args": published.arguments(), "model_state_dict": published.state_dict(), where: Touch(mark)}
    torch.save(package, source / "model.pth.tar", _use_new_zipfile_serialization=zipped)
    code, out, err = earmark("import", "fireredasr", source, "--output", tmp_path / "ours")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and "holds code (posix.mkdir), which was not run" in err
    assert not mark.exists() and not (tmp_path / "ours").exists()


def test_a_plain_pickle_with_code_never_runs(source: Path, tmp_path: Path) -> None:
    (source / "model.pth.tar").write_bytes(pickle.dumps(Touch(tmp_path / "it-ran"), protocol=2))
    with pytest.raises(CheckpointError, match=r"model\.pth\.tar"):
        read_checkpoint(source / "model.pth.tar")
    assert not (tmp_path / "it-ran").exists()


# ---------------------------------------------------------------------------- wrong checkpoints


def without(name: str) -> dict[str, torch.Tensor]:
    return {key: tensor for key, tensor in published.state_dict().items() if name not in key}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, "no model_state_dict of tensors"),
        ({"encoder.x": "text"}, "no model_state_dict of tensors"),
        ({}, "no tensor of an encoder"),
        (without("encoder."), "not that of FireRedASR-LLM"),
        ({"encoder.conv1.weight": torch.ones(3)}, "another encoder than FireRedASR's Conformer"),
        (without("layer_stack.1.mhsa.fc.weight"), "1 tensors missing"),
        (without("layer_stack.0.ffn1.net"), "6 tensors missing"),
        (published.state_dict() | {"encoder.extra": torch.ones(1)}, "1 unknown (first: extra)"),
        (published.state_dict() | {"encoder.layer_stack.7.x": torch.ones(1)}, "a part of one only"),
        (published.state_dict() | {"encoder.layer_stack.9999999999.x": torch.ones(1)}, "a part of one only"),
        (published.state_dict() | {"encoder.layer_stack.0.layer_norm.bias": torch.ones(3)}, "1 of another shape"),
        (published.state_dict() | {"encoder.layer_stack.0.mhsa.pos_bias_u": torch.ones(3, 4)}, "impossible shape"),
        (
            published.state_dict() | {"encoder.layer_stack.0.layer_norm.bias": torch.full((16,), torch.nan)},
            "layer_stack.0.layer_norm.bias holds values that are not finite",
        ),
        (
            published.state_dict() | {"encoder.layer_stack.0.layer_norm.bias": torch.ones(16, dtype=torch.int64)},
            "holds torch.int64",
        ),
        (
            {key: torch.zeros(1).expand(one.shape) for key, one in published.state_dict().items()},
            "describes larger tensors than it holds",
        ),
    ],
)
def test_another_checkpoint_is_refused(tmp_path: Path, state: Any, said: str) -> None:
    source = published.write(tmp_path / "published", model_state_dict=state)
    with pytest.raises(CheckpointError, match=r"model\.pth\.tar") as caught:
        import_fireredasr(source, tmp_path / "ours")
    assert said in str(caught.value)
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize("cut", [0, 1, 100, 5000, -100])
def test_cut_checkpoint_is_refused(source: Path, cut: int) -> None:
    path = source / "model.pth.tar"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CheckpointError, match=r"model\.pth\.tar"):
        read_checkpoint(path)


@pytest.mark.parametrize(("text", "said"), [(b"a 0\nb 1\n", "2 tokens"), (b"\xff\xfe", "not UTF-8")])
def test_dictionary_of_another_release_is_refused(source: Path, tmp_path: Path, text: bytes, said: str) -> None:
    (source / "dict.txt").write_bytes(text)
    with pytest.raises(CheckpointError, match=said):
        import_fireredasr(source, tmp_path / "ours")


def test_encoder_of_another_width_than_the_configuration(source: Path, tmp_path: Path) -> None:
    import_fireredasr(source, tmp_path / "ours")
    wide = ConformerEncoder(80, 2, 2, 32, 5)
    with pytest.raises(CheckpointError, match="does not fit ConformerEncoder"):
        load_weights(wide, tmp_path / "ours" / "encoder.safetensors")
    tensors, metadata = read_tensors(tmp_path / "ours" / "encoder.safetensors")
    assert metadata == {"source": "FireRedASR-AED"} and not any("positional" in name for name in tensors)
