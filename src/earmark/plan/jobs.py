"""All jobs of a configuration, with what each asks for: `earmark plan jobs`."""

from typing import Any, NamedTuple

from earmark.config import Config, segments
from earmark.plan import resources
from earmark.plan.resources import Resources
from earmark.plan.site import Site

PHASES = 3
"""Phases of IA-SFT that are counted on, where fewer than `watch.max_swaps`: the paper had so many (Table 5)."""
HEAD = ("rule", "jobs", "GPUs", "nodes", "cores", "host GB", "GPU GB", "minutes", "rests on")


class Job(NamedTuple):
    """Jobs of a rule that ask for the same."""

    rule: str
    number: int
    asks: Resources


def jobs(config: Config, site: Site, processes: int | None = None) -> list[Job]:
    """Jobs in the order of the workflow; decisions take no time.

    How often the encoder is swapped is not known before: `PHASES` at most are counted.

    :raises ConfigError: something fits no device or number of nodes of the site.
    """
    world = processes or config.processes
    resources.check(config, site, world)
    parts, stages = sum(corpus.parts for corpus in config.corpora), config.stages
    phases = min(PHASES, config.watch.max_swaps + 1)
    watched = config.watched_steps()
    memory = _gpu_memory(config, world) if site.gpus_a_node else {}

    def trained(name: str, steps: int, instance: str) -> Job:
        stage, rule = getattr(stages, name), "pretrain" if name == "pretrain" else "post_train"
        asks = resources.training(config, site, rule, stage, world)._replace(gpu_mb=memory.get(name, 0))
        return Job(f"{rule} {instance}".removesuffix(" pretrain"), len(segments(steps, stage.segment_steps)), asks)

    last = stages.ia_sft.last_phase_steps or stages.ia_sft.steps
    found = [
        Job("corpus", len(config.corpora), resources.data("corpus")),
        Job("label", parts, resources.data("label")),
        Job("shards", parts, resources.data("shards")),
        Job("dataset", 1, resources.data("dataset", parts)),
        Job("language", 1, resources.language(config, site)),
        trained("pretrain", stages.pretrain.steps, "pretrain"),
        Job("cka", len(watched), resources.watch(config, site)),
        Job("embeddings", 1, resources.embeddings(config, site)),
        Job("entropy", len(watched) + 3 + phases, resources.entropy(config, site)),
        trained("align", stages.align.steps, "align"),
    ]
    kinds = config.post_training.stages
    if "ia_sft" in kinds:
        found += [trained("ia_sft", stages.ia_sft.steps, f"ia_sft_{number}") for number in range(1, phases)]
        found.append(trained("ia_sft", last, f"ia_sft_{phases}"))
    if "joint" in kinds:
        found.append(trained("joint", stages.joint.steps, "joint"))
    found.append(Job("evaluate", len(config.evaluation.tests), resources.evaluation(config, site)))
    return [*found, Job("report", 1, resources.data("report"))]


def _gpu_memory(config: Config, world: int) -> dict[str, int]:
    """MB of a GPU by stage, as `earmark plan memory` counts it."""
    from earmark.plan.stages import plans
    from earmark.text.inventory import Inventory

    labels = len(Inventory.from_settings(config.text))
    names = list(dict.fromkeys(["pretrain", "align", *config.post_training.stages]))
    counted = plans(config, names, world, labels)
    return {one.stage: round(one.memory[one.checkpointing].total / 1e6) for one in counted}


def as_json(planned: list[Job]) -> list[dict[str, Any]]:
    """For scripts."""
    return [{"rule": one.rule, "jobs": one.number} | one.asks._asdict() for one in planned]


def table(planned: list[Job], site: Site) -> str:
    """For people: a job a line, and the GPU hours that are counted on."""
    rows: list[tuple[str, ...]] = [HEAD]
    for one in planned:
        asks = one.asks
        gpu = f"{asks.gpu_mb / 1000:.1f}" if asks.gpus else ""
        numbers = (one.number, asks.gpus, asks.nodes, asks.threads)
        cells = (*(f"{number:,}" for number in numbers), f"{asks.mem_mb / 1000:.1f}", gpu, f"{asks.minutes:,}")
        rows.append((one.rule, *cells, asks.rests_on))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    hours = sum(one.number * one.asks.gpus * one.asks.minutes for one in planned) / 60 / resources.MARGIN
    counted = f"; about {hours:,.0f} GPU hours" if hours else ""
    return "\n".join(
        [
            f"On {site.name}: memory and cores of a node, GPUs of all nodes together, minutes as limits "
            f"({resources.MARGIN} times the arithmetic, and a start){counted}.",
            *(_line(row, widths) for row in rows),
        ]
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    """Words to the left, numbers to the right."""
    cells = (
        cell.ljust(width) if place in (0, len(row) - 1) else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()
