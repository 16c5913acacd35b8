"""Work in DuckDB that goes on after a kill: a table is a step, and what is made stays until all of it is done.

A table is made as a whole or not at all, so a process that was killed leaves the steps that it had ended.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earmark.errors import UserError
from earmark.io import write_text

if TYPE_CHECKING:
    import duckdb

MEMORY = "3GB"
"""What DuckDB may take; the rest lies on disk."""
_MADE_OF = "made_of"


class Steps:
    """Tables that are made once."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection"):
        self.connection = connection

    def make(self, name: str, query: str, *parameters: Any) -> None:
        """Make the table `name` of a query, unless a process before this one did."""
        there = {row[0] for row in self.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if name not in there:
            self.connection.execute(f"CREATE TABLE {name} AS {query}", parameters or None)


@contextlib.contextmanager
def steps(folder: Path, made_of: str) -> Iterator[Steps]:
    """Steps whose tables lie in `folder` until the block ends well; those of other work there go first.

    :param made_of: hash of all that the tables depend on.
    :raises UserError: another process is at the same work, or DuckDB refuses something.
    """
    import duckdb

    noted = folder / _MADE_OF
    if not noted.is_file() or noted.read_text(encoding="utf-8") != made_of:
        shutil.rmtree(folder, ignore_errors=True)
        write_text(noted, made_of)
    limits: dict[str, Any] = {
        "memory_limit": MEMORY,
        "temp_directory": str(folder / "spilled"),
        "preserve_insertion_order": "false",
    }
    try:
        connection = duckdb.connect(str(folder / "rows.duckdb"), config=limits)
    except duckdb.IOException as error:
        raise UserError(f"{folder}: {error}: is another process at it? If none is, delete the folder") from None
    with contextlib.closing(connection), _gone_after_a_fault(folder):
        yield Steps(connection)
    shutil.rmtree(folder)


@contextlib.contextmanager
def _gone_after_a_fault(folder: Path) -> Iterator[None]:
    """What led to a fault is not gone on with; what was interrupted is."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        shutil.rmtree(folder)
        said = str(error).partition("LINE 1:")[0].strip()  # without DuckDB's picture of the statement
        raise UserError(f"{folder.parent}: {said} (the shards' indexes; see earmark verify)") from None
    except UserError:
        shutil.rmtree(folder)
        raise


def require_space(folder: Path, needed: int, what: str) -> None:
    """Refuse work that the disk has no room for.

    :raises UserError: fewer than `needed` bytes are free where `folder` lies.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"{what} takes up to {needed / 1e9:.1f} GB below {folder} for a time, and {free / 1e9:.1f} GB are free: "
            "make room, or put the results' folder on a larger disk"
        )
