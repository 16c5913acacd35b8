import itertools

import pytest
import torch

from earmark.decode.ctc import ctc_greedy


def frames(*paths, width=6):
    longest = max(len(p) for p in paths)
    padded = torch.tensor([list(p) + [5] * (longest - len(p)) for p in paths])
    return torch.nn.functional.one_hot(padded, width).float(), torch.tensor([len(p) for p in paths])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ([1, 1, 2, 2, 2], [1, 2]),
        ([1, 0, 1], [1, 1]),
        ([0, 0, 3, 0, 0], [3]),
        ([0, 0, 0], []),
        ([2], [2]),
        ([1, 2, 1, 1, 0, 0, 1], [1, 2, 1, 1]),
    ],
)
def test_collapse(path, expected):
    assert ctc_greedy(*frames(path)) == [expected]


def test_padded_frames_say_nothing():
    logits, lengths = frames([1, 2], [1, 0, 1, 3, 3], [])
    assert ctc_greedy(logits, lengths) == [[1, 2], [1, 1, 3], []]


def test_another_blank():
    assert ctc_greedy(*frames([4, 0, 0, 4, 0]), blank=4) == [[0, 0]]


def test_agrees_with_the_definition_on_random_paths():
    logits = torch.randn(8, 40, 4, generator=torch.Generator().manual_seed(0))
    expected = [[s for s, _ in itertools.groupby(row) if s != 0] for row in logits.argmax(-1).tolist()]
    assert ctc_greedy(logits, torch.full((8,), 40)) == expected


@pytest.mark.parametrize("lengths", [[3, 6], [-1, 2], [3]])
def test_lengths_are_checked(lengths):
    with pytest.raises(ValueError, match="do not fit 2 utterances of up to 5 frames"):
        ctc_greedy(torch.zeros(2, 5, 3), torch.tensor(lengths))
