from pathlib import Path

import pytest

from earmark.io import read_parquet
from earmark.train.records import SCHEMA, Records

VALUES = {"loss": 1.5, "rate": 1e-3, "gradient_norm": 2.0, "audio_seconds": 30.0, "padding": 0.1}


def records(folder: Path, active: bool = True) -> Records:
    made = Records("pretrain", 2, 4, folder / "logs", active)
    for step in (3, 4):
        made.add(step, **VALUES, ctc=1.25)
    return made


def test_a_row_a_step(tmp_path: Path) -> None:
    records(tmp_path).close(tmp_path)
    table = read_parquet(tmp_path / "metrics.parquet")
    assert table.schema == SCHEMA
    first, second = table.to_pylist()
    assert (first["stage"], first["step"], second["step"]) == ("pretrain", 3, 4)
    assert first["loss"] == 1.5 and first["ctc"] == 1.25 and first["consistency"] is None
    assert first["padding"] == pytest.approx(0.1)
    assert first["time"] <= second["time"]


def test_speed_is_audio_over_the_time_of_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 101.5, 104.5])
    monkeypatch.setattr("earmark.train.records.time.time", lambda: next(now))
    made = Records("pretrain", 0, 2, tmp_path / "logs", active=False)
    made.add(1, **VALUES)
    made.add(2, **VALUES)
    assert [row["audio_seconds_per_second"] for row in made.rows] == [20.0, 10.0]


def test_tensorboard_reads_the_same_values(tmp_path: Path) -> None:
    records(tmp_path).close(tmp_path)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "logs" / "pretrain"))
    events.Reload()
    found = {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert found["loss"] == [(3, 1.5), (4, 1.5)]
    assert found["ctc"] == [(3, 1.25), (4, 1.25)]
    assert "consistency" not in found


def test_only_the_first_rank_leaves_files(tmp_path: Path) -> None:
    records(tmp_path, active=False).close(tmp_path)
    assert not list(tmp_path.iterdir())


def test_segment_of_no_steps_is_an_empty_table(tmp_path: Path) -> None:
    Records("align", 0, 0, tmp_path / "logs", active=True).close(tmp_path)
    assert len(read_parquet(tmp_path / "metrics.parquet")) == 0
