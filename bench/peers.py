"""The peers, used as their documentation shows: kaldi-native-fbank, and lhotse with Shar and with stored features.

lhotse stores features with NumpyFilesWriter, a float32 file an utterance: its default, LilcomChunkyWriter, needs a
further package, and has to decompress besides. All else is its default; so it pads the edges, and an utterance has two
or three frames more than with us.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kaldi_native_fbank as knf
import numpy as np
import soundfile
from lhotse import CutSet, Fbank, FbankConfig, MonoCut, NumpyFilesWriter, Recording, SupervisionSegment
from lhotse.dataset import GlobalMVN, OnTheFlyFeatures, PrecomputedFeatures, SimpleCutSampler

from earmark.audio.read import SAMPLE_RATE
from earmark.data.shards import Example, write_shard

BATCH = 16
Loaded = Iterator[tuple[list[str], Any]]
"""Ids and (B, T, 80) features of each batch, one at a time as training takes them."""


def kaldi_fbank(samples: np.ndarray) -> np.ndarray:
    """kaldi-native-fbank, an utterance at a time, as FireRedASR calls it."""
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80
    computer = knf.OnlineFbank(options)
    computer.accept_waveform(SAMPLE_RATE, (samples * 32768).tolist())
    return np.stack([computer.get_frame(number) for number in range(computer.num_frames_ready)])


def kaldi_shard(paths: list[Path], labels: list[dict[str, Any]], phones: list[int], output: Path) -> None:
    """Decode with soundfile, kaldi-native-fbank, and the very file that we write."""
    examples = (
        Example(label, phones, kaldi_fbank(soundfile.read(path, dtype="float32")[0]).astype(np.float16), number)
        for number, (path, label) in enumerate(zip(paths, labels, strict=True))
    )
    write_shard(output, examples, "none")


def extractor() -> Fbank:
    return Fbank(FbankConfig(sampling_rate=SAMPLE_RATE, num_filters=80))


def same_features(theirs: np.ndarray, ours: np.ndarray, shift: float = 0.0) -> bool:
    """Whether lhotse's (T', 80) are ours (T, 80): its frame t + 1 lies 2.5 ms after our frame t.

    So they correlate best at that lag; after normalisation by bin, made speech leaves a correlation of about 0.6.

    :param shift: how much lower theirs are.
    """
    if not 0 <= len(theirs) - len(ours) <= 3:
        return False
    rows = len(ours) - 2
    by_lag = [float(np.corrcoef(theirs[lag : lag + rows].ravel(), ours[:rows].ravel())[0, 1]) for lag in range(3)]
    offset = float(np.median(theirs[1 : rows + 1] - ours[:rows])) + shift
    return max(by_lag) == by_lag[1] > 0.5 and abs(offset) < 0.2


def cuts(paths: list[Path]) -> CutSet:
    """A cut a recording, in their order."""
    made = []
    for path in paths:
        recording = Recording.from_file(path)
        said = SupervisionSegment(path.stem, path.stem, 0, recording.duration, text="打开空调", language="zh")
        made.append(MonoCut(path.stem, 0, recording.duration, 0, recording=recording, supervisions=[said]))
    return CutSet.from_cuts(made)


def store_features(given: CutSet, folder: Path) -> CutSet:
    """Features of all cuts on disk, one job."""
    shutil.rmtree(folder, ignore_errors=True)
    return given.compute_and_store_features(
        extractor(), folder, num_jobs=1, storage_type=NumpyFilesWriter, progress_bar=False
    )


def write_shar(given: CutSet, folder: Path) -> Path:
    """Tar files of FLAC, as Shar has them."""
    folder.mkdir(exist_ok=True)
    given.to_shar(folder, fields={"recording": "flac"}, shard_size=1000, num_jobs=1)
    return folder


def _batches(given: CutSet, features: Any, normalise: GlobalMVN) -> Loaded:
    sampler = SimpleCutSampler(given, max_cuts=BATCH, shuffle=False)
    for batch in sampler:
        yield [cut.id for cut in batch], normalise(features(batch)[0])


def from_shar(folder: Path, normalise: GlobalMVN) -> Loaded:
    """Batches out of Shar, features computed on the fly."""
    return _batches(CutSet.from_shar(in_dir=folder), OnTheFlyFeatures(extractor()), normalise)


def from_features(stored: CutSet, normalise: GlobalMVN) -> Loaded:
    """Batches out of stored features."""
    return _batches(stored, PrecomputedFeatures(), normalise)
