import difflib
import json
from pathlib import Path

import pytest

from earmark import config
from earmark.settings_page import PAGE, SCHEMA, markdown, schema, write


def _difference(path: Path, made: str) -> str:
    held = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(difflib.unified_diff(held, made.splitlines(), str(path), "from the code", lineterm=""))


@pytest.mark.parametrize("name", [PAGE, SCHEMA], ids=str)
def test_page_and_schema_are_what_the_code_says(name: Path, repository: Path, tmp_path: Path) -> None:
    write(tmp_path)
    difference = _difference(repository / name, (tmp_path / name).read_text(encoding="utf-8"))
    assert not difference, f"run `python -m earmark.settings_page`:\n{difference}"


def _sections() -> list[type[config.Section]]:
    found = [config.Section]
    for section in found:
        found += section.__subclasses__()
    bases = (config.Section, config.CorpusBase, config.OwnCorpus)
    return [section for section in found if section.__module__.startswith("earmark.config") and section not in bases]


@pytest.mark.parametrize("section", _sections(), ids=lambda section: section.__name__)
def test_every_key_of_every_section_stands_on_the_page(section: type[config.Section]) -> None:
    _, found, rest = markdown().partition(f"\n## {section.__name__}\n")
    assert found, f"{section.__name__} is missing"
    table = rest.partition("\n## ")[0]
    for key in section.model_fields:
        (row,) = [line for line in table.splitlines() if line.startswith(f"| `{key}` |")]
        assert not row.endswith("|  |"), f"{section.__name__}.{key} has no docstring"


def test_links_lead_to_sections() -> None:
    page = markdown()
    headings = {line[3:].lower() for line in page.splitlines() if line.startswith("## ")}
    links = {part.partition(")")[0] for part in page.split("](#")[1:]}
    assert links and links <= headings


def test_schema_refuses_what_the_code_refuses(repository: Path) -> None:
    import jsonschema

    checker = jsonschema.Draft202012Validator(json.loads(json.dumps(schema())))
    assert list(checker.iter_errors({"run": "a b", "corpora": [], "unknown": 1}))
    assert not list(checker.evolve(schema=schema()["$defs"]["Watch"]).iter_errors({"tau": 0.9}))
    assert list(checker.evolve(schema=schema()["$defs"]["Watch"]).iter_errors({"tau": 1.0}))
