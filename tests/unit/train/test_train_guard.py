"""What is a spike, and that a guard remembers the same over segments."""

import math
from pathlib import Path

import pyarrow as pa
import pytest
from tiny import Runner, TinyRun

from earmark.config import Stage
from earmark.errors import TrainingError
from earmark.io import read_json, read_parquet, write_json, write_parquet
from earmark.train.guard import WARM, WINDOW, Guard, guard_from
from earmark.train.records import SCHEMA


def stage(**values: object) -> Stage:
    plain = {"trained": ["encoder"], "loss": "ctc", "frames_per_batch": 1000, "steps": 8, "segment_steps": 2}
    return Stage.model_validate(plain | {"peak_rate": 1e-3} | values)


def judge(guard: Guard, loss: float) -> bool:
    """Whether a loss is a spike; as the loop does, the guard is told what came of it."""
    spike = guard.is_spike(loss)
    if spike:
        guard.count(0, loss, 1.0, [])
    else:
        guard.keep(loss)
    return spike


def test_there_is_no_guard_by_default() -> None:
    guard = Guard(stage(), [1.0] * WINDOW)
    assert not guard.on
    assert not any(guard.is_spike(loss) for loss in (1e9, math.nan, math.inf))


def test_a_spike_is_above_so_many_times_the_median(tmp_path: Path) -> None:
    guard = Guard(stage(spike=2.0), [1.0, 2.0, 2.0, 3.0] * 15)
    assert [judge(guard, loss) for loss in (4.0, 4.01, -math.inf, math.nan)] == [False, True, True, True]
    assert guard.row == 3
    assert not judge(guard, 3.9)
    assert guard.row == 0


def test_spikes_are_not_remembered_as_losses() -> None:
    guard = Guard(stage(spike=2.0, spikes_in_a_row=1000), [1.0] * WARM)
    for _ in range(3 * WINDOW):
        assert judge(guard, 5.0)
    assert guard.median() == 1.0


def test_a_stage_s_first_losses_are_not_judged_unless_they_are_no_numbers() -> None:
    guard = Guard(stage(spike=2.0))
    assert not any(judge(guard, 100.0 * number) for number in range(1, WARM + 1))
    assert guard.is_spike(1e6)
    assert Guard(stage(spike=2.0)).is_spike(math.nan)


def test_one_too_many_ends_the_segment_with_the_ids() -> None:
    guard = Guard(stage(spike=2.0, spikes_in_a_row=2), [1.0] * WARM)
    assert guard.count(6, 9.0, 1.0, ["a", "b"]).endswith("its update is left out (spike 1 in a row): a, b")
    with pytest.raises(
        TrainingError, match=r"loss of step 8 is 8, the median of the steps before 1, .*2 in a row.*: c$"
    ):
        guard.count(7, 8.0, 1.0, ["c"])


def test_a_guard_goes_on_over_segments(tmp_path: Path) -> None:
    """One segment or several: the same losses, in the precision of the records, and the same spikes in a row."""
    losses = [1 / 3 + number / 7 for number in range(150)] + [99.0, 98.0]
    whole = Guard(stage(spike=5.0))
    spikes = [judge(whole, loss) for loss in losses]
    assert spikes[-3:] == [False, True, True]
    for start in range(0, 152, 40):
        rows = [
            {"step": start + number + 1, "loss": loss, "skipped": "a b" if spike else None}
            for number, (loss, spike) in enumerate(
                zip(losses[start : start + 40], spikes[start : start + 40], strict=True)
            )
        ]
        folder = tmp_path / f"step_{min(start + 40, 152):07d}"
        write_parquet(folder / "metrics.parquet", pa.Table.from_pylist(rows, schema=SCHEMA))
    # Of an earlier training in segments of another length, which is no part of this one.
    write_parquet(tmp_path / f"step_{150:07d}" / "metrics.parquet", pa.Table.from_pylist(rows, schema=SCHEMA))
    again = guard_from(stage(spike=5.0, segment_steps=40), tmp_path, 152)
    assert (list(again.losses), again.row) == (list(whole.losses), whole.row)
    earlier = guard_from(stage(spike=5.0, segment_steps=40), tmp_path, 40)  # what comes later is of a run before
    assert len(earlier.losses) == 40
    assert guard_from(stage(), tmp_path, 40).losses == guard_from(stage(spike=5.0), tmp_path, 0).losses


def test_a_segment_leaves_out_the_update_of_a_spike_on_one_machine(earmark: Runner, tiny_copy: TinyRun) -> None:
    """A NaN in one batch: with a guard the segment ends, its weights are finite, and the batch is named."""
    values = read_json(tiny_copy.folder / "settings.json")
    values["stages"]["joint"]["spike"] = 1000.0
    write_json(Path("guarded.yaml"), values)
    before = tiny_copy.paths.step("joint", 2) / "done.json"
    encoder = tiny_copy.paths.step("joint", 4) / "encoder.safetensors"
    expected = encoder.read_bytes()
    assert earmark("train", "guarded.yaml", "joint", 4, "--before", before)[0] == 0
    assert encoder.read_bytes() == expected  # a guard that sees nothing changes nothing
    from earmark.train import tasks

    forward, calls = tasks.NextTokenTask.forward, []

    def spoiled(task: tasks.NextTokenTask, batch: object, moment: object) -> tasks.Loss:
        loss = forward(task, batch, moment)
        calls.append(moment)
        return loss._replace(value=loss.value * math.nan) if len(calls) == 2 else loss

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks.NextTokenTask, "forward", spoiled)
        code, said, _ = earmark("train", "guarded.yaml", "joint", 4, "--before", before)
    assert code == 0
    assert "the loss of step 3 is nan" in said and "its update is left out (spike 1 in a row): " in said
    skipped = [row["skipped"] for row in read_parquet(encoder.parent / "metrics.parquet").to_pylist()]
    assert skipped[0] and skipped[0].split()[0] in said and skipped[1] is None
    assert encoder.read_bytes() != expected
    assert math.isfinite(read_json(encoder.parent / "done.json")["valid"]["loss"])
