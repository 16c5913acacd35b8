"""Make the locks and the conda files anew: `python3.11 envs/relock.py`; with `--conda` the conda files only.

1. A fresh virtual environment takes pip, torch and then pyproject's dependencies and test tools.
2. Its `pip freeze` is cpu.lock.
3. pip resolves torch's CUDA build without installing it; what cpu.lock lacks of that is gpu.lock.
4. cpu.yaml and gpu.yaml repeat the locks for conda.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ENVS = Path(__file__).resolve().parent
TORCH = "torch==2.13.0"
MADE = "# Made by envs/relock.py with Python 3.11 on Linux x86_64; edit pyproject.toml, not this file.\n"
CPU = MADE + "# torch has no local version here: any build of 2.13.0 fits. `make setup` installs it first.\n"
GPU = f"""{MADE}# The CPU pins and what torch's CUDA build adds, as `pip install --dry-run` resolves it; not
# yet installed as a whole on a GPU machine. flash-attn is built there, afterwards:
# pip install --no-build-isolation -e '.[gpu]'
-r cpu.lock
"""


def normal(name: str) -> str:
    """A package's name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: Path) -> dict[str, str]:
    """Version by normalised name, of a lock and the locks that it names by `-r`."""
    found: dict[str, str] = {}
    for line in lock.read_text().splitlines():
        if line.startswith("-r "):
            found |= pins(lock.parent / line[3:])
        elif line and not line.startswith("#"):
            name, version = line.split("==")
            found[normal(name)] = version
    return found


def conda(kind: str) -> str:
    """Text of a conda environment file with the pins of `envs/KIND.lock`."""
    packages = pins(ENVS / f"{kind}.lock")
    lines = [f"      - {name}=={version}\n" for name, version in sorted(packages.items()) if name != "pip"]
    return (
        f"{MADE}name: earmark-{kind}\nchannels:\n  - conda-forge\ndependencies:\n"
        f"  - python=3.11\n  - pip={packages['pip']}\n  - pip:\n{''.join(lines)}"
    )


def relock() -> None:
    """Write both locks."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip"]
        settings = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())
        project = settings["project"]
        wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
        subprocess.run([*pip, "install", "--upgrade", "pip"], check=True)
        subprocess.run([*pip, "install", TORCH], check=True)
        subprocess.run([*pip, "install", *wanted, *settings["build-system"]["requires"]], check=True)
        subprocess.run([*pip, "check"], check=True)
        frozen = subprocess.run([*pip, "freeze", "--all"], check=True, capture_output=True, text=True).stdout
        (ENVS / "cpu.lock").write_text(CPU + re.sub(r"(?m)^torch==.*$", TORCH, frozen))
        report = Path(folder) / "report.json"
        subprocess.run(
            [*pip, "install", "--dry-run", "--ignore-installed", "--report", str(report), TORCH],
            check=True,
            # Only the default index holds the CUDA build: local folders of CPU wheels must not win.
            env=os.environ | {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""},
        )
        resolved = [entry["metadata"] for entry in json.loads(report.read_text())["install"]]
    held = pins(ENVS / "cpu.lock")
    added = sorted(f"{one['name']}=={one['version']}" for one in resolved if normal(one["name"]) not in held)
    (ENVS / "gpu.lock").write_text(GPU + "\n".join(added) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--conda"]:
        relock()
    for kind in ("cpu", "gpu"):
        (ENVS / f"{kind}.yaml").write_text(conda(kind))
