"""Post-training by configuration: which stages, encoders and updates follow from the triggers; what may be shared."""

import json
from pathlib import Path
from typing import Any

import pytest

from earmark.config import Config, check_shared, check_tests, dump, encoders, load, parse, plan
from earmark.config.files import merged, read_settings
from earmark.errors import ConfigError

TRIGGERS = [2000, 3000]
FULL = [("align", 200), ("ia_sft_1", 400), ("ia_sft_2", 400), ("ia_sft_3", 300), ("joint", 800)]
NAMES = [
    "aed",
    "best_rq",
    "characters",
    "ctc",
    "hybrid",
    "no_encoder_iteration",
    "no_encoder_iteration_equal",
    "no_ia_sft",
    "no_ia_sft_equal",
    "no_joint",
    "no_joint_equal",
]


@pytest.fixture
def variant(repository: Path) -> Any:
    """`variant(**changes)`: the default configuration, changed."""

    def made(**changes: Any) -> Config:
        return parse(merged(read_settings(repository / "config" / "default.yaml"), changes))

    return made


def planned(config: Config, triggers: list[int]) -> list[tuple[str, int]]:
    return [(one.instance, one.steps) for one in plan(config, triggers)]


def test_the_full_recipe_has_a_phase_a_trigger_and_the_last(variant: Any) -> None:
    config = variant()
    assert planned(config, TRIGGERS) == FULL
    assert encoders(config, TRIGGERS) == [2000, 3000, 4000]
    assert [one.last_phase for one in plan(config, TRIGGERS)] == [False, False, False, True, False]
    assert encoders(config, [2000, 4000]) == [2000, 4000]  # the trigger at the end is the final encoder
    assert planned(config, []) == [("align", 200), ("ia_sft_1", 300), ("joint", 800)]


@pytest.mark.parametrize(
    ("name", "taken", "stages"),
    [
        ("no_joint", [2000, 3000, 4000], FULL[:-1]),
        ("no_joint_equal", [2000, 3000, 4000], [*FULL[:3], ("ia_sft_3", 1100)]),
        ("no_ia_sft", [4000], [("align", 200), ("joint", 800)]),
        ("no_ia_sft_equal", [4000], [("align", 200), ("joint", 1900)]),
        ("no_encoder_iteration", [4000], [("align", 200), ("ia_sft_1", 300), ("joint", 800)]),
        ("no_encoder_iteration_equal", [4000], [("align", 200), ("ia_sft_1", 1100), ("joint", 800)]),
    ],
)
def test_table_3(repository: Path, name: str, taken: list[int], stages: list[tuple[str, int]]) -> None:
    config = load(repository / "config" / "ablations" / f"{name}.yaml")
    assert config.run == name
    assert encoders(config, TRIGGERS) == taken
    assert planned(config, TRIGGERS) == stages
    if name.endswith("_equal"):
        for triggers in ([], [2000], TRIGGERS, [2000, 4000]):
            full = planned(load(repository / "config" / "default.yaml"), triggers)
            assert sum(steps for _, steps in planned(config, triggers)) == sum(steps for _, steps in full)


def test_every_ablation_is_valid_and_named_as_its_file(repository: Path) -> None:
    paths = sorted((repository / "config" / "ablations").glob("*.yaml"))
    assert [path.stem for path in paths] == NAMES
    for path in paths:
        config = load(path)
        assert config.run == path.stem
        assert config.shares.data == (None if path.stem == "characters" else "default")
        assert path.read_text().startswith("# "), f"{path} says nothing about itself"


def test_pretraining_variants_differ_in_their_objective_alone(repository: Path) -> None:
    default = dump(load(repository / "config" / "default.yaml"))
    for name in ("ctc", "aed", "hybrid", "best_rq", "characters"):
        values = dump(load(repository / "config" / "ablations" / f"{name}.yaml"))
        changed = {key for key in values if values[key] != default[key]}
        assert changed <= {"run", "shares", "stages", "decoder", "best_rq", "text", "evaluation"}, name
        pretrain, before = values["stages"].pop("pretrain"), default["stages"]["pretrain"]
        assert {key for key in pretrain if pretrain[key] != before[key]} <= {"loss", "trained", "augment"}, name
        assert values["stages"] == {key: default["stages"][key] for key in values["stages"]}, name


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stages": ["ia_sft", "joint"]}, "align, then ia_sft, joint, or both"),
        ({"stages": ["align", "joint", "ia_sft"]}, "in this order"),
        ({"stages": ["align"]}, "align, then ia_sft"),
        ({"stages": ["align", "joint"]}, "encoders swapped without ia_sft"),
        ({"encoders": "first"}, "encoders (value 'first')"),
        ({"updates": "more"}, "updates (value 'more')"),
    ],
)
def test_impossible_post_training_is_refused(variant: Any, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        variant(post_training=changes)
    assert said in str(caught.value)


# ---------------------------------------------------------------------------- sharing


@pytest.fixture
def sharing(variant: Any, tmp_path: Path) -> Any:
    """`sharing(**changes)`: a run that takes all from a finished default run beside it."""
    other = variant(results=str(tmp_path))
    (tmp_path / "default").mkdir()
    (tmp_path / "default" / "settings.json").write_text(json.dumps(dump(other)))

    def made(**changes: Any) -> Config:
        shares = {"data": "default", "pretraining": "default"}
        return variant(**{"results": str(tmp_path), "run": "other", "shares": shares} | changes)

    return made


def test_equal_settings_are_shared_and_others_lie_with_the_run(sharing: Any, tmp_path: Path) -> None:
    config = sharing(seed=2, post_training={"stages": ["align", "ia_sft"]}, decoding={"beams": 1})
    check_shared(config)
    paths, there, here = config.paths, tmp_path / "default", tmp_path / "other"
    assert paths.dataset == there / "shards" / "dataset.json"
    assert paths.manifest("synthetic").is_relative_to(there) and paths.llm == there / "llm"
    assert paths.step("pretrain", 1000) == there / "pretrain" / "step_0001000"
    assert paths.trace.parent == paths.decision(1000).parent == paths.score(2, 1).parent == there / "cka"
    assert paths.entropy("pretrain", 1000).parent == paths.embeddings.parent == there / "entropy"
    assert paths.step("align", 200).is_relative_to(here) and paths.entropy("joint", 800).is_relative_to(here)
    assert paths.evaluation == here / "evaluation"
    only_data = sharing(shares={"data": "default"}).paths
    assert only_data.dataset == paths.dataset and only_data.trace.is_relative_to(here)
    moved = config.paths_in(tmp_path / "elsewhere" / "renamed")
    assert moved.dataset == tmp_path / "elsewhere" / "default" / "shards" / "dataset.json"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"text": {"targets": "characters"}, "evaluation": {"summary": {"per_zh": None, "per_en": None}}},
            "shares.data default: text.targets is characters here and phones",
        ),
        ({"shards": {"max_seconds": 7.5}}, "shards.max_seconds is 7.5 here and 5.9"),
        ({"llm": {"n_layers": 2}}, "llm.n_layers is 2 here and 3"),
        ({"prompt": "Write."}, "prompt is Write. here"),
        ({"encoder": {"n_layers": 2}}, "shares.pretraining default: encoder.n_layers is 2 here and 3"),
        ({"stages": {"pretrain": {"peak_rate": 0.01}}}, "stages.pretrain.peak_rate is 0.01 here and 0.001"),
        ({"watch": {"tau": 0.9}}, "watch.tau is 0.9 here and 0.96"),
        ({"evaluation": {"ridge": 0.2}}, "evaluation.ridge is 0.2 here and 0.1"),
        ({"run": "default"}, "is this run itself"),
        ({"shares": {"data": "gone", "pretraining": None}}, "settings.json does not exist: finish that run first"),
    ],
)
def test_a_difference_that_matters_is_refused(sharing: Any, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_shared(sharing(**changes))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_test_sets_that_shared_data_do_not_have_are_refused(sharing: Any, tmp_path: Path) -> None:
    config = sharing()
    check_tests(config)  # data that are not there are for Snakemake to miss
    config.paths.dataset.parent.mkdir()
    config.paths.dataset.write_text(json.dumps({"bounds": {"train": {}, "test_zh": {}}}))
    with pytest.raises(ConfigError, match=r"test_en is of split test_en, of which no .* there are train, test_zh: co"):
        check_tests(config)
    splits: dict[str, Any] = {test.split: {} for test in config.evaluation.tests}
    config.paths.dataset.write_text(json.dumps({"bounds": splits}))
    check_tests(config)
    config.paths.dataset.write_text("{}")
    with pytest.raises(ConfigError, match=r"dataset.json is damaged \(KeyError\('bounds'\)\): run `earmark dataset`"):
        check_tests(config)


def test_corpora_may_weigh_differently_where_only_data_is_shared(sharing: Any, variant: Any) -> None:
    corpora = dump(variant())["corpora"]
    heavier = [corpora[0] | {"weight": 2.0}]
    check_shared(sharing(corpora=heavier, shares={"data": "default"}))
    with pytest.raises(ConfigError, match=r"corpora.synthetic.weight is 2.0 here and None"):
        check_shared(sharing(corpora=heavier))
    with pytest.raises(ConfigError, match=r"corpora.0.train.zh is 5 here and 1000"):
        check_shared(sharing(corpora=[corpora[0] | {"train": corpora[0]["train"] | {"zh": 5}}]))


def test_parts_are_named_where_they_were_made(sharing: Any, variant: Any, tmp_path: Path) -> None:
    """A run that shares data itself is no source of data, but may be one of pretraining."""
    between = variant(results=str(tmp_path), run="between", shares={"data": "default"})
    (tmp_path / "between").mkdir()
    path = tmp_path / "between" / "settings.json"
    path.write_text(json.dumps(dump(between)))
    check_shared(sharing(shares={"data": "default", "pretraining": "between"}))
    with pytest.raises(ConfigError, match="it takes that from default itself: name that one"):
        check_shared(sharing(shares={"data": "between"}))
    path.write_text("{")
    with pytest.raises(ConfigError, match="is damaged"):
        check_shared(sharing(shares={"data": "between"}))
    with pytest.raises(ConfigError, match="pretraining default without data"):
        sharing(shares={"data": None, "pretraining": "default"})
