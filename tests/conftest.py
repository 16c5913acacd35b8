"""What all tests share: where test data lies, and how a test says what it lacks."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


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
