"""LibriHeavy: gzipped cuts, out of order within a recording, over two long flac files where the manifests say."""

import gzip
import json
from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus

SEA = "small/100/sea_fairies_0812_librivox_64kb_mp3/01_baum_sea_fairies_64kb"
LAND = "medium/200/land_librivox_64kb_mp3/02_land_64kb"


def cut(recording: str, number: int, start: float, duration: float, text: str, speaker: str = "100") -> str:
    """A line of a manifest."""
    value = {
        "id": f"{recording}_{number}",
        "start": start,
        "duration": duration,
        "channel": 0,
        "supervisions": [
            {
                "id": f"{recording}_{number}",
                "recording_id": recording,
                "start": 0,
                "duration": duration,
                "channel": 0,
                "language": "English",
                "speaker": speaker,
                "custom": {"texts": [text, text.upper()], "pre_texts": ["", ""], "begin_byte": 0, "end_byte": 9},
            }
        ],
        "recording": {
            "id": recording,
            "sources": [{"type": "file", "channels": [0], "source": f"download/librilight/{recording}.flac"}],
            "sampling_rate": 16000,
            "num_samples": 48000,
            "duration": 3.0,
            "channel_ids": [0],
        },
        "custom": {"text_path": "download/librilight_text/a.txt"},
        "type": "MonoCut",
    }
    return json.dumps(value)


def make(folder: Path) -> PublicCorpus:
    """Two recordings of 3 s; three cuts of small, one of medium and one of dev."""
    write(folder / f"download/librilight/{SEA}.flac", voice(3.0, seed=1))
    write(folder / f"download/librilight/{LAND}.flac", voice(3.0, seed=2))
    lines = {
        "small": [
            cut(SEA, 1, 1.25, 1.0, "Why do folks dive?"),
            cut(SEA, 0, 0.25, 0.75, "The little girl was thoughtful."),
            cut(SEA, 2, 2.25, 0.5, "She asked."),
        ],
        "medium": [cut(LAND, 0, 0.5, 2.0, "Land ahoy!", "200")],
        "dev": [cut(SEA, 3, 0.0, 0.25, "Oh.")],
    }
    for name, cuts in lines.items():
        with gzip.open(folder / f"libriheavy_cuts_{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(cuts) + "\n")
    return PublicCorpus(name="heavy", reader="libriheavy", path=folder, domain="audiobook")
