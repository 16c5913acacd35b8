"""Decoders of one open recording: libsndfile for what it knows, FFmpeg (PyAV) for the rest.

Both give samples (n, channels) float32, in order. PCM and FLAC can be sought anywhere at no loss. Lossy formats carry
state from block to block (overlap, prediction): Vorbis, Opus and MP4 are sought a second before what is wanted, from
where on they give what they give when decoded from the start. All else is decoded forward: raw AAC has no index, WebM's
times are rounded to a millisecond, and mpg123 keeps state through a seek that changes an mp3's last bits (it decodes
thousands of times faster than real time, though).
"""

import contextlib
import itertools
import weakref
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, TypeVar

import numpy as np

from earmark.audio.container import open_member
from earmark.errors import AudioError

if TYPE_CHECKING:
    import soundfile
    from av.audio.stream import AudioStream
    from av.container import InputContainer

T = TypeVar("T")

_UNKNOWN_FRAMES = 2**62
"""libsndfile claims about 2^63 frames where a header gives none, as in FLAC written to a pipe."""
RATES = (1_000, 768_000)
"""Sample rates that recordings have; resampling from others would fill the memory."""
MAX_CHANNELS = 64
_EXACT = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")
"""Subtypes of libsndfile whose seeks are exact (FLAC has PCM's)."""
_SEEKING = ("VORBIS", "OPUS")
"""Lossy ones whose samples do not depend on what was decoded before a seek and the pre-roll."""
PRE_ROLL = 1.0
"""Seconds that a lossy format is decoded before the place that it is sought at; Opus asks for 0.08."""
_FORMATS = (
    "3gp,aac,ac3,aiff,amr,ape,asf,au,avi,caf,flac,flv,g722,gsm,m4a,matroska,mov,mp3,mp4,mpeg,mpegts,mulaw,ogg,tta,"
    "w64,wav,webm,wv"
)
"""What FFmpeg may take a file for. Playlists (hls, concat, dash) are not among them: they name other files."""
_HEADERLESS: dict[str, tuple[str, dict[str, str]]] = {
    ".g722": ("g722", {}),
    ".ulaw": ("mulaw", {"sample_rate": "8000"}),  # as telephones have it, and Asterisk's prompts
}
"""FFmpeg's name and options of raw formats, which only a file's name tells."""


class Source(NamedTuple):
    """A recording: a file, or a member of a container."""

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.member is None else f"{self.path}[{self.member}]"

    def open(self) -> "str | BinaryIO":
        """What a library opens: a path, or a stream."""
        return str(self.path) if self.member is None else open_member(self.path, self.member)

    @property
    def is_g722(self) -> bool:
        """Raw G.722 has no header: only its name tells what it is."""
        return self.suffix == ".g722"

    @property
    def suffix(self) -> str:
        """Of the file or member, in small letters."""
        return Path(self.member or self.path.name).suffix.lower()


class Decoder(Protocol):
    """An open recording."""

    rate: int
    exact: bool
    """Whether seeking loses nothing, and costs nothing."""
    seeks: bool
    """Whether `seek` may be called."""

    def read(self, count: int) -> np.ndarray:
        """The next samples, (n, channels) float32, 0 < n <= count; n = 0 at the end."""
        ...

    def seek(self, frame: int) -> bool:
        """Go to a sample; False where the recording ends before it."""
        ...


def open_decoder(source: Source) -> Decoder:
    """The decoder for a recording.

    :raises AudioError: not audio, or with a rate or number of channels that no recording has.
    """
    import soundfile

    if not source.is_g722:
        with contextlib.suppress(soundfile.LibsndfileError):
            file = _forward()(source.open())
            if file.frames < _UNKNOWN_FRAMES:
                return SoundFileDecoder(source, file)
            file.close()
    return AvDecoder(source)


def header_seconds(source: Source) -> float | None:
    """Length by the header; None where there is none that can be trusted."""
    import soundfile

    if source.is_g722:
        return None
    with contextlib.suppress(soundfile.LibsndfileError), soundfile.SoundFile(source.open()) as file:
        _check(source, file.samplerate, file.channels)
        # An mp3's header keeps the full length when the file was cut short.
        if 0 < file.frames < _UNKNOWN_FRAMES and not file.subtype.startswith("MPEG"):
            return float(file.frames / file.samplerate)
    return None


def _check(source: Source, rate: int, channels: int) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        raise AudioError(f"{source} has a sample rate of {rate} Hz: replace it or leave it out")
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"{source} has {channels} channels: replace it or leave it out")


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
        _check(source, file.samplerate, file.channels)
        self._source, self._file = source, file
        self.rate: int = file.samplerate
        self.exact = file.subtype.startswith(_EXACT)
        self.seeks = self.exact or file.subtype in _SEEKING
        if not self.exact:
            # An mp3 decodes a little differently (1e-7) before its first seek; with it, as when read as a whole.
            file.seek(0)

    def read(self, count: int) -> np.ndarray:
        """See `Decoder`."""
        import soundfile

        try:
            return self._file.read(count, dtype="float32", always_2d=True)  # type: ignore[no-any-return]
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{self._source} is cut short or damaged ({error}): replace it or leave it out") from None

    def seek(self, frame: int) -> bool:
        """See `Decoder`."""
        import soundfile

        before = 0 if self.exact else min(frame, round(PRE_ROLL * self.rate))
        try:
            self._file.seek(min(frame, self._file.frames) - before)
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{self._source} is cut short or damaged ({error}): replace it or leave it out") from None
        return frame < self._file.frames and _skipped(self, before)


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

    def __init__(self, source: Source):
        self._source = source
        self._container, self._stream = self._guarded(self._opened)
        weakref.finalize(self, self._container.close)  # container and stream hold each other: the file would stay open
        self._blocks = _decoded(self._container, self._stream)
        first = self._guarded(lambda: next(self._blocks, None))
        if first is None:
            raise AudioError(f"{self._source} holds no audio: replace it or leave it out")
        _check(self._source, first.rate, first.samples.shape[1])
        self._left, self.rate, self._start = first
        in_samples = self._start is not None and self._stream.time_base == Fraction(1, self.rate)
        self.seeks = in_samples and "mp4" in self._container.format.name.split(",")

    def _opened(self) -> "tuple[InputContainer, AudioStream]":
        import av

        kind, raw = _HEADERLESS.get(self._source.suffix, (None, {}))
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"} | raw
        target = self._source.open()
        name = f"file:{target}" if isinstance(target, str) else target
        container = av.open(name, mode="r", format=kind, options=options)
        return container, container.streams.audio[0]

    def _guarded(self, call: "Callable[[], T]") -> "T":
        import av

        try:
            return call()
        except (av.FFmpegError, IndexError, ValueError, OSError) as error:
            raise AudioError(
                f"{self._source} is not audio that can be decoded ({error}): replace it or leave it out"
            ) from None

    def read(self, count: int) -> np.ndarray:
        """See `Decoder`."""
        while not len(self._left):
            block = self._guarded(lambda: next(self._blocks, None))
            if block is None:
                return self._left
            self._left = block.samples
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def seek(self, frame: int) -> bool:
        """See `Decoder`."""
        before = max(0, frame - round(PRE_ROLL * self.rate))
        self._guarded(lambda: self._container.seek((self._start or 0) + before, stream=self._stream))
        self._blocks = _decoded(self._container, self._stream)
        landed = self._guarded(lambda: next(self._blocks, None))
        if landed is None:
            return False
        self._left = landed.samples
        ahead = frame - ((landed.time or 0) - (self._start or 0))
        if ahead < 0:
            raise AudioError(f"{self._source} has no index to be sought by: convert it to FLAC")
        return _skipped(self, ahead)


def _decoded(container: "InputContainer", stream: "AudioStream") -> Iterator[Decoded]:
    """From where the container stands. Of the decoder it knows nothing, which is let go of at once then."""
    import av

    resampler = av.AudioResampler(format="fltp")
    for frame in itertools.chain(container.decode(stream), [None]):
        for part in resampler.resample(frame):
            yield Decoded(part.to_ndarray().T, part.sample_rate, part.pts)


def _skipped(decoder: Decoder, count: int) -> bool:
    """Read past samples; False where the recording ends before."""
    while count and (block := len(decoder.read(count))):
        count -= block
    return count == 0
