"""The data half against its peers: `make bench-data`, or `python bench/bench_data.py`. Writes results/bench/data.json.

One process, one thread, theirs and ours in turn on the same synthetic recordings; medians. Loaders, features and shards
are timed by the processor's clock, which other work on the machine disturbs least; it leaves out waiting for the disk,
of which only our fsync causes any (0.85 s by the clock, 0.84 by the processor). What both sides give is compared before
anything is timed: utterances, shapes, and values where both compute the same.
"""

import collections
import functools
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import labels
import lhotse
import numpy as np
import peers
import plan
import soundfile
import speech_like
import torch
from lhotse.dataset import GlobalMVN
from measured import compared as compared_by

from earmark.audio.fbank import fbank
from earmark.audio.read import SAMPLE_RATE
from earmark.data.build import build_shards
from earmark.data.dataset import Dataset
from earmark.data.shards import Shard
from earmark.io import write_json
from earmark.paths import RunPaths
from earmark.text.inventory import Inventory

AUDIO = "audio seconds a second"
OUTPUT = Path("results/bench/data.json")
TARGETS = {
    "loader vs lhotse shar": 80,
    "loader vs lhotse features": 6,
    "fbank vs kaldi-native-fbank": 7,
    "fbank vs lhotse": 2,
    "shards vs kaldi-native-fbank": 4,
    "shards vs lhotse": 1.5,
    "labels cold vs naive": 20,
    "labels warm vs naive": 100,
}
"""Ratio that a row has to reach, printed beside it; other rows carry a limit of their own or none."""


compared = functools.partial(compared_by, clock=time.process_time)


def features(recordings: list[np.ndarray], seconds: float) -> list[dict[str, Any]]:
    """Log-mel features of utterances in memory."""
    extractor = peers.extractor()
    ours = [fbank(one) for one in recordings]
    kaldi = [peers.kaldi_fbank(one) for one in recordings]
    theirs = [extractor.extract(one, SAMPLE_RATE) for one in recordings]
    assert [one.shape for one in ours] == [one.shape for one in kaldi]
    cells = np.abs(np.concatenate(ours) - np.concatenate(kaldi))
    share = 100 * float((cells < 1e-3).mean())
    assert share >= 99.999, f"{share} % of the cells are within 1e-3 of kaldi-native-fbank"
    # lhotse takes samples in [-1, 1]: its log energies are lower by 2 ln 32768.
    assert all(peers.same_features(one, mine, 2 * np.log(32768)) for one, mine in zip(theirs, ours, strict=True))
    return [
        compared(
            "fbank vs kaldi-native-fbank",
            AUDIO,
            seconds,
            lambda: [peers.kaldi_fbank(one) for one in recordings],
            lambda: [fbank(one) for one in recordings],
        )
        | {"cells_within_0.001_percent": round(share, 4)},
        compared(
            "fbank vs lhotse",
            AUDIO,
            seconds,
            lambda: [extractor.extract(one, SAMPLE_RATE) for one in recordings],
            lambda: [fbank(one) for one in recordings],
        ),
    ]


def shards(paths: list[Path], config: Any, folder: Path, seconds: float) -> list[dict[str, Any]]:
    """FLAC to features on disk: ours are checksummed shards with labels and an index."""
    part, inventory = speech_like.part(config), Inventory.load()
    phones = inventory.encode(["d", "a3", "k", "ai1"])
    labels = [
        {"id": path.stem, "corpus": "made", "split": "train", "language": "zh", "speaker": None, "text": "打开空调"}
        for path in paths
    ]
    given, other = peers.cuts(paths), folder / "kaldi-0000-0000.arrow"

    def ours() -> None:
        for path in part.folder.glob("*"):
            path.unlink()
        build_shards(part)

    def kaldi() -> None:
        peers.kaldi_shard(paths, labels, phones, other)

    ours(), kaldi()
    mine, its = Shard(part.shard(0)), Shard(other)
    stored = peers.store_features(given, folder / "features")
    for number, cut in enumerate(stored):
        (one, ids), (another, same) = mine[number], its[number]
        assert (one.shape, ids.tolist()) == (another.shape, same.tolist())
        assert peers.same_features(cut.load_features(), one.astype(np.float32), 2 * np.log(32768))
        assert np.abs(one.astype(np.float32) - another.astype(np.float32)).max() < 0.02  # half precision
        assert mine.labels(number)[0] == cut.id == labels[number]["id"]
    return [
        compared("shards vs kaldi-native-fbank", AUDIO, seconds, kaldi, ours),
        compared(
            "shards vs lhotse",
            AUDIO,
            seconds,
            lambda: peers.store_features(given, folder / "features"),
            ours,
        ),
    ]


def loaders(paths: list[Path], config: Any, folder: Path, seconds: float) -> list[dict[str, Any]]:
    """From disk (in the page cache) to normalised, padded float32 batches."""
    speech_like.build(config)
    dataset = Dataset(RunPaths(config.folder).dataset, Inventory.load())
    rows = dataset.split("train")
    parts = [rows[start : start + peers.BATCH] for start in range(0, len(rows), peers.BATCH)]
    given = peers.cuts(paths)
    stored = peers.store_features(given, folder / "features")
    shar = peers.write_shar(given, folder / "shar")
    normalise = GlobalMVN.from_cuts(stored)

    def ours() -> Iterator[Any]:
        return (dataset.batch(part) for part in parts)

    def taken(batches: Iterator[Any]) -> None:
        """Each batch is gone when the next is made, on both sides."""
        collections.deque(batches, maxlen=0)

    for theirs in (peers.from_shar(shar, normalise), peers.from_features(stored, normalise)):
        for (ids, values), batch in zip(theirs, ours(), strict=True):
            assert ids == batch.ids
            assert values.dtype == batch.features.dtype
            assert (len(values), values.shape[2]) == (len(batch.ids), batch.features.shape[2])
            longest, length = int(batch.lengths.argmax()), int(batch.lengths.max())
            assert peers.same_features(values[longest].numpy(), batch.features[longest, :length].numpy())
    return [
        compared(
            "loader vs lhotse shar",
            AUDIO,
            seconds,
            lambda: taken(peers.from_shar(shar, normalise)),
            lambda: taken(ours()),
            repeats=20,
        ),
        compared(
            "loader vs lhotse features",
            AUDIO,
            seconds,
            lambda: taken(peers.from_features(stored, normalise)),
            lambda: taken(ours()),
            repeats=20,
        )
        | {"storage": "NumpyFilesWriter"},
    ]


def line(row: dict[str, Any]) -> str:
    """A row for the terminal: ours, the peer's, their ratio, and what it has to be."""
    against = f"{row['peer']:>10,}  {row['ratio']:>7} x" if row["ratio"] else " " * 21
    wanted = ""
    if target := TARGETS.get(row["what"]):
        wanted = f"  at least {target}: {'held' if row['ratio'] >= target else 'MISSED'}"
    elif limit := row.get("limit"):
        wanted = f"  at most {limit}: {'held' if row['ours'] <= limit else 'MISSED'}"
    return f"{row['what']:70} {row['ours']:>12,} {against}  {row['unit']}{wanted}"


def main() -> None:
    """Write results/bench/data.json."""
    torch.set_num_threads(1)
    assert os.environ.get("OMP_NUM_THREADS") == "1", "set OMP_NUM_THREADS=1: one thread each"
    lhotse.set_caching_enabled(False)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = speech_like.run(folder)
        paths = speech_like.record(folder)
        seconds = speech_like.manifest(paths, RunPaths(config.folder).manifest(speech_like.CORPUS))
        recordings = [soundfile.read(path, dtype="float32")[0] for path in paths]
        for measured in (
            lambda: loaders(paths, config, folder, seconds),
            lambda: features(recordings, seconds),
            lambda: shards(paths, config, folder, seconds),
            plan.rows,
            labels.rows,
        ):
            for row in measured():
                found.append(row)
                print(line(row), flush=True)
    write_json(OUTPUT, found)


if __name__ == "__main__":
    main()
