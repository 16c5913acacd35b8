"""AISHELL-2: training on iOS, test sets on iOS and a microphone, published apart."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus


def make(folder: Path) -> PublicCorpus:
    """Two training utterances, one of each test set."""
    parts = {
        "AISHELL-2/iOS/data": {"IC0001W0001": "厨房用品", "IC0001W0002": "听beat it"},
        "AISHELL-DEV-TEST-SET/iOS/test": {"IT0011W0001": "换一首歌"},
        "AISHELL-DEV-TEST-SET/Mic/dev": {"MD0012W0001": "电灯打开"},
    }
    for part, texts in parts.items():
        top = folder / part
        for seed, key in enumerate(texts):
            write(top / f"wav/{key[1:6]}/{key}.wav", voice(0.5, seed=seed))
        (top / "trans.txt").write_text("".join(f"{key}\t{text}\n" for key, text in texts.items()), encoding="utf-8")
        (top / "wav.scp").write_text("".join(f"{key}\twav/{key[1:6]}/{key}.wav\n" for key in texts))
    return PublicCorpus(name="aishell2", reader="aishell2", path=folder, domain="read")
