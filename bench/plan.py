"""The batch plan of 50 million utterances, in a process of its own whose memory is then the plan's.

Lengths lie in a file, as they do in the index; the file's pages that were touched count as memory here.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from measured import peak_memory, row

from earmark.data.batches import BatchPlan, Strand

ROWS = 50_000_000
BUDGET = 20_000
"""Frames (section A.2)."""
RANKS = 8
STEP = 1_000_000


def write_lengths(path: Path) -> None:
    """Lengths of 0.5 to 30 s about a median of 6 s, ascending, int32."""
    lengths = np.arange(50, 3001)
    share = np.exp(-0.5 * (np.log(lengths / 600) / 0.6) ** 2) / lengths
    counts = np.random.default_rng(1).multinomial(ROWS, share / share.sum())
    with path.open("wb") as file:
        for length, count in zip(lengths, counts, strict=True):
            file.write(np.full(count, length, dtype=np.int32).tobytes())


def measure(path: Path) -> dict[str, float]:
    """Of this process: seconds of an epoch, milliseconds of a far step, memory, padding; then all of it is checked."""
    frames = np.memmap(path, dtype=np.int32, mode="r")
    started = time.perf_counter()
    plan = BatchPlan([Strand(frames)], BUDGET, seed=1, group=RANKS)
    drawn = sum(len(part.rows) for part in plan.epoch(0))
    epoch = time.perf_counter() - started
    memory = peak_memory()
    times = []
    for rank in range(RANKS):
        started = time.perf_counter()
        BatchPlan([Strand(frames)], BUDGET, seed=1, group=RANKS).rows(STEP * RANKS + rank)
        times.append(1000 * (time.perf_counter() - started))
    assert drawn == ROWS
    return {"epoch": epoch, "memory": memory, "step": max(times), "padding": 100 * _checked(plan, frames)}


def _checked(plan: BatchPlan, frames: np.ndarray) -> float:
    """Padding of an epoch that has every utterance once and no batch above its budget."""
    seen, real, padded = np.zeros(len(frames), dtype=bool), 0, 0
    for part in plan.epoch(1):
        lengths = frames[part.rows]
        whole = np.maximum.reduceat(lengths, part.bounds[:-1]) * np.diff(part.bounds)
        assert whole.max() <= BUDGET
        assert not seen[part.rows].any()
        seen[part.rows] = True
        real, padded = real + int(lengths.sum()), padded + int(whole.sum())
    assert seen.all()
    return 1 - real / padded


def rows() -> list[dict[str, Any]]:
    """Measured in a child, so that nothing else counts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames"
        write_lengths(path)
        command = [sys.executable, __file__, str(path)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    name = f"batch plan, {ROWS // 1_000_000} million utterances"
    return [
        row(f"{name}: an epoch", "s", round(found["epoch"], 1), limit=15),
        row(f"{name}: peak memory", "GB", round(found["memory"], 3), limit=0.3),
        row(f"{name}: padding", "%", round(found["padding"], 4), limit=0.5),
        row(
            f"{name}: batch of step {STEP:,} from nothing, slowest of {RANKS} ranks",
            "ms",
            round(found["step"], 1),
            limit=100,
        ),
    ]


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
