"""A lhotse Shar folder, as `CutSet.to_shar(folder, fields={"recording": "flac"}, shard_size=2)` writes it."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from encoded import encoded, voice
from miniatures.lhotse_cuts import cut, recording, supervision, write_cuts

from earmark.config import LhotseCutsCorpus

SECONDS = (1.0, 1.5, 0.8)


def placeholder(key: str, seconds: float) -> dict[str, Any]:
    """The Recording of a cut whose audio is in the tar."""
    return recording(key, "", seconds) | {"sources": [{"type": "shar", "channels": [0], "source": ""}]}


def make(folder: Path) -> LhotseCutsCorpus:
    """Three cuts in two shards."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = ("打开空调", "play some jazz", "关灯")
    for shard, numbers in enumerate(((0, 1), (2,))):
        lines = []
        with tarfile.open(folder / f"recording.{shard:06d}.tar", "w") as tar:
            for number in numbers:
                key, seconds = f"cut-{number}", SECONDS[number]
                manifest = placeholder(f"rec-{number}", seconds)
                said = supervision(f"u{number}", 0.0, seconds, texts[number], language="en" if number == 1 else "zh")
                lines.append(cut(key, 0.0, seconds, manifest, said))
                for name, data in (
                    (f"{key}.flac", encoded("flac", voice(seconds, seed=number))),
                    (f"{key}.json", json.dumps(manifest).encode() + b"\n"),
                ):
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
        write_cuts(folder / f"cuts.{shard:06d}.jsonl.gz", lines)
    return LhotseCutsCorpus(name="shar", reader="lhotse_cuts", path=folder)
