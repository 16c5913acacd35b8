"""The language model, and the segments of all stages."""

import os
from pathlib import Path
from typing import Any

import click

from earmark.cli.base import FILE, cli, config_argument, own, refuse_shared
from earmark.config import Config, load


@cli.command()
@config_argument
def language(config: Path, run: str | None) -> None:
    """Prepare the language model: real weights, or a small one that is taught text."""
    from earmark.standin.language import prepare

    settings = own(config, run, "data")
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
    from earmark.plan.devices import claim
    from earmark.train.launch import refuse_idle_nodes
    from earmark.train.state.fallback import Job, repairs, train_again

    settings = load(config, run)
    refuse_shared(settings, instance)
    settings = settings.on(processes) if processes else settings
    job = Job(instance, step, last_phase, before, encoder, steps)
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if ranks > 1:
        _train_here(settings.on(ranks), job, profile)
        return
    if settings.processes == 1:
        refuse_idle_nodes()
    claim(settings.processes)
    start = _train_in_processes if settings.processes > 1 else _train_here
    for repair in repairs(job):
        refuse_shared(settings, repair.job.instance)
        train_again(repair, lambda one: start(settings, one), click.echo)
    start(settings, job, profile)


def _train_in_processes(settings: Config, job: Any, profile: bool = False) -> None:
    """Train a segment by this very command, once a process."""
    from earmark.train.launch import under_torchrun

    config = str(click.get_current_context().params["config"])
    arguments = ["train", config, "--run", settings.run, *job.arguments(), *(["--profile"] if profile else [])]
    under_torchrun(settings.processes, arguments, settings.paths.step(job.instance, job.step) / ".said")


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
