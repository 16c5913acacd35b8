"""Centred kernel alignment (CKA): how alike two representations of the same inputs are, in [0, 1].

All of it is linear CKA on centred features, computed in float64 so that a score near the swap threshold
(Eq. 11) does not depend on the device or on TF32. Shapes: N examples, L frames, d and m features.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

# Below this share of the features' norm, what is left after centring is rounding and not variation.
CONSTANT = 1e-12


def linear_cka(x: Tensor, y: Tensor) -> float:
    """Linear CKA of two representations of the same N examples (paper Eq. 10, equal to Eq. 12).

    Both are centred first: Eq. 10 does not say so, but a mean offset alone would give nearly 1. Of the two
    equal forms, |X'Y|^2 / (|X'X| |Y'Y|) over features and <XX', YY'> / (|XX'| |YY'|) over examples, the
    cheaper one is taken.

    Args:
        x: (N, d1) features.
        y: (N, d2) features of the same examples in the same order.

    Returns:
        A score in [0, 1]; 0.0 when x or y is constant over the examples (always so for N = 1).

    Raises:
        ValueError: a shape does not fit, or a value is NaN or infinite.

    """
    x_ND, y_NM = _centred(x, "x"), _centred(y, "y")
    _same_length(x_ND, y_NM, "x and y")
    return _Aligner(y_NM, width=x_ND.shape[1]).score(x_ND)


def encoder_cka(
    a: Sequence[Tensor], b: Sequence[Tensor], mode: Literal["average", "concatenated"] = "average"
) -> float:
    """CKA between two encoders' frames of the same utterances (paper Eq. 12 and Fig. 5).

    Args:
        a: valid frames of each utterance from one encoder, each (L_i, d1).
        b: valid frames of the same utterances from the other encoder, each (L_i, d2).
        mode: "average" takes the CKA over the frames of each utterance and averages over utterances (the
            "average CKA" of Fig. 5); "concatenated" takes one CKA over all frames, as a rule a lower one.

    Returns:
        A score in [0, 1]. In "average" an utterance with one frame, or constant in both encoders, says
        nothing and is left out; one that is constant in only one of them counts as 0.

    Raises:
        ValueError: the utterances or their frames do not correspond, none of them varies, or a value is NaN
            or infinite.

    """
    if len(a) != len(b) or not a:
        raise ValueError(f"{len(a)} utterances in a, {len(b)} in b: give the same utterances, at least one")
    for i, (x_LD, y_LD) in enumerate(zip(a, b, strict=True)):
        _same_length(x_LD, y_LD, f"a[{i}] and b[{i}]")
    if mode == "concatenated":
        return linear_cka(torch.cat(list(a)), torch.cat(list(b)))
    scores = []
    for i in range(len(a)):
        x_LD, y_LD = _centred(a[i], f"a[{i}]"), _centred(b[i], f"b[{i}]")
        if x_LD.any() or y_LD.any():
            scores.append(_Aligner(y_LD, width=x_LD.shape[1]).score(x_LD))
    if not scores:
        raise ValueError(f"none of {len(a)} utterances has frames that vary: CKA between the encoders is undefined")
    return sum(scores) / len(scores)


def layerwise_cka(layers: Sequence[Tensor], text: Tensor) -> list[float]:
    """Linear CKA of each layer with the text embeddings (paper Eq. 10, Fig. 4), with one Gram of the text.

    Args:
        layers: time-averaged representations of N utterances, each (N, d_l); widths may differ.
        text: (N, m) time-averaged text embeddings of the same utterances.

    Returns:
        One score in [0, 1] a layer; 0.0 for a layer that is constant.

    Raises:
        ValueError: a shape does not fit, or a value is NaN or infinite.

    """
    if not layers:
        return []
    text_NM = _centred(text, "text")
    aligner = _Aligner(text_NM, width=max(layer.shape[-1] for layer in layers))
    scores = []
    for index, layer in enumerate(layers):
        x_ND = _centred(layer, f"layers[{index}]")
        _same_length(x_ND, text_NM, f"layers[{index}] and text")
        scores.append(aligner.score(x_ND))
    return scores


class _Aligner:
    """Scores centred features against one fixed centred y (N, m), whose Gram matrix or norm is kept."""

    def __init__(self, y_NM: Tensor, width: int):
        examples, m = y_NM.shape
        # Multiplications of the two forms, up to the common factor N.
        self.by_examples = examples * (width + m) < width * width + width * m + m * m
        self.y_NM = y_NM
        self.gram_NN = y_NM @ y_NM.T if self.by_examples else None
        self.norm = (y_NM.T @ y_NM if self.gram_NN is None else self.gram_NN).norm()

    def score(self, x_ND: Tensor) -> float:
        if self.gram_NN is not None:
            gram_NN = x_ND @ x_ND.T
            alignment, norm = (gram_NN * self.gram_NN).sum(), gram_NN.norm()
        else:
            alignment, norm = (x_ND.T @ self.y_NM).square().sum(), (x_ND.T @ x_ND).norm()
        scale = float(norm * self.norm)
        return min(float(alignment) / scale, 1.0) if scale > 0 else 0.0


def _centred(x: Tensor, name: str) -> Tensor:
    """Features (N, d) less their mean, in float64 and of unit norm; all zero when they are constant."""
    if x.dim() != 2 or not x.numel():
        raise ValueError(f"{name} has the shape {tuple(x.shape)}: give (examples, features), neither of them 0")
    if not torch.isfinite(x).all():
        raise ValueError(f"{name} holds NaN or infinity: CKA of it is undefined")
    x = x.detach().to(torch.float64)
    centred = x - x.mean(dim=0)
    norm = centred.norm()
    if norm <= CONSTANT * x.norm():
        return torch.zeros_like(centred)
    return centred / norm


def _same_length(x: Tensor, y: Tensor, names: str) -> None:
    if len(x) != len(y):
        raise ValueError(f"{names} have {len(x)} and {len(y)} rows: give the same examples in the same order")
