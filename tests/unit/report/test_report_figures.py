import xml.etree.ElementTree as ET
from pathlib import Path

import made_run
import numpy as np
import pytest

from earmark.io import read_json, write_json
from earmark.report import curves, figures, timeline, trajectories
from earmark.report.drawing import Drawing
from earmark.report.results import Results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(made_run.make(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def drawn(results: Results) -> dict[str, Drawing]:
    return figures.draw_all(results)


def test_all_six_are_drawn(drawn: dict[str, Drawing]) -> None:
    assert list(drawn) == ["timeline", "drift", "losses", "validation", "trajectories", "layers"]
    for drawing in drawn.values():
        root = ET.fromstring(drawing.svg)
        assert root.tag.endswith("svg")
        assert not [node for node in root.iter() if node.tag.endswith(("}text", "}script"))], "glyphs are paths"
        assert drawing.alt and drawing.caption


def test_a_figure_is_drawn_alike_twice(results: Results, drawn: dict[str, Drawing]) -> None:
    assert curves.drift(results).svg == drawn["drift"].svg


def test_timeline_says_that_stages_overlapped(results: Results, drawn: dict[str, Drawing]) -> None:
    began, ended = timeline.overlap(results)
    assert ended - began == 17
    assert "began 17 s before pretraining ended" in drawn["timeline"].alt
    assert "300 to alignment, 500 to IA-SFT 2, 600 to IA-SFT 3" in drawn["timeline"].alt


def test_timeline_says_that_they_did_not(tmp_path: Path) -> None:
    results = Results(made_run.make(tmp_path, rates=(0.99, 0.98, 0.97, 0.96)))
    assert "after pretraining had ended" in timeline.timeline(results).alt
    assert [step for step, _ in timeline.swaps(results)] == [600]
    assert "swaps at steps none" in curves.drift(results).alt


def test_an_interruption_shows_as_time_in_which_nothing_was_trained(tmp_path: Path) -> None:
    config = made_run.make(tmp_path)
    assert timeline.idle(Results(config)) == []
    for step in (40, 80):
        path = config.folder / "joint" / f"step_{step:07d}" / "done.json"
        done = read_json(path)
        write_json(path, done | {"started": done["started"] + 500, "ended": done["ended"] + 500})
    results = Results(config)
    ((began, ended),) = timeline.idle(results)
    assert ended - began == pytest.approx(501)
    assert began == results.stages["ia_sft_3"][-1].ended


def test_surplus_triggers_are_told(drawn: dict[str, Drawing]) -> None:
    assert "after the 2 swaps allowed (steps 600)" in drawn["drift"].caption


@pytest.mark.parametrize(
    ("csai", "pai", "alarms"), [(0.1, -0.1, 1), (0.1, 0.1, 0), (-0.1, -0.1, 0), (-0.1, 0.1, 0), (0.0, -0.1, 0)]
)
def test_alarm_where_csai_rises_while_pai_falls(tmp_path: Path, csai: float, pai: float, alarms: int) -> None:
    found = trajectories.warnings(Results(made_run.make(tmp_path, csai=csai, pai=pai)))
    assert [(old["instance"], new["instance"]) for old, new in found] == [("ia_sft_3", "joint")] * alarms


def test_alarm_between_points_within_joint_sft(tmp_path: Path) -> None:
    config = made_run.make(tmp_path, csai=-0.1, pai=0.2)
    last = read_json(config.folder / "entropy" / "joint_0000080.json")
    early = last | {"step": 40, "csai": last["csai"] - 0.5, "pai": last["pai"] + 0.5}
    write_json(config.folder / "entropy" / "joint_0000040.json", early)
    assert [(old["step"], new["step"]) for old, new in trajectories.warnings(Results(config))] == [(40, 80)]


def test_drawn_curves_keep_their_mean_and_ends() -> None:
    x, y = curves.binned(range(1, 10_001), np.arange(10_000.0), points=100)
    assert len(x) == len(y) == 100
    assert y.mean() == pytest.approx(4999.5)
    assert x[0] == pytest.approx(50.5)
    same, _ = curves.binned([1, 2], [3.0, 4.0])
    assert same.tolist() == [1, 2]


def test_smoothing_is_a_mean_that_shifts_nothing() -> None:
    assert curves.smoothed(np.full(50, 2.0)) == pytest.approx(np.full(50, 2.0))
    assert curves.smoothed(np.arange(100.0))[50] == pytest.approx(50.0)
    assert curves.smoothed(np.array([1.0])) == pytest.approx([1.0])


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0 s"), (47.4, "47 s"), (117, "1.9 min"), (3600 * 5, "5.0 h"), (86400 * 9, "9.0 d")]
)
def test_lengths_of_time(seconds: float, shown: str) -> None:
    assert timeline.duration(seconds) == shown
