"""What a corpus is made of: whatever changes a reader's rows, or the audio that they refer to, changes its mark."""

import importlib
import os
from pathlib import Path
from typing import Any

import pytest

from earmark.config import FolderCorpus, SpokenDigitsCorpus, SyntheticCorpus
from earmark.corpora import sources
from earmark.corpora.base import reader
from earmark.data import manifest
from earmark.errors import UserError

RESULTS = Path("results")
NAMES = sorted(path.stem for path in Path(__file__).with_name("miniatures").glob("[a-z]*.py"))


def mark(corpus: Any) -> str:
    """The fingerprint as another process would take it."""
    sources._fingerprint.cache_clear()
    return sources.fingerprint(corpus, RESULTS)


def outcome(corpus: Any, folder: Path) -> list[dict] | str:
    try:
        return manifest.table(reader(corpus)(corpus, folder)).to_pylist()
    except UserError as error:
        return str(error)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_lost_changes_the_mark_where_it_changes_a_row(tmp_path: Path, name: str) -> None:
    corpus = importlib.import_module(f"miniatures.{name}").make(tmp_path / "corpus")
    before, rows = mark(corpus), outcome(corpus, tmp_path / "run")
    assert isinstance(rows, list) and mark(corpus) == before
    noticed = 0
    for path in sorted(path for path in (tmp_path / "corpus").rglob("*") if path.is_file()):
        path.rename(tmp_path / "away")
        noticed += (changed := outcome(corpus, tmp_path / "run") != rows)
        assert mark(corpus) != before or not changed, path
        (tmp_path / "away").rename(path)
    assert noticed and mark(corpus) == before


@pytest.mark.parametrize("name", NAMES)
def test_another_content_changes_the_mark_where_it_changes_a_row(tmp_path: Path, name: str) -> None:
    corpus = importlib.import_module(f"miniatures.{name}").make(tmp_path / "corpus")
    rows = outcome(corpus, tmp_path / "run")
    assert isinstance(rows, list)
    heard = {row["audio"] for row in rows if not row["audio"].startswith(str(tmp_path / "run"))}
    for path in sorted(path for path in (tmp_path / "corpus").rglob("*") if path.is_file()):
        before, data, times = mark(corpus), path.read_bytes(), path.stat()
        path.write_bytes(data[:-2] + bytes(255 - byte for byte in data[-2:]))  # as long as before
        changed = outcome(corpus, tmp_path / "run") != rows or str(path) in heard
        assert mark(corpus) != before or not changed, path
        path.write_bytes(data)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_table_that_was_touched_is_the_same_and_one_line_more_is_another(tmp_path: Path) -> None:
    corpus = importlib.import_module("miniatures.folder").make(tmp_path)
    table = corpus.path / corpus.table
    before = mark(corpus)
    os.utime(table, (1, 1))
    assert mark(corpus) == before
    times, text = table.stat(), table.read_text(encoding="utf-8")
    table.write_text(text.replace("a", "b", 1), encoding="utf-8")
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert mark(corpus) != before


def test_a_large_table_counts_by_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = importlib.import_module("miniatures.folder").make(tmp_path)
    monkeypatch.setattr(sources, "SMALL", 10)
    before = mark(corpus)
    os.utime(corpus.path / corpus.table, (1, 1))
    assert mark(corpus) != before


def own(folder: Path) -> FolderCorpus:
    (folder / "audio").mkdir(parents=True)
    (folder / "utterances.tsv").write_text("audio\ttext\tlanguage\naudio/a.wav\thello\ten\n")
    (folder / "audio" / "a.wav").write_bytes(b"a")
    return FolderCorpus(reader="folder", name="own", path=folder)


def test_recordings_that_are_added_replaced_or_renamed_are_noticed(tmp_path: Path) -> None:
    corpus = own(tmp_path / "own")
    marks = [mark(corpus)]
    (corpus.path / "audio" / "b.wav").write_bytes(b"b")
    marks.append(mark(corpus))
    (corpus.path / "audio" / "b.wav").rename(corpus.path / "audio" / "a.wav")
    marks.append(mark(corpus))
    (corpus.path / "late").mkdir()
    (corpus.path / "late" / "c.opus").write_bytes(b"c")
    marks.append(mark(corpus))
    assert len(set(marks)) == 4


def test_notes_hidden_files_and_copies_of_editors_are_no_part_of_a_corpus(tmp_path: Path) -> None:
    corpus = own(tmp_path / "own")
    before = mark(corpus)
    (corpus.path / ".cache").mkdir()
    for name in (".utterances.tsv.swp", "utterances.tsv~", "README.md", "audio/notes.TXT", ".cache/a.wav"):
        (corpus.path / name).write_text("x")
    assert mark(corpus) == before


def test_folders_beyond_the_bound_count_by_their_own_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = own(tmp_path / "own")
    for number in range(5):
        (corpus.path / "audio" / f"{number}.wav").write_bytes(b"x")
        (corpus.path / f"more{number}").mkdir()
        (corpus.path / f"more{number}" / "a.wav").write_bytes(b"x")
    monkeypatch.setattr(sources, "BY_FILE", 3)
    before = mark(corpus)
    os.utime(corpus.path / "audio" / "0.wav", (1, 1))
    assert mark(corpus) == before
    (corpus.path / "audio" / "0.wav").unlink()
    without = mark(corpus)
    (corpus.path / "more4" / "a.wav").unlink()
    assert len({before, without, mark(corpus)}) == 3


def test_what_is_not_there_has_a_mark_too_and_another_once_it_is(tmp_path: Path) -> None:
    gone = FolderCorpus(reader="folder", name="own", path=tmp_path / "own")
    before = mark(gone)
    own(tmp_path / "own")
    assert mark(gone) != before
    (tmp_path / "own" / "dead.wav").symlink_to(tmp_path / "nowhere")
    assert mark(gone) != before
    digits = SpokenDigitsCorpus(reader="spoken_digits", name="digits", path=tmp_path / "digits.tar.gz")
    before = mark(digits)
    digits.path.write_bytes(b"x")
    assert mark(digits) != before


def test_lists_of_sentences_are_sources_of_synthetic_speech(tmp_path: Path) -> None:
    listed = tmp_path / "en.txt"
    listed.write_text("hello there\n")
    corpus = SyntheticCorpus(reader="synthetic", name="spoken", sentences={"en": listed})
    before = mark(corpus)
    listed.write_text("hello here\n")
    assert mark(corpus) != before
    assert mark(SyntheticCorpus(reader="synthetic", name="spoken")).startswith("tables: 0, folders: 0")


def test_one_process_looks_at_a_corpus_once(tmp_path: Path) -> None:
    """So a plan that Snakemake makes anew while a run goes on stays the same plan."""
    corpus = own(tmp_path / "own")
    before = mark(corpus)
    (corpus.path / "utterances.tsv").write_text("audio\ttext\tlanguage\n")
    assert sources.fingerprint(corpus, RESULTS) == before != mark(corpus)


def test_results_inside_a_corpus_are_no_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    corpus = FolderCorpus(reader="folder", name="own", path=Path())
    before = mark(corpus)
    Path("results/run/shards").mkdir(parents=True)
    Path("results/run/shards/a.arrow").write_bytes(b"x")
    assert mark(corpus) == before
    Path("other").mkdir()
    Path("other/a.wav").write_bytes(b"x")
    assert mark(corpus) != before
