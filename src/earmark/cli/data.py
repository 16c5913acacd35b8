"""Corpora, labels and shards."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from earmark.cli.base import FILE, cli, config_argument, own
from earmark.config import Config
from earmark.errors import ConfigError, UserError


def _corpus(config: Config, name: str) -> Any:
    for corpus in config.corpora:
        if corpus.name == name:
            return corpus
    raise ConfigError(f"corpus {name!r} is not in the configuration: it has {[one.name for one in config.corpora]}")


@cli.command()
@config_argument
@click.argument("name")
def corpus(config: Path, run: str | None, name: str) -> None:
    """Read a corpus (or speak it) into its raw manifest."""
    from earmark.corpora.base import reader
    from earmark.data.manifest import write_manifest

    settings = own(config, run, "data")
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

    settings = own(config, run, "data")
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

    settings = own(config, run, "data")
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

    click.echo(in_short(collect(own(config, run, "data"))))


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
        settings = own(repair, run, "data")
        found = rebuild(settings, damaged(places or (settings.folder,), click.echo), workers, click.echo)
    for fault in found:
        click.echo(f"error: {fault}", err=True)
    if found:
        sys.exit(2)
