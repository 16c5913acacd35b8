"""Several finished runs side by side: errors, hallucinations, entropy metrics and updates, a row a run."""

from pathlib import Path
from statistics import mean, stdev
from typing import Any

from earmark.config import TRAINS, Config, dump, parse
from earmark.config.variants import SETTINGS
from earmark.errors import UserError
from earmark.io import read_json, write_text
from earmark.report.drawing import ACCENT, RULE, Drawing, canvas, label
from earmark.report.page import data_uri
from earmark.report.results import Results, system_of
from earmark.report.summary import headline

METRICS = ("nse", "pai", "csai")
_OWN = {"run", "results", "seed"}
"""Settings that runs of one configuration may have for themselves."""
TEMPLATE = "compare.html"

Row = dict[str, Any]


def read_run(folder: Path) -> Results:
    """A finished run by its folder, wherever that lies now.

    :raises UserError: the folder holds no finished run.
    """
    if not (folder / SETTINGS).is_file():
        missing = folder / SETTINGS
        raise UserError(f"{folder} is no finished run ({missing} does not exist): name folders such as results/default")
    config = parse(read_json(folder / SETTINGS), str(folder / SETTINGS))
    folder = folder.resolve()
    return Results(config.model_copy(update={"results": folder.parent, "run": folder.name}))


def compare(folders: list[Path]) -> list[Row]:
    """A row a run, in their order; all have the same keys, and None where a run has no such value.

    Rates are fractions: `name` and its interval by evaluation.summary, `hallucination NAME` of each test set by the
    system that stands for it. NSE, PAI and CSAI are of the encoder after the last stage; updates are all stages'.
    """
    rows = [_row(read_run(folder)) for folder in folders]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return [{key: row.get(key) for key in keys} for row in rows]


def spread(folders: list[Path]) -> list[Row]:
    """Mean, standard deviation (of a sample), lowest and highest rate of runs that differ in their seed alone.

    A row a name of evaluation.summary; a rate that no run has is left out.

    :raises UserError: there are fewer than two runs, or they differ in more than their seed.
    """
    runs = [read_run(folder) for folder in folders]
    if len(runs) < 2:
        raise UserError("a spread takes two runs or more: name the folders of runs with several seeds")
    for one in runs[1:]:
        if other := _differs(runs[0].config, one.config):
            raise UserError(
                f"{runs[0].config.folder} and {one.config.folder} differ in {other}, not in their seed alone: name "
                "runs of one configuration"
            )
    scores = [(name, score["rate"]) for results in runs for name, score in headline(results).items() if score]
    by_name = {name: [rate for other, rate in scores if other == name] for name, _ in scores}
    return [
        {"rate": name, "mean": mean(of), "deviation": stdev(of), "lowest": min(of), "highest": max(of), "runs": len(of)}
        for name, of in by_name.items()
    ]


def _differs(one: Config, other: Config) -> str | None:
    """First key in which two configurations differ, but for run, folder and seed."""
    values, others = dump(one), dump(other)
    return next((key for key in values if key not in _OWN and values[key] != others[key]), None)


def _row(results: Results) -> Row:
    config, last = results.config, results.entropy[-1]
    chosen = headline(results).items()
    rates = {name: (score["rate"], score["low"], score["high"]) if score else None for name, score in chosen}
    spoken = sum(sum(results.records(instance, ["audio_seconds"])["audio_seconds"]) for instance in results.stages)
    return {
        "run": config.run,
        "pretraining": f"{TRAINS[config.stages.pretrain.loss][0]}, {config.text.targets}",
        "post-training": ", ".join(label(one.instance) for one in results.plan),
        "seed": config.seed,
        "updates": config.stages.pretrain.steps + sum(one.steps for one in results.plan),
        "of post-training": sum(one.steps for one in results.plan),
        "hours trained on": spoken / 3600,
        **rates,
        **{f"hallucination {name}": rate for name, rate in _hallucinations(results).items()},
        **{key: last[key] for key in METRICS},
        "PCA, ridge": f"{last['pca_dim']}, {last['ridge']:g}",
    }


def _hallucinations(results: Results) -> dict[str, float]:
    """Hallucination rate of each test set."""
    rates: dict[str, float] = {}
    for test in results.config.evaluation.tests:
        rows = [score for score in results.scores if score["test"] == test.name]
        chosen = system_of([row["system"] for row in rows], test.measure)
        rates[test.name] = next(row["hallucination_rate"] for row in rows if row["system"] == chosen)
    return rates


def cells(rows: list[Row]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names of the columns and plain values for a table, CSV or JSON: an interval has columns of its own."""
    names: list[str] = []
    spread: list[dict[str, Any]] = []
    intervals = {key for row in rows for key, value in row.items() if isinstance(value, tuple)}
    for row in rows:
        plain: dict[str, Any] = {}
        for key, value in row.items():
            if key in intervals:
                parts = value if isinstance(value, tuple) else (None, None, None)
                plain |= dict(zip((key, f"{key} low", f"{key} high"), parts, strict=True))
            else:
                plain[key] = value
        spread.append(plain)
        names = list(plain)
    return names, [tuple(plain[name] for name in names) for plain in spread]


def write_comparison(rows: list[Row], output: Path) -> None:
    """Write the comparison as one self-contained page."""
    import jinja2

    loader = jinja2.PackageLoader("earmark", "report")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["data_uri"] = data_uri
    shown = [{key: _shown(key, value) for key, value in row.items()} for row in rows]
    write_text(output, environment.get_template(TEMPLATE).render(rows=shown, figure=rates(rows), same=_same(rows)))


def _shown(key: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        rate, *ends = (f"{100 * one:.1f}" for one in value if one is not None)
        return f"{rate} ({ends[0]}\N{EN DASH}{ends[1]})" if ends else rate
    if key.startswith("hallucination"):
        return f"{100 * value:.2f}"
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _same(rows: list[Row]) -> bool:
    """Whether all runs had equally many updates."""
    return len({row["updates"] for row in rows}) == 1


def rates(rows: list[Row]) -> Drawing:
    """Error rates with their intervals, a panel a measure, a line a run."""
    names = [key for key in rows[0] if any(isinstance(row[key], tuple) for row in rows)]
    with canvas(0.9 + 0.28 * len(rows)) as (figure, buffer):
        panels = figure.subplots(1, max(1, len(names)), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, names, strict=False):
            for place, row in enumerate(rows):
                if row[name] is not None:
                    rate, *ends = (100 * one for one in row[name] if one is not None)  # a mean of sets has no ends
                    axes.plot(ends, [place] * len(ends), color=RULE, lw=3, solid_capstyle="butt")
                    axes.plot(rate, place, "o", color=ACCENT, ms=5)
            axes.set(title=name, xlabel="%")
            axes.set_xlim(left=0)
        panels[0].set_yticks(range(len(rows)), [row["run"] for row in rows])
        panels[0].invert_yaxis()
    runs = ", ".join(row["run"] for row in rows)
    return Drawing(
        "rates",
        buffer.getvalue(),
        f"Error rates of {runs}: {', '.join(names)}.",
        "Error rates (dots) with 95 % intervals over utterances (bars); what another seed would change is not in them.",
    )
