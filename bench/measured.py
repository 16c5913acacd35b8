"""What the comparisons share: interleaved rounds, medians, and one form of a row."""

import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 5


def seconds(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    call()
    return clock() - started


def compared(
    what: str,
    unit: str,
    amount: float,
    peer: Callable[[], object],
    ours: Callable[[], object],
    rounds: int = ROUNDS,
    repeats: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """A row: `amount` a second of each, and the median of the ratios of neighbours.

    Both are called once before. Ours is called `repeats` times a round, where one call is too short to be timed.
    Where one thread computes and waits for nothing, `time.process_time` is the clock that other work disturbs least.
    """
    peer(), ours()
    pairs = [  # theirs, ours, theirs, ours, ...
        (seconds(peer, clock), seconds(lambda: [ours() for _ in range(repeats)], clock) / repeats)
        for _ in range(rounds)
    ]
    return row(
        what,
        unit,
        ours=round(amount / statistics.median(mine for _, mine in pairs), 1),
        peer=round(amount / statistics.median(theirs for theirs, _ in pairs), 1),
        ratio=round(statistics.median(theirs / mine for theirs, mine in pairs), 2),
    )


def peak_memory(pid: int | str = "self") -> float:
    """GB that a process has held at most: its own (getrusage's begins with that of the process which forked it)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    if not found:
        raise ValueError(f"process {pid} has ended")
    return int(found[1]) * 1024 / 1e9


def row(
    what: str, unit: str, ours: float, peer: float | None = None, ratio: float | None = None, **more: Any
) -> dict[str, Any]:
    """A row of results/bench/data.json; without a peer there is a number of ours alone."""
    return {"what": what, "peer": peer, "ours": ours, "ratio": ratio, "unit": unit, "command": "make bench-data"} | more
