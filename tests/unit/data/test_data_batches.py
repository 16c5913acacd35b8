"""The batch plan as a theorem: a pure function of (index, seed, number of the batch)."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earmark.data.batches import BatchPlan, Strand, rates
from earmark.errors import TrainingError

LENGTHS = np.sort(np.random.default_rng(3).integers(20, 400, 500))
LARGE = np.sort(np.random.default_rng(4).integers(20, 60, 60_000).astype(np.int32))

lengths_of_corpora = st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=200), min_size=1, max_size=4)
shares = st.lists(st.floats(0.05, 1), min_size=4, max_size=4)


def strands(corpora: list[list[int]], parts: list[float]) -> tuple[list[Strand], np.ndarray]:
    """Strands one after the other, and the length of every row."""
    sizes = [0, *np.cumsum([len(one) for one in corpora]).tolist()]
    made = [Strand(np.sort(one), first, part) for one, first, part in zip(corpora, sizes, parts, strict=False)]
    return made, np.concatenate([one.frames for one in made])


def epoch(plan: BatchPlan, number: int) -> list[np.ndarray]:
    """All batches of an epoch, in their order."""
    return [plan.rows(one) for one in range(number * plan.batches, (number + 1) * plan.batches)]


@given(lengths_of_corpora, shares, st.integers(50, 300), st.integers(0, 5), st.integers(1, 8))
@settings(max_examples=150, deadline=None)
def test_budget_holds_and_no_utterance_comes_twice(corpora, parts, budget, seed, group) -> None:
    made, frames = strands(corpora, parts)
    plan = BatchPlan(made, budget, seed, group)
    for number in (0, 3):
        batches = epoch(plan, number)
        for rows in batches:
            assert len(rows) > 0
            assert frames[rows].max() * len(rows) <= budget
        seen = np.concatenate(batches)
        assert (
            len(set(seen.tolist())) == len(seen)
            or sum(max(1, round(one.rate * len(one.frames))) for one in made) < group
        )


@given(lengths_of_corpora, st.integers(50, 300), st.integers(0, 5), st.integers(1, 8))
@settings(max_examples=100, deadline=None)
def test_an_epoch_has_every_utterance_once_and_no_remainder(corpora, budget, seed, group) -> None:
    made, frames = strands(corpora, [1.0] * 4)
    plan = BatchPlan(made, budget, seed, group)
    assert plan.batches % group == 0
    for number in (0, 1, 7):
        batches = epoch(plan, number)
        seen = set(np.concatenate(batches).tolist())
        # All of them; but where every batch is down to one utterance, fewer than a group may be left out.
        assert seen == set(range(len(frames))) or (max(map(len, batches)) == 1 and len(frames) - len(seen) < group)


@given(lengths_of_corpora, shares, st.integers(0, 5))
@settings(max_examples=50, deadline=None)
def test_taking_turns_every_utterance_is_heard(corpora, parts, seed) -> None:
    """In so many epochs as a corpus's share asks for, and one more, all of its utterances come."""
    made, frames = strands(corpora, parts)
    plan = BatchPlan(made, 300, seed)
    # 2: a stratum's share is rounded, so that some wait longer.
    rounds = max(int(np.ceil(2 * len(one.frames) / max(1, round(one.rate * len(one.frames))))) for one in made)
    seen = {row for number in range(rounds + 1) for rows in epoch(plan, number) for row in rows.tolist()}
    assert seen == set(range(len(frames)))


def test_corpora_come_as_often_as_their_rates_say_and_evenly() -> None:
    made = [Strand(LENGTHS, 0, 0.3), Strand(LENGTHS[:100], 500, 1.0)]
    plan = BatchPlan(made, 2000, seed=1)
    counts = np.zeros(600, dtype=int)
    for number in range(100):
        rows = np.concatenate(epoch(plan, number))
        assert ((rows < 500).sum(), (rows >= 500).sum()) == (150, 100)
        counts[rows] += 1
    assert set(counts[500:]) == {100}
    assert counts[:500].min() >= 27 and counts[:500].max() <= 33


def test_rates_follow_hours_and_weights() -> None:
    assert rates([100, 10], [None, None], 1.0) == [1.0, 1.0]
    assert rates([100, 10], [None, None], 0.5) == pytest.approx([10 / 100 / (10**0.5 / 10), 1.0])
    assert rates([100, 10], [None, None], 0.0) == pytest.approx([0.1, 1.0])
    # The small corpus counts as 20 hours: it comes twice while the other comes once.
    assert rates([100, 10], [None, 20.0], 1.0) == [0.5, 1.0]


@pytest.mark.parametrize("world", [1, 2, 4, 8])
def test_steps_take_the_same_utterances_on_any_number_of_ranks(world: int) -> None:
    plan = BatchPlan([Strand(LENGTHS)], 2000, seed=1, group=8)
    accumulation = 16 // world
    for step in range(2 * plan.batches // 16):
        taken = [
            plan.rows((step * accumulation + micro) * world + rank)
            for micro in range(accumulation)
            for rank in range(world)
        ]
        assert [rows.tolist() for rows in taken] == [plan.rows(16 * step + one).tolist() for one in range(16)]


def test_ranks_of_one_step_meet_like_lengths() -> None:
    plan = BatchPlan([Strand(LENGTHS)], 2000, seed=1, group=4)
    means = np.array([LENGTHS[rows].mean() for rows in epoch(plan, 0)]).reshape(-1, 4)
    assert np.ptp(means, axis=1).mean() < 0.2 * LENGTHS.std()
    assert len(np.unique(means.mean(axis=1)[:5].argsort())) == 5
    assert not (np.diff(means.mean(axis=1)) >= 0).all()  # and the groups are shuffled


@pytest.mark.parametrize("frames", [LENGTHS, LARGE])
def test_any_batch_is_drawn_without_those_before(frames: np.ndarray) -> None:
    """Resuming: a fresh plan gives the same batch; the epoch as a whole is its batches."""
    plan = BatchPlan([Strand(frames, 7)], 2000, 1, 4)
    drawn = {
        number: rows.tolist()
        for part in plan.epoch(5)
        for number, rows in zip(part.numbers.tolist(), np.split(part.rows, part.bounds[1:-1]), strict=True)
    }
    assert sorted(drawn) == list(range(5 * plan.batches, 6 * plan.batches))
    for number in list(drawn)[:: max(1, len(drawn) // 20)]:
        assert BatchPlan([Strand(frames, 7)], 2000, 1, 4).rows(number).tolist() == drawn[number]
    assert sorted(itertools.chain(*drawn.values())) == list(range(7, 7 + len(frames)))


def test_epochs_and_seeds_differ() -> None:
    plan, other = BatchPlan([Strand(LENGTHS)], 2000, seed=1), BatchPlan([Strand(LENGTHS)], 2000, seed=2)
    first = [rows.tolist() for rows in epoch(plan, 0)]
    assert first != [rows.tolist() for rows in epoch(plan, 1)]
    assert first != [rows.tolist() for rows in epoch(other, 0)]
    assert {tuple(sorted(rows)) for rows in first} != {tuple(sorted(rows)) for rows in map(list, epoch(plan, 1))}


@pytest.mark.parametrize("count", [2, 3, 700, 5000])
def test_neighbours_are_shuffled_evenly(count: int) -> None:
    """Where an utterance among equally long ones stands: over many epochs, everywhere alike."""
    plan = BatchPlan([Strand(np.full(count, 10))], 10 * count, seed=1)
    places = np.array([np.flatnonzero(plan.rows(number) == 1)[0] for number in range(400)])
    assert abs(places.mean() - (count - 1) / 2) < 4 * count / 12**0.5 / 400**0.5
    assert abs(np.corrcoef(places[:-1], places[1:])[0, 1]) < 0.2
    neighbours = np.diff(plan.rows(3))
    assert count < 10 or (neighbours == 1).mean() < 0.05


def test_little_is_padding() -> None:
    plan = BatchPlan([Strand(LARGE)], 4000, seed=1, group=8)
    padded = sum(int(LARGE[rows].max()) * len(rows) for rows in epoch(plan, 0))
    found = 1 - LARGE.sum() / padded
    assert found < 0.005
    assert plan.padding() == pytest.approx(found, abs=1e-4)


def test_the_shortest_alone_for_a_curriculum() -> None:
    made = [Strand(LENGTHS[::2], 0), Strand(LENGTHS[1::2], 250)]
    frames = np.concatenate([one.frames for one in made])
    plan = BatchPlan(made, 2000, seed=1, shortest=0.35)
    for number in (0, 1):
        seen = np.concatenate(epoch(plan, number))
        assert len(set(seen.tolist())) == len(seen) == 175
        assert sorted(frames[seen].tolist()) == LENGTHS[:175].tolist()


def test_more_ranks_than_utterances_still_step() -> None:
    plan = BatchPlan([Strand(np.array([10, 20]))], 40, seed=1, group=3)
    assert plan.batches == 3
    assert all(len(plan.rows(number)) == 1 for number in range(3))


def test_utterance_over_the_budget_is_an_error_that_says_so() -> None:
    with pytest.raises(TrainingError, match=r"401 frames exceeds frames_per_batch 400"):
        BatchPlan([Strand(np.array([100, 401]))], 400, seed=1)


def test_no_utterance_is_an_error() -> None:
    with pytest.raises(TrainingError, match="no utterances"):
        BatchPlan([Strand(np.array([], dtype=np.int64))], 400, seed=1)
