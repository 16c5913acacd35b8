"""The size of things, and that a newcomer finds them: what each folder holds is told in its own docstring."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

LINES = 350
"""Of a file."""
MODULES = 16
"""Of a folder, besides __init__; `corpora/public/` has one a corpus."""
MEDIAN, NINE_TENTHS = 10, 40
"""Lines of functions."""


def folders(repository: Path) -> list[Path]:
    return sorted(path.parent for path in (repository / "src/earmark").rglob("__init__.py"))


def modules(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}


def names(folder: Path) -> set[str]:
    """Modules and folders of a folder."""
    return modules(folder) | {path.parent.name for path in folder.glob("*/__init__.py")}


def functions(repository: Path) -> Iterator[int]:
    for path in (repository / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_is_long(repository: Path) -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (repository / "src").rglob("*.py")}
    assert {str(path): count for path, count in lines.items() if count > LINES} == {}


def test_no_folder_is_full(repository: Path) -> None:
    counts = {
        path.relative_to(repository / "src/earmark").as_posix(): len(modules(path)) for path in folders(repository)
    }
    assert counts.pop("corpora/public") > MODULES
    assert {name: count for name, count in counts.items() if count > MODULES} == {}


def test_functions_are_short(repository: Path) -> None:
    lines = sorted(functions(repository))
    assert statistics.median(lines) <= MEDIAN
    assert lines[int(0.9 * len(lines))] <= NINE_TENTHS


def test_a_folder_tells_what_it_holds(repository: Path) -> None:
    root = repository / "src/earmark"
    untold = []
    for folder in folders(repository):
        if folder in (
            root,
            root / "corpora/public",
            root / "export/hub",
        ):  # README; a module a corpus, a class
            continue
        told = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
        untold += [f"{folder.relative_to(root)}: {name}" for name in sorted(names(folder)) if f"`{name}" not in told]
    assert not untold, untold


@pytest.mark.parametrize("part", ["README.md"])
def test_the_readme_has_every_folder_of_the_package(repository: Path, part: str) -> None:
    text = (repository / part).read_text(encoding="utf-8")
    root = repository / "src/earmark"
    missing = [path.name for path in folders(repository) if path.parent == root and f"  {path.name}/ " not in text]
    assert not missing, missing
