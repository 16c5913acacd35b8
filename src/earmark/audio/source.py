"""A recording, wherever its bytes lie, and the one way in which faults of the libraries that read it are told."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from earmark.audio.container import open_member
from earmark.errors import AudioError

_MISLEADING = (".raw", ".pcm", ".au", ".snd")
"""Endings by which libsndfile takes a file for samples without a header, whatever it holds."""


HEADERLESS: dict[str, tuple[str, dict[str, str]]] = {
    ".g722": ("g722", {}),
    ".ulaw": ("mulaw", {"sample_rate": "8000"}),  # as telephones have it, and Asterisk's prompts
}
"""FFmpeg's name and options of raw formats."""


class Source(NamedTuple):
    """A recording: a file, or a member of a container."""

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.member is None else f"{self.path}[{self.member}]"

    def open(self) -> "str | BinaryIO":
        """What a library opens: a path, or a stream."""
        if self.member is not None or self.path.name.lower().endswith(_MISLEADING):
            return self.stream()
        return str(self.path)

    def stream(self) -> BinaryIO:
        """Its bytes.

        :raises AudioError: it cannot be opened.
        """
        if self.member is not None:
            return open_member(self.path, self.member)
        with untrusted(self, "cannot be read"):
            return self.path.open("rb")

    @property
    def suffix(self) -> str:
        """Of the file or member, in small letters."""
        return Path(self.member or self.path.name).suffix.lower()

    @property
    def is_headerless(self) -> bool:
        """Raw G.722 and mu-law: only the name tells what it is."""
        return self.suffix in HEADERLESS


@contextlib.contextmanager
def untrusted(source: Source, fault: str = "is not audio that can be decoded") -> Iterator[None]:
    """Tell whatever a library raises on a recording as an `AudioError`.

    No list of exceptions is complete: damaged and made-up files have brought TypeError, ValueError, OverflowError,
    MemoryError and others out of libraries that name one of their own.
    """
    try:
        yield
    except AudioError:
        raise
    except Exception as error:
        what = str(error) or type(error).__name__
        raise AudioError(f"{source} {fault} ({what}): replace it or leave it out") from None
