"""Hallucinated transcripts: much too long and unrelated to what was said (paper section 4.3).

The paper defines neither half further. Decided here: length is counted in tokens and, where all is written in letters,
in letters too, so that `u s a` is no longer than `usa`. And unrelated is an answer that has no more in common with its
reference than chance gives to one of its length: a loop of three hundred words meets some word of any sentence.
"""

import random
from collections.abc import Sequence
from difflib import SequenceMatcher
from math import comb

from earmark.metrics.error_rates import ErrorCounts, error_counts

_ORDERS = 200
"""Orders of the reference that an alignment is compared with."""
_RARELY = 0.05
"""What chance gives in fewer cases than this is not chance."""
_SAME_LETTER = 0.066
"""How often two letters of English text are the same (the index of coincidence)."""


def is_hallucination(
    reference_tokens: Sequence[str],
    hypothesis_tokens: Sequence[str],
    hits: int,
    excess: float = 1.5,
    unrelated_below: float = 0.1,
) -> bool:
    """Whether a hypothesis is over half as long again as its reference and unrelated to it (section 4.3).

    Unrelated: no correct token, or fewer than a tenth of the longer of the two; and none of what a right answer with
    something added has: most of the reference in one piece, more correct tokens than other orders of the reference
    have, or its letters one by one (`as soon as possible` for `asap`).

    Args:
        reference_tokens: of the utterance; when empty, any token in the hypothesis is a hallucination.
        hypothesis_tokens: of the utterance.
        hits: correct tokens in the alignment of the two, see `error_rates.error_counts`.
        excess: lengths above this multiple of the reference's are too long.
        unrelated_below: shares of correct tokens, of the longer of the two, below this count as unrelated.

    """
    reference, hypothesis = list(reference_tokens), list(hypothesis_tokens)
    if not _too_long(reference, hypothesis, excess):
        return False
    if hits and hits >= unrelated_below * max(len(reference), len(hypothesis)):
        return False
    return not (
        _holds(hypothesis, reference) or _in_order(reference, hypothesis, hits) or _spells(hypothesis, reference)
    )


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


def _too_long(reference: list[str], hypothesis: list[str], excess: float) -> bool:
    lengths = [(len(reference), len(hypothesis))]
    if reference and _in_letters(reference) and _in_letters(hypothesis):
        lengths.append((len("".join(reference)), len("".join(hypothesis))))
    return all(said > excess * meant for meant, said in lengths)


def _in_letters(tokens: list[str]) -> bool:
    """Whether all is written in Latin letters, of which a word has several: a Han character stands for a syllable."""
    return all(token.isascii() for token in tokens)


def _holds(hypothesis: list[str], reference: list[str]) -> bool:
    """Whether most of the reference, three tokens or all, stands in the hypothesis in one piece.

    One token alone is found in anything long: there nothing else may stand.
    """
    if len(reference) < 2:
        return bool(reference) and set(hypothesis) == set(reference)
    run = SequenceMatcher(None, reference, hypothesis, autojunk=False).find_longest_match().size
    return 2 * run > len(reference) and run >= min(3, len(reference))


def _in_order(reference: list[str], hypothesis: list[str], hits: int) -> bool:
    """Whether other orders of the reference rarely have as many correct tokens: a loop meets them in any order."""
    if hits < 2:
        return False
    draw = random.Random(0)
    orders = [draw.sample(reference, len(reference)) for _ in range(_ORDERS)]
    as_good = sum(other.hits >= hits for other in error_counts(orders, [hypothesis] * _ORDERS))
    return as_good < _RARELY * _ORDERS


def _spells(hypothesis: list[str], reference: list[str]) -> bool:
    """Whether the letters, or the first letters, of a hypothesis hold its reference's in order, hardly by chance.

    By chance each letter is the next one of the reference with the probability `_SAME_LETTER`.
    """
    wanted = "".join(reference)
    if not wanted or not _in_letters(reference):
        return False
    texts = "".join(hypothesis), "".join(token[0] for token in hypothesis)
    return any(_subsequence(wanted, text) and _at_least(len(wanted), len(text)) < _RARELY for text in texts)


def _subsequence(wanted: str, text: str) -> bool:
    left = iter(text)
    return all(letter in left for letter in wanted)


def _at_least(hits: int, draws: int) -> float:
    """Probability of so many hits in independent draws."""
    fewer = sum(comb(draws, one) * _SAME_LETTER**one * (1 - _SAME_LETTER) ** (draws - one) for one in range(hits))
    return 1 - fewer
