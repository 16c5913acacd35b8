"""Labelled manifest -> shards: decode, trim, features, write; then one dataset manifest for training."""

import itertools
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from earmark.audio.fbank import FRAMES_PER_SECOND, fbank
from earmark.audio.read import SAMPLE_RATE, read_audio
from earmark.audio.trim import speech_bounds
from earmark.data.labels import frames_status
from earmark.data.manifest import KEPT, counts
from earmark.data.shards import Example, Moments, write_shard
from earmark.errors import AudioError, ShardError
from earmark.io import read_json, read_parquet, sha256, write_json, write_parquet
from earmark.text.inventory import Inventory

ASIDE = pa.schema([("id", pa.string()), ("status", pa.string())])
N_MELS = 80


def features_of(row: dict[str, Any], trim: bool, noise: tuple[float, np.random.Generator] | None = None) -> np.ndarray:
    """Log-mel features (T, 80) float16 of a manifest row.

    :param noise: white noise to add after trimming: signal-to-noise ratio in dB, and its generator.
    """
    samples = read_audio(row["audio"], row["offset"] or 0.0, row["duration"], row["channel"] or None)
    if trim:
        start, end = speech_bounds(samples, SAMPLE_RATE)
        samples = samples[start:end]
    if noise:
        power = float(np.mean(samples.astype(np.float64) ** 2)) / 10 ** (noise[0] / 10)
        samples = samples + noise[1].normal(0.0, power**0.5, len(samples)).astype(np.float32)
    return fbank(samples, N_MELS).astype(np.float16)


def _compute(row: dict[str, Any], trim: bool) -> np.ndarray | str:
    """Features, or why the row is set aside."""
    try:
        features = features_of(row, trim)
    except AudioError:
        return "undecodable audio"
    if not np.isfinite(features).all():
        return "features not finite"
    status = frames_status(len(features), row["phones"])
    return features if status == KEPT else status


def build_shards(
    manifest: Path, folder: Path, corpus: str, inventory: Inventory, hours: float, trim: bool, workers: int
) -> dict[str, Any]:
    """Write a corpus's shards into `folder`; `done.json` comes last and says what they hold.

    Rows whose audio turns out unusable go to `aside.parquet`. The bytes do not depend on the number of workers.
    """
    rows = [row for row in read_parquet(manifest).to_pylist() if row["status"] == KEPT]
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob(f"{corpus}-*"):
        stale.unlink()
    aside: list[dict[str, str]] = []
    moments = Moments(N_MELS)
    examples = _examples(rows, inventory, trim, workers, aside, moments)
    shards = []
    for number in itertools.count():
        first = next(examples, None)
        if first is None:
            break
        part = _until(itertools.chain([first], examples), hours * 3600 * FRAMES_PER_SECOND)
        shards.append(write_shard(folder / f"{corpus}-{number:05d}.arrow", part, inventory.hash))
    write_parquet(folder / "aside.parquet", pa.Table.from_pylist(aside, schema=ASIDE))
    done = {
        "corpus": corpus,
        "inventory": inventory.hash,
        "rows_in": len(rows),
        "kept": sum(shard["rows"] for shard in shards),
        "set_aside": len(aside),
        "shards": shards,
        "moments": moments.as_json(),
    }
    if done["rows_in"] != done["kept"] + done["set_aside"]:
        raise ShardError(f"{corpus}: {len(rows)} rows in, {done['kept']} kept, {len(aside)} set aside: a row was lost")
    write_json(folder / "done.json", done)
    return done


def _examples(
    rows: list[dict[str, Any]],
    inventory: Inventory,
    trim: bool,
    workers: int,
    aside: list[dict[str, str]],
    moments: Moments,
) -> Iterator[Example]:
    from tqdm import tqdm

    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        computed = pool.map(_compute, rows, itertools.repeat(trim), chunksize=32)
        for row, features in zip(tqdm(rows, desc="features", mininterval=2), computed, strict=True):
            if isinstance(features, str):
                aside.append({"id": row["id"], "status": features})
                continue
            if row["split"] == "train":
                moments.add(features)
            yield Example(row, inventory.encode(row["phones"]), features)


def _until(examples: Iterator[Example], frames: float) -> Iterator[Example]:
    """Examples until they hold `frames` frames."""
    held = 0
    for example in examples:
        yield example
        held += len(example.features)
        if held >= frames:
            return


def build_dataset(corpora: dict[str, Path], manifests: dict[str, Path], inventory: Inventory, path: Path) -> None:
    """Collect the corpora's shards into the one manifest that training sees, with mean and deviation a mel bin."""
    parts = {name: read_json(folder / "done.json") for name, folder in corpora.items()}
    total = sum(np.array(part["moments"]["total"]) for part in parts.values())
    squares = sum(np.array(part["moments"]["squares"]) for part in parts.values())
    frames = sum(part["moments"]["frames"] for part in parts.values())
    if frames == 0:
        raise ShardError(f"{path}: no training utterance was kept; see the column status of {list(manifests.values())}")
    mean = total / frames
    deviation = np.sqrt(np.maximum(squares / frames - mean**2, 1e-8))
    write_json(
        path,
        {
            "inventory": inventory.hash,
            "phones": len(inventory),
            "mean": mean.tolist(),
            "deviation": deviation.tolist(),
            "corpora": {name: _account(manifests[name], corpora[name], part) for name, part in parts.items()},
        },
    )


def _account(manifest: Path, folder: Path, part: dict[str, Any]) -> dict[str, Any]:
    """What became of every row of a corpus: rows in = kept + set aside, by reason."""
    table = read_parquet(manifest)
    reasons = counts(table)
    kept = reasons.pop(KEPT, 0)
    for status, number in counts(read_parquet(folder / "aside.parquet")).items():
        reasons[status] = reasons.get(status, 0) + number
        kept -= number
    if kept != part["kept"] or len(table) != kept + sum(reasons.values()):
        raise ShardError(f"{folder}: {part['kept']} rows in shards, {kept} expected from {manifest}: build again")
    return {
        "rows": len(table),
        "kept": kept,
        "set_aside": reasons,
        "manifest": str(manifest),
        "manifest_sha256": sha256(manifest),
        "folder": str(folder),
        "shards": part["shards"],
    }
