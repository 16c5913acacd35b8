"""FLEURS: sentences of Wikipedia read in many languages, one wav an utterance.

LAYOUT (https://huggingface.co/datasets/google/fleurs; the folder `data` may be left out):

    data/cmn_hans_cn/train.tsv  dev.tsv  test.tsv
    data/cmn_hans_cn/audio/train.tar.gz  dev.tar.gz  test.tar.gz    (members train/10002312398748.wav)
    data/cmn_hans_cn/audio/train/10002312398748.wav                 (or unpacked there)

A line of train.tsv, with tabs and without a header (sentence, file, raw text, text, letters, samples, sex):

    903 10002312398748.wav 这并不是告别。这是一个篇章的结束... 这并不是告别 ... 这 | 并 | ... 175680 MALE

lhotse's recipe downloads anew through the package `datasets` into a layout of its own and reads only that. The raw
text is taken, speakers are not published. An archive that is not unpacked is unpacked below the reader's own folder.
"""

from collections.abc import Iterator
from pathlib import Path

from earmark.audio.archive import extract
from earmark.config import Language, PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import seconds
from earmark.corpora.public.lines import records, root
from earmark.corpora.public.published import Source, below, chosen, located, matching, written

SOURCE = Source("FLEURS", "huggingface.co/datasets/google/fleurs")
LANGUAGES: dict[str, Language] = {"en_us": "en", "cmn_hans_cn": "zh", "yue_hant_hk": "yue"}
"""Locales that can be read."""
COLUMNS = ["sentence", "file", "raw_text", "text", "letters", "samples", "sex"]
_RATE = 16_000


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Tables and audio of each locale, packed or not."""
    for locale in corpus.subsets or LANGUAGES:
        yield from matching(root(corpus, "data") / locale, "*.tsv", "audio/*.tar.gz", "audio/*/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by locale, part and line; subsets are locales. Splits train, valid, test_fleurs_LOCALE.

    Archives are unpacked to `folder`/LOCALE/PART.

    :raises CorpusError: no locale's folder, one without its tables or audio, or a damaged archive.
    """
    top = root(corpus, "data")
    there = [name for name in LANGUAGES if (top / name).is_dir()]
    if not there:
        raise SOURCE.lacks(corpus.path, f"data/LOCALE, with LOCALE one of {', '.join(LANGUAGES)}")
    for locale in chosen(corpus, there, LANGUAGES, SOURCE):
        for part, split in {"train": "train", "dev": "valid", "test": f"test_fleurs_{locale}"}.items():
            if not (top / locale / f"{part}.tsv").is_file():
                raise SOURCE.lacks(top / locale, f"{part}.tsv")
            clips = _clips(top / locale / "audio", part, folder / locale / part)
            for record in records(corpus, top / locale / f"{part}.tsv", COLUMNS, split):
                yield record.bad or _row(corpus, clips, record.fields, locale, split)


def _clips(audio: Path, part: str, target: Path) -> Path:
    """Folder of a part's wav files."""
    if (audio / part).is_dir():
        return audio / part
    archive = audio / f"{part}.tar.gz"
    if not archive.is_file():
        raise SOURCE.lacks(audio, f"{part}.tar.gz")
    extract(archive, target, SOURCE.url, max_bytes=64 << 30)
    return target / part


def _row(corpus: PublicCorpus, clips: Path, fields: dict[str, str], locale: str, split: str) -> Row:
    name = fields["file"]
    length = (seconds(fields["samples"]) or 0.0) / _RATE
    about = {"split": split, "language": LANGUAGES[locale], "speaker": None}
    where = located(below(clips, name), str(clips / name), 0.0, length or None)
    return row(corpus, f"{locale}-{name.removesuffix('.wav')}", **about | written(fields["raw_text"]) | where)
