"""ASCEND: Parquet, and the older CSV."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from encoded import voice, write
from miniatures.ascend import make
from rows import append, brief, rows_of, statuses

from earmark.config import PublicCorpus
from earmark.errors import CorpusError

HEAD = "file_name,transcription,duration,language,original_speaker_id,session_id,topic\n"


def as_table(folder):
    """The older form: a wave and its line."""
    file = "waves/ses1_spk17_L3823_15.3200_0.7810.wav"
    write(folder / file, voice(0.781))
    (folder / "test_metadata.csv").write_text(
        f'{HEAD}{file},"好 的, okay",0.781,mixed,17,1,persona\n', encoding="utf-8"
    )
    return PublicCorpus(name="ascend", reader="ascend", path=folder)


def test_rows_say_what_the_columns_say(tmp_path):
    rows = rows_of(make(tmp_path), tmp_path / "run")
    assert brief(rows, "id", "split", "language", "speaker", "duration", "member") == [
        ("ascend-00000", "train", "zh", "17", 0.5, "0"),
        ("ascend-00001", "train", "zh-en", "17", 0.75, "1"),
        ("ascend-00002", "valid", "en", "17", 0.5, "0"),
        ("ascend-00003", "test_ascend", "zh-en", "17", 0.6, "0"),
    ]
    assert rows[1]["raw_text"] == "我 think so"
    assert rows[0]["offset"] == 0.0


def test_the_older_form_is_read_where_there_is_no_parquet(tmp_path):
    rows = rows_of(as_table(tmp_path), tmp_path / "run")
    assert brief(rows, "id", "split", "language", "raw_text", "duration", "status") == [
        ("ascend-ses1_spk17_L3823_15.3200_0.7810", "test_ascend", "zh-en", "好 的, okay", 0.781, "kept")
    ]


def test_bad_lines_are_set_aside(tmp_path):
    corpus = as_table(tmp_path)
    for text in ("a,b", "waves/none.wav,没有,1,zh,1,1,x", "waves/none2.wav,hola,1,es,1,1,x", '"open,1,2'):
        append(tmp_path / "test_metadata.csv", text)
    assert statuses(rows_of(corpus, tmp_path / "run")) == {
        "kept": 1,
        "wrong number of fields": 2,
        "missing audio": 2,
    }


def test_rows_of_another_language_or_without_text_are_set_aside(tmp_path):
    corpus = make(tmp_path).model_copy(update={"subsets": ["train"]})
    path = tmp_path / "main/train-00000-of-00001.parquet"
    values = pq.read_table(path).to_pylist()
    values[0]["language"], values[1]["transcription"] = "es", None
    pq.write_table(pa.Table.from_pylist(values), path)
    assert statuses(rows_of(corpus, tmp_path / "run")) == {"unknown language": 1, "no transcript": 1}


def test_a_damaged_file_is_one_row_set_aside(tmp_path):
    corpus = make(tmp_path)
    path = tmp_path / "main/test-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    assert statuses(rows_of(corpus, tmp_path / "run")) == {"kept": 3, "file is cut short or damaged": 1}


def test_files_with_other_columns_and_packed_waves_are_refused(tmp_path):
    corpus = as_table(tmp_path)
    (tmp_path / "waves").rename(tmp_path / "away")
    (tmp_path / "waves.tar.bz2").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"holds no folder waves, as ASCEND .*tar xjf"):
        rows_of(corpus, tmp_path / "run")
    (tmp_path / "away").rename(tmp_path / "waves")
    (tmp_path / "test_metadata.csv").write_text("file,text\n")
    with pytest.raises(CorpusError, match=r"columns duration, file_name, .* in test_metadata\.csv"):
        rows_of(corpus, tmp_path / "run")
    (tmp_path / "main").mkdir()
    pq.write_table(pa.table({"id": ["1"]}), tmp_path / "main/test-00000-of-00001.parquet")
    with pytest.raises(CorpusError, match=r"columns audio, duration, language, "):
        rows_of(corpus, tmp_path / "run")
