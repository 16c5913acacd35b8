"""WenetSpeech-Chuan: a clip in a tar, one in a folder, and the benchmark with its wav.scp of another machine."""

import io
import json
import tarfile
from pathlib import Path

from encoded import encoded, voice, write

from earmark.config import PublicCorpus


def line(utt: str, text: str) -> str:
    """A line of the metadata."""
    value = {"utt": utt, "filename": f"{utt}.wav", "text": text, "domain": "短视频", "gender": "男", "age": "中年"}
    return json.dumps(value | {"wvmos": 3.4, "confidence": "0.93"}, ensure_ascii=False)


def make(folder: Path) -> PublicCorpus:
    """Two clips of training, one of easy and one of hard."""
    lines = [line("013165482320_dwM1G_56_1000", "今天切吃火锅"), line("70421922132_XIuKg_48_800", "巴适得很")]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wsc_metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with tarfile.open(folder / "wav-00.tar", "w") as tar:
        data = encoded("wav", voice(1.0, seed=1))
        info = tarfile.TarInfo("wav/013165482320_dwM1G_56_1000.wav")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    write(folder / "wav/70421922132_XIuKg_48_800.wav", voice(0.8, seed=2))
    for number, (part, key, text) in enumerate(
        [("Easy", "01285631540_RqvQt_5_900", "好嘛这个事情今天先整起"), ("Hard", "704219243_YT2Ge_63_700", "莫得问题")]
    ):
        place = folder / "WSC-Eval-ASR" / part
        write(place / f"wav/{key}.wav", voice(0.9 - 0.2 * number, seed=3 + number))
        (place / "text").write_text(f"{key} {text}\n", encoding="utf-8")
        (place / "wav.scp").write_text(f"{key} Eval/{part}/wav/{key}.wav\n", encoding="utf-8")
        (place / "key.txt").write_text(f"{key}\n", encoding="utf-8")
    return PublicCorpus(name="chuan", reader="wenetspeech_chuan", path=folder)
