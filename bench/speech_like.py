"""Recordings that are no speech but cost what speech costs: harmonics under moving resonances, pauses, noise."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from earmark.audio.read import SAMPLE_RATE
from earmark.config import Config, FolderCorpus, load
from earmark.data.build import Part, build_shards
from earmark.data.collect import collect
from earmark.data.labels import phonemizer
from earmark.data.manifest import LABELLED, LABELS, table
from earmark.io import write_parquet
from earmark.paths import RunPaths
from earmark.text.inventory import Inventory

CORPUS = "made"
UTTERANCES = 200
SHORTEST, LONGEST = 2.0, 14.0
"""Seconds."""


def samples(length: float, rng: np.random.Generator) -> np.ndarray:
    """(N,) float32 in [-1, 1] at 16 kHz."""
    time = np.arange(round(length * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = rng.uniform(90, 220) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.2, 0.6) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    voiced = sum(
        np.sin(k * phase) * np.exp(-(((k * pitch - 700 - 400 * np.sin(2 * np.pi * 3 * time)) / 600) ** 2))
        for k in range(1, 20)
    )
    syllables = np.clip(np.sin(2 * np.pi * rng.uniform(3, 5) * time) + 0.4, 0, 1)
    return (0.1 * voiced * syllables + rng.normal(0, 0.003, len(time))).astype(np.float32)


def record(folder: Path) -> list[Path]:
    """FLAC files, ascending by length, so that every loader batches the same neighbours."""
    rng = np.random.default_rng(1)
    paths = []
    for number, length in enumerate(np.sort(rng.uniform(SHORTEST, LONGEST, UTTERANCES))):
        paths.append(folder / f"{CORPUS}-{number:03d}.flac")
        soundfile.write(paths[-1], samples(float(length), rng), SAMPLE_RATE, subtype="PCM_16")
    return paths


def manifest(paths: list[Path], output: Path) -> float:
    """Write the labelled manifest of the recordings; their seconds."""
    rows: list[dict[str, Any]] = [
        {
            "id": path.stem,
            "corpus": CORPUS,
            "split": "train",
            "language": "zh",
            "audio": str(path),
            "duration": soundfile.info(path).duration,
            "raw_text": "打开空调",
            "text": "打开空调",
            "phones": ["d", "a3", "k", "ai1"],
        }
        for path in paths
    ]
    labelled = LABELLED.with_metadata({LABELS: phonemizer(load("config/default.yaml").text).hash})
    write_parquet(output, table(rows, labelled))
    return float(sum(row["duration"] for row in rows))


def run(folder: Path) -> Config:
    """Settings of a run whose one corpus the recordings are."""
    corpus = FolderCorpus(name=CORPUS, reader="folder", path=folder)
    settings = load("config/default.yaml")
    untested = settings.evaluation.model_copy(update={"tests": []})
    return settings.model_copy(update={"results": folder, "corpora": [corpus], "evaluation": untested})


def part(config: Config) -> Part:
    paths = RunPaths(config.folder)
    return Part(CORPUS, 0, paths.manifest(CORPUS), paths.shards(CORPUS), Inventory.load(), 20.0)


def build(config: Config) -> dict[str, Any]:
    """Shards of the recordings, made anew, and the dataset over them."""
    done = build_shards(part(config))
    collect(config)
    return done
