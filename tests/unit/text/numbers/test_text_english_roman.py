"""Roman numerals, as a specification: one case a line."""

import pytest

from earmark.text.normalise import normalise
from earmark.text.numbers.english_roman import value

CASES = [
    ("World War II", "world war two"),
    ("World War I ended", "world war one ended"),
    ("world war ii", "world war two"),
    ("Chapter IV", "chapter four"),
    ("CHAPTER XII", "chapter twelve"),
    ("type II diabetes", "type two diabetes"),
    ("Super Bowl LIV", "super bowl fifty four"),
    ("Henry VIII", "henry the eighth"),
    ("Louis XIV of France", "louis the fourteenth of france"),
    ("Elizabeth I was queen", "elizabeth the first was queen"),
    ("Pope John Paul II", "pope john paul the second"),
    ("Queen Elizabeth II's reign", "queen elizabeth the second's reign"),
    ("Rocky III", "rocky three"),
    ("IV", "four"),
    # none of these is a numeral
    ("Malcolm X", "malcolm x"),
    ("Elizabeth I know", "elizabeth i know"),
    ("an IV drip", "an iv drip"),
    ("Xi Jinping", "xi jinping"),
    ("size XL", "size xl"),
    ("Chapter IIX", "chapter iix"),
    ("vi", "vi"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_numerals(text, expected):
    assert normalise(text, "en") == expected == normalise(expected, "en")


def test_numerals_beside_han():
    assert normalise("第III期临床", "zh") == "第三期临床"


@pytest.mark.parametrize(
    ("numeral", "number"), [("I", 1), ("iv", 4), ("XLIX", 49), ("MCMXCIX", 1999), ("IIX", 0), ("VV", 0), ("", 0)]
)
def test_value(numeral, number):
    assert value(numeral) == number
