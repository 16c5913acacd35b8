"""LibriHeavy: gzipped lhotse cuts over the long flac files of Libri-Light (English audiobooks).

    libriheavy_cuts_small.jsonl.gz            (medium, large; dev, test_clean, test_other and their _large versions)
    download/librilight/small/100/sea_fairies_0812_librivox_64kb_mp3/01_baum_sea_fairies_64kb.flac

`large` does not hold `medium`, nor that `small`. Libri-Light may lie in `download/librilight`, where the manifests
say, in `librilight`, or in the folder itself. Layout, and the line below, from the README of
github.com/k2-fsa/libriheavy; the manifests are at huggingface.co/datasets/pkufool/libriheavy. Read are the full
manifests (texts[0]: the book's text) and those of `run.sh --stage 2` (`text`).
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import json_lines, seconds, string
from earmark.corpora.public.published import (
    Sound,
    Source,
    bad_row,
    below,
    chosen,
    located,
    matching,
    neighbours,
    written,
)

SOURCE = Source("LibriHeavy 1.0", "huggingface.co/datasets/pkufool/libriheavy")
SPLITS = {"small": "train", "medium": "train", "large": "train", "dev": "valid"} | {
    f"test_{name}": f"test_libriheavy_{name}" for name in ("clean", "other", "clean_large", "other_large")
}
"""Split of each of the corpus's parts."""

# {"id": "small/100/sea_fairies_.../01_baum_sea_fairies_64kb_0", "start": 243.919, "duration": 7.36, "channel": 0,
#  "supervisions": [{"id": ..., "recording_id": "small/100/...", "start": 0, "duration": 7.36, "channel": 0,
#    "language": "English", "speaker": "100", "custom": {"texts": ["The little girl was ...", "THE LITTLE ..."],
#    "pre_texts": [...], "begin_byte": 4993, "end_byte": 5120}}],
#  "recording": {"id": ..., "sources": [{"type": "file", "channels": [0],
#    "source": "download/librilight/small/100/.../01_baum_sea_fairies_64kb.flac"}], "sampling_rate": 16000, ...},
#  "type": "MonoCut"}


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Manifests of cuts, and the books' folders."""
    yield from sorted(corpus.path.rglob("libriheavy_cuts_*.jsonl.gz"))
    for top in ("download/librilight", "librilight", "."):
        yield from matching(corpus.path / top, *(f"{size}/*/*/" for size in ("small", "medium", "large")))


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by cut, in the order of the manifests, those of one recording by offset. Writes nothing.

    :raises CorpusError: no manifests of cuts.
    """
    files: dict[str, Path] = {}
    for path in sorted(corpus.path.rglob("libriheavy_cuts_*.jsonl.gz"), key=lambda path: (len(path.parts), path)):
        files.setdefault(path.name.removeprefix("libriheavy_cuts_").removesuffix(".jsonl.gz"), path)
    if not files:
        raise SOURCE.lacks(corpus.path, "libriheavy_cuts_*.jsonl.gz")
    recordings = _Recordings(corpus.path)
    for name in chosen(corpus, files, SPLITS, SOURCE):
        yield from neighbours(_rows(corpus, files[name], SPLITS[name], recordings))


def _rows(corpus: PublicCorpus, path: Path, split: str, recordings: "_Recordings") -> Iterator[Row]:
    for line in json_lines(path):
        if line.value is None:
            yield bad_row(corpus, path, line.number, line.text, line.fault, split)
            continue
        key, source, said = line.value.get("id"), _source(line.value), _said(line.value)
        offset, duration = seconds(line.value.get("start")), seconds(line.value.get("duration"))
        if not string(key) or offset is None or not duration or source is None or said is None:
            yield bad_row(corpus, path, line.number, str(line.value), "line is not a cut", split)
            continue
        where = located(recordings.find(source), source, offset, duration)
        about = {"split": split, "language": "en", "speaker": string(said.get("speaker"))}
        yield row(corpus, str(key), **about | written(_text(said)) | where)


def _source(cut: dict[str, Any]) -> str | None:
    """Path of the recording, as the manifest has it."""
    try:
        return string(cut["recording"]["sources"][0]["source"])
    except (KeyError, IndexError, TypeError):
        return None


def _said(cut: dict[str, Any]) -> dict[str, Any] | None:
    """The one supervision of a cut."""
    match cut.get("supervisions"):
        case [dict() as said]:
            return said
    return None


def _text(said: dict[str, Any]) -> Any:
    match said:
        case {"custom": {"texts": [text, *_]}}:
            return text
    return said.get("text")


class _Recordings:
    """Where the recordings of Libri-Light lie; each is looked for once, since its cuts follow one another."""

    def __init__(self, root: Path):
        self._roots = [root / "download/librilight", root / "librilight", root]
        self.find = lru_cache(maxsize=64)(self._find)

    def _find(self, source: str) -> Sound | None:
        relative = source.rpartition("librilight/")[2]
        return next((found for root in self._roots if (found := below(root, relative))), None)
