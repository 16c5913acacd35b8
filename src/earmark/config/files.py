"""Configuration files: YAML that may build upon another file, which it names as its `base`."""

from pathlib import Path
from typing import Any

import yaml

from earmark.errors import ConfigError

BASE = "base"
"""Key that names the file whose settings these change, relative to the file it stands in."""


class _Loader(yaml.SafeLoader):
    """YAML without what no setting can hold."""

    def compose_scalar_node(self, anchor: Any) -> Any:
        node = super().compose_scalar_node(anchor)
        if "\0" in node.value:
            raise ConfigError(f"{_place(node)}: a NUL character (value {node.value!r}) has no place here: remove it")
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in lines:  # the later value would win, unnoticed
                raise ConfigError(f"{_place(key)}: `{key.value}` stands in line {lines[key.value]} already: remove one")
            lines[key.value] = key.start_mark.line + 1
        return node


def _place(node: yaml.Node) -> str:
    return f"{node.start_mark.name}, line {node.start_mark.line + 1}"


def read_settings(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Plain settings of a file, merged over those of its base, and so on.

    :param above: files that led here, each the base of the one before.
    :raises ConfigError: a file is absent or no YAML mapping, or a base leads back to a file above.
    """
    if path.resolve() in above:
        raise ConfigError(f"{path} is its own base, by way of {above[-1]}: remove `{BASE}` from one of them")
    try:
        values = _mapping(path, above)
        base = values.pop(BASE, None)
        if base is None:
            return values
        if not isinstance(base, str):
            raise ConfigError(f"{path}: {BASE} (value {base!r}): name one configuration file, relative to this one")
        return merged(read_settings(path.parent / base, (*above, path.resolve())), values)
    except RecursionError:
        raise ConfigError(f"{path} is nested too deeply, or within itself: see config/default.yaml") from None


def _mapping(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            values = yaml.load(file, _Loader)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        named = f", which {above[-1]} names as its base," if above else ""
        line = f"{path}{named} is not a file: name a configuration file such as config/default.yaml"
        raise ConfigError(line) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: no UTF-8, or a date or number that cannot be
        raise ConfigError(f"{path} is not YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds no settings: see config/default.yaml")
    return values


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with `changes` (JSON Merge Patch, RFC 7396): mappings are merged, all else replaces, null takes out."""
    values = dict(base)
    for key, change in changes.items():
        old = values.get(key)
        if change is None:
            values.pop(key, None)
        elif isinstance(change, dict):
            values[key] = merged(old if isinstance(old, dict) else {}, change)
        else:
            values[key] = change
    return values
