"""What readers of recorded corpora share: is it there, how long is it, and in which order is it held out."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from earmark.audio.read import audio_seconds
from earmark.errors import AudioError, CorpusError
from earmark.io import digest, existing


def measured(path: Path, member: str | None = None) -> dict[str, Any]:
    """Manifest values `audio`, `member` and `duration` (seconds) of a recording; `status` too where it is unusable."""
    path = existing(path)
    values: dict[str, Any] = {"audio": str(path)} | ({} if member is None else {"member": member})
    if not is_file(path):
        return values | {"status": "missing audio"}
    try:
        return values | {"duration": audio_seconds(path, member)}
    except AudioError:
        return values | {"status": "undecodable audio"}


def is_file(path: Path) -> bool:
    """Whether a file is there, whatever the name holds and whoever may look."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # no access to its folder, too long for a name
        return False


def shuffled(keys: Iterable[str], seed: int) -> list[str]:
    """Keys in an order that depends on the seed and each key alone: a new key moves no other past another."""
    return sorted(keys, key=lambda key: (digest(seed, key), key))


def require(found: list[Path], pattern: str, where: Path, source: str) -> None:
    """:raises CorpusError: when nothing was found."""
    if not found:
        raise CorpusError(f"{where} holds no {pattern}: get the corpus from {source}")
