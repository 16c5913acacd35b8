"""KeSpeech: subdialects in training, standard Mandarin in test; the four files in different orders."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus


def make(folder: Path) -> PublicCorpus:
    """Two training utterances, one of test."""
    parts = {
        "train_phase1": [
            ("1000001_63740949", "Jiang-Huai", "明天下午<SPOKEN_NOISE>"),
            ("1000002_2c863844", "Ji-Lu", "今天晴"),
        ],
        "test": [("1000003_4ee86ae9", "Mandarin", "北京欢迎你")],
    }
    for part, utterances in parts.items():
        top = folder / "KeSpeech/Tasks/ASR" / part
        top.mkdir(parents=True)
        paths = {key: f"Audio/{key[:7]}/phase1/{key}.wav" for key, _, _ in utterances}
        for seed, path in enumerate(paths.values()):
            write(folder / "KeSpeech" / path, voice(0.5, seed=seed))
        files = {
            "wav.scp": [f"{key} {path}" for key, path in reversed(paths.items())],
            "text": [f"{key} {text}" for key, _, text in utterances],
            "utt2spk": [f"{key} {key[:7]}" for key, _, _ in utterances],
            "utt2subdialect": [f"{key} {name}" for key, name, _ in utterances],
        }
        for name, lines in files.items():
            (top / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return PublicCorpus(name="ke", reader="kespeech", path=folder, domain="read")
