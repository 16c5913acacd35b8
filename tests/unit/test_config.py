import copy
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from earmark.config import Config, dump, load, parse, segments
from earmark.errors import ConfigError


def _stage(trained: list[str], loss: str, **more: Any) -> dict[str, Any]:
    plain = {"frames_per_batch": 600, "peak_rate": 1e-3, "steps": 400, "segment_steps": 200}
    return {"trained": trained, "loss": loss} | plain | more


VALUES: dict[str, Any] = {
    "run": "small",
    "corpora": [{"name": "spoken", "reader": "synthetic"}],
    "encoder": {"n_layers": 2, "n_heads": 2, "d_model": 32, "kernel_size": 7},
    "stages": {
        "pretrain": _stage(["encoder", "ctc_head"], "cr_ctc", steps=1000, segment_steps=100),
        "align": _stage(["adaptor"], "next_token"),
        "ia_sft": _stage(["adaptor", "llm"], "next_token", last_phase_steps=700),
        "joint": _stage(["encoder", "adaptor", "llm"], "next_token"),
    },
    "watch": {"first_step": 300, "every": 200},
    "evaluation": {"tests": [{"name": "test_zh", "measure": "cer", "scenario": "Mandarin"}]},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """VALUES with one key set, its path written with dots; numbers index lists."""
    values = copy.deepcopy(VALUES)
    *parents, last = path.split(".")
    node: Any = values
    for name in parents:
        node = node[int(name) if name.isdigit() else name]
    node[last] = value
    return values


def refusal(values: Any) -> str:
    """The one line that refuses `values`."""
    with pytest.raises(ConfigError) as caught:
        parse(values, "my.yaml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("my.yaml: ")
    return message


def test_small_configuration_is_read_with_defaults() -> None:
    settings = parse(VALUES)
    assert settings.folder == Path("results/small")
    assert settings.encoder.dropout == 0.1
    assert settings.watch.tau == 0.975
    assert settings.stages.align.clip == 5.0


def test_dump_and_parse_are_inverse() -> None:
    settings = parse(VALUES)
    assert parse(dump(settings)) == settings


def test_values_are_final() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse(VALUES).seed = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("sed", 1, ["sed (value 1)", "unknown key"]),
        ("encoder.n_layer", 2, ["encoder.n_layer (value 2)", "unknown key", "docs/settings.md"]),
        ("corpora.0.voices", 3, ["corpora.0.synthetic.voices (value 3)", "unknown key"]),
        ("corpora.0.reader", "tape", ["corpora.0.reader (value 'tape'): name one of 'synthetic', ", "'spoken_digits'"]),
        ("corpora", [{"name": "own"}], ["corpora.0.reader: missing; add it"]),
        ("corpora", ["own"], ["corpora.0 (value 'own'): a mapping of keys belongs here"]),
        ("corpora", {"name": "own"}, ["corpora (value {'name': 'own'}): a list belongs here"]),
        ("corpora.0.train", [3], ["corpora.0.synthetic.train (value [3]): a mapping of keys belongs here"]),
        ("encoder", [1], ["encoder (value [1]): a mapping of keys belongs here (docs/settings.md lists all keys)"]),
        ("encoder", list(range(99)), ["encoder (value [0, 1, 2, 3, 4, 5, ...]): a mapping"]),
        ("stages", None, ["stages (value None): a mapping of keys belongs here"]),
        ("llm", [1], ["llm (value [1]): a mapping of keys belongs here"]),
        ("stages.joint.betas", 3, ["stages.joint.betas (value 3): a list belongs here"]),
        ("text", {"inventory": [1]}, ["text.inventory (value [1]): a path belongs here"]),
        ("corpora.0.train", {"fr": 3}, ["corpora.0.synthetic.train.fr", "zh-en"]),
        ("corpora.0.train", {"zh": 0}, ["corpora.0.synthetic.train.zh (value 0)", "greater than 0"]),
        ("corpora", [], ["corpora", "at least 1"]),
        ("run", "a/b", ["run (value 'a/b')"]),
        ("seed", "x", ["seed (value 'x')", "integer"]),
        ("encoder.dropout", 1.5, ["encoder.dropout (value 1.5)", "less than or equal to 1"]),
        ("encoder.n_heads", 5, ["d_model 32 is not a multiple of n_heads 5"]),
        ("encoder.kernel_size", 8, ["kernel_size 8 is even"]),
        ("watch.tau", 1.0, ["watch.tau (value 1.0)", "less than 1"]),
        ("watch.first_step", 350, ["first_step 350", "multiples", "segment_steps 100"]),
        ("watch.every", 150, ["every 150", "multiples"]),
        ("watch.first_step", 900, ["first_step 900 + watch.every 200 exceeds", "1000"]),
        ("stages.pretrain.steps", 1050, ["pretrain.steps 1050 is not a multiple of segment_steps 100"]),
        (
            "stages.pretrain.trained",
            ["encoder", "llm"],
            ["stages.pretrain", "CTC trains encoder and ctc_head"],
        ),
        ("stages.pretrain.loss", "next_token", ["stages.pretrain", "ctc_head"]),
        ("stages.pretrain.loss", "aed", ["loss aed", "AED trains encoder and decoder only"]),
        ("stages.pretrain.loss", "best_rq", ["Best-RQ trains encoder and quantizer_head only"]),
        ("stages.align.trained", ["decoder"], ["next-token prediction trains encoder and adaptor and llm only"]),
        ("stages.align.loss", "ctc", ["stages.align", "loss ctc"]),
        ("stages.align.trained", ["encoder", "adaptor"], ["align.trained holds encoder: it is frozen"]),
        ("stages.ia_sft.trained", [], ["trained is empty"]),
        ("stages.pretrain.packing", True, ["packing with loss cr_ctc"]),
        ("stages.joint.loss", "mwer", ["stages.joint.loss (value 'mwer')", "next_token"]),
        ("stages.joint.betas", [0.9], ["stages.joint.betas.1: missing"]),
        ("precision", "float16", ["precision (value 'float16')", "bfloat16"]),
        ("seed", -1, ["seed (value -1)", "greater than or equal to 0"]),
        ("seed", 2**32, ["seed (value 4294967296)", "less than 4294967296"]),
        ("corpora.0.seed", -1, ["corpora.0.synthetic.seed (value -1)", "greater than or equal to 0"]),
        ("corpora.0.weight", math.inf, ["corpora.0.synthetic.weight (value inf)", "finite number"]),
        ("stages.joint.peak_rate", math.inf, ["stages.joint.peak_rate (value inf)", "finite number"]),
        ("stages.joint.clip", math.nan, ["stages.joint.clip (value nan)", "finite number"]),
        ("stages.joint.betas", [0.9, 1.0], ["stages.joint.betas.1 (value 1.0)", "less than 1"]),
        ("encoder", {"d_model": 15, "n_heads": 5}, ["encoder: d_model 15 is odd"]),
        ("llm", {"hidden_size": 48, "n_heads": 5}, ["llm: hidden_size 48 is not a multiple of twice n_heads 5"]),
        ("llm", {"hidden_size": 12, "n_heads": 4}, ["llm: hidden_size 12 is not a multiple of twice n_heads 4"]),
        ("shards", {"hours": 0.0009}, ["shards.hours (value 0.0009)", "greater than or equal to 0.001"]),
        ("shards", {"min_seconds": 31}, ["shards: min_seconds 31.0 is not below max_seconds 30.0"]),
        (
            "shards",
            {"min_labels_per_second": 9, "max_labels_per_second": 9},
            ["shards: min_labels_per_second 9.0 is not below max_labels_per_second 9.0"],
        ),
        ("evaluation.tests", VALUES["evaluation"]["tests"] * 2, ["evaluation: tests hold the name test_zh twice"]),
        ("evaluation.tests.0.name", "test_fr", ["test_fr is of split test_fr, which the corpora do not", "test_zh_en"]),
        ("evaluation.tests.0.of", "test_zn", ["test_zh is of split test_zn, which the corpora do not have: name one"]),
        (
            "evaluation.summary",
            {"cer": "blah"},
            ["summary.cer (value 'blah')", "one of cer of test_zh, per of test_zh"],
        ),
        ("evaluation.summary", {"cer": "cer of test_nope"}, ["summary.cer (value 'cer of test_nope')"]),
        ("evaluation.summary", {"cer": "wer of test_zh"}, ["summary.cer (value 'wer of test_zh')"]),
        ("evaluation.summary", {"ter": "ter of test_zh"}, ["summary.ter (value 'ter of test_zh')"]),
        ("evaluation.tests.0.measure", "bleu", ["evaluation.tests.0.measure (value 'bleu')", "cer"]),
    ],
)
def test_wrong_value_is_one_line_that_names_it(path: str, value: Any, said: list[str]) -> None:
    message = refusal(changed(path, value))
    for part in said:
        assert part in message


def test_test_sets_that_only_the_data_tell_are_taken() -> None:
    corpora = [*VALUES["corpora"], {"name": "own", "reader": "folder", "path": "own"}]
    settings = parse(changed("evaluation.tests.0.of", "test_own") | {"corpora": corpora})
    assert settings.evaluation.tests[0].split == "test_own"


def test_summary_takes_what_is_measured() -> None:
    wanted = {"cer": "cer of test_zh", "per": "per of test_zh"}
    assert parse(changed("evaluation.summary", wanted)).evaluation.summary == wanted
    characters = {"text": {"targets": "characters"}}
    assert "summary.per" in refusal(changed("evaluation.summary", wanted) | characters)
    assert parse(changed("evaluation.summary", {"ter": "ter of test_zh"}) | characters)


def test_objectives_are_held_against_what_they_need() -> None:
    best_rq = {"trained": ["encoder", "quantizer_head"], "loss": "best_rq"}
    values = changed("stages.pretrain", VALUES["stages"]["pretrain"] | best_rq)
    assert parse(values).stages.pretrain.loss == "best_rq"
    values["evaluation"]["lexicon"] = True
    assert "a lexicon spells the phones of a CTC head" in refusal(values)
    values = changed("stages.pretrain", VALUES["stages"]["pretrain"] | best_rq | {"augment": {}})
    assert "leave out augment" in refusal(values)
    aed = {"trained": ["encoder", "decoder"], "loss": "aed"}
    values = changed("stages.pretrain", VALUES["stages"]["pretrain"] | aed)
    assert "encoder.d_model 32 is not a multiple of decoder.n_heads 20" in refusal(values)
    assert "decoder.ctc_weight (value 1.0)" in refusal(values | {"decoder": {"ctc_weight": 1.0}})
    assert "mask_frames 10 is not a multiple of 4" in refusal(values | {"best_rq": {"mask_frames": 10}})
    assert parse(values | {"decoder": {"n_heads": 4}}).decoder.n_layers == 16


@pytest.mark.parametrize("key", ["run", "corpora", "stages", "evaluation"])
def test_missing_key_is_named(key: str) -> None:
    assert f"{key}: missing; add it" in refusal({name: value for name, value in VALUES.items() if name != key})


def test_name_of_a_corpus_may_not_stand_twice() -> None:
    assert "hold a name twice" in refusal(VALUES | {"corpora": VALUES["corpora"] * 2})


def test_several_mistakes_are_told_at_once() -> None:
    message = refusal(changed("seed", "x") | {"prompt": 3})
    assert "seed" in message and "prompt" in message


def test_llm_is_a_small_one_or_a_folder() -> None:
    assert parse(changed("llm", "models/qwen3")).llm == Path("models/qwen3")
    assert parse(changed("llm", {"steps": 3})).llm.steps == 3  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("llm", {"stepz": 3}, "llm.stepz (value 3): unknown key"),
        ("llm", {"steps": 0}, "llm.steps (value 0)"),
        ("evaluation.embedder", 3, "evaluation.embedder"),
    ],
)
def test_refusal_of_a_choice_shows_no_inner_workings(path: str, value: Any, said: str) -> None:
    message = refusal(changed(path, value))
    assert said in message
    assert "[" not in message and "<class" not in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run: [", "is not YAML"),
        ("- a\n- b\n", "holds no settings"),
        ("", "holds no settings"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"\x00\x01\x02", "is not YAML"),
        ("seed: 2024-13-45", "is not YAML: month must be in"),
        ("seed: " + "9" * 5000, "is not YAML"),
        ("[" * 5000, "is nested too deeply"),
        ("run: a\nseed: 1\nrun: b\n", "line 3: `run` stands in line 1 already: remove one"),
        ("corpora:\n- {name: a, reader: folder,\n   name: b}", "line 3: `name` stands in line 2 already"),
        ('run: a\nresults: "a\\0b"', "line 2: a NUL character .* remove it"),
    ],
)
def test_file_that_is_no_configuration(text: str | bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["none.yaml", ""])
def test_path_that_is_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name a configuration file"):
        load(tmp_path / name)


@pytest.mark.parametrize("results", ["file", "file/below", "."])
def test_results_cannot_lie_below_a_file(results: str, tmp_path: Path) -> None:
    file = tmp_path / ("small" if results == "." else "file")
    file.write_text("a file")
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(VALUES | {"results": str(tmp_path / results)}))
    with pytest.raises(ConfigError, match=f"but {file} is a file: name another folder"):
        load(path)
    file.unlink()
    assert load(path).folder == tmp_path / results / "small"


def test_run_can_be_named_from_outside(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(VALUES))
    assert load(path).run == "small"
    assert load(path, run="other").folder == Path("results/other")


def test_shipped_configurations_are_valid(repository: Path) -> None:
    paths = [path for path in (repository / "config").rglob("*.yaml") if "stages:" in path.read_text()]
    paths = [path for path in paths if path.parent.name != "schemas"]
    assert len(paths) > 3
    for path in paths:
        assert isinstance(load(path), Config), path


@pytest.mark.parametrize(
    ("steps", "size", "ends"),
    [(1000, 400, [400, 800, 1000]), (800, 400, [400, 800]), (300, 400, [300]), (1, 1, [1])],
)
def test_segments_end_at_the_last_step(steps: int, size: int, ends: list[int]) -> None:
    assert segments(steps, size) == ends


def test_watched_steps_follow_the_first_reference() -> None:
    assert parse(VALUES).watched_steps() == [500, 700, 900]


def test_every_watched_step_and_the_reference_end_a_segment() -> None:
    settings = parse(VALUES)
    ends = segments(settings.stages.pretrain.steps, settings.stages.pretrain.segment_steps)
    assert {settings.watch.first_step, *settings.watched_steps()} <= set(ends)


def test_last_phase_has_its_own_length() -> None:
    settings = parse(VALUES)
    assert settings.stage_steps("ia_sft") == 400
    assert settings.stage_steps("ia_sft", last_phase=True) == 700
    assert settings.stage_steps("joint", last_phase=True) == 400


# ---------------------------------------------------------------------------- another number of processes


def test_a_recipe_on_other_processes_has_as_many_batches_a_step() -> None:
    values = copy.deepcopy(VALUES) | {"processes": 2}
    for name, accumulation in (("pretrain", 2), ("align", 2), ("ia_sft", 2), ("joint", 4)):
        values["stages"][name]["accumulation"] = accumulation
    settings = parse(values)
    for processes, accumulations in ((1, (4, 8)), (2, (2, 4)), (4, (1, 2))):
        other = settings.on(processes)
        assert (other.stages.pretrain.accumulation, other.stages.joint.accumulation) == accumulations
        assert (other.processes, other.batch_group) == (processes, 2)
        assert other.on(2).stages == settings.stages
    with pytest.raises(ConfigError, match=r"pretrain takes 4 batches a step \(processes 2 x accumulation 2\), which"):
        settings.on(3)


@pytest.mark.parametrize("processes", [0, -1, 2.0, True, "abc"])
def test_what_is_no_number_of_processes_is_refused(processes: Any) -> None:
    with pytest.raises(ConfigError, match=r"processes \(value .*\): give a whole number greater than 0"):
        parse(VALUES).on(processes)
