"""LibriSpeech: a chapter of training, one of a test set."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus


def make(folder: Path) -> PublicCorpus:
    """Two training utterances and one of test-other."""
    chapters = {
        "train-clean-100/103/1240/103-1240": ["CHAPTER ONE MISSUS RACHEL", "THAT HAD ITS SOURCE"],
        "test-other/1688/142285/1688-142285": ["THERE'S IRON THEY SAY"],
    }
    for seed, (stem, texts) in enumerate(chapters.items()):
        base = folder / "LibriSpeech" / stem
        for number in range(len(texts)):
            write(base.parent / f"{base.name}-{number:04d}.flac", voice(0.5 + 0.25 * number, seed=seed))
        lines = [f"{base.name}-{number:04d} {text}\n" for number, text in enumerate(texts)]
        base.with_name(f"{base.name}.trans.txt").write_text("".join(lines))
    return PublicCorpus(name="libri", reader="librispeech", path=folder, domain="audiobook")
