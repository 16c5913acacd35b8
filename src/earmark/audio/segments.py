"""Segments of long recordings: reads of one recording decode each of its samples about once, over all workers.

A thread keeps the last recordings open. Where seeks cost nothing, a segment is sought. Other recordings are decoded in
cells of a minute, each sought by itself where the format can be: so every sample has the bits that its cell gives it,
whatever was read before and by whom, and every segment equals the same slice of the whole. The last cells are kept for
segments that overlap or follow. Memory does not grow with the length of a recording.
"""

import itertools
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from earmark.audio.formats.decoder import Decoder
from earmark.audio.formats.decoders import open_decoder
from earmark.audio.formats.flac import whole_flac
from earmark.audio.source import Source
from earmark.errors import AudioError

KEPT_OPEN = 2
"""Recordings that a thread keeps open."""
CELL = 60.0
"""Seconds of a recording that is not sought sample by sample which are decoded, and kept, together."""
KEPT_CELLS = 2
_BLOCK = 1 << 19
_MAX_VALUES = 1 << 31
"""Samples of all channels that a read may hold: 8 GiB."""

_open = threading.local()


def segment(source: Source, offset: float, duration: float | None) -> tuple[np.ndarray, int]:
    """Samples (n, channels) from `offset` seconds on, float32 or int16, and their rate; n = 0 behind the end.

    :raises AudioError: undecodable, or more than can be held.
    """
    if offset == 0 and duration is None:
        return Cursor(source).cut(0, None)
    if offset == 0 and duration is not None and (whole := whole_flac(source, duration)):
        return whole
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


def seconds(source: Source) -> float:
    """Length of a recording, by its header where that can be trusted, else by decoding it, block by block."""
    decoder, total = open_decoder(source), 0
    if decoder.frames:
        return decoder.frames / decoder.rate
    while count := len(decoder.read(_BLOCK)):
        total += count
    return total / decoder.rate


class _Cell(NamedTuple):
    """A stretch of a recording."""

    samples: np.ndarray
    """(n, channels); shorter than others where the recording ends or is damaged."""
    damage: str | None
    """What is wrong behind them."""


class Cursor:
    """A recording, its decoder, and the cells that were decoded last."""

    def __init__(self, source: Source):
        self._source = source
        self._cells: OrderedDict[int, _Cell] = OrderedDict()
        self._damage: tuple[float, str] = (math.inf, "")
        """Sample behind which a recording that cannot be sought gives no more, and what is wrong there."""
        self._restart()

    def _restart(self) -> None:
        self._decoder: Decoder = open_decoder(self._source)
        self._position = 0
        """Sample that the decoder gives next."""

    def cut(self, offset: float, duration: float | None) -> tuple[np.ndarray, int]:
        """Samples and rate of a segment; see `segment`."""
        rate = self._decoder.rate
        start = round(offset * rate)
        stop = None if duration is None else start + round(duration * rate)
        parts = self._sought(start, stop) if self._decoder.exact else self._of_cells(start, stop)
        blocks, values = [], 0
        for block in parts:
            values += block.size
            if values > _MAX_VALUES:
                raise AudioError(f"{self._source} is too long to be read at once: name an offset and a duration")
            if len(block):
                blocks.append(block)
        if len(blocks) == 1:
            return blocks[0], rate  # most utterances: no copy
        return (np.concatenate(blocks) if blocks else np.zeros((0, 1), dtype=np.float32)), rate

    def _sought(self, start: int, stop: int | None) -> Iterator[np.ndarray]:
        """Blocks of a segment, by a seek."""
        try:
            there = start == self._position or self._decoder.seek(start)
            self._position = start if there else -1
            if there:
                yield from self._read(stop)
        except AudioError:
            self._restart()  # its state is unknown
            raise

    def _of_cells(self, start: int, stop: int | None) -> Iterator[np.ndarray]:
        """Blocks of a segment, one a cell."""
        length = round(CELL * self._decoder.rate)
        for number in itertools.count(start // length):
            first = number * length
            if stop is not None and first >= stop:
                return
            cell = self._cell(number, length)
            end = first + len(cell.samples)
            if cell.damage and (stop is None or stop > end):
                raise AudioError(cell.damage)
            yield cell.samples[max(0, start - first) : None if stop is None else stop - first]
            if end < first + length:
                return

    def _cell(self, number: int, length: int) -> _Cell:
        """A cell, remembered or decoded."""
        if number not in self._cells:
            self._cells[number] = self._decoded(number * length, length)
            while len(self._cells) > KEPT_CELLS:
                self._cells.popitem(last=False)
        self._cells.move_to_end(number)
        return self._cells[number]

    def _decoded(self, first: int, length: int) -> _Cell:
        """Samples [first, first + length) as far as they are there."""
        blocks: list[np.ndarray] = []
        damage = self._damage[1] if first >= self._damage[0] else None
        try:
            if not damage and self._reached(first):
                for block in self._read(first + length):
                    blocks.append(block)
        except AudioError as error:
            damage = str(error)
            if not self._decoder.seeks:
                self._damage = self._position, damage
            self._position = -1
        if len(blocks) == 1:
            return _Cell(blocks[0], damage)
        return _Cell(np.concatenate(blocks) if blocks else np.zeros((0, 1), dtype=np.float32), damage)

    def _reached(self, first: int) -> bool:
        """Bring the decoder to a cell, in the same way whatever was read before; False: the recording ends before."""
        if first and self._decoder.seeks:  # to ask an MP3 means to walk over it
            there = self._decoder.seek(first)
            self._position = first if there else -1
            return there
        if not 0 <= self._position <= first:
            self._restart()
        for _ in self._read(first):
            pass
        return self._position == first

    def _read(self, stop: int | None) -> Iterator[np.ndarray]:
        """Blocks from where the decoder stands to `stop` or the end."""
        while stop is None or self._position < stop:
            block = self._decoder.read(_BLOCK if stop is None else min(_BLOCK, stop - self._position))
            if not len(block):
                return
            self._position += len(block)
            yield block
