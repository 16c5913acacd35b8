"""The attention decoder of AED pretraining (paper Eq. 38): labels one by one, attending to the encoder's frames.

Layout and parameter names are those of the public project FireRedASR (Apache-2.0): pre-norm layers of self-attention,
attention to the speech and a feed-forward network, keys without bias, output weights tied to the embedding.

Shapes in names: B utterances, U labels, L encoder frames (40 ms), D width, V vocabulary.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from earmark.models.encoder import Dropout

BOUNDARY = 0
"""Begins and ends every label sequence: CTC's blank, which is no label, so that both share one inventory."""

Cache = list[tuple[Tensor, Tensor]]
"""Keys and values (B, H, U, D / H) of the labels so far, a pair a layer."""


class Attention(nn.Module):
    """Multi-head attention of queries (B, U, D) to keys and values."""

    def __init__(self, d_model: int, n_heads: int, dropout: float):
        super().__init__()
        self.n_heads = n_heads
        self.w_qs = nn.Linear(d_model, d_model)
        self.w_ks = nn.Linear(d_model, d_model, bias=False)
        self.w_vs = nn.Linear(d_model, d_model)
        self.fc = nn.Linear(d_model, d_model)
        self.dropout = Dropout(dropout)

    def heads(self, x: Tensor) -> Tensor:
        """(B, N, D) to (B, H, N, D / H)."""
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def keys_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, H, N, D / H) of a source (B, N, D)."""
        return self.heads(self.w_ks(source)), self.heads(self.w_vs(source))

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """(B, U, D); `mask` is true where a query may look, and broadcasts to (B, H, U, N)."""
        mixed = F.scaled_dot_product_attention(self.heads(self.w_qs(x)), keys, values, attn_mask=mask)
        return self.dropout(self.fc(mixed.transpose(1, 2).flatten(2)))


class FeedForward(nn.Module):
    """Linear, GELU, Linear: (B, U, D) to the same, four times as wide inside."""

    def __init__(self, d_model: int, dropout: float):
        super().__init__()
        self.w_1 = nn.Linear(d_model, 4 * d_model)
        self.w_2 = nn.Linear(4 * d_model, d_model)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return self.dropout(self.w_2(F.gelu(self.w_1(x))))


class DecoderLayer(nn.Module):
    """Self-attention, attention to the speech, feed-forward; each normalised before and added to its input."""

    def __init__(self, d_model: int, n_heads: int, dropout: float):
        super().__init__()
        self.self_attn_norm = nn.LayerNorm(d_model)
        self.self_attn = Attention(d_model, n_heads, dropout)
        self.cross_attn_norm = nn.LayerNorm(d_model)
        self.cross_attn = Attention(d_model, n_heads, dropout)
        self.mlp_norm = nn.LayerNorm(d_model)
        self.mlp = FeedForward(d_model, dropout)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor] | None, causal: Tensor | None, speech: Tensor, heard: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(B, U, D) and the keys and values of all labels so far; `heard` is true where a frame is speech."""
        normal = self.self_attn_norm(x)
        keys, values = self.self_attn.keys_values(normal)
        if past is not None:
            keys, values = torch.cat((past[0], keys), 2), torch.cat((past[1], values), 2)
        x = x + self.self_attn(normal, keys, values, causal)
        x = x + self.cross_attn(self.cross_attn_norm(x), *self.cross_attn.keys_values(speech), heard)
        return x + self.mlp(self.mlp_norm(x)), (keys, values)


class AttentionDecoder(nn.Module):
    """Labels so far and encoder frames to logits of the next label, over the inventory with `BOUNDARY` as its end."""

    def __init__(self, vocabulary: int, n_layers: int, n_heads: int, d_model: int, dropout: float = 0.1):
        super().__init__()
        self.d_model = d_model
        self.tgt_word_emb = nn.Embedding(vocabulary, d_model)
        # The embedding is scaled by sqrt(D) on its way in and is the output layer as well: unit variance on both ways.
        nn.init.normal_(self.tgt_word_emb.weight, std=d_model**-0.5)
        self.dropout = Dropout(dropout)
        self.layer_stack = nn.ModuleList(DecoderLayer(d_model, n_heads, dropout) for _ in range(n_layers))
        self.layer_norm_out = nn.LayerNorm(d_model)

    def forward(self, labels: Tensor, speech: Tensor, lengths: Tensor) -> Tensor:
        """Logits (B, U, V) of the label after each of `labels` (B, U), whose first is `BOUNDARY`.

        `speech` (B, L, D) encoder frames, `lengths` (B,) how many of them are speech. What lies beyond an
        utterance's frames or labels changes nothing before.
        """
        return self.step(labels, speech, lengths, None)[0]

    def step(self, labels: Tensor, speech: Tensor, lengths: Tensor, cache: Cache | None) -> tuple[Tensor, Cache]:
        """The same for labels that follow those in `cache`: one at a time, or all of them with no cache."""
        start = cache[0][0].shape[2] if cache else 0
        size = labels.shape[1]
        heard = (torch.arange(speech.shape[1], device=speech.device) < lengths.to(speech.device)[:, None])[
            :, None, None
        ]
        causal = torch.ones(size, size, dtype=torch.bool, device=speech.device).tril() if size > 1 else None
        places = sinusoids(start + size, self.d_model)[start:].to(speech)
        x = self.dropout(self.tgt_word_emb(labels) * self.d_model**0.5 + places)
        kept: Cache = []
        for number, layer in enumerate(self.layer_stack):
            x, pair = layer(x, cache[number] if cache else None, causal, speech, heard)
            kept.append(pair)
        return F.linear(self.layer_norm_out(x), self.tgt_word_emb.weight), kept


def sinusoids(size: int, d_model: int) -> Tensor:
    """Absolute positions (size, d_model): sines in even columns, cosines in odd ones (Vaswani et al., 2017)."""
    rate = 10_000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float32) / d_model)
    angle = torch.arange(size, dtype=torch.float32)[:, None] * rate
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)


def decoder_labels(targets: Tensor, target_lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the decoder reads, what it is to write, and which places count, each (B, U + 1).

    `targets` (B, U) padded: "a b" is read as "BOUNDARY a b" and written as "a b BOUNDARY".
    """
    place = torch.arange(targets.shape[1] + 1, device=targets.device)
    lengths = target_lengths.to(targets.device)[:, None]
    read = F.pad(targets, (1, 0), value=BOUNDARY)
    written = F.pad(targets, (0, 1), value=BOUNDARY).masked_fill(place >= lengths, BOUNDARY)
    return read, written, place <= lengths
