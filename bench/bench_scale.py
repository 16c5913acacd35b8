"""560,000 hours by simulation: `python bench/bench_scale.py`. Writes results/bench/scale.json.

An index of 300 million utterances, without audio, is made by DuckDB, asked, and planned; and the workflow's data target
is planned for the corpora of config/corpora.tsv. Each step runs in a process of its own, so that its peak memory is its
own. The indexes have what the catalogue's question and the plan read; lengths are 0.5 to 30 s with the mean that the
hours ask for, in no order within a corpus. Needs some GB for temporary files (TMPDIR), which go at the end.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from measured import peak_memory, row

from earmark.corpora.tables import corpora
from earmark.data.batches import BatchPlan, Strand, rates
from earmark.data.catalog import query
from earmark.io import write_json

REPOSITORY = Path(__file__).resolve().parents[1]
OUTPUT = Path("results/bench/scale.json")
UTTERANCES, HOURS = 300_000_000, 560_000
ROWS_A_FILE = 4_000_000
BUDGET = 20_000
"""Frames of a batch (section A.2)."""
RANKS, STEP = 8, 1_000_000
POWERS = (1.0, 0.5)
"""Exponents of a corpus's hours: every utterance once an epoch, or small corpora weighted up."""
QUESTION = (
    "SELECT corpus, language, count(*) AS utterances, sum(duration) / 3600 AS hours FROM shard_index GROUP BY ALL"
)
SHORTEST, LONGEST = 50, 3000
"""Frames."""


def make(folder: Path) -> dict[str, Any]:
    """Indexes of shards below `folder`, where a run has them."""
    import duckdb

    # For even u, shortest + (longest - shortest) u^k has the mean shortest + (longest - shortest) / (k + 1).
    k = (LONGEST - SHORTEST) / (HOURS * 360_000 / UTTERANCES - SHORTEST) - 1
    listed, made = corpora(), 0
    total = sum(one.hours for one in listed)
    with contextlib.closing(duckdb.connect(config={"memory_limit": "2GB"})) as connection:
        for corpus in listed:
            count = round(UTTERANCES * corpus.hours / total)
            made += count
            for part, start in enumerate(range(0, count, ROWS_A_FILE)):
                path = folder / f"shards/{corpus.name}/part_{part:04d}/{corpus.name}-{part:04d}-0000.parquet"
                path.parent.mkdir(parents=True)
                languages = ", ".join(f"'{language}'" for language in corpus.languages)
                connection.execute(
                    f"""COPY (
                        SELECT '{corpus.name}-' || number AS id, '{corpus.name}' AS corpus, 'train' AS split,
                            [{languages}][1 + number % {len(corpus.languages)}] AS language, '{path.stem}' AS shard,
                            (number - {start})::INT AS row, frames, frames / 100.0::DOUBLE AS duration
                        FROM (SELECT range AS number, ({SHORTEST} + {LONGEST - SHORTEST}
                            * pow((hash(range) % 1000000) / 1e6, {k}))::INT AS frames
                            FROM range({start}, {min(count, start + ROWS_A_FILE)}))
                    ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"""
                )
    size = sum(path.stat().st_size for path in folder.glob("shards/*/*/*.parquet"))
    return {"utterances": made, "bytes": size}


def ask(folder: Path) -> dict[str, Any]:
    """Hours by corpus and language, through the catalogue's views."""
    answer = json.loads(query(folder, QUESTION, "json"))
    return {"groups": len(answer)} | {key: sum(one[key] for one in answer) for key in ("utterances", "hours")}


def index(folder: Path) -> dict[str, Any]:
    """Lengths ascending by corpus, as `shards/index.arrow` has them, and hours, as dataset.json has them."""
    counted = query(folder, "SELECT corpus, frames, count(*) AS n FROM shard_index GROUP BY ALL ORDER BY ALL", "json")
    strands: dict[str, dict[str, float]] = {}
    at = 0
    with (folder / "frames").open("wb") as file:
        for one in json.loads(counted):
            file.write(np.full(one["n"], one["frames"], dtype=np.int32).tobytes())
            strand = strands.setdefault(one["corpus"], {"start": at, "hours": 0.0})
            at += one["n"]
            strand["end"] = at
            strand["hours"] += one["n"] * one["frames"] / 360_000
    write_json(folder / "strands.json", list(strands.values()))
    return {"utterances": at}


def step(folder: Path) -> dict[str, Any]:
    """Batches of a far step on every rank, each from nothing; seconds of the slowest."""
    listed, times = json.loads((folder / "strands.json").read_text()), []
    for power in POWERS:
        for rank in range(RANKS):
            started = time.perf_counter()
            frames = np.memmap(folder / "frames", dtype=np.int32, mode="r")
            shares = rates([one["hours"] for one in listed], [None] * len(listed), power)
            strands = [
                Strand(frames[one["start"] : one["end"]], one["start"], share)
                for one, share in zip(listed, shares, strict=True)
            ]
            rows = BatchPlan(strands, BUDGET, seed=1, group=RANKS).rows(STEP * RANKS + rank)
            times.append(time.perf_counter() - started)
            assert 0 < int(frames[rows].max()) * len(rows) <= BUDGET
    return {"slowest": max(times)}


STEPS: dict[str, Callable[[Path], dict[str, Any]]] = {"make": make, "ask": ask, "index": index, "step": step}


def alone(name: str, folder: Path) -> dict[str, Any]:
    """What a step found, in a process of its own, with its seconds and its peak memory in GB."""
    done = subprocess.run([sys.executable, __file__, name, str(folder)], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    print(name, found, flush=True)
    return found


def dry_run(folder: Path) -> dict[str, Any]:
    """The data target's jobs, planned for the corpora of the table as one would have them."""
    settings = yaml.safe_load((REPOSITORY / "config/default.yaml").read_text(encoding="utf-8"))
    settings["corpora"] = [
        {"name": one.name, "reader": "folder", "path": one.name, "parts": one.parts} for one in corpora()
    ]
    (folder / "large.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "data", "--dry-run", "--quiet", "rules", "--nolock"]
    command += ["--snakefile", str(REPOSITORY / "Snakefile")]
    command += ["--workflow-profile", str(REPOSITORY / "profiles/default"), "--config", "settings=large.yaml"]
    found, started = {"memory": 0.0}, time.perf_counter()
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with (folder / "said").open("w") as said, subprocess.Popen(
        command, cwd=folder, stdout=said, stderr=subprocess.STDOUT, env=environment
    ) as process:  # fmt: skip
        while process.poll() is None:
            with contextlib.suppress(OSError, ValueError):  # it ended meanwhile
                found["memory"] = max(found["memory"], peak_memory(process.pid))
            time.sleep(0.05)
    assert process.returncode == 0, (folder / "said").read_text()[-2000:]
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", (folder / "said").read_text(), re.MULTILINE))
    return found | {"seconds": time.perf_counter() - started, "jobs": int(jobs["total"])}


def rows() -> list[dict[str, Any]]:
    """All figures with their bounds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        planned = dry_run(folder)
        made, asked, indexed, drawn = (alone(one, folder) for one in STEPS)
    assert asked["utterances"] == made["utterances"] == indexed["utterances"]
    assert abs(asked["hours"] / HOURS - 1) < 0.01
    memory = max(asked["memory"], indexed["memory"], drawn["memory"])
    what = f"{made['utterances']:,} utterances, {asked['hours']:,.0f} h"
    found = [
        (f"{what}: index made by DuckDB", "s", made["seconds"], None),
        (f"{what}: hours by corpus and language ({asked['groups']} groups)", "s", asked["seconds"], 10),
        (f"{what}: lengths sorted by corpus", "s", indexed["seconds"], None),
        (f"{what}: batch of step {STEP:,} from nothing, slowest of {RANKS} ranks", "s", drawn["slowest"], 1),
        (f"{what}: peak memory, largest of the steps", "GB", memory, 4),
        (f"{what}: indexes on disk", "GB", made["bytes"] / 1e9, None),
        (f"dry run of the data target, {planned['jobs']} jobs", "s", planned["seconds"], 30),
        (f"dry run of the data target, {planned['jobs']} jobs: peak memory", "GB", planned["memory"], 0.5),
    ]
    command = "python bench/bench_scale.py"
    return [row(name, unit, round(value, 3), limit=limit) | {"command": command} for name, unit, value, limit in found]


def main() -> None:
    """Write results/bench/scale.json, or run the step that is named."""
    if len(sys.argv) > 1:
        started = time.perf_counter()
        found = STEPS[sys.argv[1]](Path(sys.argv[2]))
        print(json.dumps(found | {"seconds": time.perf_counter() - started, "memory": peak_memory()}))
        return
    found = rows()
    for one in found:
        print(f"{one['what']:100} {one['ours']:>9,} {one['unit']:3} {one['limit'] or '':>4}", flush=True)
    write_json(OUTPUT, found)


if __name__ == "__main__":
    main()
