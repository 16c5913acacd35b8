"""Audio inside a container, read in place: a member of a tar, or a row of a Parquet file. Nothing is unpacked.

    open_member("a.tar", "b/0001.flac")      tar: an index of offsets, made once; then random access
    open_member("a.tar.gz", "b/0001.flac")   the same in memory, where the archive is small
    open_member("a.parquet", "17")           row 17 of the column `audio`, as Hugging Face's `Audio` feature stores it
    open_member("a.parquet", "17:speech")    of the column `speech`

What an archive claims is never believed: sizes are compared with the file's, names only look members up.
"""

import gzip
import io
import os
import tarfile
import threading
import zlib
from collections import OrderedDict
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple

from earmark.audio.archive import CheckedHeader
from earmark.audio.view import Stretch
from earmark.errors import AudioError
from earmark.io import same_names

MAX_UNPACKED = 128 << 20
"""Bytes that a compressed tar may unpack to: it is held in memory."""
MAX_MEMBERS = 1_000_000
"""Members of a tar: their index is held in memory."""
KEPT_OPEN = 4
"""Containers that a thread keeps open."""
_READ_AHEAD = 1 << 17
_PARQUET_ROWS = 8
_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, RecursionError)


class Place(NamedTuple):
    """Where a member's bytes lie in the (unpacked) tar."""

    start: int
    size: int


class TarIndex(NamedTuple):
    """What a tar holds, in its order."""

    members: dict[str, Place]
    """Regular files by name; the first of several of one name."""
    refused: dict[str, str]
    """Other entries by name, and why they are not read."""
    fault: str | None
    """What ended the index early: damage, or too many members."""


def open_member(path: Path, member: str) -> BinaryIO:
    """A seekable stream of a member's bytes.

    :raises AudioError: no such member, one that may not be read, or a damaged container.
    """
    container = _container(path)
    if isinstance(container, _Parquet):
        return io.BytesIO(container.cell(member))
    return container.open(member)


def tar_index(path: Path) -> TarIndex:
    """What the tar (or small tar.gz) holds.

    :raises AudioError: it cannot be read, or is compressed and large.
    """
    container = _container(path)
    if isinstance(container, _Parquet):
        raise AudioError(f"{path} is Parquet, not a tar: correct the path")
    return container.index


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet does."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


_open = threading.local()


def _container(path: Path) -> "_Tar | _Parquet":
    """The open container; the least recently used of more than `KEPT_OPEN` is dropped."""
    try:
        stat = path.stat()
        # The process is part of the key: positions in a file that a fork shares must not be trusted.
        key = (os.getpid(), str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino)
        cache = _open.__dict__.setdefault("containers", OrderedDict())
        if key not in cache:
            cache[key] = _Parquet(path) if is_parquet(path) else _Tar(path)
    except (OSError, ValueError) as error:
        raise AudioError(f"{path} cannot be read ({error}): correct the path in the manifest") from None
    cache.move_to_end(key)
    while len(cache) > KEPT_OPEN:
        cache.popitem(last=False)
    return cache[key]  # type: ignore[no-any-return]


class _File:
    """Positioned reads of an open file, which closes with the last stream that uses it."""

    def __init__(self, path: Path):
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._descriptor).st_size

    def read(self, size: int, offset: int) -> bytes:
        return os.pread(self._descriptor, size, offset)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


class _Memory:
    """The same of bytes in memory."""

    def __init__(self, data: bytes):
        self._data, self.size = data, len(data)

    def read(self, size: int, offset: int) -> bytes:
        return self._data[offset : offset + size]


class _Window(Stretch):
    """`size` bytes of a file from `start` on, as a file of its own."""

    def __init__(self, file: _File | _Memory, start: int, size: int):
        super().__init__(size)
        self._file, self._start = file, start

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._at))
        data = self._file.read(wanted, self._start + self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Tar:
    """A tar and the index of its regular files."""

    def __init__(self, path: Path):
        self.path = path
        self.file: _File | _Memory = _File(path)
        if self.file.read(2, 0) == b"\x1f\x8b":
            self.file = _Memory(_unpacked(path))
        self.index = _indexed(self.file)
        if self.index.fault and not self.index.members and not self.index.refused:
            raise AudioError(f"{path} is no tar that can be read ({self.index.fault}): get it again")

    def open(self, member: str) -> BinaryIO:
        members = self.index.members
        place = members.get(member) or next((members[name] for name in same_names(member) if name in members), None)
        if place is None:
            reason = self.index.refused.get(member, self.index.fault)
            note = f" ({reason})" if reason else ""
            raise AudioError(f"{self.path} holds no member {member!r} that can be read{note}: correct the manifest")
        return io.BufferedReader(_Window(self.file, *place), _READ_AHEAD)


def _unpacked(path: Path) -> bytes:
    """Bytes of a gzip file, at most `MAX_UNPACKED`."""
    try:
        with gzip.open(path, "rb") as stream:
            data = stream.read(MAX_UNPACKED + 1)
    except _DAMAGE as error:
        raise AudioError(f"{path} cannot be unpacked ({error}): get it again") from None
    if len(data) > MAX_UNPACKED:
        raise AudioError(f"{path} unpacks to more than {MAX_UNPACKED} bytes: unpack it with gunzip, to seek in it")
    return data


def _indexed(file: _File | _Memory) -> TarIndex:
    """The headers of a tar, read one after another; damage ends the index, what precedes it stays readable."""
    members: dict[str, Place] = {}
    refused: dict[str, str] = {}
    stream = io.BufferedReader(_Window(file, 0, file.size), 1 << 14)
    try:
        with tarfile.open(fileobj=stream, mode="r:", tarinfo=CheckedHeader) as tar:
            while member := tar.next():
                # The library keeps every header that it has seen.
                tar.members = []  # type: ignore[attr-defined]
                if len(members) + len(refused) >= MAX_MEMBERS:
                    return TarIndex(members, refused, f"it has more than {MAX_MEMBERS} members")
                if reason := _refusal(member, file.size):
                    refused.setdefault(member.name, reason)
                elif member.isfile():
                    members.setdefault(member.name, Place(member.offset_data, member.size))
    except Exception as error:  # no list of what tarfile raises on damage is complete
        return TarIndex(members, refused, str(error) or type(error).__name__)
    return TarIndex(members, refused, None)


def _refusal(member: tarfile.TarInfo, size: int) -> str | None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        return "its name leads out of the archive"
    if not (member.isdir() or member.isfile()) or member.issparse():
        return "it is neither a folder nor a regular file"
    if member.offset_data + member.size > size:
        return "it claims more bytes than the archive has"
    return None


class _Parquet:
    """A Parquet file whose rows hold encoded audio; ascending rows of a row group are decoded once."""

    def __init__(self, path: Path):
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path = path
        try:
            self.file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last: a column's name
            raise AudioError(f"{path} is not readable Parquet ({error}): get it again") from None
        counts = [self.file.metadata.row_group(group).num_rows for group in range(self.file.num_row_groups)]
        self.starts = [sum(counts[:group]) for group in range(len(counts) + 1)]
        self.at: tuple[int, str] | None = None
        """First row, and column, of the batch that is held."""

    def cell(self, member: str) -> bytes:
        """The encoded audio of a row."""
        import pyarrow as pa

        row, _, column = member.partition(":")
        if not (row.isascii() and row.isdecimal()) or len(row) > 18 or int(row) >= self.starts[-1]:
            raise AudioError(f"{self.path} has no row {member!r}, it has {self.starts[-1]}: correct the manifest")
        leaf = self._leaf(column or "audio")
        try:
            data = self._value(int(row), leaf)
        except (pa.ArrowException, OSError) as error:
            raise AudioError(f"{self.path} cannot be read at row {row} ({error}): get it again") from None
        if not data:
            raise AudioError(f"{self.path} holds no bytes of audio in row {row}: leave it out")
        return data

    def _leaf(self, column: str) -> str:
        """Path of the binary column that holds the bytes."""
        leaf = bytes_column(self.file.schema_arrow, column)
        if leaf is None:
            raise AudioError(
                f"{self.path} has no column {column!r} of audio bytes, it has "
                f"{', '.join(self.file.schema_arrow.names) or 'none'}: correct the manifest"
            )
        return leaf

    def _value(self, row: int, leaf: str) -> bytes | None:
        group = next(number for number, end in enumerate(self.starts[1:]) if row < end)
        if self.at is None or self.at[1] != leaf or not self.starts[group] <= self.at[0] <= row:
            self.at = None
            self.batches = self.file.iter_batches(_PARQUET_ROWS, [group], [leaf], use_threads=False)
            self.batch, self.at = next(self.batches), (self.starts[group], leaf)
        while row >= self.at[0] + len(self.batch):
            first = self.at[0] + len(self.batch)
            self.at = None  # should the next one be damaged
            self.batch, self.at = next(self.batches), (first, leaf)
        value = self.batch.column(0)[row - self.at[0]].as_py()
        return value["bytes"] if isinstance(value, dict) else value


def bytes_column(schema: Any, name: str) -> str | None:
    """Path of the binary column behind `name`: itself, or `name.bytes` of a struct; None where there is none."""
    from pyarrow import types

    def binary(kind: Any) -> bool:
        return types.is_binary(kind) or types.is_large_binary(kind)

    place = schema.get_field_index(name)
    if place < 0:
        return None
    kind = schema.field(place).type
    if binary(kind):
        return name
    inner = kind.get_field_index("bytes") if types.is_struct(kind) else -1
    return f"{name}.bytes" if inner >= 0 and binary(kind.field(inner).type) else None
