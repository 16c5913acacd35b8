"""Pages of Ogg (RFC 3533): the streams that are chained in a file, and whether each has its end."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from earmark.audio.view import bytes_at

_HEAD = 27
_FIRST, _LAST = 2, 4
"""Flags of a stream's first and last page."""
_SEARCHED = 1 << 17
"""Bytes that are looked through for the next page where none begins; a page has at most 65,307."""


class Page(NamedTuple):
    """A page."""

    start: int
    end: int
    """Byte behind it, there or not."""
    flags: int


class Link(NamedTuple):
    """A stream, or streams side by side, of those that follow one another."""

    start: int
    end: int
    whole: bool
    """Whether its last page is there, and is marked as the last."""


def links(stream: BinaryIO, size: int) -> list[Link]:
    """The chained streams in their order; none where this is not Ogg."""
    found: list[Link] = []
    begun, before = 0, None
    for page in _pages(stream, size):
        if before and page.flags & _FIRST and not before.flags & _FIRST:
            found.append(Link(begun, page.start, _ends(before, size)))
            begun = page.start
        before = page
    return [*found, Link(begun, size, _ends(before, size))] if before else []


def _ends(page: Page, size: int) -> bool:
    return bool(page.flags & _LAST) and page.end <= size


def _pages(stream: BinaryIO, size: int) -> Iterator[Page]:
    place = 0
    while place < size:
        head = bytes_at(stream, place, _HEAD)
        if head[:5] != b"OggS\0" or len(head) < _HEAD:
            ahead = bytes_at(stream, place + 1, _SEARCHED).find(b"OggS\0") if place else -1
            if ahead < 0:
                return
            place += 1 + ahead
            continue
        table = stream.read(head[26])
        end = place + _HEAD + head[26] + sum(table)
        yield Page(place, end, head[5])
        place = end
