"""Hallucinated transcripts: much too long and unrelated to what was said (paper section 4.3)."""

from collections.abc import Sequence

from earmark.metrics.error_rates import ErrorCounts


def is_hallucination(
    reference_tokens: Sequence[str],
    hypothesis_tokens: Sequence[str],
    hits: int,
    excess: float = 1.5,
    unrelated_below: float = 0.1,
) -> bool:
    """Whether a hypothesis is over half as long again as its reference and unrelated to it (section 4.3).

    The paper does not define "entirely unrelated"; here it is no correct token, or fewer than a tenth of the
    reference's.

    Args:
        reference_tokens: of the utterance; when empty, any token in the hypothesis is a hallucination.
        hypothesis_tokens: of the utterance.
        hits: correct tokens in the alignment of the two, see `error_rates.error_counts`.
        excess: lengths above this multiple of the reference's are too long.
        unrelated_below: shares of correct tokens below this count as unrelated.

    """
    too_long = len(hypothesis_tokens) > excess * len(reference_tokens)
    unrelated = hits == 0 or hits < unrelated_below * len(reference_tokens)
    return too_long and unrelated


def hallucination_rate(
    references: Sequence[Sequence[str]],
    hypotheses: Sequence[Sequence[str]],
    counts: Sequence[ErrorCounts],
    excess: float = 1.5,
    unrelated_below: float = 0.1,
) -> float:
    """Hallucinated utterances over all utterances, in [0, 1] (paper section 4.3, Table 2).

    Args:
        references: tokens of each utterance.
        hypotheses: tokens of each utterance.
        counts: the alignment of each, from `error_rates.error_counts`.
        excess: see `is_hallucination`.
        unrelated_below: see `is_hallucination`.

    Raises:
        ValueError: there is no utterance, or the numbers differ.

    """
    if not counts:
        raise ValueError("no utterances: their hallucination rate is undefined")
    flags = [
        is_hallucination(reference, hypothesis, count.hits, excess, unrelated_below)
        for reference, hypothesis, count in zip(references, hypotheses, counts, strict=True)
    ]
    return sum(flags) / len(flags)
