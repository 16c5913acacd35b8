"""What all tests share: where test data lies, and how a test says what it lacks."""

import atexit
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from tiny import TinyRun

from earmark.cli import main

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Of pytest-randomly only the order is wanted: a test that draws numbers draws the same in each run (`seeded`)."""
    config.option.randomly_reset_seed = False


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how to run the tests in this order again; pytest's own quiet mode leaves it out."""
    seed = getattr(terminalreporter.config.option, "randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"order of the tests: --randomly-seed={seed}")


@atexit.register
def silence() -> None:
    """Let the count of tests be the last line: at exit DuckDB's binding lists what Python has not freed by then."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Numbers that a test draws without a seed of its own do not depend on the tests before it."""
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of recordings and parity vectors: $EARMARK_SHARED, else `shared` beside the checkout."""
    folder = Path(os.environ.get("EARMARK_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"{folder} does not exist: set EARMARK_SHARED to the folder with speech/ and golden/")
    return folder


@pytest.fixture(scope="session")
def program() -> Callable[[str, str], str]:
    """`program(name, package)`: path of a program, or a skip that names the Debian package that has it."""

    def find(name: str, package: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed: apt-get install {package}")
        return path

    return find


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    """A finished run (see tests/tiny.py), shared by all tests: read it, never write to it."""
    return tiny.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def tiny_copy(tiny_run: TinyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyRun:
    """A copy of that run to damage; the test's working folder is its root."""
    copied = tiny_run.copy(tmp_path / "copy")
    monkeypatch.chdir(copied.root)
    return copied


@pytest.fixture
def earmark(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tiny.Runner:
    """`earmark(*arguments)`: the command in this process; exit code, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["earmark", *map(str, arguments)])
        capsys.readouterr()
        with tiny.one_process(), pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run
