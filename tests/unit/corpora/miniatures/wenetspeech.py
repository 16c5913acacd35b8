"""WenetSpeech: segments of long opus files of training and TEST_NET; one weakly labelled."""

import json
from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus


def segment(sid: str, begin: float, end: float, text: str, *subsets: str) -> dict:
    """A segment as the JSON has it."""
    about = {"sid": sid, "confidence": 1.0, "begin_time": begin, "end_time": end}
    return about | {"subsets": list(subsets), "text": text}


def audio(path: str, duration: float, segments: list[dict]) -> dict:
    """A recording as the JSON has it."""
    about = {"aid": Path(path).stem, "duration": duration, "md5": "0" * 32, "path": path, "source": "youtube"}
    return about | {"tags": ["drama"], "url": "https://example.org/1", "segments": segments}


def make(folder: Path) -> PublicCorpus:
    """Two training segments and a weak one of a recording of 3 s, one of another of 1 s in TEST_NET."""
    drama, net = "audio/train/youtube/B00000/Y0000000000_--5llN02F84.opus", "audio/test_net/B00000/TEST_NET_Y1.opus"
    write(folder / drama, voice(3.0, seed=1))
    write(folder / net, voice(1.0, seed=2))
    said = [
        segment("Y0000000000_--5llN02F84_S00001", 1.5, 2.5, "住得还习惯吧", "L", "M", "S"),
        segment("Y0000000000_--5llN02F84_S00000", 0.25, 1.0, "怎么样这些日子", "L"),
        segment("Y0000000000_--5llN02F84_S00002", 2.5, 3.0, "嗯", "W"),
    ]
    tested = [segment("TEST_NET_Y1_S00000", 0.0, 0.75, "谢谢大家", "TEST_NET")]
    value = {"audios": [audio(drama, 3.0, said), audio(net, 1.0, tested)]}
    (folder / "WenetSpeech.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return PublicCorpus(name="wenet", reader="wenetspeech", path=folder)
