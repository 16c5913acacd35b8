"""Test sets as training never heard them: the same utterances in white noise, quieter, or spoken by other voices.

And each test set as `earmark transcribe` would take it: what is far from training's level is brought to it.
"""

import random
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch

from earmark.audio.level import amplified, gain_towards, shifted
from earmark.audio.read import SAMPLE_RATE
from earmark.config import Config, TestSet
from earmark.corpora.small.espeak import restart
from earmark.corpora.small.synthetic import draw_voice, speak, variants
from earmark.data.build import Change, features_of, half, log_mel
from earmark.data.dataset import Batch, Normalisation
from earmark.data.manifest import kept_rows
from earmark.io import digest


def altered(batches: Iterable[Batch], config: Config, test: TestSet, normalisation: Normalisation) -> Iterable[Batch]:
    """The batches of a test set's split as its settings alter them."""
    if test.noise_db is not None:
        return noisy(batches, config, test.split, test.noise_db, normalisation)
    if test.level_db is not None:
        return quieter(batches, config, test.split, test.level_db, normalisation)
    return respoken(batches, config.seed, normalisation) if test.respoken else batches


def noisy(
    batches: Iterable[Batch], config: Config, split: str, decibels: float, normalisation: Normalisation
) -> Iterator[Batch]:
    """The batches with white noise added to their recordings, which are decoded again.

    :param decibels: signal-to-noise ratio of each utterance.
    """

    def change(key: str) -> Change:
        return white_noise(decibels, np.random.default_rng(int(digest(config.seed, key), 16)))

    return _recorded(batches, config, split, change, normalisation)


def white_noise(decibels: float, generator: np.random.Generator) -> Change:
    """Adds noise of this signal-to-noise ratio to an utterance's samples."""

    def add(samples: np.ndarray) -> np.ndarray:
        power = float(np.mean(samples.astype(np.float64) ** 2)) / 10 ** (decibels / 10)
        return samples + generator.normal(0.0, power**0.5, len(samples)).astype(np.float32)

    return add


def quieter(
    batches: Iterable[Batch], config: Config, split: str, decibels: float, normalisation: Normalisation
) -> Iterator[Batch]:
    """The batches' recordings, decoded again, as a recorder of 16 bits would have them at another level.

    :param decibels: gain of each utterance; what it drives beyond 16 bits is cut off.
    """

    def record(samples: np.ndarray) -> np.ndarray:
        return np.clip(np.rint(amplified(samples, decibels) * 32768), -32768, 32767).astype(np.int16)

    return _recorded(batches, config, split, lambda key: record, normalisation)


def _recorded(
    batches: Iterable[Batch], config: Config, split: str, change: Callable[[str], Change], normalisation: Normalisation
) -> Iterator[Batch]:
    """The batches with their recordings changed, each by what `change` gives for its id."""
    recordings = {
        row["id"]: (row, corpus.trim_silence)
        for corpus in config.corpora
        for row in kept_rows(config.paths.manifests(corpus.name, corpus.parts), split)
    }
    for batch in batches:
        features = [features_of(*recordings[key], change(key)) for key in batch.ids]
        yield _with(batch, features, normalisation)


def respoken(batches: Iterable[Batch], seed: int, normalisation: Normalisation) -> Iterator[Batch]:
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


def levelled(batch: Batch, normalisation: Normalisation) -> Batch:
    """The batch with each utterance that is far from training's level brought to it, as `earmark transcribe` does."""
    lengths = batch.lengths.tolist()
    found = [normalisation.out_of(cells[:length]) for cells, length in zip(batch.features, lengths, strict=True)]
    gains = [gain_towards(normalisation.level, one) for one in found]
    if not any(gains):
        return batch
    return _with(batch, [half(shifted(one, gain)) for one, gain in zip(found, gains, strict=True)], normalisation)


def _with(batch: Batch, features: list[np.ndarray], normalisation: Normalisation) -> Batch:
    """The batch with other features, a (T, n_mels) an utterance."""
    lengths = torch.tensor([len(one) for one in features])
    padded = torch.zeros(len(features), int(lengths.max()), features[0].shape[1])
    for cells, one in zip(padded, features, strict=True):
        normalisation.into(cells[: len(one)], one)
    return batch._replace(features=padded, lengths=lengths)
