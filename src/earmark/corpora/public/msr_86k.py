"""MSR-86K: transcribed segments of YouTube videos; the English part.

    train.json  dev.json
    audio/AID.opus                                (any folder, or tars: named after the video's aid)

Published, behind a form, at huggingface.co/datasets/Alex-Song/MSR-86K (paper: arXiv 2406.18301; 15 languages, no
Chinese): transcripts with the times of segments; the audio is 16 kHz mono. Its card shows its terms only. Verified by a
public recipe for it (`make_msr86k_list`, a preparation for icefall on GitHub): one JSON a set with `audios`, each with
`aid` and `segments`, these with sid, begin_time, end_time and text_tn (GigaSpeech's keys), and a file AID.* a video.
Not found (the files show behind the form only; the recipe takes the name of the JSON as an argument): the names of the
files; one with `dev` in its name is taken for the validation set, one with `test` for a test set. `path` is the folder
of one language. The entry below has this form and made-up values.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import seconds, string
from earmark.corpora.public.lines import entries
from earmark.corpora.public.published import (
    Sound,
    Source,
    bad_row,
    chosen,
    find_sounds,
    located,
    matching,
    neighbours,
    written,
)
from earmark.corpora.sources import folders
from earmark.errors import CorpusError

SOURCE = Source("MSR-86K (2024, English)", "huggingface.co/datasets/Alex-Song/MSR-86K")

# {"audios": [{"aid": "aBcD1234xyz", "url": "https://...", "segments": [
#    {"sid": "aBcD1234xyz_0001", "begin_time": 12.34, "end_time": 17.89, "text_tn": "HELLO EVERYONE"}, ...]}, ...]}


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """The documents, and all folders: audio may lie anywhere."""
    yield from matching(corpus.path, "*.json")
    yield from folders(corpus.path)


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by segment: videos in the order of the files, segments by offset.

    Subsets are the files' names. Writes nothing.

    :raises CorpusError: no JSON of segments, or one that is damaged or has no `audios`.
    """
    files = {path.stem: path for path in sorted(corpus.path.glob("*.json"))}
    if not files:
        raise SOURCE.lacks(corpus.path, "train.json")
    sounds = find_sounds(corpus.path)
    for name in chosen(corpus, files, files, SOURCE):
        split = "valid" if "dev" in name else "test_msr_86k" if "test" in name else "train"
        yield from neighbours(_rows(corpus, files[name], split, sounds))


def _rows(corpus: PublicCorpus, path: Path, split: str, sounds: dict[str, Sound]) -> Iterator[Row]:
    number = 0
    try:
        for number, audio in enumerate(entries(path, "audios"), 1):
            match audio:
                case {"aid": str() as aid, "segments": list() as segments}:
                    for place, segment in enumerate(segments, 1):
                        yield _row(corpus, path, split, aid, f"{aid}-{place:05d}", segment, sounds.get(aid))
                case _:
                    yield bad_row(corpus, path, number, str(audio), "audio has no aid or no segments", split)
    except CorpusError as error:
        if number == 0:
            raise CorpusError(
                f"{path} has no list `audios`, as {SOURCE.name} has it ({SOURCE.url}), or is damaged: correct `path`"
            ) from None
        yield bad_row(corpus, path, number + 1, str(error), "file is cut short or damaged", split)


def _row(corpus: PublicCorpus, path: Path, split: str, aid: str, key: str, segment: Any, sound: Sound | None) -> Row:
    values = segment if isinstance(segment, dict) else {}
    start, end = seconds(values.get("begin_time")), seconds(values.get("end_time"))
    key = string(values.get("sid")) or key
    about = {"split": split, "language": "en", "speaker": string(aid)}
    if start is None or end is None or end <= start:
        text = string(values.get("text")) or str(segment)[:500]
        return row(corpus, string(key) or ascii(key), **about, raw_text=text, status="segment is not a time span")
    said = values.get("text_tn") or values.get("text")
    return row(corpus, key, **about | written(said) | located(sound, aid, start, round(end - start, 6)))
