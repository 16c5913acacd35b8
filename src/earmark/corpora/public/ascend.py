"""ASCEND: spontaneous Mandarin-English conversations recorded in Hong Kong, 10.6 h.

    main/train-00000-of-00002.parquet             (validation, test): columns id, path, audio, transcription, ...
    train_metadata.csv  waves/*.wav               the older form of it: (validation, test)

Both are at huggingface.co/datasets/CAiRE/ASCEND (arXiv 2112.06223): Parquet now, CSV and waves.tar.bz2 before. The
columns are those of the card and of public copies. Parquet is preferred where both are there.
"""

import csv
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import printable, seconds, string
from earmark.corpora.public.published import (
    Sound,
    Source,
    bad_row,
    below,
    chosen,
    located,
    matching,
    text_lines,
    written,
)

SOURCE = Source("ASCEND (CAiRE)", "huggingface.co/datasets/CAiRE/ASCEND")
SPLITS = {"train": "train", "validation": "valid", "test": "test_ascend"}
LANGUAGES = {"zh": "zh", "en": "en", "mixed": "zh-en"}
"""Language here, by what the corpus calls it."""
COLUMNS = ("transcription", "duration", "language", "original_speaker_id")

# file_name,transcription,duration,language,original_speaker_id,session_id,topic
# waves/ses1_spk17_L3823_15.3200_0.7810.wav,呃,0.781,zh,17,1,persona


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Parquet files, or tables and the folder of their audio."""
    for name in corpus.subsets or SPLITS:
        yield from matching(corpus.path, f"main/{name}-*.parquet", f"{name}_metadata.csv")
    yield from matching(corpus.path, "waves/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by file and row; splits train, valid, test_ascend. Subsets: train, validation, test. Writes nothing.

    :raises CorpusError: neither form of the corpus, a file without its columns, or audio still in the tar.bz2.
    """
    parquet = {name: sorted(corpus.path.glob(f"main/{name}-*.parquet")) for name in SPLITS}
    tables = {name: corpus.path / f"{name}_metadata.csv" for name in SPLITS}
    there = [name for name in SPLITS if parquet[name] or tables[name].is_file()]
    if not there:
        raise SOURCE.lacks(corpus.path, "main/train-*.parquet, or train_metadata.csv")
    for name in chosen(corpus, there, SPLITS, SOURCE):
        for path in parquet[name]:
            yield from _parquet(corpus, path, SPLITS[name])
        if not parquet[name]:
            yield from _table(corpus, tables[name], SPLITS[name])


def _parquet(corpus: PublicCorpus, path: Path, split: str) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            if missing := {"id", "audio", *COLUMNS} - set(file.schema_arrow.names):
                raise SOURCE.lacks(corpus.path, f"columns {', '.join(sorted(missing))} in {path.name}")
            for batch in file.iter_batches(1024, columns=["id", *COLUMNS], use_threads=False):
                for values in batch.to_pylist():
                    yield _row(corpus, values.get("id"), values, split, Sound(path, str(number)))
                    number += 1
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        yield bad_row(corpus, path, number, str(error), "file is cut short or damaged", split)


def _table(corpus: PublicCorpus, path: Path, split: str) -> Iterator[Row]:
    if (corpus.path / "waves.tar.bz2").is_file() and not (corpus.path / "waves").is_dir():
        raise SOURCE.lacks(corpus.path, "folder waves", f"tar xjf {corpus.path}/waves.tar.bz2 -C {corpus.path}")
    lines = text_lines(path)
    first = next(lines, None)
    columns = _fields(first.text) if first else []
    if missing := {"file_name", *COLUMNS} - set(columns):
        raise SOURCE.lacks(corpus.path, f"columns {', '.join(sorted(missing))} in {path.name}")
    for line in lines:
        fields = _fields(line.text)
        if line.fault or len(fields) != len(columns):
            reason = line.fault or "wrong number of fields"
            yield bad_row(corpus, path, line.number, line.text, reason, split)
            continue
        values = dict(zip(columns, fields, strict=True))
        file = values["file_name"]
        yield _row(corpus, PurePosixPath(file).stem, values, split, below(corpus.path, file), file)


def _fields(line: str) -> list[str]:
    """Fields of a line of CSV; none of what is no CSV."""
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return []


def _row(
    corpus: PublicCorpus, key: Any, values: dict[str, Any], split: str, sound: Sound | None, file: str = ""
) -> Row:
    where = located(sound, file, duration=seconds(values.get("duration")) or None)
    language = LANGUAGES.get(string(values.get("language")) or "")
    about = {"split": split, "language": language, "speaker": string(values.get("original_speaker_id"))}
    said = written(values.get("transcription"), None if language else "unknown language")
    name = string(key) or (f"{sound.path.stem}-{sound.member}" if sound else file)
    return row(corpus, printable(name), **about | said | where)
