"""Manifest to shards to dataset: every row accounted for, the same bytes by any number of workers."""

import errno
import hashlib
import itertools
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from tiny import TinyRun, buzz

from earmark.audio.fbank import fbank, frame_count
from earmark.audio.read import SAMPLE_RATE
from earmark.audio.trim import speech_bounds
from earmark.data import build as building
from earmark.data.build import (
    NO_SIGNAL,
    Part,
    _compute,
    audio_hash,
    build_shards,
    features_of,
    half,
    samples_of,
    shard_ranges,
)
from earmark.data.manifest import KEPT, LABELLED, LABELS
from earmark.data.shards import Shard, verify
from earmark.errors import ShardError, UserError
from earmark.io import read_json, read_parquet, replacing, sha256, write_parquet
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
    if request.node.name != "test_bytes_do_not_depend_on_the_number_of_workers_on_one_machine":
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
    return build_shards(Part("a", 0, path, folder, INVENTORY, hours, trim, workers))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


EACH_ITS_OWN = 0.5 / 3600
"""Hours of a shard that has room for one row."""


def test_rows_in_are_kept_and_set_aside(tmp_path: Path) -> None:
    path = manifest(tmp_path, silent="too short", gone=KEPT, spoiled=KEPT, brief=KEPT)
    (tmp_path / "gone.wav").unlink()
    (tmp_path / "spoiled.wav").write_bytes(b"damaged")
    soundfile.write(tmp_path / "brief.wav", buzz(0.1), SAMPLE_RATE)
    rows = [row | ({"duration": 0.1} if row["id"] == "a-brief" else {}) for row in read_parquet(path).to_pylist()]
    write_parquet(path, pa.Table.from_pylist(rows, schema=LABELLED))
    done = build(path, tmp_path / "a")
    assert (done["rows"], done["rows_in"], done["kept"], done["set_aside"]) == (7, 6, 3, 3)
    assert done["reasons"] == {"undecodable audio": 2, "too few frames for CTC": 1, "too short": 1}
    assert done["rows"] == done["kept"] + sum(done["reasons"].values())
    assert (done["manifest"], done["manifest_sha256"]) == (str(path), sha256(path))
    assert (done["corpus"], done["part"], done["inventory"]) == ("a", 0, INVENTORY.hash)
    aside = read_parquet(tmp_path / "a" / "aside.parquet").to_pylist()
    assert {row["id"]: row["status"] for row in aside} == {
        "a-gone": "undecodable audio",
        "a-spoiled": "undecodable audio",
        "a-brief": "too few frames for CTC",
    }
    assert read_json(tmp_path / "a" / "done.json") == done
    (shard,) = done["shards"]
    assert verify(tmp_path / "a" / shard["shard"]).shard == shard


def test_shard_holds_the_features_and_phones_of_its_rows_on_one_machine(tmp_path: Path) -> None:
    build(manifest(tmp_path), tmp_path / "a")
    shard = Shard(tmp_path / "a" / "a-0000-0000.arrow", INVENTORY.hash)
    for row, key in enumerate(("one", "two", "three")):
        samples, _ = soundfile.read(tmp_path / f"{key}.wav", dtype="float32")
        features, phones = shard[row]
        np.testing.assert_array_equal(features, fbank(samples).astype(np.float16))
        assert INVENTORY.decode(phones.tolist()) == PHONES


def test_bytes_do_not_depend_on_the_number_of_workers_on_one_machine(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    one, two = build(path, tmp_path / "1", workers=1), build(path, tmp_path / "2", workers=2)
    assert one == two
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    assert "a-0000-0000.arrow" in contents(tmp_path / "1")


def test_several_workers_give_rows_in_order_however_slow_on_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_CHUNK", 1)
    path = manifest(tmp_path, **{f"more{number}": KEPT for number in range(9)}, gone=KEPT)
    (tmp_path / "gone.wav").unlink()
    one, three = build(path, tmp_path / "1"), build(path, tmp_path / "3", workers=3)
    assert one == three and one["kept"] == 12
    assert contents(tmp_path / "1") == contents(tmp_path / "3")


def test_shards_end_at_their_hours_and_those_of_before_are_removed(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    done = build(path, tmp_path / "a", hours=EACH_ITS_OWN)
    assert [shard["rows"] for shard in done["shards"]] == [1, 1, 1]
    assert [shard["shard"] for shard in done["shards"]] == [f"a-0000-000{number}.arrow" for number in range(3)]
    (tmp_path / "a" / ".a-0000-0001.arrow.x.tmp").write_bytes(b"of a killed job")
    done = build(path, tmp_path / "a")
    assert [shard["rows"] for shard in done["shards"]] == [3]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "a-0000-0000.arrow",
        "a-0000-0000.json",
        "a-0000-0000.parquet",
        "aside.parquet",
        "done.json",
    ]


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


def test_a_change_comes_after_trimming_on_float_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.concatenate([np.zeros(16_000, np.float32), buzz(1.0)]), SAMPLE_RATE)
    row = {"audio": str(tmp_path / "a.wav"), "offset": 0.0, "duration": None, "channel": 0}
    seen = []

    def halve(samples: np.ndarray) -> np.ndarray:
        seen.append(samples)
        return samples / 2

    halved = features_of(row, True, halve)
    assert seen[0].dtype == np.float32 and len(seen[0]) < 1.1 * SAMPLE_RATE
    np.testing.assert_array_equal(halved, fbank(seen[0] / 2).astype(np.float16))


def test_offset_and_duration_choose_a_part_on_one_machine(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", buzz(2.0), SAMPLE_RATE)
    row = {"audio": str(tmp_path / "a.wav"), "offset": 0.5, "duration": 0.7, "channel": 0}
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    part = samples[8_000 : 8_000 + 11_200]
    np.testing.assert_array_equal(features_of(row, False), fbank(part).astype(np.float16))


def test_rebuilding_a_run_s_shards_gives_the_same_bytes_on_one_machine(tiny_copy: TinyRun) -> None:
    folder = tiny_copy.paths.shards("spoken")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)
    recorded = tiny_copy.config.folder / "text" / "spoken" / "part_0000.parquet"
    build_shards(Part("spoken", 0, recorded, folder, INVENTORY, 20.0))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


# ---------------------------------------------------------------------------- which rows a shard holds


def test_shards_are_about_equally_long_and_cover_every_kept_row(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = [
        {"id": str(number), "duration": float(rng.uniform(1, 9)), "status": KEPT if rng.random() < 0.8 else "too long"}
        for number in range(1000)
    ]
    rows[0] |= {"status": "no audio", "duration": None}
    path = tmp_path / "m.parquet"
    write_parquet(path, pa.Table.from_pylist(rows, schema=LABELLED))
    total = sum(row["duration"] for row in rows if row["status"] == KEPT)
    ranges = shard_ranges(path, 0.2)
    assert len(ranges) == int(np.ceil(total / 720))
    assert ranges[0][0] == 0 and all(one[1] == other[0] for one, other in itertools.pairwise(ranges))
    lengths = [sum(row["duration"] for row in rows[start:end] if row["status"] == KEPT) for start, end in ranges]
    assert sum(lengths) == pytest.approx(total)
    assert max(lengths) - min(lengths) < 2 * 9


# ---------------------------------------------------------------------------- killed, damaged, changed


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the rows whose features were computed."""
    ids: list[str] = []
    compute = building._compute

    def counted(row: dict[str, Any], trim: bool) -> building.Computed:
        ids.append(row["id"])
        return compute(row, trim)

    monkeypatch.setattr(building, "_compute", counted)
    return ids


@pytest.mark.parametrize("killed_at", [0, 1, 2])
def test_killed_job_repeats_only_the_shard_that_it_was_in(
    tmp_path: Path, computed: list[str], monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    path = manifest(tmp_path, gone=KEPT)
    (tmp_path / "gone.wav").unlink()
    build(path, tmp_path / "whole", hours=EACH_ITS_OWN)
    compute = building._compute

    def killed(row: dict[str, Any], trim: bool) -> building.Computed:
        if len(computed) == killed_at:
            raise KeyboardInterrupt
        return compute(row, trim)

    computed.clear()
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(building, "_compute", killed)
        build(path, tmp_path / "a", hours=EACH_ITS_OWN)
    assert not (tmp_path / "a" / "done.json").exists()
    before = computed.copy()
    build(path, tmp_path / "a", hours=EACH_ITS_OWN)
    assert computed == ["a-one", "a-two", "a-three", "a-gone"] and before == computed[:killed_at]
    assert contents(tmp_path / "a") == contents(tmp_path / "whole")


def test_process_killed_while_writing_ends_with_the_same_bytes_on_one_machine(tmp_path: Path) -> None:
    path = manifest(tmp_path, **{f"more{number:03d}": KEPT for number in range(150)})
    program = (
        "import sys; from pathlib import Path; from earmark.data.build import *;"
        "build_shards(Part('a', 0, Path(sys.argv[1]), Path(sys.argv[2]), Inventory.load(), float(sys.argv[3])))"
    )
    folder = tmp_path / "a"
    process = subprocess.Popen([sys.executable, "-c", program, path, folder, str(EACH_ITS_OWN)])
    while process.poll() is None and len(list(folder.glob("a-*.json"))) < 5:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    before = {path: path.stat().st_mtime_ns for path in folder.glob("a-*.json")}
    assert nothing_half_written(folder, but_temporary=True)
    done = build(path, folder, hours=EACH_ITS_OWN)
    assert 5 <= len(before) < len(done["shards"])
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert done == build(path, tmp_path / "whole", hours=EACH_ITS_OWN)
    assert contents(folder) == contents(tmp_path / "whole")


def test_nothing_is_done_and_no_marker_is_touched_when_all_is_there(tmp_path: Path, computed: list[str]) -> None:
    path = manifest(tmp_path)
    build(path, tmp_path / "a", hours=EACH_ITS_OWN)
    computed.clear()
    os.utime(tmp_path / "a" / "done.json", (1, 1))
    build(path, tmp_path / "a", hours=EACH_ITS_OWN)
    assert computed == []
    assert (tmp_path / "a" / "done.json").stat().st_mtime == 1
    (tmp_path / "a" / "done.json").write_text("{")
    build(path, tmp_path / "a", hours=EACH_ITS_OWN)
    assert computed == [] and read_json(tmp_path / "a" / "done.json")["kept"] == 3


@pytest.mark.parametrize("suffix", [".arrow", ".parquet", ".json"])
def test_damaged_shard_is_rebuilt_alone_with_the_same_bytes_on_one_machine(
    tmp_path: Path, computed: list[str], suffix: str
) -> None:
    path = manifest(tmp_path)
    build(path, tmp_path / "a", hours=EACH_ITS_OWN)
    before = contents(tmp_path / "a")
    damaged = tmp_path / "a" / f"a-0000-0001{suffix}"
    data = bytearray(damaged.read_bytes())
    data[len(data) // 3] ^= 1
    damaged.write_bytes(data)
    computed.clear()
    build(path, tmp_path / "a", hours=EACH_ITS_OWN)
    assert computed == ["a-two"]
    assert contents(tmp_path / "a") == before


def test_other_labels_inventory_or_trimming_make_other_shards(tmp_path: Path, computed: list[str]) -> None:
    path = manifest(tmp_path)
    other = tmp_path / "phones.txt"
    other.write_text("\n".join([*PHONES, "x"]) + "\n")
    parts = [
        Part("a", 0, path, tmp_path / "a", INVENTORY, 1.0),
        Part("a", 0, path, tmp_path / "a", INVENTORY, 1.0, trim=True),
        Part("a", 0, path, tmp_path / "a", Inventory.load(other), 1.0),
    ]
    for part in parts:
        computed.clear()
        build_shards(part)
        assert len(computed) == 3
    rows = read_parquet(path).to_pylist()
    write_parquet(path, pa.Table.from_pylist([row | {"text": "开打"} for row in rows], schema=LABELLED))
    computed.clear()
    build_shards(parts[-1])
    assert len(computed) == 3


def test_audio_of_another_time_is_heard_again_and_shards_of_lost_audio_are_kept(
    tmp_path: Path, computed: list[str]
) -> None:
    path = manifest(tmp_path)
    audio = {row["id"]: Path(row["audio"]) for row in read_parquet(path).to_pylist() if row["status"] == KEPT}
    done = build(path, tmp_path / "a", hours=EACH_ITS_OWN)
    computed.clear()
    os.utime(audio["a-two"], (1, 1))
    assert build(path, tmp_path / "a", hours=EACH_ITS_OWN) == done
    assert computed == ["a-two"]
    computed.clear()
    audio["a-one"].unlink()
    assert build(path, tmp_path / "a", hours=EACH_ITS_OWN) == done
    assert computed == []


def test_labels_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    part = Part("a", 0, path, tmp_path / "a", INVENTORY, 1.0, labels="wanted")
    with pytest.raises(ShardError, match=r"manifest\.parquet has labels of kind unknown, this run has wanted"):
        build_shards(part)
    assert not part.folder.exists()
    labelled = read_parquet(path)
    write_parquet(path, labelled.replace_schema_metadata({LABELS: "wanted"}))
    assert build_shards(part)["labels"] == "wanted"
    assert Shard(part.shard(0)).metadata["labels"] == "wanted"


# ---------------------------------------------------------------------------- full disks


def nothing_half_written(folder: Path, but_temporary: bool = False) -> bool:
    """Whether every shard that has its notes is whole, and no marker stands; after SIGKILL a temporary file may."""
    for path in folder.glob("a-*.json"):
        verify(path.with_suffix(".arrow"))
    return not (folder / "done.json").exists() and (but_temporary or not list(folder.glob(".*")))


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file larger than 300 kB can be written: as a full disk, it ends a write in its middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_partial_shard_is_left_where_a_write_ends_early(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = manifest(tmp_path, **{f"more{number}": KEPT for number in range(30)})
    request.getfixturevalue("small_files")
    with pytest.raises(UserError, match=r"a-0000-0000\.arrow cannot be written, the file is too large: free space"):
        build(path, tmp_path / "a")
    assert nothing_half_written(tmp_path / "a")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a tmpfs, and only a full one has no room: run as root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk_keeps_whole_shards_only_and_space_lets_it_go_on(
    tmp_path: Path, small_disk: Path, computed: list[str]
) -> None:
    path = manifest(tmp_path, **{f"more{number}": KEPT for number in range(30)})
    done = build(path, tmp_path / "whole", hours=3.5 / 3600)
    with pytest.raises(UserError, match=r"the disk is full: free space and run again"):
        build(path, small_disk / "a", hours=3.5 / 3600)
    assert nothing_half_written(small_disk / "a")
    finished = len(list((small_disk / "a").glob("a-*.json")))
    assert 1 < finished < len(done["shards"])
    subprocess.run(["mount", "-o", "remount,size=9m", small_disk], check=True)
    computed.clear()
    assert build(path, small_disk / "a", hours=3.5 / 3600) == done
    assert len(computed) == sum(shard["rows"] for shard in done["shards"][finished:])
    assert contents(small_disk / "a") == contents(tmp_path / "whole")


# ---------------------------------------------------------------------------- recordings


def test_audio_hash_is_of_16_bit_samples_on_all_machines() -> None:
    samples = np.array([0.0, 0.5, -1.0, 1.0], dtype=np.float32)
    pcm = np.array([0, 16384, -32768, 32767], dtype="<i2").tobytes()
    assert audio_hash(samples) == int(hashlib.sha256(pcm).hexdigest()[:16], 16)
    assert audio_hash(np.frombuffer(pcm, dtype=np.int16)) == audio_hash(samples)


def test_audio_hash_tells_equal_recordings_in_other_containers(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    samples, _ = soundfile.read(tmp_path / "one.wav", dtype="float32")
    soundfile.write(tmp_path / "two.flac", samples, SAMPLE_RATE)
    rows = read_parquet(path).to_pylist()
    rows[1] |= {"audio": str(tmp_path / "two.flac"), "duration": 1.0}
    write_parquet(path, pa.Table.from_pylist(rows, schema=LABELLED))
    build(path, tmp_path / "a", trim=True)
    one, two, three = read_parquet(tmp_path / "a" / "a-0000-0000.parquet")["audio_hash"].to_pylist()
    assert one == two == audio_hash(samples) != three


def test_member_of_a_container_is_asked_for_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def read(*arguments: Any, **named: Any) -> np.ndarray:
        asked.append((arguments, named))
        return buzz(0.5)

    monkeypatch.setattr(building, "read_samples", read)
    row = {"audio": "a.tar", "offset": None, "duration": 0.5, "channel": 0, "member": "x/1.flac"}
    features_of(row, False)
    features_of(row | {"member": None}, False)
    assert asked == [(("a.tar", 0.0, 0.5, 0), {"member": "x/1.flac"}), (("a.tar", 0.0, 0.5, 0), {})]


def test_errno_of_a_full_quota_is_known(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"x\.json cannot be written, the quota is used up"),
        replacing(tmp_path / "x.json"),
    ):
        raise OSError(errno.EDQUOT, "quota")


def test_the_first_channel_of_a_call_is_not_the_mean_of_both(tmp_path: Path) -> None:
    left, right = (np.random.default_rng(seed).normal(0, 0.1, 8000) for seed in (1, 2))
    soundfile.write(tmp_path / "call.wav", np.stack([left, right], axis=1), 16_000, subtype="FLOAT")
    row = {"audio": str(tmp_path / "call.wav"), "offset": 0.0, "duration": 0.5}
    np.testing.assert_allclose(samples_of(row | {"channel": 0}), left, atol=1e-6)
    np.testing.assert_allclose(samples_of(row | {"channel": 1}), right, atol=1e-6)
    np.testing.assert_allclose(samples_of(row | {"channel": None}), (left + right) / 2, atol=1e-6)


SPEECH = buzz(0.9)
DEAD = {
    "zeros": np.zeros(14_400, dtype=np.float32),
    "constant": np.full(14_400, 0.25, dtype=np.float32),
    "antiphase": np.stack([SPEECH, -SPEECH], axis=1),
    "dither": np.random.default_rng(0).integers(-1, 1, 14_400).astype(np.int16),
    "whisper": (SPEECH * 8 * 2**-15).astype(np.float32),
    "one_dead_channel": np.stack([SPEECH, np.zeros_like(SPEECH)], axis=1),
}


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_audio_without_any_signal_is_set_aside_and_quiet_speech_is_not(tmp_path: Path, rate: int) -> None:
    path = manifest(tmp_path, **dict.fromkeys(DEAD, KEPT))
    for name, samples in DEAD.items():
        subtype = "PCM_16" if samples.dtype == np.int16 else "FLOAT"
        soundfile.write(tmp_path / f"{name}.wav", samples, rate, subtype=subtype)
    rows = [
        row | ({"channel": None, "duration": 14_400 / rate} if row["id"][2:] in DEAD else {})
        for row in read_parquet(path).to_pylist()
    ]
    write_parquet(path, pa.Table.from_pylist(rows, schema=LABELLED))
    build(path, tmp_path / "a")
    aside = {row["id"][2:]: row["status"] for row in read_parquet(tmp_path / "a" / "aside.parquet").to_pylist()}
    still = ["zeros", "constant", "antiphase"] + (["dither"] if rate == SAMPLE_RATE else [])
    assert {name: aside.get(name) for name in still} == dict.fromkeys(still, NO_SIGNAL)
    assert not {"whisper", "one_dead_channel", "one", "two", "three"} & aside.keys()


def test_silence_is_allowed_where_nothing_is_said(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000, dtype=np.int16), SAMPLE_RATE)
    row = {"audio": str(tmp_path / "a.wav"), "offset": 0.0, "duration": 1.0, "channel": None, "phones": []}
    assert _compute(row | {"text": "打开"}, trim=False) == NO_SIGNAL
    assert not isinstance(_compute(row | {"text": ""}, trim=False), str)


def test_half_precision_is_numpy_s_to_the_last_bit_on_all_machines() -> None:
    every = np.arange(0, 1 << 32, 4_099, dtype=np.uint64).astype(np.uint32).view(np.float32)
    finite = every[np.isfinite(every)][None]
    with np.errstate(over="ignore"):
        expected = finite.astype(np.float16)
    assert np.array_equal(half(finite).view(np.uint16), expected.view(np.uint16))
