"""The profile of a step is a trace that a viewer opens, and changes nothing."""

import json
from pathlib import Path

import pytest
import torch
from tiny import CONFIG, Runner, TinyRun

from earmark.train.profile import profiling


def test_trace_has_the_events_of_one_step(earmark: Runner, tiny_copy: TinyRun) -> None:
    folder = tiny_copy.paths.step("joint", 4)
    expected = (folder / "llm.safetensors").read_bytes()
    before = tiny_copy.paths.step("joint", 2) / "done.json"
    code, said, _ = earmark("train", CONFIG, "joint", 4, "--before", before, "--profile")
    assert code == 0
    assert "the profile of step 4 is in results/tiny/joint/step_0000004/trace.json: open it at chrome://tracing" in said
    trace = json.loads((folder / "trace.json").read_text())
    events = [one for one in trace["traceEvents"] if one.get("ph") == "X"]
    step = next(one for one in events if one["name"] == "step 4")
    within = [one for one in events if step["ts"] <= one["ts"] <= step["ts"] + step["dur"]]
    names = {one["name"] for one in within}
    assert {"aten::mm", "aten::cross_entropy_loss"} & names and any("Backward" in name for name in names)
    assert any("Adam.step" in name for name in names)
    assert not any(one["name"] == "step 3" for one in events)
    assert (folder / "llm.safetensors").read_bytes() == expected


@pytest.mark.parametrize(("span", "chosen"), [(range(10, 20), 12), (range(4, 6), 5), (range(4, 5), 4)])
def test_the_third_step_is_profiled_or_the_last(tmp_path: Path, span: range, chosen: int) -> None:
    watching = profiling(span, tmp_path)
    for step in span:
        with watching(step):
            torch.ones(3).sum()
        assert (tmp_path / "trace.json").exists() == (step >= chosen)
