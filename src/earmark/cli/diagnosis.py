"""Drift of the encoder, the decisions that it leads to, and entropy metrics."""

from pathlib import Path

import click

from earmark.cli.base import FILE, cli, config_argument
from earmark.config import load


@cli.command()
@config_argument
@click.argument("current", type=FILE)
@click.argument("reference", type=FILE)
@click.argument("output", type=FILE)
def cka(config: Path, run: str | None, current: Path, reference: Path, output: Path) -> None:
    """Score the drift between two snapshots (their done.json)."""
    from earmark.diagnose.watch import write_score
    from earmark.plan.devices import claim

    claim(1)
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
    from earmark.plan.devices import claim

    claim(1)
    write_embeddings(load(config, run), output)


@cli.command()
@config_argument
@click.argument("embedded", type=FILE)
@click.argument("done", type=FILE)
@click.argument("output", type=FILE)
def entropy(config: Path, run: str | None, embedded: Path, done: Path, output: Path) -> None:
    """Compute NSE, PAI, CSAI and layer-wise CKA of a snapshot (its done.json)."""
    from earmark.diagnose.entropy import write_entropy
    from earmark.plan.devices import claim

    claim(1)
    write_entropy(load(config, run), embedded, done, output)
