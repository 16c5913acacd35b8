"""VoxPopuli: the transcribed part as the corpus's own script writes it."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus

HEADER = "id\traw_text\tnormalized_text\tspeaker_id\tsplit\tgender"
KEY = "20090113-0900-PLENARY-5-en_20090113-17:20:57"


def make(folder: Path) -> PublicCorpus:
    """One utterance of each part."""
    top = folder / "transcribed_data/en"
    for number, part in enumerate(("train", "dev", "test")):
        write(top / f"2009/{KEY}_{number}.ogg", voice(0.5, seed=number))
        line = f"{KEY}_{number}\tThank you, Mr. {number}.\tthank you mr {part}\t28113\t{part}\tmale"
        (top / f"asr_{part}.tsv").write_text(f"{HEADER}\n{line}\n")
    return PublicCorpus(name="vox", reader="voxpopuli", path=folder, domain="parliament")
