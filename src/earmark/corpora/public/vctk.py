"""VCTK 0.92: 110 speakers of English accents read sentences; one flac a sentence and microphone.

LAYOUT (https://doi.org/10.7488/ds/2645, VCTK-Corpus-0.92.zip unpacked; no top folder inside):

    wav48_silence_trimmed/p225/p225_001_mic1.flac  p225_001_mic2.flac     (48 kHz)
    txt/p225/p225_001.txt
    speaker-info.txt  log.txt  ...

A whole txt file:

    Please call Stella.

Both microphones heard the same sentence at once: choose one by `subsets` (mic1, mic2). p280 and p315 have no mic2;
p315 has no txt. lhotse's recipe ends at audio without its transcript's speaker, drops the 172 recordings without
transcript, and builds ids that depend on where the corpus was downloaded. All rows are training: there are no parts.
"""

from collections.abc import Iterator
from pathlib import Path

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import printable
from earmark.corpora.public.lines import root
from earmark.corpora.public.published import Sound, Source, chosen, located, matching, written

SOURCE = Source("VCTK 0.92", "doi.org/10.7488/ds/2645")
MICROPHONES = ("mic1", "mic2")
_MAX_TEXT = 1 << 16


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Transcripts, and the speakers' folders."""
    yield from matching(root(corpus, "VCTK-Corpus-0.92"), "txt/*/*.txt", "wav48_silence_trimmed/*/")


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by speaker, sentence and microphone, audio without transcript and the reverse included. Writes nothing.

    :raises CorpusError: no audio or no transcripts.
    """
    top = root(corpus, "VCTK-Corpus-0.92")
    for name in ("wav48_silence_trimmed", "txt"):
        if not (top / name).is_dir():
            raise SOURCE.lacks(corpus.path, f"folder {name}")
    wanted = chosen(corpus, MICROPHONES, MICROPHONES, SOURCE)
    audio = {path.stem: path for path in (top / "wav48_silence_trimmed").glob("*/*_mic?.flac")}
    texts = {path.stem: path for path in (top / "txt").glob("*/*.txt")}
    sentences = {stem.rpartition("_")[0] for stem in audio} | set(texts)
    for sentence in sorted(sentences):
        heard = [mic for mic in wanted if f"{sentence}_{mic}" in audio]
        # One row says that a sentence has a transcript and no audio at all.
        silent = not any(f"{sentence}_{mic}" in audio for mic in MICROPHONES)
        for mic in heard or (wanted[:1] if silent else []):
            yield _row(corpus, top, sentence, mic, audio.get(f"{sentence}_{mic}"), texts.get(sentence))


def _row(corpus: PublicCorpus, top: Path, sentence: str, mic: str, audio: Path | None, text: Path | None) -> Row:
    speaker = sentence.partition("_")[0]
    expected = top / "wav48_silence_trimmed" / speaker / f"{sentence}_{mic}.flac"
    about = {"split": "train", "language": "en", "speaker": printable(speaker)}
    where = located(Sound(audio) if audio else None, str(expected))
    return row(corpus, printable(f"{sentence}_{mic}"), **about | _transcript(text) | where)


def _transcript(path: Path | None) -> Row:
    if path is None:
        return written(None)
    try:
        with path.open("rb") as file:
            return written(file.read(_MAX_TEXT).decode("utf-8-sig").strip())
    except UnicodeDecodeError:
        return written(None, "transcript is not UTF-8")
    except OSError:
        return written(None, "transcript cannot be read")
