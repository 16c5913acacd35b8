"""CS-Dialogue: index files and the unpacked waves of three speakers."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus

TEXTS = {
    "train": {"ZH-CN_U0001_S0_2": "你好", "ZH-CN_U0001_S0_101": "我觉得这个 project 很 interesting"},
    "dev": {"ZH-CN_U0058_S0_7": "I think so"},
    "test": {"ZH-CN_U1003_S0_56": "那个 deadline 是明天"},
}


def make(folder: Path) -> PublicCorpus:
    """Two utterances of training, one of dev and one of test, 0.5 s and longer."""
    for part, texts in TEXTS.items():
        index = folder / "data/index/short_wav" / part
        index.mkdir(parents=True)
        paths = {key: f"short_wav/WAVE/C0/{key.rsplit('_', 1)[0]}/{key}.wav" for key in texts}
        for number, (key, path) in enumerate(paths.items()):
            write(folder / "data" / path, voice(0.5 + 0.25 * number, seed=len(key) + number))
        (index / "text").write_text("".join(f"{key} {text}\n" for key, text in texts.items()), encoding="utf-8")
        (index / "wav.scp").write_text("".join(f"{key} {path}\n" for key, path in paths.items()), encoding="utf-8")
    return PublicCorpus(name="dialogue", reader="cs_dialogue", path=folder)
