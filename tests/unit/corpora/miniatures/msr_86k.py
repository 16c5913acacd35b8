"""MSR-86K: two videos in opus and their segments."""

import json
from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus


def video(aid: str, *segments: tuple[float, float, str]) -> dict:
    """A video of the JSON."""
    return {
        "aid": aid,
        "url": f"https://example.org/{aid}",
        "segments": [
            {"sid": f"{aid}_{number:04d}", "begin_time": start, "end_time": end, "text_tn": text}
            for number, (start, end, text) in enumerate(segments)
        ],
    }


def make(folder: Path) -> PublicCorpus:
    """A training video of 3 s with two segments, and one of 2 s for validation with one."""
    write(folder / "audio/abcDEF12345.opus", voice(3.0, seed=1))
    write(folder / "audio/xyzXYZ67890.opus", voice(2.0, seed=2))
    train = video("abcDEF12345", (1.5, 2.75, "WELCOME BACK"), (0.25, 1.25, "HELLO EVERYONE"))
    (folder / "train.json").write_text(json.dumps({"dataset": "MSR-86K", "audios": [train]}, indent=1))
    dev = video("xyzXYZ67890", (0.5, 1.5, "IT'S A TEST"))
    (folder / "dev.json").write_text(json.dumps({"dataset": "MSR-86K", "audios": [dev]}))
    return PublicCorpus(name="msr", reader="msr_86k", path=folder, domain="YouTube")
