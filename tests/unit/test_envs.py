"""Locks and conda files say the same, and fit pyproject.toml."""

import importlib.util
import re
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def relock(repository: Path) -> ModuleType:
    """envs/relock.py as a module."""
    spec = importlib.util.spec_from_file_location("relock", repository / "envs/relock.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def conda_pins(path: Path) -> dict[str, str]:
    """Version by name in a conda file: conda's own pins and those of its pip section."""
    entries = yaml.safe_load(path.read_text())["dependencies"]
    (pip,) = [entry["pip"] for entry in entries if isinstance(entry, dict)]
    own = dict(entry.split("=") for entry in entries if isinstance(entry, str) and "=" in entry)
    assert own.pop("python") == "3.11"
    return own | dict(entry.split("==") for entry in pip)


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_conda_file_holds_the_pins_of_the_lock(kind: str, repository: Path, relock: ModuleType) -> None:
    assert conda_pins(repository / f"envs/{kind}.yaml") == relock.pins(repository / f"envs/{kind}.lock")


def test_gpu_lock_is_the_cpu_lock_and_more(repository: Path, relock: ModuleType) -> None:
    cpu, gpu = (relock.pins(repository / f"envs/{kind}.lock") for kind in ("cpu", "gpu"))
    assert cpu.items() < gpu.items()
    assert all(re.match("cuda-|nvidia-|triton", name) for name in gpu.keys() - cpu.keys())


def test_locks_hold_what_pyproject_asks_for(repository: Path, relock: ModuleType) -> None:
    pins = relock.pins(repository / "envs/cpu.lock")
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    for text in project["dependencies"] + project["optional-dependencies"]["dev"]:
        wanted = Requirement(text)
        version = pins.get(relock.normal(wanted.name))
        assert version, f"{wanted.name} is not locked: run envs/relock.py"
        assert wanted.specifier.contains(version), f"{wanted} is asked for, {version} is locked"


def test_torch_has_no_build_in_its_pin_and_torchaudio_stays_out(repository: Path, relock: ModuleType) -> None:
    pins = relock.pins(repository / "envs/gpu.lock")
    assert pins["torch"] == "2.13.0"
    assert "torchaudio" not in pins  # it does not load beside torch 2.13 and spoils lhotse's reading


def test_flash_attn_is_pinned_exactly(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    assert [next(iter(Requirement(text).specifier)).operator for text in project["optional-dependencies"]["gpu"]] == [
        "=="
    ]


def test_the_environment_of_the_makefile_is_what_the_lock_says(repository: Path, relock: ModuleType) -> None:
    if Path(sys.prefix) != repository / ".venv":
        pytest.skip(f"this Python is {sys.prefix}, not the .venv that `make setup` makes")
    # Not sys.path: setuptools, once imported, adds its own copies of some packages to it.
    found = metadata.distributions(path=[sysconfig.get_path("purelib")])
    installed = {relock.normal(one.name): one.version.partition("+")[0] for one in found}
    pins = relock.pins(repository / "envs/cpu.lock")
    assert {name: installed.get(name) for name in pins} == pins
