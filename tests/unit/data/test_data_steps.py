"""Tables that are made once, whatever kills the process in between."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from earmark.data.steps import Steps, require_space, steps
from earmark.errors import UserError

KILLED = """
import os, pathlib, signal
from earmark.data.steps import steps
with steps(pathlib.Path({folder!r}), "these rows") as work:
    work.make("one", "SELECT range AS n FROM range(?)", 100_000)
    work.connection.execute("CREATE TABLE seen AS SELECT 7 AS number")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED.format(folder=str(folder))], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL


def tables(work: Steps) -> set[str]:
    return {row[0] for row in work.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}


def test_a_killed_process_s_tables_are_gone_on_with(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    killed(folder)
    with steps(folder, "these rows") as work:
        assert tables(work) == {"one", "seen"}
        work.make("one", "this is no SQL, and is not asked for")
        work.make("two", "SELECT sum(n) AS total FROM one")
        assert work.connection.execute("SELECT total FROM two").fetchone() == (4_999_950_000,)
    assert not folder.exists()


def test_tables_of_other_rows_are_not_taken(tmp_path: Path) -> None:
    killed(tmp_path / "work")
    with steps(tmp_path / "work", "other rows") as work:
        assert tables(work) == set()


@pytest.mark.parametrize("error", [UserError("wrong rows"), duckdb.Error("no such column")])
def test_what_led_to_a_fault_is_not_gone_on_with(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(UserError), steps(tmp_path / "work", "rows"):
        raise error
    assert not (tmp_path / "work").exists()


def test_what_was_interrupted_is_kept(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), steps(tmp_path / "work", "rows") as work:
        work.make("one", "SELECT 1 AS n")
        raise KeyboardInterrupt
    with steps(tmp_path / "work", "rows") as work:
        assert tables(work) == {"one"}


def test_a_second_process_is_told_and_disturbs_nothing(tmp_path: Path) -> None:
    with steps(tmp_path / "work", "these rows") as work:
        work.make("one", "SELECT 1 AS n")
        done = subprocess.run(
            [sys.executable, "-c", KILLED.format(folder=str(tmp_path / "work"))],
            check=False,
            capture_output=True,
            text=True,
        )
        assert "is another process at it?" in done.stderr
        assert work.connection.execute("SELECT n FROM one").fetchall() == [(1,)]


def test_a_full_disk_is_said_before(tmp_path: Path) -> None:
    require_space(tmp_path, 1, "this")
    with pytest.raises(UserError, match=r"collecting 5 rows takes up to 1000000000\.0 GB below .* are free: make room"):
        require_space(tmp_path, 10**18, "collecting 5 rows")
