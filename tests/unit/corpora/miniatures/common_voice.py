"""Common Voice: two locales, with clip_durations.tsv for one of them; a sentence with a lone quote."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus

HEADER = "client_id path sentence up_votes down_votes age gender accents variant locale segment".replace(" ", "\t")


def line(name: str, speaker: str, sentence: str, locale: str) -> str:
    """A line of a part."""
    return "\t".join([speaker, name, sentence, "2", "0", "twenties", "male", "", "", locale, ""])


def make(folder: Path) -> PublicCorpus:
    """Three utterances in Mandarin, one of each part; one training utterance in Cantonese."""
    lines = {
        "zh-CN": {"train": "宋朝末年年间定居粉岭围。", "dev": '渐渐行动不便"', "test": "二十一年去世。"},
        "zh-HK": {"train": "你食咗飯未呀？"},
    }
    for locale, parts in lines.items():
        top = folder / "cv-corpus-15.0-2023-09-08" / locale
        lengths = ["clip\tduration[ms]"]
        for number, part in enumerate(("train", "dev", "test")):
            table = [HEADER]
            if part in parts:
                name = f"common_voice_{locale}_1852418{number}.mp3"
                write(top / "clips" / name, voice(0.5, 32_000, seed=number), 32_000)
                table.append(line(name, f"speaker{number}", parts[part], locale))
                lengths.append(f"{name}\t504")
            (top / f"{part}.tsv").write_text("\n".join(table) + "\n", encoding="utf-8")
        if locale == "zh-CN":
            (top / "clip_durations.tsv").write_text("\n".join(lengths) + "\n", encoding="utf-8")
    return PublicCorpus(name="cv", reader="common_voice", path=folder, domain="read")
