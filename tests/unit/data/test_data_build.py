"""Manifest to shards to dataset: every row accounted for, the same bytes by any number of workers."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from tiny import TinyRun, buzz

from earmark.audio.fbank import fbank, frame_count
from earmark.audio.read import SAMPLE_RATE
from earmark.audio.trim import speech_bounds
from earmark.data.build import build_dataset, build_shards, features_of
from earmark.data.manifest import KEPT, LABELLED
from earmark.data.shards import Shard, verify
from earmark.errors import ShardError, UserError
from earmark.io import read_json, read_parquet, write_json, write_parquet
from earmark.text.inventory import Inventory

pytestmark = pytest.mark.usefixtures("_here")
INVENTORY = Inventory.load()
PHONES = ["d", "a3", "k", "ai1"]


class Here(ThreadPoolExecutor):
    """Threads in the place of spawned processes, which take seconds to start."""

    def __init__(self, workers: int, mp_context: object):
        super().__init__(workers)


@pytest.fixture
def _here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.name != "test_bytes_do_not_depend_on_the_number_of_workers":
        monkeypatch.setattr("earmark.data.build.ProcessPoolExecutor", Here)


def manifest(folder: Path, **statuses: str) -> Path:
    """Three good rows (train, train, valid), and rows with other statuses."""
    rows = []
    seconds = {"one": 1.0, "two": 1.3, "three": 0.8}
    for key in [*seconds, *statuses]:
        path = folder / f"{key}.wav"
        soundfile.write(path, buzz(seconds.get(key, 0.9), 120 + 30 * len(rows)), SAMPLE_RATE)
        rows.append(
            {
                "id": f"a-{key}",
                "corpus": "a",
                "split": "valid" if key == "three" else "train",
                "language": "zh",
                "audio": str(path),
                "channel": 0,
                "offset": 0.0,
                "duration": seconds.get(key, 0.9),
                "status": statuses.get(key, KEPT),
                "text": "打开",
                "phones": PHONES,
            }
        )
    write_parquet(folder / "manifest.parquet", pa.Table.from_pylist(rows, schema=LABELLED))
    return folder / "manifest.parquet"


def build(path: Path, folder: Path, hours: float = 1.0, trim: bool = False, workers: int = 1) -> dict:
    return build_shards(path, folder, "a", INVENTORY, hours, trim, workers)


def test_rows_in_are_kept_and_set_aside(tmp_path: Path) -> None:
    path = manifest(tmp_path, silent="too short", gone=KEPT, spoiled=KEPT, brief=KEPT)
    (tmp_path / "gone.wav").unlink()
    (tmp_path / "spoiled.wav").write_bytes(b"damaged")
    soundfile.write(tmp_path / "brief.wav", buzz(0.1), SAMPLE_RATE)  # shorter than its manifest says
    done = build(path, tmp_path / "a")
    assert (done["rows_in"], done["kept"], done["set_aside"]) == (6, 3, 3)
    aside = read_parquet(tmp_path / "a" / "aside.parquet").to_pylist()
    assert {row["id"]: row["status"] for row in aside} == {
        "a-gone": "undecodable audio",
        "a-spoiled": "undecodable audio",
        "a-brief": "too few frames for CTC",
    }
    assert read_json(tmp_path / "a" / "done.json") == done
    (shard,) = done["shards"]
    assert verify(tmp_path / "a" / shard["shard"]) == shard["sha256"]


def test_shard_holds_the_features_and_phones_of_its_rows(tmp_path: Path) -> None:
    build(manifest(tmp_path), tmp_path / "a")
    shard = Shard(tmp_path / "a" / "a-00000.arrow", INVENTORY.hash)
    for row, key in enumerate(("one", "two", "three")):
        samples, _ = soundfile.read(tmp_path / f"{key}.wav", dtype="float32")
        features, phones = shard[row]
        np.testing.assert_array_equal(features, fbank(samples).astype(np.float16))
        assert INVENTORY.decode(phones.tolist()) == PHONES


def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    one, two = build(path, tmp_path / "1", workers=1), build(path, tmp_path / "2", workers=2)
    assert one == two
    for name in ("a-00000.arrow", "a-00000.parquet", "done.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_shards_end_at_their_hours_and_those_of_before_are_removed(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    done = build(path, tmp_path / "a", hours=0.5 / 3600)
    assert [shard["rows"] for shard in done["shards"]] == [1, 1, 1]
    assert [shard["shard"] for shard in done["shards"]] == [f"a-0000{number}.arrow" for number in range(3)]
    done = build(path, tmp_path / "a")
    assert [shard["rows"] for shard in done["shards"]] == [3]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "a-00000.arrow",
        "a-00000.parquet",
        "aside.parquet",
        "done.json",
    ]


def test_mean_and_deviation_are_of_the_training_split_alone(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    build(path, tmp_path / "a")
    build_dataset({"a": tmp_path / "a"}, {"a": path}, INVENTORY, tmp_path / "dataset.json")
    said = read_json(tmp_path / "dataset.json")
    shard = Shard(tmp_path / "a" / "a-00000.arrow")
    train = np.concatenate([shard[0][0], shard[1][0]]).astype(np.float64)
    np.testing.assert_allclose(said["mean"], train.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(said["deviation"], train.std(axis=0), rtol=1e-6)
    assert (said["inventory"], said["phones"]) == (INVENTORY.hash, len(INVENTORY))


def test_account_sums_to_the_rows_of_the_manifest(tiny_run: TinyRun) -> None:
    account = read_json(tiny_run.paths.dataset)["corpora"]
    assert account["spoken"]["rows"] == account["spoken"]["kept"] == 20
    assert account["own"]["kept"] == 2
    assert account["own"]["set_aside"] == {
        "undecodable audio": 2,
        "duplicate id": 1,
        "empty text": 1,
        "missing audio": 1,
        "too short": 1,
    }
    assert account["own"]["rows"] == 8


def test_row_that_was_lost_is_an_error(tiny_copy: TinyRun) -> None:
    folder, path = tiny_copy.paths.shards("own"), tiny_copy.paths.manifest("own")
    done = read_json(folder / "done.json")
    write_json(folder / "done.json", done | {"kept": done["kept"] - 1})
    with pytest.raises(ShardError, match="1 rows in shards, 2 expected"):
        build_dataset({"own": folder}, {"own": path}, INVENTORY, tiny_copy.paths.dataset)


def test_shards_without_their_marker_are_not_taken_for_whole(tiny_copy: TinyRun) -> None:
    folder, path = tiny_copy.paths.shards("own"), tiny_copy.paths.manifest("own")
    (folder / "done.json").unlink()
    with pytest.raises(UserError, match=r"done\.json does not exist"):
        build_dataset({"own": folder}, {"own": path}, INVENTORY, tiny_copy.paths.dataset)


def test_no_training_utterance_is_an_error(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    rows = [row | {"split": "valid"} for row in read_parquet(path).to_pylist()]
    write_parquet(path, pa.Table.from_pylist(rows, schema=LABELLED))
    build(path, tmp_path / "a")
    with pytest.raises(ShardError, match="no training utterance was kept"):
        build_dataset({"a": tmp_path / "a"}, {"a": path}, INVENTORY, tmp_path / "dataset.json")


def test_corpus_of_which_nothing_is_kept_has_no_shard(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.wav").unlink()
    done = build(path, tmp_path / "a")
    assert (done["shards"], done["kept"], done["set_aside"]) == ([], 0, 3)


def test_trimming_cuts_silence_before_features(tmp_path: Path) -> None:
    quiet = np.zeros(SAMPLE_RATE, dtype=np.float32)
    samples = np.concatenate([quiet, buzz(1.0), quiet])
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE)
    row = {"audio": str(tmp_path / "a.wav"), "offset": 0.0, "duration": 3.0, "channel": 0}
    start, end = speech_bounds(samples, SAMPLE_RATE)
    assert len(features_of(row, trim=False)) == frame_count(len(samples))
    assert len(features_of(row, trim=True)) == frame_count(end - start) < 130


def test_noise_has_the_level_that_was_asked_for(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", buzz(1.0), SAMPLE_RATE, subtype="FLOAT")
    row = {"audio": str(tmp_path / "a.wav"), "offset": 0.0, "duration": 1.0, "channel": 0}
    clean = features_of(row, False).astype(np.float64)
    rise = [
        float((features_of(row, False, (level, np.random.default_rng(1))).astype(np.float64) - clean).mean())
        for level in (40.0, 30.0, 20.0)
    ]
    assert rise[0] > 0
    # Where noise is all there is, ten decibels are ln 10 in log energy.
    np.testing.assert_allclose(np.diff(rise), np.log(10), atol=0.5)
    again = features_of(row, False, (20.0, np.random.default_rng(1))).astype(np.float64)
    assert float((again - clean).mean()) == rise[2]


def test_offset_and_duration_choose_a_part(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", buzz(2.0), SAMPLE_RATE)
    row = {"audio": str(tmp_path / "a.wav"), "offset": 0.5, "duration": 0.7, "channel": 0}
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    part = samples[8_000 : 8_000 + 11_200]
    np.testing.assert_array_equal(features_of(row, False), fbank(part).astype(np.float16))


def test_rebuilding_a_run_s_shards_gives_the_same_bytes(tiny_copy: TinyRun) -> None:
    folder = tiny_copy.paths.shards("spoken")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)
    build_shards(tiny_copy.paths.manifest("spoken"), folder, "spoken", INVENTORY, 20.0, False, 1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
