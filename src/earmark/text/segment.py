"""Words of a run of Han characters, as far as their readings ask for them.

Maximum matching from the left takes words that are none (美元|的确|定性), so the run is cut where the product of its
words' frequencies is greatest: jieba's list and method, without the words that jieba makes up by its hidden Markov
model, and without the cache that it writes. To its list come the words whose readings are known. A longer word of
jieba's whose reading is not known is cut further: into known words and words of two characters, the longest first.
"""

import importlib.util
import itertools
import math
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

LONGEST = 8
"""Characters of a word, at most."""
_RARE = 8
"""Frequency from which a word of jieba's list counts: half of it is rarer, names for the most part."""
_KNOWN_BONUS = 0.5
"""Log probability by which a word with a known reading beats its own parts."""
_CERTAIN = 1000.0
"""The same, a character, of the user's words: no other word stands against them."""
_LOOSE = frozenset("的地得着了过")
"""Particles: a pair that holds one is no word of its own, unless its reading is known."""


class Words:
    """Words with their log probabilities."""

    def __init__(self, known: Iterable[str]):
        self.known = frozenset(known)
        """Words that are read as a whole."""
        words, counts, _ = _jieba()
        total = sum(counts)
        self._unseen = -math.log(total)
        logs = {count: math.log(count / total) for count in set(counts)}
        self._listed = {word: logs[count] for word, count in zip(words, counts, strict=True) if len(word) <= LONGEST}
        # None: a known word that has not been met. Few of them are, and to score them all takes longer than the list.
        self._scores: dict[str, float | None] = {**self._listed, **dict.fromkeys(self.known)}
        self._ends: dict[str, int] = {}
        """Characters of the longest word that begins with a character."""
        for word in self._scores:
            if len(word) > self._ends.get(word[0], 1):
                self._ends[word[0]] = len(word)

    def cut(self, run: str, own: Mapping[str, object] | None = None) -> list[str]:
        """Words of the likeliest way through the run.

        :param own: the user's words, which go before all others.
        """
        words: list[str] = []
        for word in self._likeliest(run, own or {}):
            words += [word] if (own and word in own) or self._whole(word) else self._parts(word)
        return words

    def _whole(self, word: str) -> bool:
        pair = len(word) == 2 and word in self._scores and _LOOSE.isdisjoint(word)
        return pair or len(word) == 1 or word in self.known

    def _likeliest(self, run: str, own: Mapping[str, object]) -> list[str]:
        size = len(run)
        best, stops = [0.0] * (size + 1), [0] * size
        scores, listed, ends, absent = self._scores, self._listed, self._ends, -math.inf
        for start in range(size - 1, -1, -1):
            first = run[start]
            score, stop = (_CERTAIN if first in own else listed.get(first, self._unseen)) + best[start + 1], start + 1
            reach = LONGEST if own else ends.get(first, 1)
            for end in range(start + 2, min(start + reach, size) + 1):
                word = run[start:end]
                # Most words of the range are none, and few texts have words of the user.
                found = _CERTAIN * len(word) if own and word in own else scores.get(word, absent)
                if found is None:
                    found = scores[word] = self._of_known(word)
                if found is not absent and found + best[end] >= score:
                    score, stop = found + best[end], end
            best[start], stops[start] = score, stop
        words, start = [], 0
        while start < size:
            words.append(run[start : stops[start]])
            start = stops[start]
        return words

    def _of_known(self, word: str) -> float:
        """A little more than the likeliest parts of a word, if its own frequency is less."""
        size, scores = len(word), self._listed
        best = [0.0] * (size + 1)
        for start in range(size - 1, -1, -1):
            score = scores.get(word[start], self._unseen) + best[start + 1]
            for end in range(start + 2, size + (start > 0)):
                found = scores.get(word[start:end])
                if found is not None and found + best[end] > score:
                    score = found + best[end]
            best[start] = score
        return max(best[0] + _KNOWN_BONUS, scores.get(word, -math.inf))

    def _parts(self, word: str) -> list[str]:
        """Whole words and single characters of a word, the longest first from the left."""
        parts, start = [], 0
        while start < len(word):
            ends = range(len(word), start + 1, -1)
            end = next((end for end in ends if self._whole(word[start:end])), start + 1)
            parts.append(word[start:end])
            start = end
        return parts


@cache
def parts_of_speech() -> dict[str, str]:
    """jieba's part of speech (n, v, r, t, ...) of each word of its list."""
    words, _, parts = _jieba()
    return dict(zip(words, parts, strict=True))


@cache
def _jieba() -> tuple[list[str], list[int], list[str]]:
    """Words of jieba's list that count, their frequencies and parts of speech (`word frequency part-of-speech`)."""
    found = importlib.util.find_spec("jieba")  # importing it would load the list in its own way
    assert found is not None
    assert found.origin is not None
    # The whole list at once: line by line it takes three times as long, at the start of every process.
    fields = Path(found.origin).with_name("dict.txt").read_text(encoding="utf-8").split()
    counts = list(map(int, fields[1::3]))
    counted = [count >= _RARE for count in counts]
    words, parts = (list(itertools.compress(fields[first::3], counted)) for first in (0, 2))
    return words, list(itertools.compress(counts, counted)), parts
