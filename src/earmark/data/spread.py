"""A settled number of utterances of a split, spread evenly over its corpora and languages.

A pure function of the dataset: the watch compares encoders on the same utterances whenever it looks.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from earmark.data.dataset import Dataset

LOOKED_AT = 8
"""So many times as many rows as are wanted are looked at in each corpus: the index has no languages."""


def spread(dataset: Dataset, split: str, count: int) -> np.ndarray:
    """Rows (N,) of `split` in the order of the index, N at most `count`; all where there are no more.

    Each corpus, and within it each language, has as many as the others as far as it has any; of a language the rows lie
    at equal distances in the order of the index.
    """
    rows = dataset.split(split)
    if len(rows) <= count:
        return rows
    groups: dict[tuple[str, str], list[int]] = {}
    for corpus, part in dataset.parts(split).items():
        looked_at = part[evenly(len(part), LOOKED_AT * count)]
        for row, label in zip(looked_at.tolist(), dataset.labels(looked_at), strict=True):
            groups.setdefault((corpus, label.language), []).append(row)
    return chosen(groups, count)


def chosen(groups: Mapping[Any, list[int]], count: int) -> np.ndarray:
    """Rows of groups, as many of each as of the others while they last, sorted."""
    taken = dict.fromkeys(groups, 0)
    left = count
    while left and (open_ := [name for name, rows in groups.items() if taken[name] < len(rows)]):
        share = max(1, left // len(open_))
        for name in open_[:left]:
            more = min(share, len(groups[name]) - taken[name])
            taken[name] += more
            left -= more
    found = [np.array(rows)[evenly(len(rows), taken[name])] for name, rows in groups.items()]
    return np.sort(np.concatenate([np.arange(0), *found]))


def evenly(size: int, count: int) -> np.ndarray:
    """`count` places (all of them where there are fewer) at equal distances among `size`."""
    count = min(size, count)
    return (np.arange(count) * size) // max(1, count)
