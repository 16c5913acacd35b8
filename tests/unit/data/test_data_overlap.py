"""Who is left out of training: each rule on rows that are written down here."""

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earmark.data.overlap import DUPLICATE_AUDIO, DUPLICATE_ID, TEST_AUDIO, TEST_SPEAKER, find
from earmark.data.steps import Steps

COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("corpus", pa.string()),
        ("split", pa.string()),
        ("speaker", pa.string()),
        ("audio_hash", pa.uint64()),
        ("shard_number", pa.int32()),
        ("row", pa.int32()),
    ]
)


def excluded(*rows: tuple[str, str, str, str | None, int], sharing: tuple[str, ...] = ()) -> dict[str, str]:
    """{id at its place: status} of rows (id, corpus, split, speaker, audio); each is a shard of its own."""
    table = pa.Table.from_pylist(
        [dict(zip(COLUMNS.names, (*row, number, 7), strict=True)) for number, row in enumerate(rows)], schema=COLUMNS
    )
    with duckdb.connect() as connection:
        connection.register("given", table)
        connection.execute("CREATE TABLE rows AS FROM given")
        find(Steps(connection), sharing)
        found = connection.execute("SELECT id, corpus, status, shard_number FROM excluded").fetchall()
    assert all((id, corpus) == rows[number][:2] for id, corpus, _, number in found)
    assert len(found) == len({number for *_, number in found})
    return {f"{id}@{number}": status for id, _, status, number in found}


def test_of_equal_recordings_the_first_stays_over_all_corpora() -> None:
    found = excluded(
        ("a-1", "a", "train", None, 5),
        ("b-1", "b", "train", None, 5),
        ("b-2", "b", "train", None, 6),
        ("c-1", "c", "train", None, 5),
    )
    assert found == {"b-1@1": DUPLICATE_AUDIO, "c-1@3": DUPLICATE_AUDIO}


def test_validation_comes_before_training() -> None:
    assert excluded(("a-1", "a", "train", None, 5), ("a-2", "a", "valid", None, 5)) == {"a-1@0": DUPLICATE_AUDIO}


def test_audio_of_a_test_set_of_any_corpus_is_left_out_wherever_it_lies() -> None:
    found = excluded(
        ("a-1", "a", "train", None, 5),
        ("a-2", "a", "valid", None, 5),
        ("a-3", "a", "train", None, 6),
        ("b-1", "b", "test_b", None, 5),
    )
    assert found == {"a-1@0": TEST_AUDIO, "a-2@1": TEST_AUDIO}


def test_test_sets_stay_whole() -> None:
    """The same audio twice in a test set, or in two, is counted twice, as by everybody else who scores them."""
    rows = [("a-1", "a", "test_a", "x", 5), ("a-2", "a", "test_a", "x", 5), ("b-1", "b", "test_b", "x", 5)]
    assert excluded(*rows) == {}
    # The same id with other audio is kept; with the same audio it is the same row.
    assert excluded(*rows, ("b-1", "b", "test_b", "x", 6)) == {}
    assert excluded(*rows, ("b-1", "b", "test_b", "x", 5)) == {"b-1@3": DUPLICATE_ID}


def test_speakers_of_a_test_set_are_left_out_of_the_same_corpus_where_known() -> None:
    rows = [
        ("a-1", "a", "train", "x", 1),
        ("a-2", "a", "valid", "x", 2),
        ("a-3", "a", "train", "y", 3),
        ("a-4", "a", "train", None, 4),
        ("a-5", "a", "train", "", 5),
        ("b-1", "b", "train", "x", 6),
        ("a-6", "a", "test_a", "x", 7),
        ("a-7", "a", "test_a", None, 8),
        ("a-8", "a", "test_a", "", 9),
    ]
    assert excluded(*rows) == {"a-1@0": TEST_SPEAKER}
    assert excluded(*rows, sharing=("a",)) == {}
    assert excluded(*rows, sharing=("b",)) == {"a-1@0": TEST_SPEAKER}


def test_an_id_that_came_before_is_left_out() -> None:
    rows = [("a-1", "a", "train", None, 1), ("a-1", "a-1", "train", None, 2), ("a-2", "a", "test_a", None, 3)]
    assert excluded(*rows) == {"a-1@1": DUPLICATE_ID}
    # A test set has its id, whatever the order of the corpora.
    assert excluded(*rows, ("a-1", "b", "test_b", None, 4)) == {"a-1@0": DUPLICATE_ID, "a-1@1": DUPLICATE_ID}


def test_a_copy_of_what_is_left_out_takes_its_place() -> None:
    """The first of equal recordings goes because of its speaker; the second is then the first."""
    rows = [
        ("a-1", "a", "train", "x", 5),
        ("b-1", "b", "train", "z", 5),
        ("b-2", "b", "train", "z", 5),
        ("a-2", "a", "test_a", "x", 6),
    ]
    assert excluded(*rows) == {"a-1@0": TEST_SPEAKER, "b-2@2": DUPLICATE_AUDIO}


@given(
    st.lists(
        st.tuples(
            st.sampled_from("pqrstuvw"),
            st.sampled_from("ab"),
            st.sampled_from(["train", "valid", "test_a", "test_b"]),
            st.sampled_from(["x", "y", None]),
            st.integers(0, 12),
        ),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=25, deadline=None)
def test_what_is_left_has_nothing_of_a_test_set(rows: list[tuple[str, str, str, str | None, int]]) -> None:
    found = excluded(*rows)
    left = [row for number, row in enumerate(rows) if f"{row[0]}@{number}" not in found]
    tests = [row for row in left if row[2].startswith("test")]
    training = [row for row in left if not row[2].startswith("test")]
    heard = [row for row in rows if row[2].startswith("test")]
    assert len({row[0] for row in training}) == len({row[4] for row in training}) == len(training)
    assert not {row[4] for row in training} & {row[4] for row in heard}
    assert not {row[0] for row in training} & {row[0] for row in heard}
    learned = {(row[1], row[3]) for row in training if row[2] == "train"}
    assert not learned & {(row[1], row[3]) for row in heard if row[3]}
    assert {(row[0], row[4]) for row in tests} == {(row[0], row[4]) for row in heard}


@pytest.mark.parametrize("reason", [DUPLICATE_ID, TEST_AUDIO, TEST_SPEAKER, DUPLICATE_AUDIO])
def test_reasons_can_stand_in_a_statement(reason: str) -> None:
    assert "'" not in reason
