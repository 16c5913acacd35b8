"""Parquet files as Hugging Face datasets publish them: two shards, audio as a struct of bytes and path."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from encoded import encoded, voice

from earmark.config import Fields, HfParquetCorpus

AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
TEXTS = ("打开空调", "play some jazz", "关灯", "今天天气", "turn it off")


def make(folder: Path) -> HfParquetCorpus:
    """Five rows: three of a shard and two of the next; flac, mp3 and wav."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for shard, numbers in enumerate(((0, 1, 2), (3, 4))):
        endings = [("flac", "mp3", "wav")[number % 3] for number in numbers]
        audio = [
            {"bytes": encoded(ending, voice(0.5 + 0.1 * number, seed=number)), "path": f"{number}.{ending}"}
            for number, ending in zip(numbers, endings, strict=True)
        ]
        table = pa.table(
            {
                "audio": pa.array(audio, AUDIO),
                "sentence": [TEXTS[number] for number in numbers],
                "locale": ["en" if TEXTS[number].isascii() else "zh-CN" for number in numbers],
                "speaker_id": [number % 2 for number in numbers],
                "extra": [[number] for number in numbers],
            }
        )
        pq.write_table(table, folder / f"data/train-{shard:05d}-of-00002.parquet", row_group_size=2)
    return HfParquetCorpus(
        name="hub",
        reader="hf_parquet",
        path=folder,
        languages={"zh-CN": "zh"},
        columns=Fields(text="sentence", language="locale", speaker="speaker_id"),
    )
