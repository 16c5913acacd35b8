"""The shards of a run as training, diagnosis and evaluation see them.

Index and shards are mapped into memory: a process starts at once, and holds what it reads. Ids, texts and languages
come from the shards' own rows.
"""

import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import pyarrow as pa
import torch

from earmark.audio.level import Level
from earmark.data.batches import Strand
from earmark.data.memory import Recycled
from earmark.data.shards import Shard
from earmark.errors import ShardError
from earmark.io import read_json
from earmark.paths import part_name
from earmark.text.inventory import Inventory

OPEN_SHARDS = 256
"""Shards that are open at a time: each takes a file descriptor, of which a process commonly has 1,024."""


class Movable(Protocol):
    """What a batch takes along to a device."""

    def to(self, device: torch.device, non_blocking: bool = False) -> Self:
        """The same there."""
        ...

    def pin_memory(self) -> Self:
        """The same in memory that a GPU reads by itself."""
        ...


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
    drawn: "Movable | None" = None
    """What training has drawn for this batch ahead of its step (`earmark.train.feed.augment`), and moves with it."""

    @property
    def padding(self) -> float:
        """Share of feature frames that are padding."""
        return 1 - float(self.lengths.sum()) / (self.features.shape[0] * self.features.shape[1])

    @property
    def seconds(self) -> float:
        """Seconds of speech."""
        return float(self.lengths.sum()) / 100

    def to(self, device: torch.device) -> "Batch":
        """Features, phones and what was drawn on `device`; lengths stay: masks are planned by them on the processor.

        Out of pinned memory nothing is waited for: the device's stream keeps the order.
        """
        ahead = device.type == "cuda"
        return self._replace(
            features=self.features.to(device, non_blocking=ahead),
            phones=self.phones.to(device, non_blocking=ahead),
            drawn=self.drawn and self.drawn.to(device, non_blocking=ahead),
        )

    def pinned(self) -> "Batch":
        """In memory that a GPU reads by itself, what `to` moves."""
        return self._replace(
            features=self.features.pin_memory(),
            phones=self.phones.pin_memory(),
            drawn=self.drawn and self.drawn.pin_memory(),
        )


class Labels(NamedTuple):
    """What a row says besides its features."""

    id: str
    language: str
    text: str


class Normalisation:
    """Global mean and deviation of each mel bin out: as shards are read, so everything that is compared with them.

    :param described: what dataset.json says.
    """

    def __init__(self, described: dict[str, Any]):
        self.mean = np.array(described["mean"], dtype=np.float32)
        self.deviation = np.array(described["deviation"], dtype=np.float32)
        self.level = Level(**described["level"]) if "level" in described else None
        """Of training's utterances; None: the run is of an earlier version, which took no levels."""
        self._scale = torch.from_numpy(1 / self.deviation)
        self._shift = torch.from_numpy(-self.mean / self.deviation)

    def into(self, cells: torch.Tensor, features: np.ndarray) -> torch.Tensor:
        """Write (T, n_mels) float16 `features`, normalised, into the float32 `cells`."""
        # (x - mean) / deviation as one multiplication and addition, while the utterance is in the cache.
        cells.copy_(torch.from_numpy(features))
        return torch.addcmul(self._shift, cells, self._scale, out=cells)

    def out_of(self, cells: torch.Tensor) -> np.ndarray:
        """(T, n_mels) float32 log-mel energies of normalised `cells`."""
        return cells.numpy() * self.deviation + self.mean


class Dataset:
    """All rows that `shards/dataset.json` describes, by their number in the index beside it."""

    def __init__(self, path: Path | str, inventory: Inventory):
        path = Path(path)
        described = read_json(path)
        if described["inventory"] != inventory.hash:
            raise ShardError(
                f"{path} was labelled with inventory {described['inventory']}, this run has {inventory.hash}: "
                "run the data stages again"
            )
        self.inventory = inventory
        self.normalisation = Normalisation(described)
        self._bounds: dict[str, dict[str, dict[str, int]]] = described["bounds"]
        self._paths = [
            path.parent / name / part_name(shard["part"]) / shard["shard"]
            for name, account in described["corpora"].items()
            for shard in account["shards"]
        ]
        self._labels = described.get("labels")
        self._open: OrderedDict[int, Shard] = OrderedDict()
        self._memory = Recycled()
        self._shard, self._row, self._frames = _mapped(path.with_name("index.arrow"), described["digest"])

    @property
    def splits(self) -> list[str]:
        """Names of the splits that have rows: train first, then valid, then test sets."""
        return list(self._bounds)

    def split(self, name: str) -> np.ndarray:
        """Row numbers of a split, in the order of the index; for fifty million rows, `strands` takes no memory."""
        parts = [np.arange(one["start"], one["start"] + one["rows"]) for one in self._bounds.get(name, {}).values()]
        return np.concatenate([np.arange(0), *parts])

    def parts(self, name: str) -> dict[str, np.ndarray]:
        """Row numbers of a split by corpus."""
        return {
            corpus: np.arange(one["start"], one["start"] + one["rows"])
            for corpus, one in self._bounds.get(name, {}).items()
        }

    def corpora(self) -> dict[str, float]:
        """Hours of each corpus in training."""
        return {name: one["frames"] / 360_000 for name, one in self._bounds["train"].items()}

    def strands(self, rates: dict[str, float]) -> list[Strand]:
        """Training rows of each corpus for the batch plan, lengths mapped into memory.

        :param rates: share of each corpus that an epoch takes.
        """
        parts = self._bounds["train"].items()
        return [
            Strand(self._frames[one["start"] : one["start"] + one["rows"]], one["start"], rates[name])
            for name, one in parts
        ]

    def frames(self, rows: np.ndarray) -> np.ndarray:
        """(N,) feature frames of rows."""
        return self._frames[rows]

    def labels(self, rows: np.ndarray) -> list[Labels]:
        """Id, language and text of rows."""
        return [Labels(*self._opened(shard).labels(row)) for shard, row in self._places(rows)]

    def batch(self, rows: np.ndarray) -> Batch:
        """Read rows into one padded batch.

        :raises ShardError: there is no row, or one is damaged or has another length than the index says.
        """
        if not len(rows):
            raise ShardError("a batch of 0 utterances was asked for: choose a split that has rows in dataset.json")
        places = self._places(rows)
        read = [self._opened(shard)[row] for shard, row in places]
        lengths = torch.tensor([len(features) for features, _ in read])
        if not np.array_equal(lengths.numpy(), self.frames(rows)):
            shard = self._paths[places[0][0]]
            raise ShardError(f"{shard} and its like were built anew since: run `earmark dataset` again")
        phone_lengths = torch.tensor([len(phones) for _, phones in read])
        phones = np.zeros((len(read), int(phone_lengths.max())), dtype=np.int64)
        for number, (_, ids) in enumerate(read):
            phones[number, : len(ids)] = ids
        labels = [self._opened(shard).labels(row) for shard, row in places]
        return Batch(
            ids=[one[0] for one in labels],
            features=self._padded([one for one, _ in read], int(lengths.max())),
            lengths=lengths,
            phones=torch.from_numpy(phones),
            phone_lengths=phone_lengths,
            texts=[one[2] for one in labels],
            languages=[one[1] for one in labels],
        )

    def _padded(self, read: list[np.ndarray], longest: int) -> torch.Tensor:
        """(B, longest, n_mels) float32, normalised, 0 where padded."""
        features = self._memory.empty(len(read), longest, len(self.normalisation.mean))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the memory map is not writable, and is not written to
            for padded, one in zip(features, read, strict=True):
                self.normalisation.into(padded[: len(one)], one)
                padded[len(one) :] = 0
        return features

    def batches(self, rows: np.ndarray, size: int) -> list[np.ndarray]:
        """Rows in batches of at most `size`, like lengths together, longest first."""
        order = rows[np.argsort(-self.frames(rows), kind="stable")]
        return [order[start : start + size] for start in range(0, len(order), size)]

    def _places(self, rows: np.ndarray) -> list[tuple[int, int]]:
        return list(zip(self._shard[rows].tolist(), self._row[rows].tolist(), strict=True))

    def _opened(self, number: int) -> Shard:
        shard = self._open.get(number)
        if shard is None:
            shard = self._open[number] = Shard(self._paths[number], self.inventory.hash, self._labels)
            if len(self._open) > OPEN_SHARDS:
                self._open.popitem(last=False)
        self._open.move_to_end(number)
        return shard


def _mapped(path: Path, stamp: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shard, row and frames (N,) of the index, in the file."""
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        found = (reader.schema.metadata or {}).get(b"digest", b"").decode()
        batch = reader.get_batch(0)
        columns = tuple(batch.column(name).to_numpy() for name in ("shard", "row", "frames"))
    except FileNotFoundError:
        raise ShardError(f"{path} does not exist: run `earmark dataset` again") from None
    except (pa.ArrowException, KeyError, OSError) as error:
        raise ShardError(f"{path} is damaged ({error}): run `earmark dataset` again") from None
    if found != stamp:
        raise ShardError(f"{path} does not belong to the dataset.json beside it: run `earmark dataset` again")
    return columns
