"""Best-path decoding of a CTC head: the phonemes that pretraining is judged by."""

import torch
from torch import Tensor


def ctc_greedy(logits: Tensor, lengths: Tensor, blank: int = 0) -> list[list[int]]:
    """Most probable symbol of each frame, repeats merged, then blanks removed (the B of paper Eqs. 36-37).

    Args:
        logits: (B, L, V) scores or log-probabilities.
        lengths: (B,) valid frames of each utterance, at most L.
        blank: the blank symbol.

    Returns:
        Symbols of each utterance; empty where every frame is blank, or none valid.

    Raises:
        ValueError: the lengths do not fit the logits.

    """
    batch, frames = logits.shape[:2]
    if lengths.shape != (batch,) or (batch and (lengths.min() < 0 or lengths.max() > frames)):
        raise ValueError(f"lengths {lengths.tolist()} do not fit {batch} utterances of up to {frames} frames")
    best_BL = logits.argmax(dim=-1)
    kept_BL = best_BL != blank
    kept_BL[:, 1:] &= best_BL[:, 1:] != best_BL[:, :-1]
    kept_BL &= torch.arange(frames, device=logits.device) < lengths.to(logits.device)[:, None]
    return [row[kept].tolist() for row, kept in zip(best_BL.cpu(), kept_BL.cpu(), strict=True)]
