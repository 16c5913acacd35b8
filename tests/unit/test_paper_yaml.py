"""config/paper.yaml against numbers copied from the paper by hand, and against the lists of corpora and test sets."""

from pathlib import Path

import pytest
import yaml

from earmark.config import Config, load
from earmark.corpora import tables
from earmark.diagnose.watch import phases

M = 1_000_000
STAGES = {
    # stage: (trained, loss, frames a batch, peak rate, steps, steps of the last phase); section 3.4, A.3, Table 5
    "pretrain": ({"encoder", "ctc_head"}, "cr_ctc", 20_000, 5.0e-4, 2 * M, None),
    "align": ({"adaptor"}, "next_token", 10_000, 1.0e-3, 1.3 * M, None),
    "ia_sft": ({"adaptor", "llm"}, "next_token", 7_000, 1.0e-5, 1 * M, 2 * M),
    "joint": ({"encoder", "adaptor", "llm"}, "next_token", 7_000, 1.0e-5, 2 * M, None),
}


@pytest.fixture(scope="module")
def path(repository: Path) -> Path:
    return repository / "config" / "paper.yaml"


@pytest.fixture(scope="module")
def paper(path: Path) -> Config:
    return load(path)


@pytest.mark.parametrize("name", STAGES)
def test_stage_is_the_paper_s(paper: Config, name: str) -> None:
    stage = getattr(paper.stages, name)
    found = (set(stage.trained), stage.loss, stage.frames_per_batch, stage.peak_rate, stage.steps)
    assert (*found, stage.last_phase_steps) == STAGES[name]
    assert (stage.warmup_steps, stage.accumulation, stage.tail_fraction) == (8_000, 4, 0.0)
    assert stage.half_life is not None  # exponential decay
    assert stage.short_first is None and stage.consistency_from == 0


def test_masks_are_those_of_cr_ctc_in_icefall(paper: Config) -> None:
    augment, ratio = paper.stages.pretrain.augment, 2.5  # its time_mask_ratio
    assert augment is not None
    assert (augment.time_masks, augment.time_fraction) == (10 * ratio, pytest.approx(0.15 * ratio))
    assert (augment.time_width, augment.freq_masks, augment.freq_width, augment.warp) == (100, 2, 27, 80)
    assert (augment.mask_probability, augment.warp_probability) == (0.9, 0.9)
    assert (augment.level_shift, augment.from_step) == (0.0, 0)


def test_models_are_the_paper_s(paper: Config) -> None:
    encoder = paper.encoder
    assert (encoder.n_layers, encoder.n_heads, encoder.d_model, encoder.kernel_size) == (16, 20, 1280, 33)
    assert encoder.weights and encoder.cmvn
    assert paper.adaptor.downsample == 4  # 25 Hz to 6.25 Hz
    assert paper.llm == Path("models/Qwen3-1.7B")
    assert paper.prompt == "Transcribe the speech into text."
    assert paper.text.targets == "phones"


def test_training_is_the_paper_s(paper: Config) -> None:
    assert paper.precision == "bfloat16"
    assert paper.decoding.beams == 3
    watch = paper.watch
    assert (watch.first_step, watch.every, watch.tau) == (500_000, 10_000, 0.975)


def test_the_paper_s_triggers_give_table_5(paper: Config) -> None:
    """Alignment with the encoder of 1.01 M; IA-SFT with that of 1.01 M, of 1.32 M, and the final one."""
    state = {"triggers": [1_010_000, 1_320_000]}
    assert phases(state, paper.stages.pretrain.steps) == [1_010_000, 1_320_000, 2 * M]
    assert {1_010_000, 1_320_000} < set(paper.watched_steps())
    assert paper.watch.max_swaps >= len(state["triggers"])
    assert [paper.stage_steps("ia_sft", last) for last in (False, False, True)] == [M, M, 2 * M]


def test_corpora_are_those_of_table_4(paper: Config) -> None:
    listed = {one.name: (one.reader, one.domain, one.parts) for one in tables.corpora() if one.name != "in_house"}
    found = {one.name: (one.reader, one.domain, one.parts) for one in paper.corpora}
    assert found.pop("aishell_2021_eval") == ("aishell_2021_eval", "benchmark", 1)
    assert found == listed and len(found) == 22
    assert [one.name for one in paper.corpora][:22] == list(listed)  # in its order


def test_test_sets_are_those_of_table_1(paper: Config) -> None:
    listed = [(one.split, one.measure, one.scenario) for one in tables.benchmarks()]
    assert [(one.name, one.measure, one.scenario) for one in paper.evaluation.tests] == listed
    assert {one.corpus for one in tables.benchmarks()} <= {one.name for one in paper.corpora}


def test_each_stage_names_its_section_and_open_choices_are_marked(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for name in STAGES:
        (line,) = [one for one in lines if one.startswith(f"  {name}:")]
        assert "section 3.4" in line, name
    for key in ("peak_rate", "frames_per_batch", "steps", "last_phase_steps"):
        for line in (one for one in lines if one.strip().startswith(f"{key}:")):
            assert "A.3" in line or "Table 5" in line, line
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]  # comments have not eaten a value
