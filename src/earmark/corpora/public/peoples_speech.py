"""People's Speech: English of the web, one flac an utterance, in Parquet files.

LAYOUT (https://huggingface.co/datasets/MLCommons/peoples_speech):

    clean/train-00000-of-00804.parquet     clean_sa/  dirty/  dirty_sa/  microset/train-*.parquet
    validation/validation-*.parquet        test/test-*.parquet

Columns and a row:

    id                                        audio {bytes, path}   duration_ms   text
    gov_DOT_uscourts_..._SLASH_..._00000.flac {fLaC..., null}       14490         i wanted this to share a few things

lhotse's recipe reads the release before (train/clean.json beside folders of flac), which is no longer published,
ends at a missing file, and opens every file. A row's audio is named by its number in the Parquet file. microset is a
part of clean and is read only when it is asked for.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import printable, seconds, string
from earmark.corpora.public.lines import cells
from earmark.corpora.public.published import Sound, Source, chosen, located, matching, written

SOURCE = Source("People's Speech 1.1", "huggingface.co/datasets/MLCommons/peoples_speech")
SPLITS = dict.fromkeys(("clean", "clean_sa", "dirty", "dirty_sa", "microset"), "train") | {
    "validation": "valid",
    "test": "test_peoples_speech",
}
"""Split of each part."""
COLUMNS = ("id", "duration_ms", "text")


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Parquet files of each part."""
    parts = corpus.subsets or [part for part in SPLITS if part != "microset"]
    yield from matching(corpus.path, *(f"{part}/*.parquet" for part in parts))


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by part, file and row; subsets are the parts' folders. Writes nothing.

    :raises CorpusError: no part, or a file that is not Parquet with these columns.
    """
    files = {part: sorted((corpus.path / part).glob("*.parquet")) for part in SPLITS}
    there = [part for part, found in files.items() if found and (part != "microset" or part in corpus.subsets)]
    if not there:
        raise SOURCE.lacks(corpus.path, "clean/train-*.parquet or another part")
    for part in chosen(corpus, there, SPLITS, SOURCE):
        for path in files[part]:
            yield from _file(corpus, path, SPLITS[part])


def _file(corpus: PublicCorpus, path: Path, split: str) -> Iterator[Row]:
    for number, values in enumerate(cells(path, COLUMNS, SOURCE)):
        yield _row(corpus, path, number, values, split)


def _row(corpus: PublicCorpus, path: Path, number: int, values: dict[str, Any], split: str) -> Row:
    milliseconds = seconds(values["duration_ms"])
    where = located(Sound(path, str(number)), str(path), 0.0, milliseconds / 1000 if milliseconds else None)
    key = string(values["id"]) or f"{path.parent.name}/{path.name}:{number}"
    about = {"split": split, "language": "en", "speaker": None}
    return row(corpus, printable(key.removesuffix(".flac")), **about | written(values["text"]) | where)
