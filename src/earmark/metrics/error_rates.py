"""Word, character and mixed error rates over token sequences; the alignment is jiwer's.

Which tokens (words, characters, or both for code-switch) is decided before: here a token is a string without
white space. Where several alignments have equally few errors, the hits and the kinds of errors are those of
the one that jiwer picks; the number of errors is the same in all.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Resampled utterances held in memory at once.
BOOTSTRAP_BLOCK = 1_000_000


class ErrorCounts(NamedTuple):
    """Alignment of one utterance, in tokens."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int
    reference_length: int

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions


def error_counts(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> list[ErrorCounts]:
    """Levenshtein alignment of each hypothesis with its reference.

    Args:
        references: tokens of each utterance; may be empty (then all is inserted).
        hypotheses: tokens of the same utterances in the same order; may be empty (then all is deleted).

    Raises:
        ValueError: the numbers of utterances differ, or a token is empty or holds white space.

    """
    import jiwer

    if len(references) != len(hypotheses):
        raise ValueError(f"{len(references)} references and {len(hypotheses)} hypotheses: give one for each")
    if not references:
        return []
    aligned = jiwer.process_words([" ".join(r) for r in references], [" ".join(h) for h in hypotheses])
    counts = []
    for i, chunks in enumerate(aligned.alignments):
        if len(aligned.references[i]) != len(references[i]) or len(aligned.hypotheses[i]) != len(hypotheses[i]):
            raise ValueError(
                f"utterance {i} has a token that is empty or holds white space:"
                f" reference {references[i]}, hypothesis {hypotheses[i]}"
            )
        counts.append(_count(chunks, len(references[i])))
    return counts


def error_rate(counts: Sequence[ErrorCounts]) -> float:
    """Errors of all utterances over tokens of all references; may exceed 1.

    Raises:
        ValueError: the references hold no token at all.

    """
    tokens = sum(c.reference_length for c in counts)
    if not tokens:
        raise ValueError(f"the references of {len(counts)} utterances hold no token: their error rate is undefined")
    return sum(c.errors for c in counts) / tokens


def bootstrap_interval(
    counts: Sequence[ErrorCounts], level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the error rate.

    Utterances are drawn, with replacement, and not tokens: the errors within one depend on each other.

    Args:
        counts: one per utterance.
        level: share of the resampled rates inside the interval.
        resamples: number of draws.
        seed: of the draws; equal seeds give equal intervals.

    Returns:
        Lower and upper end.

    Raises:
        ValueError: the references hold no token at all.

    """
    error_rate(counts)
    errors = np.array([c.errors for c in counts])
    lengths = np.array([c.reference_length for c in counts])
    random = np.random.default_rng(seed)
    block = max(1, BOOTSTRAP_BLOCK // len(counts))
    rates = []
    for start in range(0, resamples, block):
        drawn = random.integers(len(counts), size=(min(block, resamples - start), len(counts)))
        # A draw of empty references only has no rate; one token in the denominator keeps it finite.
        rates.append(errors[drawn].sum(axis=1) / np.maximum(lengths[drawn].sum(axis=1), 1))
    low, high = np.quantile(np.concatenate(rates), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _count(chunks: Sequence, reference_length: int) -> ErrorCounts:
    """Sum the chunks (jiwer's AlignmentChunk) of one utterance by kind."""
    total = {"equal": 0, "substitute": 0, "delete": 0, "insert": 0}
    for chunk in chunks:
        total[chunk.type] += max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
    return ErrorCounts(total["equal"], total["substitute"], total["delete"], total["insert"], reference_length)
