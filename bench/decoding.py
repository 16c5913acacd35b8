"""Our search against transformers' `generate`, batch 16, the same tokens."""

import time
from typing import Any

import torch
from measured import compared
from torch import Tensor

from earmark.decode.search import beam, greedy

BATCH, BEAMS, TOKENS = 16, 3, 32
PROMPTS = torch.linspace(30, 75, BATCH).long()
"""Positions before the text: at 6.25 Hz, 3 to 10 s of speech in an instruction."""
WIDTH, END = 128, 0


def model() -> Any:
    """A Qwen3 of the default run's size, random, whose distributions are not flat: rounding decides no token."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    lm = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=1500,
            hidden_size=WIDTH,
            intermediate_size=3 * WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=4,
            head_dim=WIDTH // 4,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=END,
        )
    )
    with torch.no_grad():
        for parameter in lm.parameters():
            if parameter.dim() == 2:
                parameter.mul_(3)
    return lm.eval()


def rows() -> list[dict[str, Any]]:
    """Tokens a second; every utterance gives `TOKENS` of them."""
    lm = model()
    prompts = [
        torch.randn(int(length), WIDTH, generator=torch.Generator().manual_seed(int(length))) for length in PROMPTS
    ]
    right = torch.nn.utils.rnn.pad_sequence(prompts, batch_first=True)
    left = torch.nn.utils.rnn.pad_sequence(prompts, batch_first=True, padding_side="left")
    mask = (torch.arange(right.shape[1]).flip(0) < PROMPTS[:, None]).long()
    lm.generation_config.eos_token_id = None

    def generated(beams: int) -> Tensor:
        return lm.generate(
            inputs_embeds=left,
            attention_mask=mask,
            max_new_tokens=TOKENS,
            do_sample=False,
            num_beams=beams,
            pad_token_id=END,
        )

    def ours(beams: int) -> list[list[int]]:
        if beams == 1:
            return greedy(lm, right, PROMPTS, -1, TOKENS)
        return [one.tokens for one in beam(lm, right, PROMPTS, -1, TOKENS, beams=beams)]

    found = []
    for what, beams, limit in (("greedy vs generate", 1, 1.3), (f"beam {BEAMS} vs generate", BEAMS, 1.6)):
        assert ours(beams) == generated(beams).tolist()
        found.append(
            compared(
                what,
                "tokens a second",
                BATCH * TOKENS,
                lambda beams=beams: generated(beams),
                lambda beams=beams: ours(beams),
                rounds=15,
                clock=time.process_time,
            )
            | {"batch": BATCH, "limit": limit}
        )
    return found
