"""Emilia: Mandarin in a WebDataset tar, English as first published."""

import io
import json
import tarfile
from pathlib import Path

from encoded import encoded, voice, write

from earmark.config import PublicCorpus


def about(key: str, text: str, duration: float) -> dict:
    """What is published of an utterance."""
    batch, speaker = key[:9], key.rpartition("_")[0]
    return {
        "id": key,
        "wav": f"{batch}/{speaker}/mp3/{key}.mp3",
        "text": text,
        "duration": duration,
        "speaker": speaker,
        "language": key[:2].lower(),
        "dnsmos": 3.3697,
    }


def make(folder: Path) -> PublicCorpus:
    """Two utterances in a tar, one beside a jsonl file."""
    tar_path = folder / "Emilia/ZH/ZH-B000000.tar"
    tar_path.parent.mkdir(parents=True)
    with tarfile.open(tar_path, "w") as tar:
        for number, text in enumerate([" 你好，世界。", " 我们走吧。"]):
            key = f"ZH_B00000_S00000_W00000{number}"
            mp3 = encoded("mp3", voice(0.5, 24_000, seed=number), 24_000)
            for ending, data in (("mp3", mp3), ("json", json.dumps(about(key, text, 0.5)).encode())):
                info = tarfile.TarInfo(f"{key}.{ending}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    line = about("EN_B00000_S00001_W000000", " And there it is.", 0.75)
    write(folder / "EN" / line["wav"], voice(0.75, 24_000, seed=3), 24_000)
    (folder / "EN/EN_B00000.jsonl").write_text(json.dumps(line) + "\n")
    return PublicCorpus(name="emilia", reader="emilia", path=folder)
