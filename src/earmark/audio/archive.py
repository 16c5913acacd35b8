"""Unpack a published corpus's tar archive: whole or not at all, and nothing outside the target.

archive -> bounded, checked stream -> `TARGET.partial` -> completion marker -> rename to TARGET
"""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from earmark import io
from earmark.errors import CorpusError

MARKER = ".complete.json"
"""Written into the target when everything is unpacked: the archive's SHA-256 and the number of files."""

_MAX_HEADER = 1 << 20
_EXTENSIONS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)


class CheckedHeader(tarfile.TarInfo):
    """Refuses damage that `tarfile` would take for the archive's end, and headers that fill memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "CheckedHeader":
        """A header from its block."""
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if any(buf) or len(buf) < tarfile.BLOCKSIZE:
                raise tarfile.ReadError(f"it is cut short or damaged: {error}") from None
            raise  # a block of zeros: the archive's end
        if header.size < 0 or (header.type in _EXTENSIONS and header.size > _MAX_HEADER):
            raise tarfile.ReadError(f"a header claims {header.size} bytes")
        return header


class _Bounded:
    """A stream that ends in an error once more than `limit` bytes were read: no bomb fills the disk."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, limit: int):
        self.stream, self.left = stream, limit

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`."""
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise tarfile.ReadError("it is larger than allowed")
        return data


def extract(archive: Path, target: Path, source: str, max_bytes: int = 4 << 30, max_files: int = 1_000_000) -> None:
    """Unpack the regular files of a tar or tar.gz below `target`; a target that is complete is left alone.

    After an interruption, or when the archive has changed, everything is unpacked anew.

    :param source: where the public can get the archive; named in errors.
    :param max_bytes: bound of the unpacked archive.
    :param max_files: bound of the number of members.
    :raises CorpusError: absent, damaged, too large, or with a member other than a folder or a regular file
        whose name stays below the target.
    """
    if not archive.is_file():
        raise CorpusError(f"{archive} is not there: get it from {source}, or correct `path`")
    wanted = io.sha256(archive)
    if _is_complete(target, wanted):
        return
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        files = _unpack(archive, partial, max_bytes, max_files)
    except (
        tarfile.TarError,
        gzip.BadGzipFile,
        zlib.error,
        EOFError,
        ValueError,  # names or numbers that cannot be decoded
        RecursionError,  # thousands of headers on one another
    ) as error:
        raise CorpusError(f"{archive} cannot be unpacked ({error}): get it again from {source}") from None
    except OSError as error:
        raise CorpusError(f"{archive} cannot be unpacked to {target} ({error}): make room or access there") from None
    io.write_json(partial / MARKER, {"sha256": wanted, "files": files})
    _remove(target)
    partial.rename(target)


def _unpack(archive: Path, folder: Path, max_bytes: int, max_files: int) -> int:
    """Number of files written below `folder`."""
    files = 0
    with archive.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = _Bounded(gzip.GzipFile(fileobj=raw) if packed else raw, max_bytes)
        with tarfile.open(
            fileobj=stream,  # type: ignore[call-overload]
            mode="r|",
            tarinfo=CheckedHeader,
            encoding="utf-8",
            errors="strict",
        ) as tar:
            for count, member in enumerate(tar, 1):
                if count > max_files:
                    raise tarfile.ReadError(f"it has more than {max_files} members")
                _check(member, max_bytes)
                if member.isfile():
                    tar.extract(member, folder, filter="data")
                    files += 1
            _exhaust(tar)
    return files


def _exhaust(tar: tarfile.TarFile) -> None:
    """Read to the end, where gzip keeps its checksum; a header lost to zeros shows by what follows it."""
    while rest := tar.fileobj.read(1 << 20):  # type: ignore[union-attr]
        if any(rest):
            raise tarfile.ReadError("data follows its end mark")


def _check(member: tarfile.TarInfo, max_bytes: int) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise tarfile.ReadError(f"member {member.name!r} leads out of the folder")
    if not (member.isdir() or member.isfile()) or member.issparse():
        raise tarfile.ReadError(f"member {member.name!r} is neither a folder nor a regular file")
    if member.size > max_bytes:
        raise tarfile.ReadError(f"member {member.name!r} claims {member.size} bytes")


def _is_complete(target: Path, sha256: str) -> bool:
    marker = target / MARKER
    if not marker.is_file():
        return False
    files = sum(path.is_file() for path in target.rglob("*")) - 1
    return bool(io.read_json(marker) == {"sha256": sha256, "files": files})


def _remove(target: Path) -> None:
    """Make way for a new unpacking; a folder that is not one of ours is never deleted."""
    if (target / MARKER).is_file():
        shutil.rmtree(target)
    elif target.is_dir() and not any(target.iterdir()):
        target.rmdir()
    elif target.exists():
        raise CorpusError(f"{target} exists and holds no unpacked archive: move it away")
