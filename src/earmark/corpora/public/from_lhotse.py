"""Recordings and supervisions of lhotse's recipes as rows; large JSON documents are read entry by entry.

Of lhotse 1.33's recipes the parsers of single entries are used where they keep what is published (GigaSpeech and
WenetSpeech). Its `prepare_*` functions are not: they drop what is missing without a trace, end at the first bad
line, and hold a corpus in memory. The readers say in their docstrings what else stands against a recipe.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from earmark.config import Language, PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import seconds, string
from earmark.corpora.public.lines import entries
from earmark.corpora.public.published import Sound, bad_row, below, located, written

_SLACK = 0.1
"""Seconds by which a segment may end after its recording: published times are rounded."""

BAD_ENTRY = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, AssertionError)
"""What a parser of lhotse raises at an entry of another shape."""

Parse = Callable[[dict[str, Any]], tuple[Any, list[tuple[str, Any]]]]
"""Entry -> lhotse's Recording, and (split, SupervisionSegment) of each of its segments that is wanted."""


def segmented(corpus: PublicCorpus, file: Path, parse: Parse, language: Language) -> Iterator[Row]:
    """Rows of the array `audios`, by recording, then by offset. Bad recordings and segments are rows set aside.

    :raises CorpusError: as `entries`.
    """
    for number, entry in enumerate(entries(file, "audios"), 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("segments"), list):
            yield bad_row(corpus, file, number, str(entry), "entry is not a recording")
            continue
        recording, wanted, bad = _whole_or_piecewise(entry, parse)
        sound = below(corpus.path, string(entry.get("path")) or "")
        rows = [_row(corpus, recording, said, split, language, sound) for split, said in wanted]
        yield from sorted(rows, key=lambda each: each["offset"])
        for place in bad:
            key = f"{file.name}:{number}:{place}"
            text = str(entry["segments"][place - 1])
            yield bad_row(corpus, file, number, text, "bad segment") | {"id": f"{corpus.name}-{key}"}


def _whole_or_piecewise(entry: dict[str, Any], parse: Parse) -> tuple[Any, list[tuple[str, Any]], list[int]]:
    """Recording, segments, and numbers of the bad ones: one bad segment costs no other."""
    try:
        recording, wanted = parse(entry)
        if all(string(said.id) for _, said in wanted):
            return recording, wanted, []
    except BAD_ENTRY:
        pass
    recording, wanted, bad = None, [], []
    for place, segment in enumerate(entry["segments"], 1):
        try:
            recording, found = parse(entry | {"segments": [segment]})
        except BAD_ENTRY:
            bad.append(place)
            continue
        named = [(split, said) for split, said in found if string(said.id)]
        wanted += named
        bad += [place] * (len(named) < len(found))
    return recording, wanted, bad


def _row(corpus: PublicCorpus, recording: Any, said: Any, split: str, language: Language, sound: Sound | None) -> Row:
    offset, duration = seconds(said.start), seconds(said.duration)
    fault = None
    if offset is None or not duration:
        offset, duration, fault = offset or 0.0, duration or 0.0, "segment without duration"
    elif offset + duration > recording.duration + _SLACK:
        fault = "segment beyond the recording"
    where = {"offset": offset, "duration": duration} | located(sound, recording.sources[0].source, offset, duration)
    about = {"split": split, "language": language, "speaker": string(said.speaker) or None}
    return row(corpus, str(said.id), **about | where | written(said.text, fault))
