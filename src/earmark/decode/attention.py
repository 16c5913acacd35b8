"""Greedy decoding of an attention decoder: the labels that AED pretraining is judged by."""

import torch
from torch import Tensor

from earmark.models.decoder import BOUNDARY, AttentionDecoder, Cache


@torch.no_grad()
def decoder_greedy(decoder: AttentionDecoder, encoded: Tensor, lengths: Tensor) -> list[list[int]]:
    """Most probable label after the ones before, up to the end or to as many labels as there are frames.

    :param encoded: (B, L, D) encoder frames. :param lengths: (B,) how many of them are speech.
    """
    labels = torch.full((len(encoded), 1), BOUNDARY, device=encoded.device)
    written: list[list[int]] = [[] for _ in labels]
    going = torch.ones(len(labels), dtype=torch.bool, device=encoded.device)
    cache: Cache | None = None
    for step in range(int(lengths.max())):
        logits, cache = decoder.step(labels, encoded, lengths, cache)
        labels = logits[:, -1:].argmax(-1)
        going &= (labels[:, 0] != BOUNDARY) & (step < lengths.to(encoded.device))
        for number in going.nonzero()[:, 0].tolist():
            written[number].append(int(labels[number, 0]))
        if not going.any():
            break
    return written
