"""Scores of test sets from the rows of their utterances."""

from typing import Any

from tiny import TinyRun

from earmark.config import TestSet
from earmark.evaluate.run import scores
from earmark.metrics.error_rates import error_counts
from earmark.metrics.hallucination import is_hallucination


def rows(test: str, *pairs: tuple[str, str]) -> list[dict[str, Any]]:
    """Rows of a test set: reference and hypothesis of each utterance."""
    references, hypotheses = ([text.split() for text in side] for side in zip(*pairs, strict=True))
    return [
        {
            "test": test,
            "system": "beam",
            "measure": "wer",
            **counts._asdict(),
            "hallucinated": is_hallucination(reference, hypothesis, counts.hits),
        }
        for reference, hypothesis, counts in zip(
            references, hypotheses, error_counts(references, hypotheses), strict=True
        )
    ]


def scored(tiny_run: TinyRun, found: list[dict[str, Any]]) -> dict[str, Any]:
    tests = [TestSet(name=found[0]["test"], measure="wer", scenario="Noise")]
    evaluation = tiny_run.config.evaluation.model_copy(update={"tests": tests})
    [score] = scores(found, tiny_run.config.model_copy(update={"evaluation": evaluation}))
    return score


def test_insertions_where_nothing_is_said_count_as_errors_and_inventions(tiny_run: TinyRun) -> None:
    score = scored(tiny_run, rows("test_mixed", ("a b c d", "a b c d"), ("", "thank you"), ("", "")))
    assert (score["rate"], score["insertions"], score["wordless"]) == (0.5, 2, 2)
    assert score["hallucination_rate"] == 1 / 3
    assert score["low"] <= score["rate"] <= score["high"]


def test_a_set_without_any_word_has_inventions_and_no_error_rate(tiny_run: TinyRun) -> None:
    score = scored(tiny_run, rows("test_noise", ("", "thank you"), ("", ""), ("", ""), ("", "")))
    assert score["rate"] is score["low"] is score["high"] is None
    assert (score["insertions"], score["tokens"], score["hallucination_rate"]) == (2, 0, 0.25)
