import os
from pathlib import Path

import made_run
import pytest
from made_run import BEGAN

from earmark.errors import ShardError, UserError
from earmark.io import read_json, write_json
from earmark.report.results import Results, system_of


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(made_run.make(tmp_path_factory.mktemp("run")))


def test_stages_are_those_of_the_decisions_in_order(results: Results) -> None:
    assert list(results.stages) == ["pretrain", "align", "ia_sft_1", "ia_sft_2", "ia_sft_3", "joint"]
    assert results.phases == [300, 500, 600]
    assert [one.step for one in results.stages["ia_sft_2"]] == [40]
    assert [one.step for one in results.stages["ia_sft_3"]] == [40, 60], "the last phase has a length of its own"
    assert [(one.start, one.step) for one in results.stages["joint"]] == [(0, 40), (40, 80)]


def test_each_stage_knows_the_encoder_it_was_given(results: Results) -> None:
    given = {name: parts[-1].encoder_step for name, parts in results.stages.items()}
    assert given == {"pretrain": None, "align": 300, "ia_sft_1": 300, "ia_sft_2": 500, "ia_sft_3": 600, "joint": None}


def test_records_run_over_all_segments(results: Results) -> None:
    assert results.records("joint", ["step"])["step"] == list(range(1, 81))


def test_entropy_is_in_the_order_of_training(results: Results) -> None:
    order = [(one["instance"], one["step"]) for one in results.entropy]
    assert order[:5] == [("pretrain", step) for step in range(200, 601, 100)]
    assert order[5:] == [("align", 40), ("ia_sft_1", 40), ("ia_sft_2", 40), ("ia_sft_3", 60), ("joint", 80)]


def test_rows_in_are_kept_and_set_aside(results: Results) -> None:
    own = [part for part in results.parts if part.corpus == "own"]
    assert sum(part.rows for part in own) == 24
    assert sum(part.kept for part in own) == 19
    assert sum(part.set_aside for part in own) == 5  # one of them is the same recording as another corpus's
    (zh,) = [part for part in own if (part.split, part.language) == ("train", "zh")]
    assert (zh.rows, zh.kept, zh.seconds) == (4, 3, pytest.approx(5.4))
    assert [part.split for part in own] == sorted((part.split for part in own), key=["train", "valid", "test_zh"].index)


def test_a_lost_row_is_an_error(tmp_path: Path) -> None:
    config = made_run.make(tmp_path)
    dataset = tmp_path / "made" / "shards" / "dataset.json"
    values = read_json(dataset)
    values["corpora"]["own"]["set_aside"]["empty text"] -= 1
    write_json(dataset, values)
    with pytest.raises(ShardError, match="own: 5 rows are not in its shards"):
        _ = Results(config).parts


def test_the_run_begins_with_its_first_log_and_ends_with_its_last_score(results: Results) -> None:
    assert results.started == BEGAN
    assert results.ended == results.stages["joint"][-1].ended + 4


def test_without_logs_the_run_begins_with_the_first_time_in_a_file(tmp_path: Path) -> None:
    config = made_run.make(tmp_path)
    for path in (config.folder / "logs").rglob("*"):
        os.utime(path, (BEGAN + 1000, BEGAN + 1000))
    os.utime(config.folder / "logs", (BEGAN + 1000, BEGAN + 1000))
    assert Results(config).started == BEGAN + 5, "the language model was the first to write its times"


@pytest.mark.parametrize("missing", ["cka/trace.json", "joint/step_0000080/done.json", "entropy/joint_0000080.json"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    config = made_run.make(tmp_path)
    (config.folder / missing).unlink()
    with pytest.raises(UserError, match=Path(missing).name):
        results = Results(config)
        _ = results.stages, results.entropy


def test_which_system_stands_for_a_measure() -> None:
    assert system_of(["beam", "greedy", "ctc phones"], "cer") == "beam"
    assert system_of(["greedy", "ctc phones"], "wer") == "greedy"
    assert system_of(["beam", "greedy", "ctc phones"], "per") == "ctc phones"
