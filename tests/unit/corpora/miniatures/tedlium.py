"""TED-LIUM 3: talks in NIST SPHERE, segments out of order, one that is not scored."""

from pathlib import Path

import soundfile
from encoded import voice

from earmark.config import PublicCorpus


def make(folder: Path) -> PublicCorpus:
    """A talk of 3 s in train, one in test."""
    talks = {
        "train/911Mothers_2010W": [
            "1.5 2.5 <o,f0,female> some {NOISE} <unk>",
            "0.25 1.0 <o,f0,female> some of",
        ],
        "test/AimeeMullins_2009P": ["0.0 0.5 <NA> ignore_time_segment_in_scoring", "0.5 2.0 <NA> i 'd like"],
    }
    for name, segments in talks.items():
        part, talk = name.split("/")
        top = folder / "TEDLIUM_release-3/legacy" / part
        for kind in ("sph", "stm"):
            (top / kind).mkdir(parents=True)
        with (top / f"sph/{talk}.sph").open("wb") as file:
            soundfile.write(file, voice(3.0, seed=len(part)), 16_000, format="NIST", subtype="PCM_16")
        (top / f"stm/{talk}.stm").write_text("".join(f"{talk} 1 {talk} {segment}\n" for segment in segments))
    return PublicCorpus(name="ted", reader="tedlium", path=folder, domain="talk")
