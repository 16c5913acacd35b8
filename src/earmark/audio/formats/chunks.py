"""Where a header says that a recording's samples lie, and how many bytes they are.

RIFF, RIFX, RF64 and BW64 (WAV, AVI), W64, AIFF and 8SVX, CAF, AU, SPHERE; boxes of MP4, segments of Matroska. After
the specifications of EBU Tech 3306 (RF64), Sony (W64), Apple (AIFF, CAF), Sun (AU), NIST, ISO 14496-12 and RFC 8794.
Recorders that cannot turn back leave the length open: 0, all ones, or near the largest number.
"""

import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO, Literal, NamedTuple

from earmark.audio.view import bytes_at

_SPARE = 64
"""Bytes that a header may name too many: some writers count the header in."""
_NEAR = 1 << 16
"""Bytes by which an open length may fall short of the largest number: writers subtract the header."""
_MAX_CHUNKS = 10_000
_W64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_W64_TAIL = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


class Length(NamedTuple):
    """The field of a header that holds a number of bytes."""

    place: int
    width: int
    order: Literal["little", "big"]
    counted: int = 0
    """Bytes before the samples that the field counts in."""


class Extent(NamedTuple):
    """The samples, as the header says."""

    start: int
    named: int
    """Bytes."""
    length: Length | None
    """None: a length that no writer leaves open."""

    def is_open(self, size: int) -> bool:
        """Whether the header leaves the length open, in a file of that size."""
        if self.length is None or 0 < self.named <= size - self.start:
            return False
        largest = 1 << 8 * self.length.width
        tops = (largest, largest >> 1)
        named = self.named + self.length.counted
        return self.named <= 0 or any(top - _NEAR <= named <= top + _NEAR for top in tops)

    def missing(self, size: int) -> int:
        """Bytes that the header names and a file of that size lacks; 0 where it leaves the length open."""
        lacking = self.start + self.named - size
        return 0 if self.is_open(size) or lacking <= _SPARE else lacking


def extent(stream: BinaryIO, size: int) -> Extent | None:
    """Where the samples lie; None: another format, or a header without a length."""
    head = bytes_at(stream, 0, 16)
    magic, form = head[:4], head[8:12]
    found: Extent | None = None
    if magic in (b"RIFF", b"RIFX", b"RF64", b"BW64") and form == b"WAVE":
        found = _riff(stream, size, "big" if magic == b"RIFX" else "little")
    elif magic == b"RIFF" and form == b"AVI ":
        found = Extent(8, int.from_bytes(head[4:8], "little"), Length(4, 4, "little"))
    elif head == _W64:
        found = _w64(stream)
    elif magic == b"FORM" and form in (b"AIFF", b"AIFC", b"8SVX", b"16SV"):
        found = _iff(stream, size)
    elif magic == b"caff":
        found = _caf(stream)
    elif magic in (b".snd", b"dns."):
        order: Literal["little", "big"] = "big" if magic == b".snd" else "little"
        found = Extent(int.from_bytes(head[4:8], order), int.from_bytes(head[8:12], order), Length(8, 4, order))
    elif head[:7] == b"NIST_1A":
        found = _sphere(stream)
    return found


def chunk_lacking(stream: BinaryIO, size: int) -> int:
    """Bytes that a box of MP4, or Matroska's segment, has beyond the end of the file; 0: none, or another format."""
    head = bytes_at(stream, 0, 12)
    if head[4:8] in _BOXES:
        return max((end - size for _, end in _boxes(stream, size)), default=0)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return max(0, (_segment_end(stream) or 0) - size)
    return 0


def mended(stream: BinaryIO, size: int) -> dict[int, bytes] | None:
    """What to put where so that a header names all samples that are there; None: it leaves nothing open."""
    found = extent(stream, size)
    if found is None or found.length is None or not found.is_open(size) or found.start >= size:
        return None
    if _is_chunks(stream, found.start, size, found.length.order):
        return None  # a recording without samples, and what else is known of it
    there = size - found.start
    patches = {found.length.place: (there + found.length.counted).to_bytes(found.length.width, found.length.order)}
    if bytes_at(stream, 0, 4) in (b"RF64", b"BW64") and found.length.width == 8:
        patches |= {found.length.place - 8: size.to_bytes(8, "little"), found.start - 4: b"\xff\xff\xff\xff"}
    return patches | _frames(stream, size, there)


def _chunks(
    stream: BinaryIO, size: int, first: int, order: Literal["little", "big"]
) -> Iterator[tuple[bytes, int, int]]:
    """(name, place of its content, its length) of chunks of 4 + 4 bytes, padded to even lengths."""
    place = first
    for _ in range(_MAX_CHUNKS):
        head = bytes_at(stream, place, 8)
        if len(head) < 8 or place >= size:
            return
        length = int.from_bytes(head[4:], order)
        yield head[:4], place + 8, length
        place += 8 + length + length % 2


def _is_chunks(stream: BinaryIO, place: int, size: int, order: Literal["little", "big"]) -> bool:
    """Whether what follows is chunks to the end of the file."""
    found = list(itertools.islice(_chunks(stream, size, place, order), 100))
    names = all(re.fullmatch(rb"[A-Za-z0-9 _]{4}", name) for name, _, _ in found)
    return bool(found) and names and all(start + length <= size for _, start, length in found)


def _riff(stream: BinaryIO, size: int, order: Literal["little", "big"]) -> Extent | None:
    wide: Length | None = None
    for name, place, length in _chunks(stream, size, 12, order):
        if name == b"ds64":
            wide = Length(place + 8, 8, order)
        elif name == b"data":
            if wide and length in (0, 0xFFFFFFFF):
                return Extent(place, int.from_bytes(bytes_at(stream, wide.place, 8), order), wide)
            return Extent(place, length, Length(place - 4, 4, order))
    return None


def _iff(stream: BinaryIO, size: int) -> Extent | None:
    for name, place, length in _chunks(stream, size, 12, "big"):
        if name == b"SSND":  # 8 bytes of offset and block size, which the length counts in
            return Extent(place + 8, length - 8, Length(place - 4, 4, "big", 8))
        if name == b"BODY":
            return Extent(place, length, Length(place - 4, 4, "big"))
    return None


def _frames(stream: BinaryIO, size: int, there: int) -> dict[int, bytes]:
    """AIFF counts its samples a second time."""
    if bytes_at(stream, 0, 4) != b"FORM":
        return {}
    for name, place, length in _chunks(stream, size, 12, "big"):
        if name == b"COMM" and length >= 18:
            fields = bytes_at(stream, place, 8)
            frame = int.from_bytes(fields[:2], "big") * ((int.from_bytes(fields[6:], "big") + 7) // 8)
            return {place + 2: (there // max(1, frame)).to_bytes(4, "big")}
    return {}


def _w64(stream: BinaryIO) -> Extent | None:
    place = 40
    for _ in range(_MAX_CHUNKS):
        head = bytes_at(stream, place, 24)
        length = int.from_bytes(head[16:], "little")  # of the chunk with its head of 24 bytes
        if len(head) < 24 or (length < 24 and head[:4] != b"data"):
            return None
        if head[:16] == b"data" + _W64_TAIL:
            return Extent(place + 24, length - 24, Length(place + 16, 8, "little", 24))
        place += length + -length % 8
    return None


def _caf(stream: BinaryIO) -> Extent | None:
    place = 8
    for _ in range(_MAX_CHUNKS):
        head = bytes_at(stream, place, 12)
        length = int.from_bytes(head[4:], "big")
        if len(head) < 12:
            return None
        if head[:4] == b"data":  # 4 bytes of edit count, which the length counts in
            return Extent(place + 16, length - 4, Length(place + 4, 8, "big", 4))
        place += 12 + length
    return None


def _sphere(stream: BinaryIO) -> Extent | None:
    text = bytes_at(stream, 0, 1024).decode("latin-1")
    values = dict(re.findall(r"^(\w+) -\w+ (\S+)", text, re.MULTILINE))
    start = re.search(r"^\s*([0-9]{1,9})\s*$", text, re.MULTILINE)
    try:
        counts = [int(values[name]) for name in ("sample_count", "channel_count", "sample_n_bytes")]
    except (KeyError, ValueError):
        return None
    if start is None or "shorten" in values.get("sample_coding", "") or min(counts) <= 0:
        return None
    return Extent(int(start[1]), counts[0] * counts[1] * counts[2], None)


def _boxes(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """(name, end) of the outermost boxes."""
    place = 0
    for _ in range(_MAX_CHUNKS * 100):  # a fragmented recording has two a fragment
        head = bytes_at(stream, place, 16)
        if len(head) < 8:
            return
        length = int.from_bytes(head[:4], "big")
        length = int.from_bytes(head[8:], "big") if length == 1 else length or size - place
        if length < 8:
            return
        place += length
        yield head[4:8], place


def _segment_end(stream: BinaryIO) -> int | None:
    """End of Matroska's segment; None: it is left open."""
    place = 4 + _number(bytes_at(stream, 4, 8))[1]
    place += _number(bytes_at(stream, 4, 8))[0] or 0
    if bytes_at(stream, place, 4) != b"\x18\x53\x80\x67":
        return None
    length, width = _number(bytes_at(stream, place + 4, 8))
    return None if length is None else place + 4 + width + length


def _number(data: bytes) -> tuple[int | None, int]:
    """A number of variable width, None for the one of all ones, and its width."""
    width = 9 - data[0].bit_length() if data and data[0] else 8
    value = int.from_bytes(data[:width], "big") & (1 << 7 * width) - 1
    return (None if value == (1 << 7 * width) - 1 else value), width
