"""Where a run's results came from: the command of every job, hashes, machine and commit."""

import os
import platform
import subprocess
from pathlib import Path

from earmark.report.drawing import label
from earmark.report.results import Results, Segment, kind_of


def commands(results: Results, source: Path) -> list[tuple[str, list[str]]]:
    """(stage, its commands), in the order of the data's flow.

    They are the workflow's, but that all parts of a corpus are one command here.

    :param source: the configuration's file.
    """
    config = f"{source} --run {results.config.run}"
    ends = " ".join(
        str(results.stages[name][-1].folder / "done.json") for name in (results.plan[-1].instance, "pretrain")
    )
    data = [*_data(results, config), ("language model", [f"earmark language {config}"])]
    shares = results.config.shares
    return [
        *([] if shares.data else data),
        *_training(results, config),
        *([] if shares.pretraining else [("CKA watch", _watch(results, config))]),
        ("entropy metrics", _diagnosis(results, config)),
        ("evaluation and report", [f"earmark evaluate {config} {ends}", f"earmark report {config}"]),
    ]


def _data(results: Results, config: str) -> list[tuple[str, list[str]]]:
    names = [corpus.name for corpus in results.config.corpora]
    read = [f"earmark {verb} {config} {name}" for name in names for verb in ("corpus", "label")]
    shards = [f"earmark shards {config} {name} --workers 2" for name in names]
    return [("corpora and text", read), ("shards", [*shards, f"earmark dataset {config}"])]


def _training(results: Results, config: str) -> list[tuple[str, list[str]]]:
    found = []
    before: Segment | None = None
    for instance, parts in results.stages.items():
        lines = []
        for part in parts:
            lines.append(f"earmark train {config} {instance} {part.step:07d}{_flags(results, part, before)}")
            before = part
        if instance in results.own_stages:
            found.append((label(instance), lines))
    return found


def _flags(results: Results, part: Segment, before: Segment | None) -> str:
    """Options of a segment: what it goes on from, and the encoder that is swapped in."""
    text = ""
    if before and (part.start or kind_of(part.instance) in ("ia_sft", "joint")):
        text += f" --before {before.folder / 'done.json'}"
    if part.start == 0 and part.encoder_step is not None:
        text += f" --encoder {_done(results, 'pretrain', part.encoder_step)}"
    planned = next((one for one in results.plan if one.instance == part.instance), None)
    if planned:
        text += " --last-phase" * planned.last_phase
        own = results.config.stage_steps(planned.kind, planned.last_phase)
        text += f" --steps {planned.steps}" * (planned.steps != own)
    return text


def _watch(results: Results, config: str) -> list[str]:
    lines, option = [], ""
    for one in results.trace:
        step, reference = one["step"], one["compared_with"]
        snapshots = f"{_done(results, 'pretrain', step)} {_done(results, 'pretrain', reference)}"
        score, decision = results.paths.score(step, reference), results.paths.decision(step)
        lines.append(f"earmark cka {config} {snapshots} {score}")
        lines.append(f"earmark decide {config} {score} {decision}{option}")
        option = f" --before {decision}"
    decisions = " ".join(str(results.paths.decision(one["step"])) for one in results.trace)
    return [*lines, f"earmark trace {results.paths.trace} {decisions}"]


def _diagnosis(results: Results, config: str) -> list[str]:
    table, shared = results.paths.embeddings, results.config.shares.pretraining
    lines = [] if shared else [f"earmark embeddings {config} {table}"]
    for one in results.entropy:
        if shared and one["instance"] == "pretrain":
            continue
        done, output = (place(one["instance"], one["step"]) for place in (results.paths.step, results.paths.entropy))
        lines.append(f"earmark entropy {config} {table} {done / 'done.json'} {output}")
    return lines


def _done(results: Results, instance: str, step: int) -> Path:
    return results.paths.step(instance, step) / "done.json"


def hashes(results: Results) -> list[tuple[str, str]]:
    """(what, SHA-256) of the data and of the weights that training ended with."""
    found = []
    for name, account in results.dataset["corpora"].items():
        found += [(f"{name}: manifest of part {one['part']}", one["manifest_sha256"]) for one in account["manifests"]]
        found += [(f"{name}: {shard['shard']}", shard["sha256"]) for shard in account["shards"]]
    for instance, parts in results.stages.items():
        last = parts[-1].done
        found += [(f"{label(instance)}: {module}", last["sha256"][module]) for module in last["trained"]]
    return found


def machine() -> str:
    """The machine that the report was made on."""
    model = ""
    if Path("/proc/cpuinfo").is_file():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model or platform.machine()}), {memory:.0f} GiB memory, {platform.platform()}"


def commit() -> str:
    """Commit of the working folder, -dirty if it has changes; a word where git cannot say."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown: not a git checkout"
