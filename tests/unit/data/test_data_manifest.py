"""Raw manifests: every row of a reader is there, whatever it holds; memory is bounded; parts are the whole."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from earmark.data.manifest import (
    BAD_ROW,
    KEPT,
    LABELLED,
    RAW,
    ROW_GROUP,
    SeenIds,
    counts,
    kept_rows,
    part_rows,
    table,
    write_manifest,
)
from earmark.errors import CorpusError, UserError
from earmark.io import read_parquet, write_parquet


def test_missing_values_are_null_and_rows_are_kept() -> None:
    made = table([{"id": "a-1", "corpus": "a", "split": "train"}])
    assert made.schema == RAW
    (row,) = made.to_pylist()
    assert (row["status"], row["channel"], row["offset"]) == (KEPT, None, 0.0)
    assert row["speaker"] is None and row["duration"] is None


def test_second_row_with_an_id_is_set_aside_not_dropped() -> None:
    made = table([{"id": "x"}, {"id": "y"}, {"id": "x"}, {"id": "x", "status": "missing audio"}])
    assert made["status"].to_pylist() == [KEPT, KEPT, "duplicate id", "duplicate id"]


def test_reason_of_a_reader_stays() -> None:
    assert table([{"id": "x", "status": "missing audio"}])["status"].to_pylist() == ["missing audio"]


@pytest.mark.parametrize(
    "row",
    [
        {"id": "x", "duration": "long"},
        {"id": "x", "duration": math.nan},
        {"id": "x", "duration": math.inf},
        {"id": "x", "offset": -1.0},
        {"id": "x", "channel": 2**40},
        {"id": "x", "raw_text": "\ud800"},
        {"id": "x", "raw_text": ["a"]},
        {"id": "x", "speaker": 7},
        {"id": "x", "status": 7},
        {"id": ""},
        {"id": None},
        {"id": 5},
        {},
        None,
        "not a row",
    ],
    ids=repr,
)
def test_bad_row_is_kept_as_such_and_spoils_no_other(row: object) -> None:
    good = {"id": "a-1", "duration": 1.5, "raw_text": "好", "speaker": "s"}
    made = table([good, row, good | {"id": "a-2"}]).to_pylist()
    assert [one["status"] for one in made] == [KEPT, BAD_ROW, KEPT]
    assert [one["id"] for one in made] == [
        "a-1",
        "x" if isinstance(row, dict) and row.get("id") == "x" else "-row-1",
        "a-2",
    ]
    assert made[2] | {"id": "a-1"} == made[0]


def test_what_fits_of_a_bad_row_stays() -> None:
    (row,) = table([{"id": "x", "duration": "long", "raw_text": "好", "offset": 2}]).to_pylist()
    assert (row["raw_text"], row["offset"], row["duration"]) == ("好", 2.0, None)


def test_stream_is_written_in_row_groups_and_duplicates_are_found_across_them(tmp_path: Path) -> None:
    path, count = tmp_path / "manifest.parquet", 2 * ROW_GROUP + 5
    write_manifest(path, ({"id": f"a-{number % (ROW_GROUP + 7)}"} for number in range(count)), "a")
    assert [pq.ParquetFile(path).metadata.row_group(group).num_rows for group in range(3)] == [ROW_GROUP, ROW_GROUP, 5]
    status = read_parquet(path)["status"].to_pylist()
    assert status == [KEPT] * (ROW_GROUP + 7) + ["duplicate id"] * (count - ROW_GROUP - 7)


def test_error_of_a_reader_leaves_no_manifest(tmp_path: Path) -> None:
    def failing():
        yield {"id": "a"}
        raise CorpusError("no such folder")

    with pytest.raises(CorpusError):
        write_manifest(tmp_path / "manifest.parquet", failing(), "a")
    assert not list(tmp_path.iterdir())


def test_a_corpus_without_a_row_is_a_manifest_without_one(tmp_path: Path) -> None:
    write_manifest(tmp_path / "m.parquet", [], "a")
    assert read_parquet(tmp_path / "m.parquet").schema == RAW
    assert part_rows(tmp_path / "m.parquet", 0, 3) == (0, 0)


@pytest.mark.parametrize("sizes", [[1], [5, 5, 5, 1, 9], [100] * 9])
def test_ids_seen_are_those_of_a_set(sizes: list[int]) -> None:
    rng, seen, known = np.random.default_rng(3), SeenIds(), set()
    for size in sizes:
        ids = [str(one) for one in rng.integers(0, 300, size)]
        expected = []
        for one in ids:
            expected.append(one in known)
            known.add(one)
        assert seen.add(ids).tolist() == expected


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """300,000 rows of 600 bytes are 180 MB of text alone; as dictionaries they would be several times that."""
    program = (
        "import resource, sys, json; from earmark.data.manifest import write_manifest; from pathlib import Path;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024;"
        "rows = ({'id': f'a-{n}', 'raw_text': str(n) * 100} for n in range(int(sys.argv[2])));"
        "write_manifest(Path(sys.argv[1]), rows, 'a'); print(json.dumps(peak()))"
    )
    peaks = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", program, str(tmp_path / "m.parquet"), str(count)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for count in (20_000, 300_000)
    ]
    assert peaks[1] < peaks[0] + 60


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 40])
def test_parts_cover_all_rows_once_in_order(tmp_path: Path, parts: int) -> None:
    path = tmp_path / "m.parquet"
    write_manifest(path, ({"id": str(number), "audio": f"{number}.wav"} for number in range(23)), "a")
    bounds = [part_rows(path, part, parts) for part in range(parts)]
    assert [row for start, end in bounds for row in range(start, end)] == list(range(23))
    assert max(end - start for start, end in bounds) <= -(-23 // parts)


def test_segments_of_a_recording_stay_in_one_part(tmp_path: Path) -> None:
    recordings = ["a"] * 4 + ["b"] * 7 + ["c"] + [None] * 3 + ["d"] * 5
    members = [None] * 15 + list("11222")
    path = tmp_path / "m.parquet"
    rows = [
        {"id": str(number), "audio": audio, "member": member}
        for number, (audio, member) in enumerate(zip(recordings, members, strict=True))
    ]
    write_parquet(path, table(rows))
    bounds = [part_rows(path, part, 5) for part in range(5)]
    assert bounds == [(0, 4), (4, 11), (11, 12), (12, 17), (17, 20)]


def test_kept_rows_are_those_of_a_split_from_all_parts(tmp_path: Path) -> None:
    paths = [tmp_path / f"part_{part:04d}.parquet" for part in range(2)]
    for part, path in enumerate(paths):
        rows = [
            {"id": f"{part}{number}", "split": split, "status": status, "text": "好"}
            for number, (split, status) in enumerate([("train", KEPT), ("valid", KEPT), ("train", "too long")])
        ]
        write_parquet(path, table(rows, LABELLED))
    assert list(kept_rows(paths, "train", ["id", "text"])) == [{"id": "00", "text": "好"}, {"id": "10", "text": "好"}]
    assert [row["id"] for row in kept_rows(paths)] == ["00", "01", "10", "11"]
    with pytest.raises(UserError, match="does not exist: run the stage"):
        list(kept_rows([tmp_path / "part_0002.parquet"]))


def test_counts_are_by_status_most_frequent_first() -> None:
    rows = [{"id": str(number), "status": status} for number, status in enumerate("baacccb")]
    assert list(counts(table(rows)).items()) == [("c", 3), ("a", 2), ("b", 2)]
    assert counts(table([])) == {}


def test_labelled_manifest_has_two_columns_more() -> None:
    assert LABELLED.names == [*RAW.names, "text", "phones"]
