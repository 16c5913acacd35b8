"""Runs side by side: every value is a file's, what a run lacks is empty, and unequal updates are said."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import made_run
import pytest
from tiny import Runner

from earmark.config import Config, dump
from earmark.config.files import merged
from earmark.data.catalog import write_settings
from earmark.errors import UserError
from earmark.io import read_json, write_json
from earmark.report.compare import cells, compare, rates


def variant(folder: Path, run: str, **changes: Any) -> Config:
    """A finished full run whose settings say that it is a variant: only what they ask for is read."""
    config = made_run.make(folder, run=run)
    config = Config.model_validate(merged(dump(config), changes))
    write_settings(config, config.folder)
    return config


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    configs = [
        variant(tmp_path, "full"),
        variant(tmp_path, "no_joint", post_training={"stages": ["align", "ia_sft"]}),
        variant(
            tmp_path,
            "aed",
            decoder={"n_heads": 4},
            stages={"pretrain": {"loss": "aed", "trained": ["encoder", "decoder"]}},
        ),
    ]
    return [config.folder for config in configs]


def test_rows_hold_what_the_files_hold(runs: list[Path]) -> None:
    full, no_joint, aed = compare(runs)
    scores = {(one["test"], one["system"]): one for one in read_json(runs[0] / "evaluation" / "scores.json")}
    beam = scores["test_zh", "beam"]
    assert full["cer_zh"] == (beam["rate"], beam["low"], beam["high"])
    assert full["hallucination test_zh"] == beam["hallucination_rate"]
    assert full["updates"] == 600 + 40 + 2 * 40 + 60 + 80
    assert no_joint["updates"] == full["updates"] - 80
    # Every step of the made run has five seconds of speech.
    assert full["hours trained on"] == pytest.approx(full["updates"] * 5 / 3600)
    joint = read_json(runs[0] / "entropy" / "joint_0000080.json")
    assert [full[key] for key in ("nse", "pai", "csai")] == [joint[key] for key in ("nse", "pai", "csai")]
    last = read_json(runs[1] / "entropy" / "ia_sft_3_0000060.json")
    assert no_joint["pai"] == last["pai"] != full["pai"]
    assert (full["pretraining"], aed["pretraining"]) == ("CR-CTC, phones", "AED, phones")
    assert no_joint["post-training"] == "alignment, IA-SFT 1, IA-SFT 2, IA-SFT 3"
    assert aed["per_zh"] is None and full["per_zh"] is not None
    assert full.keys() == no_joint.keys() == aed.keys()


def test_cells_have_a_column_a_bound(runs: list[Path]) -> None:
    names, rows = cells(compare(runs))
    assert all(len(row) == len(names) for row in rows)
    place = names.index("per_zh")
    assert names[place : place + 3] == ["per_zh", "per_zh low", "per_zh high"]
    assert rows[0][place + 1] <= rows[0][place] <= rows[0][place + 2]
    assert rows[2][place : place + 3] == (None, None, None)


def scored(folder: Path, run: str, seed: int, rate: float) -> Path:
    """A finished run with a seed, and a CER on test_zh."""
    config = variant(folder, run, seed=seed)
    path = config.folder / "evaluation" / "scores.json"
    scores = read_json(path)
    for one in scores:
        if (one["test"], one["system"]) == ("test_zh", "beam"):
            one["rate"] = rate
    write_json(path, scores)
    return config.folder


def test_spread_is_of_runs_that_differ_in_their_seed(earmark: Runner, tmp_path: Path) -> None:
    folders = [scored(tmp_path, f"seed_{seed}", seed, rate) for seed, rate in ((1, 0.02), (2, 0.03), (3, 0.07))]
    code, out, _ = earmark("compare", "--spread", *folders, "--format", "json")
    assert code == 0
    first = json.loads(out)[0]
    assert (first["rate"], first["lowest"], first["highest"], first["runs"]) == ("cer_zh", 0.02, 0.07, 3)
    assert (first["mean"], first["deviation"]) == (pytest.approx(0.04), pytest.approx(0.0007**0.5))
    assert [row["rate"] for row in json.loads(out)] == ["cer_zh", "wer_en", "per_zh"]


def test_spread_of_other_runs_is_refused(earmark: Runner, runs: list[Path]) -> None:
    for given, said in ((runs[:2], "differ in post_training, not in their seed alone"), (runs[:1], "two runs or more")):
        code, _, error = earmark("compare", "--spread", *given)
        assert (code, said in error) == (2, True)


def test_figure_draws_a_line_a_run(runs: list[Path]) -> None:
    drawing = rates(compare(runs))
    assert drawing.svg.startswith("<?xml")
    assert drawing.alt == "Error rates of full, no_joint, aed: cer_zh, wer_en, per_zh."


def test_command_prints_and_writes_a_page(earmark: Runner, runs: list[Path], tmp_path: Path) -> None:
    code, out, _ = earmark("compare", *runs, "--format", "csv", "--output", tmp_path / "page.html")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["run"] for row in rows] == ["full", "no_joint", "aed"]
    page = (tmp_path / "page.html").read_text()
    assert page.count("<tr>") == 4 and "data:image/svg+xml" in page
    assert "The runs differ in their updates" in page
    code, out, _ = earmark("compare", runs[0], runs[2], "--format", "json", "--output", tmp_path / "equal.html")
    assert [row["updates"] for row in json.loads(out)] == [860, 860]
    assert "All runs had equally many updates" in (tmp_path / "equal.html").read_text()


def test_what_is_no_finished_run_is_named(earmark: Runner, runs: list[Path], tmp_path: Path) -> None:
    code, _, err = earmark("compare", runs[0], tmp_path / "none")
    assert code == 2
    assert "none is no finished run" in err
    (runs[0] / "evaluation" / "scores.json").unlink()
    with pytest.raises(UserError, match=r"scores\.json does not exist"):
        compare(runs)
