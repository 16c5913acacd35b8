"""AISHELL-2021-Eval: Mandarin test sets of several scenes (the paper reports A, C and D).

    A/trans.txt  A/wav.scp  A/wav/ID.wav          (C and D alike)

Its page (aishelltech.com/aishell_2021_eval) could not be read, and in public repositories neither a description of the
archive nor code that reads it was found, the paper's own text apart. THE LAYOUT IS ASSUMED: that of AISHELL-2's
evaluation sets (trans.txt and wav.scp with a tab between id and value, paths relative to the folder), in a folder for
each part. Correct this reader, or the folder, when you have the data.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from earmark.config import PublicCorpus
from earmark.corpora.base import Row
from earmark.corpora.public.published import Sound, Source, below, chosen, listed, matching

SOURCE = Source("AISHELL-2021-Eval (AISHELL-2's layout assumed)", "aishelltech.com/aishell_2021_eval")
PARTS = ("A", "C", "D")

# trans.txt: A0001<TAB>导航去最近的加油站
# wav.scp:   A0001<TAB>wav/A0001.wav


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Tables and audio folders of each part."""
    for part in corpus.subsets or PARTS:
        yield from matching(corpus.path / part, "trans.txt", "wav.scp", "wav/", "wav/*/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by transcript; splits test_aishell_2021_a, _c and _d. Subsets: A, C, D. Writes nothing.

    :raises CorpusError: none of the parts, or one without trans.txt or wav.scp.
    """
    there = [name for name in PARTS if (corpus.path / name).is_dir()]
    if not there:
        raise SOURCE.lacks(corpus.path, "A/trans.txt")
    for name in chosen(corpus, there, PARTS, SOURCE):
        part = corpus.path / name
        for file in ("trans.txt", "wav.scp"):
            if not (part / file).is_file():
                raise SOURCE.lacks(part, file)
        split, find = f"test_aishell_2021_{name.lower()}", partial(_find, part)
        yield from listed(corpus, part, ("trans.txt", "wav.scp"), split, find, _describe, key=f"{name}-{{}}")


def _find(part: Path, key: str, value: str) -> Sound | None:
    return below(part, value)


def _describe(key: str, text: str | None) -> Row:
    return {"language": "zh"}
