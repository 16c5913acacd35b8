"""A stretch of an open file as a file of its own, with some bytes before it or in their place: nothing is copied."""

import io
from collections.abc import Mapping
from typing import Any, BinaryIO


class Stretch(io.RawIOBase):
    """So many bytes that can be read from any place; a subclass says where they come from."""

    def __init__(self, size: int):
        self._size, self._at = size, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """The new place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at


class _View(Stretch):
    def __init__(self, stream: BinaryIO, start: int, size: int, instead: Mapping[int, bytes], before: bytes):
        super().__init__(size + len(before))
        self._stream, self._start, self._instead, self._before = stream, start - len(before), instead, before

    def readinto(self, buffer: Any) -> int:
        if self._at < len(self._before):
            part = self._before[self._at : self._at + len(buffer)]
            buffer[: len(part)] = part
            self._at += len(part)
            return len(part)
        wanted = max(0, min(len(buffer), self._size - self._at))
        self._stream.seek(self._start + self._at)
        data = bytearray(self._stream.read(wanted))
        for place, new in self._instead.items():
            for number, value in enumerate(new, len(self._before) + place - self._at):
                if 0 <= number < len(data):
                    data[number] = value
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def view(
    stream: BinaryIO, start: int, size: int, instead: Mapping[int, bytes] | None = None, before: bytes = b""
) -> BinaryIO:
    """`size` bytes of a stream from `start` on. The stream closes with it.

    :param instead: place in the stretch -> bytes that stand there instead.
    :param before: bytes that stand before the stretch.
    """
    return io.BufferedReader(_View(stream, start, size, instead or {}, before), 1 << 16)


def length(stream: BinaryIO) -> int:
    """Bytes of a stream, which then stands at its beginning."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return size


def bytes_at(stream: BinaryIO, place: int, count: int) -> bytes:
    """Bytes of a stream from a place on; fewer where it ends."""
    stream.seek(place)
    return stream.read(count)
