"""What segments leave on disk, and what of it is kept."""

from pathlib import Path

from tiny import TinyRun

from earmark.train.checkpoint import prune
from earmark.train.place import Place


def test_state_at_the_stage_s_end_outlives_newer_ones(tiny_run: TinyRun, tmp_path: Path) -> None:
    for step in (2, 4, 6, 8, 10):
        (tmp_path / f"step_{step:07d}" / "engine").mkdir(parents=True)
        (tmp_path / f"step_{step:07d}" / "done.json").touch()
    place = Place(tiny_run.config, "joint", 4, False)  # the stage ends at 4
    prune(tmp_path, place)
    assert sorted(path.parent.name[-2:] for path in tmp_path.glob("*/engine")) == ["04", "08", "10"]
    assert len(list(tmp_path.glob("*/done.json"))) == 5
