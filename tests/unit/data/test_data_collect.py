"""Parts to dataset: every row accounted for, an index that training can map, nothing else touched."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tiny import SETTINGS, Runner, TinyRun

from earmark.config import Config, TestSet, parse
from earmark.data import collect as collecting
from earmark.data.collect import INDEX, collect, in_short
from earmark.data.dataset import Dataset
from earmark.data.moments import Moments
from earmark.data.shards import Example, write_shard
from earmark.errors import ConfigError, ShardError, UserError
from earmark.io import read_json, read_parquet, sha256, write_json
from earmark.paths import RunPaths
from earmark.text.inventory import Inventory
from earmark.text.phonemes import Phonemizer

INVENTORY = Inventory.load()
LABELS = Phonemizer().hash
Row = tuple[str, str, int, int]
"""Id, split, frames, audio."""


def configured(folder: Path, **parts: int) -> Config:
    """A run of own corpora with so many parts each."""
    corpora = [{"name": name, "reader": "folder", "path": "own", "parts": number} for name, number in parts.items()]
    return parse(SETTINGS | {"results": str(folder), "corpora": corpora, "evaluation": {"tests": []}})


def write_part(config: Config, corpus: str, part: int, shards: list[list[Row]], **reasons: int) -> None:
    """A part's folder as the shard stage leaves it; a frame's 80 bins hold the number of its audio."""
    folder, moments, found = RunPaths(config.folder).shards(corpus, part), Moments(80), []
    for number, rows in enumerate(shards):
        examples = []
        for key, split, frames, audio in rows:
            row = {"id": key, "corpus": corpus, "split": split, "language": "zh", "speaker": None, "text": f"字{key}"}
            features = np.full((frames, 80), audio, np.float16)
            if split == "train":
                moments.add(features)
            examples.append(Example(row, [1, 2], features, audio))
        path = folder / f"{corpus}-{part:04d}-{number:04d}.arrow"
        found.append(write_shard(path, examples, INVENTORY.hash, labels=LABELS).shard)
    kept = sum(map(len, shards))
    done: dict[str, Any] = {"corpus": corpus, "part": part, "inventory": INVENTORY.hash, "kept": kept}
    done["labels"] = LABELS
    done |= {"rows": kept + sum(reasons.values()), "rows_in": kept, "set_aside": 0, "reasons": reasons}
    done |= {"shards": [one for one in found if one["rows"]], "moments": moments.as_json()}
    write_json(folder / "done.json", done | {"manifest": f"{corpus}.parquet", "manifest_sha256": "0" * 64})


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Corpus a in two parts, b in one; b has a copy of a-2, and a test set whose audio a-4 is."""
    config = configured(tmp_path, a=2, b=1)
    write_part(config, "a", 0, [[("a-1", "train", 30, 1), ("a-2", "train", 20, 2)], [("a-3", "valid", 40, 3)]], short=3)
    write_part(config, "a", 1, [[("a-4", "train", 10, 4), ("a-5", "train", 25, 5)]], short=1, empty=2)
    write_part(config, "b", 0, [[("b-1", "train", 20, 2), ("b-2", "test_b", 10, 4), ("b-3", "train", 5, 6)], []])
    return config


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_rows_in_are_kept_and_set_aside_by_reason(config: Config) -> None:
    said = collect(config)
    assert said == read_json(RunPaths(config.folder).dataset)
    one, two = said["corpora"]["a"], said["corpora"]["b"]
    assert (one["rows"], one["kept"]) == (11, 4)
    assert one["set_aside"] == {"short": 4, "empty": 2, "audio of a test set": 1}
    assert (two["rows"], two["kept"], two["set_aside"]) == (3, 2, {"duplicate audio": 1})
    assert (one["excluded"], two["excluded"]) == ({"audio of a test set": 1}, {"duplicate audio": 1})
    assert [shard["part"] for shard in one["shards"]] == [0, 0, 1]
    assert in_short(said).startswith("14 rows = 6 kept + 8 set aside (2 of them in shards")
    left_out = read_parquet(RunPaths(config.folder).excluded).to_pylist()
    assert left_out == [
        {"id": "a-4", "corpus": "a", "status": "audio of a test set"},
        {"id": "b-1", "corpus": "b", "status": "duplicate audio"},
    ]


def test_index_has_training_by_corpus_and_length_then_the_rest(config: Config) -> None:
    said = collect(config)
    with pa.memory_map(str(RunPaths(config.folder).index)) as source:
        reader = pa.ipc.open_file(source)
        assert reader.num_record_batches == 1
        assert reader.schema.equals(INDEX)
        rows = [tuple(row.values()) for row in reader.read_all().to_pylist()]
    # shard (counted over all corpora), row, frames, split, corpus
    assert rows == [
        (0, 1, 20, 0, 0),
        (2, 1, 25, 0, 0),
        (0, 0, 30, 0, 0),
        (3, 2, 5, 0, 1),
        (1, 0, 40, 1, 0),
        (3, 1, 10, 2, 1),
    ]
    assert said["splits"] == ["train", "valid", "test_b"]
    assert said["bounds"]["train"] == {
        "a": {"start": 0, "rows": 3, "frames": 75},
        "b": {"start": 3, "rows": 1, "frames": 5},
    }


def test_dataset_finds_every_row(config: Config) -> None:
    collect(config)
    dataset = Dataset(RunPaths(config.folder).dataset, INVENTORY)
    found = {name: [one.id for one in dataset.labels(dataset.split(name))] for name in dataset.splits}
    assert found == {"train": ["a-2", "a-5", "a-1", "b-3"], "valid": ["a-3"], "test_b": ["b-2"]}
    batch = dataset.batch(dataset.split("train"))
    back = batch.features[:, 0, 0].numpy() * dataset.normalisation.deviation[0] + dataset.normalisation.mean[0]
    np.testing.assert_allclose(back, [2, 5, 1, 6], rtol=1e-3)


def test_mean_and_deviation_are_of_the_training_rows_of_all_shards(config: Config) -> None:
    said = collect(config)
    frames = np.repeat([1.0, 2, 4, 5, 2, 6], [30, 20, 10, 25, 20, 5])
    np.testing.assert_allclose(said["mean"], np.full(80, frames.mean()), rtol=1e-9)
    np.testing.assert_allclose(said["deviation"], np.full(80, frames.std()), rtol=1e-6)


def test_levels_are_of_the_training_rows_of_all_shards(config: Config) -> None:
    level = collect(config)["level"]
    found = np.array([1.0, 2, 4, 5, 2, 6]) * 10 / np.log(10)  # a row each, however long
    assert level == {"mean": pytest.approx(found.mean()), "deviation": pytest.approx(found.std())}


def test_shards_of_before_levels_were_taken_are_named(config: Config) -> None:
    path = RunPaths(config.folder).shards("b", 0) / "done.json"
    done = read_json(path)
    del done["moments"]["level"]
    write_json(path, done)
    with pytest.raises(ShardError, match="earlier version, which took no levels: build the shards again"):
        collect(config)


def with_cmvn(config: Config, path: Path) -> Config:
    return config.model_copy(update={"encoder": config.encoder.model_copy(update={"cmvn": path})})


def test_mean_and_deviation_can_be_those_of_imported_weights(config: Config, tmp_path: Path) -> None:
    given = {"mean": [10.0 + number for number in range(80)], "deviation": [3.0] * 80}
    write_json(tmp_path / "cmvn.json", given)
    said = collect(with_cmvn(config, tmp_path / "cmvn.json"))
    assert {name: said[name] for name in given} == given
    dataset = Dataset(RunPaths(config.folder).dataset, INVENTORY)
    batch = dataset.batch(dataset.split("valid"))
    assert batch.features[0, 0, :2].tolist() == pytest.approx([(3 - 10) / 3, (3 - 11) / 3])
    # Another run's dataset.json says the same.
    assert collect(with_cmvn(config, RunPaths(config.folder).dataset))["mean"] == given["mean"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mean": [0.0] * 80}, "has no mean and deviation"),
        ([1, 2], "has no mean and deviation"),
        ({"mean": [0.0] * 40, "deviation": [1.0] * 40}, "positive deviation for 80 mel bins"),
        ({"mean": [0.0] * 80, "deviation": [0.0] * 80}, "positive deviation for 80 mel bins"),
        ({"mean": ["a"] * 80, "deviation": [1.0] * 80}, "has no mean and deviation"),
    ],
)
def test_other_files_give_no_mean_and_deviation(config: Config, tmp_path: Path, given: Any, said: str) -> None:
    write_json(tmp_path / "cmvn.json", given)
    with pytest.raises(UserError, match=said):
        collect(with_cmvn(config, tmp_path / "cmvn.json"))


def test_the_same_bytes_again_and_no_shard_is_touched_on_one_machine(config: Config) -> None:
    collect(config)
    first = contents(config.folder / "shards")
    collect(config)
    assert contents(config.folder / "shards") == first


def test_a_further_corpus_changes_no_shard(tmp_path: Path, config: Config) -> None:
    collect(config)
    before = contents(config.folder / "shards")
    more = configured(tmp_path, a=2, b=1, c=1)
    write_part(more, "c", 0, [[("c-1", "train", 8, 9), ("c-2", "test_c", 8, 5)]])
    said = collect(more)
    after = contents(more.folder / "shards")
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"dataset.json", "index.arrow", "excluded.parquet"}
    assert said["corpora"]["a"]["excluded"] == {"audio of a test set": 2}


def test_a_row_that_was_lost_is_an_error(config: Config) -> None:
    path = RunPaths(config.folder).shards_done("a", 1)
    done = read_json(path)
    write_json(path, done | {"rows": 6})
    with pytest.raises(ShardError, match=r"6 rows in, 2 kept, .* set aside: a row was lost"):
        collect(config)
    write_json(path, done | {"rows": 6, "kept": 3})
    with pytest.raises(ShardError, match="12 rows in, 4 kept, 7 set aside: a row was lost"):
        collect(config)


def test_parts_that_are_not_whole_or_not_ours_are_named(config: Config) -> None:
    path = RunPaths(config.folder).shards_done("a", 1)
    done = read_json(path)
    write_json(path, done | {"inventory": "another"})
    with pytest.raises(ShardError, match=r"part_0001 was labelled with inventory another, this run has"):
        collect(config)
    write_json(path, done | {"labels": "another"})
    with pytest.raises(ShardError, match=r"part_0001 has labels of kind another, this run has .*label the corpus"):
        collect(config)
    write_json(path, done)
    index = path.parent / "a-0001-0000.parquet"
    index.write_bytes(index.read_bytes()[:-50])
    with pytest.raises(UserError, match=r"a-0001-0000\.parquet.*earmark verify"):
        collect(config)
    index.unlink()
    with pytest.raises(UserError, match=r"a-0001-0000\.parquet does not exist"):
        collect(config)
    path.unlink()
    with pytest.raises(UserError, match=r"part_0001/done\.json does not exist"):
        collect(config)
    assert not RunPaths(config.folder).dataset.exists()
    assert not list((config.folder / "shards").glob(".*")), "nothing temporary is left"


def test_no_training_utterance_is_an_error(tmp_path: Path) -> None:
    config = configured(tmp_path, a=1, b=1)
    write_part(config, "a", 0, [[("a-1", "valid", 30, 1)]])
    write_part(config, "b", 0, [])
    with pytest.raises(ShardError, match="no training utterance was kept"):
        collect(config)
    write_part(config, "b", 0, [[("b-1", "train", 30, 2), ("b-2", "test_b", 30, 2)]])
    with pytest.raises(ShardError, match=r"every training utterance is left out; see .*excluded\.parquet"):
        collect(config)


def test_a_test_set_without_utterances_is_an_error(config: Config) -> None:
    def tested(**values: object) -> Config:
        test = TestSet.model_validate({"name": "test_b", "measure": "cer", "scenario": "Mandarin"} | values)
        return config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"tests": [test]})})

    for values in ({"name": "test_c"}, {"of": "test_c", "noise_db": 10.0}):
        with pytest.raises(
            ConfigError, match=r"is of split test_c, of which .* there are train, valid, test_b: correct"
        ):
            collect(tested(**values))
    assert not RunPaths(config.folder).dataset.exists()
    assert "test_b" in collect(tested())["splits"]
    collect(tested(name="test_c", of="test_b", noise_db=10.0))


def test_many_rows_in_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is written in pieces; what exceeds the bound goes to disk."""
    monkeypatch.setattr(collecting, "_ROWS_AT_A_TIME", 64)
    config = configured(tmp_path, a=1)
    rows = [(f"a-{number}", "train", 1 + number * 37 % 50, number) for number in range(700)]
    write_part(config, "a", 0, [rows[:300], rows[300:]])
    collect(config)
    dataset = Dataset(RunPaths(config.folder).dataset, INVENTORY)
    drawn = [one.id for one in dataset.labels(dataset.split("train"))]
    assert sorted(drawn) == sorted(row[0] for row in rows)
    assert (np.diff(dataset.frames(dataset.split("train"))) >= 0).all()


def test_verb_says_what_became_of_the_rows(earmark: Runner, tiny_copy: TinyRun) -> None:
    before = sha256(tiny_copy.paths.dataset)
    code, out, _ = earmark("dataset", "tiny.yaml")
    assert (code, sha256(tiny_copy.paths.dataset)) == (0, before)
    assert out.startswith("28 rows = 22 kept + 6 set aside (0 of them in shards")


def test_account_of_a_run(tiny_run: TinyRun) -> None:
    account = read_json(tiny_run.paths.dataset)["corpora"]
    assert account["spoken"]["rows"] == account["spoken"]["kept"] == 20
    assert (account["own"]["rows"], account["own"]["kept"]) == (8, 2)
    assert account["own"]["set_aside"] == {
        "undecodable audio": 2,
        "duplicate id": 1,
        "empty text": 1,
        "missing audio": 1,
        "too short": 1,
    }
