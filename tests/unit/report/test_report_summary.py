import json
from pathlib import Path

import made_run
import pytest

from earmark.errors import ConfigError
from earmark.io import read_json, write_json
from earmark.report.compare import _row, _shown
from earmark.report.compare import rates as rates_figure
from earmark.report.page import cards
from earmark.report.results import Results
from earmark.report.summary import summary, write_summary


def test_summary_of_a_run(tmp_path: Path) -> None:
    config = made_run.make(tmp_path)
    write_summary(config, tmp_path / "summary.json")
    found = json.loads((tmp_path / "summary.json").read_text())
    scores = read_json(config.folder / "evaluation" / "scores.json")
    rates = {(one["test"], one["system"]): one["rate"] for one in scores}
    assert found["cer_zh"] == rates["test_zh", "beam"] == pytest.approx(32 / 108)
    assert found["wer_en"] == rates["test_en", "beam"]
    assert found["per_zh"] == rates["test_zh", "ctc phones"]
    assert found["swap_steps"] == [300, 500]
    assert found["surplus_triggers"] == [600]
    assert found["align_started"] < found["pretrain_ended"]
    assert found["wall_seconds"] == 70
    assert found["seed"] == 3
    assert {"earmark", "python", "torch", "transformers", "deepspeed", "snakemake"} <= set(found["versions"])
    assert list(found["intervals"]) == ["cer_zh", "wer_en", "per_zh"]
    for name, (low, high) in found["intervals"].items():
        assert low <= found[name] <= high


def test_without_a_trigger_there_is_no_swap(tmp_path: Path) -> None:
    found = summary(Results(made_run.make(tmp_path, rates=(0.99, 0.98, 0.97, 0.96))))
    assert found["swap_steps"] == []
    assert found["align_started"] >= found["pretrain_ended"]


@pytest.mark.parametrize("wanted", ["cer of test_fr", "wer of test_zh", "nonsense"])
def test_a_score_that_does_not_exist_is_the_users_mistake(tmp_path: Path, wanted: str) -> None:
    config = made_run.make(tmp_path)
    evaluation = config.evaluation.model_copy(update={"summary": {"x": wanted}})  # not what was evaluated
    config = config.model_copy(update={"evaluation": evaluation})
    with pytest.raises(ConfigError, match=f"evaluation.summary.x '{wanted}' .*'cer of test_zh'"):
        summary(Results(config))


def test_means_over_test_sets_are_plain_as_in_table_1(tmp_path: Path) -> None:
    config = made_run.make(tmp_path)
    wanted = {"all": "mean of all", "one": f"mean of {config.evaluation.tests[0].scenario}", "zh": "cer of test_zh"}
    evaluation = config.evaluation.model_copy(update={"summary": wanted})
    results = Results(config.model_copy(update={"evaluation": evaluation}))
    found = summary(results)
    rates = [
        next(one["rate"] for one in results.scores if (one["test"], one["system"]) == (test.name, "beam"))
        for test in config.evaluation.tests
    ]
    assert found["all"] == pytest.approx(sum(rates) / len(rates))
    pairs = zip(rates, config.evaluation.tests, strict=True)
    same = [rate for rate, test in pairs if wanted["one"] == f"mean of {test.scenario}"]
    assert found["one"] == pytest.approx(sum(same) / len(same))
    assert list(found["intervals"]) == ["zh"]
    assert [card["interval"] for card in cards(results)][:2] == ["", ""]
    assert _row(results)["all"] == (found["all"], None, None)
    assert _shown("all", (0.25, None, None)) == "25.0"
    assert rates_figure([_row(results)] * 2).svg.startswith("<")


def test_a_test_set_without_any_word_has_no_rate(tmp_path: Path) -> None:
    config = made_run.make(tmp_path)
    path = config.folder / "evaluation" / "scores.json"
    wordless = {"rate": None, "low": None, "high": None, "tokens": 0, "wordless": 7}
    write_json(path, [one | wordless if one["test"] == "test_en" else one for one in read_json(path)])
    found = summary(Results(config))
    assert found["wer_en"] is None and list(found["intervals"]) == ["cer_zh", "per_zh"]


def test_the_report_loads_no_torch() -> None:
    import subprocess
    import sys

    script = "import sys, earmark.report.page, earmark.report.summary; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "False"
