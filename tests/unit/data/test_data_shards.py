"""The shard format: what goes in comes out, in place, and no damage passes for whole."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from earmark.data.moments import Moments
from earmark.data.shards import (
    FORMAT,
    INDEX,
    ROWS_PER_BATCH,
    SCHEMA,
    Example,
    Shard,
    read_notes,
    verify,
    whole,
    write_shard,
)
from earmark.errors import ShardError
from earmark.io import read_parquet

HASH = "0123456789abcdef"


def examples(count: int, n_mels: int = 8, seed: int = 0) -> list[Example]:
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        row = {
            "id": f"a-{number}",
            "corpus": "a",
            "split": "train",
            "language": "zh",
            "speaker": None,
            "text": f"第{number}",
        }
        features = rng.normal(size=(int(rng.integers(1, 40)), n_mels)).astype(np.float16)
        made.append(Example(row, rng.integers(1, 200, int(rng.integers(1, 9))).tolist(), features, 2**63 + number))
    return made


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, list[Example], dict]:
    made = examples(12)
    path = tmp_path / "a-0000-0000.arrow"
    return path, made, write_shard(path, made, HASH).shard


def test_rows_come_back_bit_for_bit(written: tuple[Path, list[Example], dict]) -> None:
    path, made, _ = written
    shard = Shard(path, HASH)
    for number, example in enumerate(made):
        features, phones = shard[number]
        assert features.dtype == np.float16 and phones.dtype == np.int16
        np.testing.assert_array_equal(features, example.features)
        np.testing.assert_array_equal(phones, example.phones)


def test_rows_without_phones_come_back_as_they_are(tmp_path: Path) -> None:
    made = [one._replace(phones=[]) for one in examples(3)]
    path = tmp_path / "a-0000-0000.arrow"
    write_shard(path, made, HASH)
    features, phones = Shard(path, HASH)[2]
    assert len(phones) == 0 and phones.dtype == np.int16
    np.testing.assert_array_equal(features, made[2].features)
    verify(path)


def test_rows_are_views_into_the_file(written: tuple[Path, list[Example], dict]) -> None:
    path, _, _ = written
    before = pa.total_allocated_bytes()
    features, _ = Shard(path)[3]
    assert not features.flags.owndata and not features.flags.writeable
    assert pa.total_allocated_bytes() == before


def test_rows_beyond_the_first_record_batch_are_found(tmp_path: Path) -> None:
    made = examples(2 * ROWS_PER_BATCH + 3, n_mels=2)
    write_shard(tmp_path / "a.arrow", made, HASH)
    shard = Shard(tmp_path / "a.arrow")
    for number in (0, ROWS_PER_BATCH - 1, ROWS_PER_BATCH, 2 * ROWS_PER_BATCH + 2):
        np.testing.assert_array_equal(shard[number][0], made[number].features)
        np.testing.assert_array_equal(shard[number][1], made[number].phones)


def test_index_says_where_each_row_lies(written: tuple[Path, list[Example], dict]) -> None:
    path, made, said = written
    index = read_parquet(path.with_suffix(".parquet"))
    assert index.schema == INDEX
    assert index["audio_hash"].to_pylist() == [example.audio_hash for example in made]
    assert index["row"].to_pylist() == list(range(len(made)))
    assert set(index["shard"].to_pylist()) == {path.name} == {said["shard"]}
    assert index["id"].to_pylist() == [example.row["id"] for example in made]
    assert index["frames"].to_pylist() == [len(example.features) for example in made]
    assert index["phones"].to_pylist() == [len(example.phones) for example in made]
    assert said["rows"] == len(made)
    assert said["seconds"] == pytest.approx(sum(index["duration"].to_pylist()))


def test_metadata_names_inventory_and_version(written: tuple[Path, list[Example], dict]) -> None:
    path, _, said = written
    shard = Shard(path)
    assert (shard.metadata["inventory"], shard.metadata["sha256"]) == (HASH, said["sha256"])
    assert shard.metadata["format"] == FORMAT
    with pa.memory_map(str(path)) as handle:  # a plain Arrow file for anybody's reader
        assert pa.ipc.open_file(handle).schema.remove_metadata() == SCHEMA


def test_checksum_in_the_file_is_of_the_file(written: tuple[Path, list[Example], dict]) -> None:
    path, _, said = written
    assert verify(path).shard == said


def test_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    one = write_shard(tmp_path / "1" / "a.arrow", examples(5), HASH)
    other = write_shard(tmp_path / "2" / "a.arrow", examples(5), HASH)
    assert one == other
    assert (tmp_path / "1/a.arrow").read_bytes() == (tmp_path / "2/a.arrow").read_bytes()
    changed = write_shard(tmp_path / "3" / "a.arrow", examples(5, seed=1), HASH)
    assert changed.shard["sha256"] != one.shard["sha256"]


def test_every_flipped_byte_is_found_by_verify(written: tuple[Path, list[Example], dict]) -> None:
    path, _, _ = written
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    places = [0, 7, len(whole) - 1, len(whole) - 7, *rng.integers(0, len(whole), 150).tolist()]
    for place in places:
        data = bytearray(whole)
        data[place] ^= 0x40
        path.write_bytes(data)
        with pytest.raises(ShardError, match=r"a-0000-0000\.arrow is damaged"):
            verify(path)


def test_flipped_bit_of_a_feature_is_found_on_reading_that_row(tmp_path: Path) -> None:
    made = examples(6)
    path = tmp_path / "a.arrow"
    write_shard(path, made, HASH)
    data = bytearray(path.read_bytes())
    needle = made[4].features.tobytes()
    data[data.index(needle) + len(needle) // 2] ^= 1
    path.write_bytes(data)
    shard = Shard(path)
    np.testing.assert_array_equal(shard[3][0], made[3].features)
    with pytest.raises(ShardError, match=r"damaged in row 4 \(checksum\): rebuild it with `earmark verify --repair"):
        shard[4]


def test_flipped_bit_of_a_phone_is_found_on_reading_that_row(tmp_path: Path) -> None:
    made = [example._replace(phones=[101 + number, 150, 77]) for number, example in enumerate(examples(6))]
    path = tmp_path / "a.arrow"
    write_shard(path, made, HASH)
    data = bytearray(path.read_bytes())
    data[data.index(np.array(made[2].phones, np.int16).tobytes()) + 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ShardError, match="damaged in row 2"):
        Shard(path)[2]


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_file_cut_short_is_refused(written: tuple[Path, list[Example], dict], kept: float) -> None:
    path, _, _ = written
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(ShardError, match="is damaged"):
        Shard(path)[0]


def test_what_is_no_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="does not exist: rebuild it"):
        Shard(tmp_path / "gone.arrow")
    (tmp_path / "text.arrow").write_bytes(b"not Arrow" * 100)
    with pytest.raises(ShardError, match="is damaged"):
        verify(tmp_path / "text.arrow")


def test_row_that_does_not_exist_is_refused(written: tuple[Path, list[Example], dict]) -> None:
    with pytest.raises(ShardError, match="row 12"):
        Shard(written[0])[12]


def test_other_inventory_is_refused(written: tuple[Path, list[Example], dict]) -> None:
    with pytest.raises(ShardError, match="labelled with inventory 0123456789abcdef, this run has fedcba"):
        Shard(written[0], "fedcba")


def test_error_while_writing_leaves_no_shard(tmp_path: Path) -> None:
    def failing():
        yield from examples(3)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_shard(tmp_path / "a.arrow", failing(), HASH)
    assert not list(tmp_path.iterdir())


def test_shard_without_a_row_is_an_index_alone(tmp_path: Path) -> None:
    (tmp_path / "a.arrow").write_bytes(b"of before")
    notes = write_shard(tmp_path / "a.arrow", [], HASH, "x", [["a-1", "undecodable audio"]], Moments(4))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.parquet"]
    assert notes.shard == {"shard": "a.arrow", "rows": 0, "seconds": 0, "sha256": ""}
    assert whole(tmp_path / "a.arrow", "x") == notes


def test_notes_come_back_and_tell_what_a_shard_is_made_of(tmp_path: Path) -> None:
    path, moments = tmp_path / "a.arrow", Moments(8)
    moments.add(examples(1)[0].features)
    notes = write_shard(path, examples(3), HASH, "x", [["a-9", "undecodable audio"]], moments)
    assert read_notes(path) == notes == whole(path, "x")
    assert whole(path, "y") is None


@pytest.mark.parametrize("suffix", [".parquet", ".json"])
def test_every_flipped_byte_beside_a_shard_is_found(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "a.arrow"
    write_shard(path, examples(5), HASH, "x", [["a-9", "undecodable audio"]], Moments(8))
    beside = path.with_suffix(suffix)
    data = beside.read_bytes()
    for place in range(0, len(data) - 1, 11):
        changed = bytearray(data)
        changed[place] ^= 0x10
        beside.write_bytes(changed)
        if suffix == ".json" and changed.split() == data.split():
            continue  # white space between values
        with pytest.raises(ShardError, match=r"a\.arrow is damaged"):
            verify(path)
        assert whole(path, "x") is None


@pytest.mark.parametrize("lost", [".arrow", ".parquet", ".json"])
def test_half_a_shard_is_not_whole(tmp_path: Path, lost: str) -> None:
    path = tmp_path / "a.arrow"
    write_shard(path, examples(3), HASH, "x")
    path.with_suffix(lost).unlink()
    assert whole(path, "x") is None
    with pytest.raises(ShardError, match=r"a\.arrow"):
        verify(path)


def test_shard_of_another_index_is_not_whole(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.arrow", examples(3), HASH, "x")
    write_shard(tmp_path / "b.arrow", examples(3, seed=1), HASH, "x")
    (tmp_path / "b.arrow").rename(tmp_path / "a.arrow")
    with pytest.raises(ShardError, match="is damaged"):
        verify(tmp_path / "a.arrow")
    assert whole(tmp_path / "a.arrow", "x") is None
