"""Muon: torch's own to bfloat16's accuracy, and orthogonal updates."""

import pytest
import torch

from earmark.standin.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(24, 24), (96, 32), (32, 96)])
def test_singular_values_come_near_one_and_vectors_stay(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    size = min(shape)
    left, _ = torch.linalg.qr(torch.randn(shape[0], size))
    right, _ = torch.linalg.qr(torch.randn(shape[1], size))
    found = orthogonal(left * torch.logspace(0, -2, size) @ right.T)
    values = left.T @ found @ right
    assert ((values.diagonal() > 0.6) & (values.diagonal() < 1.25)).all()
    assert (values - torch.diag(values.diagonal())).abs().max() < 1e-4
    torch.testing.assert_close(left @ values @ right.T, found, rtol=0, atol=1e-4)


def test_a_matrix_of_zeros_stays_one() -> None:
    assert orthogonal(torch.zeros(4, 8)).abs().max() == 0


@pytest.mark.parametrize("shape", [(16, 16), (48, 16), (16, 48)])
def test_steps_are_those_of_torch(shape: tuple[int, int]) -> None:
    torch.manual_seed(2)
    start, gradients = torch.randn(shape), torch.randn(5, *shape)
    moved = []
    for theirs in (False, True):
        parameter = torch.nn.Parameter(start.clone())
        optimizer = (
            torch.optim.Muon([parameter], lr=0.01, weight_decay=0, adjust_lr_fn="match_rms_adamw")
            if theirs
            else Muon([parameter], 0.01)
        )
        for gradient in gradients:
            parameter.grad = gradient.clone()
            optimizer.step()
        moved.append(parameter.detach() - start)
    ours, expected = moved
    assert expected.norm() > 0.1
    assert (ours - expected).norm() < 0.02 * expected.norm()


def test_parameters_without_gradient_stay() -> None:
    used, unused = (torch.nn.Parameter(torch.ones(3, 3)) for _ in range(2))
    used.grad = torch.eye(3)
    Muon([used, unused], 0.1).step()
    assert not torch.equal(used.detach(), torch.ones(3, 3))
    assert torch.equal(unused.detach(), torch.ones(3, 3))
