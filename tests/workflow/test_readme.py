"""The five lines of the README that take in a corpus of one's own are run as they stand there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile


def own_corpus_lines(repository: Path) -> list[str]:
    text = (repository / "README.md").read_text()
    block = re.search(r"Five lines take it in:\n\n```sh\n(.*?)```", text, re.DOTALL)
    assert block, "README.md has no five lines for a corpus of one's own"
    lines = block.group(1).splitlines()
    assert len(lines) == 5
    return lines


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Path:
    """A copy of what the lines use, and a home with a recording."""
    for name in ("Snakefile", "config", "workflow", "profiles"):
        source = repository / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / "checkout" / name)
        else:
            (tmp_path / "checkout").mkdir(exist_ok=True)
            shutil.copy(source, tmp_path / "checkout" / name)
    home = tmp_path / "home" / "recordings"
    home.mkdir(parents=True)
    noise = np.random.default_rng(1).normal(0, 0.1, 32000)
    soundfile.write(home / "first.wav", noise, 16000)
    # The synthetic corpus beside it is made small, which keeps this test short and the lines as they are.
    settings = tmp_path / "checkout" / "config" / "default.yaml"
    small = re.sub(
        r"(train|valid|test): \{zh: \d+, en: \d+, zh-en: \d+\}", r"\1: {zh: 6, en: 6, zh-en: 4}", settings.read_text()
    )
    assert small != settings.read_text()
    settings.write_text(small)
    (tmp_path / "checkout" / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "checkout" / ".venv" / "bin" / "activate").write_text(f"PATH={Path(sys.executable).parent}:$PATH\n")
    return tmp_path / "checkout"


def test_own_corpus(repository: Path, checkout: Path) -> None:
    environment = os.environ | {"HOME": str(checkout.parent / "home"), "OMP_NUM_THREADS": "1"}
    environment["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    script = "set -e\n" + "\n".join(own_corpus_lines(repository))
    ran = subprocess.run(
        ["bash", "-c", script], check=False, cwd=checkout, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    dataset = json.loads((checkout / "results" / "mine" / "shards" / "dataset.json").read_text())
    assert dataset["corpora"]["mine"]["kept"] == 1
    assert dataset["corpora"]["mine"]["set_aside"] == {}
    assert dataset["corpora"]["synthetic"]["rows"] == 48
    assert re.search(r"mine\W+train\W+kept\W+1\b", ran.stdout), ran.stdout
