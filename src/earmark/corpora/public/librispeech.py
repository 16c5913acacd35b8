"""LibriSpeech: English audiobooks, one flac an utterance.

LAYOUT (https://www.openslr.org/12, all archives unpacked into one folder):

    LibriSpeech/train-clean-100/103/1240/103-1240-0000.flac
    LibriSpeech/train-clean-100/103/1240/103-1240.trans.txt

A line of a trans.txt:

    103-1240-0000 CHAPTER ONE MISSUS RACHEL LYNDE IS SURPRISED MISSUS RACHEL LYNDE LIVED JUST WHERE

lhotse's recipe logs missing files and leaves them out, ends at a line without text, and takes the parts in the order
of a set. The same tree holds Mini LibriSpeech (https://www.openslr.org/31): train-clean-5 and dev-clean-2.
"""

from collections.abc import Iterator
from pathlib import Path

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.public.lines import records, root
from earmark.corpora.public.published import Source, below, chosen, located, matching, written

SOURCE = Source("LibriSpeech", "openslr.org/12")
SPLITS = {
    "train-clean-100": "train",
    "train-clean-360": "train",
    "train-other-500": "train",
    "train-clean-5": "train",
    "dev-clean": "test_librispeech_dev_clean",
    "dev-other": "test_librispeech_dev_other",
    "test-clean": "test_librispeech_clean",
    "test-other": "test_librispeech_other",
    "dev-clean-2": "valid",
}
"""Split of each part; dev sets are benchmarks of the paper too."""


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Transcripts and folders of each chapter."""
    top = root(corpus, "LibriSpeech")
    for part in corpus.subsets or SPLITS:
        yield from matching(top / part, "*/*/*.trans.txt", "*/*/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by part, chapter and line; subsets are the parts' folders. Writes nothing.

    :raises CorpusError: none of the parts is there, or one without a transcript.
    """
    top = root(corpus, "LibriSpeech")
    there = [name for name in SPLITS if (top / name).is_dir()]
    if not there:
        raise SOURCE.lacks(corpus.path, "LibriSpeech/train-clean-100 or another part")
    for part in chosen(corpus, there, SPLITS, SOURCE):
        chapters = sorted((top / part).glob("*/*/*.trans.txt"))
        if not chapters:
            raise SOURCE.lacks(top / part, "SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt")
        for path in chapters:
            yield from _chapter(corpus, path, SPLITS[part])


def _chapter(corpus: PublicCorpus, path: Path, split: str) -> Iterator[Row]:
    for record in records(corpus, path, ["id", "text"], split, " "):
        if record.bad:
            yield record.bad
            continue
        key = record.fields["id"]
        where = located(below(path.parent, f"{key}.flac"), str(path.parent / f"{key}.flac"))
        about = {"split": split, "language": "en", "speaker": key.partition("-")[0]}
        yield row(corpus, key, **about | written(record.fields["text"]) | where)
