import numpy as np
import pytest

from earmark.metrics.error_rates import ErrorCounts, bootstrap_interval, error_counts, error_rate


def words(text):
    return text.split()


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("a b c", "a b c", (3, 0, 0, 0, 3)),
        ("a b c", "a x c", (2, 1, 0, 0, 3)),
        ("a b c", "a c", (2, 0, 1, 0, 3)),
        ("a c", "a b c", (2, 0, 0, 1, 2)),
        ("a b c d e f", "x a b z d f", (4, 1, 1, 1, 6)),
        ("", "a b", (0, 0, 0, 2, 0)),
        ("a b", "", (0, 0, 2, 0, 2)),
        ("", "", (0, 0, 0, 0, 0)),
        ("你 好 hello 世 界", "你 号 hello 世", (3, 1, 1, 0, 5)),
    ],
)
def test_counts(reference, hypothesis, expected):
    assert error_counts([words(reference)], [words(hypothesis)]) == [ErrorCounts(*expected)]


def test_one_row_an_utterance_in_order():
    counts = error_counts([["a"], [], ["b", "c"]], [["a"], ["x"], ["c"]])
    assert [c.errors for c in counts] == [0, 1, 1]
    assert [c.reference_length for c in counts] == [1, 0, 2]


def test_case_and_punctuation_are_tokens_like_others():
    assert error_counts([["Don't", ","]], [["don't", "."]])[0].substitutions == 2


def test_mismatch_is_refused():
    with pytest.raises(ValueError, match="2 references and 1 hypotheses"):
        error_counts([["a"], ["b"]], [["a"]])
    assert error_counts([], []) == []


@pytest.mark.parametrize("token", ["a b", "", " ", "a\t b", "\u3000"])
def test_tokens_with_white_space_are_refused(token):
    with pytest.raises(ValueError, match="utterance 1 has a token"):
        error_counts([["a"], ["x", token, "y"]], [["a"], ["x"]])
    with pytest.raises(ValueError, match="utterance 0 has a token"):
        error_counts([["a"]], [[token]])


def test_rate_pools_tokens_not_utterances():
    counts = error_counts([["a"], words("a b c d e f g h i")], [["x"], words("a b c d e f g h i")])
    assert error_rate(counts) == pytest.approx(0.1)
    assert error_rate(error_counts([["a"]], [["x", "y", "z"]])) == 3.0


def test_rate_without_reference_is_refused():
    with pytest.raises(ValueError, match="1 utterances hold no token"):
        error_rate(error_counts([[]], [["a"]]))
    with pytest.raises(ValueError, match="0 utterances"):
        error_rate([])


def table(errors, lengths):
    return [ErrorCounts(int(n - e), int(e), 0, 0, int(n)) for e, n in zip(errors, lengths, strict=True)]


def test_interval_agrees_with_the_normal_one():
    random = np.random.default_rng(3)
    lengths = np.full(2000, 20)
    errors = random.binomial(20, 0.1, size=2000)
    counts = table(errors, lengths)
    low, high = bootstrap_interval(counts, resamples=2000, seed=1)
    half = 1.96 * errors.std() / 20 / np.sqrt(2000)
    assert low == pytest.approx(error_rate(counts) - half, abs=0.1 * half)
    assert high == pytest.approx(error_rate(counts) + half, abs=0.1 * half)


def test_interval_resamples_utterances():
    # The same token errors, bundled into few utterances, are less certain.
    spread = table([2] * 100, [20] * 100)
    bundled = table([20] * 10 + [0] * 90, [20] * 100)
    assert error_rate(spread) == error_rate(bundled)
    assert bootstrap_interval(spread) == (0.1, 0.1)
    low, high = bootstrap_interval(bundled)
    assert low < 0.06 and high > 0.14


def test_interval_grows_with_its_level_and_repeats_with_its_seed():
    counts = table([0, 1, 2, 3, 4, 5], [10, 5, 8, 9, 10, 7])
    wide, narrow = bootstrap_interval(counts, level=0.99), bootstrap_interval(counts, level=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert bootstrap_interval(counts, seed=4) == bootstrap_interval(counts, seed=4)
    assert bootstrap_interval(counts, seed=4) != bootstrap_interval(counts, seed=5)


def test_interval_in_blocks(monkeypatch):
    counts = table([0, 1, 2, 3], [10, 5, 8, 9])
    whole = bootstrap_interval(counts, resamples=103)
    monkeypatch.setattr("earmark.metrics.error_rates.BOOTSTRAP_BLOCK", 10)
    assert bootstrap_interval(counts, resamples=103) == whole


def test_interval_of_one_utterance_and_of_empty_references():
    assert bootstrap_interval(table([1], [4])) == (0.25, 0.25)
    assert np.isfinite(bootstrap_interval(error_counts([["a"], []], [["a"], ["x"]]))).all()
    with pytest.raises(ValueError, match="no token"):
        bootstrap_interval([])
