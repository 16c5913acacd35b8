"""Several processes: a run goes on at another number of them, and outlives the death of one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import yaml

from earmark.io import read_parquet, read_tensors, sha256, write_json, write_tensors

pytestmark = pytest.mark.slow

SETTINGS: dict[str, Any] = {
    "run": "elastic",
    "processes": 2,
    "corpora": [
        {
            "name": "spoken",
            "reader": "synthetic",
            "train": {"zh": 30, "en": 30, "zh-en": 10},
            "valid": {"zh": 4, "en": 4, "zh-en": 4},
            "test": {"zh": 2, "en": 2, "zh-en": 2},
        }
    ],
    "encoder": {"n_layers": 1, "n_heads": 2, "d_model": 16, "kernel_size": 7, "dropout": 0.1},
}
LOSS = 1e-4
"""Largest difference of losses (nats): sums over processes are ordered differently."""
WEIGHTS = 2e-4
"""Largest difference of weights after four updates of 1e-2 at most each."""


class Elastic:
    """A run whose segments are trained at any number of processes."""

    def __init__(self, folder: Path, repository: Path, precision: str = "float32"):
        self.folder, self.config = folder, folder / "elastic.yaml"
        values = yaml.safe_load((repository / "config" / "default.yaml").read_text()) | SETTINGS
        values["precision"] = precision
        values["results"] = str(folder)
        values["stages"]["pretrain"] |= {"steps": 8, "segment_steps": 4, "consistency_from": 2, "warmup_steps": 2}
        values["stages"]["pretrain"] |= {"accumulation": 2, "peak_rate": 1e-2, "short_first": None}
        values["stages"]["pretrain"]["augment"]["from_step"] = 1
        for stage in ("align", "ia_sft", "joint"):
            values["stages"][stage]["accumulation"] = 2
        values["watch"] |= {"first_step": 4, "every": 4}
        self.config.write_text(yaml.safe_dump(values))

    def earmark(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), check=False, env=self.environment, capture_output=True, text=True, timeout=300
        )

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "earmark.cli", *map(str, arguments)]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

    def step(self, step: int) -> Path:
        return self.folder / "elastic" / "pretrain" / f"step_{step:07d}"

    def train(self, step: int, processes: int) -> str:
        """Train the segment that ends with `step`; what the command printed."""
        before = ["--before", self.step(step - 4) / "done.json"] if step > 4 else []
        ran = self.earmark("train", self.config, "pretrain", step, *before, "--processes", processes)
        assert ran.returncode == 0, ran.stderr[-3000:]
        return ran.stdout + ran.stderr

    def left(self, step: int) -> dict[str, Any]:
        """What a segment left: done.json, rows of metrics.parquet, weights."""
        folder = self.step(step)
        return {
            "done": json.loads((folder / "done.json").read_text()),
            "rows": read_parquet(folder / "metrics.parquet").to_pylist(),
            "weights": read_tensors(folder / "encoder.safetensors")[0],
        }


@pytest.fixture(scope="module")
def elastic(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Elastic:
    run = Elastic(tmp_path_factory.mktemp("elastic"), repository)
    for verb in (["corpus"], ["label"], ["shards"]):
        assert run.earmark(*verb, run.config, "spoken").returncode == 0
    assert run.earmark("dataset", run.config).returncode == 0
    return run


@pytest.fixture(scope="module")
def halves(elastic: Elastic, tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Elastic:
    """A run in bfloat16 on the same data, trained at two processes to its first segment's end."""
    run = Elastic(tmp_path_factory.mktemp("halves"), repository, "bfloat16")
    data = shutil.ignore_patterns("pretrain", "tensorboard")
    shutil.copytree(elastic.folder / "elastic", run.folder / "elastic", ignore=data)
    run.train(4, 2)
    return run


@pytest.fixture(scope="module")
def uninterrupted(elastic: Elastic) -> dict[int, dict[str, Any]]:
    """Both segments at two processes."""
    for step in (4, 8):
        elastic.train(step, 2)
    return {step: elastic.left(step) for step in (4, 8)}


def compare(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert [row["step"] for row in found["rows"]] == [row["step"] for row in expected["rows"]]
    for row, other in zip(found["rows"], expected["rows"], strict=True):
        assert row["loss"] == pytest.approx(other["loss"], abs=LOSS), row["step"]
        assert row["gradient_norm"] == pytest.approx(other["gradient_norm"], rel=1e-3), row["step"]
    assert found["done"]["valid"]["loss"] == pytest.approx(expected["done"]["valid"]["loss"], abs=LOSS)
    for name, tensor in found["weights"].items():
        assert float((tensor - expected["weights"][name]).abs().max()) < WEIGHTS, name


@pytest.mark.parametrize("processes", [1, 4])
def test_going_on_at_another_number_of_processes(
    elastic: Elastic, uninterrupted: dict[int, dict[str, Any]], processes: int
) -> None:
    elastic.train(4, 2)
    said = elastic.train(8, processes)
    assert f"engine: written by 2 process(es), made universal, and read by {processes}" in said
    found = elastic.left(8)
    assert found["done"]["processes"] == processes
    assert found["done"]["order"] == uninterrupted[8]["done"]["order"]
    compare(found, uninterrupted[8])
    assert not (elastic.step(4) / ".universal").exists()


def test_one_process_s_state_goes_on_at_two(elastic: Elastic, uninterrupted: dict[int, dict[str, Any]]) -> None:
    elastic.train(4, 1)
    assert (elastic.step(4) / "engine" / "optimizer.safetensors").is_file()
    compare(elastic.left(4), uninterrupted[4])
    assert "engine: written by 1 process(es), made universal, and read by 2" in elastic.train(8, 2)
    compare(elastic.left(8), uninterrupted[8])


def test_in_bfloat16_the_same_number_of_processes_leaves_the_same_bits_on_one_machine(halves: Elastic) -> None:
    halves.train(8, 2)
    once = halves.left(8)["done"]["sha256"]
    halves.train(8, 2)
    assert halves.left(8)["done"]["sha256"] == once


@pytest.mark.parametrize("processes", [1, 4])
def test_in_bfloat16_another_number_of_processes_goes_on(halves: Elastic, processes: int) -> None:
    halves.train(8, 2)
    expected = halves.left(8)
    said = halves.train(8, processes)
    assert f"engine: written by 2 process(es), made universal, and read by {processes}" in said
    found = halves.left(8)
    for row, other in zip(found["rows"], expected["rows"], strict=True):
        assert row["loss"] == pytest.approx(other["loss"], abs=10 * LOSS), row["step"]
        assert row["gradient_norm"] == pytest.approx(other["gradient_norm"], rel=1e-2), row["step"]
    # Biases of keys have no gradient but noise, and bfloat16's is larger: the update is compared as a whole.
    before = read_tensors(halves.step(4) / "encoder.safetensors")[0]
    assert {tensor.dtype for tensor in before.values() if tensor.is_floating_point()} == {torch.bfloat16}
    apart, moved = (_distance(weights, expected["weights"]) for weights in (found["weights"], before))
    assert apart < 1e-2 * moved


def _distance(some: dict[str, torch.Tensor], others: dict[str, torch.Tensor]) -> float:
    """Length of the difference of two models' weights."""
    return sum(float((tensor.double() - others[name].double()).square().sum()) for name, tensor in some.items()) ** 0.5


def test_moments_matter(elastic: Elastic, uninterrupted: dict[int, dict[str, Any]]) -> None:
    """The comparison above sees a state that is lost: without Adam's moments, weights come out elsewhere."""
    elastic.train(4, 1)
    state = elastic.step(4) / "engine" / "optimizer.safetensors"
    tensors, _ = read_tensors(state)
    write_tensors(state, {name: 0 * one if "exp" in name else one for name, one in tensors.items()}, {})
    described = json.loads((elastic.step(4) / "done.json").read_text())
    described["state"]["optimizer.safetensors"] = sha256(state)
    write_json(elastic.step(4) / "done.json", described)
    elastic.train(8, 1)
    with pytest.raises(AssertionError):
        compare(elastic.left(8), uninterrupted[8])


def test_a_rank_that_dies_ends_the_others_and_the_segment_starts_over_on_one_machine(
    elastic: Elastic, uninterrupted: dict[int, dict[str, Any]]
) -> None:
    elastic.train(4, 2)
    marker = elastic.step(8) / "done.json"
    marker.unlink(missing_ok=True)
    before = ["--before", elastic.step(4) / "done.json"]
    with (elastic.folder / "out.txt").open("w+") as out:
        process = subprocess.Popen(
            elastic.command("train", elastic.config, "pretrain", 8, *before),
            env=elastic.environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        ranks = wait_for_ranks(process.pid, 2)
        os.kill(ranks[1], signal.SIGKILL)
        killed = time.monotonic()
        code = process.wait(120)
        seconds = time.monotonic() - killed
    said = (elastic.folder / "out.txt").read_text()
    assert code == 2
    assert seconds < 60
    assert not any(psutil.pid_exists(one) for one in ranks.values())
    assert "error: one of 2 training processes died and the others were stopped" in said.splitlines()[-1]
    assert not marker.exists()
    elastic.train(8, 2)
    assert elastic.left(8)["done"]["sha256"] == uninterrupted[8]["done"]["sha256"]
    print(f"the others had ended {seconds:.1f} s after the death")


def wait_for_ranks(parent: int, count: int) -> dict[int, int]:
    """Process numbers of the ranks once all have built their model; they are stopped at nothing."""
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        found = {}
        for one in psutil.Process(parent).children(recursive=True):
            try:
                # gloo's threads are there: the rank has met the others.
                if "RANK" in one.environ() and "earmark.cli" in " ".join(one.cmdline()) and one.num_threads() > 4:
                    found[int(one.environ()["RANK"])] = one.pid
            except psutil.Error:
                continue
        if len(found) == count:
            return found
        time.sleep(0.02)
    raise AssertionError("the ranks did not come up")


def test_what_a_rank_says_is_the_last_line(elastic: Elastic, uninterrupted: dict[int, dict[str, Any]]) -> None:
    """A user's mistake in a rank: one line and exit code 2, after torchrun's report."""
    values = yaml.safe_load(elastic.config.read_text())
    values["stages"]["pretrain"]["frames_per_batch"] = 50
    narrow = elastic.folder / "narrow.yaml"
    narrow.write_text(yaml.safe_dump(values))
    ran = elastic.earmark("train", narrow, "pretrain", 4)
    assert ran.returncode == 2
    last = ran.stderr.rstrip().splitlines()[-1]
    assert last.startswith("error: utterance spoken-train-")
    assert "frames exceeds frames_per_batch 50, so that its batch would be empty: raise frames_per_batch" in last
