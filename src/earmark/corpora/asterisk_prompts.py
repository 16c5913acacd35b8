"""Recorded English telephone prompts, Debian's asterisk-core-sounds-en: one speaker, G.722 at 16 kHz.

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

SOURCE = "Debian's packages asterisk-core-sounds-en (transcripts) and asterisk-core-sounds-en-g722 (sounds)"
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
    found = sorted(corpus.sounds.rglob("*.g722"))
    require(found, "*.g722", corpus.sounds, SOURCE)
    texts = _transcripts(corpus.transcripts)
    names = {path.relative_to(corpus.sounds).with_suffix("").as_posix() for path in found}
    splits = _splits(corpus, {_wording(texts[name]) for name in names & set(texts)} - {""})
    for name in sorted(names | set(texts)):
        text = texts.get(name, "")
        fault = _fault(name, texts)
        yield row(
            corpus,
            name,
            split=splits.get(_wording(text), "train"),
            language="en",
            speaker="allison-smith",
            raw_text=text,
            **measured(corpus.sounds / f"{name}.g722") | ({"status": fault} if fault else {}),
        )


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
