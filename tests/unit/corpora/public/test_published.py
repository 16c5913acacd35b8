"""All readers without a recipe of lhotse: rows lead to their samples, and a folder of another shape is refused."""

import importlib

import pytest
from rows import rows_of, statuses

from earmark.audio.read import SAMPLE_RATE, read_audio
from earmark.corpora.base import reader
from earmark.corpora.public import published
from earmark.errors import CorpusError

READERS = {
    "aishell_2021_eval": 4,
    "ascend": 4,
    "cs_dialogue": 4,
    "libriheavy": 5,
    "msr_86k": 3,
    "wenetspeech_chuan": 4,
    "wenetspeech_yue": 5,
    "yodas_granary": 3,
}
"""Rows of each miniature."""


@pytest.fixture(params=READERS)
def name(request):
    return request.param


def make(name, folder):
    return importlib.import_module(f"miniatures.{name}").make(folder)


def test_rows_are_kept_and_lead_to_their_samples(name, tmp_path):
    rows = rows_of(make(name, tmp_path / "corpus"), tmp_path / "run")
    assert statuses(rows) == {"kept": READERS[name]}
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        heard = read_audio(row["audio"], row["offset"], row["duration"], row["channel"], row["member"])
        assert len(heard) == pytest.approx(row["duration"] * SAMPLE_RATE, abs=2)
        assert abs(heard).max() > 0.1


def test_order_is_stable_and_only_wenetspeech_yue_writes_in_its_own_folder(name, tmp_path):
    corpus = make(name, tmp_path / "corpus")
    before = sorted(tmp_path.rglob("*"))
    assert rows_of(corpus, tmp_path / "run") == rows_of(corpus, tmp_path / "run")
    assert [path for path in sorted(tmp_path.rglob("*")) if not path.is_relative_to(tmp_path / "run")] == before
    assert (tmp_path / "run").exists() == (name == "wenetspeech_yue")


def test_a_folder_of_another_shape_is_refused_with_the_version_and_where_to_get_it(name, tmp_path):
    corpus = make(name, tmp_path / "corpus").model_copy(update={"path": tmp_path / "empty"})
    with pytest.raises(CorpusError, match="is not a folder: correct `path`"):
        list(reader(corpus)(corpus, tmp_path / "run"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/readme.txt").write_text("something else")
    source = importlib.import_module(f"earmark.corpora.public.{name}").SOURCE
    with pytest.raises(CorpusError) as refused:
        list(reader(corpus)(corpus, tmp_path / "run"))
    assert source.name in str(refused.value) and source.url in str(refused.value)
    assert "holds no" in str(refused.value)


def test_a_subset_that_the_corpus_does_not_have_is_refused(name, tmp_path):
    corpus = make(name, tmp_path / "corpus").model_copy(update={"subsets": ["nonsense"]})
    with pytest.raises(CorpusError, match="has no subset 'nonsense': name some of"):
        list(reader(corpus)(corpus, tmp_path / "run"))


def test_missing_and_damaged_audio_is_set_aside(name, tmp_path):
    corpus = make(name, tmp_path / "corpus")
    for path in sorted(corpus.path.rglob("*")):
        if path.suffix in published.AUDIO:
            path.unlink()
    rows = rows_of(corpus, tmp_path / "run")
    assert len(rows) == READERS[name]
    assert set(statuses(rows)) <= {"kept", "missing audio"}
    assert (statuses(rows).get("missing audio", 0) > 0) == (name != "ascend")  # there the audio is in the table


def test_neighbours_orders_a_recording_by_offset_and_leaves_the_others_where_they_are():
    rows = [{"audio": "b", "offset": 2.0}, {"audio": "b", "offset": 1.0}, {"audio": "a"}, {"audio": "b", "offset": 0.5}]
    assert list(published.neighbours(rows)) == [rows[1], rows[0], rows[2], rows[3]]


@pytest.mark.parametrize(
    ("text", "language"),
    [("你好", "zh"), ("我 think so", "zh-en"), ("okay", "en"), ("八点", "zh"), ("", "zh"), (None, "zh")],
)
def test_the_language_of_an_utterance_is_that_of_its_scripts(text, language):
    assert published.mixed_language(text) == language


def test_audio_outside_the_folder_is_not_found(tmp_path):
    (tmp_path / "secret.wav").write_bytes(b"x")
    root = tmp_path / "corpus"
    root.mkdir()
    (root / "link.wav").symlink_to(tmp_path / "secret.wav")
    assert published.below(root, "../secret.wav") is None
    assert published.below(root, "link.wav") is None
    assert published.below(root, "a\0b") is None
    assert published.find_sounds(root) == {}


def test_compressed_tars_alone_are_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "00000000.tar.gz").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"00000000\.tar\.gz: nothing can be sought in a compressed tar"):
        published.find_sounds(tmp_path)


def test_a_damaged_tar_is_an_error_that_names_it(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(CorpusError, match=r"a\.tar"):
        published.find_sounds(tmp_path)
