"""Frames of MP3 (ISO 11172-3, 13818-3): where each begins, and how many a header of Xing or Fraunhofer names.

A frame may take its bits from up to 511 bytes of the frames before (the reservoir), and its samples overlap those of
the frame before. So decoding may begin anywhere if some frames of lead-in are dropped: an index of places is enough.
"""

from array import array
from collections.abc import Iterator
from functools import lru_cache
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
STEP = 16
"""Frames from one place of an index to the next: the decoder's filter bank stands as before after so many."""
_LEAD = 6 * STEP
"""Frames before the wanted one at least. The reservoir of the smallest goes back 85, the filter bank 2."""
_LEAST = 9
"""Bytes that a frame has besides its side information at least: header, checksum, and three for the reservoir."""
_DECODER_DELAY = 529
"""Samples by which a decoder is late; mpg123 cuts them where a header names the encoder's."""
_REST = 4096
"""Bytes behind the last frame that need no explanation: a frame that is cut, an old tag, filling."""


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
    delay: int | None = None
    """Samples that the encoder put before the first, where it says so."""
    padding: int = 0
    """Samples that it put behind the last."""
    is_plain: bool = False
    """Whether that frame is one of sound, like all others."""


class Lead(NamedTuple):
    """Where to begin decoding to come to a sample."""

    place: int
    """Byte of the file."""
    sample: int
    """First sample of the frame there."""
    header: bytes
    """To stand before it: a frame that names how long the rest is, which a reader would guess, and end too early."""
    samples: int
    """What the header names, a little more than there is."""
    silent: dict[int, bytes]
    """Bytes behind `place` -> what to put there: the first frames have no reservoir, and say nothing then."""


class Index(NamedTuple):
    """Where the frames of a file are; those of sound are counted from 0."""

    places: "array[int]"
    """Byte place of every `STEP`th frame from `first` on."""
    first: int
    """The frame that a decoder begins with."""
    frames: int
    kind: Frame
    """What all frames have in common (not their size)."""
    skipped: int
    """Samples of the first frames that a decoder leaves out."""
    samples: int | None
    """What the header names; None: all that follow."""

    def place_of(self, number: int) -> int:
        """First sample of a frame."""
        return number * self.kind.samples - self.skipped


@lru_cache(maxsize=1024)
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
    return Named(start, None, None, is_plain=True)


def _xing(start: int, data: bytes) -> Named:
    flags, values, at = int.from_bytes(data[:4], "big"), [], 4
    for flag in (1, 2):  # frames, bytes
        there = flags & flag
        values.append(int.from_bytes(data[at : at + 4], "big") if there else None)
        at += 4 if there else 0
    at += (100 if flags & 4 else 0) + (4 if flags & 8 else 0)  # table of contents, quality
    said = Named(start, values[0] or None, values[1] or None)
    encoder = data[at : at + 24]
    if len(encoder) < 24 or not encoder[0]:
        return said
    both = int.from_bytes(encoder[21:24], "big")  # as LAME wrote it first
    return said._replace(delay=both >> 12, padding=both & 0xFFF)


def index(stream: BinaryIO, size: int) -> Index | None:
    """One walk over the headers of a file of `size` bytes. None: something in it is not understood.

    That is free format, frames of another kind, anything between frames, and headers that name no delay or not the
    frames that are there.
    """
    said = named(stream)
    kind = said and frame(bytes_at(stream, said.start, 4))
    if not said or not kind:
        return None
    ahead = 0 if said.is_plain else 1
    skipped = 0 if said.delay is None else said.delay + _DECODER_DELAY
    first = skipped // kind.samples
    places, count, end = array("q"), -ahead, said.start
    for place, found in _frames(stream, said.start):
        if found[1:] != kind[1:] or found.size - found.side < _LEAST:
            return None
        if count >= first and (count - first) % STEP == 0:
            places.append(place)
        count, end = count + 1, place + found.size
    if size - end > _REST + _ape(stream, end):
        return None
    if said.is_plain:
        return Index(places, first, count, kind, 0, None)
    if said.delay is None or said.frames != count:
        return None
    return Index(places, first, count, kind, skipped, count * kind.samples - said.delay - said.padding)


def _ape(stream: BinaryIO, place: int) -> int:
    """Bytes of an APE tag; it may hold a picture."""
    head = bytes_at(stream, place, 16)
    return 32 + int.from_bytes(head[12:], "little") if head[:8] == b"APETAGEX" else 0


def lead(stream: BinaryIO, found: Index, sample: int) -> Lead | None:
    """Where to begin to come to a sample; None: at the beginning of the file."""
    number = (sample + found.skipped) // found.kind.samples
    entry = min((number - found.first - _LEAD) // STEP, len(found.places) - 1)
    if entry < 1:
        return None
    place, start = found.places[entry], found.first + entry * STEP
    frames = found.frames - start + _REST  # what lies in the rest is heard in the same way, too
    head = header(bytes_at(stream, place, 4), frames)
    return Lead(place, found.place_of(start), head, frames * found.kind.samples, _silent(stream, place))


def header(data: bytes, frames: int) -> bytes:
    """A header frame of Xing's kind, before frames that begin as `data`."""
    return silence(data, b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big"))


def silence(data: bytes, content: bytes = b"") -> bytes:
    """A frame without sound, and with other content, for a file whose frames begin as `data`."""
    head = bytes([data[0], data[1] | 1, 0xE0 | data[2] & 0x0C, data[3]])  # the highest bit rate: there is room
    kind = frame(head)
    assert kind is not None
    return (head + bytes(kind.side) + content).ljust(kind.size, b"\0")


def _silent(stream: BinaryIO, place: int) -> dict[int, bytes]:
    """Side information for the frames from a place on that the reservoir of later ones may lie in.

    They have no sound, and say how much of the reservoir is there, which is handed on to the next frame so.
    """
    data, at, kept, silent = bytes_at(stream, place, _CHUNK), 0, 0, {}
    while part := frame(data[at : at + 4]):
        bits = 9 if part.samples == 1152 else 8
        most = (1 << bits) - 1
        if kept >= most:
            break
        checksum = 0 if data[at + 1] & 1 else 2
        silent[at + 4 + checksum] = (kept << 8 * part.side - bits).to_bytes(part.side, "big")
        kept += part.size - 4 - checksum - part.side
        at += part.size
    return silent


def lacking(stream: BinaryIO, size: int) -> bool:
    """Whether the header names more than a file of that size has."""
    said = named(stream)
    if said is None or not (said.frames or said.size):
        return False
    if said.size:
        return said.start + said.size > size + _SPARE
    # The header's own frame is found as well; some count it in.
    return sum(1 for _ in _frames(stream, said.start)) < (said.frames or 0)


def _behind_tags(stream: BinaryIO) -> int:
    """Place behind ID3v2 tags."""
    place = 0
    while (head := bytes_at(stream, place, 10))[:3] == b"ID3" and len(head) == 10:
        size = sum((byte & 127) << 7 * (3 - number) for number, byte in enumerate(head[6:]))
        place += 10 + size + (10 if head[5] & 16 else 0)
    return place


def _frames(stream: BinaryIO, place: int) -> Iterator[tuple[int, Frame]]:
    """Place and header of each whole frame that follows another from a place on."""
    data, at = bytes_at(stream, place, _CHUNK), 0
    while True:
        found = frame(data[at : at + 4])
        if found and at + found.size <= len(data):
            yield place + at, found
            at += found.size
        elif at:  # the end of what was read, or of the frames
            place += at
            data, at = bytes_at(stream, place, _CHUNK), 0
        else:
            return
