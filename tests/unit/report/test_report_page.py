import re
from pathlib import Path

import made_run
import pytest

from earmark.config import parse
from earmark.errors import UserError
from earmark.io import read_json, write_json
from earmark.report import page
from earmark.report.results import Results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(made_run.make(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def html(results: Results) -> str:
    output = results.paths.folder / "report.html"
    page.write_page(results.config, output)
    return output.read_text(encoding="utf-8")


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<body>")[2]).split())


def test_the_page_is_self_contained(html: str) -> None:
    assert re.findall(r'(?:src|href)="(?!data:|#)', html) == []
    assert "<script" not in html and "url(" not in html and "@import" not in html
    assert len(re.findall(r'<img src="data:image/svg\+xml;base64,[^"]+" alt="[^"]+"', html)) == 6


def test_what_users_write_is_escaped(html: str) -> None:
    assert "English &lt;b&gt;" in html and "English <b>" not in html
    assert "&lt;错&gt;" in html


def test_headline_numbers(html: str) -> None:
    text = text_of(html)
    assert "29.63 % character error rate, Mandarin (synthetic)" in text
    assert "2 swaps triggered by CKA at steps 300, 500" in text
    assert "17 s alignment and pretraining side by side" in text


def test_error_table_has_interval_and_kinds(html: str, results: Results) -> None:
    text = text_of(html)
    score = results.scores[0]
    interval = f"{page.percent(score['low'])} – {page.percent(score['high'])}"
    assert f"beam CER 29.63 {interval} 12 9 11 108 8.33 12" in text
    assert "white noise added, 10.0 dB" in text


def test_a_test_set_without_words_shows_what_was_invented_and_no_rate(tmp_path: Path) -> None:
    config = made_run.make(tmp_path)
    path = config.folder / "evaluation" / "scores.json"
    wordless = {"rate": None, "low": None, "high": None, "tokens": 0, "wordless": 7, "hallucination_rate": 0.25}
    write_json(path, [one | wordless if one["test"] == "test_en" else one for one in read_json(path)])
    page.write_page(config, tmp_path / "report.html")
    text = text_of((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "7 without words: all recognised there is invented" in text
    assert "beam WER n/a n/a – n/a" in text and " 0 25.00 " in text


def test_recordings_at_another_level_are_named(tmp_path: Path) -> None:
    config = made_run.make(tmp_path)
    tests = [
        one.model_copy(update={"level_db": -20.0} if one.name == "test_en" else {}) for one in config.evaluation.tests
    ]
    evaluation = config.evaluation.model_copy(update={"tests": tests})
    page.write_page(config.model_copy(update={"evaluation": evaluation}), tmp_path / "report.html")
    assert (
        text_of((tmp_path / "report.html").read_text(encoding="utf-8")).count("recorded again in 16 bits, -20 dB") == 1
    )


def test_accounts_of_the_data(html: str) -> None:
    text = text_of(html)
    assert "3 for “empty text”, 1 for “duplicate audio”, 1 for “undecodable audio”." in text
    assert "24 rows in = 19 kept + 5 set aside." in text
    assert "Set aside of spoken: nothing." in text
    assert text.count("synthetic speech") == 2, "the synthetic corpus in the table and among the stand-ins"


def test_stand_ins_are_named(html: str) -> None:
    text = text_of(html)
    assert "a small Qwen3 (654,321 parameters) taught 321 text sentences" in text
    assert "it stands in for pretrained weights" in text


def test_real_weights_are_no_stand_in(tmp_path: Path) -> None:
    config = made_run.make(tmp_path)
    done = config.folder / "llm" / "done.json"
    values = {key: value for key, value in read_json(done).items() if key not in ("losses", "texts")}
    write_json(done, values | {"stand_in": False, "steps": 0, "folder": "models/Qwen3-1.7B"})
    page.write_page(config, tmp_path / "report.html")
    text = text_of((tmp_path / "report.html").read_text())
    assert "not a stand-in" in text and "models/Qwen3-1.7B" in text


def test_the_alarm_box(html: str, tmp_path: Path) -> None:
    assert "<strong>No warning sign.</strong>" in html
    config = made_run.make(tmp_path, csai=0.2, pai=-0.2)
    page.write_page(config, tmp_path / "report.html")
    text = text_of((tmp_path / "report.html").read_text())
    assert "Warning sign. CSAI rises while PAI falls during joint SFT: between IA-SFT 3 (step 60) and joint SFT" in text
    assert "CSAI goes from 1.600 to 1.800 bits and PAI from 2.400 to 2.200 bits." in text


def test_provenance(html: str, results: Results) -> None:
    text = text_of(html)
    assert results.dataset["inventory"] in text
    assert results.dataset["corpora"]["spoken"]["shards"][0]["sha256"] in text
    assert made_run.SHA in text
    assert "python 3." in text and "torch 2." in text


def test_settings_on_the_page_make_the_same_run(results: Results) -> None:
    import yaml

    shown = page.content(results, Path("made.yaml"))["settings"]
    assert parse(yaml.safe_load(shown)) == results.config


def test_differences_are_marked_as_they_are_counted() -> None:
    said, heard = page.differences([*"我的电话是", "ok"], [*"我得话是", "ok", "ok"])
    kinds = [kind for _, kind, _ in said] + [kind for _, kind, _ in heard]
    assert (kinds.count("delete"), kinds.count("insert"), kinds.count("substitute")) == (1, 1, 2)
    assert {token for token, kind, _ in said if kind != "equal"} == {"的", "电"}
    assert [space for _, _, space in heard] == [True, False, False, False, True, True], "hanzi stand side by side"


def test_an_empty_transcript_is_shown_as_one(html: str) -> None:
    assert page.differences(["a"], []) == ([("a", "delete", True)], [])
    assert "(nothing)" in html


def test_worst_come_first_and_best_without_an_error(results: Results) -> None:
    found = page.examples(results, "test_zh")
    assert found["system"] == "beam"
    assert (found["right"], found["utterances"]) == (7, 12)
    errors = [row["errors"] / row["reference_length"] for row in found["rows"] if row["kind"] == "worst"]
    assert errors == sorted(errors, reverse=True) and errors[0] == pytest.approx(20 / 9)
    assert [row["errors"] for row in found["rows"] if row["kind"] == "best"] == [0, 0]


def test_an_unfinished_run_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dataset\.json does not exist"):
        page.write_page(made_run.settings(tmp_path), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
