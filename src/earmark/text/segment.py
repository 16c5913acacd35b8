"""Words of a run of Han characters, as far as their readings ask for them.

Maximum matching from the left takes words that are none (美元|的确|定性), so the run is cut where the product of its
words' frequencies is greatest: jieba's list and method, without the words that jieba makes up by its hidden Markov
model, and without the cache that it writes. To its list come the words whose readings are known. A longer word of
jieba's whose reading is not known is cut further: into known words and words of two characters, the longest first.
"""

import importlib.util
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
        listed, _ = _jieba()
        total = sum(listed.values())
        self._unseen = -math.log(total)
        self._scores = {word: math.log(count / total) for word, count in listed.items() if len(word) <= LONGEST}
        self._ends: dict[str, int] = {}
        self._scores |= {word: self._of_known(word) for word in sorted(self.known)}
        for word in self._scores:
            self._ends[word[0]] = max(self._ends.get(word[0], 1), len(word))

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
        scores, ends = self._scores, self._ends
        for start in range(size - 1, -1, -1):
            first = run[start]
            score, stop = (_CERTAIN if first in own else scores.get(first, self._unseen)) + best[start + 1], start + 1
            reach = LONGEST if own else ends.get(first, 1)
            for end in range(start + 2, min(start + reach, size) + 1):
                word = run[start:end]
                # Most words of the range are none, and few texts have words of the user.
                found = _CERTAIN * len(word) if own and word in own else scores.get(word)
                if found is not None and found + best[end] >= score:
                    score, stop = found + best[end], end
            best[start], stops[start] = score, stop
        words, start = [], 0
        while start < size:
            words.append(run[start : stops[start]])
            start = stops[start]
        return words

    def _of_known(self, word: str) -> float:
        """A little more than the likeliest parts of a word, if its own frequency is less."""
        best = [0.0] * (len(word) + 1)
        for start in range(len(word) - 1, -1, -1):
            ends = range(start + 1, len(word) + (start > 0))
            parts = (self._scores.get(word[start:end], self._none(end - start)) + best[end] for end in ends)
            best[start] = max(parts)
        return max(best[0] + _KNOWN_BONUS, self._scores.get(word, -math.inf))

    def _none(self, size: int) -> float:
        return self._unseen if size == 1 else -math.inf

    def _parts(self, word: str) -> list[str]:
        """Whole words and single characters of a word, the longest first from the left."""
        parts, start = [], 0
        while start < len(word):
            ends = range(len(word), start + 1, -1)
            end = next((end for end in ends if self._whole(word[start:end])), start + 1)
            parts.append(word[start:end])
            start = end
        return parts


def parts_of_speech() -> dict[str, str]:
    """jieba's part of speech (n, v, r, t, ...) of each word of its list."""
    return _jieba()[1]


@cache
def _jieba() -> tuple[dict[str, int], dict[str, str]]:
    """Frequencies and parts of speech of the words of jieba's list (`word frequency part-of-speech` a line)."""
    found = importlib.util.find_spec("jieba")  # importing it would load the list in its own way
    assert found is not None
    assert found.origin is not None
    counts, parts = {}, {}
    for line in Path(found.origin).with_name("dict.txt").read_text(encoding="utf-8").splitlines():
        word, count, part = line.split(" ")
        if len(count) > 1 or int(count) >= _RARE:
            counts[word], parts[word] = int(count), part
    return counts, parts
