import pyarrow as pa
import pytest

from earmark.data.manifest import KEPT, LABELLED, RAW, counts, table


def test_missing_values_are_null_and_rows_are_kept() -> None:
    made = table([{"id": "a-1", "corpus": "a", "split": "train"}])
    assert made.schema == RAW
    (row,) = made.to_pylist()
    assert (row["status"], row["channel"], row["offset"]) == (KEPT, 0, 0.0)
    assert row["speaker"] is None and row["duration"] is None


def test_second_row_with_an_id_is_set_aside_not_dropped() -> None:
    made = table([{"id": "x"}, {"id": "y"}, {"id": "x"}, {"id": "x", "status": "missing audio"}])
    assert made["status"].to_pylist() == [KEPT, KEPT, "duplicate id", "duplicate id"]


def test_reason_of_a_reader_stays() -> None:
    assert table([{"id": "x", "status": "missing audio"}])["status"].to_pylist() == ["missing audio"]


def test_values_of_a_wrong_type_are_refused() -> None:
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError)):
        table([{"id": "x", "duration": "long"}])


def test_counts_are_by_status_most_frequent_first() -> None:
    rows = [{"id": str(number), "status": status} for number, status in enumerate("baacccb")]
    assert list(counts(table(rows)).items()) == [("c", 3), ("a", 2), ("b", 2)]
    assert counts(table([])) == {}


def test_labelled_manifest_has_two_columns_more() -> None:
    assert LABELLED.names == [*RAW.names, "text", "phones"]
