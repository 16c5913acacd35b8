"""WenetSpeech-Yue: Cantonese of the web with machine transcripts, and its benchmark WSYue-ASR-eval.

    wenetspeech_yue_meta.jsonl                    huggingface.co/datasets/ASLP-lab/WenetSpeech-Yue
    ANY/gd0000688_90600_96630.wav                 (clips by key, or recordings gd0000688.*; in folders or tars)
    Short/content.txt  Short/wav.tar.gz           huggingface.co/datasets/ASLP-lab/WSYue-ASR-eval, here or in
    Long/TextGrid.tar.gz  Long/wav.tar.gz         the folder WSYue-ASR-eval

Verified by the cards' file lists and public loaders: the metadata's keys, `time_stamp` as START_END in seconds, the
five fields of content.txt, members `wav_/KEY.wav` and `wav/KEY.wav`, and the TextGrid's tier 文本. The metadata holds
links only (github.com/ASLP-lab/WenetSpeech-Yue): everybody downloads the audio of training, and names it; a public
script that does so (download_audio.py beside the metadata) cuts clips and calls them KEY.wav. Here a file is called
after the key, or after the recording, which is the key without its last two fields (milliseconds; parts of one video
are recordings with consecutive numbers). Speakers were found by diarisation within a recording, so that the recording
is part of their names.

A tar.gz of the benchmark is unpacked below the reader's own folder, unless `wav`, `wav_` or `wav.tar` lies beside it.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from earmark.audio.archive import extract
from earmark.audio.container import open_member, tar_index
from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import json_lines, seconds, string
from earmark.corpora.public.published import (
    Sound,
    Source,
    bad_row,
    chosen,
    find_sounds,
    located,
    matching,
    neighbours,
    text_lines,
    written,
)
from earmark.corpora.sources import folders
from earmark.errors import AudioError, CorpusError

SOURCE = Source("WenetSpeech-Yue (2025)", "huggingface.co/datasets/ASLP-lab/WenetSpeech-Yue")
EVAL = Source("WSYue-ASR-eval (2025)", "huggingface.co/datasets/ASLP-lab/WSYue-ASR-eval")
METADATA = "wenetspeech_yue_meta.jsonl"
FILES = {"train": METADATA, "short": "Short/content.txt", "long": "Long/wav.tar.gz"}
_MAX_TEXTGRID = 1 << 20
_TIER = re.compile(r'name = "文本"(.*?)(?:name = "|\Z)', re.DOTALL)
_TEXT = re.compile(r'text = "((?:[^"]|"")*)"')


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Metadata, the benchmark's transcripts, and all folders: clips may lie anywhere."""
    yield from matching(corpus.path, METADATA)
    for top in (corpus.path, corpus.path / "WSYue-ASR-eval"):
        yield from matching(top, "Short/content.txt", "Short/wav.tar*", "Long/*.tar*", "Long/TextGrid/*.TextGrid")
    yield from folders(corpus.path)


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows of training by line, those of one recording that follow one another by offset; then short and long.

    Subsets: train, short, long. Splits: train, test_wenetspeech_yue_short, test_wenetspeech_yue_long.

    :raises CorpusError: neither metadata nor benchmark, or a damaged archive.
    """
    evaluation = corpus.path / "WSYue-ASR-eval"
    evaluation = evaluation if evaluation.is_dir() else corpus.path
    places = {"train": corpus.path / METADATA, "short": evaluation / "Short", "long": evaluation / "Long"}
    there = {name for name, path in places.items() if path.exists()}
    if not there:
        raise SOURCE.lacks(corpus.path, f"{METADATA}, Short or Long")
    parts = chosen(corpus, there, FILES, SOURCE)
    if "train" in parts:
        sounds = find_sounds(corpus.path, without=("Short", "Long", "WSYue-ASR-eval"))
        yield from neighbours(_train(corpus, places["train"], sounds))
    if "short" in parts:
        yield from _short(corpus, places["short"], folder)
    if "long" in parts:
        yield from _long(corpus, places["long"], folder)


# A real line, in part (after github.com/Cywus98213/Clean-WenetSpeech-Yue):
# {"key": "gd0027722_620270_624350", "duration": 4.352, "rover_result": "但系小母你又睬都唔睬佢入咗船舱添", ...,
#  "meta_info": {"link": "https://...", "region": "广东", "time_stamp": "620.270_624.350", ...}}


def _train(corpus: PublicCorpus, path: Path, sounds: dict[str, Sound]) -> Iterator[Row]:
    for line in json_lines(path):
        values = line.value or {}
        key, about = string(values.get("key")), values.get("meta_info")
        if line.value is None or not key:
            yield bad_row(corpus, path, line.number, line.text or str(line.value), line.fault or "line has no key")
            continue
        about = about if isinstance(about, dict) else {}
        recording, speaker = key.rsplit("_", 2)[0], string(about.get("speaker_id"))
        where = _where(key, recording, values, about, sounds)
        who = {"split": "train", "language": "yue", "speaker": f"{recording}-{speaker}" if speaker else None}
        yield row(corpus, key, **who | written(values.get("rover_result")) | where)


def _where(key: str, recording: str, values: dict[str, Any], about: dict[str, Any], sounds: dict[str, Sound]) -> Row:
    """The clip of that key, else its segment of the recording."""
    if key in sounds:
        return located(sounds[key], key, duration=seconds(values.get("duration")) or None)
    start, _, end = (string(about.get("time_stamp")) or "").partition("_")
    span = (seconds(start), seconds(end))
    if recording not in sounds:
        return located(None, key)
    if span[0] is None or span[1] is None or span[1] <= span[0]:
        return {"audio": str(sounds[recording].path), "status": "segment is not a time span"}
    return located(sounds[recording], key, span[0], round(span[1] - span[0], 6))


# content.txt: gd0040024_535130_541400.wav<TAB>中年<TAB>中立<TAB>男<TAB>今日天气好好
#              (wav, age, emotion, gender, text)


def _short(corpus: PublicCorpus, part: Path, folder: Path) -> Iterator[Row]:
    table, split = part / "content.txt", "test_wenetspeech_yue_short"
    if not table.is_file():
        raise EVAL.lacks(part, "content.txt")
    sounds = _unpacked(part, folder)
    for line in text_lines(table):
        fields = line.text.split("\t")
        if line.fault or len(fields) != 5:
            reason = line.fault or "wrong number of fields"
            yield bad_row(corpus, table, line.number, line.text, reason, split)
            continue
        key = fields[0].strip().removesuffix(".wav")
        about = {"split": split, "language": "yue"}
        yield row(corpus, f"short-{key}", **about | written(fields[4].strip()) | located(sounds.get(key), key))


def _long(corpus: PublicCorpus, part: Path, folder: Path) -> Iterator[Row]:
    """A row a TextGrid, then audio without one."""
    sounds = _unpacked(part, folder)
    texts = dict(_textgrids(part))
    for key in dict.fromkeys([*sorted(texts), *sorted(sounds)]):
        about = {"split": "test_wenetspeech_yue_long", "language": "yue"}
        yield row(corpus, f"long-{key}", **about | written(texts.get(key)) | located(sounds.get(key), key))


def _unpacked(part: Path, folder: Path) -> dict[str, Sound]:
    archive = part / "wav.tar.gz"
    if archive.is_file() and not any((part / name).exists() for name in ("wav", "wav_", "wav.tar")):
        extract(archive, folder / part.name, EVAL.url)
        return find_sounds(folder / part.name)
    return find_sounds(part)


def _textgrids(part: Path) -> Iterator[tuple[str, str]]:
    """Key and transcript: the texts of the tier 文本, joined."""
    archive = part / "TextGrid.tar.gz"
    try:
        if (part / "TextGrid").is_dir():
            found = {path.stem: path.read_bytes() for path in sorted((part / "TextGrid").glob("*.TextGrid"))}
        elif archive.is_file():
            names = [name for name in tar_index(archive).members if name.endswith(".TextGrid")]
            found = {PurePosixPath(name).stem: open_member(archive, name).read(_MAX_TEXTGRID) for name in names}
        else:
            raise EVAL.lacks(part, "TextGrid.tar.gz")
    except AudioError as error:
        raise CorpusError(str(error)) from None
    for key, data in found.items():
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", errors="replace")
        tier = _TIER.search(text)
        yield key, "".join(said.replace('""', '"').strip() for said in _TEXT.findall(tier[1] if tier else ""))
