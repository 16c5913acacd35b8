"""TED-LIUM 3, legacy distribution: TED talks in English; segments of long NIST SPHERE files.

LAYOUT (https://www.openslr.org/51, TEDLIUM_release-3.tgz unpacked):

    TEDLIUM_release-3/legacy/train/sph/911Mothers_2010W.sph      (also dev and test)
    TEDLIUM_release-3/legacy/train/stm/911Mothers_2010W.stm

A line of an stm file (talk, channel, speaker, start, end, labels, text):

    911Mothers_2010W 1 911Mothers_2010W 17.82 28.81 <o,f0,female> some of my colleagues {NOISE} <unk> think

The other distribution, speaker-adaptation, divides the same talks anew and is not read. lhotse's recipe refuses a
part in which one talk's audio or transcript is missing, ends at a bad line, drops what is not scored, and rewrites
{NOISE}. Here those segments are rows with the status "not scored".
"""

from collections.abc import Iterator
from pathlib import Path

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import printable, seconds
from earmark.corpora.public.lines import root
from earmark.corpora.public.published import Source, bad_row, below, chosen, located, matching, text_lines, written

SOURCE = Source("TED-LIUM 3", "openslr.org/51")
SPLITS = {"train": "train", "dev": "valid", "test": "test_tedlium"}
"""Split of each part."""
_IGNORED = "ignore_time_segment_in_scoring"


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Transcripts and audio folder of each part."""
    top = root(corpus, "TEDLIUM_release-3") / "legacy"
    for part in corpus.subsets or SPLITS:
        yield from matching(top / part, "stm/*.stm", "sph/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by part, talk and offset; subsets train, dev, test. Ids are TALK-LINE. Writes nothing.

    :raises CorpusError: no part with its stm files.
    """
    top = root(corpus, "TEDLIUM_release-3")
    there = [part for part in SPLITS if any((top / "legacy" / part / "stm").glob("*.stm"))]
    if not there:
        raise SOURCE.lacks(corpus.path, "TEDLIUM_release-3/legacy/train/stm/*.stm")
    for part in chosen(corpus, there, SPLITS, SOURCE):
        for path in sorted((top / "legacy" / part / "stm").glob("*.stm")):
            yield from sorted(_talk(corpus, top, path, SPLITS[part]), key=lambda each: each.get("offset", 0.0))


def _talk(corpus: PublicCorpus, top: Path, path: Path, split: str) -> Iterator[Row]:
    audio = path.parents[1] / "sph" / f"{path.stem}.sph"
    sound = below(top, audio.relative_to(top).as_posix())
    for line in text_lines(path):
        values = line.text.split(maxsplit=6)
        start, end = (seconds(value) for value in values[3:5]) if len(values) >= 6 else (None, None)
        if line.fault or start is None or end is None or end <= start:
            yield bad_row(corpus, path, line.number, line.text, line.fault or "line is not a segment", split)
            continue
        text = values[6] if len(values) == 7 else ""
        times = (start, round(end - start, 6))
        where = {"offset": times[0], "duration": times[1]} | located(sound, str(audio), *times)
        about = {"split": split, "language": "en", "speaker": values[2]}
        said = written(text, "not scored" if text == _IGNORED else None)
        yield row(corpus, printable(f"{path.stem}-{line.number}"), **about | where | said)
