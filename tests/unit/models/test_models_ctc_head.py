import pytest
import torch
from torch import nn

from earmark.models.ctc_head import CTCHead


def test_three_linear_layers_with_the_hidden_width_of_the_encoder():
    head = CTCHead(d_model=8, vocabulary=5)
    shapes = [tuple(parameter.shape) for parameter in head.parameters() if parameter.dim() == 2]
    assert shapes == [(8, 8), (8, 8), (5, 8)]


def test_logits_keep_batch_and_frames_and_are_not_normalised():
    torch.manual_seed(0)
    logits = CTCHead(d_model=8, vocabulary=5)(torch.randn(3, 7, 8))
    assert logits.shape == (3, 7, 5)
    assert (logits.logsumexp(-1).abs() > 1e-3).all()


def test_the_head_is_not_linear():
    torch.manual_seed(0)
    head = CTCHead(d_model=8, vocabulary=5)
    x, zero = torch.randn(1, 8), torch.zeros(1, 8)
    assert (head(x) + head(-x) - 2 * head(zero)).abs().max() > 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_logits_differ_from_frame_to_frame_at_the_start(seed):
    # As torch starts layers by default it would be 0.07: CTC then writes nothing but blanks for long.
    torch.manual_seed(seed)
    frames = nn.functional.layer_norm(torch.randn(400, 96), (96,))
    logits = CTCHead(d_model=96, vocabulary=600)(frames).detach()
    assert 0.2 < float(logits.std(0).mean()) < 1
