"""SPGISpeech: tables and folders of train and val."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus

CALL = "13aa6c0669adb5544a0d62beef677189"


def make(folder: Path) -> PublicCorpus:
    """Two slices of a call in train, one in val."""
    for part, numbers in {"train": (12, 75), "val": (3,)}.items():
        lines = ["wav_filename|wav_filesize|transcript"]
        for number in numbers:
            path = write(folder / f"spgispeech/{part}/{CALL}{part}/{number}.wav", voice(0.5, seed=number))
            lines.append(f"{CALL}{part}/{number}.wav|{path.stat().st_size}|Daniel, Q{number} results -- and so on.")
        (folder / f"spgispeech/{part}.csv").write_text("\n".join(lines) + "\n")
    return PublicCorpus(name="spgi", reader="spgispeech", path=folder, domain="finance")
