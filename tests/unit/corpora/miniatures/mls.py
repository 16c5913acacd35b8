"""MLS: flac of training, opus of the test set."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus


def make(folder: Path) -> PublicCorpus:
    """Two training utterances, one in segments.txt, and one of test."""
    parts = {"train": ["4800_10003_000000", "4800_10003_000001"], "test": ["10226_10111_000000"]}
    for part, keys in parts.items():
        top = folder / "mls_english" / part
        for number, key in enumerate(keys):
            speaker, book, _ = key.split("_")
            ending = "opus" if part == "test" else "flac"
            write(top / f"audio/{speaker}/{book}/{key}.{ending}", voice(0.5, seed=number))
        (top / "transcripts.txt").write_text("".join(f"{key}\toh my dear {key[-1]}\n" for key in keys))
        (top / "segments.txt").write_text(f"{keys[0]}\thttps://example.org/x.mp3\t401.76\t402.26\n")
    return PublicCorpus(name="mls", reader="mls", path=folder, domain="audiobook")
