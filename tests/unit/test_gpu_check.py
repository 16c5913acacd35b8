"""The GPU's check at small sizes on the processor: its parts work, and one that fails leaves the others."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from earmark.io import read_json

QUICK = ("device", "encoder", "losses", "search", "diagnosis", "kernels", "evaluation", "watch")


@pytest.fixture(scope="module")
def bench(repository: Path) -> Iterator[ModuleType]:
    """The folder of benchmarks on the path."""
    sys.path.insert(0, str(repository / "bench"))
    import gpu_check

    yield gpu_check
    sys.path.remove(str(repository / "bench"))


@pytest.mark.parametrize("name", QUICK)
def test_a_part_holds_on_the_processor(bench: Any, tmp_path: Path, name: str) -> None:
    import gpu_parts

    found = getattr(gpu_parts, name)(bench.Setup("cpu", True, tmp_path))
    assert found["ok"], found


def test_a_wrong_result_is_no_success(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gpu_parts

    monkeypatch.setattr(gpu_parts, "difference", lambda one, other: 1.0)
    for name in ("encoder", "losses", "diagnosis"):
        assert not getattr(gpu_parts, name)(bench.Setup("cpu", True, tmp_path))["ok"]


def test_a_part_that_fails_or_hangs_leaves_the_others(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a GPU here, a part that asks for one fails; another is given no time."""
    monkeypatch.setitem(bench.LIMITS, "search", 0.1)
    file = tmp_path / "gpu.json"
    assert bench.check(bench.Setup("nowhere", True, tmp_path), ["losses", "search", "device"], file, 100) == [
        "losses",
        "search",
    ]
    found = read_json(file)
    assert "nowhere" in found["losses"]["why"]
    assert found["search"]["why"] == "not within 0 s"
    assert found["device"]["ok"]
    assert bench.check(bench.Setup("cpu", True, tmp_path), ["device"], file, 0) == ["device"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pretrain", "align", "ia_sft", "joint", "processes"])
def test_a_stage_is_updated_and_two_processes_train_what_one_does(bench: Any, tmp_path: Path, name: str) -> None:
    found = bench.run(bench.Setup("cpu", True, tmp_path), name, 200)
    assert found["ok"], found
    if name != "processes":
        assert (Path(found["trace"]) / "trace.json").is_file()
        assert found["seconds_an_update"] > 0
