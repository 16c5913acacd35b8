"""What is no checkpoint's description is told in one line."""

from pathlib import Path
from typing import Any

import pytest
from tiny import CONFIG, Runner, TinyRun

from earmark.errors import CheckpointError
from earmark.io import read_json, write_json
from earmark.models.done import read_done


def test_a_segment_s_description_is_read(tiny_run: TinyRun) -> None:
    done = tiny_run.paths.step("joint", 4) / "done.json"
    assert read_done(done) == read_json(done)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ([], "holds no object"),
        ("joint", "holds no object"),
        (None, "holds no object"),
        ({}, "lacks instance, step, inventory, weights, sha256"),
        ({"instance": "joint", "step": "4", "inventory": "a", "weights": [], "sha256": {}}, "lacks step, weights"),
    ],
)
def test_what_describes_no_segment_is_refused(tmp_path: Path, held: Any, said: str) -> None:
    write_json(tmp_path / "done.json", held)
    with pytest.raises(
        CheckpointError, match=rf"done\.json {said}: name the done\.json of a training segment, or train"
    ):
        read_done(tmp_path / "done.json")


def test_the_language_model_s_description_is_no_segment_s(earmark: Runner, tiny_copy: TinyRun) -> None:
    done = tiny_copy.paths.llm / "done.json"
    code, _, err = earmark("train", CONFIG, "joint", 2, "--before", done)
    assert code == 2
    assert err.startswith(f"error: {done} lacks instance, ")
    assert err.count("\n") == 1
