"""The tables of corpora and test sets: complete, as in the paper, and good for a configuration."""

import importlib
import importlib.util
from typing import get_args

import pytest
import yaml
from pydantic import TypeAdapter

from earmark.config import Corpus, PublicCorpus, TestSet
from earmark.corpora import tables
from earmark.errors import ConfigError

READERS = set(get_args(PublicCorpus.model_fields["reader"].annotation))
CORPORA, BENCHMARKS = tables.corpora(), tables.benchmarks()


def test_every_reader_has_a_row_or_is_a_benchmark():
    rows = {one.reader for one in CORPORA}
    assert rows - {tables.OWN} <= READERS
    assert READERS - rows == {"aishell_2021_eval"} <= {test.corpus for test in BENCHMARKS}
    assert {test.corpus for test in BENCHMARKS} <= READERS


def test_every_row_names_a_module_that_reads():
    missing = {name for name in READERS if importlib.util.find_spec(f"earmark.corpora.public.{name}") is None}
    # Readers over lhotse's recipes come by themselves; those written here have to be there.
    assert not missing & {
        "aishell_2021_eval",
        "ascend",
        "cs_dialogue",
        "libriheavy",
        "msr_86k",
        "wenetspeech_chuan",
        "wenetspeech_yue",
        "yodas_granary",
    }


def test_hours_are_those_of_table_4():
    assert len(CORPORA) == 23  # 22 public ones and in-house data
    assert sum(one.hours for one in CORPORA) == 559_999  # the paper rounds it to 560K
    assert [one.parts for one in CORPORA] == [-(-int(one.hours) // 1200) for one in CORPORA]
    assert all(one.weight is None for one in CORPORA)  # the paper gives none
    assert all(one.url.startswith("https://") for one in CORPORA if one.reader != tables.OWN)


def test_test_sets_are_those_of_table_1():
    assert len(BENCHMARKS) == len({test.split for test in BENCHMARKS}) == 20
    measures = {"Mandarin": "cer", "Chinese Dialect": "cer", "English": "wer", "Code-switch": "mer"}
    assert all(test.measure == measures[test.scenario] for test in BENCHMARKS)
    # Table 1 states the mean of all its cells: no figure is left out or mistyped.
    assert round(sum(test.paper for test in BENCHMARKS) / len(BENCHMARKS), 2) == 5.12


def test_every_split_is_one_that_its_reader_produces(tmp_path):
    for name in dict.fromkeys(test.corpus for test in BENCHMARKS):
        miniature = importlib.import_module(f"miniatures.{name}")
        reader = importlib.import_module(f"earmark.corpora.public.{name}")
        produced = {row["split"] for row in reader.read(miniature.make(tmp_path / name), tmp_path / "run" / name)}
        # A miniature has some parts of its corpus; readers of many parts have a table of them.
        produced |= set(getattr(reader, "SPLITS", {}).values())
        assert {test.split for test in BENCHMARKS if test.corpus == name} <= produced


def test_settings_of_the_corpora_that_are_there(tmp_path):
    for name in ("wenetspeech_yue", "aishell_2021_eval", "in_house", "something_else"):
        (tmp_path / name).mkdir()
    sections = yaml.safe_load(tables.settings(tmp_path, CORPORA, BENCHMARKS))
    found = TypeAdapter(list[Corpus]).validate_python(sections["corpora"])
    assert [one.name for one in found] == ["wenetspeech_yue", "in_house", "aishell_2021_eval"]
    assert (found[0].path, found[0].parts, found[0].domain) == (tmp_path / "wenetspeech_yue", 19, "Variety")
    tests = TypeAdapter(list[TestSet]).validate_python(sections["evaluation"]["tests"])
    assert [test.name for test in tests] == [
        "test_aishell_2021_a",
        "test_aishell_2021_c",
        "test_aishell_2021_d",
        "test_wenetspeech_yue_short",
        "test_wenetspeech_yue_long",
    ]


def test_a_root_without_corpora_names_the_folders(tmp_path):
    with pytest.raises(ConfigError, match="holds none of the folders aishell, aishell2, aishell_2021_eval"):
        tables.settings(tmp_path, CORPORA, BENCHMARKS)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("\t120000\t", "\tmany\t", r"corpora\.tsv, line 2: hours 'many'"),
        ("\ten zh\t", "\ten klingon\t", r"line 3: languages\.1 'klingon'"),
        ("Audiobook\t45000", "Audiobook 45000", r"line 4: 9 fields, 10 columns"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, old, new, fault):
    text = (tables.FOLDER / "corpora.tsv").read_text(encoding="utf-8")
    (tmp_path / "corpora.tsv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=fault):
        tables.corpora(tmp_path)
    with pytest.raises(ConfigError, match=r"benchmarks\.tsv is no table that can be read"):
        tables.benchmarks(tmp_path)


def test_the_command_prints_the_table_or_the_settings(earmark, tmp_path):
    code, out, _ = earmark("corpora")
    assert code == 0
    assert out.splitlines()[0].split() == list(tables.HEAD)
    assert out.splitlines()[-1].split() == ["total", "559,999"]
    (tmp_path / "ascend").mkdir()
    code, out, _ = earmark("corpora", "--root", tmp_path)
    assert code == 0 and yaml.safe_load(out)["corpora"][0]["reader"] == "ascend"
    code, _, err = earmark("corpora", "--root", tmp_path / "ascend")
    assert code == 2 and err.startswith("error: ")
