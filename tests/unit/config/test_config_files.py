"""Configurations that build upon others: what is merged, replaced and taken out, and what is refused."""

from pathlib import Path

import pytest
import yaml

from earmark.config import load, parse
from earmark.config.files import merged, read_settings
from earmark.errors import ConfigError


@pytest.mark.parametrize(
    ("base", "changes", "expected"),
    [
        # The cases of RFC 7396, appendix A, whose patches are mappings.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merging_is_json_merge_patch(base: dict, changes: dict, expected: dict) -> None:
    before = repr(base)
    assert merged(base, changes) == expected
    assert repr(base) == before


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_base_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        top="a: 1\nb: {c: 2, d: 3}",
        more__mid="base: ../top.yaml\nb: {c: 4}",
        more__low="base: mid.yaml\na: 5",
    )
    assert read_settings(tmp_path / "more" / "low.yaml") == {"a": 5, "b": {"c": 4, "d": 3}}
    assert read_settings(tmp_path / "top.yaml") == {"a": 1, "b": {"c": 2, "d": 3}}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"one": "base: one.yaml"}, "is its own base"),
        ({"one": "base: two.yaml", "two": "base: three.yaml", "three": "base: ./two.yaml"}, "by way of"),
        ({"one": "base: none.yaml"}, "one.yaml names as its base, is not a file"),
        ({"one": "base: [a, b]"}, "base (value ['a', 'b']): name one configuration file"),
        ({"one": "base: two.yaml", "two": "- a"}, "two.yaml holds no settings"),
        ({"one": "base: two.yaml/three.yaml", "two": "a: 1"}, "one.yaml names as its base, is not a file"),
        ({"one": 'base: "two\\0.yaml"'}, "one.yaml, line 1: a NUL character"),
        (
            {"one": "base: two.yaml\na: &a {b: *a}", "two": "a: {b: 1}"},
            "one.yaml is nested too deeply, or within itself",
        ),
    ],
)
def test_bases_that_are_none(files: dict[str, str], said: str, tmp_path: Path) -> None:
    write(tmp_path, **files)
    with pytest.raises(ConfigError) as caught:
        read_settings(tmp_path / "one.yaml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_key_may_stand_again_in_another_mapping_or_in_what_is_merged(tmp_path: Path) -> None:
    text = "a: &a {b: 1, c: {b: 2}}\nd: {<<: *a, b: 3}\ne: [{b: 4}, {b: 5}]\n"
    values = {"a": {"b": 1, "c": {"b": 2}}, "d": {"b": 3, "c": {"b": 2}}, "e": [{"b": 4}, {"b": 5}]}
    assert read_settings(write(tmp_path, one=text) / "one.yaml") == values


def test_null_brings_the_default_back(repository: Path, tmp_path: Path) -> None:
    base = {"base": str(repository / "config" / "default.yaml")}
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(base | {"encoder": None, "stages": {"pretrain": {"augment": None, "clip": 1.0}}}))
    settings, before = load(path), load(base["base"])
    assert settings.stages.pretrain.augment is None and settings.stages.pretrain.clip == 1.0
    assert settings.stages.pretrain.steps == before.stages.pretrain.steps
    assert settings.encoder.n_layers == 16
    assert settings.stages.joint == before.stages.joint


def test_a_mistake_in_a_variant_names_the_variant(repository: Path, tmp_path: Path) -> None:
    path = write(tmp_path, wrong=f"base: {repository}/config/default.yaml\nencoder: {{n_heads: 5}}") / "wrong.yaml"
    with pytest.raises(ConfigError, match=r"wrong\.yaml: encoder: d_model 96 is not a multiple of n_heads 5"):
        load(path)


def test_base_is_no_setting_of_its_own(repository: Path) -> None:
    values = read_settings(repository / "config" / "default.yaml") | {"base": "x.yaml"}
    with pytest.raises(ConfigError, match="base"):
        parse(values)
