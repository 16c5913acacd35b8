"""report.html: one self-contained page about a run, for people.

Everything is in the file: figures as SVG in data URIs, the style sheet inside. No script, no network.
"""

import base64
import time
from pathlib import Path
from typing import Any

import yaml

from earmark.config import TRAINS, Config, dump
from earmark.io import write_text
from earmark.report.drawing import Drawing, label
from earmark.report.figures import draw_all
from earmark.report.provenance import commands, commit, hashes, machine
from earmark.report.results import LABEL_SYSTEMS, Results, Segment, system_of
from earmark.report.summary import headline, versions
from earmark.report.timeline import duration, overlap, swaps
from earmark.report.trajectories import warnings

TEMPLATE = "page.html"
MEASURES = {
    "cer": "character error rate",
    "wer": "word error rate",
    "mer": "mixed error rate",
    "per": "phone error rate",
    "ter": "token error rate",
    "mean": "mean error rate",
}
WORST, BEST = 5, 2
"""Examples a test set."""


def write_page(config: Config, output: Path, source: Path | None = None) -> None:
    """Write the report of a finished run.

    :param source: the configuration's file as the commands on the page name it; None: config/RUN.yaml.
    :raises UserError: a file of the run is missing or damaged.
    """
    import jinja2

    results = Results(config)
    loader = jinja2.PackageLoader("earmark", "report")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"percent": percent, "duration": duration, "stage": label, "data_uri": data_uri}
    page = environment.get_template(TEMPLATE).render(content(results, source or Path("config") / f"{config.run}.yaml"))
    write_text(output, page)


def content(results: Results, source: Path) -> dict[str, Any]:
    """All that the template shows."""
    began, ended = overlap(results)
    return {
        "config": results.config,
        "figures": draw_all(results),
        "cards": cards(results),
        "wall": results.ended - results.started,
        "begun": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(results.started)),
        "overlap": ended - began,
        "swaps": swaps(results),
        "decided": results.trace[-1],
        "warnings": warnings(results),
        "joint": "joint" in results.stages,
        "objective": TRAINS[results.config.stages.pretrain.loss][0],
        "ctc_head": results.has_ctc_head,
        "entropy": results.entropy,
        "stages": [stage_row(results, name, parts) for name, parts in results.own_stages.items()],
        "language": results.language,
        "measures": MEASURES,
        "scores": score_groups(results),
        "examples": [examples(results, test.name) for test in results.config.evaluation.tests],
        "corpora": [corpus_account(results, corpus) for corpus in results.config.corpora],
        "synthetic": [corpus.name for corpus in results.config.corpora if corpus.reader == "synthetic"],
        "commands": commands(results, source),
        "source": source,
        "settings": yaml.safe_dump(dump(results.config), sort_keys=False, allow_unicode=True, width=100),
        "versions": versions(),
        "machine": machine(),
        "commit": commit(),
        "hashes": hashes(results),
        "inventory": results.dataset["inventory"],
    }


# ---------------------------------------------------------------------------- formats


def percent(fraction: float | None, digits: int = 2) -> str:
    """A fraction in per cent, without the sign; n/a where there is none."""
    return "n/a" if fraction is None else f"{100 * fraction:.{digits}f}"


def data_uri(drawing: Drawing) -> str:
    """A figure as the address of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.svg.encode()).decode()


# ---------------------------------------------------------------------------- parts of the page


def cards(results: Results) -> list[dict[str, str]]:
    """The headline numbers that the configuration asks for; empty ones of a CTC head that there is not."""
    scenarios = {test.name: test.scenario for test in results.config.evaluation.tests}
    found = []
    for name, score in headline(results).items():
        measure, _, test = results.config.evaluation.summary[name].partition(" of ")
        card = {"value": "", "what": MEASURES[measure], "where": scenarios.get(test, test), "interval": "", "key": name}
        if score:
            card |= {
                "value": percent(score["rate"]),
                "interval": f"{percent(score['low'])} to {percent(score['high'])}" if score["low"] is not None else "",
            }
        found.append(card)
    return found


def stage_row(results: Results, instance: str, parts: list[Segment]) -> dict[str, Any]:
    """One row of the table of stages."""
    columns = ["audio_seconds", "audio_seconds_per_second", "padding"]
    records = results.records(instance, columns)
    spoken = sum(records["audio_seconds"])
    busy = sum(seconds / speed for seconds, speed in zip(*(records[one] for one in columns[:2]), strict=True) if speed)
    trained = parts[-1].done["trained"]
    return {
        "instance": instance,
        "trained": trained,
        "parameters": sum(parts[-1].done["parameters"][name] for name in trained),
        "encoder": parts[0].encoder_step,
        "steps": parts[-1].step,
        "segments": len(parts),
        "began": parts[0].started - results.started,
        "seconds": sum(one.ended - one.started for one in parts),
        "hours": spoken / 3600,
        "speed": spoken / busy if busy else 0.0,
        "padding": sum(records["padding"]) / len(records["padding"]),
        "valid": parts[-1].done["valid"],
    }


def score_groups(results: Results) -> list[dict[str, Any]]:
    """Scores by test set; the row that stands for the test set is marked."""
    groups = []
    for test in results.config.evaluation.tests:
        rows = [score for score in results.scores if score["test"] == test.name]
        chosen = system_of([row["system"] for row in rows], test.measure)
        groups.append(
            {
                "test": test,
                "rows": [
                    row | {"chosen": row["system"] == chosen, "phones": row["system"] in LABEL_SYSTEMS.values()}
                    for row in rows
                ],
            }
        )
    return groups


def examples(results: Results, test: str) -> dict[str, Any]:
    """The worst and the best transcripts of a test set, by the system that stands for it."""
    settings = next(one for one in results.config.evaluation.tests if one.name == test)
    rows = [row for row in results.utterances if row["test"] == test]
    system = system_of(sorted({row["system"] for row in rows}), settings.measure)
    rows = [row for row in rows if row["system"] == system]
    ranked = sorted(rows, key=lambda row: (-_errors(row) / max(row["reference_length"], 1), -_errors(row), row["id"]))
    worst = [row for row in ranked if _errors(row)][:WORST]
    best = sorted((row for row in rows if row not in worst), key=lambda row: (_errors(row), -row["reference_length"]))[
        :BEST
    ]
    right = sum(_errors(row) == 0 for row in rows)
    return {
        "test": settings,
        "system": system,
        "right": right,
        "utterances": len(rows),
        "rows": [_example("worst", row) for row in worst] + [_example("best", row) for row in best],
    }


def _errors(row: dict[str, Any]) -> int:
    return int(row["substitutions"] + row["deletions"] + row["insertions"])


def _example(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    reference, hypothesis = differences(row["reference"].split(), row["hypothesis"].split())
    return row | {"kind": kind, "errors": _errors(row), "said": reference, "heard": hypothesis}


def differences(reference: list[str], hypothesis: list[str]) -> tuple[list[Any], list[Any]]:
    """Tokens of both as (text, kind, space before); kind is equal, substitute, delete or insert, as jiwer aligns."""
    import jiwer

    aligned = jiwer.process_words([" ".join(reference)], [" ".join(hypothesis)]).alignments[0]
    said = [(chunk.type, reference[chunk.ref_start_idx : chunk.ref_end_idx]) for chunk in aligned]
    heard = [(chunk.type, hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]) for chunk in aligned]
    return _spaced(said), _spaced(heard)


def _spaced(chunks: list[tuple[str, list[str]]]) -> list[tuple[str, str, bool]]:
    """Hanzi stand side by side, all else apart."""
    tokens = [(token, kind) for kind, part in chunks for token in part]
    before = [""] + [token for token, _ in tokens]
    return [
        (token, kind, not (_is_hanzi(old) and _is_hanzi(token)))
        for old, (token, kind) in zip(before, tokens, strict=False)
    ]


def _is_hanzi(token: str) -> bool:
    return len(token) == 1 and "\u3400" <= token <= "\u9fff"


def corpus_account(results: Results, corpus: Any) -> dict[str, Any]:
    """What became of a corpus's rows."""
    account = results.dataset["corpora"][corpus.name]
    return {
        "corpus": corpus,
        "kind": type(corpus).__doc__,
        "parts": [part for part in results.parts if part.corpus == corpus.name],
        "rows": account["rows"],
        "kept": account["kept"],
        "set_aside": account["set_aside"],
        "seconds": sum(part.seconds for part in results.parts if part.corpus == corpus.name),
    }
