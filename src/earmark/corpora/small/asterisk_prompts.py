"""Recorded English telephone prompts, Debian's asterisk-core-sounds-en: one speaker.

They are packaged as G.722 (16 kHz) and as WAV, GSM and mu-law (8 kHz); of a prompt that is there twice the first is
taken.

The list of transcripts, `name: text`, where brackets hold what is not spoken:

    conf-hasjoin: is now in the conference.
    beep: [this is a simple beep tone]
    letters/at: at [@]
    silence/1: (1 second of silence)
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from earmark.config import AsteriskPromptsCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.recordings import measured, require, shuffled
from earmark.corpora.sources import folders
from earmark.errors import CorpusError

SOURCE = (
    "Debian's packages asterisk-core-sounds-en (transcripts) and asterisk-core-sounds-en-g722, "
    "asterisk-core-sounds-en-wav or asterisk-core-sounds-en-gsm (sounds)"
)
SUFFIXES = (".g722", ".wav", ".gsm", ".ulaw")
"""Of the packages' files, best sound first."""
_NOTE = re.compile(r"\[[^]]*\]|\([^)]*\)|<[^>]*>")


def sources(corpus: AsteriskPromptsCorpus) -> Iterator[Path]:
    """The list of transcripts, and all folders of sounds."""
    yield corpus.transcripts
    yield from folders(corpus.sounds)


def read(corpus: AsteriskPromptsCorpus, folder: Path) -> Iterator[Row]:
    """Rows by name, transcripts without audio included; splits train, valid and test_prompts.

    Prompts of one wording are in one split, so that no held-out wording was heard.

    :raises CorpusError: absent sounds or list, or a damaged list.
    """
    if not corpus.sounds.is_dir():
        raise CorpusError(f"{corpus.sounds} is not there: install {SOURCE}, or correct `sounds`")
    sounds = _sounds(corpus.sounds)
    texts = _transcripts(corpus.transcripts)
    splits = _splits(corpus, {_wording(texts[name]) for name in set(sounds) & set(texts)} - {""})
    for name in sorted(set(sounds) | set(texts)):
        text = texts.get(name, "")
        fault = _fault(name, texts)
        yield row(
            corpus,
            name,
            split=splits.get(_wording(text), "train"),
            language="en",
            speaker="allison-smith",
            raw_text=text,
            **measured(sounds.get(name, corpus.sounds / name)) | ({"status": fault} if fault else {}),
        )


def _sounds(folder: Path) -> dict[str, Path]:
    """Name -> file, of whichever package is installed."""
    found: dict[str, Path] = {}
    for suffix in reversed(SUFFIXES):
        found |= {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob(f"*{suffix}")}
    require(list(found.values()), " or ".join(f"*{suffix}" for suffix in SUFFIXES), folder, SOURCE)
    return found


def _transcripts(path: Path) -> dict[str, str]:
    """Name -> text without what is not spoken."""
    if not path.is_file():
        raise CorpusError(f"{path} is not there: install {SOURCE}, or correct `transcripts`")
    try:
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} is not a gzipped list ({error}): install {SOURCE} again") from None
    pairs = [line.partition(":") for line in lines if ":" in line and not line.startswith(";")]
    if not pairs:
        raise CorpusError(f"{path} lists no prompts: install {SOURCE} again")
    return {name.strip(): " ".join(_NOTE.sub(" ", text).split()) for name, _, text in pairs}


def _splits(corpus: AsteriskPromptsCorpus, wordings: set[str]) -> dict[str, str]:
    order = shuffled(wordings, corpus.seed)
    tests = round(corpus.test_fraction * len(order))
    valid = order[tests : tests + corpus.valid_prompts]
    return dict.fromkeys(order[:tests], "test_prompts") | dict.fromkeys(valid, "valid")


def _wording(text: str) -> str:
    """Words alone: what differs in case and punctuation sounds the same."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def _fault(name: str, texts: dict[str, str]) -> str | None:
    if name not in texts:
        return "no transcript"
    if not _wording(texts[name]):
        return "sound effect or silence"
    # The list has "*" and "#" where the speaker says one of several names.
    return "symbol in the transcript" if re.search(r"[*#]", texts[name]) else None
