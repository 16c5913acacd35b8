"""SPGISpeech: English earnings calls with fully formatted transcripts, one wav of 5-15 s an utterance.

LAYOUT (https://datasets.kensho.com/datasets/spgispeech, unpacked):

    spgispeech/train.csv  val.csv
    spgispeech/train/07a785e9237c389c1354bb60abca42d5/1.wav     (call, slice; 16 kHz, 16 bit, mono)

Or the tables beside the folder `spgispeech` that holds train and val. The header of val.csv and a line of it:

    wav_filename|wav_filesize|transcript
    13aa6c0669adb5544a0d62beef677189/75.wav|198764|next year. If you think back to our Q2 results, we did announce

lhotse's recipe ends at a file without a line or a line without its file, writes its own folder, strips case and
punctuation by default, and takes calls for speakers; several people speak in a call, so that none is given here.
Lengths follow from wav_filesize, so that 1.9 million files need not be opened.
"""

from collections.abc import Iterator
from pathlib import Path

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import seconds
from earmark.corpora.public.lines import headed
from earmark.corpora.public.published import Source, below, chosen, located, matching, written

SOURCE = Source("SPGISpeech", "datasets.kensho.com/datasets/spgispeech")
SPLITS = {"train": "train", "val": "valid", "test": "test_spgispeech"}
"""Split of each part."""
_HEADER, _BYTES_PER_SECOND = 44, 32_000


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Tables, and the calls' folders."""
    for part in corpus.subsets or SPLITS:
        for top in ("", "spgispeech/"):
            yield from matching(corpus.path, f"{top}{part}.csv", f"{top}{part}/*/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by part and line; subsets train, val, test. Writes nothing.

    :raises CorpusError: no table, or one without the columns wav_filename, wav_filesize and transcript.
    """
    tables = {
        part: path
        for part in SPLITS
        for path in (corpus.path / f"spgispeech/{part}.csv", corpus.path / f"{part}.csv")
        if path.is_file()
    }
    if not tables:
        raise SOURCE.lacks(corpus.path, "train.csv or val.csv")
    for part in chosen(corpus, tables, SPLITS, SOURCE):
        yield from _part(corpus, tables[part], part)


def _part(corpus: PublicCorpus, table: Path, part: str) -> Iterator[Row]:
    clips = next((path for path in (table.parent / part, table.parent / "spgispeech" / part) if path.is_dir()), None)
    if clips is None:
        raise SOURCE.lacks(table.parent, f"folder {part} with the audio of {table.name}")
    for record in headed(corpus, table, ("wav_filename", "wav_filesize", "transcript"), SOURCE, SPLITS[part], "|"):
        if record.bad:
            yield record.bad
            continue
        name, size = record.fields["wav_filename"], seconds(record.fields["wav_filesize"]) or 0.0
        length = (size - _HEADER) / _BYTES_PER_SECOND
        where = located(below(clips, name), str(clips / name), 0.0, length if length > 0 else None)
        about = {"split": SPLITS[part], "language": "en", "speaker": None}
        yield row(corpus, name.removesuffix(".wav"), **about | written(record.fields["transcript"]) | where)
