"""The shards of a run as training, diagnosis and evaluation see them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch

from earmark.data.shards import Shard
from earmark.errors import ShardError
from earmark.io import read_json, read_parquet
from earmark.text.inventory import Inventory


class Batch(NamedTuple):
    """Padded utterances: B of them, T feature frames, U phones at most."""

    ids: list[str]
    features: torch.Tensor
    """(B, T, n_mels) float32, normalised by global mean and deviation, 0 where padded."""
    lengths: torch.Tensor
    """(B,) int64 feature frames."""
    phones: torch.Tensor
    """(B, U) int64, 0 where padded."""
    phone_lengths: torch.Tensor
    """(B,) int64."""
    texts: list[str]
    languages: list[str]

    @property
    def padding(self) -> float:
        """Share of feature frames that are padding."""
        return 1 - float(self.lengths.sum()) / (self.features.shape[0] * self.features.shape[1])

    @property
    def seconds(self) -> float:
        """Seconds of speech."""
        return float(self.lengths.sum()) / 100


class Dataset:
    """All shards named by `shards/dataset.json`."""

    def __init__(self, path: Path | str, inventory: Inventory):
        described = read_json(path)
        if described["inventory"] != inventory.hash:
            raise ShardError(
                f"{path} was labelled with inventory {described['inventory']}, this run has {inventory.hash}: "
                "run the data stages again"
            )
        self.inventory = inventory
        self.mean = np.array(described["mean"], dtype=np.float32)
        self.deviation = np.array(described["deviation"], dtype=np.float32)
        self._shards: dict[str, Shard] = {}
        self._folders: dict[str, Path] = {}
        tables = []
        for corpus in described["corpora"].values():
            for shard in corpus["shards"]:
                self._folders[shard["shard"]] = Path(corpus["folder"])
                index = (Path(corpus["folder"]) / shard["shard"]).with_suffix(".parquet")
                tables.append(read_parquet(index))
        self.index: pa.Table = pa.concat_tables(tables)

    def split(self, name: str) -> np.ndarray:
        """Row numbers of a split, in the order of the index."""
        return np.flatnonzero(np.array(self.index["split"].to_pylist(), dtype=object) == name)

    def frames(self, rows: np.ndarray) -> np.ndarray:
        """(N,) feature frames of rows."""
        return self.index["frames"].to_numpy()[rows]

    def batch(self, rows: np.ndarray) -> Batch:
        """Read rows into one padded batch."""
        index = self.index.take(pa.array(rows)).to_pylist()
        read = [self._shard(row["shard"])[row["row"]] for row in index]
        lengths = torch.tensor([len(features) for features, _ in read])
        phone_lengths = torch.tensor([len(phones) for _, phones in read])
        # Allocated by torch: numpy's alignment varies, and with it the order of sums in matrix products.
        features = torch.zeros(len(read), int(lengths.max()), len(self.mean))
        cells = features.numpy()
        phones = np.zeros((len(read), int(phone_lengths.max())), dtype=np.int64)
        for number, (one, ids) in enumerate(read):
            cells[number, : len(one)] = (one - self.mean) / self.deviation
            phones[number, : len(ids)] = ids
        return Batch(
            ids=[row["id"] for row in index],
            features=features,
            lengths=lengths,
            phones=torch.from_numpy(phones),
            phone_lengths=phone_lengths,
            texts=[row["text"] for row in index],
            languages=[row["language"] for row in index],
        )

    def batches(self, rows: np.ndarray, size: int) -> list[np.ndarray]:
        """Rows in batches of at most `size`, like lengths together, longest first."""
        order = rows[np.argsort(-self.frames(rows), kind="stable")]
        return [order[start : start + size] for start in range(0, len(order), size)]

    def _shard(self, name: str) -> Shard:
        if name not in self._shards:
            self._shards[name] = Shard(self._folders[name] / name, self.inventory.hash)
        return self._shards[name]
