"""The list of differences from WeTextProcessing is true: each example is read as the list says, by both."""

import re

import pytest

from earmark.text.normalise import normalise
from earmark.text.numbers.deviations import DEVIATIONS, NEMO, WETEXT_TESTS, deviation
from earmark.text.numbers.wetext import normaliser


@pytest.mark.parametrize("one", DEVIATIONS, ids=[one.example for one in DEVIATIONS])
def test_example_is_read_as_the_list_says(one):
    assert normalise(one.example, one.language) == one.ours
    assert deviation(one.example, one.language), "the pattern has to find its own example"


@pytest.mark.parametrize("one", DEVIATIONS, ids=[one.example for one in DEVIATIONS])
def test_wetextprocessing_reads_the_example_otherwise(one):
    theirs = normaliser(one.language).normalize(one.example)
    assert normalise(theirs, one.language) == one.theirs
    assert one.theirs != one.ours


@pytest.mark.parametrize("one", [*NEMO, *WETEXT_TESTS], ids=[one.example for one in [*NEMO, *WETEXT_TESTS]])
def test_the_peers_tests_read_the_example_otherwise(one):
    assert normalise(one.example, one.language) == one.ours != one.theirs
    assert normalise(one.theirs, one.language) == one.theirs, "canonical spelling"
    assert re.search(one.pattern, one.example), "the pattern has to find its own example"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我有3个苹果", "zh"),
        ("2020年5月1日", "zh"),
        ("涨了3.5%", "zh"),
        ("I have 3 apples", "en"),
        ("$5.20", "en"),
        ("at 3:30 pm", "en"),
    ],
)
def test_ordinary_numbers_are_outside_the_list(text, language):
    assert deviation(text, language) is None
