"""Test sets as training never heard them: the same utterances in white noise, or spoken by other voices."""

import random
from collections.abc import Iterator

import numpy as np
import torch

from earmark.audio.read import SAMPLE_RATE
from earmark.config import Config
from earmark.corpora.espeak import restart
from earmark.corpora.synthetic import draw_voice, speak, variants
from earmark.data.build import features_of, half, log_mel
from earmark.data.dataset import Batch, Normalisation
from earmark.data.manifest import kept_rows
from earmark.io import digest


def noisy(
    batches: list[Batch], config: Config, split: str, decibels: float, normalisation: Normalisation
) -> Iterator[Batch]:
    """The batches with white noise added to their recordings, which are decoded again.

    :param decibels: signal-to-noise ratio of each utterance.
    """
    recordings = {
        row["id"]: (row, corpus.trim_silence)
        for corpus in config.corpora
        for row in kept_rows(config.paths.manifests(corpus.name, corpus.parts), split)
    }
    for batch in batches:
        features = []
        for key in batch.ids:
            row, trim = recordings[key]
            generator = np.random.default_rng(int(digest(config.seed, key), 16))
            features.append(features_of(row, trim, noise=(decibels, generator)))
        yield _with(batch, features, normalisation)


def respoken(batches: list[Batch], seed: int, normalisation: Normalisation) -> Iterator[Batch]:
    """The batches' texts spoken by espeak-ng, each in a voice of its own: synthetic, but other voices.

    Where nothing is said there is silence, as long as the recording.
    """
    voices = variants()
    for batch in batches:
        restart()
        features = []
        said = zip(batch.ids, batch.texts, batch.languages, batch.lengths.tolist(), strict=True)
        for key, text, language, frames in said:
            voice = draw_voice(random.Random(digest(seed, key)), language, voices)
            samples = speak(text, voice) if text else np.zeros(frames * SAMPLE_RATE // 100, dtype=np.float32)
            features.append(half(log_mel(samples, trim=False)))
        yield _with(batch, features, normalisation)


def _with(batch: Batch, features: list[np.ndarray], normalisation: Normalisation) -> Batch:
    """The batch with other features, a (T, n_mels) an utterance."""
    lengths = torch.tensor([len(one) for one in features])
    padded = torch.zeros(len(features), int(lengths.max()), features[0].shape[1])
    for cells, one in zip(padded, features, strict=True):
        normalisation.into(cells[: len(one)], one)
    return batch._replace(features=padded, lengths=lengths)
