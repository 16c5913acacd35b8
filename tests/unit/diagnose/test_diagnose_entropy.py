"""PAI is about phones, whatever the CTC head learns."""

from pathlib import Path

import numpy as np
import torch
import yaml
from tiny import SETTINGS, Runner, TinyRun

from earmark.data.dataset import Dataset
from earmark.diagnose.entropy import diagnosed_rows
from earmark.io import read_json, read_tensors
from earmark.metrics.entropy import bag_of_phones
from earmark.text.inventory import Inventory


def test_phones_of_the_shards_are_compared_with(tiny_run: TinyRun) -> None:
    inventory = Inventory.load()
    dataset = Dataset(tiny_run.paths.dataset, inventory)
    made, _ = read_tensors(tiny_run.folder / "entropy/embeddings.safetensors")
    rows = diagnosed_rows(dataset, 8)
    assert np.array_equal(made["rows"].numpy(), rows)
    batch = dataset.batch(rows)
    for bag, ids, length in zip(made["phones"], batch.phones, batch.phone_lengths, strict=True):
        assert torch.equal(bag, bag_of_phones(ids[:length], len(inventory)))


def test_with_characters_as_targets_the_information_is_still_about_phones(earmark: Runner, tiny_copy: TinyRun) -> None:
    Path("characters.yaml").write_text(yaml.safe_dump(SETTINGS | {"text": {"targets": "characters"}}))
    for corpus in ("spoken", "own"):
        assert earmark("label", "characters.yaml", corpus)[0] == 0
        assert earmark("shards", "characters.yaml", corpus)[0] == 0
    assert earmark("dataset", "characters.yaml")[0] == 0
    assert read_json(tiny_copy.paths.dataset)["phones"] > 8000
    snapshot, before = tiny_copy.paths.step("pretrain", 6) / "done.json", tiny_copy.paths.entropy("pretrain", 6)
    assert earmark("embeddings", "characters.yaml", "embeddings.safetensors")[0] == 0
    assert earmark("entropy", "characters.yaml", "embeddings.safetensors", snapshot, "entropy.json")[0] == 0
    # The same recordings and texts: the same phones, and so the same figures as with phones as targets.
    assert read_json("entropy.json") == read_json(before)


def test_embeddings_of_another_version_are_refused(earmark: Runner, tiny_copy: TinyRun) -> None:
    snapshot = tiny_copy.paths.step("pretrain", 6) / "done.json"
    weights = read_json(snapshot)["weights"]["encoder"]
    code, _, said = earmark("entropy", "tiny.yaml", weights, snapshot, "entropy.json")
    assert (code, "lacks embeddings, phones, rows: delete it" in said) == (2, True)
