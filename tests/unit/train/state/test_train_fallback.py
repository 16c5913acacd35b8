"""A damaged checkpoint: the segment that wrote it is trained again from the one before, with the same bits."""

import shutil
from pathlib import Path

import pytest
from tiny import CONFIG, Runner, TinyRun

from earmark.errors import CheckpointError
from earmark.io import read_json, sha256, write_json
from earmark.train.state.fallback import Job, repairs


def flip(path: Path) -> None:
    """Change one bit in the middle of a file: it can still be read."""
    held = bytearray(path.read_bytes())
    held[len(held) * 3 // 4] ^= 1
    path.write_bytes(held)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES = {
    "weights, a bit": ("encoder.safetensors", flip),
    "weights, cut short": ("ctc_head.safetensors", cut),
    "weights, gone": ("encoder.safetensors", Path.unlink),
    "state, a bit": ("engine/optimizer.safetensors", flip),
    "state, cut short": ("engine/optimizer.safetensors", cut),
}


def done(run: TinyRun, instance: str, step: int) -> Path:
    """Path of done.json as the run itself names it."""
    return run.config.folder / instance / f"step_{step:07d}" / "done.json"


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256(path) for path in sorted(folder.rglob("*.safetensors"))}


def test_nothing_is_repaired_where_all_is_whole(tiny_copy: TinyRun) -> None:
    job = Job("pretrain", 6, before=done(tiny_copy, "pretrain", 4))
    assert repairs(job) == []
    swapped = Job("ia_sft_2", 2, True, done(tiny_copy, "ia_sft_1", 2), done(tiny_copy, "pretrain", 6))
    assert repairs(swapped) == []


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_newest_checkpoint_falls_back_to_the_one_before(earmark: Runner, tiny_copy: TinyRun, kind: str) -> None:
    name, damage = DAMAGES[kind]
    stage, newest = tiny_copy.paths.stage("pretrain"), tiny_copy.paths.step("pretrain", 4)
    expected = files(tiny_copy.paths.step("pretrain", 6))
    # As the run stood when it was to train the last segment: the states of steps 2 and 4 were there.
    for step in (4, 6):
        shutil.rmtree(tiny_copy.paths.step("pretrain", step))
    for step, before in ((2, []), (4, ["--before", done(tiny_copy, "pretrain", 2)])):
        assert earmark("train", CONFIG, "pretrain", step, *before)[0] == 0
    whole, marker = files(newest), newest / "done.json"
    described, modified = marker.read_bytes(), marker.stat().st_mtime_ns
    damage(newest / name)
    code, said, _ = earmark("train", CONFIG, "pretrain", 6, "--before", done(tiny_copy, "pretrain", 4))
    assert code == 0
    damaged = done(tiny_copy, "pretrain", 4).parent / name
    assert f"{damaged} is {'missing' if damage is Path.unlink else 'cut short or damaged'}" in said
    assert f": training pretrain step 4 again from {done(tiny_copy, 'pretrain', 2).parent}\n" in said
    assert "is whole again, with the bits that it had" in said
    assert files(newest) == whole
    assert files(tiny_copy.paths.step("pretrain", 6)) == expected
    # The workflow goes by this file: as it was, it repeats nothing.
    assert (marker.read_bytes(), marker.stat().st_mtime_ns) == (described, modified)
    assert sorted(path.parent.name[-1] for path in stage.glob("*/engine")) == ["4", "6"]


def test_another_stage_s_damaged_file_is_made_again_by_the_segment_that_wrote_it(
    earmark: Runner, tiny_copy: TinyRun
) -> None:
    expected = files(tiny_copy.paths.step("ia_sft_2", 2))
    flip(tiny_copy.paths.step("ia_sft_1", 2) / "llm.safetensors")
    flip(tiny_copy.paths.step("pretrain", 6) / "encoder.safetensors")
    job = Job("ia_sft_2", 2, True, done(tiny_copy, "ia_sft_1", 2), done(tiny_copy, "pretrain", 6))
    assert [(one.job.instance, one.job.step) for one in repairs(job)] == [("ia_sft_1", 2), ("pretrain", 6)]
    shutil.rmtree(tiny_copy.paths.step("ia_sft_2", 2))
    code, said, _ = earmark("train", CONFIG, *job.arguments())
    assert code == 0
    assert said.count("is whole again, with the bits that it had") == 2
    assert files(tiny_copy.paths.step("ia_sft_2", 2)) == expected


def test_what_cannot_be_made_again_is_said(earmark: Runner, tiny_copy: TinyRun) -> None:
    """Step 2 has lost its state, as older segments do: step 4 cannot be trained again from it."""
    flip(tiny_copy.paths.step("pretrain", 4) / "encoder.safetensors")
    code, _, err = earmark("train", CONFIG, "pretrain", 6, "--before", done(tiny_copy, "pretrain", 4))
    assert code == 2
    last = err.rstrip().splitlines()[-1]
    assert last.startswith("error: results/tiny/pretrain/step_0000004/encoder.safetensors is cut short or damaged")
    assert "results/tiny/pretrain/step_0000002, from which it could be trained again, has lost its engine state" in last
    assert last.endswith("delete results/tiny/pretrain, so that the stage is trained again from its start")


def test_a_run_of_before_that_was_recorded_is_not_repaired(tiny_copy: TinyRun) -> None:
    path = done(tiny_copy, "pretrain", 4)
    described = read_json(path)
    del described["job"]
    write_json(path, described)
    flip(path.parent / "encoder.safetensors")
    with pytest.raises(CheckpointError, match=r"does not say what it was trained from: delete results/tiny/pretrain"):
        repairs(Job("pretrain", 6, before=path))


def test_what_was_trained_again_elsewhere_is_taken_as_it_is_now(tiny_copy: TinyRun) -> None:
    """Its own done.json has the new checksum, those that name its file have the old one."""
    snapshot = done(tiny_copy, "pretrain", 6)
    flip(snapshot.parent / "encoder.safetensors")
    described = read_json(snapshot)
    described["sha256"]["encoder"] = sha256(snapshot.parent / "encoder.safetensors")
    write_json(snapshot, described)
    assert repairs(Job("joint", 2, before=done(tiny_copy, "ia_sft_2", 4))) == []


def test_the_last_checkpoint_of_a_stage_that_averaged_is_made_again(earmark: Runner, tiny_copy: TinyRun) -> None:
    """The stage goes on from its last checkpoint, other stages from the mean: each sees the damage of its own."""
    values = read_json(tiny_copy.folder / "settings.json")
    values["stages"]["joint"]["average_last"] = 2
    write_json(Path("averaging.yaml"), values)
    end = done(tiny_copy, "joint", 4)
    assert earmark("train", "averaging.yaml", "joint", 4, "--before", done(tiny_copy, "joint", 2))[0] == 0
    longer, other = (Job(instance, 6, before=end) for instance in ("joint", "ia_sft_3"))
    assert repairs(longer) == repairs(other) == []
    flip(end.parent / "llm.safetensors")
    assert repairs(other) == []
    (repair,) = repairs(longer)
    assert (repair.damage.file, repair.job.step) == (end.parent / "llm.safetensors", 4)
    described = read_json(end)
    del described["averaged"]["sha256"]  # as older ones were
    write_json(end, described)
    assert repairs(longer) == []
    (end.parent / "llm.safetensors").unlink()
    assert [one.damage.what for one in repairs(longer)] == ["is missing"]
