"""Your own corpus: Parquet files with audio bytes, as Hugging Face datasets publish them.

    audio: struct<bytes: binary, path: string>   text: string   language: string   speaker_id: int64 ...

A row of a file is a row here; `member` is its number. Format: the documentation of Hugging Face datasets, "Audio"
(huggingface.co/docs/datasets/audio_dataset).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earmark.audio.container import bytes_column
from earmark.config import HfParquetCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import bad_line, described, files, printable, seconds, string
from earmark.corpora.recordings import measured
from earmark.errors import CorpusError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_BATCH = 1024


def sources(corpus: HfParquetCorpus) -> Iterator[Path]:
    """The Parquet files."""
    yield from files(corpus, corpus.files)


def read(corpus: HfParquetCorpus, folder: Path) -> Iterator[Row]:
    """A row a row, in the order of the files and their rows.

    Rows without an id are called after file and number. A damaged file is one row set aside.

    :raises CorpusError: no folder, no file, or a file without the columns of audio and text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in files(corpus, corpus.files):
        number = 0
        try:
            with pq.ParquetFile(path) as file:
                _require_columns(corpus, path, file.schema_arrow)
                for values in _values(corpus, file):
                    yield _row(corpus, path, number, values)
                    number += 1
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last: a column's name
            yield bad_line(corpus, path, number, str(error), "file is cut short or damaged")


def _require_columns(corpus: HfParquetCorpus, path: Path, schema: Any) -> None:
    wanted = f"columns {corpus.audio!r} (audio bytes) and {corpus.columns.text!r}"
    if bytes_column(schema, corpus.audio) is None or corpus.columns.text not in schema.names:
        raise CorpusError(
            f"{path} has the columns {', '.join(schema.names) or 'none'}, not the {wanted}: "
            "name them by `audio` and `columns`, or leave the file out by `files`"
        )


def _values(corpus: HfParquetCorpus, file: "pq.ParquetFile") -> Iterator[dict[str, Any]]:
    """Values of each row, without the audio."""
    names = set(corpus.columns.model_dump().values()) & set(file.schema_arrow.names)
    for batch in file.iter_batches(_BATCH, columns=sorted(names), use_threads=False):
        for number in range(len(batch)):
            yield {name: _value(batch.column(name)[number]) for name in names}


def _value(cell: Any) -> Any:
    """A cell's value; None for one that Python cannot hold, such as text that is not UTF-8."""
    try:
        return cell.as_py()
    except (ValueError, OverflowError):
        return None


def _row(corpus: HfParquetCorpus, path: Path, number: int, values: dict[str, Any]) -> Row:
    names = corpus.columns
    about = described(corpus, *(values.get(key) for key in (names.text, names.language, names.speaker, names.split)))
    member = str(number) if corpus.audio == "audio" else f"{number}:{corpus.audio}"
    where: Row = {"audio": printable(path), "member": member, "duration": seconds(values.get(names.duration)) or None}
    if where["duration"] is None and "status" not in about:
        where |= measured(path, member)
    relative = path.relative_to(corpus.path).with_suffix("").as_posix()
    return row(corpus, string(values.get(names.id)) or printable(f"{relative}-{number}"), **where | about)
