"""Multilingual LibriSpeech, its English part: audiobooks, one flac or opus an utterance.

LAYOUT (https://www.openslr.org/94, mls_english.tar.gz or mls_english_opus.tar.gz unpacked):

    mls_english/train/transcripts.txt  segments.txt
    mls_english/train/audio/4800/10003/4800_10003_000000.flac     (speaker, book, utterance; also dev and test)

A line of transcripts.txt and one of segments.txt (id, source, start, end), with tabs:

    4800_10003_000000   oh my dear you must see him he expects you she answered almost gayly
    4800_10003_000000   https://www.archive.org/download/.../x_64kb.mp3   401.76   415.57

lhotse's recipe lists and opens all audio below a part before the first row (10.8 million files), ends at a bad line,
needs metainfo.txt to know each speaker, and takes opus or flac for all languages at once. Lengths are those of
segments.txt; a file that it does not list is opened.
"""

from collections.abc import Iterator
from pathlib import Path

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import seconds
from earmark.corpora.public.lines import records
from earmark.corpora.public.published import Source, below, chosen, located, matching, written

SOURCE = Source("Multilingual LibriSpeech (English)", "openslr.org/94")
SPLITS = {"train": "train", "dev": "valid", "test": "test_mls"}
"""Split of each part."""


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Tables of each part, and the books' folders."""
    for top in (corpus.path / "mls_english", corpus.path / "mls_english_opus", corpus.path):
        for part in corpus.subsets or SPLITS:
            yield from matching(top / part, "transcripts.txt", "segments.txt", "audio/*/*/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by part and line; subsets train, dev, test. Writes nothing.

    :raises CorpusError: no part with its transcripts.txt.
    """
    tops = [
        path for path in (corpus.path / "mls_english", corpus.path / "mls_english_opus", corpus.path) if path.is_dir()
    ]
    top = next((path for path in tops if any((path / part).is_dir() for part in SPLITS)), corpus.path)
    there = [part for part in SPLITS if (top / part / "transcripts.txt").is_file()]
    if not there:
        raise SOURCE.lacks(corpus.path, "mls_english/train/transcripts.txt")
    for part in chosen(corpus, there, SPLITS, SOURCE):
        yield from _part(corpus, top / part, SPLITS[part])


def _part(corpus: PublicCorpus, folder: Path, split: str) -> Iterator[Row]:
    lengths = _lengths(corpus, folder / "segments.txt")
    for record in records(corpus, folder / "transcripts.txt", ["id", "text"], split):
        if record.bad:
            yield record.bad
            continue
        key = record.fields["id"]
        speaker, _, book = key.rpartition("_")[0].partition("_")
        stem = f"audio/{speaker}/{book}/{key}"
        sound = below(folder, f"{stem}.flac") or below(folder, f"{stem}.opus")
        where = located(sound, str(folder / stem), 0.0, lengths.get(key))
        about = {"split": split, "language": "en", "speaker": speaker or None}
        yield row(corpus, key, **about | written(record.fields["text"]) | where)


def _lengths(corpus: PublicCorpus, path: Path) -> dict[str, float]:
    """Seconds by utterance."""
    if not path.is_file():
        return {}
    found: dict[str, float] = {}
    for record in records(corpus, path, ["id", "source", "start", "end"], "train"):
        start, end = seconds(record.fields.get("start")), seconds(record.fields.get("end"))
        if start is not None and end is not None and end > start:
            found[record.fields["id"]] = round(end - start, 6)
    return found
