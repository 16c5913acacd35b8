"""What packing gives the LLM stages: forward and backward of one batch, its utterances packed or padded."""

import time
from typing import Any

import decoding
import torch
from measured import compared

from earmark.models.speech_llm import splice, target_logits


def rows() -> list[dict[str, Any]]:
    """Valid positions a second, after both losses were found equal; attention is torch's own here."""
    lm = decoding.model().train()
    prompt = torch.arange(20), torch.arange(5)
    lengths = decoding.PROMPTS - 25
    speech = torch.randn(len(lengths), int(lengths.max()), decoding.WIDTH)
    targets = [list(range(1, 2 + int(length) // 2)) for length in lengths]

    def step(packed: bool) -> torch.Tensor:
        lm.zero_grad()
        logits, labels = target_logits(lm, splice(lm, prompt, speech, lengths, targets, packed))
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        return loss.detach()

    torch.testing.assert_close(step(True), step(False), atol=1e-5, rtol=1e-5)
    valid = int(decoding.PROMPTS.sum()) + sum(map(len, targets))
    padding = 1 - valid / (len(targets) * (int(decoding.PROMPTS.max()) + max(map(len, targets))))
    measured = compared(
        "packed vs padded",
        "positions a second",
        valid,
        lambda: step(False),
        lambda: step(True),
        clock=time.process_time,
    )
    return [measured | {"batch": len(targets), "padding_percent": round(100 * padding, 1), "attention": "sdpa"}]
