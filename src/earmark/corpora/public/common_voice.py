"""Common Voice 15.0: sentences read by volunteers, one mp3 each.

LAYOUT (https://commonvoice.mozilla.org/en/datasets, archives of several locales unpacked into one folder):

    cv-corpus-15.0-2023-09-08/zh-CN/train.tsv  dev.tsv  test.tsv  validated.tsv  other.tsv  clip_durations.tsv
    cv-corpus-15.0-2023-09-08/zh-CN/clips/common_voice_zh-CN_18524189.mp3

The header of train.tsv and a line of it, then those of clip_durations.tsv, with tabs:

    client_id path sentence up_votes down_votes age gender accents variant locale segment
    0a1b... common_voice_zh-CN_18524189.mp3 宋朝末年年间定居粉岭围。 2 0 twenties male ... zh-CN
    clip duration[ms]
    common_voice_zh-CN_18524189.mp3 4680

lhotse's recipe leaves missing files out, needs columns that not every version has (`accents`, `variant`), writes its
own folder, and opens every mp3 for its length; here lengths are taken from clip_durations.tsv where it is there.
Read are train, dev and test, which share no speakers. Quotes in sentences are part of them.
"""

from collections.abc import Iterator
from pathlib import Path

from earmark.config import Language, PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import seconds
from earmark.corpora.public.lines import headed, root
from earmark.corpora.public.published import Source, below, chosen, located, matching, written

SOURCE = Source("Common Voice 15.0", "commonvoice.mozilla.org/en/datasets")
LANGUAGES: dict[str, Language] = {"en": "en", "zh-CN": "zh", "zh-TW": "zh", "zh-HK": "yue", "yue": "yue"}
"""Locales that can be read; Hong Kong's is Cantonese."""
RELEASE = "cv-corpus-15.0-2023-09-08"


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Tables and clips of each locale."""
    top = root(corpus, RELEASE)
    tables = ("train.tsv", "dev.tsv", "test.tsv", "clip_durations.tsv")
    for locale in corpus.subsets or LANGUAGES:
        yield from matching(top / locale, *tables, "clips/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by locale, part and line; subsets are locales. Splits train, valid, test_common_voice_LOCALE.

    :raises CorpusError: no locale's folder, or one without train.tsv, dev.tsv and test.tsv.
    """
    top = root(corpus, RELEASE)
    there = [name for name in LANGUAGES if (top / name).is_dir()]
    if not there:
        raise SOURCE.lacks(corpus.path, f"{RELEASE}/LOCALE, with LOCALE one of {', '.join(LANGUAGES)}")
    for locale in chosen(corpus, there, LANGUAGES, SOURCE):
        lengths = _lengths(corpus, top / locale / "clip_durations.tsv")
        splits = {"train": "train", "dev": "valid", "test": f"test_common_voice_{locale}"}
        for part, split in splits.items():
            path = top / locale / f"{part}.tsv"
            if not path.is_file():
                raise SOURCE.lacks(top / locale, path.name)
            yield from _rows(corpus, path, split, LANGUAGES[locale], lengths)


def _rows(corpus: PublicCorpus, path: Path, split: str, language: Language, lengths: dict[str, float]) -> Iterator[Row]:
    clips = path.parent / "clips"
    for record in headed(corpus, path, ("client_id", "path", "sentence"), SOURCE, split):
        if record.bad:
            yield record.bad
            continue
        name = record.fields["path"]
        where = located(below(clips, name), str(clips / name), 0.0, lengths.get(name))
        about = {"split": split, "language": language, "speaker": record.fields["client_id"] or None}
        yield row(corpus, name.removesuffix(".mp3"), **about | written(record.fields["sentence"]) | where)


def _lengths(corpus: PublicCorpus, path: Path) -> dict[str, float]:
    """Seconds by clip; a clip whose length cannot be read is opened instead."""
    if not path.is_file():
        return {}
    records = headed(corpus, path, ("clip", "duration[ms]"), SOURCE, "train")
    named = ((record.fields["clip"], seconds(record.fields["duration[ms]"])) for record in records if record.fields)
    return {clip: length / 1000 for clip, length in named if length}
