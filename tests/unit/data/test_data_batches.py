"""The batch plan as a theorem: a pure function of (index, seed, step, rank, world)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earmark.data.batches import BatchPlan
from earmark.errors import TrainingError

LENGTHS = np.random.default_rng(3).integers(20, 400, 500)


def epoch(plan: BatchPlan, number: int) -> list[np.ndarray]:
    """All batches of an epoch, over all ranks."""
    steps = range(number * plan.steps, (number + 1) * plan.steps)
    return [plan.rows(step, rank) for step in steps for rank in range(plan.world)]


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(50, 200), st.integers(0, 5), st.integers(1, 4)
)
@settings(max_examples=100, deadline=None)
def test_budget_holds_and_no_utterance_comes_twice(lengths, budget, seed, world) -> None:
    frames = np.array(lengths)
    plan = BatchPlan(frames, budget, seed, world)
    batches = epoch(plan, 0)
    for rows in batches:
        assert len(rows) > 0
        assert frames[rows].max() * len(rows) <= budget
    if len(plan.cuts) - 1 >= world:
        seen = np.concatenate(batches)
        assert len(set(seen.tolist())) == len(seen)


def test_one_rank_sees_every_utterance_in_an_epoch() -> None:
    plan = BatchPlan(LENGTHS, 2000, seed=1)
    for number in (0, 1, 7):
        seen = np.concatenate(epoch(plan, number))
        assert sorted(seen.tolist()) == list(range(len(LENGTHS)))


@pytest.mark.parametrize("world", [2, 3, 5])
def test_ranks_miss_less_than_a_group(world: int) -> None:
    plan = BatchPlan(LENGTHS, 2000, seed=1, world=world)
    seen = np.concatenate(epoch(plan, 0))
    assert len(set(seen.tolist())) == len(seen)
    missing = (len(plan.cuts) - 1) % world
    assert len(LENGTHS) - len(seen) <= missing * 2000 / LENGTHS.min()


def test_ranks_of_one_step_meet_like_lengths() -> None:
    plan = BatchPlan(LENGTHS, 2000, seed=1, world=4)
    spread = [np.ptp([LENGTHS[plan.rows(step, rank)].mean() for rank in range(4)]) for step in range(plan.steps)]
    assert np.mean(spread) < 0.2 * LENGTHS.std()


def test_any_step_is_drawn_without_those_before() -> None:
    """Resuming: the first k batches of one plan and the rest of another are the whole of a third."""
    whole = BatchPlan(LENGTHS, 2000, seed=1, world=2)
    steps = 3 * whole.steps
    expected = [whole.rows(step, rank).tolist() for step in range(steps) for rank in range(2)]
    for cut in (1, whole.steps, whole.steps + 1, steps - 1):
        first, second = BatchPlan(LENGTHS, 2000, 1, 2), BatchPlan(LENGTHS, 2000, 1, 2)
        found = [first.rows(step, rank).tolist() for step in range(cut) for rank in range(2)]
        found += [second.rows(step, rank).tolist() for step in range(cut, steps) for rank in range(2)]
        assert found == expected


def test_epochs_and_seeds_differ() -> None:
    plan, other = BatchPlan(LENGTHS, 2000, seed=1), BatchPlan(LENGTHS, 2000, seed=2)
    first = [rows.tolist() for rows in epoch(plan, 0)]
    assert first != [rows.tolist() for rows in epoch(plan, 1)]
    assert first != [rows.tolist() for rows in epoch(other, 0)]


def test_little_is_padding() -> None:
    plan = BatchPlan(LENGTHS, 4000, seed=1)
    padded = sum(LENGTHS[rows].max() * len(rows) for rows in epoch(plan, 0))
    assert LENGTHS.sum() / padded > 0.95


def test_more_ranks_than_batches_still_step() -> None:
    plan = BatchPlan(np.array([10, 20]), 40, seed=1, world=3)
    assert plan.steps == 1
    assert all(len(plan.rows(0, rank)) > 0 for rank in range(3))


def test_utterance_over_the_budget_is_an_error_that_says_so() -> None:
    with pytest.raises(TrainingError, match=r"401 frames exceeds frames_per_batch 400"):
        BatchPlan(np.array([100, 401]), 400, seed=1)


def test_no_utterance_is_an_error() -> None:
    with pytest.raises(TrainingError, match="no utterances"):
        BatchPlan(np.array([], dtype=np.int64), 400, seed=1)
