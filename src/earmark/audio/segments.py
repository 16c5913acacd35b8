"""Segments of long recordings: ascending reads of one recording decode each of its samples once.

A thread keeps the last recordings open. What comes next is decoded from where the decoder stands, or is sought where
seeks are exact; segments that overlap are served from the last minute, which is kept. Memory does not grow with the
length of a recording. Every segment equals the same slice of the whole.
"""

import os
import threading
from collections import OrderedDict, deque

import numpy as np

from earmark.audio.decoders import Decoder, Source, open_decoder
from earmark.errors import AudioError

KEPT_OPEN = 2
"""Recordings that a thread keeps open."""
LOOK_BACK = 60.0
"""Seconds that are kept of a recording that cannot be sought in."""
_BLOCK = 1 << 19
_MAX_VALUES = 1 << 31
"""Samples of all channels that a read may hold: 8 GiB."""

_open = threading.local()


def segment(source: Source, offset: float, duration: float | None) -> tuple[np.ndarray, int]:
    """Samples (n, channels) float32 from `offset` seconds on, and their rate; n = 0 behind the end.

    :raises AudioError: undecodable, or more than can be held.
    """
    if offset == 0 and duration is None:
        return Cursor(source).cut(0, None)
    try:
        stat = source.path.stat()
    except OSError as error:
        raise AudioError(f"{source} cannot be read ({error}): correct the path") from None
    # The process is part of the key: a decoder's position in a file that a fork shares must not be trusted.
    key = (os.getpid(), source, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    cache = _open.__dict__.setdefault("cursors", OrderedDict())
    cursor = cache.pop(key, None) or Cursor(source)
    cache[key] = cursor
    while len(cache) > KEPT_OPEN:
        cache.popitem(last=False)
    return cursor.cut(offset, duration)  # type: ignore[no-any-return]


def count_seconds(source: Source) -> float:
    """Length of a recording by decoding it, block by block."""
    decoder, total = open_decoder(source), 0
    while count := len(decoder.read(_BLOCK)):
        total += count
    return total / decoder.rate


class Cursor:
    """A recording, its decoder, and what of it must be known to cut the next segment."""

    def __init__(self, source: Source):
        self._source = source
        self._restart()

    def _restart(self) -> None:
        self._decoder: Decoder = open_decoder(self._source)
        self._position = 0
        """Sample that the decoder gives next."""
        self._tail: deque[np.ndarray] = deque()
        """Blocks before it, about `LOOK_BACK` seconds; none where the decoder seeks."""
        self._kept = 0
        """Samples in `_tail`."""
        self._ended = False
        self._damage: str | None = None
        """What is wrong with the recording at `_position`."""

    def cut(self, offset: float, duration: float | None) -> tuple[np.ndarray, int]:
        """Samples and rate of a segment; see `segment`."""
        rate = self._decoder.rate
        start = round(offset * rate)
        stop = None if duration is None else start + round(duration * rate)
        blocks = self._sought(start, stop) if self._decoder.exact else self._forward(start, stop)
        if len(blocks) == 1:
            return blocks[0], rate  # most utterances: no copy
        return (np.concatenate(blocks) if blocks else np.zeros((0, 1), dtype=np.float32)), rate

    def _sought(self, start: int, stop: int | None) -> list[np.ndarray]:
        """Blocks of a segment, by a seek."""
        self._ended = False
        try:
            if start != self._position and not self._decoder.seek(start):
                self._position = -1
                return []
            self._position = start
            return self._read(start, stop)
        except AudioError:
            self._restart()  # its state is unknown
            raise

    def _forward(self, start: int, stop: int | None) -> list[np.ndarray]:
        """Blocks of a segment: those remembered, then those decoded."""
        if start < self._position - self._kept:
            self._restart()
        while self._position < start and not self._ended:
            self._next(min(_BLOCK, start - self._position))
        at = self._position
        blocks: list[np.ndarray] = []
        for block in reversed(self._tail):
            at -= len(block)
            part = block[max(0, start - at) : None if stop is None else max(0, stop - at)]
            blocks.insert(0, part)
            if at <= start:
                break
        blocks += self._read(max(start, self._position), stop)
        return [block for block in blocks if len(block)]

    def _read(self, at: int, stop: int | None) -> list[np.ndarray]:
        """Blocks of [at, stop), decoded now."""
        blocks: list[np.ndarray] = []
        values = 0
        while (stop is None or at < stop) and not self._ended:
            block = self._next(_BLOCK if stop is None else min(_BLOCK, stop - at))
            if len(block):
                blocks.append(block)
            at += len(block)
            values += block.size
            if values > _MAX_VALUES:
                raise AudioError(f"{self._source} is too long to be read at once: name an offset and a duration")
        return blocks

    def _next(self, count: int) -> np.ndarray:
        """The decoder's next samples; none at the end, which a decoder that seeks may leave again."""
        if self._damage:
            raise AudioError(self._damage)
        try:
            block = self._decoder.read(count)
        except AudioError as error:
            self._damage = str(error)
            raise
        if not len(block):
            self._ended = True
        elif not self._decoder.exact:
            self._tail.append(block)
            self._kept += len(block)
            while self._kept - len(self._tail[0]) > LOOK_BACK * self._decoder.rate:
                self._kept -= len(self._tail.popleft())
        self._position += len(block)
        return block
