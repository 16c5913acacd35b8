"""WenetSpeech-Chuan: Sichuanese of the web with machine transcripts, and its benchmark WSC-Eval-ASR.

    wsc_metadata.jsonl                            huggingface.co/datasets/ASLP-lab/WSC-Train (or metadata.jsonl)
    ANY/audio_labels/016000082021_vm0qb.jsonl     (instead: first version, a file a recording, in a zip)
    ANY/013165482320_dwM1G_56_5920.wav            (clips by file name, in folders or tars)
    WSC-Eval-ASR/Easy/text  wav.scp  wav/*.wav    huggingface.co/datasets/ASLP-lab/WSC-Eval; Hard alike

Verified by the cards, their commits and public loaders: the metadata's keys (utt, filename, text; in the first version
wav_utt_id_timestamp, wav_utt_id_timestamp_path, text), and the files of the benchmark, whose wav.scp names paths of the
publisher's machine, so that only the file name counts. The last field of a clip's id is its length in milliseconds (the
benchmark's file sizes agree). The audio of training is not published with its metadata: the authors give it on request
(README of github.com/ASLP-lab/WenetSpeech-Chuan). Not found in the cards, in the repository or in code that uses the
corpus: that clips are called `filename` there; they may lie anywhere. Short and Long of the benchmark cut the same
utterances in another way and are not read.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import json_lines, string
from earmark.corpora.public.published import (
    Sound,
    Source,
    bad_row,
    below,
    chosen,
    find_sounds,
    listed,
    located,
    matching,
    written,
)
from earmark.corpora.sources import folders

SOURCE = Source("WenetSpeech-Chuan (2025)", "huggingface.co/datasets/ASLP-lab/WSC-Train")
EVAL = Source("WSC-Eval-ASR (2025)", "huggingface.co/datasets/ASLP-lab/WSC-Eval")
METADATA = ("wsc_metadata.jsonl", "metadata.jsonl")
LABELS = "audio_labels"
"""Folder of the first version's metadata."""
PARTS = ("train", "easy", "hard")


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Metadata, the benchmark's tables, and all folders: clips may lie anywhere."""
    yield from matching(corpus.path, *METADATA, f"**/{LABELS}/*.jsonl")
    yield from matching(corpus.path / "WSC-Eval-ASR", "*/text", "*/wav.scp")
    yield from folders(corpus.path)


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows of training by line, then those of easy and hard by transcript. Writes nothing.

    Subsets: train, easy, hard. Splits: train, test_wenetspeech_chuan_easy, test_wenetspeech_chuan_hard.

    :raises CorpusError: neither metadata nor benchmark, or a part of the benchmark without text or wav.scp.
    """
    places = {name: corpus.path / "WSC-Eval-ASR" / name.title() for name in PARTS[1:]}
    metadata = (
        sorted(corpus.path.glob(f"**/{LABELS}/*.jsonl"))
        or [path for name in METADATA if (path := corpus.path / name).is_file()][:1]
    )
    there = {name for name, path in places.items() if path.is_dir()} | ({"train"} if metadata else set())
    if not there:
        raise SOURCE.lacks(corpus.path, f"{METADATA[0]} or WSC-Eval-ASR/Easy")
    for name in chosen(corpus, there, PARTS, SOURCE):
        if name == "train":
            sounds = find_sounds(corpus.path, without=("WSC-Eval-ASR",))
            for path in metadata:
                yield from _train(corpus, path, sounds)
        else:
            yield from _evaluation(corpus, name, places[name])


# The card's example, its text and labels made up:
# {"utt": "013165482320_dwM1G_56_5920", "filename": "013165482320_dwM1G_56_5920.wav", "text": "我们今天切吃火锅",
#  "domain": "...", "gender": "...", "age": "...", "wvmos": 3.4, "confidence": "0.93"}
# A line of audio_labels, by the card's description:
# {"wav_utt_id_timestamp": "...", "wav_utt_id_timestamp_path": "....wav", "audio_clip_id": 56, "timestamp": ...,
#  "wvmos_score": 3.4, "text": "...", "text_punc": "...", "spk_num": "single", "confidence": 0.93, ...}


def _train(corpus: PublicCorpus, path: Path, sounds: dict[str, Sound]) -> Iterator[Row]:
    for line in json_lines(path):
        values = line.value or {}
        key = string(values.get("utt")) or string(values.get("wav_utt_id_timestamp"))
        file = string(values.get("filename")) or string(values.get("wav_utt_id_timestamp_path"))
        if line.value is None or not key or not file:
            reason = line.fault or "line has no utt or no filename"
            yield bad_row(corpus, path, line.number, line.text or str(line.value), reason)
            continue
        stem = PurePosixPath(file).stem
        where = located(sounds.get(stem), file, duration=_length(stem))
        yield row(corpus, key, **{"split": "train", "language": "zh-sichuan"} | written(values.get("text")) | where)


def _length(clip: str) -> float | None:
    """Seconds, by the name of a clip."""
    last = clip.rpartition("_")[2]
    return int(last) / 1000 if last.isascii() and last.isdecimal() and 0 < len(last) < 9 and int(last) else None


# text:    01285631540_RqvQt_5_5860 好嘛这个事情今天先整起
# wav.scp: 01285631540_RqvQt_5_5860 Eval/Easy/wav/01285631540_RqvQt_5_5860.wav


def _evaluation(corpus: PublicCorpus, name: str, part: Path) -> Iterator[Row]:
    for file in ("text", "wav.scp"):
        if not (part / file).is_file():
            raise EVAL.lacks(part, file)
    yield from listed(
        corpus,
        part,
        ("text", "wav.scp"),
        f"test_wenetspeech_chuan_{name}",
        find=lambda key, value: below(part / "wav", PurePosixPath(value).name),
        describe=lambda key, text: {"language": "zh-sichuan"},
        key=f"{name}-{{}}",
    )
