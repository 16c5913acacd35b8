"""Utterances spread over corpora and languages."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tiny import TinyRun

from earmark.data.dataset import Dataset
from earmark.data.spread import chosen, evenly, spread
from earmark.text.inventory import Inventory


def test_places_lie_at_equal_distances() -> None:
    assert evenly(10, 5).tolist() == [0, 2, 4, 6, 8]
    assert evenly(7, 3).tolist() == [0, 2, 4]
    assert evenly(3, 9).tolist() == [0, 1, 2]
    assert evenly(0, 4).tolist() == []


def test_each_group_has_as_many_as_the_others_while_it_lasts() -> None:
    groups = {"a": list(range(1000)), "b": [2000, 2001], "c": list(range(3000, 3100))}
    found = chosen(groups, 22)
    assert [sum(found < 1000), sum((found >= 2000) & (found < 3000)), sum(found >= 3000)] == [10, 2, 10]
    assert found[:3].tolist() == [0, 100, 200]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(1, 60))
def test_as_many_as_are_wanted_or_there(sizes: list[int], count: int) -> None:
    groups = {number: list(range(100 * number, 100 * number + size)) for number, size in enumerate(sizes)}
    found = chosen(groups, count)
    assert len(found) == len(set(found.tolist())) == min(count, sum(sizes))
    assert found.tolist() == sorted(found.tolist())
    taken = [sum(found // 100 == number) for number in range(len(sizes))]
    assert all(one >= max(taken) - 1 or one == size for one, size in zip(taken, sizes, strict=True))


def test_of_a_split_languages_are_even(tiny_run: TinyRun) -> None:
    dataset = Dataset(tiny_run.paths.dataset, Inventory.load())
    whole = dataset.split("valid")
    assert np.array_equal(spread(dataset, "valid", 100), whole)
    found = spread(dataset, "valid", 2)
    assert sorted(one.language for one in dataset.labels(found)) == ["en", "zh"]
    assert np.array_equal(spread(dataset, "valid", 2), found)
