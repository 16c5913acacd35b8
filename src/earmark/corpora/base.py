"""What every reader is: a function of its settings and a folder of its own, yielding manifest rows.

Beside it stands `sources(corpus)`: the tables that it reads and the folders whose audio it refers to, whether they are
there or not (see `earmark.corpora.sources`).
"""

from collections.abc import Iterable, Iterator
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
    return _module(corpus).read


def sources(corpus: Corpus) -> Iterable[Path]:
    """Tables and folders that the corpus is made of, as its reader names them."""
    return _module(corpus).sources(corpus)


def _module(corpus: Corpus) -> Any:
    import importlib

    return importlib.import_module(f"earmark.corpora.{corpus.room}.{corpus.reader}")
