"""Scores of test sets from the rows of their utterances."""

from typing import Any

import torch
from tiny import TinyRun

from earmark.config import TestSet
from earmark.data.dataset import Batch
from earmark.evaluate.run import _labelled, published, scores
from earmark.io import read_json
from earmark.metrics.error_rates import error_counts
from earmark.metrics.hallucination import is_hallucination
from earmark.text.inventory import Inventory


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


def test_a_score_says_how_many_of_the_published_utterances_it_is_of(tiny_copy: TinyRun) -> None:
    counted = published(tiny_copy.config)
    assert counted == {"test_zh": 2, "test_en": 2}
    score = scored(tiny_copy, rows("test_zh", ("a", "a")))
    assert (score["utterances"], score["published"]) == (1, None)
    evaluation = tiny_copy.config.evaluation.model_copy(
        update={"tests": [TestSet(name="test_zh", measure="wer", scenario="Mandarin")]}
    )
    config = tiny_copy.config.model_copy(update={"evaluation": evaluation})
    [score] = scores(rows("test_zh", ("a", "a")), config, counted)
    assert (score["utterances"], score["published"]) == (1, 2)
    held = read_json(tiny_copy.paths.evaluation / "scores.json")
    assert {row["published"] for row in held} == {2}


class Silent:
    """A head that hears one phone in each utterance."""

    inventory = Inventory.load()

    def transcribe(self, features: torch.Tensor, lengths: torch.Tensor) -> list[list[str]]:
        return [["n"]] * len(lengths)


def test_a_text_without_phones_has_no_phone_error_rate() -> None:
    """A set stays whole: such a text is scored as text, and what is said where nothing was is an insertion."""
    batch = Batch(
        ["labelled", "unreadable", "nothing said"],
        torch.zeros(3, 20, 80),
        torch.tensor([20, 20, 20]),
        torch.tensor([[1], [0], [0]]),
        torch.tensor([1, 0, 0]),
        ["a", "\u3007\u2e80", ""],
        ["en", "zh", "en"],
    )
    test = TestSet(name="test_x", measure="wer", scenario="x")
    found = _labelled(Silent(), None, test, batch, "per")  # type: ignore[arg-type]
    assert [row["id"] for row in found] == ["labelled", "nothing said"]
