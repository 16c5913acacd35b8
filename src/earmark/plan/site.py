"""The facts about the place where jobs run: `config/site.yaml`, or what this machine says of itself.

One file, so that what differs between clusters stands in one place; resources of all jobs are functions of it and of
the configuration (`earmark.plan.resources`).
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, PositiveFloat, PositiveInt, ValidationError

from earmark.config import Section
from earmark.errors import ConfigError, of_system


class Site(Section):
    """A machine or cluster."""

    name: str = "site"
    """What to call it."""
    gpus_a_node: Annotated[int, Field(ge=0)] = 0
    """GPUs of a node; 0: jobs compute on processors."""
    gpu_gb: PositiveFloat = 80.0
    """Memory of a GPU (1e9 bytes)."""
    gpu_tflops: PositiveFloat = 312.0
    """Peak of a GPU in the precision of training (A100, bfloat16: 312)."""
    utilisation: Annotated[float, Field(gt=0, le=1)] = 0.25
    """Share of that peak which is counted on in time limits."""
    cores_a_node: PositiveInt = 2
    """Processor cores of a node."""
    core_gflops: PositiveFloat = 15.0
    """What a core computes, where jobs compute on processors."""
    memory_gb_a_node: PositiveFloat = 24.0
    """Memory of a node (1e9 bytes)."""
    nodes: PositiveInt | None = None
    """Nodes that a job may have; none: any number."""
    partition: str | None = None
    """SLURM partition of jobs without a GPU; none: SLURM's default."""
    gpu_partition: str | None = None
    """SLURM partition of jobs with GPUs; none: that of the others."""
    longest_minutes: PositiveInt | None = None
    """Time limit that no job may exceed; none: no limit."""


PATIENCE = 20
"""Seconds that SLURM's controller may take for an answer; without one sinfo itself waits for minutes."""
DEFAULT = Path("config/site.yaml")
CLUSTER = Site(name="a cluster", gpus_a_node=8, cores_a_node=64, memory_gb_a_node=1000)
"""Assumed of a cluster without a site file: nodes of eight 80 GB GPUs."""


def chosen(file: Path | str | None, cluster: bool) -> Site:
    """The site of a file that is named, or of config/site.yaml where it is; else `CLUSTER`, or this machine.

    A cluster's site is compared with what SLURM has.

    :raises ConfigError: see `read_site` and `check_slurm`.
    """
    path = Path(file) if file else DEFAULT if DEFAULT.is_file() and cluster else None
    site = read_site(path) if path else CLUSTER if cluster else this_machine()
    if path and cluster:
        check_slurm(site)
    return site


def read_site(path: Path) -> Site:
    """The site of a file.

    :raises ConfigError: no such file, or a key or value that is wrong.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return Site.model_validate(values)
    except OSError as error:
        raise ConfigError(str(of_system(error))) from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"{path}: {_fault(error)}: see config/README.md for the keys of a site") from None


def _fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the file'} (value {first.get('input')!r}): {first['msg']}"
    return " ".join(str(error).split())


def this_machine() -> Site:
    """What the machine says of itself: cores, memory, and NVIDIA's GPUs."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = Site(name="this machine", cores_a_node=os.cpu_count() or 1, memory_gb_a_node=pages / 1e9, nodes=1)
    there = gpus()
    return found.model_copy(update={"gpus_a_node": len(there), "gpu_gb": min(there)}) if there else found


def gpus() -> list[float]:
    """Memory (GB) of each NVIDIA GPU; none where the driver's tool is not there or says nothing."""
    tool = shutil.which("nvidia-smi")
    if not tool:
        return []
    command = [tool, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [int(number) * 1.048576e-3 for number in re.findall(r"^(\d+)", said, re.MULTILINE)]


def check_slurm(site: Site) -> None:
    """Compare a site with what SLURM has, where it can be asked.

    :raises ConfigError: a partition that SLURM has not, or more GPUs a node than any node of it.
    """
    tool = shutil.which("sinfo")
    if not tool:
        return
    command = [tool, "--noheader", "--format=%R|%G"]
    try:
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout
    except (OSError, subprocess.SubprocessError):
        return  # SLURM is down, or does not answer: the submission will say so
    lines = [line.split("|") for line in said.splitlines() if "|" in line]
    if not lines:
        return
    partitions = {name.strip() for name, _ in lines}
    for key in ("partition", "gpu_partition"):
        wanted = getattr(site, key)
        if wanted and wanted not in partitions:
            raise ConfigError(
                f"site: {key} {wanted!r} is none of SLURM's partitions ({', '.join(sorted(partitions))}): name one"
            )
    wanted = site.gpu_partition or site.partition
    most = max(_gres_gpus(gres) for name, gres in lines if wanted in (None, name.strip()))
    if site.gpus_a_node > most:
        raise ConfigError(
            f"site: gpus_a_node is {site.gpus_a_node}, and SLURM's nodes have at most {most}"
            f"{f' in partition {wanted}' if wanted else ''}: correct the site file"
        )


def _gres_gpus(gres: str) -> int:
    """GPUs of `gpu:a100:8(S:0-1),shm:1`."""
    return sum(int(number) for number in re.findall(r"\bgpu(?::[^:,(]+)?:(\d+)", gres))
