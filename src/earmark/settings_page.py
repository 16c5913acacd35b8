"""The settings as a page of the docs and as a JSON schema: `python -m earmark.settings_page` writes both.

Both come from the one typed configuration; a test fails when they part from it.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from earmark.config import Config
from earmark.io import write_text

PAGE = Path("docs/settings.md")
SCHEMA = Path("config/schemas/config.schema.yaml")

HEAD = """# Settings

Made by `python -m earmark.settings_page` from `src/earmark/config/`: edit that.
A configuration is a YAML file with the keys of the first table; unknown keys are refused.
A file may name another as its `base`, relative to itself: it then holds only what it changes. Mappings are merged, all
else replaces, `null` takes out what the base says. Checked is what comes out.
`config/schemas/config.schema.yaml` is the same as a JSON schema, for editors and for the workflow catalogue.
"""

WORDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "none",
    "path": "path",
}
"""JSON types and formats in plain words."""

Node = dict[str, Any]
"""A part of a JSON schema."""


def schema() -> Node:
    """JSON schema (2020-12) of a configuration file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Config.model_json_schema()


def markdown() -> str:
    """The settings page: a table for each section, in the order in which the configuration names them."""
    root = schema()
    sections = {"Config": root} | {name: root["$defs"][name] for name in _reached(root, root["$defs"])}
    return HEAD + "".join(_section(name, node, sections) for name, node in sections.items())


def _reached(node: Any, definitions: dict[str, Node]) -> list[str]:
    """Names of the sections that `node` refers to, directly or not, each once, in order of first mention."""
    direct: list[str] = []
    _collect(node.get("properties", {}), direct)
    names: list[str] = []
    for name in direct:
        names += [name, *_reached(definitions[name], definitions)]
    return list(dict.fromkeys(names))


def _collect(node: Any, names: list[str]) -> None:
    if isinstance(node, dict):
        if "$ref" in node:
            names.append(_name(node))
        for key, value in node.items():
            # A discriminator's mapping repeats the references of oneOf in the order of the alphabet.
            if key != "discriminator":
                _collect(value, names)
    elif isinstance(node, list):
        for value in node:
            _collect(value, names)


def _name(node: Node) -> str:
    return str(node["$ref"]).rsplit("/", 1)[-1]


def _section(name: str, node: Node, sections: dict[str, Node]) -> str:
    required = node.get("required", [])
    lines = [
        "",
        f"## {name}",
        "",
        node["description"],
        "",
        "| key | value | default | meaning |",
        "|---|---|---|---|",
    ]
    for key, value in node["properties"].items():
        default = "**required**" if key in required else _default(value)
        meaning = value.get("description") or _summary(value, sections)
        lines.append(f"| `{key}` | {_cell(_kind(value))} | {_cell(default)} | {_cell(meaning)} |")
    return "\n".join(lines) + "\n"


def _summary(value: Node, sections: dict[str, Node]) -> str:
    """What a key without a line of its own means: the section behind it says it."""
    if "$ref" in value:
        return str(sections[_name(value)]["description"]).partition("\n")[0]
    return "Names this section." if "const" in value else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(value: Node) -> str:
    default = value.get("default")
    if default is None:
        return "none"
    return "as below" if isinstance(default, dict) and "$ref" in str(value) else f"`{json.dumps(default)}`"


def _kind(node: Node) -> str:
    """What a value may be, in words."""
    if "$ref" in node:
        return f"[{_name(node)}](#{_name(node).lower()})"
    if choices := node.get("anyOf") or node.get("oneOf"):
        return " or ".join(_kind(one) for one in choices)
    if "const" in node or "enum" in node:
        return " or ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    if node["type"] in ("array", "object"):
        return _container(node)
    return WORDS[node.get("format") or node["type"]] + _limits(node)


def _container(node: Node) -> str:
    if "prefixItems" in node:
        return "[" + ", ".join(_kind(one) for one in node["prefixItems"]) + "]"
    if node["type"] == "array":
        return "list of " + _kind(node["items"])
    keys = _kind(node["propertyNames"]) if "propertyNames" in node else "name"
    return f"mapping of {keys} to {_kind(node['additionalProperties'])}"


def _limits(node: Node) -> str:
    signs = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
    limits = [f"{sign} {node[key]:.10g}" for key, sign in signs.items() if key in node]
    return f" {', '.join(limits)}" if limits else ""


def write(folder: Path = Path()) -> None:
    """Write page and schema below `folder`, the repository's root."""
    write_text(folder / PAGE, markdown())
    write_text(folder / SCHEMA, yaml.safe_dump(schema(), allow_unicode=True, sort_keys=False, width=120))


if __name__ == "__main__":
    write()
