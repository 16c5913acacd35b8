"""Samples to normalised log-mel, as in training."""

import itertools
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, SequenceFeatureExtractor

from earmark.audio.fbank import SAMPLE_RATE, fbank
from earmark.audio.level import Level, amplified, gain_towards
from earmark.audio.trim import quiet_cuts, speech_bounds


class EarmarkFeatureExtractor(SequenceFeatureExtractor):
    """Kaldi's log-mel energies (25 ms windows each 10 ms), each bin by the training data's mean and deviation.

    :param mean: :param deviation: of each mel bin.
    :param level: mean and deviation, in dB, of the training data's levels: a recording far from them is brought there.
    :param trim_silence: silence at both ends of a recording is cut off, as it was in training.
    :param min_seconds: :param max_seconds: shortest and longest utterance that training saw.
    """

    model_input_names = ["input_features", "input_features_mask"]  # noqa: RUF012  transformers' own form

    def __init__(
        self,
        mean: list[float] | None = None,
        deviation: list[float] | None = None,
        level: dict[str, float] | None = None,
        trim_silence: bool = False,
        min_seconds: float = 0.2,
        max_seconds: float = 30.0,
        feature_size: int = 80,
        sampling_rate: int = SAMPLE_RATE,
        padding_value: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(feature_size, sampling_rate, padding_value, **kwargs)
        self.mean = mean or [0.0] * feature_size
        self.deviation = deviation or [1.0] * feature_size
        self.level = level
        self.trim_silence = trim_silence
        self.min_seconds = min_seconds
        self.max_seconds = max_seconds

    def __call__(
        self, audio: Any, sampling_rate: int | None = None, trim: bool | None = None, **kwargs: Any
    ) -> BatchFeature:
        """`input_features` (B, T, feature_size) float32 and `input_features_mask` (B, T) of one or several recordings.

        :param audio: samples in [-1, 1] at 16 kHz, (N,), or a list of such. :param sampling_rate: is checked.
        :param trim: cut off silence at both ends; None: as training did. False for what `pieces` gives: its level is
            right, too.
        :raises ValueError: another rate, several channels, too short, or too long.
        """
        if sampling_rate not in (None, self.sampling_rate):
            raise ValueError(
                f"the audio has {sampling_rate} samples a second, {self.sampling_rate} are needed: resample it"
            )
        rows = []
        for one in _recordings(audio):
            samples = self._trimmed(one) if (self.trim_silence if trim is None else trim) else one
            self._check(samples)
            samples = samples if trim is False else self._levelled(samples)
            if len(samples) > self.max_seconds * self.sampling_rate:
                raise ValueError(
                    f"a recording of {len(samples) / self.sampling_rate:.1f} s is longer than those of training "
                    f"({self.max_seconds:g} s): cut it with `pieces`"
                )
            rows.append(self._features(samples))
        lengths = torch.tensor([len(row) for row in rows])
        return BatchFeature(
            {
                "input_features": torch.nn.utils.rnn.pad_sequence(rows, True, self.padding_value),
                "input_features_mask": (torch.arange(int(lengths.max())) < lengths[:, None]).long(),
            }
        )

    def pieces(self, audio: Any) -> list[np.ndarray]:
        """A recording (N,) of any length, trimmed and at a level as in training, cut where it is quietest.

        No piece is longer than training's utterances. For `processor(pieces, trim=False)`; their texts joined by a
        space are what the recording says.

        :raises ValueError: several channels, or too short.
        """
        (samples,) = _recordings(audio)
        if self.trim_silence:
            samples = self._trimmed(samples)
        self._check(samples)
        samples = self._levelled(samples)
        bounds = [0, *quiet_cuts(samples, int(self.max_seconds * self.sampling_rate)), len(samples)]
        return [samples[start:end] for start, end in itertools.pairwise(bounds)]

    def _trimmed(self, samples: np.ndarray) -> np.ndarray:
        start, end = speech_bounds(samples, self.sampling_rate)
        return samples[start:end]

    def _levelled(self, samples: np.ndarray) -> np.ndarray:
        training = Level(**self.level) if self.level else None
        return amplified(samples, gain_towards(training, fbank(samples, self.feature_size)))

    def _check(self, samples: np.ndarray) -> None:
        if len(samples) < self.min_seconds * self.sampling_rate:
            raise ValueError(
                f"a recording of {len(samples) / self.sampling_rate:.2f} s is shorter than those of training "
                f"({self.min_seconds:g} s): give a longer one"
            )

    def _features(self, samples: np.ndarray) -> torch.Tensor:
        # Rounded to float16, as features were stored for training.
        stored = torch.from_numpy(fbank(samples, self.feature_size).astype(np.float16)).float()
        mean, deviation = (np.array(values, np.float32) for values in (self.mean, self.deviation))
        return torch.addcmul(torch.from_numpy(-mean / deviation), stored, torch.from_numpy(1 / deviation))


def _recordings(audio: Any) -> list[np.ndarray]:
    """One array or tensor (N,), or a list of such, as float32 arrays."""
    if not isinstance(audio, list | tuple) or (len(audio) and np.isscalar(audio[0])):
        audio = [audio]
    arrays = [np.asarray(one, dtype=np.float32) for one in audio]
    for one in arrays:
        if one.ndim != 1:
            raise ValueError(
                f"a recording has the shape {one.shape}, one channel (N,) is needed: take one, or the mean"
            )
    return arrays
