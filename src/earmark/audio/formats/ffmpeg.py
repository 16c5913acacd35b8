"""FFmpeg (PyAV): for what libsndfile does not know."""

import itertools
import weakref
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from earmark.audio.formats.decoder import PRE_ROLL, check, skipped
from earmark.audio.source import HEADERLESS, Source, untrusted
from earmark.errors import AudioError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

_FORMATS = (
    "3gp,aac,ac3,aiff,amr,ape,asf,au,avi,caf,flac,flv,g722,gsm,m4a,matroska,mov,mp3,mp4,mpeg,mpegts,mulaw,ogg,tta,"
    "w64,wav,webm,wv"
)
"""What FFmpeg may take a file for. Playlists (hls, concat, dash) are not among them: they name other files."""


class Decoded(NamedTuple):
    """What FFmpeg made of a packet."""

    samples: np.ndarray
    """(n, channels) float32."""
    rate: int
    time: int | None
    """Of the first sample, in the stream's units."""


class AvDecoder:
    """FFmpeg, frame by frame; encoder delay is cut as the container says."""

    exact = False
    frames: int | None = None

    def __init__(self, source: Source, target: "str | BinaryIO"):
        self._source = source
        with untrusted(source):
            self._container, self._stream = self._opened(target)
        weakref.finalize(self, self._container.close)  # container and stream hold each other: the file would stay open
        self._blocks = _decoded(self._container, self._stream)
        first = self._next()
        if first is None:
            raise AudioError(f"{self._source} holds no audio: replace it or leave it out")
        check(self._source, first.rate, first.samples.shape[1])
        self._left, self.rate, self._start = first
        self.channels: int = first.samples.shape[1]
        in_samples = self._start is not None and self._stream.time_base == Fraction(1, self.rate)
        self.seeks = in_samples and "mp4" in self._container.format.name.split(",")

    def _opened(self, target: "str | BinaryIO") -> "tuple[InputContainer, AudioStream]":
        import av

        kind, raw = HEADERLESS.get(self._source.suffix, (None, {}))
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"} | raw
        name = f"file:{target}" if isinstance(target, str) else target
        container = av.open(name, mode="r", format=kind, options=options)
        return container, container.streams.audio[0]

    def _next(self) -> "Decoded | None":
        with untrusted(self._source):
            return next(self._blocks, None)

    def read(self, count: int) -> np.ndarray:
        """See `Decoder`."""
        while not len(self._left):
            block = self._next()
            if block is None:
                return self._left
            if (block.rate, block.samples.shape[1]) != (self.rate, self.channels):
                raise AudioError(f"{self._source} changes its rate or channels on the way: convert it to FLAC")
            self._left = block.samples
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def seek(self, frame: int) -> bool:
        """See `Decoder`."""
        before = max(0, frame - round(PRE_ROLL * self.rate))
        with untrusted(self._source):
            self._container.seek((self._start or 0) + before, stream=self._stream)
        self._blocks = _decoded(self._container, self._stream)
        landed = self._next()
        if landed is None:
            return False
        self._left = landed.samples
        ahead = frame - ((landed.time or 0) - (self._start or 0))
        if ahead < 0:
            raise AudioError(f"{self._source} has no index to be sought by: convert it to FLAC")
        return skipped(self, ahead)


def _decoded(container: "InputContainer", stream: "AudioStream") -> Iterator[Decoded]:
    """From where the container stands. Of the decoder it knows nothing, which is let go of at once then."""
    import av

    resampler = av.AudioResampler(format="fltp")
    for frame in itertools.chain(container.decode(stream), [None]):
        for part in resampler.resample(frame):
            yield Decoded(part.to_ndarray().T, part.sample_rate, part.pts)
