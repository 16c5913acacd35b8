"""560,000 hours by simulation: `python bench/bench_scale.py`. Writes results/bench/scale.json.

An index of 300 million utterances, without audio, is made by DuckDB, asked, collected to a dataset with its
duplicates and what test sets have heard, and planned; and the workflow's data target is planned for the corpora of
config/corpora.tsv. `UTTERANCES` in the environment sets another number. Each step runs in a process of its own, so
that its peak memory is its own. The indexes have what the catalogue's question, collecting and the plan read; lengths
are 0.5 to 30 s with the mean that the hours ask for, in no order within a corpus. Needs some GB for temporary files
(TMPDIR), which go at the end.
"""

import collections
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from measured import peak_memory, row

from earmark.config import parse
from earmark.corpora.tables import corpora
from earmark.data.batches import BatchPlan, Strand, rates
from earmark.data.catalog import query
from earmark.data.collect import DISK_A_ROW, collect
from earmark.io import write_json
from earmark.text.inventory import Inventory
from earmark.text.phonemes import Phonemizer

REPOSITORY = Path(__file__).resolve().parents[1]
INVENTORY = Inventory.load()
OUTPUT = Path("results/bench/scale.json")
UTTERANCES = int(os.environ.get("UTTERANCES", "300_000_000"))
HOURS = UTTERANCES * 560_000 / 300_000_000
TESTED = 5_000
"""Utterances at the beginning of each corpus that are its test set."""
COPIED, REPEATED, HEARD = 1_000, 100_000, 10_000
"""One training row in so many has the audio of another, one the id of another, one the audio of a test set."""
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
                        SELECT '{corpus.name}-' || CASE WHEN number % {REPEATED} = 7 THEN number - 1 ELSE number END
                                AS id, '{corpus.name}' AS corpus,
                            CASE WHEN number < {TESTED} THEN 'test_{corpus.name}' ELSE 'train' END AS split,
                            'speaker-' || number // 3000 AS speaker,
                            hash('{corpus.name}', CASE WHEN number < {TESTED} THEN number
                                WHEN number % {COPIED} = 3 THEN number - 1
                                WHEN number % {HEARD} = 5 THEN number % {TESTED} ELSE number END) AS audio_hash,
                            [{languages}][1 + number % {len(corpus.languages)}] AS language,
                            '{path.stem}.arrow' AS shard, (number - {start})::INT AS row, frames,
                            frames / 100.0::DOUBLE AS duration
                        FROM (SELECT range AS number, ({SHORTEST} + {LONGEST - SHORTEST}
                            * pow((hash(range) % 1000000) / 1e6, {k}))::INT AS frames
                            FROM range({start}, {min(count, start + ROWS_A_FILE)}))
                    ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"""
                )
                write_part(path.parent, path.stem, corpus.name, part, min(ROWS_A_FILE, count - start))
    size = sum(path.stat().st_size for path in folder.glob("shards/*/*/*.parquet"))
    return {"utterances": made, "bytes": size}


def write_part(folder: Path, shard: str, corpus: str, part: int, rows: int) -> None:
    """done.json of a part of one shard."""
    moments = {"frames": 1, "total": [0.0] * 80, "squares": [1.0] * 80}
    moments |= {"utterances": 1, "level": 0.0, "level_squares": 1.0}
    done = {"corpus": corpus, "part": part, "inventory": INVENTORY.hash, "labels": Phonemizer().hash, "rows": rows}
    done |= {"rows_in": rows, "kept": rows, "set_aside": 0, "reasons": {}, "moments": moments}
    done |= {"shards": [{"shard": f"{shard}.arrow", "rows": rows, "seconds": 1.0, "sha256": "0" * 64}]}
    write_json(folder / "done.json", done | {"manifest": "", "manifest_sha256": "0" * 64})


def settings(folder: Path) -> dict[str, Any]:
    """The default run's settings with the corpora of the table, parts as they were made, below `folder`."""
    values: dict[str, Any] = yaml.safe_load((REPOSITORY / "config/default.yaml").read_text(encoding="utf-8"))
    parts = {path.name: len(list(path.glob("part_*"))) for path in folder.glob("shards/*") if path.is_dir()}
    values["corpora"] = [
        {"name": one.name, "reader": "folder", "path": one.name, "parts": parts[one.name]} for one in corpora()
    ]
    values["evaluation"] |= {"tests": [], "summary": {}}
    return values | {"run": folder.name, "results": str(folder.parent)}


def collected(folder: Path) -> dict[str, Any]:
    """`earmark dataset` over all of it; rows by what became of them, and the most disk that was in use."""
    spent = [0]
    with watched_disk(folder / "shards", spent):
        found = collect(parse(settings(folder)))
    reasons: collections.Counter[str] = collections.Counter()
    for account in found["corpora"].values():
        reasons.update(account["set_aside"])
    rows = sum(one["rows"] for one in found["corpora"].values())
    return {"rows": rows, "reasons": dict(reasons), "disk": spent[0] / 1e9}


@contextlib.contextmanager
def watched_disk(folder: Path, spent: list[int]) -> Iterator[None]:
    """Set `spent` to the most bytes beyond those at the beginning, seen every second."""
    ended, began = threading.Event(), bytes_in(folder)

    def watch() -> None:
        while not ended.wait(1):
            spent[0] = max(spent[0], bytes_in(folder) - began)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def bytes_in(folder: Path) -> int:
    """Of files that may come and go, as the disk has them."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_blocks * 512
    return total


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


STEPS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "make": make,
    "ask": ask,
    "collect": collected,
    "index": index,
    "step": step,
}


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
        made, asked, gathered, indexed, drawn = (alone(one, folder) for one in STEPS)
    assert asked["utterances"] == made["utterances"] == gathered["rows"] == indexed["utterances"]
    assert len(gathered["reasons"]) == 4, gathered  # each rule finds something
    assert abs(asked["hours"] / HOURS - 1) < 0.01
    memory = max(asked["memory"], indexed["memory"], drawn["memory"])
    what = f"{made['utterances']:,} utterances, {asked['hours']:,.0f} h"
    found = [
        (f"{what}: index made by DuckDB", "s", made["seconds"], None),
        (f"{what}: hours by corpus and language ({asked['groups']} groups)", "s", asked["seconds"], 10),
        (f"{what}: collected, with duplicates and overlap", "s", gathered["seconds"], 3600),
        (f"{what}: collected, peak memory", "GB", gathered["memory"], 8),
        (f"{what}: collected, most disk for a time", "GB", gathered["disk"], DISK_A_ROW * made["utterances"] / 1e9),
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
