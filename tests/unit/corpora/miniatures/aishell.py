"""AISHELL-1: an utterance of each part, the speakers' archives still beside."""

from pathlib import Path

from encoded import voice, write

from earmark.config import PublicCorpus

TEXTS = {
    "BAC009S0002W0122": "而 对 楼市 成交 抑制 作用 最 大 的 限 购",
    "BAC009S0724W0121": "广州市 房地产 中介 协会 分析",
    "BAC009S0764W0121": "甚至 出现 交易 几乎 停滞 的 情况",
}


def make(folder: Path) -> PublicCorpus:
    """One utterance each of train, dev and test."""
    top = folder / "data_aishell"
    for part, key in zip(("train", "dev", "test"), TEXTS, strict=True):
        write(top / f"wav/{part}/{key[6:11]}/{key}.wav", voice(0.5, seed=len(part)))
        (top / f"wav/{key[6:11]}.tar.gz").write_bytes(b"")
    (top / "transcript").mkdir()
    lines = "".join(f"{key} {text}\n" for key, text in TEXTS.items())
    (top / "transcript/aishell_transcript_v0.8.txt").write_text(lines, encoding="utf-8")
    return PublicCorpus(name="aishell", reader="aishell", path=folder, domain="read")
