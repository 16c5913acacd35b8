import copy

import pytest
import torch

from earmark.errors import ConfigError, UserError
from earmark.models.encoder import ConformerEncoder, Subsampling, relative_sinusoids, subsampled_lengths


def small(dropout=0.1, seed=0, **changes):
    torch.manual_seed(seed)
    sizes = {"n_mels": 20, "n_layers": 2, "n_heads": 2, "d_model": 16, "kernel_size": 7, **changes}
    return ConformerEncoder(**sizes, dropout=dropout)


def test_a_quarter_of_the_frames_rounded_up():
    encoder = small().eval()
    for frames in (1, 2, 3, 4, 5, 8, 9, 37):
        encoded = encoder(torch.randn(1, frames, 20), torch.tensor([frames]))
        assert encoded.frames.shape == (1, -(-frames // 4), 16)
        assert encoded.lengths.tolist() == [-(-frames // 4)]
    assert subsampled_lengths(torch.tensor([0, 1, 4, 5])).tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize("garbage", [0.0, 1e4, float("nan")])
def test_alone_and_padded_in_a_batch_are_equal(garbage):
    encoder = small().eval()
    lengths = torch.tensor([61, 38, 5])
    batch = torch.randn(3, 61, 20)
    for row, length in zip(batch, lengths.tolist(), strict=True):
        row[length:] = garbage
    with torch.no_grad():
        together = encoder(batch, lengths)
        for i, length in enumerate(lengths.tolist()):
            alone = encoder(batch[i : i + 1, :length], lengths[i : i + 1])
            valid = int(together.lengths[i])
            assert alone.frames.shape[1] == valid
            assert (together.frames[i, :valid] - alone.frames[0]).abs().max() < 1e-5


def test_padding_takes_no_part_in_the_gradient():
    encoder = small(dropout=0.0).train()
    features = torch.randn(2, 40, 20)
    lengths = torch.tensor([40, 22])

    def gradients(batch, sizes):
        encoder.zero_grad()
        frames, encoded_lengths = encoder(batch, sizes)
        sum(f[:n].square().sum() for f, n in zip(frames, encoded_lengths.tolist(), strict=True)).backward()
        return {name: parameter.grad.clone() for name, parameter in encoder.named_parameters()}

    together = gradients(features, lengths)
    first, second = gradients(features[:1], lengths[:1]), gradients(features[1:, :22], lengths[1:])
    for name, gradient in together.items():
        torch.testing.assert_close(gradient, first[name] + second[name], atol=2e-4, rtol=1e-3)


def test_every_block_is_returned_and_the_last_is_the_output():
    encoder = small(n_layers=3).eval()
    features, lengths = torch.randn(2, 30, 20), torch.tensor([30, 17])
    layers = encoder.forward_layers(features, lengths)
    assert [tuple(layer.shape) for layer in layers] == [(2, 8, 16)] * 3
    assert torch.equal(layers[-1], encoder(features, lengths).frames)
    assert not torch.allclose(layers[0], layers[1])


def test_the_same_seed_gives_the_same_step_to_the_bit_on_one_machine():
    encoder = small(dropout=0.3).train()
    features, lengths = torch.randn(2, 33, 20), torch.tensor([33, 33])

    def step(seed):
        torch.manual_seed(seed)
        encoder.zero_grad()
        frames = encoder(features, lengths).frames
        frames.square().sum().backward()
        return frames.detach(), [parameter.grad.clone() for parameter in encoder.parameters()]

    (first, first_gradients), (again, again_gradients), (other, _) = step(1), step(1), step(2)
    assert torch.equal(first, again)
    assert all(map(torch.equal, first_gradients, again_gradients))
    assert not torch.allclose(first, other)


def test_checkpointed_activations_take_less_memory_and_give_the_same_step_to_the_bit_on_one_machine():
    features, lengths = torch.randn(2, 160, 20), torch.tensor([160, 90])
    found = []
    for checkpointing in (False, True):
        encoder = small(dropout=0.3, n_layers=6).train()
        encoder.checkpointing = checkpointing
        kept = []

        def keep(tensor, kept=kept):
            kept.append(tensor.nbytes)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            frames = encoder(features, lengths).frames
        frames.square().sum().backward()
        found.append((sum(kept), frames.detach(), *(one.grad for one in encoder.parameters())))
    (much, *plain), (little, *again) = found
    assert little < much / 3
    assert all(map(torch.equal, plain, again))


def test_dropout_acts_in_training_only_on_one_machine():
    encoder = small(dropout=0.5)
    features, lengths = torch.randn(1, 33, 20), torch.tensor([33])
    encoder.eval()
    assert torch.equal(encoder(features, lengths).frames, encoder(features, lengths).frames)
    encoder.train()
    assert not torch.allclose(encoder(features, lengths).frames, encoder(features, lengths).frames)


def test_every_parameter_gets_a_gradient():
    encoder = small(dropout=0.0).train()
    encoder(torch.randn(1, 40, 20), torch.tensor([40])).frames.square().sum().backward()
    silent = [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert silent == []


def test_too_long_an_utterance_names_length_and_limit():
    with pytest.raises(UserError, match=r"20001 .*5001 .*5000"):
        small()(torch.zeros(1, 20001, 20), torch.tensor([20001]))


@pytest.mark.parametrize("changes", [{"d_model": 18, "n_heads": 4}, {"kernel_size": 8}])
def test_impossible_sizes_are_refused(changes):
    with pytest.raises(ConfigError):
        small(**changes)


def test_position_tables_of_different_lengths_agree_on_one_machine():
    long, short = relative_sinusoids(9, 16), relative_sinusoids(4, 16)
    assert torch.equal(long[5:12], short)
    assert torch.equal(short[3, 0::2], torch.zeros(8))


def test_a_long_utterance_after_a_short_one_extends_the_table_on_one_machine():
    encoder = small().eval()
    features = torch.randn(1, 1100, 20)
    fresh = copy.deepcopy(encoder)
    encoder(features[:, :40], torch.tensor([40]))
    lengths = torch.tensor([1100])
    assert torch.equal(encoder(features, lengths).frames, fresh(features, lengths).frames)


def test_it_runs_in_bfloat16_on_features_of_any_float_type():
    encoder = small().eval().bfloat16()
    frames = encoder(torch.randn(2, 40, 20), torch.tensor([40, 25])).frames
    assert frames.dtype == torch.bfloat16
    assert frames.isfinite().all()


def test_subsampling_starts_without_losing_what_differs_between_frames():
    # As convolutions start by torch's default it would be 0.2.
    torch.manual_seed(0)
    subsampling = Subsampling(80, 96)
    with torch.no_grad():
        planes = subsampling.conv(torch.randn(4, 1, 83, 80))
    assert 0.7 < float(planes.square().mean().sqrt()) < 1.5
