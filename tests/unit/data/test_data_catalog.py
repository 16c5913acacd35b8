"""The catalogue over a whole tiny run, over half of one, and over one that was moved."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from tiny import TinyRun

from earmark.config import parse
from earmark.data.catalog import (
    FILE,
    SETTINGS,
    VIEWS,
    create_views,
    only_run,
    query,
    write_catalog,
    write_settings,
)
from earmark.errors import UserError
from earmark.io import read_json, read_parquet, write_parquet
from earmark.paths import RunPaths


def ask(catalog: Path, sql: str) -> list[dict]:
    return json.loads(query(catalog, sql, "json"))


def test_a_whole_run_has_every_view(tiny_run: TinyRun) -> None:
    names = {row["name"] for row in ask(tiny_run.folder / FILE, "SELECT name FROM (SHOW TABLES)")}
    assert names == {*VIEWS, "set_aside", "training"}


def test_each_row_of_the_manifests_is_kept_or_set_aside_with_its_reason(tiny_run: TinyRun) -> None:
    catalog = tiny_run.folder / FILE
    (counted,) = ask(
        catalog,
        "SELECT (SELECT count(*) FROM manifests) AS total, (SELECT count(*) FROM shard_index) AS kept, "
        "(SELECT count(*) FROM set_aside) AS aside",
    )
    assert counted["total"] == counted["kept"] + counted["aside"] == 20 + 8
    aside = ask(catalog, "SELECT * FROM set_aside ORDER BY status")
    assert {row["corpus"] for row in aside} == {"own"}
    assert {row["id"]: row["status"] for row in aside} == {
        "own-two": "duplicate id",
        "own-gone": "missing audio",
        "own-noise": "undecodable audio",
        "own-empty": "empty text",
        "own-short": "too short",
        "own-spoiled": "undecodable audio",  # found by the shards' stage
    }


def test_what_was_excluded_is_set_aside_too(tiny_copy: TinyRun) -> None:
    rows = [{"id": "own-one", "corpus": "own", "status": "duplicate audio"}]
    write_parquet(tiny_copy.paths.excluded, pa.Table.from_pylist(rows))
    aside = ask(tiny_copy.folder, "SELECT id, corpus, status FROM set_aside WHERE status LIKE 'dup% audio'")
    assert aside == rows
    assert len(ask(tiny_copy.folder, "SELECT * FROM set_aside")) == 7
    training = ask(tiny_copy.folder, "SELECT id FROM training WHERE corpus = 'own'")
    assert training == [{"id": "own-two"}]  # whose namesake was set aside


def test_parts_are_one_view(tiny_copy: TinyRun) -> None:
    for folder, pattern in (("text/own", "part_0000.parquet"), ("shards/own", "part_0000")):
        source = tiny_copy.folder / folder / pattern
        target = source.with_name(pattern.replace("0000", "0001"))
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    counted = ask(tiny_copy.folder, "SELECT corpus, count(*) AS n FROM shard_index GROUP BY corpus ORDER BY corpus")
    assert counted == [{"corpus": "own", "n": 4}, {"corpus": "spoken", "n": 20}]
    aside = ask(tiny_copy.folder, "SELECT DISTINCT corpus FROM set_aside")
    assert aside == [{"corpus": "own"}]
    assert len(ask(tiny_copy.folder, "SELECT * FROM set_aside WHERE id = 'own-spoiled'")) == 2


def test_views_hold_what_the_files_hold(tiny_run: TinyRun) -> None:
    catalog = tiny_run.folder / FILE
    metrics = ask(catalog, "SELECT stage, count(*) AS steps, max(step) AS last FROM metrics GROUP BY stage")
    assert {row["stage"]: (row["steps"], row["last"]) for row in metrics} == {
        "pretrain": (6, 6),
        "align": (2, 2),
        "ia_sft_1": (2, 2),
        "ia_sft_2": (4, 4),
        "joint": (4, 4),
    }
    decisions = ask(catalog, "SELECT * FROM decisions ORDER BY step")
    assert decisions == read_json(tiny_run.paths.trace)
    entropy = ask(catalog, "SELECT * FROM entropy WHERE instance = 'joint'")
    assert entropy == [read_json(tiny_run.paths.entropy("joint", 4))]
    assert list(entropy[0]["layerwise_cka"]) == ["layer 1", "layer 2", "adaptor"]
    scores = ask(catalog, "SELECT * FROM scores")
    assert scores == read_json(tiny_run.paths.evaluation / "scores.json")
    utterances = read_parquet(tiny_run.paths.evaluation / "utterances.parquet")
    assert ask(catalog, "SELECT * FROM utterances") == utterances.to_pylist()


def test_a_phase_that_is_no_longer_planned_is_in_no_view(tiny_copy: TinyRun) -> None:
    source = next((tiny_copy.folder / "ia_sft_2").glob("step_*"))
    shutil.copytree(source, tiny_copy.folder / "ia_sft_3" / source.name)
    stale = tiny_copy.paths.entropy("ia_sft_3", 4)
    shutil.copy(tiny_copy.paths.entropy("joint", 4), stale)
    write_catalog(tiny_copy.config, tiny_copy.folder / FILE)
    settings, asked = (
        tiny_copy.folder / SETTINGS,
        "SELECT (SELECT count(*) FROM metrics), (SELECT count(*) FROM entropy)",
    )
    found = [query(tiny_copy.folder / FILE, asked, "csv"), query(tiny_copy.folder, asked, "csv")]
    assert settings.is_file() and found[0] == found[1]
    settings.unlink()  # nobody knows what is planned: all is shown
    assert query(tiny_copy.folder, asked, "csv") != found[0]
    shutil.rmtree(tiny_copy.folder / "ia_sft_3")
    stale.unlink()
    assert query(tiny_copy.folder, asked, "csv") == found[0]


@pytest.mark.parametrize("form", ["{}", "FROM ({})", "WITH wide AS ({}) FROM wide", "EXPLAIN {}"])
def test_a_pivot_needs_its_values_named(tiny_run: TinyRun, form: str) -> None:
    catalog = tiny_run.folder / FILE
    with pytest.raises(UserError) as caught:
        query(catalog, form.format("PIVOT scores ON test USING first(rate)"))
    said = str(caught.value)
    assert "(the values of PIVOT have to be named, as in PIVOT scores ON test IN (" in said and "\n" not in said
    query(catalog, form.format("PIVOT scores ON test IN ('test_zh', 'test_en') USING first(rate) GROUP BY system"))


def test_a_plain_client_started_anywhere_reads_it(tiny_run: TinyRun, tmp_path: Path) -> None:
    program = (
        "import duckdb, sys; "
        "catalog = duckdb.connect(sys.argv[1], read_only=True); "
        "print(catalog.execute('SELECT count(*) FROM shard_index').fetchall()[0][0])"
    )
    command = [sys.executable, "-c", program, str(tiny_run.folder / FILE)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "22"


def test_a_run_in_the_making_has_the_views_whose_files_exist(
    tiny_copy: TinyRun,
) -> None:
    for folder in ("cka", "entropy", "evaluation", "shards", *tiny_copy.folder.glob("*/step_*")):
        shutil.rmtree(tiny_copy.folder / folder)
    (tiny_copy.folder / FILE).unlink()
    write_catalog(tiny_copy.config, tiny_copy.folder / FILE)
    for catalog in (tiny_copy.folder, tiny_copy.folder / FILE):
        names = [row["name"] for row in ask(catalog, "SELECT name FROM (SHOW TABLES)")]
        assert names == ["manifests", "set_aside"]
        assert len(ask(catalog, "SELECT * FROM set_aside")) == 5


def test_a_run_without_any_file_has_an_empty_catalogue(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="views: none yet"):
        query(tmp_path, "SELECT * FROM metrics")


def test_a_file_that_was_added_since_is_seen(tiny_copy: TinyRun) -> None:
    added = tiny_copy.folder / "joint" / "step_0000006"
    shutil.copytree(tiny_copy.folder / "joint" / "step_0000004", added)
    write_catalog(tiny_copy.config, tiny_copy.folder / FILE)
    shutil.copytree(added, added.with_name("step_0000008"))
    rows = ask(tiny_copy.folder / FILE, "SELECT count(*) AS n FROM metrics WHERE stage = 'joint'")
    assert rows == [{"n": 8}]


def test_writing_again_replaces_the_file_and_leaves_nothing_behind(tiny_copy: TinyRun) -> None:
    before = {path.name for path in tiny_copy.folder.iterdir()}
    with duckdb.connect(str(tiny_copy.folder / FILE), read_only=True) as reader:
        write_catalog(tiny_copy.config, tiny_copy.folder / FILE)  # a reader does not stop it
        assert reader.execute("SELECT count(*) FROM shard_index").fetchall() == [(22,)]
    assert {path.name for path in tiny_copy.folder.iterdir()} == before


def test_a_damaged_file_leaves_no_half_written_catalogue(tiny_copy: TinyRun) -> None:
    (tiny_copy.folder / FILE).unlink()
    tiny_copy.paths.manifest("own").write_bytes(b"PAR1 not really")
    with pytest.raises(UserError, match=r"part_0000\.parquet.* delete the damaged file") as caught:
        write_catalog(tiny_copy.config, tiny_copy.folder / FILE)
    assert "\n" not in str(caught.value)
    assert not list(tiny_copy.folder.glob("*catalog*"))


def test_names_of_folders_are_taken_letter_by_letter(tiny_run: TinyRun, tmp_path: Path) -> None:
    folder = tmp_path / "it's [a] split=x *?"
    shutil.copytree(tiny_run.folder, folder)
    columns = [row["column_name"] for row in ask(folder, "DESCRIBE decisions")]
    assert columns == list(read_json(tiny_run.paths.trace)[0])  # split=x is no column
    assert len(ask(folder, "SELECT * FROM manifests")) == 28


def test_moved_run_is_asked_by_its_folder(tiny_copy: TinyRun, tmp_path: Path) -> None:
    write_catalog(tiny_copy.config, tiny_copy.folder / FILE)
    moved = tmp_path / "elsewhere"
    tiny_copy.folder.rename(moved)
    with pytest.raises(UserError, match="query its folder instead"):
        query(moved / FILE, "SELECT * FROM metrics")
    assert len(ask(moved, "SELECT * FROM metrics")) == 18


@pytest.mark.parametrize("shares", [{"data": "tiny"}, {"data": "tiny", "pretraining": "tiny"}])
def test_a_run_that_shares_parts_of_another_has_those_in_its_views(tiny_copy: TinyRun, shares: dict[str, str]) -> None:
    """A variant: its post-training is its own, and the other run's post-training is none of its business."""
    folder = tiny_copy.folder.with_name("taker")
    own = ("pretrain", "align") if "pretraining" not in shares else ("align",)
    for stage in own:
        shutil.copytree(tiny_copy.folder / stage, folder / stage)
    (folder / "entropy").mkdir()
    shutil.copy(tiny_copy.paths.entropy("joint", 4), folder / "entropy")
    values = read_json(tiny_copy.folder / SETTINGS) | {"run": "taker", "shares": shares}
    config = parse(values, "taker.yaml")
    write_settings(config, folder)
    write_catalog(config, folder / FILE)
    for catalog in (folder / FILE, folder):
        (counted,) = ask(catalog, "SELECT (SELECT count(*) FROM manifests) a, (SELECT count(*) FROM set_aside) b")
        assert (counted["a"], counted["b"]) == (28, 6)
        steps = ask(catalog, "SELECT stage, count(*) AS steps FROM metrics GROUP BY stage ORDER BY stage")
        assert steps == [{"stage": "align", "steps": 2}, {"stage": "pretrain", "steps": 6}]
        measured = {(one["instance"], one["step"]) for one in ask(catalog, "SELECT instance, step FROM entropy")}
        assert measured == {("joint", 4)} | ({("pretrain", 6)} if "pretraining" in shares else set())
        views = {row["name"] for row in ask(catalog, "SELECT name FROM (SHOW TABLES)")}
        assert ("decisions" in views) == ("pretraining" in shares)


def test_table_aligns_what_a_terminal_shows(tiny_run: TinyRun) -> None:
    sql = "SELECT * FROM (VALUES ('打开', 1.23456789, NULL), ('a\nb', 2e-9, [1, 2])) t(text, number, more)"
    assert query(tiny_run.folder / FILE, sql).splitlines() == [
        "text  number   more",
        "----  -------  ------",
        "打开  1.23457  NULL",
        "a b   2e-09    [1, 2]",
    ]


def test_csv_and_json_keep_full_values(tiny_run: TinyRun) -> None:
    sql = "SELECT 'a,\"b\"' AS text, 1.0 / 3 AS number, NULL AS nothing, DATE '2026-01-02' AS day"
    rows = list(csv.reader(io.StringIO(query(tiny_run.folder / FILE, sql, "csv"))))
    assert rows == [["text", "number", "nothing", "day"], ['a,"b"', str(1 / 3), "", "2026-01-02"]]
    assert ask(tiny_run.folder / FILE, sql) == [
        {"text": 'a,"b"', "number": 1 / 3, "nothing": None, "day": "2026-01-02"}
    ]


def test_json_has_null_for_what_is_no_finite_number(tiny_run: TinyRun) -> None:
    sql = """SELECT 'nan'::DOUBLE AS a, '-inf'::FLOAT AS b, [1.5::DOUBLE, 'inf'::DOUBLE] AS c,
        {'x': 'nan'::DOUBLE} AS d, MAP {DATE '2026-01-02': 'nan'::DOUBLE, DATE '2026-01-03': 2} AS e"""
    (row,) = ask(tiny_run.folder / FILE, sql)
    assert row == {
        "a": None,
        "b": None,
        "c": [1.5, None],
        "d": {"x": None},
        "e": {"2026-01-02": None, "2026-01-03": 2.0},
    }
    assert query(tiny_run.folder / FILE, sql, "csv").splitlines()[1].startswith("nan,-inf,")


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_columns_of_one_name_are_numbered_and_none_is_lost(tiny_run: TinyRun, form: str) -> None:
    answer = query(tiny_run.folder / FILE, "SELECT 1 AS id, 2 AS id_1, 3 AS id, 4 AS id, 5 AS text", form)
    if form == "json":
        assert json.loads(answer) == [{"id": 1, "id_1": 2, "id_2": 3, "id_3": 4, "text": 5}]
    else:
        assert re.split(r"[ ,]+", answer.splitlines()[0]) == ["id", "id_1", "id_2", "id_3", "text"]


def test_no_rows_are_a_header(tiny_run: TinyRun) -> None:
    sql = "SELECT id FROM manifests WHERE false"
    assert query(tiny_run.folder / FILE, sql) == "id\n--"
    assert query(tiny_run.folder / FILE, sql, "csv") == "id"
    assert ask(tiny_run.folder / FILE, sql) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT nix FROM manifests", '"nix" not found'),
        ("FROM nix", "nix does not exist"),
        ("CREATE TABLE t (i INT)", "only reads"),
        ("DROP VIEW manifests", "only reads"),
        ("", "only reads"),
        (" ; ", "only reads"),
    ],
)
def test_wrong_statement_is_one_line_that_lists_the_views(tiny_run: TinyRun, sql: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        query(tiny_run.folder / FILE, sql)
    assert "\n" not in str(caught.value)
    assert "views: decisions, entropy, manifests" in str(caught.value)
    assert "LINE 1" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO 'written'",
        "COPY (PIVOT scores ON system USING count(*)) TO 'written'",
        "WITH copied AS (COPY (SELECT 1) TO 'written') FROM copied",
        "DESCRIBE (WITH copied AS (COPY (SELECT 1) TO 'written') FROM copied)",
        "FROM query('WITH copied AS (COPY (SELECT 1) TO ''written'') FROM copied')",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'written'",
        "explain (analyze) COPY (SELECT 1) TO 'written'",
        "EXPLAIN ANALYZE WITH copied AS (COPY (SELECT 1) TO 'written') FROM copied",
        "EXPORT DATABASE 'written'",
        "ATTACH 'written'",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE OR REPLACE VIEW manifests AS SELECT 1",
        "DROP VIEW manifests",
        "INSTALL httpfs",
        "LOAD json",
        "SET threads = 1",
        "PRAGMA profiling_output = 'written'",
        "CALL pragma_version()",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO 'written'",
    ],
)
def test_what_does_more_than_read_is_refused(
    tiny_run: TinyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for catalog in (tiny_run.folder / FILE, tiny_run.folder):
        with pytest.raises(UserError, match=r"is not one statement that only reads \(.*\): ask with SELECT") as caught:
            query(catalog, sql)
        assert repr(sql) in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "sql",
    [
        "WITH one AS (FROM scores) SELECT count(*) FROM one; -- a remark",
        "FROM scores",
        "TABLE scores",
        "VALUES (1), (2)",
        "DESCRIBE scores",
        "SUMMARIZE scores",
        "SHOW TABLES",
        "PIVOT scores ON system IN ('speech LLM') USING count(*)",
        "EXPLAIN SELECT * FROM scores",
        "/* a remark */ explain analyze FROM scores;",
    ],
)
def test_every_way_to_read_is_answered(tiny_run: TinyRun, sql: str) -> None:
    for catalog in (tiny_run.folder / FILE, tiny_run.folder):
        assert ask(catalog, sql)


def test_the_files_that_views_do_not_read_can_be_asked_too(tiny_run: TinyRun) -> None:
    assert ask(tiny_run.folder / FILE, f"SELECT id FROM '{tiny_run.paths.manifest('own')}'")


@pytest.mark.parametrize(("content", "said"), [(None, "does not exist"), (b"garbage" * 99, "not a valid")])
def test_what_is_no_catalogue_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "x.duckdb"
    if content:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        query(path, "SELECT 1")
    assert str(path) in str(caught.value)


def test_views_are_created_in_a_given_connection(tiny_run: TinyRun) -> None:
    with duckdb.connect() as connection:
        create_views(connection, RunPaths(tiny_run.folder))
        assert connection.execute("SELECT count(*) FROM set_aside").fetchall() == [(6,)]


def test_only_run_is_found_and_a_choice_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run"):
        only_run(tmp_path)
    (tmp_path / "bench").mkdir()
    (tmp_path / "default" / "text").mkdir(parents=True)
    assert only_run(tmp_path) == tmp_path / "default"
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / SETTINGS).write_text("{}")
    with pytest.raises(UserError, match=r"2 runs \(default, words\)"):
        only_run(tmp_path)


def test_settings_come_back_as_they_were(tiny_run: TinyRun, tmp_path: Path) -> None:
    write_settings(tiny_run.config, tmp_path)
    assert parse(read_json(tmp_path / SETTINGS)) == tiny_run.config


def test_settings_name_real_weights_absolutely(
    tiny_run: TinyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_settings(tiny_run.config.model_copy(update={"llm": Path("qwen3")}), tmp_path)
    assert parse(read_json(tmp_path / SETTINGS)).llm == tmp_path.resolve() / "qwen3"
