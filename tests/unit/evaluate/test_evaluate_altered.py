"""Test sets in noise and in other voices."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import TinyRun, buzz

from earmark.audio.level import loudness
from earmark.config import TestSet
from earmark.data.build import log_mel
from earmark.data.dataset import Batch, Dataset
from earmark.errors import ConfigError
from earmark.evaluate.altered import levelled, noisy, quieter, respoken, white_noise
from earmark.evaluate.run import evaluate
from earmark.io import read_json
from earmark.text.inventory import Inventory


@pytest.fixture
def dataset(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.chdir(tiny_run.root)
    return Dataset(tiny_run.paths.dataset, Inventory.from_settings(tiny_run.config.text))


@pytest.fixture
def batches(dataset: Dataset) -> list[Batch]:
    """The test set as two batches of one utterance."""
    return [dataset.batch(rows) for rows in dataset.split("test_zh").reshape(2, 1)]


def same(one: Iterator[Batch], other: Iterator[Batch]) -> bool:
    return all(torch.equal(a.features, b.features) for a, b in zip(one, other, strict=True))


def test_noise_is_as_loud_as_asked_for(batches: list[Batch], dataset: Dataset, tiny_run: TinyRun) -> None:
    def level(decibels: float) -> float:
        noised = list(noisy(batches, tiny_run.config, "test_zh", decibels, dataset.normalisation))
        assert all(torch.equal(one.lengths, other.lengths) for one, other in zip(noised, batches, strict=True))
        return float(noised[0].features[0, : int(noised[0].lengths[0])].mean())

    assert level(0) > level(20) > level(60)
    recorded = batches[0].features[0, : int(batches[0].lengths[0])]
    nearly = next(noisy(batches, tiny_run.config, "test_zh", 150, dataset.normalisation)).features[0, : len(recorded)]
    assert float((nearly - recorded).abs().median()) < 0.02


def test_noise_has_the_level_that_was_asked_for() -> None:
    clean = log_mel(buzz(1.0), False)

    def rise(level: float) -> float:
        return float((log_mel(buzz(1.0), False, white_noise(level, np.random.default_rng(1))) - clean).mean())

    found = [rise(level) for level in (40.0, 30.0, 20.0)]
    assert found[0] > 0
    # Where noise is all there is, ten decibels are ln 10 in log energy.
    np.testing.assert_allclose(np.diff(found), np.log(10), atol=0.5)
    assert rise(20.0) == found[2]


def test_noise_is_the_same_again_and_another_for_each(
    batches: list[Batch], dataset: Dataset, tiny_run: TinyRun
) -> None:
    given = batches, tiny_run.config, "test_zh", -60, dataset.normalisation  # so loud that it is all there is
    assert same(noisy(*given), noisy(*given))
    first, second = (one.features[0] for one in noisy(*given))
    frames = min(len(first), len(second), 50)
    correlation = torch.corrcoef(torch.stack([first[:frames].flatten(), second[:frames].flatten()]))[0, 1]
    by_bin = torch.corrcoef(torch.stack([(one[:frames] - one[:frames].mean(0)).flatten() for one in (first, second)]))
    assert correlation < 0.99
    assert abs(float(by_bin[0, 1])) < 0.2


def test_texts_are_spoken_anew_in_other_voices(batches: list[Batch], dataset: Dataset) -> None:
    spoken = list(respoken(batches, 1, dataset.normalisation))
    for one, other in zip(spoken, batches, strict=True):
        assert (one.ids, one.texts) == (other.ids, other.texts)
        assert torch.equal(one.phones, other.phones)
        assert not torch.equal(one.lengths, other.lengths)
        assert one.features.shape == (1, int(one.lengths.max()), other.features.shape[2])
        assert all(not row[length:].any() for row, length in zip(one.features, one.lengths.tolist(), strict=True))
    assert same(iter(spoken), respoken(batches, 1, dataset.normalisation))
    assert not torch.equal(spoken[0].lengths, next(respoken(batches, 2, dataset.normalisation)).lengths)


def test_a_voice_of_its_own_for_each_utterance(batches: list[Batch], dataset: Dataset) -> None:
    twice = {"texts": ["打开空调"] * 2, "languages": ["zh"] * 2, "lengths": batches[0].lengths.repeat(2)}
    alike = batches[0]._replace(ids=["a", "b"], **twice)
    lengths = next(respoken([alike], 1, dataset.normalisation)).lengths.tolist()
    assert len(set(lengths)) > 1


def test_a_set_cannot_be_both() -> None:
    with pytest.raises(ValueError, match="both has noise_db and respoken: make a test set of each"):
        TestSet(name="both", measure="cer", scenario="both", of="test_zh", noise_db=20, respoken=True)


def test_quieter_recordings_lose_what_sixteen_bits_do_not_hold(
    batches: list[Batch], dataset: Dataset, tiny_run: TinyRun
) -> None:
    recorded = batches[0].features[0]
    scale = torch.from_numpy(dataset.normalisation.deviation)

    def louder(decibels: float) -> torch.Tensor:
        found = next(quieter(batches, tiny_run.config, "test_zh", decibels, dataset.normalisation))
        assert torch.equal(found.lengths, batches[0].lengths)
        return (found.features[0] - recorded) * scale * 10 / math.log(10)

    assert torch.equal(louder(0), torch.zeros_like(recorded))
    assert float(louder(-20).median()) == pytest.approx(-20, abs=0.2)
    assert float(louder(60).mean()) < 59  # cut off


def test_quiet_recordings_are_brought_to_the_level_of_training(
    batches: list[Batch], dataset: Dataset, tiny_run: TinyRun
) -> None:
    normal = dataset.normalisation
    assert levelled(batches[0], normal) is batches[0]
    quiet = next(quieter(batches, tiny_run.config, "test_zh", -20, normal))
    assert abs(float(quiet.features.mean() - batches[0].features.mean())) > 0.5
    # Not to where it was, but to the mean of training.
    found = levelled(quiet, normal)
    length = int(found.lengths[0])
    loud = [loudness(normal.out_of(one.features[0, :length])) for one in (found, quiet)]
    assert normal.level is not None
    assert loud == pytest.approx(
        [normal.level.mean, loudness(normal.out_of(batches[0].features[0, :length])) - 20], abs=0.3
    )


def test_altered_sets_are_scored(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tiny_run.root)
    tests = [
        TestSet(name="voices", of="test_zh", measure="cer", scenario="voices", respoken=True),
        TestSet(name="noise", of="test_zh", measure="cer", scenario="noise", noise_db=20),
        TestSet(name="quiet", of="test_zh", measure="cer", scenario="quiet", level_db=-20),
    ]
    scored = _evaluated(tiny_run, tests, tmp_path)
    assert {row["test"] for row in scored} == {"voices", "noise", "quiet"}
    assert len({row["utterances"] for row in scored}) == 1
    gone = TestSet(name="gone", measure="cer", scenario="gone", respoken=True)
    with pytest.raises(ConfigError, match="no utterance of split 'gone'"):
        _evaluated(tiny_run, [gone], tmp_path)


def _evaluated(run: TinyRun, tests: list[TestSet], folder: Path) -> list[dict[str, Any]]:
    config = run.config.model_copy(update={"evaluation": run.config.evaluation.model_copy(update={"tests": tests})})
    joint, pretrain = (
        config.paths.step(stage, getattr(config.stages, stage).steps) / "done.json" for stage in ("joint", "pretrain")
    )
    evaluate(config, joint, pretrain, folder)
    return read_json(folder / "scores.json")


def test_where_nothing_is_said_respeaking_leaves_silence_of_its_length(batches: list[Batch], dataset: Dataset) -> None:
    spoken, silent = respoken([batches[0], batches[0]._replace(texts=[""])], 1, dataset.normalisation)
    assert not torch.equal(spoken.features, silent.features)
    assert abs(int(silent.lengths[0]) - int(batches[0].lengths[0])) <= 3
    assert float(silent.features.var(dim=1).max()) < 1e-6
