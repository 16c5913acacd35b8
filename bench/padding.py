"""The share of batches that is padding: the default run's plan in each stage, and that of 50 million utterances."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import plan
from measured import row

from earmark.config import load
from earmark.data.batches import BatchPlan, Strand
from earmark.data.dataset import Dataset
from earmark.paths import RunPaths
from earmark.text.inventory import Inventory
from earmark.train.loop import corpus_rates

SETTINGS = Path("config/default.yaml")
LIMIT = 2.0
"""Percent."""


def rows() -> list[dict[str, Any]]:
    """Percent of the frames of an epoch."""
    config = load(SETTINGS)
    index = RunPaths(config.folder).dataset
    if not index.is_file():
        command = ["snakemake", "--profile", "profiles/default", "--config", f"settings={SETTINGS}", "--", "data"]
        subprocess.run(command, check=True)
    dataset = Dataset(index, Inventory.from_settings(config.text))
    strands = dataset.strands(corpus_rates(config, dataset))
    group = config.like_batches or config.processes
    found = []
    for name in ("pretrain", "align", "ia_sft", "joint"):
        budget = getattr(config.stages, name).frames_per_batch
        share = BatchPlan(strands, budget, config.seed, group).padding()
        found.append(_row(f"padding of batches, default run, {name}", share, budget))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames"
        plan.write_lengths(path)
        lengths = np.memmap(path, dtype=np.int32, mode="r")
        for budget in (20_000, 10_000, 7_000):  # pretraining, alignment, IA-SFT and joint SFT (section 3.4)
            share = BatchPlan([Strand(lengths)], budget, seed=1, group=plan.RANKS).padding()
            found.append(_row(f"padding of batches, {plan.ROWS // 1_000_000} million utterances", share, budget))
    return found


def _row(what: str, share: float, budget: int) -> dict[str, Any]:
    return row(what, "%", round(100 * share, 4), frames_per_batch=budget, limit=LIMIT)
