"""A Kaldi data folder: two long recordings in segments."""

from pathlib import Path

from encoded import voice, write

from earmark.config import KaldiCorpus

FILES = {
    "wav.scp": "call-1 audio/call-1.flac\ncall-2 audio/call-2.mp3\n",
    "segments": "call-1-0001 call-1 0.25 1.00\ncall-1-0002 call-1 1.00 2.5\ncall-2-0001 call-2 0.5 1.5\n",
    "text": "call-1-0001 打开空调\ncall-1-0002 play some jazz\ncall-2-0001 关灯\n",
    "utt2spk": "call-1-0001 li\ncall-1-0002 smith\ncall-2-0001 li\n",
    "utt2lang": "call-1-0002 en\n",
}


def make(folder: Path) -> KaldiCorpus:
    """Recordings of 3 s (flac) and 2 s (mp3) in three segments."""
    write(folder / "audio/call-1.flac", voice(3.0, seed=1))
    write(folder / "audio/call-2.mp3", voice(2.0, seed=2))
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return KaldiCorpus(name="calls", reader="kaldi", path=folder, language="zh")
