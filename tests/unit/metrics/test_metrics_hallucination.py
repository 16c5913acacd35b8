import pytest

from earmark.metrics.error_rates import error_counts
from earmark.metrics.hallucination import hallucination_rate, is_hallucination


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("a b c d", "p q r s t u v", True),
        ("a b c d", "p q r s t u", False),  # exactly 1.5 times is not more than it
        ("a b c d", "a q r s t u v", False),  # one of four words is right
        ("a b c d", "a b c d p q r s", False),  # correct, with something appended
        ("a b c d", "", False),
        ("a b c d", "a b c d", False),
        ("", "p", True),  # speech out of silence
        ("", "", False),
        ("a", "p q", True),
    ],
)
def test_rule(reference, hypothesis, expected):
    reference, hypothesis = reference.split(), hypothesis.split()
    hits = error_counts([reference], [hypothesis])[0].hits
    assert is_hallucination(reference, hypothesis, hits) is expected


def test_a_tenth_of_the_reference_is_related():
    reference, hypothesis = ["r"] * 20, ["h"] * 40
    assert is_hallucination(reference, hypothesis, hits=1)
    assert not is_hallucination(reference, hypothesis, hits=2)
    assert not is_hallucination(reference, hypothesis, hits=1, unrelated_below=0.05)
    assert is_hallucination(reference, hypothesis, hits=0, unrelated_below=0.0)


def test_excess_is_a_setting():
    assert not is_hallucination(["r"] * 4, ["h"] * 7, hits=0, excess=2.0)


def test_rate():
    references = [["a", "b"], ["c"], ["d"], ["e"]]
    hypotheses = [["a", "b"], ["x", "y"], ["d"], []]
    assert hallucination_rate(references, hypotheses, error_counts(references, hypotheses)) == 0.25
    with pytest.raises(ValueError, match="no utterances"):
        hallucination_rate([], [], [])
    with pytest.raises(ValueError, match="zip"):
        hallucination_rate(references[:3], hypotheses, error_counts(references, hypotheses))
