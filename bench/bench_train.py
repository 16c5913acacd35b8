"""Models and training against their peers: `make bench-train`, or `python bench/bench_train.py`.

Writes results/bench/train.json. One process, one thread, theirs and ours in turn; medians of processor time. What
both sides give is compared before anything is timed.
"""

import os
from pathlib import Path
from typing import Any

import augmentation
import checkpoint
import decoding
import encoders
import packing
import padding
import synchronisations
import torch

from earmark.io import write_json

OUTPUT = Path("results/bench/train.json")
PARTS = (
    encoders.speed,
    encoders.memory,
    decoding.rows,
    packing.rows,
    padding.rows,
    checkpoint.rows,
    augmentation.rows,
    synchronisations.rows,
)


def main() -> None:
    """Write results/bench/train.json."""
    torch.set_num_threads(1)
    assert os.environ.get("OMP_NUM_THREADS") == "1", "set OMP_NUM_THREADS=1: one thread each"
    found: list[dict[str, Any]] = []
    for measured in PARTS:
        for row in measured():
            found.append(row | {"command": "make bench-train"})
            against = f"{row['peer']:>10,}  {row['ratio']:>7} x" if row["ratio"] else " " * 21
            named = ", ".join([row["what"], *(str(row[key]) for key in ("frames", "frames_per_batch") if key in row)])
            print(f"{named:70} {row['ours']:>12,} {against}  {row['unit']}", flush=True)
    write_json(OUTPUT, found)


if __name__ == "__main__":
    main()
