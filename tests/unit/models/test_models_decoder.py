"""The attention decoder: what it may look at, and that a step with a cache is a step without."""

import math

import pytest
import torch
from torch import Tensor, nn

from earmark.decode.attention import decoder_greedy
from earmark.models.decoder import BOUNDARY, Attention, AttentionDecoder, decoder_labels, sinusoids

LABELS = torch.tensor([[0, 3, 1, 4], [0, 2, 2, 0]])
LENGTHS = torch.tensor([7, 4])


@pytest.fixture
def decoder() -> AttentionDecoder:
    torch.manual_seed(0)
    return AttentionDecoder(6, 2, 2, 8, dropout=0.0).eval()


@pytest.fixture
def speech() -> Tensor:
    return torch.randn(2, 7, 8, generator=torch.Generator().manual_seed(1))


def literal(decoder: AttentionDecoder, labels: list[int], frames: Tensor) -> Tensor:
    """Logits (U, V) of one utterance without masks, heads or batches as tensors: sums over what may be seen."""

    def attend(module: Attention, query: Tensor, source: Tensor) -> Tensor:
        q, k, v = module.w_qs(query), module.w_ks(source), module.w_vs(source)
        width = len(q) // module.n_heads
        mixed = []
        for start in range(0, len(q), width):
            part = slice(start, start + width)
            weights = torch.stack([q[part] @ one[part] / math.sqrt(width) for one in k]).softmax(0)
            mixed.append(sum(weight * one[part] for weight, one in zip(weights, v, strict=True)))
        return module.fc(torch.cat(mixed))

    width = decoder.d_model
    x = [
        decoder.tgt_word_emb.weight[label] * math.sqrt(width) + sinusoids(len(labels), width)[place]
        for place, label in enumerate(labels)
    ]
    for layer in decoder.layer_stack:
        normal = [layer.self_attn_norm(one) for one in x]
        x = [
            one + attend(layer.self_attn, normal[place], torch.stack(normal[: place + 1]))
            for place, one in enumerate(x)
        ]
        x = [one + attend(layer.cross_attn, layer.cross_attn_norm(one), frames) for one in x]
        x = [one + layer.mlp.w_2(nn.functional.gelu(layer.mlp.w_1(layer.mlp_norm(one)))) for one in x]
    return torch.stack([decoder.layer_norm_out(one) @ decoder.tgt_word_emb.weight.T for one in x])


def test_logits_are_those_of_the_literal_computation(decoder: AttentionDecoder, speech: Tensor) -> None:
    found = decoder(LABELS, speech, LENGTHS)
    torch.testing.assert_close(found[0], literal(decoder, LABELS[0].tolist(), speech[0]), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found[1, :3], literal(decoder, [0, 2, 2], speech[1, :4]), atol=1e-5, rtol=1e-4)


def test_later_labels_and_padded_frames_change_nothing(decoder: AttentionDecoder, speech: Tensor) -> None:
    before = decoder(LABELS, speech, LENGTHS)
    labels, frames = LABELS.clone(), speech.clone()
    labels[:, 3] = 5
    frames[1, 4:] = 100.0
    after = decoder(labels, frames, LENGTHS)
    torch.testing.assert_close(after[:, :3], before[:, :3])
    assert not torch.allclose(after[:, 3], before[:, 3])


def test_one_label_at_a_time_is_all_at_once(decoder: AttentionDecoder, speech: Tensor) -> None:
    whole, cache = decoder(LABELS, speech, LENGTHS), None
    for place in range(4):
        logits, cache = decoder.step(LABELS[:, place : place + 1], speech, LENGTHS, cache)
        torch.testing.assert_close(logits[:, 0], whole[:, place], atol=1e-5, rtol=1e-4)


def test_positions_are_sines_and_cosines() -> None:
    found = sinusoids(3, 4)
    torch.testing.assert_close(found[2], torch.tensor([math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)]))


def test_labels_are_read_one_place_before_they_are_written() -> None:
    targets, lengths = torch.tensor([[3, 1], [2, 0]]), torch.tensor([2, 1])
    read, written, counted = decoder_labels(targets, lengths)
    assert read.tolist() == [[0, 3, 1], [0, 2, 0]]
    assert written.tolist() == [[3, 1, 0], [2, 0, 0]]
    assert counted.tolist() == [[True, True, True], [True, True, False]]


class Scripted(AttentionDecoder):
    """Writes what it is told, whatever it hears."""

    script = ((3, 3), (1, BOUNDARY), (BOUNDARY, 5), (4, 4), (4, 4))

    def step(self, labels, speech, lengths, cache):  # type: ignore[no-untyped-def]
        place = 0 if cache is None else cache
        logits = torch.zeros(2, 1, 6)
        for row, label in enumerate(self.script[place]):
            logits[row, 0, label] = 1.0
        return logits, place + 1


def test_greedy_ends_each_utterance_at_its_boundary() -> None:
    decoder = Scripted(6, 1, 1, 8)
    assert decoder_greedy(decoder, torch.zeros(2, 5, 8), torch.tensor([5, 5])) == [[3, 1], [3]]
    decoder.script = ((3, 3),) * 5
    assert decoder_greedy(decoder, torch.zeros(2, 5, 8), torch.tensor([5, 2])) == [[3] * 5, [3] * 2]


def test_greedy_takes_the_best_label_given_those_before(decoder: AttentionDecoder, speech: Tensor) -> None:
    with torch.no_grad():
        decoder.layer_norm_out.bias.normal_()  # else the last label read is likeliest, and is the boundary
    written = decoder_greedy(decoder, speech, LENGTHS)
    assert any(written)
    for row, labels in enumerate(written):
        read = torch.tensor([[BOUNDARY, *labels]])
        length = LENGTHS[row : row + 1]
        best = decoder(read, speech[row : row + 1], length)[0].argmax(-1).tolist()
        assert best[: len(labels)] == labels
        assert best[len(labels)] == BOUNDARY or len(labels) == int(length)
