"""The command `earmark`: one verb a rule of the workflow, and a few for people; a module a subject.

A known mistake prints one line and exits with 2. Imports are inside the verbs: each pays for what it uses only.
"""

import sys
from typing import NoReturn

import click

from earmark.cli import data, diagnosis, results, training, weights
from earmark.cli.base import cli
from earmark.errors import UserError, of_system

__all__ = ["cli", "data", "diagnosis", "main", "results", "training", "weights"]


def main() -> None:
    """Entry point: a user's mistake, or what the system refused, is one line on standard error and exit code 2."""
    try:
        cli()
    except UserError as error:
        _end(error)
    except OSError as error:
        _end(of_system(error))


def _end(error: UserError) -> NoReturn:
    from earmark.train.launch import leave_word

    leave_word(error)
    click.echo(f"error: {error}", err=True)
    sys.exit(2)
