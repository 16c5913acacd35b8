import itertools
import math

import pytest
import torch

from earmark.losses import (
    aed_sum,
    consistency_sum,
    cr_ctc_loss,
    ctc_sum,
    hybrid_loss,
    masked_code_loss,
    next_token_loss,
)


def collapse(path):
    return [symbol for symbol, _ in itertools.groupby(path) if symbol]


def ctc_by_enumeration(log_probs, target):
    """Minus the log of the summed probability of every frame labelling that collapses to the target."""
    frames, symbols = log_probs.shape
    paths = itertools.product(range(symbols), repeat=frames)
    fitting = [p for p in paths if collapse(p) == target]
    total = torch.stack([sum(log_probs[t, s] for t, s in enumerate(path)) for path in fitting])
    return -total.logsumexp(0)


@pytest.fixture
def views():
    torch.manual_seed(0)
    return torch.randn(2, 5, 3), torch.randn(2, 5, 3)


LENGTHS, TARGETS, TARGET_LENGTHS = torch.tensor([5, 4]), torch.tensor([1, 1, 2]), torch.tensor([2, 1])


def test_ctc_is_the_sum_over_all_labellings(views):
    log_probs = views[0].log_softmax(-1)
    expected = ctc_by_enumeration(log_probs[0], [1, 1]) + ctc_by_enumeration(log_probs[1, :4], [2])
    torch.testing.assert_close(ctc_sum(log_probs, LENGTHS, TARGETS, TARGET_LENGTHS), expected)


def test_padded_targets_equal_concatenated_ones_on_one_machine(views):
    log_probs = views[0].log_softmax(-1)
    padded = torch.tensor([[1, 1], [2, 0]])
    assert torch.equal(
        ctc_sum(log_probs, LENGTHS, padded, TARGET_LENGTHS),
        ctc_sum(log_probs, LENGTHS, TARGETS, TARGET_LENGTHS),
    )


def test_ctc_of_an_utterance_with_too_few_frames_is_infinite(views):
    log_probs = views[0][:1].log_softmax(-1)
    enough = 3  # a symbol, a blank, the symbol again
    assert enough == 3
    target = torch.tensor([1, 1]), torch.tensor([2])
    assert ctc_sum(log_probs, torch.tensor([enough]), *target).isfinite()
    assert ctc_sum(log_probs, torch.tensor([enough - 1]), *target).isinf()


def test_consistency_is_both_divergences_over_valid_frames(views):
    a, b = (view.log_softmax(-1) for view in views)
    expected = 0.0
    for i, length in enumerate(LENGTHS.tolist()):
        for t in range(length):
            pa, pb = a[i, t].exp(), b[i, t].exp()
            expected += float((pb * (pb / pa).log()).sum() + (pa * (pa / pb).log()).sum())
    assert float(consistency_sum(a, b, LENGTHS)) == pytest.approx(expected, rel=1e-5)


def test_consistency_of_equal_views_is_zero(views):
    a = views[0].log_softmax(-1)
    assert float(consistency_sum(a, a.clone(), LENGTHS)) == pytest.approx(0, abs=1e-6)


def test_consistency_pulls_each_view_towards_the_other_which_stays_fixed(views):
    a, b = (view.clone().requires_grad_() for view in views)
    grad_a, grad_b = torch.autograd.grad(consistency_sum(a.log_softmax(-1), b.log_softmax(-1), LENGTHS), (a, b))
    expected = a.softmax(-1) - b.softmax(-1)
    expected[1, 4:] = 0
    torch.testing.assert_close(grad_a, expected)
    torch.testing.assert_close(grad_b, -expected)


def test_cr_ctc_is_normalised_by_the_valid_frames_of_one_view(views):
    a, b = (view.log_softmax(-1) for view in views)
    loss = cr_ctc_loss(*views, LENGTHS, TARGETS, TARGET_LENGTHS, consistency_scale=0.2)
    ctc = sum(ctc_sum(view, LENGTHS, TARGETS, TARGET_LENGTHS) for view in (a, b))
    torch.testing.assert_close(loss.ctc, 0.5 * ctc / 9)
    torch.testing.assert_close(loss.consistency, 0.5 * consistency_sum(a, b, LENGTHS) / 9)
    torch.testing.assert_close(loss.loss, loss.ctc + 0.2 * loss.consistency)


def test_cr_ctc_takes_padded_targets_and_low_precision_logits(views):
    padded = torch.tensor([[1, 1], [2, 0]])
    full = cr_ctc_loss(*views, LENGTHS, TARGETS, TARGET_LENGTHS, 0.2)
    half = cr_ctc_loss(views[0].bfloat16(), views[1].bfloat16(), LENGTHS, padded, TARGET_LENGTHS, 0.2)
    assert half.loss.dtype == torch.float32
    torch.testing.assert_close(half.loss, full.loss, rtol=2e-2, atol=0)


def test_doubling_a_batch_leaves_the_cr_ctc_loss(views):
    once = cr_ctc_loss(*views, LENGTHS, TARGETS, TARGET_LENGTHS, 0.2)
    twice = cr_ctc_loss(
        *(torch.cat((v, v)) for v in views),
        *(torch.cat((t, t)) for t in (LENGTHS, TARGETS, TARGET_LENGTHS)),
        0.2,
    )
    torch.testing.assert_close(once.loss, twice.loss)


def test_next_token_loss_is_the_mean_over_labels():
    logits = torch.zeros(3, 4)
    logits[2, 0] = math.log(5)
    expected = (2 * math.log(4) + math.log(8 / 5)) / 3
    assert float(next_token_loss(logits, torch.tensor([1, 2, 0]))) == pytest.approx(expected, rel=1e-6)


def test_next_token_loss_is_taken_in_float32():
    logits = torch.tensor([[10.0, 0.01]], dtype=torch.bfloat16)
    assert next_token_loss(logits, torch.tensor([0])).dtype == torch.float32


def test_aed_is_minus_the_log_of_each_label_given_those_before():
    """Eq. 38 by hand: two utterances of two and one labels, their ends counted, padding not."""
    torch.manual_seed(1)
    logits = torch.randn(2, 3, 4)
    written, counted = torch.tensor([[1, 3, 0], [2, 0, 0]]), torch.tensor([[True] * 3, [True, True, False]])
    probability = logits.exp() / logits.exp().sum(-1, keepdim=True)
    chosen = [
        probability[0, 0, 1],
        probability[0, 1, 3],
        probability[0, 2, 0],
        probability[1, 0, 2],
        probability[1, 1, 0],
    ]
    expected = -sum(math.log(float(one)) for one in chosen)
    assert float(aed_sum(logits, written, counted)) == pytest.approx(expected, rel=1e-5)
    assert aed_sum(logits.bfloat16(), written, counted).dtype == torch.float32


def test_hybrid_weighs_the_sums_of_both():
    ctc, aed = torch.tensor(60.0), torch.tensor(20.0)
    assert float(hybrid_loss(ctc, aed, 0.3, torch.tensor(10))) == pytest.approx((0.3 * 60 + 0.7 * 20) / 10)


def test_masked_codes_cost_and_learn_where_masked_only():
    """Eq. 40 by hand."""
    torch.manual_seed(2)
    logits = torch.randn(2, 3, 5, requires_grad=True)
    codes = torch.tensor([[0, 4, 2], [1, 1, 3]])
    masked = torch.tensor([[True, False, True], [False, True, False]])
    loss = masked_code_loss(logits, codes, masked)
    chosen = [(0, 0, 0), (0, 2, 2), (1, 1, 1)]
    expected = -sum(float(logits[b, t].log_softmax(-1)[code]) for b, t, code in chosen) / 3
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.equal(gradient.abs().sum(-1) > 0, masked)
