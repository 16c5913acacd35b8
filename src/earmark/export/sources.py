"""Source files of this package as the custom code of an exported folder: one source, copied, never written twice."""

import re
from pathlib import Path

import earmark

HUB = "earmark.export.hub"
_IMPORT = re.compile(r"^(\s*)from earmark\.(?:\w+\.)*(\w+) import ", re.MULTILINE)
_NAMED = re.compile(r"^\s*from (earmark\.[\w.]+) import ", re.MULTILINE)


def copy_sources(modules: list[str], folder: Path) -> None:
    """Write modules (dotted names in `hub`) and all of this package that they import, flat, into `folder`."""
    for name, text in closure([f"{HUB}.{module}" for module in modules]).items():
        (folder / _file(name)).write_text(exported(name, text), encoding="utf-8")


def closure(modules: list[str]) -> dict[str, str]:
    """Source text by dotted name, of modules and all of this package that they import from, in a fixed order."""
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _path(name).read_text(encoding="utf-8")
            waiting += _NAMED.findall(found[name])
    return dict(sorted(found.items()))


def exported(name: str, text: str) -> str:
    """A module's text with imports from this package made relative, and a line that says where it comes from."""
    origin = f"# SPDX-License-Identifier: Apache-2.0; from earmark {earmark.__version__}, module {name}\n"
    return origin + _IMPORT.sub(r"\1from .\2 import ", text)


def _file(name: str) -> str:
    return f"{name.rpartition('.')[2]}.py"


def _path(name: str) -> Path:
    return Path(earmark.__file__).parents[1].joinpath(*name.split(".")).with_suffix(".py")
