"""AISHELL-2021-Eval in the layout that its reader assumes: a folder a part."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus

TEXTS = {
    "A": {"A0001": "导航去最近的加油站", "A0002": "打开空调"},
    "C": {"C0001": "您好请问"},
    "D": {"D0001": "播放音乐"},
}


def make(folder: Path) -> PublicCorpus:
    """Two utterances of A, one of C and one of D."""
    for part, texts in TEXTS.items():
        for number, key in enumerate(texts):
            write(folder / f"{part}/wav/{key}.wav", voice(0.5 + 0.25 * number, seed=ord(part) + number))
        (folder / part / "trans.txt").write_text("".join(f"{key}\t{text}\n" for key, text in texts.items()))
        (folder / part / "wav.scp").write_text("".join(f"{key}\twav/{key}.wav\n" for key in texts))
    return PublicCorpus(name="eval", reader="aishell_2021_eval", path=folder)
