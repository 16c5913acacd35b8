import math

import pytest
import torch

from earmark.metrics.cka import encoder_cka, layerwise_cka, linear_cka


def literal_cka(x, y):
    """Eq. 12 as it is printed: centring matrix, Gram matrices, Frobenius products."""
    n = len(x)
    c = torch.eye(n, dtype=torch.float64) - torch.ones(n, n, dtype=torch.float64) / n
    kx = c @ x.double() @ x.double().T @ c
    ky = c @ y.double() @ y.double().T @ c
    return float((kx * ky).sum() / torch.sqrt((kx * kx).sum() * (ky * ky).sum()))


def features(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def rotation(d, seed=9):
    return torch.linalg.qr(features(d, d, seed=seed).double())[0]


# Few examples take the Gram form, many the feature form: both must give Eq. 12.
@pytest.mark.parametrize(("n", "d1", "d2"), [(5, 40, 30), (20, 7, 90), (400, 6, 9), (300, 12, 3), (2, 4, 4)])
def test_equals_the_literal_formula(n, d1, d2):
    x = features(n, d1) + 3
    y = x[:, : min(d1, d2)] @ features(min(d1, d2), d2, seed=1) + features(n, d2, seed=2) - 1
    assert linear_cka(x, y) == pytest.approx(literal_cka(x, y), abs=1e-12)


def test_the_form_does_not_matter():
    x, y = features(50, 12), features(50, 7, seed=1)
    padded = torch.cat([x, torch.zeros(50, 500)], dim=1)  # zero features change the cheaper form and nothing else
    assert linear_cka(x, y) == pytest.approx(linear_cka(padded, y), abs=1e-12)


def test_invariant_to_rotation_scale_and_offset():
    x, y = features(60, 10).double(), features(60, 8, seed=1).double()
    base = linear_cka(x, y)
    assert linear_cka(x @ rotation(10), y) == pytest.approx(base, abs=1e-12)
    assert linear_cka(-1e6 * x, 1e-6 * y) == pytest.approx(base, abs=1e-12)
    assert linear_cka(x + 1000, y - 50) == pytest.approx(base, abs=1e-9)
    assert linear_cka(y, x) == pytest.approx(base, abs=1e-12)
    assert linear_cka(x, x @ rotation(10) * 7) == pytest.approx(1.0, abs=1e-12)


def test_rounding_never_exceeds_one():
    scores = [linear_cka(x, x) for x in (features(n, 7, seed=n) for n in range(2, 40))]
    assert max(scores) <= 1.0
    assert min(scores) == pytest.approx(1.0, abs=1e-12)


def test_not_invariant_to_a_general_linear_map():
    x = features(60, 10)
    assert linear_cka(x, x @ torch.diag(torch.logspace(0, 3, 10))) < 0.9


def test_an_offset_alone_is_not_alignment():
    x, y = features(2000, 8) + 10, features(2000, 8, seed=1) + 10
    assert linear_cka(x, y) < 0.02


def test_one_dimension_is_the_squared_correlation():
    x, noise = features(500, 1), features(500, 1, seed=1)
    y = x + noise
    assert linear_cka(x, y) == pytest.approx(float(torch.corrcoef(torch.cat([x, y], 1).T)[0, 1]) ** 2, abs=1e-6)


def test_half_precision_is_taken():
    x = features(30, 4)
    assert linear_cka(x.bfloat16(), x) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("n", [1, 6, 300])
def test_constant_features_score_zero(n):
    constant = torch.full((n, 5), 0.1)
    assert linear_cka(constant, features(n, 5)) == 0.0
    assert linear_cka(constant, constant) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_is_named(bad):
    x, y = features(6, 3), features(6, 3)
    y[2, 1] = bad
    with pytest.raises(ValueError, match="y holds NaN"):
        linear_cka(x, y)
    with pytest.raises(ValueError, match=r"b\[1\] holds NaN"):
        encoder_cka([x, x], [x, y])
    with pytest.raises(ValueError, match=r"layers\[1\] holds NaN"):
        layerwise_cka([x, y], x)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="6 and 5 rows"):
        linear_cka(features(6, 3), features(5, 3))
    with pytest.raises(ValueError, match="shape"):
        linear_cka(features(6), features(6))
    with pytest.raises(ValueError, match="shape"):
        linear_cka(features(0, 3), features(0, 3))


def test_encoders_average_over_utterances():
    a = [features(20, 4, seed=1), features(9, 4, seed=2)]
    b = [x + 0.5 * features(*x.shape, seed=3) for x in a]
    average = (literal_cka(a[0], b[0]) + literal_cka(a[1], b[1])) / 2
    assert encoder_cka(a, b) == pytest.approx(average, abs=1e-12)
    assert encoder_cka(a, b, mode="concatenated") == pytest.approx(literal_cka(torch.cat(a), torch.cat(b)), abs=1e-12)
    assert encoder_cka(a, a) == pytest.approx(1.0)


def test_encoders_skip_what_says_nothing():
    a = [features(20, 4, seed=1), features(1, 4, seed=2), torch.ones(7, 4)]
    b = [x.clone() for x in a]
    b[0] = b[0] + features(20, 4, seed=5)
    assert encoder_cka(a, b) == pytest.approx(linear_cka(a[0], b[0]))
    with pytest.raises(ValueError, match="none of 2 utterances"):
        encoder_cka(a[1:], b[1:])


def test_an_encoder_that_collapses_scores_zero():
    a = [features(20, 4, seed=1), features(20, 4, seed=2)]
    assert encoder_cka(a, [torch.ones(20, 4), a[1]]) == pytest.approx(0.5)


def test_encoders_must_see_the_same_frames():
    a = [features(20, 4)]
    with pytest.raises(ValueError, match=r"a\[0\] and b\[0\] have 20 and 19 rows"):
        encoder_cka(a, [a[0][:19]])
    with pytest.raises(ValueError, match="1 utterances in a, 2 in b"):
        encoder_cka(a, a + a)
    with pytest.raises(ValueError, match="0 utterances"):
        encoder_cka([], [])


@pytest.mark.parametrize("n", [12, 900])
def test_layerwise_equals_pairwise(n):
    text = features(n, 6)
    layers = [text @ features(6, 10, seed=s) + s * features(n, 10, seed=s) for s in range(3)] + [torch.ones(n, 16)]
    assert layerwise_cka(layers, text) == pytest.approx([linear_cka(x, text) for x in layers], abs=1e-12)
    assert layerwise_cka([], text) == []
