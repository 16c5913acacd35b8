"""Encoder, adaptor and language model as one (Eqs. 1-5)."""

from typing import Any, NamedTuple

import torch
from torch import nn

from earmark.models.adaptor import Adaptor
from earmark.models.encoder import ConformerEncoder

IGNORED = -100
"""Label of positions that bear no loss."""


class Spliced(NamedTuple):
    """Composed sequences: S positions at most; packed they lie one behind the other, (1, N) in all."""

    embeddings: torch.Tensor
    """(B, S, d) inputs, or (1, N, d)."""
    mask: torch.Tensor
    """(B, S) or (1, N) int64, 1 where valid."""
    labels: torch.Tensor
    """(B, S) or (1, N) int64 token ids, `IGNORED` on prompt, speech and padding."""
    positions: torch.Tensor | None = None
    """(1, N) int64 of packed sequences, from 0 in each; else none."""


def splice(
    llm: Any,
    prompt: tuple[torch.Tensor, torch.Tensor],
    speech: torch.Tensor,
    lengths: torch.Tensor,
    targets: list[list[int]],
    packed: bool = False,
) -> Spliced:
    """Compose [before; speech; after; target] (Eq. 4), padded on the right or packed into one row.

    Labels are masked by the length of what precedes the target, not by searching for a token.

    :param prompt: token ids before and after the speech.
    :param speech: (B, L', d) embeddings, `lengths` (B,) of them valid.
    :param targets: token ids to be predicted; empty lists when decoding.
    :param packed: no padding. Positions that begin again at 0 tell transformers where a sequence ends: it attends
        within them, by a block-diagonal mask or by FlashAttention-2's variable lengths.
    """
    texts = [torch.tensor(target, dtype=torch.long, device=speech.device) for target in targets]
    parts = [*prompt, *texts]
    # One lookup: each one's gradient is as large as the whole table.
    before, after, *said = llm.get_input_embeddings()(torch.cat(parts)).split([len(part) for part in parts])
    rows, labels = [], []
    for heard, length, ids, text in zip(speech, lengths.tolist(), texts, said, strict=True):
        prefix = [before, heard[:length], after]
        rows.append(torch.cat([*prefix, text]))
        silent = torch.full((sum(len(part) for part in prefix),), IGNORED, device=speech.device)
        labels.append(torch.cat([silent, ids]))
    if packed:
        positions = torch.cat([torch.arange(len(row), device=speech.device) for row in rows])
        return Spliced(
            torch.cat(rows)[None], torch.ones_like(positions)[None], torch.cat(labels)[None], positions[None]
        )
    return Spliced(
        embeddings=nn.utils.rnn.pad_sequence(rows, batch_first=True),
        mask=nn.utils.rnn.pad_sequence([torch.ones_like(one) for one in labels], batch_first=True),
        labels=nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=IGNORED),
    )


def target_logits(llm: Any, spliced: Spliced) -> tuple[torch.Tensor, torch.Tensor]:
    """(logits (N, V), labels (N,)) of the positions that bear a loss, each predicted from the one before.

    Logits of the other positions are never computed: with Qwen3's vocabulary they would be most of the memory.
    """
    hidden = llm.model(
        inputs_embeds=spliced.embeddings,
        attention_mask=spliced.mask if spliced.positions is None else None,  # it looks for sequences where none is
        position_ids=spliced.positions,
        use_cache=False,
    )[0]
    bears = spliced.labels[:, 1:] != IGNORED
    return llm.lm_head(hidden[:, :-1][bears]), spliced.labels[:, 1:][bears]


class SpeechLLM(nn.Module):
    """Speech embeddings in the place of `<speech>` in an instruction.

    :param before: token ids of the prompt before the speech. :param after: those behind it.
    """

    def __init__(self, encoder: ConformerEncoder, adaptor: Adaptor, llm: Any, before: list[int], after: list[int]):
        super().__init__()
        self.encoder, self.adaptor = encoder, adaptor
        self.llm: Any = llm
        self.before: torch.Tensor
        self.after: torch.Tensor
        self.register_buffer("before", torch.tensor(before), persistent=False)
        self.register_buffer("after", torch.tensor(after), persistent=False)

    def embed(self, features: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features (B, T, n_mels) -> speech embeddings (B, L', d) and their lengths (Eqs. 2, 3)."""
        encoded, encoded_lengths = self.encoder(features, lengths)[:2]
        speech, speech_lengths = self.adaptor(encoded, encoded_lengths)[:2]
        return speech, speech_lengths

    def splice(
        self,
        speech: torch.Tensor,
        lengths: torch.Tensor,
        targets: list[list[int]] | None = None,
        packed: bool = False,
    ) -> Spliced:
        """The instruction around `speech`, and the targets behind it where there are any."""
        return splice(self.llm, (self.before, self.after), speech, lengths, targets or [[] for _ in speech], packed)
