"""GigaSpeech: segments out of order in a long opus file of training, and one of TEST."""

import json
from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus


def segment(sid: str, begin: float, end: float, text: str, *subsets: str) -> dict:
    """A segment as the JSON has it."""
    about = {"sid": sid, "speaker": "N/A", "begin_time": begin, "end_time": end, "text_tn": text}
    return about | {"subsets": [f"{{{name}}}" for name in subsets]}


def audio(path: str, duration: float, segments: list[dict]) -> dict:
    """A recording as the JSON has it."""
    aid, source = Path(path).stem, path.split("/")[1]
    return {
        "title": "A talk",
        "url": "https://example.org/1",
        "path": path,
        "aid": aid,
        "source": source,
        "codec": "opus",
        "channels": 1,
        "md5": "0" * 32,
        "duration": duration,
        "format": "opus",
        "sample_rate": 16000,
        "category": "N/A",
        "subsets": sorted({name for one in segments for name in one["subsets"]}),
        "segments": segments,
    }


def make(folder: Path) -> PublicCorpus:
    """Two training segments of a recording of 3 s, one of another of 1 s in TEST."""
    book, tube = "audio/audiobook/P0001/AUD0000000007.opus", "audio/youtube/P0000/YOU0000000315.opus"
    write(folder / book, voice(3.0, seed=1))
    write(folder / tube, voice(1.0, seed=2))
    said = [
        segment("AUD0000000007_S0000025", 1.5, 2.5, "HELLO <COMMA> WORLD", "XL", "L", "M", "S"),
        segment("AUD0000000007_S0000024", 0.25, 1.0, "DOUGLAS MCGRAY <PERIOD>", "XL"),
    ]
    tested = [segment("YOU0000000315_S0000001", 0.0, 0.75, "AS THEY SAY", "TEST")]
    value = {"dataset": "GigaSpeech", "language": "EN", "audios": [audio(book, 3.0, said), audio(tube, 1.0, tested)]}
    (folder / "GigaSpeech.json").write_text(json.dumps(value, indent=4), encoding="utf-8")
    return PublicCorpus(name="giga", reader="gigaspeech", path=folder)
