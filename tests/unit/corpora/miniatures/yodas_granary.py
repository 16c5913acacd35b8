"""YODAS-Granary: a NeMo manifest over YODAS2's videos, one in a tar and one as NVIDIA's converted file."""

import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from encoded import encoded, voice, write

from earmark.config import PublicCorpus

TAR, OTHER = "YuseO8GhcWk", "aBcD1234xyz"


def line(video: str, number: int, offset: float, duration: float, text: str) -> str:
    """A line of the manifest."""
    return json.dumps(
        {
            "utt_id": f"{video}-{number:05d}",
            "audio_filepath": f"yodas/en000/00000000/{video}.wav",
            "offset": offset,
            "duration": duration,
            "text": text,
            "original_source_id": video,
            "dataset_source": "yodas",
        }
    )


def make(folder: Path) -> PublicCorpus:
    """A video of 3 s at 24 kHz in a tar, two segments; one of 2 s at 16 kHz in a file, one segment; a translation."""
    manifest = folder / "en/yodas/en_asr.jsonl"
    manifest.parent.mkdir(parents=True)
    lines = [
        line(TAR, 1, 1.5, 1.0, "And welcome back."),
        line(TAR, 0, 0.25, 1.0, "Hello everyone,"),
        line(OTHER, 0, 0.5, 1.25, "This is a test."),
    ]
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (manifest.parent / "en_ast.jsonl").write_text(lines[0] + "\n", encoding="utf-8")
    (folder / "data/en000/audio").mkdir(parents=True)
    with tarfile.open(folder / "data/en000/audio/00000000.tar", "w") as tar:
        data = encoded("wav", voice(3.0, 24_000, seed=1), 24_000)
        info = tarfile.TarInfo(f"./{TAR}.wav")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    write(folder / f"yodas/en000/00000000/{OTHER}.wav", voice(2.0, seed=2))
    return PublicCorpus(name="granary", reader="yodas_granary", path=folder)


def make_parquet(folder: Path) -> PublicCorpus:
    """Three utterances with their audio in Parquet: two of asr_only, one of ast."""
    parts = {
        "en000/asr_only/00000000": [(f"{TAR}-00000", 1.0, "Hello everyone,", TAR), (f"{TAR}-00001", 0.5, "And.", TAR)],
        "en100/ast/00000000": [(f"{OTHER}-00000", 0.75, "This is a test.", OTHER)],
    }
    for seed, (part, utterances) in enumerate(parts.items()):
        rows = [
            {
                "utt_id": key,
                "audio": {"bytes": encoded("wav", voice(seconds, seed=seed)), "path": f"{key}.wav"},
                "duration": seconds,
                "lang": "en",
                "task": "asr",
                "text": text,
                "translation_en": "",
                "original_audio_id": video,
                "original_audio_offset": 12.34,
            }
            for key, seconds, text, video in utterances
        ]
        path = folder / f"data/{part}.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
    other = folder / "data/de000/asr_only/00000000.parquet"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"another language")
    return PublicCorpus(name="granary", reader="yodas_granary", path=folder)
