"""Miniatures with a file that something happened to: nothing but `UserError`, every row with id and status, and
nothing written there.

1,160 inputs every day, 10,150 more with the slow tests; what becomes of a row is the other tests' matter.
"""

import importlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earmark.corpora.base import reader
from earmark.data import manifest
from earmark.errors import UserError

NAMES = sorted(path.stem for path in Path(__file__).with_name("miniatures").glob("[a-z]*.py"))
ODD = [
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "\u2028".encode(),
    b"\t",
    b"\n",
    b"\r\n",
    b"  ",
    b",",
    b'"',
    b"{",
    b"]",
    b"|",
]
ODD += [b"../../etc/passwd", b"/etc/passwd", b"-1", b"1e999", b"NaN", b"null", b"[]", b"9" * 40, b"[" * 3000]


@st.composite
def accidents(draw: Any) -> tuple[float, str, float, int, bytes]:
    """(which file, what happens, where, how long, with what), for files of any number and size."""
    kinds = ["flip", "cut", "insert", "drop", "repeat", "replace", "empty", "missing"]
    share = st.floats(0, 1, exclude_max=True)
    junk = st.one_of(st.sampled_from(ODD), st.binary(max_size=12))
    return draw(share), draw(st.sampled_from(kinds)), draw(share), draw(st.integers(1, 60)), draw(junk)


def happen(path: Path, kind: str, place: float, length: int, junk: bytes) -> None:
    data = path.read_bytes()
    at = int(place * len(data))
    before, hit, after = data[:at], data[at : at + length], data[at + length :]
    if kind == "missing":
        path.unlink()
        return
    path.write_bytes(
        {
            "flip": before + bytes(255 - byte for byte in hit[:1]) + hit[1:] + after,
            "cut": before,
            "insert": before + junk + hit + after,
            "drop": before + after,
            "repeat": before + hit + hit + after,
            "replace": before + junk + after,
            "empty": b"",
        }[kind]
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Path]]:
    """Settings and folder of each miniature."""
    top = tmp_path_factory.mktemp("miniatures")
    return {name: (importlib.import_module(f"miniatures.{name}").make(top / name), top / name) for name in NAMES}


def check(made: dict[str, tuple[Any, Path]], name: str, accident: tuple[float, str, float, int, bytes]) -> None:
    corpus, original = made[name]
    work = original.with_name(f"{name}.work")
    shutil.copytree(original, work / "corpus")
    try:
        files = sorted(path for path in (work / "corpus").rglob("*") if path.is_file())
        happen(files[int(accident[0] * len(files))], *accident[1:])
        before = contents(work / "corpus")
        moved = corpus.model_copy(update={"path": work / "corpus" / corpus.path.relative_to(original)})
        try:
            rows = manifest.table(reader(moved)(moved, work / "run")).to_pylist()
        except UserError as error:
            assert "\n" not in str(error)
        else:
            assert all(row["id"].startswith(f"{corpus.name}-") and row["status"] for row in rows)
        assert contents(work / "corpus") == before
        assert {path.name for path in work.iterdir()} <= {"corpus", "run"}
    finally:
        shutil.rmtree(work)


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_corpus_is_read_or_refused(made: dict[str, tuple[Any, Path]], name: str) -> None:
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(accidents())
    def run(accident: tuple[float, str, float, int, bytes]) -> None:
        check(made, name, accident)

    run()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_corpus_is_read_or_refused_however_often(made: dict[str, tuple[Any, Path]], name: str) -> None:
    @settings(max_examples=350, deadline=None, suppress_health_check=list(HealthCheck))
    @given(accidents())
    def run(accident: tuple[float, str, float, int, bytes]) -> None:
        check(made, name, accident)

    run()
