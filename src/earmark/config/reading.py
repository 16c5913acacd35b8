"""From YAML to the typed configuration, and what is wrong with it in one line."""

import reprlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from earmark.config.files import read_settings
from earmark.config.run import Config
from earmark.errors import ConfigError

_BELONGS = {
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
    "list_type": "a list",
    "tuple_type": "a list",
    "path_type": "a path",
}
"""What should stand in place of a value of another kind, by pydantic's name of the fault."""


def _line(error: Any) -> str:
    # Parts in brackets are pydantic's names of a union's branches, not keys.
    where = ".".join(str(part) for part in error["loc"] if "[" not in str(part)) or "configuration"
    value = error.get("input")
    shown = "" if isinstance(value, dict | list | BaseModel) or value is None else f" (value {value!r})"
    if error["type"] == "extra_forbidden":
        return f"{where}{shown}: unknown key; remove it or correct its spelling (docs/settings.md lists all keys)"
    if error["type"] in _BELONGS:
        what = f"{_BELONGS[error['type']]} belongs here (docs/settings.md lists all keys)"
        return f"{where} (value {reprlib.repr(value)}): {what}"
    if error["type"] == "union_tag_invalid":
        return f"{where}.reader (value {error['ctx']['tag']!r}): name one of {error['ctx']['expected_tags']}"
    if error["type"] == "union_tag_not_found":
        where += ".reader"
    if error["type"] in ("missing", "union_tag_not_found"):
        return f"{where}: missing; add it (docs/settings.md says what it means)"
    return f"{where}{shown}: {error['msg'].removeprefix('Value error, ')}"


def parse(values: Any, source: str = "configuration") -> Config:
    """Validate plain values; a wrong key or value is a `ConfigError` of one line."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        # Where a section or a path may stand, the fault of the section is told; that it is no path is not news.
        faults = [one for one in error.errors() if one["type"] != "path_type"] or error.errors()
        raise ConfigError(f"{source}: " + "; ".join(_line(one) for one in faults[:5])) from None


def load(path: Path | str, run: str | None = None) -> Config:
    """Read a YAML file. Relative paths in it are relative to the working folder.

    :param run: another name for the run, as `earmark` and `snakemake --config run=NAME` take it.
    :raises ConfigError: the file, a key or a value is wrong, or a file lies where the results' folder has to be.
    """
    path = Path(path)
    values = read_settings(path)
    if run:
        values["run"] = run
    settings = parse(values, str(path))
    for folder in (settings.folder, *settings.folder.parents):
        if folder.is_file():
            raise ConfigError(f"{path}: results go to {settings.folder}, but {folder} is a file: name another folder")
    return settings


def dump(section: BaseModel) -> Any:
    """Plain JSON-able values of a section: for hashes, rule parameters and the report."""
    return section.model_dump(mode="json")
