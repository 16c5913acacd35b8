"""A lhotse CutSet over files: a long recording with two supervisions in a cut, and a call with two channels."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from encoded import voice, write

from earmark.config import LhotseCutsCorpus


def recording(key: str, source: str, seconds: float, channels: int = 1) -> dict[str, Any]:
    """A lhotse Recording of one file."""
    listed = list(range(channels))
    return {
        "id": key,
        "sources": [{"type": "file", "channels": listed, "source": source}],
        "sampling_rate": 16_000,
        "num_samples": round(seconds * 16_000),
        "duration": seconds,
        "channel_ids": listed,
    }


def supervision(key: str, start: float, duration: float, text: str, **values: Any) -> dict[str, Any]:
    """A lhotse SupervisionSegment."""
    return {"id": key, "recording_id": "r", "start": start, "duration": duration, "channel": 0, "text": text} | values


def cut(key: str, start: float, duration: float, of: dict[str, Any], *said: dict[str, Any], **values: Any) -> dict:
    """A lhotse MonoCut."""
    return {
        "id": key,
        "start": start,
        "duration": duration,
        "channel": 0,
        "supervisions": list(said),
        "recording": of,
        "custom": {"snr": 30.5, "dataloading_info": {"rank": 0}},
        "type": "MonoCut",
    } | values


def cuts() -> list[dict[str, Any]]:
    """Two cuts of one recording, and both channels of a call."""
    long, call = recording("long", "audio/long.opus", 3.0), recording("call", "audio/call.flac", 2.0, channels=2)
    zh, en = {"language": "zh", "speaker": "li"}, {"language": "en", "speaker": "smith"}
    return [
        cut(
            "c1", 0.5, 1.5, long, supervision("u1", 0.0, 0.7, "打开", **zh), supervision("u2", 0.75, 0.7, "空调", **zh)
        ),
        cut("c2", 2.0, 1.0, long, supervision("u3", 0.0, 1.0, "hi there", **en)),
        cut("c3", 0.0, 2.0, call, supervision("u4", 0.25, 1.0, "hello", **en)),
        cut(
            "c4", 0.0, 2.0, call, supervision("u5", 1.0, 0.5, "你好", channel=1, **zh), channel=[0, 1], type="MultiCut"
        ),
    ]


def write_cuts(path: Path, lines: list[Any]) -> None:
    """A CutSet as JSONL, gzip where the name says so."""
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())


def make(folder: Path) -> LhotseCutsCorpus:
    """Five supervisions in four cuts."""
    write(folder / "audio/long.opus", voice(3.0, seed=1))
    write(folder / "audio/call.flac", np.stack([voice(2.0, seed=2), voice(2.0, seed=3)], axis=1))
    write_cuts(folder / "cuts_train.jsonl.gz", cuts())
    return LhotseCutsCorpus(name="cuts", reader="lhotse_cuts", path=folder)
