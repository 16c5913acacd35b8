"""The form that Snakemake's catalogue and snakedeploy expect."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY

KEPT = ("Snakefile", "workflow", "config", "profiles", "envs", "src", "LICENSE", ".test")
"""What of a clone the workflow needs."""


def call(*command: str, cwd: Path, **environment: str) -> str:
    """Standard output and error of a command that has to succeed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    given = os.environ | {"PATH": path, "PYTHONPATH": str(REPOSITORY / "src")} | environment
    done = subprocess.run(command, check=False, cwd=cwd, env=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the repository as it stands."""
    folder = tmp_path_factory.mktemp("deploy") / "clone"
    for name in KEPT:
        source = REPOSITORY / name
        folder.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "site.yaml"))
        else:
            shutil.copy(source, folder / name)
    return folder


@pytest.fixture(scope="module")
def without_earmark(tmp_path_factory: pytest.TempPathFactory) -> str:
    """PYTHONPATH in which the package is not installed, whatever this environment has."""
    folder = tmp_path_factory.mktemp("path")
    (folder / "sitecustomize.py").write_text(
        f"import sys\nsys.path = [path for path in sys.path if path != {str(REPOSITORY / 'src')!r}]\n"
    )
    command, given = [sys.executable, "-c", "import earmark"], os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, check=False, capture_output=True, env=given)
    if done.returncode == 0:
        pytest.skip("the package is installed as a copy here")
    return str(folder)


def test_lint_finds_nothing(clone: Path) -> None:
    for settings in ("config/default.yaml", "config/words.yaml", "config/paper.yaml"):
        assert "good condition" in call("snakemake", "--lint", "--config", f"settings={settings}", cwd=clone)


def test_snakefiles_are_formatted(clone: Path) -> None:
    call("snakefmt", "--check", "-l", "120", "Snakefile", "workflow", cwd=clone)


def test_every_rule_has_a_log_and_functions_stand_in_one_file() -> None:
    for path in sorted((REPOSITORY / "workflow/rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        rules = re.split(r"^ *(?:rule|checkpoint) (\w+):$", text, flags=re.MULTILINE)
        for name, body in zip(rules[1::2], rules[2::2], strict=True):
            assert "log:" in body or "shell:" not in body, name
        assert path.name == "common.smk" or not re.search(r"^def ", text, re.MULTILINE), path


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_the_rule_graph_comes_in_time(clone: Path, snakefile: str) -> None:
    """Bound: 15 s, the catalogue's."""
    started = time.monotonic()
    said = call("snakemake", "--snakefile", snakefile, "--directory", ".test", "--rulegraph", cwd=clone)
    assert time.monotonic() - started < 15
    assert {"corpus", "pretrain", "decide"} <= set(re.findall(r'label = "(\w+)"', said))


def test_it_loads_where_the_package_is_not_installed(clone: Path, without_earmark: str) -> None:
    said = call("snakemake", "--dry-run", cwd=clone, PYTHONPATH=without_earmark)
    assert "checkpoint decide:" in said


def test_a_deployed_project_runs_its_dry_run(clone: Path, tmp_path: Path, without_earmark: str) -> None:
    project = tmp_path / "project"
    call("snakedeploy", "deploy-workflow", str(clone), str(project), "--branch", "main", cwd=tmp_path)
    # Of a clone on disk snakedeploy writes the path within it, as config/README.md says.
    snakefile = project / "workflow/Snakefile"
    text = snakefile.read_text(encoding="utf-8")
    assert text.count('"workflow/Snakefile"') == 1
    snakefile.write_text(text.replace('"workflow/Snakefile"', f'"{clone}/workflow/Snakefile"'), encoding="utf-8")
    said = call("snakemake", "--dry-run", "--cores", "2", cwd=project, PYTHONPATH=without_earmark)
    assert "checkpoint decide:" in said
    assert "results/default/pretrain/step_0001000/done.json" in said


def test_the_catalogue_s_file_has_its_form() -> None:
    held = yaml.safe_load((REPOSITORY / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))
    assert held["usage"]["report"] is True
    assert held["usage"]["software-stack-deployment"]["conda"] is True
    schema = yaml.safe_load((REPOSITORY / "config/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    assert {"run", "corpora", "stages"} <= schema["properties"].keys()
