"""The command `earmark`: one verb a rule of the workflow, and a few for people; a module a subject.

`base`: the command itself; `data`, `training`, `diagnosis`, `results`: verbs in the order of the workflow; `weights`:
published models, and what a configuration will take.

A known mistake prints one line and exits with 2. Imports are inside the verbs: each pays for what it uses only.
"""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from earmark.cli import data, diagnosis, results, training, weights
from earmark.cli.base import cli
from earmark.errors import UserError, of_system

__all__ = ["cli", "data", "diagnosis", "main", "results", "training", "weights"]


def main() -> None:
    """Entry point: a user's mistake, or what the system refused, is one line on standard error and exit code 2."""
    if "RANK" not in os.environ:  # torchrun's ranks end at once
        signal.signal(signal.SIGTERM, _stop)
    try:
        cli()
    except UserError as error:
        _end(error)
    except OSError as error:
        _end(of_system(error))


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """End as by Ctrl-C, so that nothing is left in temporary folders: SLURM and Snakemake cancel by SIGTERM."""
    sys.exit(128 + number)


def _end(error: UserError) -> NoReturn:
    from earmark.train.launch import leave_word

    leave_word(error)
    click.echo(f"error: {error}", err=True)
    sys.exit(2)
