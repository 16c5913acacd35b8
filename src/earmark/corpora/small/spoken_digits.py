"""Recorded English digits of the Free Spoken Digit Dataset: six speakers, 8 kHz.

Layout of the tar.gz archive, `{digit}_{speaker}_{n}.wav`:

    spoken-digits/7_theo_12.wav
"""

import re
from collections.abc import Iterator
from pathlib import Path

from earmark.audio.archive import extract
from earmark.config import SpokenDigitsCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.recordings import measured, require, shuffled
from earmark.errors import CorpusError

SOURCE = "the GitHub project Jakobovski/free-spoken-digit-dataset (as a tar.gz archive spoken-digits/*.wav)"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[^_]+)_[0-9]+")


def sources(corpus: SpokenDigitsCorpus) -> Iterator[Path]:
    """The archive."""
    yield corpus.path


def read(corpus: SpokenDigitsCorpus, folder: Path) -> Iterator[Row]:
    """Rows by file name; splits train, valid and, for the held-out speaker, test_digits.

    Unpacks to `folder`/audio.

    :raises CorpusError: absent or damaged archive, or one without the held-out speaker.
    """
    extract(corpus.path, folder / "audio", SOURCE)
    named = {path: _NAME.fullmatch(path.stem) for path in sorted((folder / "audio").rglob("*.wav"))}
    found = {path: match for path, match in named.items() if match}
    require(list(found), "DIGIT_SPEAKER_N.wav", corpus.path, SOURCE)
    speakers = sorted({match["speaker"] for match in found.values()})
    if corpus.test_speaker not in speakers:
        raise CorpusError(
            f"{corpus.path} has no test_speaker {corpus.test_speaker!r}: name one of {', '.join(speakers)}"
        )
    heard = [path.stem for path, match in found.items() if match["speaker"] != corpus.test_speaker]
    valid = set(shuffled(heard, corpus.seed)[: corpus.valid_recordings])
    for path, match in found.items():
        known = "valid" if path.stem in valid else "train"
        yield row(
            corpus,
            path.stem,
            split="test_digits" if match["speaker"] == corpus.test_speaker else known,
            language="en",
            speaker=match["speaker"],
            raw_text=WORDS[int(match["digit"])],
            **measured(path),
        )
