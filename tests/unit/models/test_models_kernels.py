import pytest
import torch
import torch.nn.functional as F

from earmark.models.kernels import (
    biased_attention,
    depthwise_conv,
    dropout,
    dropout_mask,
    linear,
    relative_attention,
    relative_shift,
)

SHAPES = [(2, 9, 4, 3), (3, 5, 6, 15), (1, 1, 2, 7), (2, 5, 3, 1)]


@pytest.mark.parametrize(("batch", "frames", "channels", "taps"), SHAPES)
def test_depthwise_convolution_equals_torch_in_value_and_gradients(batch, frames, channels, taps):
    torch.manual_seed(0)
    x = torch.randn(batch, frames, channels, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(channels, 1, taps, dtype=torch.float64, requires_grad=True)
    ours = depthwise_conv(x, weight)
    theirs = F.conv1d(x.transpose(1, 2), weight, padding=taps // 2, groups=channels).transpose(1, 2)
    torch.testing.assert_close(ours, theirs)
    towards = torch.randn_like(ours)
    for one, other in zip(
        torch.autograd.grad(ours, (x, weight), towards),
        torch.autograd.grad(theirs, (x, weight), towards),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_depthwise_weight_gradient_is_the_same_in_pieces(monkeypatch):
    x = torch.randn(2, 23, 4, dtype=torch.float64)
    weight = torch.randn(4, 1, 5, dtype=torch.float64, requires_grad=True)
    (whole,) = torch.autograd.grad(depthwise_conv(x, weight).square().sum(), weight)
    monkeypatch.setattr("earmark.models.kernels.CHUNK_ELEMENTS", 2 * 4 * 5 * 3)
    (pieces,) = torch.autograd.grad(depthwise_conv(x, weight).square().sum(), weight)
    torch.testing.assert_close(whole, pieces)


def test_depthwise_convolution_leaves_a_frozen_weight_alone():
    x, weight = torch.randn(1, 6, 2, requires_grad=True), torch.randn(2, 1, 3)
    depthwise_conv(x, weight).sum().backward()
    assert x.grad is not None
    assert weight.grad is None


def test_relative_shift_picks_the_distance_from_row_to_key():
    length = 5
    distances = torch.arange(length - 1, -length, -1.0)
    shifted = relative_shift(distances.expand(2, 3 * length, -1).contiguous(), length)
    expected = torch.arange(5.0)[:, None] - torch.arange(5.0)[None, :]
    assert torch.equal(shifted, expected.expand(6, 5, 5))


def test_relative_shift_passes_gradients_back_to_their_places():
    scores = torch.randn(2, 2 * 4, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: relative_shift(s, 4), (scores,))


@pytest.mark.parametrize("tile", [1, 3, 4, 11])
@pytest.mark.parametrize("padded", [False, True])
def test_attention_by_tiles_equals_that_with_an_additive_bias(monkeypatch, tile, padded):
    monkeypatch.setattr("earmark.models.kernels.TILE_ELEMENTS", 0)
    monkeypatch.setattr("earmark.models.kernels.MIN_TILE", tile)
    torch.manual_seed(0)
    heads, batch, length, width = 2, 3, 11, 4
    given = [torch.randn(heads, batch, length, width, dtype=torch.float64, requires_grad=True) for _ in range(4)]
    given.append(torch.randn(heads, width, 2 * length - 1, dtype=torch.float64, requires_grad=True))
    padding = torch.arange(length) >= torch.tensor([11, 7, 1])[:, None] if padded else None
    tiled, biased = relative_attention(*given, padding), biased_attention(*given, padding)
    torch.testing.assert_close(tiled, biased)
    towards = torch.randn_like(tiled)
    for one, other in zip(
        torch.autograd.grad(tiled, given, towards), torch.autograd.grad(biased, given, towards), strict=True
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("bias", [False, True])
def test_a_large_product_equals_torch_in_value_and_gradients(monkeypatch, bias):
    torch.manual_seed(0)
    x, weight = torch.randn(2, 5, 24, requires_grad=True), torch.randn(16, 24, requires_grad=True)
    given = [x, weight, torch.randn(16, requires_grad=True)] if bias else [x, weight]
    theirs = F.linear(*given)
    monkeypatch.setattr("earmark.models.kernels.ONEDNN_PRODUCTS", 1)
    ours = linear(*given)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    towards = torch.randn_like(ours)
    for one, other in zip(
        torch.autograd.grad(ours, given, towards), torch.autograd.grad(theirs, given, towards), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    frozen = linear(x, weight.detach())
    assert torch.autograd.grad(frozen.sum(), x)[0].shape == x.shape


@pytest.mark.parametrize("probability", [0.1, 0.25, 0.5])
def test_dropout_drops_the_share_asked_for_and_keeps_the_mean(probability):
    torch.manual_seed(0)
    mask = dropout_mask(torch.Size((400, 501)), probability)
    assert mask.unique().tolist() == pytest.approx([0.0, 1 / (1 - probability)], rel=1e-4)
    assert float((mask == 0).float().mean()) == pytest.approx(probability, abs=0.005)
    assert float(mask.mean()) == pytest.approx(1, abs=0.01)


def test_neighbouring_dropout_draws_are_independent():
    torch.manual_seed(0)
    dropped = (dropout_mask(torch.Size((200_001,)), 0.5) == 0).float()
    for lag in (1, 2, 3, 4, 8):
        together = float((dropped[lag:] * dropped[:-lag]).mean())
        assert together == pytest.approx(0.25, abs=0.006)


def test_dropout_gradient_passes_where_the_value_did():
    torch.manual_seed(0)
    x = torch.ones(1000, requires_grad=True)
    kept = dropout(x, 0.3, training=True)
    kept.sum().backward()
    assert torch.equal(x.grad, kept.detach())


def test_dropout_depends_on_the_seed_alone_on_one_machine():
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(dropout(torch.ones(7, 13), 0.5, training=True))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def test_dropout_in_place_draws_the_same_and_passes_the_same_gradient_on_one_machine():
    given = torch.randn(7, 13, requires_grad=True)
    gradients = []
    for inplace in (False, True):
        torch.manual_seed(0)
        hidden = F.silu(given)
        kept = dropout(hidden, 0.5, training=True, inplace=inplace)
        assert (kept is hidden) == inplace
        gradients.append(torch.autograd.grad(kept.square().sum(), given)[0])
    assert torch.equal(*gradients)


def test_dropout_is_off_outside_training_and_at_zero():
    x = torch.randn(5)
    assert dropout(x, 0.5, training=False) is x
    assert dropout(x, 0.0, training=True) is x


def test_dropout_of_everything_is_zero():
    assert dropout(torch.ones(100), 1.0, training=True).abs().sum() == 0


def test_dropout_serves_other_types():
    torch.manual_seed(0)
    kept = dropout(torch.ones(1000, dtype=torch.bfloat16), 0.5, training=True)
    assert kept.dtype == torch.bfloat16
    assert 300 < int((kept == 0).sum()) < 700
