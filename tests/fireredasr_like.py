"""Files in the format in which FireRedASR-AED is published, small and random."""

import argparse
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch

from earmark.models.encoder import ConformerEncoder, relative_sinusoids

SHAPE = {"n_layers": 2, "n_heads": 2, "d_model": 16, "kernel_size": 5}
TOKENS = 7


def state_dict(second_release: bool = False) -> dict[str, torch.Tensor]:
    """Weights under the published names; the second release has a CTC layer and no table of positions."""
    torch.manual_seed(0)
    encoder = ConformerEncoder(80, *SHAPE.values()).state_dict()
    state = {f"encoder.{name}": tensor for name, tensor in encoder.items()}
    state["decoder.tgt_word_emb.weight"] = torch.randn(TOKENS, SHAPE["d_model"])
    state["decoder.tgt_word_prj.weight"] = state["decoder.tgt_word_emb.weight"]
    state["decoder.layer_norm_out.weight"] = torch.ones(SHAPE["d_model"])
    if second_release:
        state |= {"ctc.ctc_lo.weight": torch.randn(TOKENS, SHAPE["d_model"]), "ctc.ctc_lo.bias": torch.zeros(TOKENS)}
    else:
        state["encoder.positional_encoding.pe"] = relative_sinusoids(5000, SHAPE["d_model"])[None]
    return state


def arguments() -> argparse.Namespace:
    """Settings as a training script of theirs leaves them in the checkpoint."""
    return argparse.Namespace(
        idim=80,
        odim=TOKENS,
        n_layers_enc=SHAPE["n_layers"],
        n_layers_dec=1,
        n_head=SHAPE["n_heads"],
        d_model=SHAPE["d_model"],
        kernel_size=SHAPE["kernel_size"],
        residual_dropout=0.1,
        dropout_rate=0.1,
        pe_maxlen=5000,
        sos_id=3,
        eos_id=4,
        pad_id=2,
        data=["train"],
        lr=None,
    )


def cmvn(frames: int = 1000) -> np.ndarray:
    """Kaldi's statistics (2, 81) of some log-mel features."""
    features = np.random.default_rng(0).normal(12.0, 3.0, (frames, 80)) + np.linspace(-2, 2, 80)
    return np.stack([np.append(features.sum(0), frames), np.append((features**2).sum(0), 0)])


def kaldi_binary(matrix: np.ndarray, key: bytes = b"", kind: bytes = b"D") -> bytes:
    """A matrix as Kaldi writes it."""
    header = struct.pack("<bibi", 4, matrix.shape[0], 4, matrix.shape[1])
    return key + b"\0B" + kind + b"M " + header + matrix.astype("<f8" if kind == b"D" else "<f4").tobytes()


def write(folder: Path, second_release: bool = False, **package: Any) -> Path:
    """The three files; `package` replaces parts of the checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"args": arguments(), "model_state_dict": state_dict(second_release)} | package
    torch.save(parts, folder / "model.pth.tar")
    (folder / "cmvn.ark").write_bytes(kaldi_binary(cmvn()))
    (folder / "dict.txt").write_text("".join(f"{token} {number}\n" for number, token in enumerate("abcdefg")))
    return folder
