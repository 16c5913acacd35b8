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
        # Other spellings of what was said.
        ("usa", "u s a", False),
        ("gonna", "going to", False),
        ("email me", "e mail me", False),
        ("asap", "as soon as possible", False),
        ("usa", "united states of america", False),
        ("i'll", "i will", False),
        ("hello", "thank you very much", True),
        ("hello", "谢 谢 观 看", True),
        # Loops and inventions that meet a token by chance.
        ("今 天 天 气 很 好 的", "的 " * 150, True),
        ("好 的", "的 " * 150, True),
        ("谢 谢 大 家", "谢 谢 观 看 " * 30, True),
        ("the cat sat on the mat", "thank you for watching the video " * 25, True),
        ("we are going to the shop to buy the milk and the bread", "the " * 120, True),
        ("the end of the day and the start of the night", "and of the " * 50, True),
        # Right, and then a loop: not entirely unrelated.
        ("今 天 天 气 很 好 的", "今 天 天 气 很 好 的 " + "的 " * 200, False),
        ("good morning everyone", "good morning everyone " + "thank you " * 60, False),
        ("play music", "play music " * 100, False),
        ("yes", "yes " * 100, False),
        ("we went to the old house by the sea", "we went the house by sea " + "thank you very much " * 30, False),
    ],
)
def test_rule(reference, hypothesis, expected):
    reference, hypothesis = reference.split(), hypothesis.split()
    hits = error_counts([reference], [hypothesis])[0].hits
    assert is_hallucination(reference, hypothesis, hits) is expected


def test_a_tenth_of_the_longer_of_the_two_is_related():
    reference, hypothesis = ["r"] * 20, ["h"] * 40
    assert is_hallucination(reference, ["r"] * 3 + ["h"] * 37, hits=3)
    assert not is_hallucination(reference, ["r"] * 4 + ["h"] * 36, hits=4)
    assert not is_hallucination(reference, ["r"] * 2 + ["h"] * 38, hits=2, unrelated_below=0.05)
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
