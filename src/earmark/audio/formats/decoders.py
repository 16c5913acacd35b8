"""Decoders of one open recording: libsndfile for what it knows, FFmpeg (PyAV) for the rest.

Both give samples (n, channels) float32, in order. PCM and FLAC can be sought anywhere at no loss. Lossy formats carry
state from block to block (overlap, prediction): Vorbis, Opus and MP4 are sought a second before what is wanted, from
where on they give what they give when decoded from the start. Of an MP3 an index of frames is made, and mpg123 is given
the file from two to four seconds before what is wanted: its own seeks keep state that changes the last bits.
All else is decoded forward: raw AAC has no index, WebM's times are rounded to a millisecond, and an MP3 with anything
between its frames has places that nobody knows.
"""

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from earmark.audio.formats import chunks, mp3, ogg
from earmark.audio.formats.decoder import DAMAGED, PRE_ROLL, Decoder, check, skipped
from earmark.audio.formats.ffmpeg import AvDecoder
from earmark.audio.source import Source, untrusted
from earmark.audio.view import bytes_at, length, view
from earmark.errors import AudioError

if TYPE_CHECKING:
    import soundfile

_UNKNOWN_FRAMES = 2**62
"""libsndfile claims about 2^63 frames where a header gives none, as in FLAC written to a pipe."""
_MANY_FRAMES = 1 << 28
"""More than any MP3 has."""
_EXACT = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")
"""Subtypes of libsndfile whose seeks are exact (FLAC has PCM's)."""
_SEEKING = ("VORBIS", "OPUS")
"""Lossy ones whose samples do not depend on what was decoded before a seek and the pre-roll."""


def open_decoder(source: Source) -> Decoder:
    """The decoder for a recording.

    :raises AudioError: not audio, or with a rate or number of channels that no recording has.
    """
    if source.is_headerless:
        return AvDecoder(source, source.open())
    file, patches = _opened(source.open()), None
    if (file is None or file.frames == 0) and (patches := _patches(source)):
        file = _opened(_patched(source, patches))
    if file is None or file.frames >= _UNKNOWN_FRAMES:
        return AvDecoder(source, _patched(source, patches) if patches else source.open())
    if file.format == "OGG" and len(chained := _links(source)) > 1:
        return ChainDecoder(source, chained)
    if file.subtype == "MPEG_LAYER_III":
        return Mp3Decoder(source, file.frames)
    return SoundFileDecoder(source, file)


def _opened(target: "str | BinaryIO") -> "soundfile.SoundFile | None":
    """None: nothing that libsndfile reads, or not from its beginning on."""
    try:
        file = _forward()(target)
        if not file.subtype.startswith(_EXACT):
            # An mp3 decodes a little differently (1e-7) before its first seek; with it, as when read as a whole.
            file.seek(0)
    except Exception:  # not only LibsndfileError: a name that ends in .raw is a TypeError
        return None
    return file


def _patched(source: Source, patches: dict[int, bytes]) -> BinaryIO:
    stream = source.stream()
    return view(stream, 0, length(stream), patches)


def _patches(source: Source) -> dict[int, bytes] | None:
    with source.stream() as stream:
        return chunks.mended(stream, length(stream))


def _links(source: Source) -> list[ogg.Link]:
    with source.stream() as stream:
        return ogg.links(stream, length(stream))


@lru_cache(maxsize=1)
def _forward() -> "type[soundfile.SoundFile]":
    import soundfile

    class Forward(soundfile.SoundFile):
        """python-soundfile seeks after each read, which loses the state of an mp3."""

        def seekable(self) -> bool:
            return False

    return Forward


class SoundFileDecoder:
    """libsndfile."""

    def __init__(self, source: Source, file: "soundfile.SoundFile"):
        check(source, file.samplerate, file.channels)
        self._source, self._file = source, file
        self.rate: int = file.samplerate
        self.channels: int = file.channels
        self.exact = file.subtype.startswith(_EXACT)
        self.seeks = self.exact or file.subtype in _SEEKING
        # An MPEG file's header keeps the full length when it was cut short.
        self.frames: int | None = None if file.subtype.startswith("MPEG") else file.frames
        self._at = 0

    def read(self, count: int) -> np.ndarray:
        """See `Decoder`."""
        with untrusted(self._source, DAMAGED):
            block: np.ndarray = self._file.read(count, dtype="float32", always_2d=True)
        self._at += len(block)
        if not len(block) and self.exact and self._at < self._file.frames:
            raise AudioError(f"{self._source} {DAMAGED} after {self._at / self.rate:.2f} s: replace it or leave it out")
        return block

    def seek(self, frame: int) -> bool:
        """See `Decoder`."""
        before = 0 if self.exact else min(frame, round(PRE_ROLL * self.rate))
        with untrusted(self._source, DAMAGED):
            self._at = self._file.seek(min(frame, self._file.frames) - before)
        return frame < self._file.frames and skipped(self, before)


class Mp3Decoder:
    """libsndfile (mpg123) on an MP3, which it is given from some frames before the wanted one where they are known."""

    exact = False
    frames: int | None = None  # a header keeps the full length when the file was cut short

    def __init__(self, source: Source, named: int):
        self._source, self._named = source, named
        self._inner = self._whole()
        self.rate, self.channels = self._inner.rate, self._inner.channels
        self._left: int | None = None

    @cached_property
    def seeks(self) -> bool:
        """See `Decoder`; the index is made when this is asked first."""
        return self._index is not None

    @cached_property
    def _index(self) -> mp3.Index | None:
        with untrusted(self._source), self._source.stream() as stream:
            found = mp3.index(stream, length(stream))
            if found is None or found.samples not in (None, self._named) or not self._right(found):
                return None
        return found

    def _right(self, found: mp3.Index) -> bool:
        """Whether a seek gives what decoding from the start does: versions of mpg123 may begin otherwise."""
        begin = found.place_of(found.first + 8 * mp3.STEP)
        whole, sought, count = self._whole(), self._sought(found, begin), found.kind.samples
        if not skipped(whole, begin):
            return False
        expected, got = whole.read(count), sought.read(count)
        return expected.shape == got.shape and np.allclose(got, expected, rtol=0, atol=1e-5)

    def _whole(self) -> SoundFileDecoder:
        """From the beginning."""
        with self._source.stream() as stream:
            said = mp3.named(stream)
            head, size = bytes_at(stream, said.start if said else 0, 4), length(stream)
        kind = mp3.frame(head)
        if not said or not kind or not said.is_plain:
            return self._decoder(self._source.open(), 0)
        # Without a header a length is guessed from the first frame's size, and kept to. What mpg123 cuts where there is
        # one, it cuts of a frame of silence.
        before = mp3.header(head, _MANY_FRAMES) + mp3.silence(head)
        target = view(self._source.stream(), said.start, size - said.start, before=before)
        return self._decoder(target, kind.samples, _MANY_FRAMES * kind.samples)

    def _decoder(self, target: "str | BinaryIO", ahead: int, named: int | None = None) -> SoundFileDecoder:
        """libsndfile behind `ahead` samples, less those that it leaves out itself of the `named` ones."""
        file = _opened(target)
        if file is None:
            raise AudioError(f"{self._source} {DAMAGED}: replace it or leave it out")
        ahead -= 0 if named is None else named - file.frames
        decoder = SoundFileDecoder(self._source, file)
        skipped(decoder, ahead)
        return decoder

    def _sought(self, found: mp3.Index, frame: int) -> SoundFileDecoder:
        """A decoder at a sample, or at the end."""
        with self._source.stream() as stream:
            lead, size = mp3.lead(stream, found, frame), length(stream)
        if lead is None:
            decoder = self._whole()
            skipped(decoder, frame)
            return decoder
        target = view(self._source.stream(), lead.place, size - lead.place, lead.silent, lead.header)
        return self._decoder(target, frame - lead.sample, lead.samples)

    def read(self, count: int) -> np.ndarray:
        """See `Decoder`."""
        block = self._inner.read(count if self._left is None else min(count, self._left))
        if self._left is not None:
            self._left -= len(block)
        return block

    def seek(self, frame: int) -> bool:
        """See `Decoder`."""
        found = self._index
        if found is None or (found.samples is not None and frame >= found.samples):
            return False
        self._inner = self._sought(found, frame)
        self._left = None if found.samples is None else found.samples - frame
        return True


class ChainDecoder:
    """Streams of Ogg that follow one another in a file: each is decoded by itself."""

    exact = False

    def __init__(self, source: Source, chained: list[ogg.Link]):
        self._source, self._links = source, chained
        self._lengths: list[int] = []
        shapes = set()
        for number in range(len(chained)):
            link = self._open(number)
            shapes.add((link.rate, link.channels))
            self._lengths.append(link.frames or 0)
        if len(shapes) > 1:
            raise AudioError(f"{source} changes its rate or channels on the way: convert it to FLAC")
        self.rate, self.channels = shapes.pop()
        self.frames: int | None = sum(self._lengths)
        self._number, self._link = 0, self._open(0)
        self.seeks = self._link.seeks

    def _open(self, number: int) -> SoundFileDecoder:
        start, end, _ = self._links[number]
        file = _opened(view(self._source.stream(), start, end - start))
        if file is None or file.frames >= _UNKNOWN_FRAMES:
            raise AudioError(f"{self._source} holds a stream that cannot be decoded: replace it or leave it out")
        return SoundFileDecoder(self._source, file)

    def read(self, count: int) -> np.ndarray:
        """See `Decoder`."""
        block = self._link.read(count)
        while not len(block) and self._number + 1 < len(self._links):
            self._number += 1
            self._link = self._open(self._number)
            block = self._link.read(count)
        return block

    def seek(self, frame: int) -> bool:
        """See `Decoder`."""
        for number, frames in enumerate(self._lengths):
            if frame < frames:
                self._number, self._link = number, self._open(number)
                return self._link.seek(frame)
            frame -= frames
        return False
