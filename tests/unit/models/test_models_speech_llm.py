"""The composition of Eq. 4: what stands where, what bears loss, and that padding changes nothing."""

from typing import Any

import pytest
import torch

from earmark.config import SmallLLM
from earmark.models.adaptor import Adaptor
from earmark.models.encoder import ConformerEncoder
from earmark.models.llm import build_small
from earmark.models.speech_llm import IGNORED, SpeechLLM, target_logits

BEFORE, AFTER = [5, 6, 7], [8, 9]
VOCABULARY = 30


@pytest.fixture
def model() -> SpeechLLM:
    torch.manual_seed(0)
    encoder = ConformerEncoder(80, 1, 2, 16, 7, dropout=0.0)
    adaptor = Adaptor(16, 16, 4)
    llm: Any = build_small(SmallLLM(hidden_size=16, n_layers=2, n_heads=2), VOCABULARY)
    with torch.no_grad():
        for parameter in llm.parameters():
            if parameter.dim() == 2:
                parameter.mul_(20)  # far from uniform, so that a wrong position is seen
    return SpeechLLM(encoder, adaptor, llm, BEFORE, AFTER).eval()


def speech(lengths: list[int], seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, L', 16) embeddings with garbage where padded, and their lengths."""
    made = torch.randn(len(lengths), max(lengths), 16, generator=torch.Generator().manual_seed(seed))
    for row, length in zip(made, lengths, strict=True):
        row[length:] = 1e3
    return made, torch.tensor(lengths)


def test_speech_takes_the_place_of_the_placeholder(model: SpeechLLM) -> None:
    embeddings, lengths = speech([4, 2])
    spliced = model.splice(embeddings, lengths, [[11, 12, 13], [14]])
    lookup = model.llm.get_input_embeddings()
    for row, (length, target) in enumerate([(4, [11, 12, 13]), (2, [14])]):
        composed = torch.cat(
            [
                lookup(torch.tensor(BEFORE)),
                embeddings[row, :length],
                lookup(torch.tensor(AFTER)),
                lookup(torch.tensor(target)),
            ]
        )
        size = len(composed)
        assert torch.equal(spliced.embeddings[row, :size], composed)
        assert not spliced.embeddings[row, size:].any()
        assert spliced.mask[row].tolist() == [1] * size + [0] * (spliced.mask.shape[1] - size)


def test_labels_are_masked_by_length(model: SpeechLLM) -> None:
    """Even where a target repeats the prompt's own tokens, or is empty."""
    embeddings, lengths = speech([4, 2, 1])
    targets = [[11, 8, 9], [5, 6], []]
    spliced = model.splice(embeddings, lengths, targets)
    for row, (length, target) in enumerate(zip([4, 2, 1], targets, strict=True)):
        silent = len(BEFORE) + length + len(AFTER)
        labels = spliced.labels[row].tolist()
        assert labels[:silent] == [IGNORED] * silent
        assert labels[silent : silent + len(target)] == target
        assert set(labels[silent + len(target) :]) <= {IGNORED}


def test_without_targets_it_is_a_prompt(model: SpeechLLM) -> None:
    spliced = model.splice(*speech([4, 2]))
    assert spliced.mask.sum(dim=1).tolist() == [9, 7]
    assert bool((spliced.labels == IGNORED).all())


def test_each_token_is_predicted_from_the_one_before(model: SpeechLLM) -> None:
    spliced = model.splice(*speech([4]), [[11, 12, 13]])
    logits, labels = target_logits(model.llm, spliced)
    whole = model.llm(inputs_embeds=spliced.embeddings).logits[0]
    assert labels.tolist() == [11, 12, 13]
    torch.testing.assert_close(logits, whole[len(BEFORE) + 4 + len(AFTER) - 1 : -1])


def test_packing_gives_the_same_logits_and_gradients_and_no_padding(model: SpeechLLM) -> None:
    lengths, targets = [9, 2, 5], [[11, 12, 13], [14], [15, 16, 17, 18, 19, 20]]
    found = []
    for packed in (False, True):
        embeddings, sizes = speech(lengths)
        embeddings.requires_grad_()
        spliced = model.splice(embeddings, sizes, targets, packed)
        logits, labels = target_logits(model.llm, spliced)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        weights = list(model.llm.parameters())
        found.append((logits.detach(), *torch.autograd.grad(loss, [embeddings, *weights])))
        assert labels.tolist() == [token for target in targets for token in target]
    assert spliced.embeddings.shape[:2] == (1, sum(map(len, [*targets, *(3 * (BEFORE, AFTER))])) + sum(lengths))
    assert any(one.any() for one in found[0][1:])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_packed_utterances_do_not_see_each_other_on_one_machine(model: SpeechLLM) -> None:
    targets = [[11, 12], [14, 15, 16]]
    embeddings, sizes = speech([4, 6])
    plain, _ = target_logits(model.llm, model.splice(embeddings, sizes, targets, packed=True))
    embeddings[0, :4] += 1.0
    changed, _ = target_logits(model.llm, model.splice(embeddings, sizes, targets, packed=True))
    assert not torch.allclose(plain[:2], changed[:2])
    assert torch.equal(plain[2:], changed[2:])


def test_padding_changes_nothing(model: SpeechLLM) -> None:
    lengths, targets = [9, 2, 5], [[11, 12, 13], [14], [15, 16, 17, 18, 19, 20]]
    embeddings, sizes = speech(lengths)
    logits, labels = target_logits(model.llm, model.splice(embeddings, sizes, targets))
    alone = [
        target_logits(model.llm, model.splice(embeddings[row : row + 1], sizes[row : row + 1], [targets[row]]))
        for row in range(3)
    ]
    assert labels.tolist() == [token for target in targets for token in target]
    torch.testing.assert_close(logits, torch.cat([one for one, _ in alone]), atol=1e-4, rtol=1e-4)


def test_later_tokens_change_no_earlier_prediction(model: SpeechLLM) -> None:
    embeddings, sizes = speech([4])
    one, _ = target_logits(model.llm, model.splice(embeddings, sizes, [[11, 12, 13]]))
    other, _ = target_logits(model.llm, model.splice(embeddings, sizes, [[11, 12, 20]]))
    torch.testing.assert_close(one, other)  # the last token predicts nothing any more


def test_what_is_said_changes_the_prediction(model: SpeechLLM) -> None:
    one, _ = target_logits(model.llm, model.splice(*speech([4], seed=1), [[11]]))
    other, _ = target_logits(model.llm, model.splice(*speech([4], seed=2), [[11]]))
    assert float((one - other).abs().max()) > 1e-3


def test_an_embedding_is_160_ms(model: SpeechLLM) -> None:
    features = torch.randn(2, 320, 80, generator=torch.Generator().manual_seed(0))
    embeddings, lengths = model.embed(features, torch.tensor([320, 160]))
    assert lengths.tolist() == [20, 10]
    assert embeddings.shape == (2, 20, 16)


def test_batch_of_features_is_what_each_gives_alone(model: SpeechLLM) -> None:
    features = torch.randn(2, 320, 80, generator=torch.Generator().manual_seed(0))
    together, lengths = model.embed(features, torch.tensor([320, 161]))
    alone, _ = model.embed(features[1:, :161], torch.tensor([161]))
    torch.testing.assert_close(together[1, : int(lengths[1])], alone[0], atol=1e-5, rtol=1e-4)


def test_prompt_is_no_weight(model: SpeechLLM) -> None:
    assert not [name for name in model.state_dict() if name in ("before", "after")]
    assert {name.split(".")[0] for name in model.state_dict()} == {"encoder", "adaptor", "llm"}
