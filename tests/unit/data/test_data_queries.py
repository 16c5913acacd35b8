"""docs/queries.md: every statement on the page gives the right answer, through `earmark query` and the plain client."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import made_run
import numpy as np
import pyarrow as pa
import pytest

from earmark.config import Config
from earmark.data.build import ASIDE, N_MELS
from earmark.data.catalog import FILE, query, write_catalog
from earmark.data.manifest import LABELLED, table
from earmark.data.shards import Example, write_shard
from earmark.io import write_parquet
from earmark.paths import RunPaths

DURATIONS = {"third-a": 3.5, "third-b": 12.25, "third-c": 0.9}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The made run with a third corpus in two parts: other lengths, a recording of the others, one that is excluded."""
    made = made_run.make(tmp_path_factory.mktemp("queries"))
    paths = RunPaths(made.folder)
    for part, keys in enumerate((["third-a", "third-b"], ["third-c"])):
        rows = [
            {
                "id": key,
                "corpus": "third",
                "split": "train",
                "language": "zh",
                "domain": "read",
                "speaker": None,
                "duration": DURATIONS[key],
                "licence": "CC0",
                "text": "打开",
                "phones": ["d", "a3"],
            }
            for key in keys
        ]
        write_parquet(paths.manifest("third", part), table(rows, LABELLED))
        examples = [
            Example(
                row, [1, 2], np.zeros((round(100 * row["duration"]), N_MELS), np.float16), 8 if part else 77 + index
            )
            for index, row in enumerate(rows)
        ]
        write_shard(paths.shards("third", part) / f"third-{part:04d}-0000.arrow", examples, "x")
        write_parquet(paths.shards("third", part) / "aside.parquet", ASIDE.empty_table())
    excluded = [{"id": "third-c", "corpus": "third", "status": "duplicate audio"}]
    write_parquet(paths.excluded, pa.Table.from_pylist(excluded))
    write_catalog(made, made.folder / FILE)
    return made


@pytest.fixture
def plain(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    """The catalogue in the plain client, started in another folder."""
    monkeypatch.chdir(tmp_path)
    with duckdb.connect(str(config.folder / FILE), read_only=True) as connection:
        yield connection


def statements(repository: Path) -> dict[str, str]:
    """SQL of the page by the first words of its heading."""
    page = (repository / "docs" / "queries.md").read_text(encoding="utf-8")
    return {
        heading: re.findall(r"^```sql\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[0]
        for heading, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    }


# The made run: 24 rows a corpus, of which every second pair is for training; 1.8 s each in shards, 2.0 s in manifests.
ANSWERS = {
    "How many hours are there by corpus and language?": [
        ("own", "en", 7, 0.004),
        ("own", "zh-en", 7, 0.004),
        ("own", "zh", 6, 0.003),
        ("spoken", "en", 8, 0.004),
        ("spoken", "zh", 8, 0.004),
        ("spoken", "zh-en", 8, 0.004),
        ("third", "zh", 3, 0.005),
    ],
    "Why were rows set aside?": [
        ("own", "empty text", 3),
        ("own", "undecodable audio", 1),
        ("third", "duplicate audio", 1),
    ],
    "How long are the utterances?": [(0.0, 22, 0.011), (2.0, 1, 0.001), (12.0, 1, 0.003)],
    "How frequent is each phone?": [
        ("d", 25, 34.72),
        ("n", 15, 20.83),
        ("e5", 14, 19.44),
        ("t", 8, 11.11),
        ("uo3", 7, 9.72),
        ("a3", 3, 4.17),
    ],
    "Which phones are rare, and where do they stand?": [
        ("a3", 3, ["third"], "打开"),
        ("uo3", 7, ["own", "spoken"], "我的电话是八七五九"),
        ("t", 8, ["own", "spoken"], "turnthelightonplease"),
    ],
    "Do corpora overlap?": [
        ("own", "spoken", 1, "own-008"),
        ("own", "third", 1, "own-008"),
        ("spoken", "third", 1, "spoken-008"),
    ],
    "Which are the longest utterances?": [
        ("third-b", 12.25, "zh", "打开"),
        ("third-a", 3.5, "zh", "打开"),
        ("own-001", 1.8, "en", "turnthelightonplease"),
    ],
    "What share has each domain?": [("made", 0.012, 72.5), ("read", 0.005, 27.5)],
    "Which shard holds an utterance?": [("own-002", "own", "own-0000-0000.arrow", 1, 180)],
    "What was a checkpoint trained on?": [
        ("spoken", "none", 12, 0.006, 27.1),
        ("own", "none", 10, 0.005, 27.1),
        ("third", "CC0", 2, 0.004, 27.1),
    ],
}


def test_the_page_has_ten_questions(repository: Path) -> None:
    assert list(statements(repository)) == list(ANSWERS)
    assert len(ANSWERS) == 10


@pytest.mark.parametrize("heading", ANSWERS)
def test_answer(heading: str, repository: Path, plain: duckdb.DuckDBPyConnection) -> None:
    found = plain.execute(statements(repository)[heading]).fetchall()
    assert found[: len(ANSWERS[heading])] == ANSWERS[heading]
    # Of the longest utterances the page shows twenty.
    assert len(found) == (20 if "longest" in heading else len(ANSWERS[heading]))


def test_earmark_query_answers_from_file_and_folder(repository: Path, config: Config) -> None:
    for sql in statements(repository).values():
        assert query(config.folder / FILE, sql, "csv") == query(config.folder, sql, "csv")


def test_command_line_client(repository: Path, config: Config, tmp_path: Path) -> None:
    client = shutil.which("duckdb")
    if client is None:
        pytest.skip("the command-line client of DuckDB is not installed: see duckdb.org")
    sql = statements(repository)["Which shard holds an utterance?"]
    command = [client, "-readonly", "-csv", str(config.folder / FILE), sql]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[1] == "own-002,own,own-0000-0000.arrow,1,180"
