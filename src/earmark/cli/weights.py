"""Published weights, and what a configuration will take."""

from pathlib import Path

import click

from earmark.cli.base import FILE, cli, config_argument
from earmark.config import load


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
    from earmark.plan.stages import plans, table
    from earmark.text.inventory import Inventory

    settings = load(config, run)
    processes = world or settings.processes
    names = list(dict.fromkeys(stages)) or ["pretrain", "align", "ia_sft", "joint"]
    labels = len(Inventory.from_settings(settings.text))
    click.echo(table(plans(settings, names, processes, labels), settings, processes))


@plan.command()
@config_argument
@click.option("--site", "file", type=FILE, help="Facts about where jobs run; default: this machine.")
@click.option("--cluster", is_flag=True, help="Default: config/site.yaml, or nodes of eight 80 GB GPUs.")
@click.option("--world", type=click.IntRange(1), help="Processes (GPUs) a stage; default: the configuration's.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def jobs(config: Path, run: str | None, file: Path | None, cluster: bool, world: int | None, form: str) -> None:
    """All jobs: how many of each rule, and the GPUs, nodes, memory and minutes that each asks for."""
    import json

    from earmark.plan.jobs import as_json, table
    from earmark.plan.jobs import jobs as planned
    from earmark.plan.site import chosen

    settings, site = load(config, run), chosen(file, cluster)
    found = planned(settings, site, world)
    click.echo(json.dumps(as_json(found), indent=1) if form == "json" else table(found, site))
