"""The corpora of Table 4 and the test sets of Table 1: `config/corpora.tsv` and `config/benchmarks.tsv`.

The paper gives no sampling weights: an empty weight means hours to the power that the configuration sets. `parts` is
hours / 1,200, rounded up: so many jobs label and shard the corpus. A corpus's folder is called after it (`name`),
whatever the archive was called.
"""

from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import Field, PositiveFloat, PositiveInt, ValidationError, field_validator

from earmark.config.base import Language, Name, Section
from earmark.errors import ConfigError

FOLDER = Path(__file__).resolve().parents[3] / "config"
"""Where the tables lie in a checkout."""
OWN = "folder"
"""Reader of data of one's own that the table counts with."""


class ListedCorpus(Section):
    """A row of corpora.tsv."""

    name: Name
    title: str
    """As the paper calls it, nearly."""
    languages: tuple[Language, ...]
    domain: str
    hours: PositiveFloat
    """Hours in the paper's training data (Table 4)."""
    licence: str
    url: str
    """Where it is published; empty for data of one's own."""
    reader: str
    weight: PositiveFloat | None
    """Share of training; none: hours to a power."""
    parts: PositiveInt

    @field_validator("languages", mode="before")
    @classmethod
    def _split(cls, value: str) -> list[str]:
        return value.split()

    @field_validator("weight", mode="before")
    @classmethod
    def _empty(cls, value: str) -> str | None:
        return value or None


class Benchmark(Section):
    """A row of benchmarks.tsv: a test set."""

    corpus: Name
    """Corpus, and reader, that it comes from."""
    title: str
    split: Name = Field(pattern=r"^test_[a-z0-9_]+$")
    """Its split in the manifests."""
    scenario: Literal["Mandarin", "Chinese Dialect", "English", "Code-switch"]
    measure: Literal["cer", "wer", "mer"]
    """Error rate over characters, words, or both (code-switch)."""
    paper: float
    """The paper's own figure for its model, percent (Table 1, column Ours)."""


Row = TypeVar("Row", bound=Section)
HEAD = ("name", "languages", "domain", "hours", "parts", "weight", "reader", "licence")
"""Columns of the printed table."""


def corpora(folder: Path = FOLDER) -> list[ListedCorpus]:
    """The corpora, in the order of Table 4.

    :raises ConfigError: no such table, or a row that is not of the form.
    """
    return _rows(folder / "corpora.tsv", ListedCorpus)


def benchmarks(folder: Path = FOLDER) -> list[Benchmark]:
    """The test sets, in the order of Table 1.

    :raises ConfigError: no such table, or a row that is not of the form.
    """
    return _rows(folder / "benchmarks.tsv", Benchmark)


def _rows(path: Path, kind: type[Row]) -> list[Row]:
    try:
        first, *rest = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"{path} is no table that can be read ({error}): take it from the repository") from None
    columns = first.split("\t")
    rows = []
    for number, line in enumerate(rest, 2):
        fields = line.split("\t")
        if len(fields) != len(columns):
            raise ConfigError(
                f"{path}, line {number}: {len(fields)} fields, {len(columns)} columns: add or remove tabs"
            )
        try:
            rows.append(kind.model_validate(dict(zip(columns, fields, strict=True))))
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            raise ConfigError(f"{path}, line {number}: {where} {fault['input']!r}: {fault['msg']}") from None
    return rows


def table(listed: list[ListedCorpus]) -> str:
    """The corpora in aligned columns, and their hours together."""
    rows: list[tuple[str, ...]] = [HEAD]
    for one in listed:
        languages = " ".join(one.languages[:3]) + (f" +{len(one.languages) - 3}" if len(one.languages) > 3 else "")
        weight = "by hours" if one.weight is None else f"{one.weight:g}"
        rows.append(
            (one.name, languages, one.domain, f"{one.hours:,.0f}", str(one.parts), weight, one.reader, one.licence)
        )
    rows.append(("total", "", "", f"{sum(one.hours for one in listed):,.0f}", "", "", "", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = {3, 4}
    lines = [
        "  ".join(
            text.rjust(width) if place in right else text.ljust(width) for place, (text, width) in enumerate(cells)
        )
        for cells in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    return "\n".join(line.rstrip() for line in lines)


def settings(root: Path, listed: list[ListedCorpus], tests: list[Benchmark]) -> str:
    """YAML of the sections `corpora` and `evaluation.tests` for the corpora whose folder is there.

    :param root: folder of the corpora's folders, ROOT/NAME.
    :raises ConfigError: none of them is there.
    """
    found = [_entry(one, root / one.name) for one in listed if (root / one.name).is_dir()]
    known = {one.name for one in listed}
    only_tests = dict.fromkeys(test.corpus for test in tests if test.corpus not in known)
    found += [
        {"name": name, "reader": name, "path": str(root / name), "domain": "benchmark"}
        for name in only_tests
        if (root / name).is_dir()
    ]
    if not found:
        raise ConfigError(f"{root} holds none of the folders {', '.join(sorted([*known, *only_tests]))}: name them so")
    there = {entry["name"] for entry in found}
    rows = [
        {"name": test.split, "measure": test.measure, "scenario": test.scenario}
        for test in tests
        if test.corpus in there
    ]
    sections: dict[str, Any] = {"corpora": found} | ({"evaluation": {"tests": rows}} if rows else {})
    return yaml.safe_dump(sections, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)


def _entry(one: ListedCorpus, path: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": one.name, "reader": one.reader, "path": str(path)}
    entry |= {"domain": one.domain, "licence": one.licence, "parts": one.parts}
    return entry | ({"weight": one.weight} if one.weight else {})
