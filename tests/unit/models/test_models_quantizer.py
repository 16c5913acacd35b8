"""Best-RQ's random codes and masks: functions of a seed and of a moment, blind to padding."""

import random

import pytest
import torch
from torch import Tensor

from earmark.models.quantizer import RandomQuantizer, corrupt, span_mask

LENGTHS = torch.tensor([13, 8])


@pytest.fixture
def features() -> Tensor:
    features = torch.randn(2, 13, 6, generator=torch.Generator().manual_seed(3))
    features[1, 8:] = 0
    return features


def test_codes_are_the_nearest_by_brute_force(features: Tensor) -> None:
    quantizer = RandomQuantizer(6, 32, 5, seed=1)
    codes = quantizer(features, LENGTHS)
    assert codes.shape == (2, 4)
    for row, frames in ((0, 13), (1, 8)):
        for place in range(-(-frames // 4)):
            stacked = torch.zeros(4, 6)
            part = features[row, 4 * place : min(4 * place + 4, frames)]
            stacked[: len(part)] = part
            projected = stacked.flatten() @ quantizer.projection
            projected = projected / projected.norm()
            distances = [float((projected - code / code.norm()).norm()) for code in quantizer.codebook]
            assert distances[int(codes[row, place])] == pytest.approx(min(distances), abs=1e-6)
    assert len(codes[0].unique()) > 1


def test_projection_and_codebook_are_functions_of_the_seed_and_not_trained_on_one_machine() -> None:
    torch.manual_seed(0)
    one = RandomQuantizer(6, 32, 5, seed=1)
    torch.manual_seed(9)
    again, other = RandomQuantizer(6, 32, 5, seed=1), RandomQuantizer(6, 32, 5, seed=2)
    assert torch.equal(one.projection, again.projection) and torch.equal(one.codebook, again.codebook)
    assert not torch.equal(one.projection, other.projection) and not torch.equal(one.codebook, other.codebook)
    assert not list(one.parameters()) and not one.state_dict()
    torch.testing.assert_close(one.codebook.norm(dim=-1), torch.ones(32))


def test_padding_changes_no_code_and_no_noise_on_one_machine(features: Tensor) -> None:
    quantizer = RandomQuantizer(6, 32, 5, seed=1)
    wide = torch.nn.functional.pad(features, (0, 0, 0, 9), value=7.0)
    wide[1, 8:] = 7.0
    assert torch.equal(quantizer(wide, LENGTHS)[0, :4], quantizer(features, LENGTHS)[0])
    assert torch.equal(quantizer(wide, LENGTHS)[1, :2], quantizer(features, LENGTHS)[1, :2])
    masked = torch.tensor([[False, True, False, True], [True, True, False, False]])
    torch.manual_seed(5)
    narrow = corrupt(features, LENGTHS, masked, 0.1)
    torch.manual_seed(5)
    broad = corrupt(wide, LENGTHS, masked, 0.1)
    assert torch.equal(broad[0, :13], narrow[0]) and torch.equal(broad[1, :8], narrow[1, :8])


def test_masked_frames_alone_become_noise(features: Tensor) -> None:
    masked = torch.tensor([[False, True, False, True], [True, False, False, False]])
    noisy = corrupt(features, LENGTHS, masked, 0.1)
    moved = (noisy != features).any(-1)
    expected = torch.zeros(2, 13, dtype=torch.bool)
    expected[0, 4:8] = expected[0, 12:] = expected[1, :4] = True
    assert torch.equal(moved, expected)
    assert 0.05 < float(noisy[expected].std()) < 0.15
    assert not corrupt(features, LENGTHS, masked, 0.0)[expected].any()


def test_spans_have_their_length_and_frequency() -> None:
    lengths = torch.full((400,), 400)
    masked = span_mask(lengths, 0.01, 40, random.Random(1))
    assert masked.shape == (400, 100)
    begins = masked[:, :1].sum() + (masked[:, 1:] & ~masked[:, :-1]).sum()
    runs = float(masked.sum()) / float(begins)
    assert runs > 9  # of ten encoder frames, longer where they touch, shorter at the end only
    # A frame stays clear when no span began in the ten encoder frames (forty feature frames) up to it.
    assert float(masked[:, 10:].float().mean()) == pytest.approx(1 - 0.99**40, abs=0.02)


def test_every_utterance_has_a_span_within_its_frames_on_all_machines() -> None:
    masked = span_mask(torch.tensor([13, 8, 1]), 1e-9, 8, random.Random(2))
    assert masked.any(1).all()
    assert not masked[1, 2:].any() and not masked[2, 1:].any()
    assert torch.equal(masked, span_mask(torch.tensor([13, 8, 1]), 1e-9, 8, random.Random(2)))
