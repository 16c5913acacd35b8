"""Files are touched here: written to a temporary name and renamed, completion markers last."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earmark.errors import CheckpointError, UserError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
    import torch

_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up", errno.EFBIG: "the file is too large"}

NOTES = "earmark"
"""Entry of a safetensors file's metadata that holds ours, as JSON."""


def existing(path: Path) -> Path:
    """`path`, or, where nothing has that name, what is called the same in another Unicode normal form.

    macOS decomposes names, tables hold them composed; part by part, for folders and files may differ. Costs one look
    where the name is there, or has no letter that could be written otherwise.
    """
    if str(path).isascii() or _is_there(path):
        return path
    found = Path(path.anchor)
    for part in path.relative_to(path.anchor).parts:
        names = dict.fromkeys((part, *same_names(part)))
        found = next((one for name in names if _is_there(one := found / name)), found / part)
    return found if _is_there(found) else path


def same_names(name: str) -> list[str]:
    """A name in each of its Unicode normal forms that keep the letters."""
    return list(dict.fromkeys(unicodedata.normalize(form, name) for form in ("NFC", "NFD")))


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (OSError, ValueError):  # too long for a name, a zero byte
        return False
    return True


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` when the block ends without an error.

    :raises UserError: the disk is full.
    """
    path = Path(path)
    try:
        with _replacing(path) as temporary:
            yield temporary
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise UserError(f"{path} cannot be written, {_FULL[error.errno]}: free space and run again") from None


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; results are for the team, so the usual umask applies.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: Path | str) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; rename it to `path` when the block ends without an error.

    :raises UserError: `path` is there, and is not an empty folder; the disk is full.
    """
    path = Path(path)
    if path.is_symlink() or (path.exists() and not (path.is_dir() and not any(path.iterdir()))):
        raise UserError(f"{path} is there already and is not an empty folder: name another, or remove it")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent) as name:
        whole = Path(name) / path.name
        whole.mkdir()
        try:
            yield whole
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise UserError(f"{path} cannot be written, {_FULL[error.errno]}: free space and run again") from None
        umask = os.umask(0)
        os.umask(umask)
        for file in whole.rglob("*"):
            if file.is_file():
                file.chmod(0o666 & ~umask)  # safetensors makes files private; results are for the team
        whole.replace(path)


@contextlib.contextmanager
def scratch_folder(folder: Path, name: str) -> Iterator[Path]:
    """A folder in `folder` for what is needed meanwhile; it goes afterwards, what a killed process left goes before.

    One process at a time may have one of this name.
    """
    for left in folder.glob(f".{name}.*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=folder) as path:
        yield Path(path)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read JSON; a missing or damaged file is a `UserError` that names it."""
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: run the stage that writes it first") from None
    except (IsADirectoryError, NotADirectoryError):
        raise UserError(f"{path} is not a file: name the JSON file of a run") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not JSON ({error}): delete it and run its stage again") from None


def write_parquet(path: Path | str, table: "pa.Table") -> None:
    """Write an Arrow table as Parquet (zstd, checksummed pages), whole or not at all."""
    with parquet_writer(path, table.schema) as writer:
        writer.write_table(table)


@contextlib.contextmanager
def parquet_writer(path: Path | str, schema: "pa.Schema") -> Iterator["pq.ParquetWriter"]:
    """Write Parquet table by table, each a row group, whole or not at all: for files larger than memory."""
    import pyarrow.parquet as pq

    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        yield writer


def read_parquet(path: Path | str, columns: list[str] | None = None) -> "pa.Table":
    """Read a Parquet file; a missing or damaged file is a `UserError` that names it."""
    import pyarrow.parquet as pq

    with _readable(path):
        return pq.read_table(path, columns=columns, partitioning=None, page_checksum_verification=True)


def parquet_rows(path: Path | str) -> int:
    """Number of rows of a Parquet file."""
    import pyarrow.parquet as pq

    with _readable(path):
        return int(pq.read_metadata(path).num_rows)


def parquet_schema(path: Path | str) -> "pa.Schema":
    """Columns of a Parquet file, with its metadata."""
    import pyarrow.parquet as pq

    with _readable(path):
        return pq.read_schema(path)


def stream_parquet(
    path: Path | str, columns: list[str] | None = None, start: int = 0, end: int | None = None
) -> Iterator["pa.Table"]:
    """Rows [start, end) of a Parquet file, a row group at a time."""
    import pyarrow.parquet as pq

    with contextlib.ExitStack() as stack:
        with _readable(path):
            file = stack.enter_context(pq.ParquetFile(path, page_checksum_verification=True))
        at = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            first, last = max(start - at, 0), rows if end is None else min(end - at, rows)
            if first < last:
                with _readable(path):
                    table = file.read_row_group(group, columns)
                yield table.slice(first, last - first)
            at += rows


@contextlib.contextmanager
def _readable(path: Path | str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: run the stage that writes it first") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not readable Parquet ({error}): delete it and run its stage again") from None


def write_tensors(path: Path | str, tensors: dict[str, "torch.Tensor"], metadata: dict[str, str]) -> None:
    """Write tensors as safetensors, whole or not at all; shared storage is written out once a name."""
    from safetensors.torch import save_file

    # One entry only: the library writes several in random order, and equal weights have to be equal files.
    notes = {NOTES: json.dumps(metadata, ensure_ascii=False, sort_keys=True)}
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        save_file(plain, temporary, metadata=notes)


def read_tensors(path: Path | str) -> tuple[dict[str, "torch.Tensor"], dict[str, str]]:
    """Read (tensors, metadata) from safetensors; never executes code from the file."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist: run the stage that writes it first")
    try:
        with safe_open(path, framework="pt") as handle:
            # A clone leaves the memory map, so that the file may be replaced while the tensors live.
            tensors = {name: handle.get_tensor(name).clone() for name in handle.keys()}  # noqa: SIM118
            notes = handle.metadata() or {}
            return tensors, json.loads(notes[NOTES]) if NOTES in notes else notes
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is cut short or damaged ({error}): delete it and run its stage again") from None


def sha256(path: Path | str) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def digest(*parts: object) -> str:
    """Short stable hash of the parts' JSON: for keys of caches and hashes of settings."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
