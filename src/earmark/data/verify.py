"""Shards against their checksums, one by one or a whole run; damaged ones are rebuilt alone."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from earmark.config import Config
from earmark.data.build import build_shards, parts_of
from earmark.data.shards import REMEDY, verify
from earmark.errors import ShardError, UserError
from earmark.io import read_json


class Fault(NamedTuple):
    """A shard that is damaged or missing."""

    path: Path
    message: str

    def __str__(self) -> str:
        return " ".join(self.message.split())


def damaged(places: Sequence[Path], say: Callable[[str], object]) -> list[Fault]:
    """Shards that are damaged, missing, or not those that `done.json` lists; `say` gets a line for each good one.

    :param places: shards, or folders: all shards below them are meant.
    :raises UserError: a folder holds no finished part.
    """
    found = []
    for path, stated in (pair for place in places for pair in _listed(place)):
        try:
            checksum = verify(path).shard["sha256"]
            if stated not in (None, checksum):
                raise ShardError(f"{path} is not the shard that done.json lists: {REMEDY}")
            say(f"{path} {checksum}")
        except UserError as error:
            found.append(Fault(path, str(error)))
    return found


def _listed(place: Path) -> Iterator[tuple[Path, str | None]]:
    """Shards and the checksums that their parts' markers state."""
    if not place.is_dir():
        yield place, None
        return
    markers = [path for path in sorted(place.rglob("done.json")) if path.parent.name.startswith("part_")]
    if not markers:
        raise UserError(
            f"{place} holds no finished shards: name shards, or the folder of a run such as results/default"
        )
    for marker in markers:
        for shard in read_json(marker)["shards"]:
            yield marker.parent / shard["shard"], shard["sha256"]


def rebuild(config: Config, faults: list[Fault], workers: int, say: Callable[[str], object]) -> list[Fault]:
    """Rebuild damaged shards; faults that could not be mended are returned.

    A shard gets the bytes that it had, as long as labels and recordings are what they were, and `done.json` stays.
    """
    left = {fault.path.resolve(): fault for fault in faults}
    for corpus in config.corpora:
        for part in parts_of(config, corpus, workers):
            ours = [path for path in left if path.parent == part.folder.resolve()]
            if not ours:
                continue
            marker = config.paths.shards_done(corpus.name, part.number)
            before = read_json(marker)
            if build_shards(part) != before:
                raise ShardError(
                    f"{part.folder}: labels, recordings or settings are not what its shards were made of; it was built "
                    "anew: run the workflow again"
                )
            for path in ours:
                say(f"{left.pop(path).path} rebuilt")
    return list(left.values())
