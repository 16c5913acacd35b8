import pytest
import torch

from earmark.models.adaptor import Adaptor


@pytest.fixture
def adaptor():
    torch.manual_seed(0)
    return Adaptor(encoder_dim=6, llm_dim=10, downsample=4)


def lengths_of(*lengths):
    return torch.tensor(lengths)


def test_frames_that_fill_no_group_are_dropped(adaptor):
    encoded = torch.randn(2, 11, 6)
    speech, lengths = adaptor(encoded, lengths_of(11, 8))
    assert speech.shape == (2, 2, 10)
    assert lengths.tolist() == [2, 2]
    changed = encoded.clone()
    changed[:, 8:] += 1
    torch.testing.assert_close(adaptor(changed, lengths_of(11, 8)).embeddings, speech)


def test_an_embedding_sees_exactly_its_own_frames(adaptor):
    encoded = torch.randn(1, 8, 6)
    speech = adaptor(encoded, lengths_of(8)).embeddings
    encoded[0, 3] += 1
    moved = (adaptor(encoded, lengths_of(8)).embeddings - speech).abs().amax(-1)[0]
    assert moved[0] > 1e-4
    assert moved[1] == 0


@pytest.mark.parametrize("length", [1, 2, 3])
def test_an_utterance_too_short_for_a_group_gives_one_embedding(adaptor, length):
    frames = torch.randn(1, length, 6)
    alone, lengths = adaptor(frames, lengths_of(length))
    assert lengths.tolist() == [1]
    filled = torch.cat((frames, torch.zeros(1, 4 - length, 6)), dim=1)
    torch.testing.assert_close(alone, adaptor(filled, lengths_of(4)).embeddings)


def test_a_short_utterance_is_the_same_alone_and_beside_a_long_one(adaptor):
    batch = torch.randn(2, 9, 6)
    speech, lengths = adaptor(batch, lengths_of(9, 3))
    assert lengths.tolist() == [2, 1]
    torch.testing.assert_close(speech[1, :1], adaptor(batch[1:, :3], lengths_of(3)).embeddings[0])


def test_embeddings_beyond_the_length_are_zero(adaptor):
    speech, _ = adaptor(torch.randn(2, 12, 6), lengths_of(12, 7))
    assert speech[1, 1:].abs().sum() == 0
    assert speech[0].abs().sum(-1).min() > 0
