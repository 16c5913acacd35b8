"""ASCEND: Parquet with audio bytes."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from encoded import encoded, voice

from earmark.config import PublicCorpus

ROWS = {
    "train": [("00000", "呃", "zh", 0.5), ("00001", "我 think so", "mixed", 0.75)],
    "validation": [("00002", "okay", "en", 0.5)],
    "test": [("00003", "那个 movie 很好看", "mixed", 0.6)],
}


def make(folder: Path) -> PublicCorpus:
    """Two utterances of training, one of validation and one of test."""
    (folder / "main").mkdir(parents=True)
    for part, rows in ROWS.items():
        values = [
            {
                "id": key,
                "path": f"waves/ses1_spk17_L{key}.wav",
                "audio": {"bytes": encoded("wav", voice(seconds, seed=int(key))), "path": f"ses1_spk17_L{key}.wav"},
                "transcription": text,
                "duration": seconds,
                "language": language,
                "original_speaker_id": 17,
                "session_id": 1,
                "topic": "persona",
            }
            for key, text, language, seconds in rows
        ]
        pq.write_table(pa.Table.from_pylist(values), folder / f"main/{part}-00000-of-00001.parquet")
    return PublicCorpus(name="ascend", reader="ascend", path=folder)
