"""LibriHeavy: cuts of long recordings."""

import gzip
import json

import pytest
from miniatures.libriheavy import LAND, SEA, cut, make
from rows import brief, rows_of, statuses

from earmark.errors import CorpusError


def test_rows_say_what_the_cuts_say_and_are_neighbours_by_offset(tmp_path):
    rows = rows_of(make(tmp_path), tmp_path / "run")
    assert brief(rows, "id", "split", "offset", "duration", "speaker") == [
        (f"heavy-{SEA}_0", "train", 0.25, 0.75, "100"),
        (f"heavy-{SEA}_1", "train", 1.25, 1.0, "100"),
        (f"heavy-{SEA}_2", "train", 2.25, 0.5, "100"),
        (f"heavy-{LAND}_0", "train", 0.5, 2.0, "200"),
        (f"heavy-{SEA}_3", "valid", 0.0, 0.25, "100"),
    ]
    assert rows[0]["raw_text"] == "The little girl was thoughtful."  # the book's text, not the decoded one
    assert rows[0]["audio"] == str(tmp_path / f"download/librilight/{SEA}.flac")
    assert {row["language"] for row in rows} == {"en"}


def test_subsets_and_libri_light_beside_the_manifests(tmp_path):
    corpus = make(tmp_path).model_copy(update={"subsets": ["medium"]})
    (tmp_path / "download/librilight").rename(tmp_path / "librilight")
    rows = rows_of(corpus, tmp_path / "run")
    assert brief(rows, "id", "status") == [(f"heavy-{LAND}_0", "kept")]


def test_manifests_of_stage_two_have_their_text_elsewhere(tmp_path):
    corpus = make(tmp_path).model_copy(update={"subsets": ["dev"]})
    value = json.loads(cut(SEA, 9, 0.0, 1.0, ""))
    value["supervisions"][0] |= {"text": "HELLO", "custom": {}}
    with gzip.open(tmp_path / "libriheavy_cuts_dev.jsonl.gz", "wt") as file:
        file.write(json.dumps(value))
    assert brief(rows_of(corpus, tmp_path / "run"), "raw_text", "status") == [("HELLO", "kept")]


def test_bad_lines_are_set_aside_with_file_number_and_line(tmp_path):
    corpus = make(tmp_path).model_copy(update={"subsets": ["medium"]})
    cuts = ["no json", "[1]", '{"id": 7}', cut(LAND, 1, 0.0, 1.0, " "), cut("small/none", 0, 0.0, 1.0, "gone")]
    with gzip.open(tmp_path / "libriheavy_cuts_medium.jsonl.gz", "at") as file:
        file.write("\n".join(cuts))
    rows = rows_of(corpus, tmp_path / "run")
    assert statuses(rows) == {
        "kept": 1,
        "line is not JSON": 1,
        "line is not a JSON object": 1,
        "line is not a cut": 1,
        "no transcript": 1,
        "missing audio": 1,
    }
    bad = next(row for row in rows if row["status"] == "line is not JSON")
    assert (bad["id"], bad["raw_text"]) == ("heavy-libriheavy_cuts_medium.jsonl.gz:2", "no json")


def test_a_manifest_that_was_cut_short_keeps_what_precedes(tmp_path):
    corpus = make(tmp_path).model_copy(update={"subsets": ["small"]})
    path = tmp_path / "libriheavy_cuts_small.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-8])
    assert statuses(rows_of(corpus, tmp_path / "run"))["file is cut short or damaged"] == 1


def test_a_subset_that_is_not_there_names_its_source(tmp_path):
    corpus = make(tmp_path).model_copy(update={"subsets": ["large"]})
    with pytest.raises(CorpusError, match="lacks subset 'large' of LibriHeavy"):
        rows_of(corpus, tmp_path / "run")
