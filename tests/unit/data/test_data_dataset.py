"""Batches as training sees them: rows of several corpora, normalised, padded with zeros."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from tiny import TinyRun

from earmark.data.dataset import Dataset
from earmark.data.shards import Example, Shard, write_shard
from earmark.errors import ShardError, UserError
from earmark.io import read_json, read_parquet, write_json
from earmark.text.inventory import Inventory
from earmark.text.phonemes import Phonemizer

INVENTORY = Inventory.load()


@pytest.fixture
def dataset(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.chdir(tiny_run.root)
    return Dataset(tiny_run.config.folder / "shards" / "dataset.json", INVENTORY)


def ids(dataset: Dataset, split: str) -> list[str]:
    return [one.id for one in dataset.labels(dataset.split(split))]


def test_splits_cover_all_corpora_in_order(dataset: Dataset) -> None:
    assert dataset.splits == ["train", "valid", "test_en", "test_zh"]
    assert len(ids(dataset, "train")) == 14
    assert sorted(ids(dataset, "train")[-2:]) == ["own-one", "own-two"]
    assert [len(dataset.split(name)) for name in ("valid", "test_zh", "test_en", "nothing")] == [4, 2, 2, 0]
    rows = np.concatenate([dataset.split(name) for name in dataset.splits])
    assert rows.tolist() == list(range(22))


def test_training_rows_ascend_by_length_in_each_corpus(dataset: Dataset) -> None:
    spoken, own = dataset.strands({"spoken": 1.0, "own": 0.5})
    assert (len(spoken.frames), len(own.frames), own.first, own.rate) == (12, 2, 12, 0.5)
    assert (np.diff(spoken.frames) >= 0).all() and (np.diff(own.frames) >= 0).all()
    assert dataset.frames(dataset.split("train")).tolist() == [*spoken.frames, *own.frames]
    assert dataset.corpora()["own"] == pytest.approx(own.frames.sum() / 360_000)


def test_other_splits_keep_the_order_of_the_shards(dataset: Dataset, tiny_run: TinyRun) -> None:
    """The watch takes the first ones of validation."""
    index = read_parquet(tiny_run.paths.shards("spoken") / "spoken-0000-0000.parquet").to_pylist()
    assert ids(dataset, "valid") == [row["id"] for row in index if row["split"] == "valid"]


def test_features_are_normalised_and_zero_where_padded(dataset: Dataset, tiny_run: TinyRun) -> None:
    rows = dataset.split("train")
    batch = dataset.batch(rows)
    assert batch.features.shape == (14, int(batch.lengths.max()), 80)
    assert batch.features.dtype == torch.float32
    shard = Shard(tiny_run.paths.shards("spoken") / "spoken-0000-0000.arrow")
    at = [shard.labels(row)[0] for row in range(20)].index(batch.ids[0])
    for number, length in enumerate(batch.lengths.tolist()):
        assert torch.equal(batch.features[number, length:], torch.zeros_like(batch.features[number, length:]))
        assert int(dataset.frames(rows)[number]) == length
    features, phones = shard[at]
    expected = (features.astype(np.float64) - dataset.normalisation.mean) / dataset.normalisation.deviation
    np.testing.assert_allclose(batch.features[0, : len(features)].numpy(), expected, atol=1e-5)
    assert batch.phones[0, : batch.phone_lengths[0]].tolist() == phones.tolist()
    assert not batch.phones[0, batch.phone_lengths[0] :].any()


def test_training_split_has_mean_0_and_deviation_1(dataset: Dataset) -> None:
    batch = dataset.batch(dataset.split("train"))
    frames = torch.cat([one[:length] for one, length in zip(batch.features, batch.lengths.tolist(), strict=True)])
    torch.testing.assert_close(frames.mean(dim=0), torch.zeros(80), atol=1e-3, rtol=0)
    torch.testing.assert_close(frames.std(dim=0, correction=0), torch.ones(80), atol=1e-3, rtol=0)


def test_a_batch_is_its_rows_in_their_order_on_one_machine(dataset: Dataset) -> None:
    rows = dataset.split("train")[[5, 0, 13]]
    batch = dataset.batch(rows)
    assert batch.ids == [one.id for one in dataset.labels(rows)]
    assert batch.texts == [one.text for one in dataset.labels(rows)]
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


def test_a_batch_of_no_rows_is_refused(dataset: Dataset) -> None:
    with pytest.raises(ShardError, match=r"^a batch of 0 utterances was asked for: choose a split that has rows"):
        dataset.batch(dataset.split("nothing"))


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
    path, index = tiny_copy.paths.dataset, tiny_copy.paths.index
    (tiny_copy.paths.shards("own") / "own-0000-0000.arrow").unlink()
    with pytest.raises(ShardError, match=r"own-0000-0000\.arrow does not exist"):
        dataset = Dataset(path, INVENTORY)
        dataset.batch(dataset.split("train"))
    whole = index.read_bytes()
    index.write_bytes(whole[:-20])
    with pytest.raises(ShardError, match=r"index\.arrow is damaged .*: run `earmark dataset` again"):
        Dataset(path, INVENTORY)
    index.unlink()
    with pytest.raises(ShardError, match=r"index\.arrow does not exist"):
        Dataset(path, INVENTORY)
    index.write_bytes(whole)
    write_json(path, read_json(path) | {"digest": "another"})
    with pytest.raises(ShardError, match=r"index\.arrow does not belong to the dataset\.json"):
        Dataset(path, INVENTORY)
    path.write_text("{")
    with pytest.raises(UserError, match=r"dataset\.json is not JSON"):
        Dataset(path, INVENTORY)
    path.unlink()
    with pytest.raises(UserError, match=r"dataset\.json does not exist"):
        Dataset(path, INVENTORY)


def test_shards_built_anew_need_the_dataset_anew(tiny_copy: TinyRun) -> None:
    shard = tiny_copy.paths.shards("own") / "own-0000-0000.arrow"
    old = Shard(shard)
    rows = [dict(zip(("id", "language", "text"), old.labels(row), strict=True)) for row in range(2)]
    rows = [row | {"corpus": "own", "split": "train", "speaker": None} for row in rows]
    examples = [Example(row, [1], np.ones((50, 80), np.float16), 1) for row in rows]
    write_shard(shard, examples, INVENTORY.hash, labels=old.metadata["labels"])
    dataset = Dataset(tiny_copy.paths.dataset, INVENTORY)
    with pytest.raises(ShardError, match="built anew since: run `earmark dataset` again"):
        dataset.batch(dataset.split("train"))


def test_few_shards_are_open_at_a_time(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("earmark.data.dataset.OPEN_SHARDS", 1)
    rows = dataset.split("train")
    mixed = rows[np.argsort(np.arange(len(rows)) % 7, kind="stable")]
    expected = [one.id for one in dataset.labels(mixed)]
    assert dataset.batch(mixed).ids == expected
    assert len(dataset._open) == 1


def test_damaged_row_is_refused(tiny_copy: TinyRun) -> None:
    shard = tiny_copy.paths.shards("own") / "own-0000-0000.arrow"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    dataset = Dataset(tiny_copy.paths.dataset, INVENTORY)
    with pytest.raises(ShardError, match="is damaged in row"):
        dataset.batch(dataset.split("train"))


def test_a_moved_run_is_read_where_it_lies(tiny_copy: TinyRun, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    tiny_copy.folder.rename(moved)
    dataset = Dataset(moved / "shards" / "dataset.json", INVENTORY)
    assert len(dataset.batch(dataset.split("valid")).ids) == 4


def test_shard_with_labels_of_another_kind_is_refused_when_it_is_read(tiny_copy: TinyRun) -> None:
    said = read_json(tiny_copy.paths.dataset)
    assert said["labels"] == Phonemizer().hash
    write_json(tiny_copy.paths.dataset, said | {"labels": "another"})
    dataset = Dataset(tiny_copy.paths.dataset, INVENTORY)
    with pytest.raises(ShardError, match=r"spoken-0000-0000\.arrow has labels of kind .*, its dataset has another"):
        dataset.batch(dataset.split("valid"))


def test_shard_of_another_inventory_is_refused_when_it_is_read(tiny_copy: TinyRun, tmp_path: Path) -> None:
    listed = tmp_path / "phones.txt"
    listed.write_text("a\nb\n")
    other = Inventory.load(listed)
    said = read_json(tiny_copy.paths.dataset)
    write_json(tiny_copy.paths.dataset, said | {"inventory": other.hash})
    dataset = Dataset(tiny_copy.paths.dataset, other)
    with pytest.raises(ShardError, match=r"spoken-0000-0000\.arrow was labelled with inventory"):
        dataset.batch(dataset.split("valid"))


class Moved(NamedTuple):
    """Something that was drawn ahead."""

    where: str = "processor"

    def to(self, device: torch.device, non_blocking: bool = False) -> "Moved":
        return Moved(f"{device.type}, {'not waited for' if non_blocking else 'waited for'}")

    def pin_memory(self) -> "Moved":
        return Moved("pinned")


@pytest.mark.parametrize(("kind", "waits"), [("cuda", False), ("cpu", True)])
def test_a_batch_goes_to_a_gpu_without_waiting(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, kind: str, waits: bool
) -> None:
    batch = dataset.batch(dataset.split("valid"))._replace(drawn=Moved())
    moves: list[tuple[torch.Tensor, str, bool]] = []

    def to(tensor: torch.Tensor, device: torch.device, non_blocking: bool = False) -> torch.Tensor:
        moves.append((tensor, device.type, not non_blocking))
        return tensor

    monkeypatch.setattr(torch.Tensor, "to", to)
    moved = batch.to(torch.device(kind))
    assert [(id(one), *how) for one, *how in moves] == [
        (id(batch.features), kind, waits),
        (id(batch.phones), kind, waits),
    ]
    assert moved.drawn == Moved(f"{kind}, {'waited for' if waits else 'not waited for'}")
    assert batch._replace(drawn=None).to(torch.device(kind)).drawn is None
