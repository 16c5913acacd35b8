"""Shards against their checksums, one by one or a whole run; damaged ones are rebuilt alone."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from earmark.config import Config
from earmark.data.build import build_shards, parts_of
from earmark.data.shards import REMEDY, verify
from earmark.errors import ShardError, UserError
from earmark.io import read_json

MARKER = "done.json"
_NAME = "name shards, or the folder of a run such as results/default"


class Fault(NamedTuple):
    """A shard or a part's `done.json` that is damaged or missing, or a place without any."""

    path: Path
    message: str

    def __str__(self) -> str:
        return " ".join(self.message.split())


class Shards(NamedTuple):
    """Shards of a place, each with the checksum that its part's marker states, and what was amiss on the way."""

    listed: list[tuple[Path, str | None]]
    faults: list[Fault]


def damaged(places: Sequence[Path], say: Callable[[str], object]) -> list[Fault]:
    """Every fault in `places`; `say` gets a line for each good shard.

    A shard is at fault when it is damaged, missing, or not the one that `done.json` lists; so is a part whose
    `done.json` is missing or damaged, and a place that is absent or holds no part.

    :param places: shards, or folders: all shards below them are meant.
    """
    found = []
    for shards in map(_shards, places):
        found += shards.faults
        for path, stated in shards.listed:
            try:
                checksum = verify(path).shard["sha256"]
                if stated not in (None, checksum):
                    raise ShardError(f"{path} is not the shard that done.json lists: {REMEDY}")
                say(f"{path} {checksum}")
            except UserError as error:
                found.append(Fault(path, str(error)))
    return found


def _shards(place: Path) -> Shards:
    """Shards at a place; those of a part whose marker cannot be read are found by their names."""
    if not place.is_dir():
        # A shard whose notes are there is a lost one, not a mistyped one.
        if place.exists() or place.with_suffix(".json").is_file():
            return Shards([(place, None)], [])
        return Shards([], [Fault(place, f"{place} does not exist: {_NAME}")])
    named = sorted(path for path in (place, *place.rglob("part_*")) if path.name.startswith("part_"))
    parts = [path for path in named if path.is_dir()]
    if not parts:
        return Shards([], [Fault(place, f"{place} holds no finished shards: {_NAME}")])
    found = Shards([], [])
    for part in parts:
        try:
            found.listed.extend(_marked(part / MARKER))
        except UserError as error:
            found.faults.append(Fault(part / MARKER, str(error)))
            found.listed.extend((path, None) for path in sorted(part.glob("*.arrow")))
    return found


def _marked(marker: Path) -> list[tuple[Path, str | None]]:
    """Shards and checksums that a part's marker states.

    :raises UserError: it is missing or damaged.
    """
    if not marker.is_file():
        raise ShardError(f"{marker} does not exist, the part is not finished: run the workflow again")
    done = read_json(marker)
    listed = done.get("shards") if isinstance(done, dict) else None
    if not isinstance(listed, list) or not all(map(_is_stated, listed)):
        raise ShardError(f"{marker} is damaged (it does not list shards with their checksums): {REMEDY}")
    return [(marker.parent / shard["shard"], shard["sha256"]) for shard in listed]


def _is_stated(shard: Any) -> bool:
    return isinstance(shard, dict) and all(isinstance(shard.get(key), str) for key in ("shard", "sha256"))


def rebuild(config: Config, faults: list[Fault], workers: int, say: Callable[[str], object]) -> list[Fault]:
    """Rebuild damaged shards and markers; faults that could not be mended are returned.

    A shard gets the bytes that it had, as long as labels and recordings are what they were, and `done.json` stays,
    unless that is at fault itself.

    :raises ShardError: labels, recordings or settings are other ones, by what `done.json` says.
    """
    left = {fault.path.resolve(): fault for fault in faults}
    for corpus in config.corpora:
        for part in parts_of(config, corpus, workers):
            ours = [path for path in left if path.parent == part.folder.resolve()]
            if not ours:
                continue
            marker = config.paths.shards_done(corpus.name, part.number)
            lost = marker.resolve() in ours
            before = None if lost else read_json(marker)
            if build_shards(part) != before and not lost:
                raise ShardError(
                    f"{part.folder}: labels, recordings or settings are not what its shards were made of; it was built "
                    "anew: run the workflow again"
                )
            for path in ours:
                say(f"{left.pop(path).path} rebuilt")
    return list(left.values())
