"""The catalogue: a DuckDB file with views, not copies, over the Parquet and JSON files of a run.

    manifests    every row of every corpus, with its labels and status
    shard_index  every row in shards: shard, row, frames, duration, text, audio_hash
    training     rows of shard_index that training sees: the split train without duplicates and overlap with test sets
    set_aside    id, corpus and reason of each row that training never sees, whichever stage found it
    metrics      a row a training step: stage, loss, rate, speed
    decisions    the CKA watch: score, reference, triggers
    entropy      NSE, PAI, CSAI and layer-wise CKA of snapshots
    utterances   a row a test utterance and system: reference, hypothesis, errors
    scores       error and hallucination rates of each test set and system

Of a run that takes its data or pretraining from another one (`shares`), views hold those, too. Phases that an earlier
threshold of the watch planned, and this one does not, are in none. Views name their files absolutely, since a plain
`duckdb FILE` resolves paths against wherever it is started. After a run was moved, or before it is finished, query its
folder instead of the file: the views are then made afresh.
"""

import contextlib
import csv
import io
import itertools
import json
import math
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from earmark.config import Config, dump, parse, plan
from earmark.config.variants import SETTINGS
from earmark.data.manifest import KEPT
from earmark.errors import UserError
from earmark.io import read_json, replacing, write_json
from earmark.paths import RunPaths

if TYPE_CHECKING:
    import duckdb

_OPEN_PIVOT = "PIVOT statements without explicit IN clauses"
"""What DuckDB says of a PIVOT whose columns only the data would tell."""
_NAMED = "the values of PIVOT have to be named, as in PIVOT scores ON test IN ('test_zh', 'test_en') USING first(rate)"
FILE = "catalog.duckdb"
"""Name of the catalogue in a run's folder."""

_DECISIONS = {
    "step": "BIGINT",
    "score": "DOUBLE",
    "compared_with": "BIGINT",
    "tau": "DOUBLE",
    "triggered": "BOOLEAN",
    "reference": "BIGINT",
    "triggers": "BIGINT[]",
    "surplus": "BIGINT[]",
}
_ENTROPY = {
    "instance": "VARCHAR",
    "step": "BIGINT",
    "encoder": "VARCHAR",
    "nse": "DOUBLE",
    "pai": "DOUBLE",
    "csai": "DOUBLE",
    "pca_dim": "BIGINT",
    "ridge": "DOUBLE",
    "utterances": "BIGINT",
    "layerwise_cka": "MAP(VARCHAR, DOUBLE)",
    "layerwise_cka_sentence": "MAP(VARCHAR, DOUBLE)",
}


class View(NamedTuple):
    """Files of a run, as a pattern below its folder, and how DuckDB reads them.

    `{instance}` is any stage instance that is planned.
    """

    pattern: str
    shared: str = "folder"
    """Part of the run (data, pretraining) that may be taken from another one, in whose folder the files are then."""
    theirs: str | None = None
    """Pattern in that folder, where it is not the same: what of it belongs to this run."""
    columns: dict[str, str] | None = None
    """Types of JSON keys, where DuckDB could not infer them from an empty list or one object."""


VIEWS = {
    "manifests": View("text/*/part_*.parquet", "data"),
    "shard_index": View("shards/*/part_*/*-[0-9]*.parquet", "data"),
    "metrics": View("{instance}/step_*/metrics.parquet", "pretraining", "pretrain/step_*/metrics.parquet"),
    "decisions": View("cka/trace.json", "pretraining", columns=_DECISIONS),
    "entropy": View("entropy/{instance}_[0-9]*.json", "pretraining", "entropy/pretrain_*.json", _ENTROPY),
    "utterances": View("evaluation/utterances.parquet"),
    "scores": View("evaluation/scores.json"),
}
_SHARDS_ASIDE = View("shards/*/part_*/aside.parquet", "data")
_EXCLUDED = View("shards/excluded.parquet", "data")


def write_catalog(config: Config, output: Path) -> None:
    """Write the catalogue of a run, whole or not at all; a view whose files do not exist yet is left out."""
    import duckdb

    with replacing(output) as temporary:
        temporary.unlink()  # DuckDB makes its file itself and refuses an empty one
        with contextlib.closing(duckdb.connect(str(temporary))) as connection:
            create_views(connection, config.paths_in(config.folder.resolve()), config)


def write_settings(config: Config, folder: Path) -> None:
    """Write the resolved settings into a run's folder: it can then be used without its configuration file."""
    values = dump(config)
    if isinstance(config.llm, Path):
        values["llm"] = str(config.llm.resolve())
    write_json(folder / SETTINGS, values)


def create_views(connection: "duckdb.DuckDBPyConnection", paths: RunPaths, config: Config | None = None) -> None:
    """Create the views of a run, over what it takes from other runs as well; `paths` are absolute.

    :param config: settings of the run; none: all that lies in its folder is taken for its own.
    :raises UserError: a file that they read is damaged.
    """
    instances = _instances(config, paths)
    selects = {name: _select(files, view) for name, view in VIEWS.items() if (files := _files(paths, view, instances))}
    excluded = f"read_parquet({files})" if (files := _files(paths, _EXCLUDED, instances)) else ""
    if "shard_index" in selects:
        left_out = f" AND (corpus, id) NOT IN (SELECT (corpus, id) FROM {excluded})" if excluded else ""
        selects["training"] = f"SELECT * FROM shard_index WHERE split = 'train'{left_out}"
    aside = []
    if "manifests" in selects:
        aside.append(f"SELECT id, corpus, status FROM manifests WHERE status <> '{KEPT}'")
    if files := _files(paths, _SHARDS_ASIDE, instances):
        aside.append(
            "SELECT id, parse_path(filename)[-3] AS corpus, status "
            f"FROM read_parquet({files}, hive_partitioning = false, filename = true)"
        )
    if excluded:
        aside.append(f"SELECT id, corpus, status FROM {excluded}")
    if aside:
        selects["set_aside"] = " UNION ALL ".join(aside)
    with _said(f"{paths.folder}: delete the damaged file and run its stage again"):
        for name, select in selects.items():
            connection.execute(f"CREATE VIEW {name} AS {select}")


def _instances(config: Config | None, paths: RunPaths) -> list[str]:
    """Stage instances that the settings and the watch's decisions plan; *: any, until all decisions are there."""
    try:
        triggers = read_json(paths.trace)[-1]["triggers"]
    except (UserError, IndexError, KeyError, TypeError):
        return ["*"]
    return ["pretrain", *(one.instance for one in plan(config, triggers))] if config else ["*"]


def _files(paths: RunPaths, view: View, instances: list[str]) -> str:
    """SQL list of the patterns that have files, in the run's folder and in that of the run it shares with; "": none."""
    named = instances if "{instance}" in view.pattern else ["*"]
    places = {(paths.folder, view.pattern.format(instance=one)) for one in named}
    if (other := getattr(paths, view.shared)) != paths.folder:
        places.add((other, view.theirs or view.pattern))
    found = [_literal(*place) for place in sorted(places) if next(place[0].glob(place[1]), None)]
    return f"[{', '.join(found)}]" if found else ""


def _select(files: str, view: View) -> str:
    if view.pattern.endswith(".parquet"):
        return f"SELECT * FROM read_parquet({files}, hive_partitioning = false, union_by_name = true)"
    columns = ""
    if view.columns:
        columns = f", columns = {{{', '.join(f'{name}: {kind!r}' for name, kind in view.columns.items())}}}"
    return f"SELECT * FROM read_json({files}, hive_partitioning = false{columns})"


def _literal(folder: Path, pattern: str) -> str:
    """SQL string of a pattern below a folder whose own name is taken letter by letter."""
    fixed = re.sub(r"([*?\[])", r"[\1]", str(folder))
    return "'" + f"{fixed}/{pattern}".replace("'", "''") + "'"


@contextlib.contextmanager
def _said(remedy: str) -> Iterator[None]:
    """DuckDB's error as one line of ours, without its picture of the statement."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise UserError(f"{str(error).partition('LINE 1:')[0].strip()} ({remedy})") from None


# ---------------------------------------------------------------------------- queries


def only_run(results: Path = Path("results")) -> Path:
    """Folder of the only run in `results`.

    :raises UserError: there is none, or a choice to be made.
    """
    marks = (FILE, SETTINGS, "text", "corpora")
    runs = [
        path for path in sorted(results.glob("*")) if path.is_dir() and any((path / mark).exists() for mark in marks)
    ]
    if len(runs) != 1:
        found = f"{len(runs)} runs ({', '.join(path.name for path in runs)})" if runs else "no run"
        raise UserError(f"{results} holds {found}: name the folder of the one you mean")
    return runs[0]


def _settings(folder: Path) -> Config | None:
    """Settings in a run's folder; those of a run in the making are not there yet."""
    settings = folder / SETTINGS
    return parse(read_json(settings), str(settings)) if settings.is_file() else None


@contextlib.contextmanager
def opened(catalog: Path) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A connection to a catalogue's file, read only, or to views made afresh over a run's folder.

    :raises UserError: neither the one nor the other.
    """
    import duckdb

    if catalog.is_dir():
        with contextlib.closing(duckdb.connect()) as connection:
            folder, config = catalog.resolve(), _settings(catalog)
            create_views(connection, config.paths_in(folder) if config else RunPaths(folder), config)
            yield connection
        return
    if not catalog.is_file():
        raise UserError(f"{catalog} does not exist: name a catalogue, or the folder of a run such as results/default")
    with _said("name a catalogue, or the folder of a run"):
        connection = duckdb.connect(str(catalog), read_only=True)
    with contextlib.closing(connection):
        yield connection


def query(catalog: Path, sql: str, form: str = "table") -> str:
    """Answer of a catalogue (its file, or a run's folder) to `sql`, one statement that only reads.

    :param form: table (aligned columns), csv (with a header), or json (an object a row).
    :raises UserError: no such catalogue, another statement, or what DuckDB says of it.
    """
    with opened(catalog) as connection:
        views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        remedy = f"views: {', '.join(sorted(name for (name,) in views)) or 'none yet'}"
        if not catalog.is_dir():
            remedy += "; after the run was moved, query its folder instead"
        with _said(remedy):
            if fault := _writes(connection, sql):
                raise UserError(f"{sql!r} is not one statement that only reads ({fault}): ask with SELECT ({remedy})")
            result = connection.execute(sql)
            names, rows = [column[0] for column in result.description], result.fetchall()
    return formatted(_distinct(names), rows, form)


def _distinct(names: list[str]) -> list[str]:
    """Names of columns, of which the second `id` is called `id_1`, as in a subquery of DuckDB."""
    found: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in itertools.count(1))
        found.append(name if name not in found else next(one for one in numbered if one not in {*names, *found}))
    return found


def _writes(connection: "duckdb.DuckDBPyConnection", sql: str) -> str:
    """Why DuckDB does not take `sql` for one statement that only reads; "": it does.

    The type of a statement does not tell: a SELECT may COPY in its WITH, and EXPLAIN ANALYZE does what it explains.
    The function `query` takes one SELECT (WITH, FROM, DESCRIBE, ...) in which nothing may write; it is but planned.

    :raises duckdb.Error: it cannot be parsed, or names what is not there.
    """
    import duckdb

    statements = connection.extract_statements(sql)
    explains = [one.type for one in statements] == [duckdb.StatementType.EXPLAIN]
    asked = _explained(statements[0].query) if explains else sql
    try:
        connection.execute("EXPLAIN FROM query(?)", [asked])
    except (duckdb.ParserException, duckdb.BinderException) as error:
        if isinstance(error, duckdb.BinderException) and "must be at the top level" not in str(error):
            raise
        return _NAMED if _OPEN_PIVOT in str(error) else str(error).splitlines()[0]
    return ""


def _explained(sql: str) -> str:
    """What comes after EXPLAIN or EXPLAIN ANALYZE."""
    rest = sql[len("EXPLAIN") :].lstrip()
    return rest[len("ANALYZE") :] if rest.upper().startswith("ANALYZE") else rest


def formatted(names: list[str], rows: list[tuple[Any, ...]], form: str) -> str:
    """Rows as a table (aligned columns), csv (with a header), or json (an object a row)."""
    return {"table": _table, "csv": _csv, "json": _json}[form](names, rows)


def _table(names: list[str], rows: list[tuple[Any, ...]]) -> str:
    cells = [names, *([_shown(value) for value in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "NULL" if value is None else " ".join(str(value).split())


def _width(text: str) -> int:
    """Columns of a terminal: a hanzi takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _csv(names: list[str], rows: list[tuple[Any, ...]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([names, *rows])
    return buffer.getvalue().rstrip("\n")


def _json(names: list[str], rows: list[tuple[Any, ...]]) -> str:
    values = [dict(zip(names, map(_plain, row), strict=True)) for row in rows]
    return json.dumps(values, ensure_ascii=False, indent=1, default=str, allow_nan=False)


def _plain(value: Any) -> Any:
    """A value as JSON can say it: a number that is none or infinite is null, a key of a map is a text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
