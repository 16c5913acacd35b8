"""The workflow of config/paper.yaml, planned: from finished shards, and after the paper's decisions."""

import json
import os
import re
import time
from pathlib import Path

import pytest
from conftest import REPOSITORY, Run

from earmark.config import load
from earmark.paths import RunPaths

PAPER = REPOSITORY / "config" / "paper.yaml"
TRIGGERS = (1_010_000, 1_320_000, 2_000_000)


class Stub:
    """A run of paper.yaml whose results are empty files, each newer than the one before."""

    def __init__(self, folder: Path):
        self.run = Run(folder)
        self.config = load(PAPER)
        self.paths = RunPaths(folder / self.config.folder)
        self.clock = time.time() - 10_000
        splits = {test.split for test in self.config.evaluation.tests}
        self.put(self.paths.dataset, {"bounds": {split: {} for split in sorted(splits)}})

    def put(self, path: Path, content: object = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content or {}))
        self.clock += 1
        os.utime(path, (self.clock, self.clock))

    def jobs(self, *targets: str) -> dict[str, int]:
        """Planned jobs by rule."""
        said = self.run.finish(
            *targets, "--dry-run", "--quiet", "rules", config=(f"settings={PAPER}", "data=False"), timeout=300
        )
        return {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}


def test_pretraining_is_planned_up_to_the_first_decision(tmp_path: Path) -> None:
    jobs = Stub(tmp_path).jobs()
    assert jobs.pop("total") == sum(jobs.values())
    # 510k steps, 10k a segment: the reference at 500k, and the first score.
    assert jobs == {"all": 1, "language": 1, "pretrain": 51, "cka": 1, "decide": 1}


@pytest.mark.slow
def test_the_paper_s_triggers_plan_table_5(tmp_path: Path) -> None:
    """Bound: 60 s of processor for the whole of post-training."""
    stub = Stub(tmp_path)
    stub.put(stub.paths.llm / "done.json")
    reference, triggers, surplus = stub.config.watch.first_step, list[int](), list[int]()
    for step in range(10_000, 2_000_001, 10_000):
        stub.put(stub.paths.step("pretrain", step) / "done.json")
        if step in stub.config.watched_steps():
            stub.put(stub.paths.score(step, reference))
            triggers += [step] if step in TRIGGERS else []
            reference = triggers[-1] if triggers else reference
            state = {"step": step, "triggers": triggers, "surplus": surplus, "reference": reference}
            stub.put(stub.paths.decision(step), state)
    before = os.times()
    jobs = stub.jobs()
    after = os.times()
    # Alignment 1.3 M, IA-SFT 1.0 M, 1.0 M and 2.0 M, joint SFT 2.0 M steps.
    assert jobs["post_train"] == 130 + 100 + 100 + 200 + 200
    assert not {"pretrain", "cka", "decide"} & set(jobs)
    assert after.children_user - before.children_user < 60
