"""Evaluation, the report, and what people ask of finished runs."""

from pathlib import Path

import click

from earmark.cli.base import FILE, cli, config_argument
from earmark.config import load
from earmark.errors import UserError


@cli.command()
@config_argument
@click.argument("done", type=FILE)
@click.argument("pretrained", type=FILE)
def evaluate(config: Path, run: str | None, done: Path, pretrained: Path) -> None:
    """Decode and score all test sets with the model of DONE and the CTC head of PRETRAINED."""
    from earmark.evaluate.run import evaluate as run_evaluation
    from earmark.plan.devices import claim

    claim(1)
    settings = load(config, run)
    run_evaluation(settings, done, pretrained, settings.paths.evaluation)


@cli.command()
@config_argument
def report(config: Path, run: str | None) -> None:
    """Write the catalogue, the page about a run and its numbers."""
    from earmark.data.catalog import write_catalog, write_settings
    from earmark.report.page import write_page
    from earmark.report.summary import write_summary

    settings = load(config, run)
    write_settings(settings, settings.folder)
    write_catalog(settings, settings.folder / "catalog.duckdb")
    write_summary(settings, settings.folder / "summary.json")
    write_page(settings, settings.folder / "report.html", config)


@cli.command()
@click.option("--root", type=FILE, help="Folder of the corpora, ROOT/NAME: print the settings of those that are there.")
def corpora(root: Path | None) -> None:
    """List the corpora of the paper, or write the settings of those that lie in ROOT as YAML."""
    from earmark.corpora import tables

    listed = tables.corpora()
    click.echo(tables.table(listed) if root is None else tables.settings(root, listed, tables.benchmarks()).rstrip())


@cli.command()
@click.argument("sql")
@click.option("--catalog", type=FILE, help="Catalogue, or a run's folder; default: the only run's in results/.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
def query(sql: str, catalog: Path | None, form: str) -> None:
    """Ask the catalogue of a run, such as "SELECT * FROM scores"."""
    from earmark.data import catalog as catalogue

    if catalog is None:
        run = catalogue.only_run()
        catalog = run / catalogue.FILE if (run / catalogue.FILE).is_file() else run
    click.echo(catalogue.query(catalog, sql, form))


@cli.command()
@click.argument("runs", nargs=-1, required=True, type=FILE)
@click.option("--output", type=FILE, help="Write a page with table and figure, too.")
@click.option("--spread", "spread_only", is_flag=True, help="Of runs that differ in their seed: mean and deviation.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
def compare(runs: tuple[Path, ...], output: Path | None, spread_only: bool, form: str) -> None:
    """Compare finished runs (their folders): errors, hallucinations, entropy metrics, updates."""
    from earmark.data.catalog import formatted
    from earmark.report.compare import cells, spread, write_comparison
    from earmark.report.compare import compare as rows_of

    if spread_only:
        click.echo(formatted(*cells(spread(list(runs))), form))
        return
    rows = rows_of(list(runs))
    if output:
        write_comparison(rows, output)
    click.echo(formatted(*cells(rows), form))


@cli.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--run-folder", type=FILE, help="Folder of a finished run; default: the only one in results/.")
@click.option("--config", type=FILE, help="Configuration of a run whose folder holds no settings.json.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a file, with times.")
def transcribe(files: tuple[Path, ...], run_folder: Path | None, config: Path | None, as_json: bool) -> None:
    """Transcribe audio files with a finished run: the text, or FILE<TAB>text a line for several files."""
    import json

    from earmark.data.catalog import only_run
    from earmark.decode.transcribe import Run, Transcription
    from earmark.decode.transcribe import transcribe as transcriptions

    folder = run_folder or (load(config).folder if config else only_run())
    errors = []
    for one in transcriptions(Run(folder, config), list(files)):
        if not isinstance(one, Transcription):
            errors.append(str(one))
            continue
        if one.gain_db:
            click.echo(_of_level(one.file, one.gain_db), err=True)
        if as_json:
            click.echo(json.dumps(one.as_json(), ensure_ascii=False))
        else:
            click.echo(one.text if len(files) == 1 else f"{one.file}\t{one.text}")
    if errors:
        raise UserError("; ".join(errors))


def _of_level(file: str, gain: float) -> str:
    """What was done to a recording that is far from training's level, in a line."""
    how = "quieter" if gain > 0 else "louder"
    return f"{file}: {how} than what the run was trained on, brought to its level by {gain:+.0f} dB"


@cli.command()
@click.argument("run_folder", type=FILE)
@click.argument("output", type=FILE)
@click.option("--config", type=FILE, help="Configuration of a run whose folder holds no settings.json.")
def export(run_folder: Path, output: Path, config: Path | None) -> None:
    """Write a finished run as the folder OUTPUT for transformers; in its ctc/ the CTC head, for ONNX as well."""
    from earmark.decode.transcribe import Run
    from earmark.export.folder import CTC
    from earmark.export.folder import export as write

    done = write(Run(run_folder, config), output)
    click.echo(f"{output}: speech LLM, {done.parameters:,} parameters")
    if done.ctc_parameters is None:
        click.echo("the run has no CTC head: no ctc/ was written")
    else:
        click.echo(
            f"{output / CTC}: encoder and CTC head, {done.ctc_parameters:,} parameters; "
            f"model.onnx differs from torch by {done.difference:.1e} at most"
        )
