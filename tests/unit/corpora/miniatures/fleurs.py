"""FLEURS: English unpacked, Cantonese in its archives."""

import io
import tarfile
from pathlib import Path

from encoded import encoded, voice, write

from earmark.config import PublicCorpus


def line(name: str, raw: str, samples: int) -> str:
    """A line of a part."""
    return "\t".join(["903", name, raw, raw.lower(), " | ".join(raw), str(samples), "MALE"]) + "\n"


def make(folder: Path) -> PublicCorpus:
    """One utterance of each part and locale."""
    for number, part in enumerate(("train", "dev", "test")):
        for locale, raw in {"en_us": f"However, {part} 3.", "yue_hant_hk": "我哋走啦。"}.items():
            top = folder / "data" / locale
            name = f"1000230239874{number}.wav"
            (top / "audio").mkdir(parents=True, exist_ok=True)
            (top / f"{part}.tsv").write_text(line(name, raw, 8000), encoding="utf-8")
            if locale == "en_us":
                write(top / "audio" / part / name, voice(0.5, seed=number))
                continue
            data = encoded("wav", voice(0.5, seed=number))
            with tarfile.open(top / f"audio/{part}.tar.gz", "w:gz") as tar:
                info = tarfile.TarInfo(f"{part}/{name}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return PublicCorpus(name="fleurs", reader="fleurs", path=folder, domain="read")
