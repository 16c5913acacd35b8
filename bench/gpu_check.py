"""What holds on this machine's GPU, found out in eight minutes: `python bench/gpu_check.py`.

Each part is a process of its own with a limit of its own, and results/bench/gpu.json is written again after each: what
fails, hangs or runs out of memory leaves the others. A part says `ok`, its seconds, and what it saw. Parts compare with
this machine's processor, or run the sizes of config/paper.yaml with random weights. `--small --device cpu` runs the
same code at small sizes without a GPU, as the tests do. `--only NAME` runs one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("OMP_NUM_THREADS", "4")

from earmark.io import read_json, write_json

OUTPUT = Path("results/bench/gpu.json")
BUDGET = 480
"""Seconds for all parts."""
LIMITS = {
    "device": 40,
    "encoder": 60,
    "losses": 40,
    "search": 60,
    "diagnosis": 40,
    "kernels": 60,
    "pretrain": 120,
    "align": 120,
    "ia_sft": 120,
    "joint": 120,
    "evaluation": 90,
    "watch": 60,
    "processes": 90,
}
"""Parts in their order, most telling first, and seconds that each may take."""


class Setup(NamedTuple):
    """Where a part runs, and whether at small sizes."""

    device: str
    small: bool
    folder: Path
    """For traces."""


def main() -> None:
    """Run the parts one after the other, or, as `--part NAME FILE`, one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--only", action="append", choices=LIMITS)
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds for all")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--part", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    setup = Setup(given.device, given.small, given.output.parent)
    if given.part:
        import gpu_parts

        write_json(Path(given.part[1]), getattr(gpu_parts, given.part[0])(setup))
        return
    failed = check(setup, given.only or list(LIMITS), given.output, given.budget)
    sys.exit(1 if failed else 0)


def check(setup: Setup, names: list[str], output: Path, budget: float) -> list[str]:
    """Run parts within `budget` seconds; write what they found as it comes. Names of those that did not end well."""
    began, found = time.monotonic(), dict[str, Any]()
    for name in names:
        left = budget - (time.monotonic() - began)
        found[name] = (
            run(setup, name, min(LIMITS[name], left)) if left > 0 else {"ok": False, "why": "no time was left"}
        )
        write_json(output, found)
        print(name, json.dumps(found[name], ensure_ascii=False)[:300], flush=True)
    return [name for name, one in found.items() if not one["ok"]]


def run(setup: Setup, name: str, limit: float) -> dict[str, Any]:
    """One part in a process of its own."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="earmark-") as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, __file__, "--device", setup.device, "--part", name, str(result)]
        command += ["--output", str(setup.folder / "gpu.json"), *(["--small"] if setup.small else [])]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=limit)
            why = "" if done.returncode == 0 else (done.stderr.strip() or f"exit code {done.returncode}")[-1500:]
        except subprocess.TimeoutExpired:
            why = f"not within {limit:.0f} s"
        seconds = round(time.monotonic() - began, 1)
        if why:
            return {"ok": False, "seconds": seconds, "why": why}
        return {"seconds": seconds} | read_json(result)


if __name__ == "__main__":
    main()
