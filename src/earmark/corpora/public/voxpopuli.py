"""VoxPopuli, its transcribed English part: speeches in the European Parliament, one ogg (Vorbis) an utterance.

LAYOUT (made by the corpus's own `python -m voxpopuli.get_asr_data --root ROOT --lang en`,
https://github.com/facebookresearch/voxpopuli):

    transcribed_data/en/asr_train.tsv  asr_dev.tsv  asr_test.tsv
    transcribed_data/en/2009/20090113-0900-PLENARY-5-en_20090113-17:20:57_1.ogg

The header of asr_train.tsv and a line of it, with tabs:

    id raw_text normalized_text speaker_id split gender
    20090113-0900-PLENARY-5-en_20090113-17:20:57_1 Thank you, Mr. ... thank you mr ... 28113 train male

`normalized_text` is what was aligned with the audio and is the reference; `raw_text` may lack words. lhotse's recipe
downloads the table, writes it, opens all sessions, looks for them in another folder than its own download puts them
in, and takes each segment from its first to its last moment, where the corpus joins the voiced stretches only.
"""

from collections.abc import Iterator
from pathlib import Path

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.public.lines import headed
from earmark.corpora.public.published import Source, below, chosen, located, matching, written

SOURCE = Source("VoxPopuli (transcribed, English)", "github.com/facebookresearch/voxpopuli")
SPLITS = {"train": "train", "dev": "test_voxpopuli_dev", "test": "test_voxpopuli"}
"""Split of each part; the dev set is a benchmark of the paper too."""
_PLACES = ("transcribed_data/en", "en", ".")


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Tables, and the years' folders."""
    for place in _PLACES:
        tables = [f"asr_{part}.tsv" for part in corpus.subsets or SPLITS]
        yield from matching(corpus.path / place, *tables, "[0-9][0-9][0-9][0-9]/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by part and line; subsets train, dev, test. Writes nothing.

    :raises CorpusError: no asr_train.tsv, asr_dev.tsv or asr_test.tsv.
    """
    found = (corpus.path / place for place in _PLACES)
    top = next((path for path in found if any(path.glob("asr_*.tsv"))), None)
    there = [part for part in SPLITS if top and (top / f"asr_{part}.tsv").is_file()]
    if not top or not there:
        raise SOURCE.lacks(corpus.path, "transcribed_data/en/asr_train.tsv", "make it by voxpopuli.get_asr_data")
    for part in chosen(corpus, there, SPLITS, SOURCE):
        columns = ("id", "normalized_text", "speaker_id")
        for record in headed(corpus, top / f"asr_{part}.tsv", columns, SOURCE, SPLITS[part]):
            yield record.bad or _row(corpus, top, record.fields, SPLITS[part])


def _row(corpus: PublicCorpus, top: Path, fields: dict[str, str], split: str) -> Row:
    key = fields["id"]
    audio = f"{key[:4]}/{key}.ogg"
    about = {"split": split, "language": "en", "speaker": fields["speaker_id"] or None}
    return row(corpus, key, **about | written(fields["normalized_text"]) | located(below(top, audio), str(top / audio)))
