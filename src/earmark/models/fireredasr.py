"""FireRedASR-AED's published files into ours. The checkpoint is a pickle: it is read without running code of it.

    model.pth.tar   {"args": Namespace, "model_state_dict"}   ->  encoder.safetensors, without the table of positions
    cmvn.ark        Kaldi statistics, (2, n_mels + 1)          ->  cmvn.json, mean and deviation of each mel bin
    dict.txt        `token id` a line                          ->  dict.txt as it is, for whoever decodes with the AED
                                                                   done.json, last: where it all came from, and counts

The second release (FireRedASR2-AED of FireRedASR2S) has a CTC layer more, and may lack the tables of positions.
Decoder and CTC layer are counted and left out. Formats as read in both public projects (Apache-2.0).
"""

import argparse
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from earmark.errors import CheckpointError
from earmark.io import sha256, write_json, write_tensors, write_text
from earmark.models.encoder import ConformerEncoder

MODEL, CMVN, DICT = "model.pth.tar", "cmvn.ark", "dict.txt"
_N_MELS = 80
_BLOCK = re.compile(r"layer_stack\.(\d+)\.")
_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")
_LARGEST_CMVN = 1 << 20
_SMALLEST_VARIANCE = 1e-8


class Shape(NamedTuple):
    """What a configuration's section `encoder` has to say for these weights."""

    n_layers: int
    n_heads: int
    d_model: int
    kernel_size: int


class Imported(NamedTuple):
    """What was written, and parameters by module: (name, number, whether it was imported)."""

    folder: Path
    shape: Shape
    counts: list[tuple[str, int, bool]]


def import_fireredasr(source: Path, folder: Path) -> Imported:
    """Read the three files of `source`, write ours into `folder`; nothing is written before all are found good.

    :raises CheckpointError: a file is absent, damaged, holds code, or is of another model.
    """
    for name in (MODEL, CMVN, DICT):
        if not (source / name).is_file():
            raise CheckpointError(f"{source / name} does not exist: name the folder of FireRedASR-AED's files")
    state = read_checkpoint(source / MODEL)
    tensors, shape = encoder_tensors(state, source / MODEL)
    mean, deviation = read_cmvn(source / CMVN)
    tokens = _read_dict(source / DICT, state)
    write_tensors(folder / "encoder.safetensors", tensors, {"source": "FireRedASR-AED"})
    write_json(folder / "cmvn.json", {"mean": mean.tolist(), "deviation": deviation.tolist()})
    write_text(folder / DICT, tokens)
    counts = parameters(state)
    done = {
        "source": str(source),
        "sha256": {name: sha256(source / name) for name in (MODEL, CMVN, DICT)},
        "encoder": shape._asdict(),
        "parameters": {name: number for name, number, imported in counts if imported},
    }
    write_json(folder / "done.json", done)
    return Imported(folder, shape, counts)


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """The state dict of a `model.pth.tar`, mapped into memory where its format allows.

    torch's restricted unpickler builds tensors, plain values and argparse.Namespace, and calls nothing else.

    :raises CheckpointError: damaged, with code in it, or not such a checkpoint.
    """
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            package = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        if found := _GLOBAL.search(str(error)):
            raise CheckpointError(
                f"{path} holds code ({found[1]}), which was not run: FireRedASR's checkpoint holds weights and "
                "settings only; fetch it from its publisher"
            ) from None
        raise CheckpointError(f"{path} is no checkpoint of FireRedASR, or damaged: fetch it again") from None
    except Exception as error:  # the unpickler of a file that anybody wrote fails in any way
        raise CheckpointError(f"{path} is cut short or damaged ({error}): fetch it again") from None
    state = package.get("model_state_dict") if isinstance(package, dict) else None
    if not isinstance(state, dict) or not all(isinstance(one, torch.Tensor) for one in state.values()):
        raise CheckpointError(f"{path} has no model_state_dict of tensors: it is no checkpoint of FireRedASR-AED")
    return state


def encoder_tensors(state: dict[str, torch.Tensor], path: Path) -> tuple[dict[str, torch.Tensor], Shape]:
    """The encoder's tensors under our names, and the shape that they have together.

    :raises CheckpointError: they are not those of a FireRedASR encoder over 80 mel bins.
    """
    found = {key.removeprefix("encoder."): value for key, value in state.items() if key.startswith("encoder.")}
    found = {key: value for key, value in found.items() if not key.startswith("positional_encoding.")}
    if not found:
        raise CheckpointError(
            f"{path} holds no tensor of an encoder: name the folder of FireRedASR-AED, not that of FireRedASR-LLM"
        )
    try:
        n_heads = found["layer_stack.0.mhsa.pos_bias_u"].shape[0]
        kernel_size = found["layer_stack.0.conv.depthwise_conv.weight"].shape[2]
        d_model = found["input_preprocessor.out.weight"].shape[0]
    except (KeyError, IndexError):
        raise CheckpointError(f"{path} holds another encoder than FireRedASR's Conformer") from None
    n_layers = 1 + max(int(match[1]) for match in map(_BLOCK.match, found) if match)
    shape = Shape(n_layers, n_heads, d_model, kernel_size)
    _compare(found, shape, path)
    if sum(tensor.nbytes for tensor in found.values()) > path.stat().st_size:
        raise CheckpointError(f"{path} describes larger tensors than it holds: fetch it again")
    for name, tensor in found.items():
        if not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"{path}: {name} holds values that are not finite: fetch it again")
    return found, shape


def _compare(found: dict[str, torch.Tensor], shape: Shape, path: Path) -> None:
    """Compare names and shapes with those of an encoder of this shape, which is built without memory."""
    blocks = {match[1] for match in map(_BLOCK.match, found) if match}
    if len(blocks) < shape.n_layers or shape.d_model % shape.n_heads or shape.kernel_size % 2 == 0:
        raise CheckpointError(f"{path} holds an encoder of an impossible shape {tuple(shape)}, or a part of one only")
    with torch.device("meta"):
        expected = ConformerEncoder(_N_MELS, *shape).state_dict()
    missing, unknown = [one for one in expected if one not in found], [one for one in found if one not in expected]
    wrong = [one for one in expected if one in found and found[one].shape != expected[one].shape]
    if missing or unknown or wrong:
        name = (missing + wrong + unknown)[0]
        raise CheckpointError(
            f"{path} holds another encoder than FireRedASR's over {_N_MELS} mel bins: {len(missing)} tensors missing, "
            f"{len(wrong)} of another shape, {len(unknown)} unknown (first: {name})"
        )
    if plain := [name for name, tensor in found.items() if not tensor.is_floating_point()]:
        raise CheckpointError(f"{path}: {plain[0]} holds {found[plain[0]].dtype}, not numbers with a fraction")


def read_cmvn(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation (80,) float64 of Kaldi's global CMVN statistics: sums and count, sums of squares.

    :raises CheckpointError: not such statistics.
    """
    stats = _kaldi_matrix(path)
    if stats is None or stats.shape != (2, _N_MELS + 1) or not np.isfinite(stats).all() or stats[0, -1] < 1:
        said = "no matrix" if stats is None else f"a matrix of shape {stats.shape} and count {stats[0, -1]:g}"
        raise CheckpointError(
            f"{path} holds {said}: Kaldi's CMVN statistics of {_N_MELS} mel bins are (2, {_N_MELS + 1}), the count last"
        )
    mean = stats[0, :-1] / stats[0, -1]
    variance = stats[1, :-1] / stats[0, -1] - mean**2
    if variance.min() < _SMALLEST_VARIANCE:
        raise CheckpointError(f"{path}: mel bin {int(variance.argmin())} does not vary: fetch it again")
    return mean, np.sqrt(variance)


def _kaldi_matrix(path: Path) -> np.ndarray | None:
    """A Kaldi matrix (float or double, binary or text), with or without a key before it; None: no such thing."""
    if path.stat().st_size > _LARGEST_CMVN:
        return None
    data = path.read_bytes()
    if binary := re.search(rb"\0B([FD])M \x04(.{4})\x04(.{4})", data, re.DOTALL):
        rows, columns = (int.from_bytes(binary[part], "little", signed=True) for part in (2, 3))
        kind = np.dtype("<f4" if binary[1] == b"F" else "<f8")
        if rows < 1 or columns < 1 or len(data) - binary.end() < rows * columns * kind.itemsize:
            return None
        return np.frombuffer(data, kind, rows * columns, binary.end()).reshape(rows, columns).astype(np.float64)
    text = re.search(rb"\[([-+.\deE\s]*)\]", data)
    lines = [line.split() for line in text[1].decode().splitlines() if line.strip()] if text else []
    try:
        return np.array(lines, dtype=np.float64) if lines else None
    except ValueError:  # rows of different lengths, or no numbers
        return None


def _read_dict(path: Path, state: dict[str, torch.Tensor]) -> str:
    """The text of a dictionary, whose lines are as many as the decoder has outputs."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CheckpointError(f"{path} is not UTF-8: fetch it again") from None
    tokens, embedding = len(text.rstrip("\n").split("\n")), state.get("decoder.tgt_word_emb.weight")
    if embedding is not None and len(embedding) != tokens:
        raise CheckpointError(
            f"{path} has {tokens} tokens, the decoder of {MODEL} {len(embedding)}: the files are of different releases"
        )
    return text


def parameters(state: dict[str, torch.Tensor]) -> list[tuple[str, int, bool]]:
    """(module, parameters, whether it is imported) of a checkpoint; blocks of a kind are one row, tied weights one."""
    counts: dict[str, int] = {}
    seen: set[tuple[int, torch.Size]] = set()
    for key, tensor in state.items():
        if key.endswith("positional_encoding.pe") or (tensor.data_ptr(), tensor.shape) in seen:
            continue
        seen.add((tensor.data_ptr(), tensor.shape))
        top, *inner = key.split(".")
        if top == "encoder":
            name = f"encoder.layer_stack.*.{inner[2]}" if inner[0] == "layer_stack" else f"encoder.{inner[0]}"
            counts[name] = counts.get(name, 0) + tensor.numel()
        counts[top] = counts.get(top, 0) + tensor.numel()
    return [(name, counts[name], name.startswith("encoder")) for name in sorted(counts)]


def in_short(imported: Imported) -> str:
    """Parameters by module, and the lines that a configuration needs."""
    width = max(len(name) for name, *_ in imported.counts)
    rows = [
        f"{name:<{width}} {number:>15,}" + ("" if known else "  (left out)") for name, number, known in imported.counts
    ]
    settings: dict[str, Any] = imported.shape._asdict() | {
        "weights": imported.folder / "encoder.safetensors",
        "cmvn": imported.folder / "cmvn.json",
    }
    return "\n".join([*rows, "", "encoder:", *(f"  {name}: {value}" for name, value in settings.items())])
