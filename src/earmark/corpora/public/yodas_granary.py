"""YODAS-Granary: NVIDIA's pseudo-labels (Granary) of segments of YODAS2's videos; the English part.

    data/en000/asr_only/00000000.parquet          huggingface.co/datasets/espnet/yodas-granary (en000, en100, ...)

Columns: utt_id, audio {bytes, path} (16 kHz wav), duration, lang, task, text, translation_en, original_audio_id (the
video), original_audio_offset. `ast` beside `asr_only` holds the utterances that have a translation too; both are read.
Verified by public loaders of it (an icefall recipe, two evaluations): the folders and these columns.

Read as well, where there is no Parquet, are the manifests alone (NeMo's JSONL) with the audio beside them:

    en/yodas/en_asr.jsonl                         huggingface.co/datasets/nvidia/Granary
    data/en000/audio/00000000.tar                 huggingface.co/datasets/espnet/yodas2, after gunzip

Granary publishes no audio; it comes from YODAS2 (24 kHz wav, one file a video, in tar.gz; nothing can be sought in
those, so they have to be gunzipped, or unpacked) or from NVIDIA's own conversion of it
(github.com/NVIDIA/NeMo-speech-data-processor, dataset_configs/multilingual/granary: SUBSET/SHARD/VIDEO.wav, 16 kHz).
Verified by public loaders: the name en/yodas/en_asr.jsonl (large languages: LANG_asr_LANG000.jsonl, a file a subset),
the keys audio_filepath, duration, text, utt_id, original_source_id, dataset_source; offset is the key of that
processor's manifests (yodas2.yaml renames start), and their audio_filepath is FOLDER/SUBSET/SHARD/VIDEO of the machine
that ran it. Not found: that published lines carry offset (the loaders read none), and that audio_filepath is relative
to the folder. A line's audio is the file of that path; else one, anywhere below the folder and in any tar, that is
named after it, or after utt_id; else the video (original_source_id, yodas_id), for which a line has to have an offset.
Manifests of translations (`_ast`) are left out.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.entries import json_lines, seconds, string
from earmark.corpora.public.lines import cells
from earmark.corpora.public.published import (
    Sound,
    Source,
    bad_row,
    below,
    chosen,
    find_sounds,
    located,
    matching,
    neighbours,
    written,
)
from earmark.corpora.sources import folders

SOURCE = Source("YODAS-Granary (2025, English)", "huggingface.co/datasets/espnet/yodas-granary")
COLUMNS = ("utt_id", "duration", "text", "original_audio_id")

# A row: {"utt_id": "...", "audio": {"bytes": RIFF..., "path": "..."}, "duration": 5.67, "lang": "en", "text": "...",
#         "original_audio_id": "YuseO8GhcWk", "original_audio_offset": 12.34, ...}
# A line: {"utt_id": "...", "audio_filepath": "yodas/en000/00000000/YuseO8GhcWk.wav", "offset": 12.34,
#          "duration": 5.67, "text": "...", "original_source_id": "YuseO8GhcWk", "dataset_source": "..."}


def sources(corpus: PublicCorpus) -> Iterator[Path]:
    """Parquet files; where there are none manifests, and all folders: audio may lie anywhere."""
    top = corpus.path / "data" if (corpus.path / "data").is_dir() else corpus.path
    packed = list(matching(top, "en[0-9]*/*/*.parquet"))
    yield from packed
    if not packed:
        yield from matching(corpus.path, "*.json*", "en/yodas/*.json*")
        yield from folders(corpus.path)


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by file and row, or by line, those of one video that follow one another by offset.

    Subsets are the folders en000, ... (of manifests: their names without ending). All rows are of training. Writes
    nothing.

    :raises CorpusError: neither Parquet files nor manifests, a damaged file, or tars that cannot be read in place.
    """
    top = corpus.path / "data" if (corpus.path / "data").is_dir() else corpus.path
    packed = {path.name: path for path in sorted(top.glob("en[0-9]*")) if any(path.glob("*/*.parquet"))}
    if packed:
        for name in chosen(corpus, packed, packed, SOURCE):
            for path in sorted(packed[name].glob("*/*.parquet")):
                yield from _packed(corpus, path)
        return
    base = corpus.path / "en/yodas"
    base = base if base.is_dir() else corpus.path
    files = {path.stem: path for path in sorted(base.glob("*.json*")) if "_ast" not in path.stem}
    if not files:
        raise SOURCE.lacks(corpus.path, "data/en000/asr_only/*.parquet, or en/yodas/*.jsonl")
    sounds = find_sounds(corpus.path)
    for name in chosen(corpus, files, files, SOURCE):
        yield from neighbours(_rows(corpus, files[name], sounds))


def _packed(corpus: PublicCorpus, path: Path) -> Iterator[Row]:
    for number, values in enumerate(cells(path, COLUMNS, SOURCE)):
        key = string(values["utt_id"]) or f"{path.parent.parent.name}-{path.parent.name}-{path.stem}-{number}"
        about = {"split": "train", "language": "en", "speaker": string(values["original_audio_id"])}
        where = located(Sound(path, str(number)), str(path), 0.0, seconds(values["duration"]) or None)
        yield row(corpus, key, **about | written(values["text"]) | where)


def _rows(corpus: PublicCorpus, path: Path, sounds: dict[str, Sound]) -> Iterator[Row]:
    for line in json_lines(path):
        if line.value is None:
            yield bad_row(corpus, path, line.number, line.text, line.fault)
            continue
        audio, duration = string(line.value.get("audio_filepath")), seconds(line.value.get("duration"))
        if not audio or not duration:
            yield bad_row(corpus, path, line.number, str(line.value), "line has no audio_filepath or no duration")
            continue
        offset = seconds(line.value.get("offset"))
        sound, fault = _find(corpus.path, audio, line.value, offset, sounds)
        where = located(sound, audio, offset or 0.0, duration)
        key = string(line.value.get("utt_id")) or f"{PurePosixPath(audio).stem}-{round((offset or 0.0) * 1000):08d}"
        about = {"split": "train", "language": "en", "speaker": _video(line.value)}
        yield row(corpus, key, **about | written(line.value.get("text"), fault) | where)


def _find(
    root: Path, audio: str, values: dict[str, Any], offset: float | None, sounds: dict[str, Sound]
) -> tuple[Sound | None, str | None]:
    """Audio of a line, and what is wrong with it."""
    if found := below(root, audio):
        return found, None
    video = _video(values)
    for name in (PurePosixPath(audio).stem, string(values.get("utt_id"))):
        if name and name != video and name in sounds:
            return sounds[name], None
    found = sounds.get(video or PurePosixPath(audio).stem)
    return found, "segment has no offset" if found and offset is None else None


def _video(values: dict[str, Any]) -> str | None:
    """Name of the video: the nearest to a speaker that the corpus has."""
    return string(values.get("original_source_id")) or string(values.get("yodas_id")) or None
