"""Your own corpus: lhotse CutSets over audio files, or Shar folders. Their JSON is read here; nothing is unpickled.

    {"id": "call-1-0", "start": 12.34, "duration": 3.26, "channel": 0, "type": "MonoCut",
     "supervisions": [{"id": "call-1-0001", "start": 0.0, "duration": 3.26, "text": "打开空调", "language": "zh", ...}],
     "recording": {"sources": [{"type": "file", "channels": [0], "source": "audio/call-1.flac"}], ...}}

Each supervision is a row. In a Shar folder, `cuts.000000.jsonl.gz` has its audio in `recording.000000.tar`, one member
CUT_ID.flac (wav, mp3) a cut, beginning where the cut begins. Formats: lhotse's documentation, "Cuts" and "Lhotse Shar"
(lhotse.readthedocs.io).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from earmark.audio.container import tar_index
from earmark.config import LhotseCutsCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import bad_line, described, files, json_lines, placed, seconds, string
from earmark.corpora.sources import folders
from earmark.errors import AudioError

Json = dict[str, Any]

_LONGEST = 1e7
"""Seconds."""
NO_SPAN = "segment is not a time span"
ASIDE = {
    "command": "audio is a command, which is not run",
    "url": "audio is at a URL, which is not fetched",
    "memory": "audio inside the manifest",
}
"""Kinds of sources that are not read, and the rows' status."""


def sources(corpus: LhotseCutsCorpus) -> Iterator[Path]:
    """The CutSets, and all folders that audio may lie in."""
    yield from files(corpus, corpus.files)
    for top in dict.fromkeys((corpus.path, corpus.audio or corpus.path)):
        yield from folders(top)


def read(corpus: LhotseCutsCorpus, folder: Path) -> Iterator[Row]:
    """A row a supervision, in the order of the files and their lines; cuts without any are one row set aside.

    :raises CorpusError: no folder, or no CutSet in it.
    """
    for path in files(corpus, corpus.files):
        shard = _Shard(corpus, path)
        for number, cut, text, fault in json_lines(path):
            if cut is None:
                yield bad_line(corpus, path, number, text, fault)
            else:
                yield from _rows(corpus, cut, shard, f"{path.name}:{number}")


def _rows(corpus: LhotseCutsCorpus, cut: Json, shard: "_Shard", place: str) -> Iterator[Row]:
    """Rows of a cut; `place` is the id of what has none."""
    if fault := _unusable(cut):
        yield row(corpus, string(cut.get("id")) or place, split=corpus.split, status=fault)
        return
    for number, one in enumerate(cut["supervisions"]):
        if not isinstance(one, dict):
            yield row(corpus, f"{place}-{number}", split=corpus.split, status="supervision is not a JSON object")
            continue
        custom = one["custom"] if isinstance(one.get("custom"), dict) else {}
        text = one.get(corpus.text, custom.get(corpus.text))
        values = described(corpus, text, one.get("language"), one.get("speaker"), None)
        key = string(one.get("id")) or f"{place}-{number}"
        yield row(corpus, key, **_where(shard, cut, one) | values)


def _unusable(cut: Json) -> str | None:
    """Why a cut has no rows of its own."""
    if cut.get("type") not in ("MonoCut", "MultiCut"):
        return f"{string(cut.get('type')) or 'unknown kind'} instead of a cut of one recording"[:80]
    if not isinstance(cut.get("recording"), dict):
        return "no recording"
    if cut["recording"].get("transforms"):
        return "recording with transforms, which are not applied"
    if not isinstance(cut.get("supervisions"), list) or not cut["supervisions"]:
        return "no supervision"
    return None


def _where(shard: "_Shard", cut: Json, supervision: Json) -> Row:
    """Audio, member, channel, offset and duration of a supervision; `status` where they cannot be used."""
    channels = _channels(supervision.get("channel", cut.get("channel")))
    source = _source(cut["recording"].get("sources"), channels)
    if source is None:
        return {"status": "no source for the channel"}
    found = shard.place(cut, source)
    if "status" in found:
        return found
    begin, duration = _begin(cut, supervision), seconds(supervision.get("duration"))
    if begin is None or not duration:
        return found | {"status": NO_SPAN}
    known = _channels(source.get("channels"))
    some = set(channels) < set(known)
    return found | {"channel": known.index(channels[0]) if some else None, "offset": begin, "duration": duration}


def _begin(cut: Json, supervision: Json) -> float | None:
    """Seconds into the recording at which a supervision begins, which may be before its cut; None: not a time."""
    begin, shift = seconds(cut.get("start")), supervision.get("start")
    if begin is None or not isinstance(shift, int | float) or not abs(shift) < _LONGEST:
        return None
    return seconds(begin + shift)


def _channels(value: Any) -> list[int]:
    """Channels as a list; they may be given as one number."""
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, int)]


def _source(sources: Any, channels: list[int]) -> Json | None:
    """The source that holds the channels."""
    listed = [one for one in sources if isinstance(one, dict)] if isinstance(sources, list) else []
    return next((one for one in listed if channels and set(channels) <= set(_channels(one.get("channels")))), None)


class _Shard:
    """A file of cuts, and where their audio lies."""

    def __init__(self, corpus: LhotseCutsCorpus, cuts: Path):
        self._corpus = corpus
        self._root = corpus.audio or corpus.path
        self._cuts = cuts
        self._members: dict[str, str] | None = None
        self._last: tuple[str | None, Row] = (None, {})

    def place(self, cut: Json, source: Json) -> Row:
        """Audio and member of a source; `status` where it cannot be used."""
        kind = source.get("type")
        if kind == "shar":
            return self._member(string(cut.get("id")) or "")
        if kind != "file":
            return {"status": ASIDE.get(kind, "unknown kind of source") if isinstance(kind, str) else "no source"}
        target = string(source.get("source")) or ""
        if target != self._last[0]:
            self._last = target, placed(self._root / target, self._root, 0.0)
        return self._last[1]

    def _member(self, cut: str) -> Row:
        """The member CUT_ID.ENDING of the tar beside the cuts."""
        name = self._cuts.name.removesuffix(".gz").removesuffix(".jsonl").replace("cuts", "recording", 1)
        tar = self._cuts.with_name(f"{name}.tar")
        found = placed(tar, self._corpus.path, 0.0)
        if "status" in found:
            return found
        if self._members is None:
            self._members = _audio_members(tar)
        member = self._members.get(cut)
        return found | ({"member": member} if member else {"status": "missing audio"})


def _audio_members(tar: Path) -> dict[str, str]:
    """Cut id -> member; lhotse puts `.json` beside each, and `.nodata` where a cut has no audio."""
    try:
        index = tar_index(tar)
    except AudioError:
        return {}
    names = (name for name in index.members if not name.endswith((".json", ".nodata", ".nometa")))
    return {name.rpartition(".")[0]: name for name in names}
