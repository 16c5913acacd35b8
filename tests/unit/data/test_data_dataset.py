"""Batches as training sees them: rows of several corpora, normalised, padded with zeros."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import TinyRun

from earmark.data.dataset import Dataset
from earmark.data.shards import Shard
from earmark.errors import ShardError, UserError
from earmark.io import read_json, write_json
from earmark.text.inventory import Inventory

INVENTORY = Inventory.load()


@pytest.fixture
def dataset(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.chdir(tiny_run.root)
    return Dataset(tiny_run.config.folder / "shards" / "dataset.json", INVENTORY)


def test_splits_cover_all_corpora_in_order(dataset: Dataset) -> None:
    ids = np.array(dataset.index["id"].to_pylist(), dtype=object)
    train = ids[dataset.split("train")].tolist()
    assert len(train) == 14
    assert train[-2:] == ["own-one", "own-two"]
    assert [len(dataset.split(name)) for name in ("valid", "test_zh", "test_en", "nothing")] == [4, 2, 2, 0]
    assert sum(map(len, map(dataset.split, ("train", "valid", "test_zh", "test_en")))) == len(ids)


def test_features_are_normalised_and_zero_where_padded(dataset: Dataset, tiny_run: TinyRun) -> None:
    rows = dataset.split("train")
    batch = dataset.batch(rows)
    assert batch.features.shape == (14, int(batch.lengths.max()), 80)
    assert batch.features.dtype == torch.float32
    shard = Shard(tiny_run.paths.shards("spoken") / "spoken-0000-0000.arrow")
    for number, length in enumerate(batch.lengths.tolist()):
        assert torch.equal(batch.features[number, length:], torch.zeros_like(batch.features[number, length:]))
        assert int(dataset.frames(rows)[number]) == length
    features, phones = shard[int(rows[0])]
    expected = (features.astype(np.float64) - dataset.mean) / dataset.deviation
    np.testing.assert_allclose(batch.features[0, : len(features)].numpy(), expected, atol=1e-5)
    assert batch.phones[0, : batch.phone_lengths[0]].tolist() == phones.tolist()
    assert not batch.phones[0, batch.phone_lengths[0] :].any()


def test_training_split_has_mean_0_and_deviation_1(dataset: Dataset) -> None:
    batch = dataset.batch(dataset.split("train"))
    frames = torch.cat([one[:length] for one, length in zip(batch.features, batch.lengths.tolist(), strict=True)])
    torch.testing.assert_close(frames.mean(dim=0), torch.zeros(80), atol=1e-3, rtol=0)
    torch.testing.assert_close(frames.std(dim=0, correction=0), torch.ones(80), atol=1e-3, rtol=0)


def test_a_batch_is_its_rows_in_their_order(dataset: Dataset) -> None:
    rows = dataset.split("train")[[5, 0, 13]]
    batch = dataset.batch(rows)
    assert batch.ids == [dataset.index["id"][int(row)].as_py() for row in rows]
    for number, row in enumerate(rows):
        alone = dataset.batch(np.array([row]))
        length = int(alone.lengths[0])
        assert torch.equal(batch.features[number, :length], alone.features[0])
        assert (batch.texts[number], batch.languages[number]) == (alone.texts[0], alone.languages[0])


def test_padding_and_seconds(dataset: Dataset) -> None:
    batch = dataset.batch(dataset.split("valid"))
    assert batch.seconds == pytest.approx(float(batch.lengths.sum()) / 100)
    longest = float(batch.lengths.max()) * len(batch.ids)
    assert batch.padding == pytest.approx(1 - float(batch.lengths.sum()) / longest)
    assert 0 < batch.padding < 1
    assert dataset.batch(dataset.split("valid")[:1]).padding == 0


def test_batches_put_like_lengths_together_longest_first(dataset: Dataset) -> None:
    rows = dataset.split("train")
    parts = dataset.batches(rows, 4)
    assert [len(part) for part in parts] == [4, 4, 4, 2]
    lengths = dataset.frames(np.concatenate(parts))
    assert (np.diff(lengths) <= 0).all()
    assert sorted(np.concatenate(parts).tolist()) == rows.tolist()


def test_other_inventory_is_refused(tiny_run: TinyRun, tmp_path: Path) -> None:
    path = tmp_path / "phones.txt"
    path.write_text("a\nb\n")
    with pytest.raises(ShardError, match=f"labelled with inventory {INVENTORY.hash}, this run has"):
        Dataset(tiny_run.paths.dataset, Inventory.load(path))


def test_missing_pieces_are_named(tiny_copy: TinyRun) -> None:
    path = tiny_copy.paths.dataset
    index = tiny_copy.paths.shards("own") / "own-0000-0000.parquet"
    index.unlink()
    with pytest.raises(UserError, match=r"own-0000-0000\.parquet does not exist"):
        Dataset(path, INVENTORY)
    path.write_text("{")
    with pytest.raises(UserError, match=r"dataset\.json is not JSON"):
        Dataset(path, INVENTORY)
    path.unlink()
    with pytest.raises(UserError, match=r"dataset\.json does not exist"):
        Dataset(path, INVENTORY)


def test_shard_of_another_inventory_is_refused_when_it_is_read(tiny_copy: TinyRun, tmp_path: Path) -> None:
    listed = tmp_path / "phones.txt"
    listed.write_text("a\nb\n")
    other = Inventory.load(listed)
    said = read_json(tiny_copy.paths.dataset)
    write_json(tiny_copy.paths.dataset, said | {"inventory": other.hash})
    dataset = Dataset(tiny_copy.paths.dataset, other)
    with pytest.raises(ShardError, match=r"spoken-0000-0000\.arrow was labelled with inventory"):
        dataset.batch(dataset.split("valid"))
