"""The mean of checkpoints, exactly, and who takes it."""

from pathlib import Path

import pytest
import torch
from tiny import CONFIG, Runner, TinyRun

from earmark.errors import CheckpointError
from earmark.io import read_json, read_tensors, sha256, write_json, write_tensors
from earmark.train.state.average import average_files, files_of


def saved(folder: Path, name: str, **tensors: torch.Tensor) -> Path:
    write_tensors(folder / name, tensors, {})
    return folder / name


def test_means_are_exact_on_all_machines(tmp_path: Path) -> None:
    files = [
        saved(
            tmp_path,
            f"{number}.safetensors",
            weight=torch.tensor([number, 3.0 * number, -1.0]),
            count=torch.tensor(number),
            half=torch.tensor([number / 8], dtype=torch.bfloat16),
        )
        for number in (1, 2, 6)
    ]
    average_files(files, tmp_path / "mean.safetensors", {"averaged": "3"})
    tensors, notes = read_tensors(tmp_path / "mean.safetensors")
    assert torch.equal(tensors["weight"], torch.tensor([3.0, 9.0, -1.0]))
    assert torch.equal(tensors["half"], torch.tensor([3 / 8], dtype=torch.bfloat16))
    assert int(tensors["count"]) == 6  # no fraction: the last one's
    assert notes == {"averaged": "3"}


def test_sums_lose_nothing_to_float32(tmp_path: Path) -> None:
    files = [
        saved(tmp_path, str(number), weight=torch.tensor([value])) for number, value in enumerate([2.0**25, 1.0, 1.0])
    ]
    average_files(files, tmp_path / "mean", {})
    assert float(read_tensors(tmp_path / "mean")[0]["weight"]) == torch.tensor((2.0**25 + 2) / 3).item()


def test_mean_of_one_has_its_bits_on_all_machines(tmp_path: Path) -> None:
    weight = torch.randn(100)
    average_files([saved(tmp_path, "one", weight=weight)], tmp_path / "mean", {})
    assert torch.equal(read_tensors(tmp_path / "mean")[0]["weight"], weight)


def test_other_tensors_have_no_mean(tmp_path: Path) -> None:
    files = [saved(tmp_path, "one", weight=torch.ones(2)), saved(tmp_path, "other", weight=torch.ones(3))]
    with pytest.raises(CheckpointError, match=r"one has other tensors than .*other: lower average_last"):
        average_files(files, tmp_path / "mean", {})


def test_a_damaged_file_is_not_averaged(tmp_path: Path) -> None:
    file = saved(tmp_path, "one", weight=torch.ones(2))
    part = {"weights": {"encoder": str(file)}, "sha256": {"encoder": sha256(file)}}
    assert files_of([part], "encoder") == [file]
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"one is missing, cut short or damaged, and is to be averaged"):
        files_of([part], "encoder")


def averaging(run: TinyRun, **counts: int) -> str:
    """A configuration whose stages average so many checkpoints."""
    values = read_json(run.folder / "settings.json")
    for stage, count in counts.items():
        values["stages"][stage]["average_last"] = count
    write_json(Path("averaging.yaml"), values)
    return "averaging.yaml"


def test_a_stage_s_end_hands_on_the_mean_and_keeps_its_last(earmark: Runner, tiny_copy: TinyRun) -> None:
    config, paths = averaging(tiny_copy, pretrain=2), tiny_copy.paths
    before, end = paths.step("pretrain", 4), paths.step("pretrain", 6)
    raw = (end / "encoder.safetensors").read_bytes()
    loss = read_json(end / "done.json")["valid"]["loss"]
    code, said, _ = earmark("train", config, "pretrain", 6, "--before", before / "done.json")
    assert code == 0
    assert "pretrain: the mean of the checkpoints of steps 4, 6 is handed on" in said
    assert (end / "encoder.safetensors").read_bytes() == raw  # training itself is as it was
    done = read_json(end / "done.json")
    assert done["averaged"]["steps"] == [4, 6]
    assert done["averaged"]["valid"]["loss"] == loss != done["valid"]["loss"]
    for name in ("encoder", "ctc_head"):
        assert done["weights"][name].endswith(f"pretrain/step_0000006/{name}.average.safetensors")
        assert done["sha256"][name] == sha256(done["weights"][name])
        assert done["averaged"]["last"][name].endswith(f"pretrain/step_0000006/{name}.safetensors")
        mean, _ = read_tensors(done["weights"][name])
        for key, tensor in read_tensors(before / f"{name}.safetensors")[0].items():
            other = read_tensors(end / f"{name}.safetensors")[0][key]
            assert torch.equal(mean[key], ((tensor.double() + other.double()) / 2).float()), key
    # The last phase of IA-SFT starts with the final encoder: the mean.
    options = ["--before", paths.step("ia_sft_1", 2) / "done.json", "--encoder", end / "done.json", "--last-phase"]
    assert earmark("train", config, "ia_sft_2", 2, *options)[0] == 0
    assert read_json(paths.step("ia_sft_2", 2) / "done.json")["weights"]["encoder"] == done["weights"]["encoder"]


def test_segments_before_the_end_average_nothing(earmark: Runner, tiny_copy: TinyRun) -> None:
    config, folder = averaging(tiny_copy, joint=2), tiny_copy.paths.step("joint", 2)
    expected = read_json(folder / "done.json")["sha256"]
    assert earmark("train", config, "joint", 2, "--before", tiny_copy.paths.step("ia_sft_2", 4) / "done.json")[0] == 0
    done = read_json(folder / "done.json")
    assert "averaged" not in done
    assert done["sha256"] == expected
    assert not list(folder.glob("*.average.*"))


def test_evaluation_takes_the_mean(earmark: Runner, tiny_copy: TinyRun) -> None:
    config, paths = averaging(tiny_copy, joint=5), tiny_copy.paths  # there are two: those are averaged
    end = paths.step("joint", 4)
    assert earmark("train", config, "joint", 4, "--before", paths.step("joint", 2) / "done.json")[0] == 0
    done = read_json(end / "done.json")
    assert done["averaged"]["steps"] == [2, 4]
    assert set(done["averaged"]["last"]) == {"encoder", "adaptor", "llm"}
    from earmark.decode.transcribe import Run

    assert str(Run(tiny_copy.folder, None).weights["llm"]).endswith("llm.average.safetensors")
    assert earmark("evaluate", CONFIG, end / "done.json", paths.step("pretrain", 6) / "done.json")[0] == 0


def test_a_stage_that_goes_on_goes_on_from_its_last_not_the_mean(earmark: Runner, tiny_copy: TinyRun) -> None:
    """Adam's state belongs to the last checkpoint: with two more steps the run is as if nothing had been averaged."""
    before, end = tiny_copy.paths.step("joint", 4) / "done.json", tiny_copy.paths.step("joint", 6)
    plain = before.read_text()
    previous = tiny_copy.paths.step("joint", 2) / "done.json"
    assert earmark("train", averaging(tiny_copy, joint=2), "joint", 4, "--before", previous)[0] == 0
    values = read_json(tiny_copy.folder / "settings.json")
    values["stages"]["joint"] |= {"steps": 6}
    write_json(Path("longer.yaml"), values)
    hashes = []
    for text in (before.read_text(), plain):
        before.write_text(text)
        assert earmark("train", "longer.yaml", "joint", 6, "--before", before)[0] == 0
        hashes.append(sha256(end / "llm.safetensors"))
    assert before.read_text() == plain
    assert hashes[0] == hashes[1]
