"""WebDataset tars: two shards, with JSON and with plain text."""

import io
import json
import tarfile
from pathlib import Path

from encoded import encoded, voice, write

from earmark.config import WebdatasetCorpus


def pack(path: Path, members: list[tuple[str, bytes]]) -> Path:
    """A tar of (name, bytes), plain or gzip by its ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def make(folder: Path) -> WebdatasetCorpus:
    """Four utterances: flac, mp3, opus with JSON; m4a with plain text."""
    said = [("打开空调", "zh", "li"), ("play some jazz", "en", "smith"), ("关灯", "zh", "li")]
    members = []
    for number, (ending, (text, language, speaker)) in enumerate(zip(("flac", "mp3", "opus"), said, strict=True)):
        values = {"text": text, "language": language, "speaker": speaker, "snr": 31.2, "words": [{"start": 0.1}]}
        members.append((f"x/{number:04d}.{ending}", encoded(ending, voice(0.5 + 0.1 * number, seed=number))))
        members.append((f"x/{number:04d}.json", json.dumps(values).encode()))
    m4a = write(folder / "m4a.m4a", voice(0.8, seed=3))
    members_of_second = [("x/0003.m4a", m4a.read_bytes()), ("x/0003.txt", "今天天气\n".encode())]
    m4a.unlink()
    pack(folder / "shards/000000.tar", members)
    pack(folder / "shards/000001.tar", members_of_second)
    return WebdatasetCorpus(name="web", reader="webdataset", path=folder, language="zh")
