"""English phones where espeak-ng says what is not written."""

import itertools

import pytest

from earmark.text.english import english_phones
from earmark.text.numbers.english_roman import value


def test_no_numeral_is_called_roman():
    letters = ("".join(word) for size in (2, 3, 4, 5) for word in itertools.product("ivxl", repeat=size))
    numerals = [word for word in letters if value(word)]
    read = english_phones([*numerals, *(f"the {word} one" for word in numerals)])
    assert len(numerals) > 60
    assert not [run for run, phones in read.items() if "ɹ oʊ m ə n" in " ".join(phones)]


@pytest.mark.parametrize(
    ("run", "phones"),
    [
        ("xi jinping", "ʃ iː dʒ ɪ n p ɪ ŋ"),
        ("vi", "v iː aɪ"),
        ("xx", "ɛ k s ɛ k s"),
        ("mix", "m ɪ k s"),
        ("eg", "iː dʒ iː"),
        ("ncaa", "ɛ n s iː eɪ eɪ"),
        ("alpharetrovirus", "æ l f ə ɹ ɛ t ɹ oʊ v aɪ ɹ ə s"),
    ],
)
def test_what_is_written_is_said(run, phones):
    assert english_phones([run])[run] == tuple(phones.split())
