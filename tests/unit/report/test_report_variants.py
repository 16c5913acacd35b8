"""The report of variants: stages left out, a pretraining without CTC head, parts that are another run's."""

import shutil
from pathlib import Path
from typing import Any

import made_run

from earmark.config import Config, dump
from earmark.config.files import merged
from earmark.report.page import write_page
from earmark.report.provenance import commands
from earmark.report.results import Results
from earmark.report.summary import summary


def varied(config: Config, **changes: Any) -> Config:
    """A variant that reads the files of a full run: only what its settings ask for is read."""
    return Config.model_validate(merged(dump(config), changes))


def test_without_joint_sft_the_page_ends_with_ia_sft(tmp_path: Path) -> None:
    config = varied(made_run.make(tmp_path), post_training={"stages": ["align", "ia_sft"]})
    write_page(config, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "This run ends with IA-SFT" in page
    assert "earmark train config/made.yaml --run made joint" not in page
    assert "ia_sft_3/step_0000060/done.json" in page


def test_longer_stages_are_repeated_with_their_updates(tmp_path: Path) -> None:
    full = made_run.make(tmp_path)
    config = varied(full, post_training={"stages": ["align", "joint"], "encoders": "final", "updates": "equal"})
    steps = 80 + 2 * 40 + 60
    for end in (120, 160, 200, steps):
        shutil.copytree(full.paths.step("joint", 80), full.paths.step("joint", end))
    shutil.copy(full.paths.entropy("joint", 80), full.paths.entropy("joint", steps))
    found = dict(commands(Results(config), Path("x.yaml")))
    assert [line.rpartition(" --steps ")[2] for line in found["joint SFT"]] == [str(steps)] * 6
    assert not any("--steps" in line for line in found["alignment"])


def test_a_pretraining_without_ctc_head_says_so(tmp_path: Path) -> None:
    pretrain = {"loss": "best_rq", "trained": ["encoder", "quantizer_head"]}
    config = varied(made_run.make(tmp_path), stages={"pretrain": pretrain})
    write_page(config, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "pretraining by Best-RQ has none" in page
    assert "Pretraining by Best-RQ leaves no CTC head" in page
    assert summary(Results(config))["per_zh"] is None


def test_what_is_shared_is_named_and_not_of_the_run_s_time(tmp_path: Path) -> None:
    other = made_run.make(tmp_path)
    own = varied(other, run="own", shares={"data": "made", "pretraining": "made"})
    for name in ("align", "ia_sft_1", "ia_sft_2", "ia_sft_3", "joint", "evaluation", "entropy"):
        shutil.copytree(other.folder / name, own.folder / name)
    write_page(own, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "pretraining, its watch and the entropy metrics of its snapshots those of <code>made</code>" in page
    assert "earmark train config/own.yaml --run own pretrain" not in page
    assert "earmark language" not in page and "earmark cka" not in page
    results, full = Results(own), Results(other)
    assert results.started == results.stages["align"][0].started > full.started
