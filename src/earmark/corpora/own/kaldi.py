"""Your own corpus: a Kaldi data folder, as described in Kaldi's "Data preparation" (kaldi-asr.org/doc/data_prep.html).

    wav.scp     call-1 audio/call-1.flac
    segments    call-1-0001 call-1 12.34 15.60
    text        call-1-0001 打开空调
    utt2spk     call-1-0001 li

Lines of wav.scp that end in `|` are commands, and are never run: their rows are set aside. Without `segments`, a
recording is an utterance. Optional: utt2dur and utt2lang.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from earmark.config import KaldiCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import bad_line, described, placed, seconds
from earmark.corpora.recordings import measured
from earmark.corpora.sources import folders
from earmark.errors import CorpusError

_GAP = re.compile(r"[ \t]+")
TABLES = ("wav.scp", "text", "segments", "utt2spk", "utt2dur", "utt2lang")
COMMAND = "audio is a command, which is not run"
NO_SPAN = "segment is not a time span"


class Table(NamedTuple):
    """A file of lines `key value`."""

    values: dict[str, str]
    bad: list[Row]


def sources(corpus: KaldiCorpus) -> Iterator[Path]:
    """The tables, and all folders that audio may lie in."""
    yield from (corpus.path / name for name in TABLES)
    yield from folders(corpus.audio or corpus.path)


def read(corpus: KaldiCorpus, folder: Path) -> Iterator[Row]:
    """A row an utterance, in the order of `segments` (else wav.scp); then texts without audio, then bad lines.

    :raises CorpusError: no folder, or one without wav.scp or text.
    """
    if not corpus.path.is_dir():
        raise CorpusError(f"{corpus.path} is not a folder: correct `path`")
    tables = {name: _table(corpus, corpus.path / name, needed=name in ("wav.scp", "text")) for name in TABLES}
    wav, text, segments, speaker, duration, language = (tables[name].values for name in TABLES)
    recordings = _Recordings(corpus, wav)
    segmented = (corpus.path / "segments").is_file()
    utterances = segments if segmented else wav
    for key in (*utterances, *(key for key in text if key not in utterances)):
        values = described(corpus, text.get(key), language.get(key), speaker.get(key), None)
        if segmented:
            where = _segment(recordings, segments.get(key, ""))
        else:
            where = recordings.whole(key, seconds(duration.get(key)))
        yield row(corpus, key, **where | values)
    for table in tables.values():
        yield from table.bad


def _table(corpus: KaldiCorpus, path: Path, needed: bool) -> Table:
    """Key -> rest of the line; lines without a key of their own are rows set aside."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        if needed:
            raise CorpusError(f"{path} does not exist: a Kaldi data folder needs wav.scp and text") from None
        return Table({}, [])
    except OSError as error:
        raise CorpusError(f"{path} cannot be read ({error}): correct `path`") from None
    values: dict[str, str] = {}
    bad = []
    for number, data in enumerate(lines, 1):
        if not data.strip():
            continue
        try:
            key, *rest = _GAP.split(data.decode().strip(" \t\r"), maxsplit=1)
        except UnicodeDecodeError:
            bad.append(bad_line(corpus, path, number, data.decode(errors="replace"), "line is not UTF-8"))
            continue
        if key in values:
            bad.append(bad_line(corpus, path, number, data.decode(), f"id twice in {path.name}"))
            continue
        values[key] = rest[0] if rest else ""
    return Table(values, bad)


class _Recordings:
    """The files of wav.scp; each is looked for once."""

    def __init__(self, corpus: KaldiCorpus, wav: dict[str, str]):
        self._root = corpus.audio or corpus.path
        self._wav = wav
        self._known: dict[str, Row] = {}

    def place(self, key: str) -> Row:
        """Audio of a recording, and status where it cannot be used."""
        if key not in self._known:
            self._known[key] = self._find(self._wav.get(key))
        return self._known[key]

    def _find(self, target: str | None) -> Row:
        if not target:
            return {"status": "no recording"}
        if target.endswith("|") or target.startswith("|") or target == "-":
            return {"audio": target, "status": COMMAND}
        return placed(self._root / target, self._root, 0.0)

    def whole(self, key: str, duration: float | None) -> Row:
        """The same with the duration: the one given, or measured."""
        found = self.place(key)
        if "status" in found:
            return found
        return found | {"duration": duration} if duration else measured(Path(found["audio"]))


def _segment(recordings: _Recordings, line: str) -> Row:
    """Where `RECORDING START END [CHANNEL]` lies; an end of -1 is the recording's."""
    fields = _GAP.split(line)
    if len(fields) not in (3, 4):
        return {"status": NO_SPAN if line else "no segment"}
    name, start, end = fields[0], seconds(fields[1]), seconds(fields[2])
    found = recordings.place(name)
    if "status" in found:
        return found
    if end is None and fields[2] in ("-1", "-1.0"):
        found = recordings.whole(name, None)
        end = found.get("duration")
    if start is None or end is None or end <= start:
        return {"status": NO_SPAN} | found
    channel = {"channel": int(fields[3])} if re.fullmatch("[0-9]{1,2}", "".join(fields[3:])) else {}
    return found | {"offset": start, "duration": end - start} | channel
