"""Frames of MP3 (ISO 11172-3, 13818-3): where each begins, and how many a header of Xing or Fraunhofer names."""

from typing import BinaryIO, NamedTuple

from earmark.audio.view import bytes_at

_RATES = (44_100, 48_000, 32_000)
_KBITS = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # MPEG 1
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),  # MPEG 2 and 2.5
)
_SPARE = 128
"""Bytes that a header may name too many: the tag at the end, which some count in; less than most frames."""
_CHUNK = 1 << 20


class Frame(NamedTuple):
    """What the four bytes before each frame say."""

    size: int
    samples: int
    rate: int
    channels: int
    side: int
    """Bytes of its side information."""


class Named(NamedTuple):
    """What a header in the first frame names."""

    start: int
    """Place of that frame."""
    frames: int | None
    """Those that follow it."""
    size: int | None
    """Bytes from that frame on."""


def frame(head: bytes) -> Frame | None:
    """None: no frame of layer III of a known size begins so."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, bits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:
        return None
    first = version == 3
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    mono = head[3] >> 6 == 3
    size = (144 if first else 72) * 1000 * _KBITS[not first][bits] // hertz + (head[2] >> 1 & 1)
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return Frame(size, 1152 if first else 576, hertz, 2 - mono, side)


def named(stream: BinaryIO) -> Named | None:
    """What the first frame names; None: this is no MP3 with such a header."""
    start = _behind_tags(stream)
    data = bytes_at(stream, start, 2048)
    first = frame(data)
    if first is None:
        return None
    for place in (4 + first.side, 6 + first.side):  # the latter behind a checksum
        if data[place : place + 4] in (b"Xing", b"Info"):
            return _xing(start, data[place + 4 :])
    if data[36:40] == b"VBRI":
        return Named(start, int.from_bytes(data[50:54], "big"), int.from_bytes(data[46:50], "big"))
    return Named(start, None, None)


def _xing(start: int, data: bytes) -> Named:
    flags, values, at = int.from_bytes(data[:4], "big"), [], 4
    for flag in (1, 2):  # frames, bytes
        there = flags & flag
        values.append(int.from_bytes(data[at : at + 4], "big") if there else None)
        at += 4 if there else 0
    return Named(start, values[0] or None, values[1] or None)


def lacking(stream: BinaryIO, size: int) -> bool:
    """Whether the header names more than a file of that size has."""
    said = named(stream)
    if said is None or not (said.frames or said.size):
        return False
    if said.size:
        return said.start + said.size > size + _SPARE
    # The header's own frame is found as well; some count it in.
    return _count(stream, said.start) < (said.frames or 0)


def _behind_tags(stream: BinaryIO) -> int:
    """Place behind ID3v2 tags."""
    place = 0
    while (head := bytes_at(stream, place, 10))[:3] == b"ID3" and len(head) == 10:
        size = sum((byte & 127) << 7 * (3 - number) for number, byte in enumerate(head[6:]))
        place += 10 + size + (10 if head[5] & 16 else 0)
    return place


def _count(stream: BinaryIO, place: int) -> int:
    """Whole frames that follow one another from a place on."""
    count, data, at = 0, bytes_at(stream, place, _CHUNK), 0
    while True:
        found = frame(data[at : at + 4])
        if found and at + found.size <= len(data):
            count, at = count + 1, at + found.size
        elif at:  # the end of what was read, or of the frames
            place += at
            data, at = bytes_at(stream, place, _CHUNK), 0
        else:
            return count
