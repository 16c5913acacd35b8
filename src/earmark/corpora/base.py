"""What every reader is: a function of its settings and a folder of its own, yielding manifest rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from earmark.config import Corpus, CorpusBase

Row = dict[str, Any]
"""A row of `earmark.data.manifest.RAW`; `status`, `channel` and `offset` may be left out."""


class Reader(Protocol):
    """`read(settings, folder)`: rows in a stable order; may write audio below `folder`, nothing elsewhere."""

    def __call__(self, corpus: Any, folder: Path) -> Iterator[Row]:
        """Rows of the corpus."""
        ...


def row(corpus: CorpusBase, key: str, **values: Any) -> Row:
    """A row whose id is `corpus-key`, with what the corpus's settings say of every row."""
    return {
        "id": f"{corpus.name}-{key}",
        "corpus": corpus.name,
        "domain": corpus.domain,
        "licence": corpus.licence,
    } | values


def reader(corpus: Corpus) -> Reader:
    """The reader that the settings name: module and function are called after it."""
    import importlib

    module = importlib.import_module(f"earmark.corpora.{corpus.reader}")
    return module.read
