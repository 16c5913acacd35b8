"""What segments leave on disk, and what of it is kept."""

from pathlib import Path

import pytest
from tiny import TinyRun

from earmark.io import write_json
from earmark.paths import step_name
from earmark.train.place import Place
from earmark.train.state.checkpoint import prune

LOSSES = [9.0, 8.0, 7.0, 6.0, 5.0]
"""Validation losses after steps 2 to 10: each checkpoint is better than the one before."""


def segments_of(folder: Path, trained: list[str], losses: list[float] = LOSSES) -> Path:
    """A stage's folder with a segment a loss: engine state, weights of the trained modules, and of a frozen one."""
    frozen = folder / step_name(2) / "frozen.safetensors"
    for number, loss in enumerate(losses, 1):
        place = folder / step_name(2 * number)
        (place / "engine").mkdir(parents=True)
        weights = {name: str(place / f"{name}.safetensors") for name in trained}
        for file in weights.values():
            Path(file).touch()
        named = weights | {"frozen": str(frozen)}
        write_json(
            place / "done.json", {"step": 2 * number, "weights": named, "trained": trained, "valid": {"loss": loss}}
        )
    frozen.touch()
    return folder


def held(folder: Path, pattern: str) -> list[int]:
    """Steps whose segments have such files."""
    return sorted({int(path.relative_to(folder).parts[0].removeprefix("step_")) for path in folder.glob(pattern)})


def place_of(run: TinyRun, instance: str, end: int, **settings: object) -> Place:
    """A segment of a stage of ten steps and more, two a segment."""
    place = Place(run.config, instance, 2, False, 20)
    place.start, place.end = end - 2, end
    place.stage = place.stage.model_copy(update=settings)
    return place


@pytest.mark.parametrize("instance", ["pretrain", "joint"])
def test_engine_states_of_the_newest_two_are_kept(tiny_run: TinyRun, tmp_path: Path, instance: str) -> None:
    folder = segments_of(tmp_path / instance, tiny_run.config.stages.joint.trained)
    prune(folder, place_of(tiny_run, instance, 10))
    assert held(folder, "*/engine") == [8, 10]
    assert held(folder, "*/done.json") == [2, 4, 6, 8, 10]


def test_a_later_segment_of_another_training_is_neither_counted_nor_touched(tiny_run: TinyRun, tmp_path: Path) -> None:
    folder = segments_of(tmp_path / "joint", tiny_run.config.stages.joint.trained)
    prune(folder, place_of(tiny_run, "joint", 4))
    for pattern in ("*/engine", "*/llm.safetensors"):
        assert held(folder, pattern) == [2, 4, 6, 8, 10]
    prune(folder, place_of(tiny_run, "joint", 6))
    for pattern in ("*/engine", "*/llm.safetensors"):
        assert held(folder, pattern) == [4, 6, 8, 10]


def test_segments_of_another_length_are_removed_as_they_are_overtaken(tiny_run: TinyRun, tmp_path: Path) -> None:
    folder = segments_of(tmp_path / "pretrain", [])
    for step in (3, 9, 11):
        (folder / step_name(step) / "engine").mkdir(parents=True)
        (folder / step_name(step) / "done.json").touch()
    prune(folder, place_of(tiny_run, "pretrain", 10))
    assert held(folder, "*") == [2, 3, 4, 6, 8, 10, 11]
    assert held(folder, "*/engine") == [8, 10, 11]


def test_segments_beyond_the_end_of_a_shorter_stage_are_removed_at_its_end(tiny_run: TinyRun, tmp_path: Path) -> None:
    folder = segments_of(tmp_path / "joint", tiny_run.config.stages.joint.trained)
    for end, steps in ((4, [2, 4, 6, 8, 10]), (6, [2, 4, 6])):
        place = place_of(tiny_run, "joint", end)
        place.steps = 6
        prune(folder, place)
        assert held(folder, "*") == steps


def test_pretraining_keeps_all_its_weights(tiny_run: TinyRun, tmp_path: Path) -> None:
    folder = segments_of(tmp_path / "pretrain", tiny_run.config.stages.pretrain.trained)
    prune(folder, place_of(tiny_run, "pretrain", 10))
    assert held(folder, "*/encoder.safetensors") == [2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("settings", "losses", "kept"),
    [
        ({}, LOSSES, [8, 10]),
        ({"average_last": 1}, LOSSES, [8, 10]),
        ({"average_last": 3}, LOSSES, [6, 8, 10]),
        ({"patience": 9}, LOSSES, [8, 10]),
        # The best is what the stage hands on when it stops, and what it averages ends with it.
        ({"patience": 9}, [9.0, 1.0, 7.0, 6.0, 5.0], [4, 8, 10]),
        ({"patience": 9, "average_last": 3}, [9.0, 8.0, 1.0, 6.0, 5.0, 4.0, 3.0], [2, 4, 6, 10, 12, 14]),
    ],
)
def test_weights_of_post_training_that_nothing_needs_are_removed(
    tiny_run: TinyRun, tmp_path: Path, settings: dict[str, int], losses: list[float], kept: list[int]
) -> None:
    trained = tiny_run.config.stages.joint.trained
    folder = segments_of(tmp_path / "joint", trained, losses)
    prune(folder, place_of(tiny_run, "joint", 2 * len(losses), **settings))
    for name in trained:
        assert held(folder, f"*/{name}.safetensors") == kept
    assert held(folder, "*/frozen.safetensors") == [2]  # the newest names it


def test_what_a_stopped_stage_s_segments_name_is_kept(tiny_run: TinyRun, tmp_path: Path) -> None:
    folder = segments_of(tmp_path / "joint", ["llm"])
    best = str(Path("elsewhere") / "joint" / step_name(4) / "llm.safetensors")  # as another working folder names it
    for step in (8, 10):
        done = {"step": step, "weights": {"llm": best}, "trained": ["llm"], "valid": {"loss": 8.0}}
        write_json(folder / step_name(step) / "done.json", done)
    prune(folder, place_of(tiny_run, "joint", 10))
    assert held(folder, "*/llm.safetensors") == [4]
