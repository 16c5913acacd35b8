"""What encoder frames hold: spectral entropy (NSE), phonetic (PAI) and further semantic information (CSAI).

    frames (L, d) -- singular values ------------------------------> NSE, in [0, 1]
    frames (L, d) -- mean and std over time --> u (N, 2d) --+
    phones        -- bag of phones -----------> P (N, V) ---+-- PCA, joint Gaussian --> PAI, CSAI, in bits
    transcript    -- text embedding ----------> C (N, m) ---+

All in float64. PAI and CSAI are proxies that depend on the PCA dimension and the ridge, and with few
utterances they are biased upwards (about k * k / (2 N log 2) bits for N utterances and k components): compare
only values with the same settings and utterances.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from earmark.errors import ConfigError


class AccessibleInformation(NamedTuple):
    """PAI and CSAI in bits, with the two settings that they depend on."""

    pai: float
    csai: float
    pca_dim: int
    ridge: float


def normalized_spectral_entropy(frames: Tensor) -> float:
    """NSE: entropy of the singular values, divided by the log of their number (paper Eqs. 6-7).

    Args:
        frames: (L, d) valid frames of one utterance, not centred.

    Returns:
        In [0, 1]: 1 for equal strength in all min(L, d) directions, 0 for frames along one direction; 0 too
        for one frame, one feature, or all zero, where the formula is 0/0.

    Raises:
        ValueError: not (L, d), or a value is NaN or infinite.

    """
    _check_matrix(frames, "frames")
    sigma = torch.linalg.svdvals(frames.detach().to(torch.float64))
    total = sigma.sum()
    if len(sigma) < 2 or total == 0:
        return 0.0
    # The maximum takes away the -0.0 and the rounding below it.
    return max(float(torch.special.entr(sigma / total).sum()) / math.log(len(sigma)), 0.0)


def mean_spectral_entropy(utterances: Iterable[Tensor]) -> float:
    """Mean NSE over utterances, each (L_i, d); those of one frame are left out, as it is undefined there.

    Raises:
        ValueError: no utterance has two frames.

    """
    entropies = [normalized_spectral_entropy(frames) for frames in utterances if len(frames) > 1]
    if not entropies:
        raise ValueError("no utterance has two frames or more: the mean spectral entropy is undefined")
    return sum(entropies) / len(entropies)


def mean_std_pool(frames: Tensor) -> Tensor:
    """Mean and population standard deviation over time, (L, d) -> (2d,) float64 (paper section 3.2).

    One frame has the deviation 0.
    """
    _check_matrix(frames, "frames")
    frames = frames.detach().to(torch.float64)
    return torch.cat([frames.mean(dim=0), frames.std(dim=0, correction=0)])


def bag_of_phones(ids: Sequence[int] | Tensor, vocabulary: int) -> Tensor:
    """Share of each phone in an utterance, (V,) float64 with sum 1 (paper section 3.2).

    Args:
        ids: phone ids of the utterance, each in [0, vocabulary).
        vocabulary: number of phones V.

    Raises:
        ValueError: no phones, or an id outside the vocabulary.

    """
    ids = torch.as_tensor(ids, dtype=torch.long)
    if not ids.numel():
        raise ValueError("an utterance without phones has no bag of phones: leave it out")
    if ids.min() < 0 or ids.max() >= vocabulary:
        raise ValueError(f"phone ids {int(ids.min())} to {int(ids.max())} do not fit a vocabulary of {vocabulary}")
    return torch.bincount(ids, minlength=vocabulary).to(torch.float64) / ids.numel()


def accessible_information(u_raw: Tensor, p: Tensor, c: Tensor, pca_dim: int, ridge: float) -> AccessibleInformation:
    """PAI = I(u; P) and CSAI = I(u; C | P) in bits under a joint Gaussian with ridge (paper Eqs. 8-9).

    Args:
        u_raw: (N, 2d) pooled frames of N utterances, see `mean_std_pool`.
        p: (N, V) bags of phones, see `bag_of_phones`.
        c: (N, m) sentence embeddings of the transcripts.
        pca_dim: components kept of each of the three, and standardised. One without variance is set to 0 and
            informs about nothing.
        ridge: added to the diagonal of the joint correlation matrix.

    Returns:
        Both values, clipped at 0, with the settings.

    Raises:
        ConfigError: pca_dim is more than the utterances or features allow, or ridge is not above 0.
        ValueError: the utterances do not correspond, or a value is NaN or infinite.

    """
    if not ridge > 0:
        raise ConfigError(f"ridge is {ridge}: it keeps the covariance invertible, give a number above 0, say 0.1")
    if not len(u_raw) == len(p) == len(c):
        raise ValueError(f"u, p and c describe {len(u_raw)}, {len(p)} and {len(c)} utterances: give the same ones")
    blocks = [_standardised_components(block, name, pca_dim) for name, block in (("u", u_raw), ("p", p), ("c", c))]
    q = torch.cat(blocks, dim=1)
    covariance = q.T @ q / len(q) + ridge * torch.eye(3 * pca_dim, dtype=q.dtype, device=q.device)
    of_u, of_p, of_c = torch.arange(3 * pca_dim, device=q.device).split(pca_dim)
    pai = gaussian_information(covariance, of_u, of_p)
    csai = gaussian_information(covariance, of_u, of_c, given=of_p)
    return AccessibleInformation(max(pai, 0.0), max(csai, 0.0), pca_dim, ridge)


def gaussian_information(covariance: Tensor, a: Tensor, b: Tensor, given: Tensor | None = None) -> float:
    """Mutual information I(A; B | C) in bits of jointly Gaussian variables, not clipped (paper Eqs. 25, 34).

    Args:
        covariance: (k, k) positive definite covariance of all variables.
        a: indices of A.
        b: indices of B.
        given: indices of C, whose linear part is removed by the Schur complement (Eq. 28); None for I(A; B).

    """
    ab = torch.cat([a, b])
    joint = covariance[ab][:, ab]
    if given is not None:
        cross = covariance[given][:, ab]
        joint = joint - cross.T @ torch.linalg.solve(covariance[given][:, given], cross)
    size = len(a)
    determinants = _logdet(joint[:size, :size]) + _logdet(joint[size:, size:]) - _logdet(joint)
    return determinants / (2 * math.log(2))


def _logdet(matrix: Tensor) -> float:
    # Not slogdet: Cholesky fails on a matrix that is no covariance, where slogdet returns a number.
    return float(2 * torch.linalg.cholesky(matrix).diagonal().log().sum())


def _standardised_components(x: Tensor, name: str, pca_dim: int) -> Tensor:
    """First `pca_dim` principal components of (N, D), of mean 0 and variance 1, or 0 if nothing varies."""
    _check_matrix(x, name)
    most = min(len(x) - 1, x.shape[1])
    if not 1 <= pca_dim <= most:
        raise ConfigError(
            f"pca_dim is {pca_dim}, but {len(x)} utterances of {name} with {x.shape[1]} features"
            f" allow 1 to {most}: lower it, or give more utterances"
        )
    x = x.detach().to(torch.float64)
    u, sigma, _ = torch.linalg.svd(x - x.mean(dim=0), full_matrices=False)
    # Left singular vectors have unit length, so they are the standardised components up to sqrt(N).
    rounding = max(x.shape) * torch.finfo(x.dtype).eps * x.norm()
    return u[:, :pca_dim] * math.sqrt(len(x)) * (sigma[:pca_dim] > rounding)


def _check_matrix(x: Tensor, name: str) -> None:
    if x.dim() != 2 or not x.numel():
        raise ValueError(f"{name} has the shape {tuple(x.shape)}: give two dimensions, neither of them 0")
    if not torch.isfinite(x).all():
        raise ValueError(f"{name} holds NaN or infinity: its entropy is undefined")
