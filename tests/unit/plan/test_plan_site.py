"""Facts about a site, and what is wrong with them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from earmark.errors import ConfigError
from earmark.plan import site as site_module
from earmark.plan.site import CLUSTER, Site, check_slurm, chosen, read_site, this_machine


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a program on the path that prints a text: a stand-in for SLURM's or NVIDIA's."""

    def put(name: str, said: str) -> None:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")

    return put


def test_this_machine_says_what_it_has() -> None:
    found = this_machine()
    assert found.cores_a_node == os.cpu_count()
    assert found.memory_gb_a_node > 1
    assert found.nodes == 1


def test_gpus_are_those_that_the_driver_names(tool) -> None:
    tool("nvidia-smi", "81559\n40960")
    found = this_machine()
    assert found.gpus_a_node == 2
    assert found.gpu_gb == pytest.approx(42.9, abs=0.1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gpus_a_node: -1", "gpus_a_node (value -1)"),
        ("gpu_a_node: 8", "gpu_a_node (value 8)"),
        ("- 1", "the file"),
        ("a: [", "while parsing"),
    ],
)
def test_a_wrong_file_is_a_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        read_site(path)
    assert why in str(raised.value)
    assert "\n" not in str(raised.value)
    with pytest.raises(ConfigError, match="nowhere"):
        read_site(tmp_path / "nowhere.yaml")


SINFO = "main|(null)\ngpu|gpu:a100:4(S:0-1)\ngpu|gpu:h100:8,shm:2"


@pytest.mark.parametrize(
    ("site", "why"),
    [
        ({"partition": "fast"}, r"partition 'fast' is none of SLURM's partitions \(gpu, main\)"),
        ({"gpu_partition": "a100"}, r"gpu_partition 'a100' is none"),
        (
            {"gpus_a_node": 16, "gpu_partition": "gpu"},
            r"is 16, and SLURM's nodes have at most 8 in partition gpu",
        ),
        ({"gpus_a_node": 1, "partition": "main"}, r"have at most 0 in partition main"),
    ],
)
def test_what_slurm_has_not_is_refused(tool, site: dict, why: str) -> None:
    """By a stand-in for sinfo."""
    tool("sinfo", SINFO)
    with pytest.raises(ConfigError, match=why):
        check_slurm(Site(**site))


def test_what_slurm_has_is_taken(tool) -> None:
    tool("sinfo", SINFO)
    check_slurm(Site(gpus_a_node=8, partition="main", gpu_partition="gpu"))
    check_slurm(Site(gpus_a_node=8))


def test_a_cluster_s_site_is_its_file_or_what_is_assumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool) -> None:
    monkeypatch.chdir(tmp_path)
    assert chosen(None, cluster=True) == CLUSTER
    (tmp_path / "config").mkdir()
    (tmp_path / "config/site.yaml").write_text("{gpus_a_node: 4, partition: none}")
    assert chosen(None, cluster=False).name == "this machine"
    tool("sinfo", SINFO)
    with pytest.raises(ConfigError, match="'none' is none of"):
        chosen(None, cluster=True)
    assert chosen("config/site.yaml", cluster=False).gpus_a_node == 4


def test_a_slurm_that_does_not_answer_is_not_waited_for(
    tool: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool("sinfo", "")
    (tmp_path / "bin/sinfo").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(site_module, "PATIENCE", 0.2)
    check_slurm(Site(partition="none"))
