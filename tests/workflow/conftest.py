"""The workflow as `make run` calls it, in folders of its own, on tiny.yaml or a variant."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
SETTINGS = "tiny.yaml"
SITE = {"name": "the test's cluster", "gpus_a_node": 2, "cores_a_node": 4, "memory_gb_a_node": 9, "nodes": 2}
"""What slurm.py starts."""
STAGES = ("pretrain", "align", "ia_sft_*", "joint")


class Run:
    """A folder with a configuration and the results of its run, and the calls of snakemake in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.results = folder / "results" / "tiny"
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / SETTINGS).exists():
            shutil.copy(Path(__file__).parent / SETTINGS, folder)

    def set(self, **changes: Any) -> None:
        """Change settings: `set(watch__tau=0.5)`."""
        path = self.folder / SETTINGS
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, value in changes.items():
            *sections, key = name.split("__")
            section = settings
            for one in sections:
                section = section[one]
            section[key] = value
        path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")

    def copy(self, folder: Path) -> "Run":
        """The run as it stands, with times of files and Snakemake's records, somewhere else."""
        subprocess.run(["cp", "-a", self.folder, folder], check=True)
        return Run(folder)

    @property
    def environment(self) -> dict[str, str]:
        """Of the calls."""
        return os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY / "src"),
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "PASSIVE",
        }

    def start(self, *arguments: str, profile: str = "default", config: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Snakemake in a session of its own; its output goes into `snakemake.log`. `config`: further KEY=VALUE."""
        site = self.folder / "config/site.yaml"
        if profile == "slurm" and not site.exists():
            site.parent.mkdir(exist_ok=True)
            site.write_text(yaml.safe_dump(SITE))
        command = [sys.executable, "-m", "snakemake", "--nolock", "--snakefile", str(REPOSITORY / "Snakefile")]
        # Not --profile: settings of profiles/default, which Snakemake then loads as well, would win.
        command += ["--workflow-profile", str(REPOSITORY / "profiles" / profile)]
        with (self.folder / "snakemake.log").open("a") as log:
            return subprocess.Popen(
                [*command, *arguments, "--config", f"settings={SETTINGS}", *config],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def finish(
        self, *arguments: str, profile: str = "default", timeout: float = 800, config: tuple[str, ...] = ()
    ) -> str:
        """Call snakemake to its end; what it said. It has to succeed."""
        said = len(self.said())
        process = self.start(*arguments, profile=profile, config=config)
        try:
            code = process.wait(timeout)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        text = self.said()[said:]
        assert code == 0, text[-6000:]
        return text

    def said(self) -> str:
        """All that snakemake has said in this folder."""
        path = self.folder / "snakemake.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def segments(self) -> dict[str, dict[str, Any]]:
        """done.json of every segment that has ended, by `stage/step_N`."""
        paths = [path for stage in STAGES for path in sorted(self.results.glob(f"{stage}/step_*/done.json"))]
        return {str(path.parent.relative_to(self.results)): json.loads(path.read_text()) for path in paths}

    def weights(self) -> dict[str, str]:
        """SHA-256 of every file of weights, by `stage/step_N/module`."""
        return {
            f"{segment}/{module}": value
            for segment, done in self.segments().items()
            for module, value in done["sha256"].items()
        }

    def times(self, pattern: str) -> dict[str, int]:
        """Modification times (ns) of results."""
        return {str(path.relative_to(self.results)): path.stat().st_mtime_ns for path in self.results.glob(pattern)}

    def last_decision(self) -> dict[str, Any]:
        """State of the watch at its end."""
        return json.loads(sorted(self.results.glob("cka/decision_*.json"))[-1].read_text())


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """An uninterrupted run of tiny.yaml. Tests that change anything copy it first."""
    run = Run(tmp_path_factory.mktemp("workflow") / "finished")
    run.finish()
    yield run
