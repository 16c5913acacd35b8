"""VCTK: a sentence with two microphones, a speaker without mic2, one without transcripts."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus


def make(folder: Path) -> PublicCorpus:
    """Three speakers, four files."""
    for stem in ("p225/p225_001_mic1", "p225/p225_001_mic2", "p280/p280_001_mic1", "p315/p315_001_mic1"):
        write(folder / f"wav48_silence_trimmed/{stem}.flac", voice(0.5, 48_000), 48_000)
    for speaker in ("p225", "p280"):
        path = folder / f"txt/{speaker}/{speaker}_001.txt"
        path.parent.mkdir(parents=True)
        path.write_text("Please call Stella.\n")
    (folder / "speaker-info.txt").write_text("ID  AGE  GENDER  ACCENTS  REGION COMMENTS\np225  23  F    English\n")
    return PublicCorpus(name="vctk", reader="vctk", path=folder, domain="read")
