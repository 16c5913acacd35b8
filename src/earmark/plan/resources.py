"""Memory, GPUs, nodes, threads and time of each job, as functions of the configuration and the site.

Without torch, as the Snakefile reads it at every start. Host memory is what a process holds beside the device's, or
with the model in it where jobs compute on processors. Minutes are limits, not forecasts: `MARGIN` times what the
model's arithmetic takes at the site's rate, and a start. What they rest on stands beside them (`earmark plan jobs`).
"""

import math
from typing import NamedTuple

from earmark.config import Config, Stage
from earmark.errors import ConfigError
from earmark.plan import counts
from earmark.plan.site import Site

MARGIN = 3
"""Times by which a limit exceeds the arithmetic: reading, padding, other kernels, a slow node."""
START_MINUTES = 15
"""Python, weights from a shared disk, and writing a checkpoint."""
PROCESS_GB = 2.5
"""A Python process with torch, CUDA's libraries among it."""
FLOORS_MB = {"pretrain": 4000, "post_train": 6000, "evaluate": 6000, "language": 4000}
"""Least memory of a job: what small models take, with room."""
LEAST_MB = 3000
TEST_UTTERANCES = 20_000
"""Assumed of a test set: the largest of Table 1 have so many."""
LARGE_PARTS = 20
"""Parts from which collecting them takes more than a small job has."""
SECONDS = 10.0
"""Of an utterance, on average."""
DECODED_TOKENS = 60
"""Of its transcript, with room."""


class Resources(NamedTuple):
    """What a job asks for."""

    mem_mb: int
    """Host memory of a node."""
    minutes: int
    threads: int = 1
    gpus: int = 0
    """Of all nodes together."""
    nodes: int = 1
    gpu_mb: int = 0
    """Of each GPU, by the formula of parameters alone; `earmark plan memory` counts a training's activations."""
    rests_on: str = "measured on the default run's data, with room"
    """What the minutes rest on."""


class Rate(NamedTuple):
    """Where a model runs, and how fast."""

    flops: float
    """A second."""
    gpus: int
    what: str


def rate(site: Site, threads: int = 1) -> Rate:
    """One GPU where the site has any, else so many cores."""
    if site.gpus_a_node:
        return Rate(
            site.gpu_tflops * 1e12 * site.utilisation, 1, f"{site.utilisation:.0%} of {site.gpu_tflops:g} TFLOP/s"
        )
    return Rate(site.core_gflops * 1e9 * threads, 0, f"{site.core_gflops:g} GFLOP/s a core")


def nodes_for(processes: int, site: Site) -> int:
    """Fewest nodes that share the processes evenly, a GPU each.

    :raises ConfigError: the site has no such number of nodes.
    """
    room = site.gpus_a_node or processes
    fitting = [number for number in range(1, processes + 1) if processes % number == 0 and processes // number <= room]
    if site.nodes and fitting[0] > site.nodes:
        raise ConfigError(
            f"processes {processes} need {fitting[0]} nodes of {room} GPUs, and {site.name} has {site.nodes}: take "
            f"a number of processes that fits, or correct the site file"
        )
    return fitting[0]


def training(config: Config, site: Site, rule: str, stage: Stage, processes: int) -> Resources:
    """A segment of a stage (`rule`: pretrain or post_train)."""
    nodes = nodes_for(processes, site)
    each = processes // nodes
    sizes = counts.of_stage(config, stage)
    everything, size = sum(sizes.values()), 2 if config.precision == "bfloat16" else 4
    trained = sum(number for name, number in sizes.items() if name in stage.trained or name == "heads")
    speed = rate(site)
    one = counts.update_flops(config, stage)
    seconds = MARGIN * one * stage.segment_steps / speed.flops
    # As float32 while a process starts, and rank 0 writes weights and states.
    host = each * (PROCESS_GB * 1e9 + 4 * everything) + 16 * trained
    if not speed.gpus:
        host += each * (12 * trained + activations(config, stage))
    return Resources(
        mem_mb=max(FLOORS_MB[rule], _mb(host)),
        minutes=_minutes(seconds, site),
        threads=each * _share(site) if speed.gpus else each,
        gpus=processes if speed.gpus else 0,
        nodes=nodes,
        gpu_mb=_mb(size * everything + 18 * trained / max(1, processes)) if speed.gpus else 0,
        rests_on=f"{stage.segment_steps:,} updates of {one / 1e12:.3g} TFLOP a process at {speed.what}",
    )


def activations(config: Config, stage: Stage) -> float:
    """Bytes that a batch's backward pass waits for, an upper estimate (on a processor; a plan counts them)."""
    size = 2 if config.precision == "bfloat16" else 4
    views = 2 if stage.loss == "cr_ctc" else 1
    frames = views * stage.frames_per_batch / 4
    encoded = 120 * size * frames * config.encoder.d_model * config.encoder.n_layers
    if stage.loss != "next_token":
        return encoded
    shape = counts.llm_shape(config.llm)
    positions = stage.frames_per_batch / 4 / config.adaptor.downsample + stage.frames_per_batch / 100 * 8
    written = positions * (60 * size * shape.hidden * shape.layers + 16 * shape.vocabulary)
    return written + (encoded if "encoder" in stage.trained else encoded / config.encoder.n_layers)


def language(config: Config, site: Site) -> Resources:
    """The language model: taught here, or a published one that is checked and copied."""
    held = 4 * counts.llm_shape(config.llm).parameters
    return Resources(max(FLOORS_MB["language"], _mb(PROCESS_GB * 1e9 + 2 * held)), 60)


def watch(config: Config, site: Site) -> Resources:
    """A score: the validation utterances through two snapshots of the encoder."""
    threads = _cores(site, counts.encoder(config))
    flops = 2 * config.watch.utterances * SECONDS * 25 * 2 * counts.encoder(config)
    return _inference(
        config, site, counts.encoder(config), flops, threads, f"{config.watch.utterances} utterances twice"
    )


def entropy(config: Config, site: Site) -> Resources:
    """NSE, PAI and CSAI of a snapshot."""
    size = counts.encoder(config) + counts.adaptor(config)
    number = config.evaluation.diagnosed_utterances
    flops = number * SECONDS * 25 * 2 * size
    # Layers are kept in float32 for CKA with the transcript.
    return _inference(config, site, size, flops, _cores(site, size), f"{number} utterances")


def embeddings(config: Config, site: Site) -> Resources:
    """Sentence embeddings of the diagnosed utterances.

    :raises ConfigError: the embedder fits no device of the site.
    """
    size, number = counts.embedder(config), config.evaluation.diagnosed_utterances
    held, room = 2 * size / 1e9 + 1, site.gpu_gb if site.gpus_a_node else site.memory_gb_a_node
    if held > room:
        where = "a GPU" if site.gpus_a_node else "a node"
        raise ConfigError(
            f"evaluation.embedder {config.evaluation.embedder} takes {held:.0f} GB, and {where} of {site.name} has "
            f"{room:.0f}: take a smaller one, or correct the site file"
        )
    return _inference(config, site, size, number * 100 * 2 * size, _cores(site, size), f"{number} sentences")


def evaluation(config: Config, site: Site) -> Resources:
    """A test set through the whole model, and pretraining's head beside it."""
    shape = counts.llm_shape(config.llm)
    size = 2 * counts.encoder(config) + counts.adaptor(config) + shape.parameters
    positions = SECONDS * 25 / 4 + counts.PROMPT + DECODED_TOKENS * config.decoding.beams
    each = 2 * counts.encoder(config) * SECONDS * 25 * 2 + 2 * shape.parameters * positions
    # Decoding reads all weights for every token: it reaches a small part of the peak.
    flops = TEST_UTTERANCES * each * (10 if site.gpus_a_node else 1)
    found = _inference(config, site, size, flops, _cores(site, size), f"{TEST_UTTERANCES:,} utterances a test set")
    return found._replace(mem_mb=max(FLOORS_MB["evaluate"], found.mem_mb))


def data(rule: str, parts: int = 1) -> Resources:
    """Jobs without a model: manifests, labels, shards, the dataset of so many parts, the report."""
    collecting = 8000 if parts > LARGE_PARTS else 4000
    return {
        "corpus": Resources(3000, 120, threads=2),
        "label": Resources(3000, 120),
        "shards": Resources(4000, 480, threads=2, rests_on="0.5 core hours for a part of 1,200 hours (docs/data.md)"),
        "dataset": Resources(collecting, 120, threads=2, rests_on="300 million rows (bench/bench_scale.py)"),
        "report": Resources(2000, 30),
    }[rule]


def _inference(config: Config, site: Site, size: int, flops: float, threads: int, what: str) -> Resources:
    """A job that runs a model of so many parameters forward."""
    speed = rate(site, threads)
    bytes_each = 2 if speed.gpus and config.precision == "bfloat16" else 4
    # Read as they lie on disk and moved: on a GPU the host holds them once for a moment.
    host = PROCESS_GB * 1e9 + 4 * size + (0 if speed.gpus else 4 * size * 0.5)
    return Resources(
        mem_mb=max(LEAST_MB, _mb(host)),
        minutes=_minutes(MARGIN * flops / speed.flops, site),
        threads=threads,
        gpus=speed.gpus,
        gpu_mb=_mb(1.3 * bytes_each * size + 2e9) if speed.gpus else 0,
        rests_on=f"{what} at {speed.what}",
    )


def _cores(site: Site, size: int) -> int:
    """Cores of a job that runs a model: one for a small one, a GPU's share, or as many as help a large one."""
    if site.gpus_a_node:
        return _share(site)
    return 1 if size < 50_000_000 else min(8, site.cores_a_node)


def _share(site: Site) -> int:
    """Cores of a node for each of its GPUs."""
    return max(1, site.cores_a_node // site.gpus_a_node)


def _minutes(seconds: float, site: Site) -> int:
    """A limit in minutes, in steps of a quarter of an hour; never beyond the site's own."""
    limit = max(30, 15 * math.ceil((seconds / 60 + START_MINUTES) / 15))
    return min(limit, site.longest_minutes) if site.longest_minutes else limit


def _mb(number: float) -> int:
    """Megabytes, in steps of 500."""
    return 500 * math.ceil(number / 1e6 / 500)


def check(config: Config, site: Site, processes: int) -> None:
    """Refuse what no job could be given.

    :raises ConfigError: processes that no number of nodes fits, an embedder larger than any device, a node too small.
    """
    nodes_for(processes, site)
    embeddings(config, site)
    for name in ("pretrain", "align", "ia_sft", "joint"):
        rule = "pretrain" if name == "pretrain" else "post_train"
        found = training(config, site, rule, getattr(config.stages, name), processes)
        if site.gpus_a_node and found.gpu_mb > 1000 * site.gpu_gb:
            raise ConfigError(
                f"stages.{name}: weights and states take {found.gpu_mb / 1000:.0f} GB of a GPU, and {site.name} has "
                f"{site.gpu_gb:.0f}: train on more processes, or correct the site file"
            )
