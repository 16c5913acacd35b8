"""Whole FLAC recordings of 16 bits, decoded by dr_flac (miniaudio) in two thirds of libsndfile's time.

Only what leaves no doubt: a plain header, a moderate size, and as many samples as the header says and the caller asks
for, in frames whose checksums agree. All else, damaged files above all, is for `.decoders`, whose word counts. It
differs in one thing: libsndfile refuses some files for damage to their tags, which dr_flac does not read.
"""

from typing import NamedTuple

import numpy as np

from earmark.audio.formats.decoder import MAX_CHANNELS, RATES
from earmark.audio.source import Source
from earmark.errors import AudioError

_HEADER = 26
"""Bytes up to and with the number of samples."""
_MAX_VALUES = 1 << 24
"""Samples of all channels: 32 MB, 17 minutes at 16 kHz. What is longer is decoded block by block."""
_SPARE = 1 << 18
"""Bytes that a file may have beside as many as its samples: tags, and the heads of frames that cannot be compressed."""


class _Header(NamedTuple):
    """What STREAMINFO says."""

    rate: int
    channels: int
    total: int


def whole_flac(source: Source, duration: float) -> tuple[np.ndarray, int] | None:
    """Samples (n, channels) int16 of a recording, and their rate; None: to be decoded in another way.

    :param duration: seconds that are wanted; those of the whole recording, or it is not for this way.
    """
    if not (source.member or source.path.name).lower().endswith(".flac"):
        return None
    try:
        with source.stream() as handle:
            head = handle.read(_HEADER)
            header = _header(head)
            if header is None or round(duration * header.rate) != header.total:
                return None
            most = 2 * header.total * header.channels + _SPARE
            data = head + handle.read(most)
    except (AudioError, OSError):  # told by `open_decoder`, whose word counts
        return None
    samples = _decoded(data, header) if len(data) < most else None
    return None if samples is None else (samples, header.rate)


def _header(head: bytes) -> _Header | None:
    """None: not FLAC from the first byte on, not 16 bits, of unknown or too great a length, or not plausible."""
    if len(head) < _HEADER or head[:4] != b"fLaC" or head[4:8] not in (b"\0\0\0\x22", b"\x80\0\0\x22"):  # STREAMINFO
        return None
    packed = int.from_bytes(head[18:26], "big")  # 20 bits: rate, 3: channels - 1, 5: bits - 1, 36: samples
    found = _Header(packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1)
    plain = (packed >> 36 & 31) + 1 == 16 and RATES[0] <= found.rate <= RATES[1] and found.channels <= MAX_CHANNELS
    return found if plain and 0 < found.total * found.channels <= _MAX_VALUES else None


def _decoded(data: bytes, header: _Header) -> np.ndarray | None:
    """None: damaged, or fewer samples than the header says."""
    from miniaudio import ffi, lib

    decoder = lib.ma_dr_flac_open_memory(data, len(data), ffi.NULL)
    if not decoder:
        return None
    samples = np.empty((header.total, header.channels), dtype=np.int16)
    try:
        if (decoder.channels, decoder.bitsPerSample, decoder.sampleRate) != (header.channels, 16, header.rate):
            return None
        found = lib.ma_dr_flac_read_pcm_frames_s16(decoder, len(samples), ffi.from_buffer("short[]", samples))
    finally:
        lib.ma_dr_flac_close(decoder)
    return samples if found == header.total else None
