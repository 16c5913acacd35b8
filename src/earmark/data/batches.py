"""The batch plan: which utterances make batch n is a pure function of (index, seed, n). There is nothing to restore.

Training rows lie in the index by corpus and, within it, by length. So the cut of an epoch into batches, over all
corpora in the order of length, is the same in every epoch; what an epoch draws anew is who stands where among
utterances of equal length, and in which order the batches come. Both are permutations that are computed a number at a
time (Feistel networks with cycle walking; Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002). No epoch
is ever laid out in memory, and the batch of any step is as quick as that of the first.

- **Epoch**: every batch once, so no utterance twice, and where all rates are 1 all of them. There is no remainder:
  where the number of batches is no multiple of `group`, some are halved. (Should all be down to one utterance, fewer
  than `group` utterances are left out; should there be fewer than `group` at all, ranks meet the same one.)
- **Groups**: batches of neighbouring length follow each other, so that the ranks of a step wait little. Groups are
  shuffled.
- **World size**: batches have one sequence. Micro-batch m of step s on rank r of w is number (s a + m) w + r, where a
  is the accumulation: with the same a w, a step takes the same utterances on any number of ranks that divides `group`.
- **Weights**: the corpus that is weighted up most is seen whole in each epoch; of another, an epoch takes the part
  `rate`. Its utterances take turns: neighbours in length form strata, and each epoch takes the next ones of every
  stratum, round and round. So each is heard equally often, and never twice in an epoch.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from earmark.errors import TrainingError

_STRATUM = 64
"""Rows of a stratum, at least."""
_STRATA = 1 << 16
"""Strata of a corpus, at most."""
_SMALL = 1024
"""Up to here a permutation is a sort of random keys, above it a network of this many rounds:"""
_ROUNDS = 4
_SLICE = 1 << 20


class Strand(NamedTuple):
    """The training rows of one corpus, ascending by length."""

    frames: np.ndarray
    """(N,) ascending."""
    first: int = 0
    """Row number of the first; the others follow."""
    rate: float = 1.0
    """Share that an epoch takes, in (0, 1]."""


class Drawn(NamedTuple):
    """Some batches of an epoch: batch `numbers[i]` has rows[bounds[i] : bounds[i + 1]]."""

    numbers: np.ndarray
    bounds: np.ndarray
    rows: np.ndarray


def rates(hours: Sequence[float], weights: Sequence[float | None], power: float) -> list[float]:
    """Share of each corpus that an epoch takes: 1 for the one that is weighted up most.

    :param weights: hours that a corpus counts as; None: its hours to the power `power`.
    """
    densities = [
        (held**power if weight is None else weight) / held for held, weight in zip(hours, weights, strict=True)
    ]
    return [density / max(densities) for density in densities]


class BatchPlan:
    """Batches of the rows of some strands.

    :param budget: frames of a batch, padding included. :param group: batches of like length in a row.
    :param shortest: share of the utterances, the shortest ones, that is used at all.
    :raises TrainingError: there is no utterance, or one is longer than the budget.
    """

    def __init__(self, strands: Sequence[Strand], budget: int, seed: int, group: int = 1, shortest: float = 1.0):
        strands = [strand for strand in strands if len(strand.frames)]
        if not strands:
            raise TrainingError("the batch plan has no utterances: see how many were kept in shards/dataset.json")
        longest = max(int(strand.frames[-1]) for strand in strands)
        if longest > budget:
            raise TrainingError(
                f"an utterance of {longest} frames exceeds frames_per_batch {budget}: raise it or lower max_seconds"
            )
        self.seed, self.group = seed, group
        self._strands = [_Turns(strand, longest) for strand in strands]
        # [c, n]: places of strands 0..c for utterances of n frames; `upto[n]`: places for those of n frames at most.
        self._shares = np.cumsum([np.diff(one.upto, prepend=0) for one in self._strands], axis=0)
        self._upto = np.cumsum(self._shares[-1])
        total = int(self._upto[-1])
        self._cuts = _multiple(_cut(self._upto, max(1, int(total * shortest)), budget), group)
        self.batches = max(1, (len(self._cuts) - 1) // group) * group
        """Batches of an epoch."""

    def rows(self, number: int) -> np.ndarray:
        """Row numbers of batch `number` (from 0, over all epochs)."""
        epoch, place = divmod(number, self.batches)
        group, within = divmod(place, self.group)
        groups = self.batches // self.group
        shuffled = int(_permuted(np.array([group]), groups, _key(self.seed, epoch, "groups"))[0])
        batch = (shuffled * self.group + within) % (len(self._cuts) - 1)
        return self._draw(epoch, int(self._cuts[batch]), int(self._cuts[batch + 1]))

    def epoch(self, epoch: int) -> Iterator[Drawn]:
        """All batches of an epoch, some thousands at a time, in the order of their length."""
        groups = self.batches // self.group
        order = _permuted(np.arange(groups), groups, _key(self.seed, epoch, "groups"))
        place = np.empty_like(order)
        place[order] = np.arange(groups)
        total, start = min(self.batches, len(self._cuts) - 1), 0
        while start < total:
            end = int(np.searchsorted(self._cuts, self._cuts[start] + _SLICE, side="right")) - 1
            end = min(max(end, start + 1), total)
            batch = np.arange(start, end)
            numbers = epoch * self.batches + place[batch // self.group] * self.group + batch % self.group
            bounds = self._cuts[start : end + 1]
            yield Drawn(numbers, bounds - bounds[0], self._draw(epoch, int(bounds[0]), int(bounds[-1])))
            start = end

    def padding(self) -> float:
        """Largest share of padding in an epoch, over all batches."""
        lengths = np.arange(len(self._upto))
        held = np.diff(np.minimum(self._upto, self._cuts[-1]), prepend=0) @ lengths
        longest = np.searchsorted(self._upto, self._cuts[1:] - 1, side="right")
        return 1 - float(held) / float(np.diff(self._cuts) @ longest)

    def _draw(self, epoch: int, start: int, end: int) -> np.ndarray:
        """Rows that stand at places [start, end) of an epoch's order of length."""
        drawn = []
        first, last = np.searchsorted(self._upto, [start, end - 1], side="right")
        for length in range(int(first), int(last) + 1):
            before = int(self._upto[length - 1])
            places = np.arange(max(start, before), min(end, int(self._upto[length]))) - before
            if len(places):
                count = int(self._upto[length]) - before
                drawn.append(self._alike(epoch, length, _permuted(places, count, _key(self.seed, epoch, length))))
        return np.concatenate(drawn)

    def _alike(self, epoch: int, length: int, places: np.ndarray) -> np.ndarray:
        """Rows at places among those of one length: first all of the first strand, then those of the next."""
        shares = self._shares[:, length]
        strands = np.searchsorted(shares, places, side="right")
        rows = np.empty(len(places), dtype=np.int64)
        for number in np.unique(strands):
            mine, turns = strands == number, self._strands[number]
            before = int(shares[number - 1]) if number else 0
            rows[mine] = turns.rows(epoch, places[mine] - before + int(turns.upto[length - 1]))
        return rows


class _Turns:
    """Who of a strand takes part in which epoch: as many places in each, with the same lengths at most."""

    def __init__(self, strand: Strand, longest: int):
        rows = len(strand.frames)
        self.first, self.whole = strand.first, strand.rate >= 1
        # Of the frames' own type, else all of a mapped column would be copied to compare it.
        lengths = np.arange(longest + 1, dtype=strand.frames.dtype)
        if self.whole:
            self.upto = np.searchsorted(strand.frames, lengths, side="right")
            return
        places = max(1, round(rows * strand.rate))
        count = max(1, min(rows // _STRATUM, _STRATA, places // 2))
        self._starts = np.arange(count + 1) * rows // count
        # Rounded at the strata's bounds, no stratum has more places than rows, and none has no place.
        self._places = self._starts * places // rows
        bounds = strand.frames[self._starts[1:] - 1]
        self.upto = self._places[np.searchsorted(bounds, lengths, side="right")]
        """[n]: places for utterances of n frames at most; a place counts as its stratum's longest."""

    def rows(self, epoch: int, places: np.ndarray) -> np.ndarray:
        """Row numbers at places in the order of length."""
        if self.whole:
            return self.first + places
        stratum = np.searchsorted(self._places, places, side="right") - 1
        start, turn = self._starts[stratum], places - self._places[stratum]
        taken = self._places[stratum + 1] - self._places[stratum]
        return self.first + start + (epoch * taken + turn) % (self._starts[stratum + 1] - start)


def _cut(upto: np.ndarray, total: int, budget: int) -> np.ndarray:
    """Bounds of batches over `total` ascending lengths, each as full as longest x count <= budget allows."""
    bounds, start, begun = [np.zeros(1, dtype=np.int64)], 0, 0
    for length in np.flatnonzero(np.diff(upto, prepend=0)):
        size, end = budget // max(int(length), 1), min(int(upto[length]), total)
        if begun - start >= size:
            bounds.append(np.array([begun]))
            start = begun
        full = max(0, end - start) // size
        bounds.append(start + size * np.arange(1, full + 1))
        start, begun = start + full * size, end
    if start < total:
        bounds.append(np.array([total]))
    return np.concatenate(bounds)


def _multiple(cuts: np.ndarray, group: int) -> np.ndarray:
    """The same with batches halved, those of the shortest utterances first, until they are a multiple of `group`."""
    while missing := -(len(cuts) - 1) % group:
        halved = np.flatnonzero(np.diff(cuts) > 1)[:missing]
        if len(halved) == 0:
            break
        cuts = np.insert(cuts, halved + 1, (cuts[halved] + cuts[halved + 1]) // 2)
    return cuts


def _key(*parts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "little")


def _permuted(places: np.ndarray, count: int, key: int) -> np.ndarray:
    """Where a random permutation of 0..count-1 sends some of these numbers."""
    if count <= _SMALL:
        return np.argsort(_mixed(np.arange(count, dtype=np.uint64), key), kind="stable")[places]
    bits = (count - 1).bit_length()
    sent = _network(places.astype(np.uint64), bits, key)
    # The network permutes a power of two; who lands outside goes on until inside.
    while len(outside := np.flatnonzero(sent >= count)):
        sent[outside] = _network(sent[outside], bits, key)
    return sent.astype(np.int64)


def _network(numbers: np.ndarray, bits: int, key: int) -> np.ndarray:
    """A Feistel network over numbers (N,) uint64 below 2 ** bits; an even number of rounds keeps the halves' widths."""
    high, low = bits // 2, bits - bits // 2
    for turn in range(_ROUNDS):
        left, right = numbers >> np.uint64(low), numbers & np.uint64((1 << low) - 1)
        left ^= _mixed(right, key + turn + 1) & np.uint64((1 << high) - 1)
        numbers = right << np.uint64(high) | left
        high, low = low, high
    return numbers


def _mixed(numbers: np.ndarray, key: int) -> np.ndarray:
    """Hashes (N,) of uint64 numbers: the finaliser of splitmix64 (Steele, Lea and Flood, 2014)."""
    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key & (1 << 64) - 1)
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return mixed ^ mixed >> np.uint64(31)
