"""WenetSpeech-Yue: clips in a tar, a long recording, and both parts of the benchmark in tar.gz."""

import io
import json
import tarfile
from pathlib import Path

from encoded import encoded, voice, write

from earmark.config import PublicCorpus

GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "文本"
        xmin = 0
        xmax = 1.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.7
            text = "我哋今日"
        intervals [2]:
            xmin = 0.7
            xmax = 1.5
            text = "去饮茶"
    item [2]:
        class = "IntervalTier"
        name = "情感"
        xmin = 0
        xmax = 1.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 1.5
            text = "中立"
"""


def line(key: str, duration: float, text: str, time_stamp: str, speaker: str = "0") -> str:
    """A line of the metadata."""
    about = {"link": "https://example.org/1", "region": "gd", "time_stamp": time_stamp, "speaker_id": speaker}
    value = {"key": key, "duration": duration, "rover_result": text, "confidence": 0.97, "meta_info": about}
    return json.dumps(value, ensure_ascii=False)


def pack(path: Path, members: dict[str, bytes]) -> None:
    """A tar, or tar.gz, by its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def make(folder: Path) -> PublicCorpus:
    """A clip of 1 s in a tar, two segments of a recording of 3 s, a short and a long test utterance."""
    clip = encoded("wav", voice(1.0, seed=1))
    pack(folder / "audio/part-00.tar", {"audio/gd0000688_90600_91600.wav": clip})
    write(folder / "audio/xg0001887.m4a", voice(3.0, seed=2))
    lines = [
        line("gd0000688_90600_91600", 1.0, "今日天气好好", "90.600_91.600"),
        line("xg0001887_1500_2500", 1.0, "多谢晒", "1.500_2.500", "1"),
        line("xg0001887_250_1250", 1.0, "你食咗饭未", "0.250_1.250"),
    ]
    (folder / "wenetspeech_yue_meta.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pack(folder / "Short/wav.tar.gz", {"wav_/gd0040024_535130_535930.wav": encoded("wav", voice(0.8, seed=3))})
    content = "gd0040024_535130_535930.wav\t中年\t中立\t男\t呢个 app 好正\n"
    (folder / "Short/content.txt").write_text(content, encoding="utf-8")
    pack(folder / "Long/wav.tar.gz", {"wav/0000130218.wav": encoded("wav", voice(1.5, seed=4))})
    pack(folder / "Long/TextGrid.tar.gz", {"TextGrid/0000130218.TextGrid": GRID.encode()})
    return PublicCorpus(name="yue", reader="wenetspeech_yue", path=folder)
