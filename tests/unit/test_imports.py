"""The direction of imports, which keeps each part understandable and testable without those above it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LEVELS = [
    {"config", "errors", "io", "paths", "settings_page"},
    {"metrics", "losses"},
    {"audio", "text", "report"},
    {"data", "models", "corpora"},
    {"diagnose", "decode", "standin"},
    {"train", "evaluate", "export"},
    {"plan"},
    {"cli", "__main__"},
]
"""Parts of the package, lowest first: a part imports its own level and those below."""

FORBIDDEN = {
    "metrics": {"io", "paths"},  # they know tensors, not files
    "losses": {"io", "paths"},
    "models": {"data", "corpora"},
    "text": {"audio"},
    "audio": {"text"},
    "report": {"models", "train", "decode"},  # it reads files, never models
}
"""Imports that are not upward and still wrong."""

RANK = {part: rank for rank, parts in enumerate(LEVELS) for part in parts}


def imported_parts(source: str, package: str) -> set[str]:
    """Parts of earmark that a module's text imports anywhere, functions included."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1]] if node.level else [])
            module = ".".join(part for part in (base, node.module or "") if part)
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "earmark" else [module]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("earmark.")}
    return found - {"__version__"}


def wrong(part: str, others: set[str]) -> set[str]:
    """Those of `others` that `part` may not import."""
    above = {other for other in others if RANK[other] > RANK[part]}
    return above | (others & FORBIDDEN.get(part, set()))


def modules(repository: Path) -> Iterator[tuple[Path, str, str]]:
    """(file, its package, its part) of every module but the package's own __init__."""
    root = repository / "src"
    for path in sorted((root / "earmark").rglob("*.py")):
        names = path.relative_to(root).with_suffix("").parts
        if names != ("earmark", "__init__"):
            yield path, ".".join(names[:-1]), names[1]


def test_every_part_has_a_level(repository: Path) -> None:
    unknown = {part for _, _, part in modules(repository)} - set(RANK)
    assert not unknown, f"give {unknown} a level in tests/unit/test_imports.py"


def test_imports_go_downward(repository: Path) -> None:
    faults = [
        f"{path.relative_to(repository)} imports earmark.{other}"
        for path, package, part in modules(repository)
        for other in sorted(wrong(part, imported_parts(path.read_text(encoding="utf-8"), package)))
    ]
    assert not faults, "\n".join(faults)


def test_parts_of_one_level_do_not_import_each_other_in_a_circle(repository: Path) -> None:
    edges: dict[str, set[str]] = {part: set() for part in RANK}
    for path, package, part in modules(repository):
        edges[part] |= imported_parts(path.read_text(encoding="utf-8"), package) - {part}
    circles = [f"{a} <-> {b}" for a in edges for b in edges[a] if a < b and a in _reached(b, edges)]
    assert not circles, circles


def _reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    found, waiting = set(), [start]
    while waiting:
        for part in edges[waiting.pop()] - found:
            found.add(part)
            waiting.append(part)
    return found


RULES_IMPORT = [
    *("earmark.config", "earmark.paths", "earmark.corpora.sources", "earmark.diagnose.watch", "earmark.errors"),
    *("earmark.plan", "earmark.plan.site"),
]
"""All that the Snakefile and the rules may import: settings, paths, what corpora are made of, mistakes, the phases that
decisions lead to, and what jobs take."""


def test_rules_import_only_light_modules(repository: Path) -> None:
    files = [
        repository / "Snakefile",
        repository / "workflow/Snakefile",
        *sorted((repository / "workflow/rules").glob("*.smk")),
    ]
    assert len(files) > 1
    for path in files:
        named = re.findall(r"^\s*(?:from|import)\s+(earmark[\w.]*)", path.read_text(), re.MULTILINE)
        assert set(named) <= set(RULES_IMPORT), f"{path} imports {named}"


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("import earmark.train.loop", {"train"}),
        ("from earmark import io, __version__", {"io"}),
        ("def f():\n    from earmark.cli import main", {"cli"}),
        ("from ..data import manifest", {"data"}),
        ("import torch\nfrom pathlib import Path", set()),
    ],
)
def test_the_check_sees_each_form_of_import(source: str, parts: set[str]) -> None:
    assert imported_parts(source, "earmark.models") == parts


def test_the_check_finds_faults() -> None:
    assert wrong("data", {"train", "text", "io"}) == {"train"}
    assert wrong("models", {"data", "losses"}) == {"data"}
    assert wrong("report", {"models", "io", "metrics"}) == {"models"}


@pytest.mark.parametrize("module", [*RULES_IMPORT, "earmark.io", "earmark.corpora.base", "earmark.cli"])
def test_light_modules_load_nothing_heavy(module: str) -> None:
    heavy = ["torch", "transformers", "deepspeed", "pyarrow", "numpy", "phonemizer", "lhotse"]
    script = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"
