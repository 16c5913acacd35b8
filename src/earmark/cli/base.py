"""The command itself, and what its verbs share."""

import os
from pathlib import Path
from typing import Any

import click

from earmark.config import Config, load
from earmark.errors import ConfigError

FILE = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="earmark")
def cli() -> None:
    """Speech recognition with large language models, entropy allocated on purpose."""
    # Bars of transformers, of loading and writing weights in the main, would stand between what the verbs say.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def config_argument(command: Any) -> Any:
    """CONFIG and --run, which every verb of the workflow takes."""
    command = click.option("--run", help="Another name for the run than the configuration's.")(command)
    return click.argument("config", type=FILE)(command)


def own(config: Path, run: str | None, part: str) -> Config:
    """Settings of a run that makes `part` (data, pretraining) itself; a shared one is the other run's."""
    settings = load(config, run)
    if other := getattr(settings.shares, part):
        raise ConfigError(f"{config}: {part} is taken from run {other} (shares.{part}): make it there")
    return settings


def refuse_shared(settings: Config, instance: str) -> None:
    """A run that takes its pretraining from another one trains none itself."""
    if instance == "pretrain" and settings.shares.pretraining:
        raise ConfigError(
            f"pretraining is taken from run {settings.shares.pretraining} (shares.pretraining): train it there"
        )
