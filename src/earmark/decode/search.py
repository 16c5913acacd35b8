"""Greedy and beam search of a language model from prompt embeddings (paper section 4.1: offline, beam 3).

The cache is never reordered. All beams of an utterance are query rows over one cache:

    columns    prompt (S, right-padded) | slots of step 1 (K) | slots of step 2 (K) | ...
    beam k     sees the valid prompt, and of each step the one slot that it descends from

Right padding lies behind the prompt, so causal attention never meets it in the prefill, and it is masked
afterwards: a batch gives what its utterances give alone.

Shapes: B utterances, K beams, V vocabulary, T tokens so far, C candidates (or columns), S positions, d width.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PREFILL_ROWS = 8
"""Prompts that are read at once, those of like length together: less padding is read."""


class Hypothesis(NamedTuple):
    """Best tokens of an utterance, without the end token, and their length-normalised log-probability."""

    tokens: list[int]
    score: float


def greedy(
    lm: "PreTrainedModel", embeds: Tensor, lengths: Tensor, eos_id: int, max_new_tokens: Tensor | int
) -> list[list[int]]:
    """Most probable token at each step, until the end token or the limit.

    Args:
        lm: causal language model of transformers (Qwen3), in evaluation mode.
        embeds: (B, S, d) prompt embeddings (Eq. 4), right-padded.
        lengths: (B,) valid positions of each prompt, 1 to S.
        eos_id: the end token.
        max_new_tokens: limit of tokens, the end token included; one number or one an utterance (B,).

    Returns:
        Tokens of each utterance, without the end token.

    Raises:
        ValueError: a length or limit is out of range.

    """
    limits_B = _limits(max_new_tokens, embeds, lengths)
    columns = []
    with torch.inference_mode(), _sdpa(lm):
        decoder = _SharedCache(lm, lengths.to(embeds.device), beams=1)
        logits_BKV = decoder.prefill(embeds)
        only = torch.zeros(len(embeds), 1, dtype=torch.long, device=embeds.device)
        ended_B = torch.zeros(len(embeds), dtype=torch.bool, device=embeds.device)
        for step in range(1, int(limits_B.max()) + 1):
            token_BK = logits_BKV.argmax(dim=-1).masked_fill(ended_B[:, None], eos_id)
            columns.append(token_BK)
            ended_B |= (token_BK[:, 0] == eos_id) | (limits_B <= step)
            if ended_B.all():
                break
            logits_BKV = decoder.step(token_BK, only)
    return [_until(row, eos_id) for row in torch.cat(columns, dim=1).tolist()]


def beam(
    lm: "PreTrainedModel",
    embeds: Tensor,
    lengths: Tensor,
    eos_id: int,
    max_new_tokens: Tensor | int,
    *,
    beams: int = 3,
    length_penalty: float = 1.0,
) -> list[Hypothesis]:
    """Beam search with the rules of transformers' `generate` (early_stopping=False), whose tokens it gives.

    An utterance ends when its best open beam, at its present length, scores below `beams` ended ones.

    Args:
        lm: causal language model of transformers (Qwen3), in evaluation mode.
        embeds: (B, S, d) prompt embeddings (Eq. 4), right-padded.
        lengths: (B,) valid positions of each prompt, 1 to S.
        eos_id: the end token.
        max_new_tokens: limit of tokens, the end token included; one number or one an utterance (B,).
        beams: K, hypotheses kept; 2 K may not exceed the vocabulary.
        length_penalty: scores are log-probabilities over (number of tokens, end included) ** length_penalty.

    Returns:
        The best hypothesis of each utterance.

    Raises:
        ValueError: a length or limit is out of range.

    """
    limits_B = _limits(max_new_tokens, embeds, lengths)
    with torch.inference_mode(), _sdpa(lm):
        decoder = _SharedCache(lm, lengths.to(embeds.device), beams)
        logits_BKV = decoder.prefill(embeds)
        state = _Beams(limits_B, beams, eos_id, length_penalty)
        while True:
            token_BK, parent_BK = state.advance(logits_BKV)
            if not state.open_B.any():
                break
            logits_BKV = decoder.step(token_BK, parent_BK)
    tokens, scores = state.ended_BKT[:, 0].tolist(), state.ended_scores_BK[:, 0].tolist()
    return [Hypothesis(_until(row, eos_id), score) for row, score in zip(tokens, scores, strict=True)]


class _Beams:
    """Open and ended hypotheses of each utterance, best first; -inf marks a place that is not taken."""

    def __init__(self, limits_B: Tensor, beams: int, eos_id: int, length_penalty: float):
        self.limits_B, self.beams, self.eos_id, self.length_penalty = limits_B, beams, eos_id, length_penalty
        shape, device = (len(limits_B), beams), limits_B.device
        self.steps = 0
        # All beams start equal: only the first may be continued, or they would stay equal.
        self.scores_BK = torch.full(shape, -torch.inf, device=device)
        self.scores_BK[:, 0] = 0.0
        self.tokens_BKT = torch.zeros(*shape, 0, dtype=torch.long, device=device)
        self.ended_scores_BK = torch.full(shape, -torch.inf, device=device)
        self.ended_BKT = self.tokens_BKT
        self.open_B = torch.ones(len(limits_B), dtype=torch.bool, device=device)

    def advance(self, logits_BKV: Tensor) -> tuple[Tensor, Tensor]:
        """Take one token more; give the tokens (B, K) of the open beams and the slots they continue."""
        self.steps += 1
        log_probs_BKV = logits_BKV.float().log_softmax(dim=-1) + self.scores_BK[:, :, None]
        # Each beam can end once, so twice as many candidates leave enough that go on.
        scores_BC, index_BC = log_probs_BKV.flatten(1).topk(2 * self.beams)
        parent_BC = index_BC // logits_BKV.shape[-1]
        token_BC = index_BC % logits_BKV.shape[-1]
        tokens_BCT = torch.cat([_rows(self.tokens_BKT, parent_BC), token_BC[:, :, None]], dim=-1)
        ends_BC = (token_BC == self.eos_id) | (self.limits_B <= self.steps)[:, None]

        self._keep_ended(scores_BC, tokens_BCT, ends_BC)
        self.scores_BK, place_BK = scores_BC.masked_fill(ends_BC, -torch.inf).topk(self.beams)
        self.tokens_BKT = _rows(tokens_BCT, place_BK)
        best_B = self.scores_BK[:, 0] / self.steps**self.length_penalty
        self.open_B &= best_B > self.ended_scores_BK[:, -1]
        return token_BC.gather(1, place_BK), parent_BC.gather(1, place_BK)

    def _keep_ended(self, scores_BC: Tensor, tokens_BCT: Tensor, ends_BC: Tensor) -> None:
        """Merge the candidates that end into the K ended ones; only the best K of an open utterance count."""
        counts_BC = ends_BC & self.open_B[:, None]
        counts_BC[:, self.beams :] = False
        normalised_BC = (scores_BC / self.steps**self.length_penalty).masked_fill(~counts_BC, -torch.inf)
        padded_BKT = F.pad(self.ended_BKT, (0, 1), value=self.eos_id)
        self.ended_scores_BK, place_BK = torch.cat([self.ended_scores_BK, normalised_BC], dim=1).topk(self.beams)
        self.ended_BKT = _rows(torch.cat([padded_BKT, tokens_BCT], dim=1), place_BK)


class _SharedCache:
    """The language model with one cache an utterance: each beam sees the prompt and its own ancestors."""

    def __init__(self, lm: Any, lengths_B: Tensor, beams: int):
        self.lm, self.position_B, self.beams = lm, lengths_B.clone(), beams

    def prefill(self, embeds_BSd: Tensor) -> Tensor:
        """Read the prompts; give the logits (B, K, V) of the first token, the same for each beam."""
        device, (prompts, positions, _) = embeds_BSd.device, embeds_BSd.shape
        groups = self.position_B.argsort().split(PREFILL_ROWS)
        last_Bd, caches = torch.empty_like(embeds_BSd[:, 0]), []
        for rows in groups:
            ends = self.position_B[rows]
            output = self.lm.model(inputs_embeds=embeds_BSd[rows, : int(ends.max())], use_cache=True)
            last_Bd[rows] = output.last_hidden_state[torch.arange(len(rows), device=device), ends - 1]
            caches.append(output.past_key_values)
        self.cache = _merged(caches, groups, prompts, positions)
        hidden_BC = torch.arange(positions, device=device) >= self.position_B[:, None]
        self.mask_BKC = _additive(hidden_BC, embeds_BSd.dtype)[:, None].expand(-1, self.beams, -1)
        others_KK = ~torch.eye(self.beams, dtype=torch.bool, device=device)
        self.itself_BKK = _additive(others_KK, embeds_BSd.dtype).expand(prompts, -1, -1)
        return self.lm.lm_head(last_Bd)[:, None].expand(-1, self.beams, -1)

    def step(self, token_BK: Tensor, parent_BK: Tensor) -> Tensor:
        """Read one token a beam, each continuing slot `parent_BK` of the last step; give logits (B, K, V)."""
        self.mask_BKC = torch.cat([_rows(self.mask_BKC, parent_BK), self.itself_BKK], dim=-1)
        # The layers themselves: what transformers' model does around them takes a tenth of a small model's step.
        model = self.lm.model
        states_BKd = model.embed_tokens(token_BK)
        rotations = model.rotary_emb(states_BKd, self.position_B[:, None].expand(-1, self.beams))
        for layer in model.layers:
            states_BKd = layer(
                states_BKd,
                attention_mask=self.mask_BKC[:, None],
                position_embeddings=rotations,
                past_key_values=self.cache,
            )
        self.position_B += 1
        return self.lm.lm_head(model.norm(states_BKd))


def _merged(caches: list[Any], groups: tuple[Tensor, ...], prompts: int, positions: int) -> Any:
    """The caches of groups of prompts as one of (prompts, heads, positions, width) a layer, zero behind each group."""

    def whole(parts: list[Tensor]) -> Tensor:
        merged = parts[0].new_zeros(prompts, parts[0].shape[1], positions, parts[0].shape[3])
        for rows, part in zip(groups, parts, strict=True):
            merged[rows, :, : part.shape[2]] = part
        return merged

    for layers in zip(*(cache.layers for cache in caches), strict=True):
        layers[0].keys, layers[0].values = whole([one.keys for one in layers]), whole([one.values for one in layers])
    return caches[0]


def _additive(hidden: Tensor, dtype: torch.dtype) -> Tensor:
    """-inf where a column is hidden, else 0: attention turns truth values into these again in each layer."""
    return torch.zeros(hidden.shape, dtype=dtype, device=hidden.device).masked_fill(hidden, -torch.inf)


@contextlib.contextmanager
def _sdpa(lm: "PreTrainedModel") -> Iterator[None]:
    """Use `scaled_dot_product_attention` meanwhile: FlashAttention-2 takes no mask with a tree in it."""
    usual = lm.config._attn_implementation
    lm.set_attn_implementation("sdpa")
    try:
        yield
    finally:
        lm.set_attn_implementation(usual)


def _limits(max_new_tokens: Tensor | int, embeds: Tensor, lengths: Tensor) -> Tensor:
    """Limit of new tokens as (B,), after a check of it and of the lengths."""
    batch, positions = embeds.shape[:2]
    if lengths.shape != (batch,) or lengths.min() < 1 or lengths.max() > positions:
        raise ValueError(f"lengths {lengths.tolist()} do not fit {batch} prompts of 1 to {positions} positions")
    limits = torch.as_tensor(max_new_tokens, device=embeds.device).expand(batch)
    if limits.min() < 1:
        raise ValueError(f"max_new_tokens is {limits.tolist()}: give at least 1 for each utterance")
    return limits


def _rows(x: Tensor, index_BK: Tensor) -> Tensor:
    """Rows `index_BK` of each x (B, N, ...) as (B, K, ...)."""
    return x.take_along_dim(index_BK[:, :, None], dim=1)


def _until(tokens: list[int], eos_id: int) -> list[int]:
    return tokens[: tokens.index(eos_id)] if eos_id in tokens else tokens
