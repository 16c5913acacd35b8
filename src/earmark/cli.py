"""The command `earmark`: one verb a rule of the workflow, and a few for people.

A known mistake prints one line and exits with 2. Imports are inside the verbs: each pays for what it uses only.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from earmark.config import Config, load
from earmark.errors import ConfigError, UserError

FILE = click.Path(path_type=Path)


def config_argument(command: Any) -> Any:
    """CONFIG and --run, which every verb of the workflow takes."""
    command = click.option("--run", help="Another name for the run than the configuration's.")(command)
    return click.argument("config", type=FILE)(command)


def _own(config: Path, run: str | None, part: str) -> Config:
    """Settings of a run that makes `part` (data, pretraining) itself; a shared one is the other run's."""
    settings = load(config, run)
    if other := getattr(settings.shares, part):
        raise ConfigError(f"{config}: {part} is taken from run {other} (shares.{part}): make it there")
    return settings


def _refuse_shared(settings: Config, instance: str) -> None:
    if instance == "pretrain" and settings.shares.pretraining:
        raise ConfigError(
            f"pretraining is taken from run {settings.shares.pretraining} (shares.pretraining): train it there"
        )


def _corpus(config: Config, name: str) -> Any:
    for corpus in config.corpora:
        if corpus.name == name:
            return corpus
    raise ConfigError(f"corpus {name!r} is not in the configuration: it has {[one.name for one in config.corpora]}")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="earmark")
def cli() -> None:
    """Speech recognition with large language models, entropy allocated on purpose."""


# ---------------------------------------------------------------------------- data


@cli.command()
@config_argument
@click.argument("name")
def corpus(config: Path, run: str | None, name: str) -> None:
    """Read a corpus (or speak it) into its raw manifest."""
    from earmark.corpora.base import reader
    from earmark.data.manifest import write_manifest

    settings = _own(config, run, "data")
    path = settings.paths.raw_manifest(name)
    one = _corpus(settings, name)
    write_manifest(path, reader(one)(one, path.parent), name)


PART = click.option("--part", type=int, help="One of the corpus's parts, from 0; none: all, one after the other.")


def _parts(corpus: Any, part: int | None) -> list[int]:
    if part is not None and not 0 <= part < corpus.parts:
        raise ConfigError(f"corpus {corpus.name!r} has no part {part}: its {corpus.parts} parts are counted from 0")
    return list(range(corpus.parts)) if part is None else [part]


@cli.command()
@config_argument
@click.argument("name")
@PART
def label(config: Path, run: str | None, name: str, part: int | None) -> None:
    """Normalise and phonemise a corpus; rows that cannot be labelled are set aside with a reason."""
    from earmark.data.labels import label_part, phonemizer

    settings = _own(config, run, "data")
    paths, one = settings.paths, _corpus(settings, name)
    labeller = phonemizer(settings.text)
    for number in _parts(one, part):
        output = paths.manifest(name, number)
        label_part(paths.raw_manifest(name), number, one.parts, output, labeller, settings.shards)


def _one_thread() -> None:
    """Keep numpy's matrix products to one thread: how many there are shows in the last bits of features.

    It has to be said before numpy is imported. Snakemake sets OMP_NUM_THREADS to the rule's number of threads.
    """
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))


@cli.command()
@config_argument
@click.argument("name")
@PART
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
def shards(config: Path, run: str | None, name: str, part: int | None, workers: int) -> None:
    """Build the shards of a corpus from its labelled manifests; those that are whole already are kept."""
    _one_thread()
    from earmark.data.build import build_shards, parts_of, remove_other_parts

    settings = _own(config, run, "data")
    one = _corpus(settings, name)
    chosen = _parts(one, part)
    remove_other_parts(settings, one)
    for made in parts_of(settings, one, workers):
        if made.number in chosen:
            build_shards(made)


@cli.command()
@config_argument
def dataset(config: Path, run: str | None) -> None:
    """Collect all shards into the one manifest that training sees; leave out duplicates and what test sets heard."""
    from earmark.data.collect import collect, in_short

    click.echo(in_short(collect(_own(config, run, "data"))))


@cli.command()
@click.argument("places", nargs=-1, type=FILE)
@click.option("--repair", type=FILE, metavar="CONFIG", help="Rebuild damaged shards of the run of this configuration.")
@click.option("--run", help="With --repair: another name for the run than the configuration's.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="With --repair: processes.")
def verify(places: tuple[Path, ...], repair: Path | None, run: str | None, workers: int) -> None:
    """Compare shards, or all shards below folders such as results/RUN, with their checksums; name the damaged ones."""
    from earmark.data.verify import damaged, rebuild

    _one_thread()
    if not places and repair is None:
        raise UserError("nothing to verify: name shards, the folder of a run, or --repair CONFIG")
    if repair is None:
        found = damaged(places, click.echo)
    else:
        settings = _own(repair, run, "data")
        found = rebuild(settings, damaged(places or (settings.folder,), click.echo), workers, click.echo)
    for fault in found:
        click.echo(f"error: {fault}", err=True)
    if found:
        sys.exit(2)


# ---------------------------------------------------------------------------- weights


@cli.group("import")
def import_() -> None:
    """Turn published weights into files that a configuration can name."""


@import_.command()
@click.argument("source", type=FILE)
@click.option("--output", type=FILE, default="models/fireredasr", show_default=True, help="Folder that is written.")
def fireredasr(source: Path, output: Path) -> None:
    """Import the encoder of FireRedASR-AED: SOURCE holds its model.pth.tar, cmvn.ark and dict.txt."""
    from earmark.models.fireredasr import import_fireredasr, in_short

    click.echo(in_short(import_fireredasr(source, output)))


@cli.group()
def plan() -> None:
    """Say what a configuration will take before it is run."""


@plan.command()
@config_argument
@click.option("--stage", "stages", multiple=True, type=click.Choice(["pretrain", "align", "ia_sft", "joint"]))
@click.option("--world", type=click.IntRange(1), help="Processes (GPUs) a stage; default: the configuration's.")
def memory(config: Path, run: str | None, stages: tuple[str, ...], world: int | None) -> None:
    """Memory of each training process by stage, with ZeRO-2; all stages unless some are named."""
    from earmark.text.inventory import Inventory
    from earmark.train.footprint import plans, table

    settings = load(config, run)
    processes = world or settings.processes
    names = list(dict.fromkeys(stages)) or ["pretrain", "align", "ia_sft", "joint"]
    labels = len(Inventory.from_settings(settings.text))
    click.echo(table(plans(settings, names, processes, labels), settings, processes))


# ---------------------------------------------------------------------------- training


@cli.command()
@config_argument
def language(config: Path, run: str | None) -> None:
    """Prepare the language model: real weights, or a small one that is taught text."""
    from earmark.train.language import prepare

    settings = _own(config, run, "data")
    prepare(settings, settings.paths.llm)


@cli.command()
@config_argument
@click.argument("instance")
@click.argument("step", type=int)
@click.option("--before", type=FILE, help="done.json of the segment, or stage, before.")
@click.option("--encoder", type=FILE, help="done.json of the snapshot whose encoder is swapped in.")
@click.option("--last-phase", is_flag=True, help="The last phase of IA-SFT, which has a length of its own.")
@click.option("--processes", type=click.IntRange(1), help="Processes, where not the configuration's: the same recipe.")
@click.option("--profile", is_flag=True, help="Leave a trace of one step, trace.json, in the segment's folder.")
@click.option("--steps", type=click.IntRange(1), help="Updates of INSTANCE where they are not its stage's own.")
def train(
    config: Path,
    run: str | None,
    instance: str,
    step: int,
    before: Path | None,
    encoder: Path | None,
    last_phase: bool,
    processes: int | None,
    profile: bool,
    steps: int | None,
) -> None:
    """Train one segment of INSTANCE (pretrain, align, ia_sft_1, ..., joint) that ends with STEP."""
    from earmark.train.fallback import Job, repairs, train_again

    settings = load(config, run)
    _refuse_shared(settings, instance)
    settings = settings.on(processes) if processes else settings
    job = Job(instance, step, last_phase, before, encoder, steps)
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if ranks > 1:
        _train_here(settings.on(ranks), job, profile)
        return
    start = _train_in_processes if settings.processes > 1 else _train_here
    for repair in repairs(job):
        _refuse_shared(settings, repair.job.instance)
        train_again(repair, lambda one: start(settings, one), click.echo)
    start(settings, job, profile)


def _train_in_processes(settings: Config, job: Any, profile: bool = False) -> None:
    """Train a segment by this very command, once a process."""
    from earmark.train.launch import under_torchrun

    config = str(click.get_current_context().params["config"])
    arguments = ["train", config, "--run", settings.run, *job.arguments(), *(["--profile"] if profile else [])]
    under_torchrun(settings.processes, arguments)


def _train_here(settings: Config, job: Any, profile: bool = False) -> None:
    """Train a segment in this process: the only one, or a rank."""
    import torch

    from earmark.io import read_json
    from earmark.train.place import Place
    from earmark.train.segment import in_short, run_segment

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    place = Place(settings, job.instance, job.step, job.last_phase, job.steps)
    run_segment(settings, place, job.before, job.snapshot, profile)
    if os.environ.get("RANK", "0") == "0":
        click.echo(in_short(read_json(settings.paths.step(job.instance, job.step) / "done.json")))


# ---------------------------------------------------------------------------- diagnosis


@cli.command()
@config_argument
@click.argument("current", type=FILE)
@click.argument("reference", type=FILE)
@click.argument("output", type=FILE)
def cka(config: Path, run: str | None, current: Path, reference: Path, output: Path) -> None:
    """Score the drift between two snapshots (their done.json)."""
    from earmark.diagnose.watch import write_score

    write_score(load(config, run), current, reference, output)


@cli.command()
@config_argument
@click.argument("score", type=FILE)
@click.argument("output", type=FILE)
@click.option("--before", type=FILE, help="Decision before this one; none: the first.")
def decide(config: Path, run: str | None, score: Path, output: Path, before: Path | None) -> None:
    """Decide from a score whether the encoder is swapped."""
    from earmark.diagnose.watch import in_short, write_decision

    click.echo(in_short(write_decision(load(config, run), before, score, output)))


@cli.command()
@click.argument("output", type=FILE)
@click.argument("decisions", nargs=-1, required=True, type=FILE)
def trace(output: Path, decisions: tuple[Path, ...]) -> None:
    """Collect all decisions in one file."""
    from earmark.io import read_json, write_json

    write_json(output, [read_json(path) for path in decisions])


@cli.command()
@config_argument
@click.argument("output", type=FILE)
def embeddings(config: Path, run: str | None, output: Path) -> None:
    """Embed the transcripts that CSAI and layer-wise CKA compare with."""
    from earmark.diagnose.entropy import write_embeddings

    write_embeddings(load(config, run), output)


@cli.command()
@config_argument
@click.argument("embedded", type=FILE)
@click.argument("done", type=FILE)
@click.argument("output", type=FILE)
def entropy(config: Path, run: str | None, embedded: Path, done: Path, output: Path) -> None:
    """Compute NSE, PAI, CSAI and layer-wise CKA of a snapshot (its done.json)."""
    from earmark.diagnose.entropy import write_entropy

    write_entropy(load(config, run), embedded, done, output)


# ---------------------------------------------------------------------------- evaluation


@cli.command()
@config_argument
@click.argument("done", type=FILE)
@click.argument("pretrained", type=FILE)
def evaluate(config: Path, run: str | None, done: Path, pretrained: Path) -> None:
    """Decode and score all test sets with the model of DONE and the CTC head of PRETRAINED."""
    from earmark.evaluate.run import evaluate as run_evaluation

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


# ---------------------------------------------------------------------------- for people


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
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
def compare(runs: tuple[Path, ...], output: Path | None, form: str) -> None:
    """Compare finished runs (their folders): errors, hallucinations, entropy metrics, updates."""
    from earmark.data.catalog import formatted
    from earmark.report.compare import cells, write_comparison
    from earmark.report.compare import compare as rows_of

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
        elif as_json:
            click.echo(json.dumps(one.as_json(), ensure_ascii=False))
        else:
            click.echo(one.text if len(files) == 1 else f"{one.file}\t{one.text}")
    if errors:
        raise UserError("; ".join(errors))


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


def main() -> None:
    """Entry point: a user's mistake is one line on standard error and exit code 2."""
    try:
        cli()
    except UserError as error:
        from earmark.train.launch import leave_word

        leave_word(error)
        click.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
