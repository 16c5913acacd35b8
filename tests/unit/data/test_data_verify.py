"""What `earmark verify` says of shards, of parts and of what is neither."""

from pathlib import Path

import numpy as np
import pytest
from tiny import TinyRun

from earmark.data.build import N_MELS
from earmark.data.shards import Example, write_shard
from earmark.data.verify import damaged, rebuild
from earmark.io import read_json, write_json


def part(folder: Path, shards: int = 2) -> Path:
    """A part of a corpus with as many shards of one row."""
    row = {"corpus": "own", "split": "train", "language": "zh", "speaker": None, "text": "打开"}
    notes = [
        write_shard(
            folder / f"own-0000-{number:04d}.arrow",
            [Example(row | {"id": f"own-{number}"}, [1], np.zeros((10, N_MELS), np.float16), number)],
            "x",
        )
        for number in range(shards)
    ]
    write_json(folder / "done.json", {"shards": [one.shard for one in notes]})
    return folder


def outcome(*places: Path) -> tuple[list[str], list[str]]:
    """Names of the good shards, and the faults' lines."""
    good: list[str] = []
    faults = damaged(places, good.append)
    return [Path(line.split()[0]).name for line in good], [str(fault) for fault in faults]


def test_shards_of_a_finished_part_are_good(tmp_path: Path) -> None:
    part(tmp_path / "own" / "part_0000")
    assert outcome(tmp_path) == (["own-0000-0000.arrow", "own-0000-0001.arrow"], [])


def test_a_part_without_its_marker_is_a_fault_and_its_shards_are_read(tmp_path: Path) -> None:
    part(tmp_path / "own" / "part_0000", shards=1)
    unfinished = part(tmp_path / "own" / "part_0001")
    (unfinished / "done.json").unlink()
    (unfinished / "own-0000-0001.arrow").write_bytes(b"ARROW1 not really")
    good, faults = outcome(tmp_path)
    assert good == ["own-0000-0000.arrow", "own-0000-0000.arrow"]
    assert faults[0] == f"{unfinished}/done.json does not exist, the part is not finished: run the workflow again"
    assert [line.partition(" is damaged")[0] for line in faults[1:]] == [f"{unfinished}/own-0000-0001.arrow"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        "3",
        '{"shards": 3}',
        '{"shards": {}}',
        '{"shards": ["own-0000-0000.arrow"]}',
        '{"shards": [{}]}',
        '{"shards": [{"shard": "own-0000-0000.arrow"}]}',
        '{"shards": [{"shard": "own-0000-0000.arrow", "sha256": null}]}',
        '{"shards": [{"shard": 3, "sha256": "0"}]}',
    ],
)
def test_a_damaged_marker_is_one_fault_that_hides_no_other(tmp_path: Path, content: str) -> None:
    marker = part(tmp_path / "own" / "part_0000", shards=1) / "done.json"
    lost = part(tmp_path / "own" / "part_0001", shards=1) / "own-0000-0000.arrow"
    marker.write_text(content)
    lost.unlink()
    good, faults = outcome(tmp_path)
    assert good == ["own-0000-0000.arrow"]
    assert [line.split()[0] for line in faults] == [str(marker), str(lost)]
    assert "is damaged (it does not list shards" in faults[0] or "is not JSON" in faults[0]


def test_another_checksum_than_the_marker_states_is_a_fault(tmp_path: Path) -> None:
    folder = part(tmp_path / "part_0000", shards=1)
    marked = read_json(folder / "done.json")["shards"][0]
    write_json(folder / "done.json", {"shards": [marked | {"sha256": "0" * 64}]})
    good, faults = outcome(folder)
    assert good == [] and "own-0000-0000.arrow is not the shard that done.json lists" in faults[0]


def test_places_that_are_none_are_named_beside_the_others(tmp_path: Path) -> None:
    shard = part(tmp_path / "part_0000", shards=1) / "own-0000-0000.arrow"
    (tmp_path / "empty").mkdir()
    good, faults = outcome(tmp_path / "gone", tmp_path / "gone.arrow", tmp_path / "empty", shard)
    assert good == ["own-0000-0000.arrow"]
    remedy = "name shards, or the folder of a run such as results/default"
    assert faults == [
        f"{tmp_path}/gone does not exist: {remedy}",
        f"{tmp_path}/gone.arrow does not exist: {remedy}",
        f"{tmp_path}/empty holds no finished shards: {remedy}",
    ]


def test_a_shard_that_was_lost_is_to_be_rebuilt(tmp_path: Path) -> None:
    shard = part(tmp_path / "part_0000", shards=1) / "own-0000-0000.arrow"
    shard.unlink()
    assert outcome(shard)[1] == [f"{shard} does not exist: rebuild it with `earmark verify --repair CONFIG`"]


@pytest.mark.parametrize("content", [None, "[]"])
def test_repair_writes_a_marker_that_was_lost(tiny_copy: TinyRun, content: str | None) -> None:
    marker = tiny_copy.paths.shards_done("own")
    before = marker.read_bytes()
    marker.unlink()
    if content:
        marker.write_text(content)
    said: list[str] = []
    faults = damaged([tiny_copy.folder], said.append)
    assert [fault.path for fault in faults] == [marker]
    assert rebuild(tiny_copy.config, faults, 1, said.append) == []
    assert said[-1] == f"{marker} rebuilt"
    assert marker.read_bytes() == before
