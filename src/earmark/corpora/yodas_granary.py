"""YODAS-Granary: NVIDIA's manifests of pseudo-labelled segments (NeMo's JSONL) over the audio of YODAS2; English part.

    en/yodas/en_asr.jsonl                         huggingface.co/datasets/nvidia/Granary
    data/en000/audio/00000000.tar                 huggingface.co/datasets/espnet/yodas2, after gunzip

Granary publishes manifests only; audio comes from YODAS2 (24 kHz wav, one file a video, in tar.gz; nothing can be
sought in those, so they have to be gunzipped, or unpacked) or from NVIDIA's own conversion of it
(github.com/NVIDIA/NeMo-speech-data-processor, dataset_configs/multilingual/granary: SUBSET/SHARD/VIDEO.wav, 16 kHz).

Verified: folders and the keys audio_filepath, duration, text, utt_id, original_source_id, dataset_source (the card's
tree and loaders of the public data); offset is the key of that processor's manifests. Assumed: audio_filepath is
relative to the folder. A line's audio is the file of that path; else one, anywhere below the folder and in any tar,
that is named after it, or after utt_id; else the video (original_source_id, yodas_id), for which a line has to have
an offset. Manifests of translations (`_ast`) are left out.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from earmark.config import PublicCorpus
from earmark.corpora.base import Row, row
from earmark.corpora.own import json_lines, seconds, string
from earmark.corpora.published import Sound, Source, bad_row, below, chosen, find_sounds, located, neighbours, written

SOURCE = Source("YODAS-Granary (nvidia/Granary)", "huggingface.co/datasets/nvidia/Granary")

# {"utt_id": "...", "audio_filepath": "yodas/en000/00000000/YuseO8GhcWk.wav", "offset": 12.34, "duration": 5.67,
#  "text": "...", "original_source_id": "YuseO8GhcWk", "dataset_source": "..."}


def read(corpus: PublicCorpus, folder: Path) -> Iterator[Row]:
    """Rows by line, in the order of the manifests, those of one video that follow one another by offset.

    Subsets are manifests by name without ending. All rows are of training. Writes nothing.

    :raises CorpusError: no manifests, or tars that cannot be read in place.
    """
    base = corpus.path / "en/yodas"
    base = base if base.is_dir() else corpus.path
    files = {path.stem: path for path in sorted(base.glob("*.json*")) if "_ast" not in path.stem}
    if not files:
        raise SOURCE.lacks(corpus.path, "en/yodas/*.jsonl")
    sounds = find_sounds(corpus.path)
    for name in chosen(corpus, files, files, SOURCE):
        yield from neighbours(_rows(corpus, files[name], sounds))


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
