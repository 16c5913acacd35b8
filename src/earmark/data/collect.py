"""All parts' shards -> what training sees of them: `dataset.json`, the index, and who is left out.

    shards/dataset.json       inventory, mean and deviation, accounts and shards of the corpora, bounds in the index
    shards/index.arrow        a row an utterance: shard, row, frames, split, corpus; mapped into memory, 15 bytes each
    shards/excluded.parquet   rows in shards that are left out, with the reason (see earmark.data.overlap)

The index holds training first, by corpus and, within it, by length, as the batch plan needs it; then the other splits
in the order of the shards. DuckDB sorts and joins within a bound of memory, with the rest in a folder beside the index.
Mean and deviation are of all training rows in shards: leaving out a few does not change what training sees of others.
"""

import collections
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from earmark.audio.level import Level
from earmark.config import Config
from earmark.config.variants import require_tests
from earmark.data.labels import phonemizer
from earmark.data.manifest import kept_rows, ranked
from earmark.data.moments import summed
from earmark.data.overlap import STATEMENTS, find
from earmark.data.steps import Steps, require_space, steps
from earmark.errors import ShardError, UserError
from earmark.io import digest, parquet_writer, read_json, read_parquet, replacing, scratch_folder, write_json
from earmark.text.inventory import Inventory

if TYPE_CHECKING:
    import duckdb

INDEX = pa.schema(
    [
        ("shard", pa.int32()),  # number of the shard, counted over the corpora of dataset.json
        ("row", pa.int32()),  # in the shard
        ("frames", pa.int32()),
        ("split", pa.int8()),  # number of the split in dataset.json
        ("corpus", pa.int16()),  # number of the corpus in dataset.json
    ]
)
"""Columns of the index; its schema's metadata carry the `digest` of dataset.json."""
EXCLUDED = pa.schema([("id", pa.string()), ("corpus", pa.string()), ("status", pa.string())])
TRAIN = "train"
ASIDE = "aside.parquet"
"""Of a part: rows whose audio turned out unusable."""
WORK = ".collect"
"""Folder beside the index in which tables lie while they are needed: what a killed process made is gone on with."""
DISK_A_ROW = 200
"""Bytes that the tables, and what is sorted outside of memory, take at most for a row (bench/bench_scale.py)."""
_ROWS_AT_A_TIME = 1 << 20
_LOADED = (
    "SELECT id, corpus, split, speaker, row, frames, audio_hash, shard_number, corpus_number "
    "FROM read_parquet(?, hive_partitioning = false) JOIN shards USING (corpus, shard)"
)
_KEPT = (
    "SELECT corpus, split, shard_number, row, frames, corpus_number FROM rows "
    "ANTI JOIN excluded USING (shard_number, row)"
)


class Piece(NamedTuple):
    """A part of a corpus with what its done.json says."""

    corpus: str
    part: int
    folder: Path
    done: dict[str, Any]


def pieces_of(config: Config, inventory: Inventory) -> list[Piece]:
    """All parts of all corpora, in their order.

    :raises UserError: a part is not finished. :raises ShardError: it has other labels than this run.
    """
    paths, found, kind = config.paths, [], phonemizer(config.text).hash
    for corpus in config.corpora:
        for part in range(corpus.parts):
            done = read_json(paths.shards_done(corpus.name, part))
            if done["inventory"] != inventory.hash:
                raise ShardError(
                    f"{paths.shards(corpus.name, part)} was labelled with inventory {done['inventory']}, this run has "
                    f"{inventory.hash}: build the shards again"
                )
            if done.get("labels") != kind:
                raise ShardError(
                    f"{paths.shards(corpus.name, part)} has labels of kind {done.get('labels')}, this run has {kind} "
                    "(lexicon, stress or rules differ): label the corpus and build its shards again"
                )
            if "level" not in done["moments"]:
                raise ShardError(
                    f"{paths.shards(corpus.name, part)} was made by an earlier version, which took no levels: build "
                    "the shards again"
                )
            if done["rows"] != done["kept"] + sum(done["reasons"].values()):
                raise ShardError(
                    f"{paths.shards(corpus.name, part)}: {done['rows']} rows in, {done['kept']} kept, "
                    f"{done['reasons']} set aside: a row was lost; delete its done.json, build again"
                )
            found.append(Piece(corpus.name, part, paths.shards(corpus.name, part), done))
    return found


def collect(config: Config) -> dict[str, Any]:
    """`earmark dataset`: write the three files, dataset.json last; what that says.

    :raises ShardError: no training utterance was kept, or the shards hold other rows than their parts say.
    :raises ConfigError: a test set has no utterance.
    """
    inventory, paths = Inventory.from_settings(config.text), config.paths
    pieces = pieces_of(config, inventory)
    given = config.encoder.cmvn
    mean, deviation = _normalisation(pieces, paths.dataset)
    if given:
        mean, deviation = _read_normalisation(given, len(mean))
    rows = sum(piece.done["kept"] for piece in pieces)
    require_space(paths.dataset.parent, DISK_A_ROW * rows, f"collecting {rows:,} rows")
    with steps(paths.dataset.parent / WORK, _made_of(config, pieces)) as work:
        _load(work, pieces, config.corpora)
        find(work, [corpus.name for corpus in config.corpora if corpus.shared_speakers])
        work.make("kept", _KEPT)
        _write_excluded(work.connection, paths.excluded)
        splits, bounds = _lay_out(work.connection)
        described: dict[str, Any] = {
            "inventory": inventory.hash,
            "labels": pieces[0].done["labels"],
            "phones": len(inventory),
            "mean": mean,
            "deviation": deviation,
            "level": _level(pieces)._asdict(),
            "splits": splits,
            "corpora": _accounts(pieces, work.connection),
        }
        if not bounds.get(TRAIN):
            raise ShardError(f"{paths.dataset}: every training utterance is left out; see {paths.excluded}")
        require_tests(config, list(bounds))
        described |= {"bounds": bounds, "digest": digest(described, bounds)}
        _write_index(work.connection, paths.index, described["digest"])
    write_json(paths.dataset, described)
    return described


def training_rows(config: Config, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Labelled rows of training, streamed, without those that are left out: their texts may be those of a test set.

    Left out is what the dataset excludes, and what is in no shard because its audio could not be used: whether a test
    set has heard that is not known. An id is unique within its corpus only.

    :raises UserError: the dataset has not been collected.
    """
    paths = config.paths
    listed = read_parquet(paths.excluded, ["corpus", "id"]).to_pylist()
    excluded = {(row["corpus"], row["id"]) for row in listed}
    for corpus in config.corpora:
        for part in range(corpus.parts):
            unused = set(read_parquet(paths.shards(corpus.name, part) / ASIDE, ["id"])["id"].to_pylist())
            for row in kept_rows([paths.manifest(corpus.name, part)], TRAIN, list(dict.fromkeys([*columns, "id"]))):
                if (corpus.name, row["id"]) not in excluded and row["id"] not in unused:
                    yield {name: row[name] for name in columns}


def in_short(described: dict[str, Any]) -> str:
    """What was collected, in a line for the terminal."""
    rows, kept = (sum(one[key] for one in described["corpora"].values()) for key in ("rows", "kept"))
    left_out = sum(sum(one["excluded"].values()) for one in described["corpora"].values())
    hours = sum(one["frames"] for one in described["bounds"][TRAIN].values()) / 360_000
    return (
        f"{rows:,} rows = {kept:,} kept + {rows - kept:,} set aside ({left_out:,} of them in shards: duplicates, or "
        f"heard by a test set); training has {hours:,.2f} h"
    )


def _normalisation(pieces: list[Piece], path: Path) -> tuple[list[float], list[float]]:
    """Mean and deviation a mel bin, over the training rows of all shards."""
    moments = [piece.done["moments"] for piece in pieces]
    frames = sum(one["frames"] for one in moments)
    if frames == 0:
        raise ShardError(f"{path}: no training utterance was kept; see the column status of the labelled manifests")
    bins = len(moments[0]["total"])
    total, squares = (np.array(summed([one[name] for one in moments], bins)) for name in ("total", "squares"))
    mean = total / frames
    return mean.tolist(), np.sqrt(np.maximum(squares / frames - mean**2, 1e-8)).tolist()


def _level(pieces: list[Piece]) -> Level:
    """Mean and deviation of the levels of the training utterances in all shards."""
    moments = [piece.done["moments"] for piece in pieces]
    count, total, squares = (sum(one[name] for one in moments) for name in ("utterances", "level", "level_squares"))
    mean = total / count
    return Level(mean, max(0.0, squares / count - mean**2) ** 0.5)


def _read_normalisation(path: Path, bins: int) -> tuple[list[float], list[float]]:
    """Mean and deviation of a file: those that the encoder's initial weights were trained with."""
    described = read_json(path)
    try:
        mean, deviation = (np.array(described[name], dtype=np.float64) for name in ("mean", "deviation"))
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{path} has no mean and deviation: encoder.cmvn is a cmvn.json or a dataset.json") from None
    if mean.shape != (bins,) or deviation.shape != (bins,) or not (np.isfinite(mean) & (deviation > 0)).all():
        raise UserError(f"{path} has no mean and positive deviation for {bins} mel bins: see encoder.cmvn")
    return mean.tolist(), deviation.tolist()


def _made_of(config: Config, pieces: list[Piece]) -> str:
    """Hash of what the tables depend on: the parts, in their order, and the rules."""
    parts = [(piece.corpus, piece.part, digest(piece.done)) for piece in pieces]
    sharing = [corpus.name for corpus in config.corpora if corpus.shared_speakers]
    return digest(parts, sharing, STATEMENTS, _KEPT, _LOADED)


def _load(work: Steps, pieces: list[Piece], corpora: list[Any]) -> None:
    """The table `rows`: the shards' indexes with the numbers of shard and corpus."""
    numbers = {corpus.name: number for number, corpus in enumerate(corpora)}
    shards = [(piece, shard) for piece in pieces for shard in piece.done["shards"]]
    listed = [
        {
            "corpus": piece.corpus,
            "shard": shard["shard"],
            "shard_number": number,
            "corpus_number": numbers[piece.corpus],
        }
        for number, (piece, shard) in enumerate(shards)
    ]
    work.connection.register("listed", pa.Table.from_pylist(listed))
    work.make("shards", "FROM listed")
    files = [str((piece.folder / shard["shard"]).with_suffix(".parquet").resolve()) for piece, shard in shards]
    for path in files:
        if not Path(path).is_file():
            raise UserError(f"{path} does not exist: build the shards again")
    # Read once: what follows goes over the rows several times.
    work.make("rows", _LOADED, files)


def _write_excluded(connection: "duckdb.DuckDBPyConnection", path: Path) -> None:
    """Who is left out, streamed: of a large corpus it may be millions."""
    result = connection.sql("SELECT id, corpus, status FROM excluded ORDER BY shard_number, row")
    with parquet_writer(path, EXCLUDED) as writer:
        for batch in result.to_arrow_reader(_ROWS_AT_A_TIME):
            writer.write_batch(batch.cast(EXCLUDED))


def _lay_out(connection: "duckdb.DuckDBPyConnection") -> tuple[list[str], dict[str, dict[str, dict[str, int]]]]:
    """Names of the splits in their order, and {split: {corpus: {start, rows, frames}}} of the index."""
    counted = connection.execute(
        "SELECT split, corpus, count(*), sum(frames)::BIGINT FROM kept GROUP BY split, corpus, corpus_number "
        f"ORDER BY split <> '{TRAIN}', split <> 'valid', split, corpus_number"
    ).fetchall()
    bounds: dict[str, dict[str, dict[str, int]]] = {}
    start = 0
    for split, corpus, rows, frames in counted:
        bounds.setdefault(split, {})[corpus] = {"start": start, "rows": rows, "frames": frames}
        start += rows
    return list(bounds), bounds


def _write_index(connection: "duckdb.DuckDBPyConnection", path: Path, stamp: str) -> None:
    """Write the index as one record batch, whole or not at all: its columns are then arrays in the file."""
    # All rows are fetched: DuckDB refuses another statement while a result has rows left.
    [(rows,)] = connection.execute("SELECT count(*) FROM kept").fetchall()
    result = connection.sql(
        "SELECT shard_number, row, frames, number, corpus_number FROM kept JOIN "
        f"(SELECT split, row_number() OVER (ORDER BY split <> '{TRAIN}', split <> 'valid', split) - 1 AS number "
        "FROM (SELECT DISTINCT split FROM kept)) USING (split) "
        f"ORDER BY number, corpus_number, CASE split WHEN '{TRAIN}' THEN frames END, shard_number, row"
    )
    with scratch_folder(path.parent, "index") as folder:
        columns = [
            np.memmap(f"{folder}/{field.name}", field.type.to_pandas_dtype(), "w+", shape=(max(rows, 1),))
            for field in INDEX
        ]
        at = 0
        reader: pa.RecordBatchReader = result.to_arrow_reader(_ROWS_AT_A_TIME)
        for batch in reader:
            for column, values in zip(columns, batch.columns, strict=True):
                column[at : at + len(batch)] = values.to_numpy(zero_copy_only=False)
            at += len(batch)
        arrays = [pa.array(column[:rows], field.type) for column, field in zip(columns, INDEX, strict=True)]
        schema = INDEX.with_metadata({"digest": stamp})
        with (
            replacing(path) as temporary,
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, schema) as writer,
        ):
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _accounts(pieces: list[Piece], connection: "duckdb.DuckDBPyConnection") -> dict[str, Any]:
    """What became of every row of a corpus: rows in = kept + set aside, by reason."""
    held = dict(connection.execute("SELECT corpus, count(*) FROM kept GROUP BY corpus").fetchall())
    left_out = connection.execute("SELECT corpus, status, count(*) FROM excluded GROUP BY ALL").fetchall()
    accounts: dict[str, Any] = {}
    for name in dict.fromkeys(piece.corpus for piece in pieces):
        mine = [piece for piece in pieces if piece.corpus == name]
        excluded = ranked({status: number for corpus, status, number in left_out if corpus == name})
        reasons: collections.Counter[str] = collections.Counter(excluded)
        for piece in mine:
            reasons.update(piece.done["reasons"])
        rows, kept = sum(piece.done["rows"] for piece in mine), held.get(name, 0)
        if rows != kept + reasons.total():
            raise ShardError(
                f"{mine[0].folder.parent}: {rows} rows in, {kept} kept, {reasons.total()} set aside: a row was lost; "
                "see earmark verify"
            )
        accounts[name] = {
            "rows": rows,
            "kept": kept,
            "set_aside": ranked(reasons),
            "excluded": excluded,
            "manifests": [{key: piece.done[key] for key in ("part", "manifest", "manifest_sha256")} for piece in mine],
            "shards": [{"part": piece.part} | shard for piece in mine for shard in piece.done["shards"]],
        }
    return accounts
