"""Memory comes back when nobody can see it any more, not before."""

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from earmark.data.memory import SPARE, Recycled


def place(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def test_a_tensor_that_is_gone_leaves_its_memory_to_the_next() -> None:
    memory = Recycled()
    first = memory.empty(4, 1000, 80)
    at = place(first)
    del first
    second = memory.empty(4, 990, 80)
    assert (place(second), second.shape, second.dtype) == (at, (4, 990, 80), torch.float32)
    assert second.is_contiguous() and second.data_ptr() % 64 == 0


@pytest.mark.parametrize(
    "look",
    [lambda given: given[1, 5:10], lambda given: given.detach(), lambda given: given[0].numpy()],
    ids=["view", "detached", "array"],
)
def test_memory_that_is_still_seen_is_not_given_away(look: Callable[[torch.Tensor], Any]) -> None:
    memory = Recycled()
    features = memory.empty(2, 1000, 80).fill_(3.0)
    at, seen = place(features), look(features)
    del features
    gc.collect()
    memory.empty(2, 1000, 80).fill_(7.0)
    assert (np.asarray(seen) == 3).all()
    del seen
    gc.collect()
    assert at in {place(one) for one in [memory.empty(2, 1000, 80) for _ in range(3)]}


def test_what_a_backward_pass_needs_is_not_given_away() -> None:
    memory, weight = Recycled(), torch.ones(80, requires_grad=True)
    loss = (memory.empty(2, 1000, 80).fill_(3.0) * weight).sum()
    memory.empty(2, 1000, 80).fill_(7.0)
    loss.backward()
    assert weight.grad is not None and (weight.grad == 6000).all()


def test_much_larger_memory_is_not_spent_on_a_small_tensor() -> None:
    memory = Recycled()
    large = memory.empty(16, 2000, 80)
    at = place(large)
    del large
    small = memory.empty(1, 5000, 80)
    assert place(small) != at
    assert place(memory.empty(8, 2000, 80)) == at


def test_few_blocks_are_kept() -> None:
    memory = Recycled()
    held = [memory.empty(1, 5000, 80) for _ in range(3 * SPARE)]
    held.clear()
    memory.empty(1, 1, 1)
    assert len(memory._spare) <= SPARE + 1
