"""The lengths that a mask of features stands for."""

import torch


def lengths_of(features: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Valid frames of each row, (B,) int64, of features (B, T, n_mels) whose mask (B, T) is 1 there; None: all."""
    if mask is None:
        return torch.full((len(features),), features.shape[1], device=features.device)
    return mask.sum(1)
