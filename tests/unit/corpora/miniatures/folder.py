"""A folder with a table, as TSV and as JSONL."""

import json
from pathlib import Path

from encoded import voice, write

from earmark.config import FolderCorpus

LINES = [
    {"audio": "a/1.wav", "text": "打开空调", "language": "zh", "speaker": "li", "split": "train"},
    {"audio": "a/2.flac", "text": "play some jazz", "language": "en", "speaker": "smith", "split": "valid"},
    {"audio": "b/3.mp3", "text": "我要听jazz", "language": "zh-en", "speaker": "li", "split": "test_own"},
    {"audio": "b/4.m4a", "text": "食咗飯未", "language": "yue", "speaker": "wong", "split": "train"},
]


def make(folder: Path, table: str = "utterances.tsv") -> FolderCorpus:
    """Four recordings of 0.5, 0.6, 0.7 and 0.8 s, and their table."""
    for number, line in enumerate(LINES):
        write(folder / line["audio"], voice(0.5 + 0.1 * number, seed=number))
    if table.endswith(".jsonl"):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in LINES)
    else:
        text = "\n".join("\t".join(fields) for fields in [list(LINES[0]), *(line.values() for line in LINES)]) + "\n"
    (folder / table).write_text(text, encoding="utf-8")
    return FolderCorpus(name="mine", reader="folder", path=folder, table=Path(table))
