"""Resources of jobs: small for small models, no less than the memory plan for large ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from earmark.cli import cli
from earmark.config import Config, load
from earmark.errors import ConfigError
from earmark.plan import counts, resources
from earmark.plan.jobs import jobs
from earmark.plan.site import CLUSTER, Site
from earmark.plan.stages import plans

LAPTOP = Site(name="a laptop", cores_a_node=2, memory_gb_a_node=16, nodes=1)
STAGES = ("pretrain", "align", "ia_sft", "joint")


@pytest.fixture(scope="module")
def paper(repository: Path) -> Config:
    return load(repository / "config/paper.yaml")


@pytest.fixture(scope="module")
def small(repository: Path) -> Config:
    return load(repository / "config/default.yaml")


def training(config: Config, site: Site, name: str, processes: int | None = None) -> resources.Resources:
    rule = "pretrain" if name == "pretrain" else "post_train"
    return resources.training(config, site, rule, getattr(config.stages, name), processes or config.processes)


def test_resources_need_no_torch() -> None:
    code = "import sys, earmark.plan.resources, earmark.plan.site; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", STAGES)
def test_the_small_keep_small_numbers(small: Config, name: str) -> None:
    found = training(small, LAPTOP, name)
    assert found.mem_mb == (4000 if name == "pretrain" else 6000)
    assert (found.gpus, found.nodes, found.threads, found.minutes) == (0, 1, 1, 30)


def test_jobs_of_small_models_fit_a_laptop(small: Config) -> None:
    for one in jobs(small, LAPTOP):
        assert one.asks.mem_mb <= 6000
        assert one.asks.gpus == 0


@pytest.mark.parametrize("name", STAGES)
def test_training_has_a_gpu_a_process(paper: Config, name: str) -> None:
    found = training(paper, CLUSTER, name)
    assert (found.gpus, found.nodes, found.threads) == (8, 1, 64)
    sizes = counts.of_stage(paper, getattr(paper.stages, name))
    # Each process holds a float32 copy while it starts.
    assert found.mem_mb * 1e6 >= 8 * 4 * sum(sizes.values())


@pytest.mark.parametrize(("gpus", "processes", "nodes"), [(8, 16, 2), (4, 8, 2), (8, 12, 2), (8, 7, 1), (3, 8, 4)])
def test_processes_are_spread_evenly_over_few_nodes(paper: Config, gpus: int, processes: int, nodes: int) -> None:
    site = CLUSTER.model_copy(update={"gpus_a_node": gpus})
    found = training(paper, site, "joint", processes)
    assert (found.gpus, found.nodes) == (processes, nodes)


@pytest.mark.parametrize("name", STAGES)
def test_where_processors_compute_a_job_has_the_memory_of_the_plan(paper: Config, small: Config, name: str) -> None:
    """Activations are estimated without torch: no less than the plan counts."""
    for config in (paper, small):
        (planned,) = plans(config, [name], 1, counts.LABELS)
        stage = getattr(config.stages, name)
        held = planned.memory[stage.activation_checkpointing].total / 1e6
        asked = resources.training(config, LAPTOP, "pretrain" if name == "pretrain" else "post_train", stage, 1).mem_mb
        assert asked >= held
        assert resources.activations(config, stage) >= planned.memory[stage.activation_checkpointing].activations


def test_every_job_that_runs_a_model_has_a_gpu_and_its_weights(paper: Config) -> None:
    embedded = resources.embeddings(paper, CLUSTER)
    for found in (
        resources.watch(paper, CLUSTER),
        resources.entropy(paper, CLUSTER),
        embedded,
        resources.evaluation(paper, CLUSTER),
    ):
        assert found.gpus == 1
        assert found.threads == 8
    assert embedded.gpu_mb > 15_000  # 8 B parameters in bfloat16
    assert resources.watch(paper, CLUSTER).mem_mb >= 2842  # 710 M in float32
    assert resources.evaluation(paper, CLUSTER).mem_mb >= 9800


def test_on_processors_a_large_encoder_has_cores_and_hours(paper: Config) -> None:
    """Measured for the 710 M encoder: 1.9 s for 10 s of speech on a core; 1,000 utterances twice."""
    site = Site(cores_a_node=8, memory_gb_a_node=64)
    found = resources.watch(paper, site)
    assert found.threads == 8
    assert found.mem_mb >= 6000
    assert found.minutes >= 2000 * 1.9 / 60 / 8


def test_no_limit_is_beyond_the_site_s(paper: Config) -> None:
    site = CLUSTER.model_copy(update={"longest_minutes": 240})
    assert training(paper, site, "pretrain").minutes == 240


def test_what_fits_nowhere_is_refused(paper: Config) -> None:
    two = CLUSTER.model_copy(update={"nodes": 2})
    with pytest.raises(ConfigError, match=r"processes 24 need 3 nodes of 8 GPUs, and a cluster has 2"):
        resources.check(paper, two, 24)
    small = CLUSTER.model_copy(update={"gpu_gb": 12.0})
    with pytest.raises(ConfigError, match=r"Qwen3-Embedding-8B takes 16 GB, and a GPU of a cluster has 12"):
        resources.check(paper, small, 8)
    tiny = CLUSTER.model_copy(update={"gpu_gb": 40.0})
    with pytest.raises(ConfigError, match=r"stages.joint: weights and states take 49 GB of a GPU"):
        resources.check(paper, tiny, 1)


def test_all_jobs_are_listed(repository: Path) -> None:
    file = str(repository / "config/paper.yaml")
    found = CliRunner().invoke(cli, ["plan", "jobs", file, "--cluster", "--format", "json"], catch_exceptions=False)
    rows = {one["rule"]: one for one in json.loads(found.stdout)}
    assert rows["pretrain"]["jobs"] == 200
    assert rows["pretrain"]["gpus"] == 8
    # The memory plan's total, as docs/scale.md has it.
    assert rows["post_train joint"]["gpu_mb"] == pytest.approx(25_820, rel=0.02)
    assert rows["cka"]["jobs"] == 150
    assert rows["evaluate"]["jobs"] == 20
    table = CliRunner().invoke(cli, ["plan", "jobs", file, "--cluster"], catch_exceptions=False).stdout
    assert len(table.splitlines()) == len(rows) + 2
    assert "GPU hours" in table
