import math

import pytest
import torch

from earmark.errors import ConfigError
from earmark.metrics.entropy import (
    accessible_information,
    bag_of_phones,
    gaussian_information,
    mean_spectral_entropy,
    mean_std_pool,
    normalized_spectral_entropy,
)


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rotation(d, seed=9):
    return torch.linalg.qr(draw(d, d, seed=seed))[0]


class TestSpectralEntropy:
    def test_known_spectrum(self):
        # Singular values 6, 3, 1 of a 5 x 3 matrix: shares 0.6, 0.3, 0.1.
        frames = rotation(5)[:, :3] @ torch.diag(torch.tensor([6.0, 3.0, 1.0]).double()) @ rotation(3, seed=4)
        expected = -(0.6 * math.log(0.6) + 0.3 * math.log(0.3) + 0.1 * math.log(0.1)) / math.log(3)
        assert normalized_spectral_entropy(frames) == pytest.approx(expected, abs=1e-12)
        assert normalized_spectral_entropy(frames.T) == pytest.approx(expected, abs=1e-12)

    def test_extremes(self):
        assert normalized_spectral_entropy(rotation(8)[:, :5]) == pytest.approx(1.0)
        assert normalized_spectral_entropy(torch.ones(30, 8)) == pytest.approx(0.0, abs=1e-12)

    def test_invariant_to_scale_and_rotation(self):
        frames = draw(40, 12)
        base = normalized_spectral_entropy(frames)
        assert normalized_spectral_entropy(1e-4 * frames @ rotation(12)) == pytest.approx(base, abs=1e-12)
        assert 0 < base < 1

    def test_the_mean_is_not_taken_away(self):
        frames = draw(40, 12)
        assert normalized_spectral_entropy(frames + 100) < 0.5 * normalized_spectral_entropy(frames)

    @pytest.mark.parametrize("frames", [torch.ones(1, 8), torch.ones(8, 1), torch.zeros(5, 4)])
    def test_undefined_cases_are_zero(self, frames):
        assert normalized_spectral_entropy(frames) == 0.0

    def test_mean_leaves_out_single_frames(self):
        utterances = [draw(20, 6), draw(1, 6), draw(9, 6)]
        expected = (normalized_spectral_entropy(utterances[0]) + normalized_spectral_entropy(utterances[2])) / 2
        assert mean_spectral_entropy(utterances) == pytest.approx(expected)
        with pytest.raises(ValueError, match="no utterance"):
            mean_spectral_entropy([draw(1, 6)])

    def test_bad_input_is_named(self):
        with pytest.raises(ValueError, match="frames holds NaN"):
            normalized_spectral_entropy(torch.tensor([[1.0, math.nan], [0.0, 1.0]]))
        with pytest.raises(ValueError, match="shape"):
            normalized_spectral_entropy(torch.ones(4))


class TestPooling:
    def test_mean_and_deviation(self):
        pooled = mean_std_pool(torch.tensor([[1.0, 10.0], [3.0, 10.0]]))
        assert pooled.tolist() == [2.0, 10.0, 1.0, 0.0]

    def test_one_frame_has_no_deviation(self):
        assert mean_std_pool(torch.tensor([[5.0, 7.0]])).tolist() == [5.0, 7.0, 0.0, 0.0]

    def test_bag_of_phones(self):
        assert bag_of_phones([3, 1, 1, 3], 5).tolist() == [0.0, 0.5, 0.0, 0.5, 0.0]
        assert bag_of_phones(torch.tensor([0]), 2).tolist() == [1.0, 0.0]

    @pytest.mark.parametrize(
        ("ids", "message"), [([], "without phones"), ([5], "vocabulary of 5"), ([-1], "vocabulary of 5")]
    )
    def test_bag_refuses(self, ids, message):
        with pytest.raises(ValueError, match=message):
            bag_of_phones(ids, 5)


def correlated(n, rho, k, seed=0):
    """Two (n, k) Gaussians with correlation rho between equal components, mixed and shifted."""
    a, noise = draw(n, k, seed=seed), draw(n, k, seed=seed + 1)
    return a, rho * a + math.sqrt(1 - rho**2) * noise


class TestAccessibleInformation:
    @pytest.mark.parametrize("rho", [0.3, 0.9])
    def test_pai_is_the_analytic_mutual_information(self, rho):
        u, p = correlated(100_000, rho, k=3)
        info = accessible_information(
            u @ draw(3, 3, seed=7) + 5, p @ draw(3, 3, seed=8), draw(100_000, 3, seed=5), 3, 1e-9
        )
        assert info.pai == pytest.approx(-3 / 2 * math.log2(1 - rho**2), rel=0.03)
        assert info.csai == pytest.approx(0.0, abs=1e-3)

    def test_csai_is_the_analytic_conditional_information(self):
        # u = P + C + noise, variances 1: each gives I(u; C | P) = log2(2) / 2, I(u; P) = log2(3 / 2) / 2.
        p, c, noise = (draw(100_000, 2, seed=s) for s in range(3))
        info = accessible_information(p + c + noise, p, c, 2, 1e-9)
        assert info.csai == pytest.approx(2 * 0.5, rel=0.03)
        assert info.pai == pytest.approx(2 * 0.5 * math.log2(1.5), rel=0.03)

    def test_semantics_that_phones_explain_do_not_count(self):
        p, noise = draw(100_000, 2), draw(100_000, 2, seed=1)
        info = accessible_information(p + 0.5 * noise, p, p + draw(100_000, 2, seed=2), 2, 1e-6)
        assert info.pai > 2
        assert info.csai < 1e-2

    def test_independence_is_nearly_zero(self):
        info = accessible_information(draw(50_000, 8), draw(50_000, 6, seed=1), draw(50_000, 7, seed=2), 4, 0.1)
        assert info.pai < 1e-3
        assert info.csai < 1e-3

    def test_rounding_never_goes_below_zero(self):
        flat = torch.ones(40, 4)
        found = [accessible_information(flat, draw(40, 5, seed=s), draw(40, 6, seed=s + 50), 4, 0.1) for s in range(20)]
        assert min(info.pai for info in found) >= 0
        assert min(info.csai for info in found) >= 0

    def test_pca_keeps_the_strong_directions(self):
        signal, p = correlated(20_000, 0.9, k=2)
        u = torch.cat([10 * signal, draw(20_000, 6, seed=5)], dim=1) @ rotation(8)
        info = accessible_information(u, p, draw(20_000, 2, seed=6), 2, 1e-9)
        assert info.pai == pytest.approx(-math.log2(1 - 0.9**2), rel=0.03)

    def test_invariances(self):
        u, p = correlated(500, 0.7, k=6)
        c = u + draw(500, 6, seed=4)
        base = accessible_information(u, p, c, 4, 0.1)
        moved = accessible_information(3 * u @ rotation(6) - 8, 0.01 * p @ rotation(6, seed=2), c + 1, 4, 0.1)
        assert moved == pytest.approx(base, abs=1e-9)

    def test_more_ridge_gives_less(self):
        u, p = correlated(500, 0.9, k=4)
        values = [accessible_information(u, p, u + p, 4, ridge).pai for ridge in (1e-3, 0.1, 1.0)]
        assert values == sorted(values, reverse=True)
        assert values[0] > 2 * values[2]

    def test_settings_are_reported(self):
        u = draw(20, 4)
        assert accessible_information(u, u, u, 2, 0.25)[2:] == (2, 0.25)

    def test_components_without_variance_say_nothing(self):
        flat = torch.full((50, 6), 0.3, dtype=torch.float64)
        u = draw(50, 6)
        assert accessible_information(flat, u, u, 3, 0.1)[:2] == pytest.approx((0.0, 0.0), abs=1e-12)
        one = u[:, :1] @ draw(1, 6, seed=3)  # rank 1: as much as its one component
        narrow = accessible_information(one, u, draw(50, 6, seed=8), 3, 0.1).pai
        alone = torch.cat([one[:, :1], torch.zeros(50, 2)], dim=1)
        assert narrow == pytest.approx(accessible_information(alone, u, draw(50, 6, seed=8), 3, 0.1).pai, abs=1e-9)

    @pytest.mark.parametrize(
        ("pca_dim", "ridge", "message"),
        [(0, 0.1, "pca_dim is 0"), (7, 0.1, "allow 1 to 6"), (2, 0.0, "ridge is 0")],
    )
    def test_settings_are_checked(self, pca_dim, ridge, message):
        u = draw(30, 6)
        with pytest.raises(ConfigError, match=message):
            accessible_information(u, u, u, pca_dim, ridge)

    def test_utterances_are_checked(self):
        u = draw(30, 6)
        with pytest.raises(ConfigError, match="allow 1 to 2"):
            accessible_information(u[:3], u[:3], u[:3], 3, 0.1)
        with pytest.raises(ValueError, match="30, 29 and 30"):
            accessible_information(u, u[:29], u, 2, 0.1)
        with pytest.raises(ValueError, match="c holds NaN"):
            accessible_information(u, u, u * math.nan, 2, 0.1)


class TestGaussianInformation:
    def covariance(self, k=9):
        mix = draw(k, k)
        return mix @ mix.T + 0.1 * torch.eye(k, dtype=torch.float64)

    def test_chain_rule(self):
        covariance = self.covariance()
        u, p, c = torch.arange(9).split([4, 2, 3])
        parts = gaussian_information(covariance, u, p) + gaussian_information(covariance, u, c, given=p)
        assert gaussian_information(covariance, u, torch.cat([p, c])) == pytest.approx(parts, abs=1e-10)

    def test_symmetric_and_invariant_within_a_variable(self):
        covariance = self.covariance()
        u, p, c = torch.arange(9).split([4, 2, 3])
        forward = gaussian_information(covariance, u, p, given=c)
        assert gaussian_information(covariance, p, u, given=c) == pytest.approx(forward, abs=1e-10)
        change = torch.block_diag(draw(4, 4, seed=1), draw(2, 2, seed=2), draw(3, 3, seed=3))
        assert gaussian_information(change @ covariance @ change.T, u, p, given=c) == pytest.approx(forward, abs=1e-8)

    def test_correlation_of_two_variables(self):
        covariance = torch.tensor([[1.0, 0.6], [0.6, 1.0]], dtype=torch.float64)
        a, b = torch.tensor([0]), torch.tensor([1])
        assert gaussian_information(covariance, a, b) == pytest.approx(-0.5 * math.log2(1 - 0.36), abs=1e-12)

    def test_no_covariance_is_refused(self):
        with pytest.raises(torch.linalg.LinAlgError):
            gaussian_information(torch.tensor([[1.0, 2.0], [2.0, 1.0]]), torch.tensor([0]), torch.tensor([1]))
