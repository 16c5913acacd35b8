"""PAI is about phones, whatever the CTC head learns."""

from pathlib import Path

import numpy as np
import pytest
import qwen3_like
import torch
import yaml
from tiny import SETTINGS, Runner, TinyRun

from earmark.data.dataset import Batch, Dataset
from earmark.diagnose import entropy
from earmark.diagnose.entropy import diagnosed_rows, token_means
from earmark.errors import CheckpointError
from earmark.io import read_json, read_tensors
from earmark.metrics.entropy import bag_of_phones
from earmark.models.build import load_weights
from earmark.models.llm import input_embeddings, load_llm
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


def test_utterances_without_words_are_not_diagnosed(tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_run.root)
    dataset = Dataset(tiny_run.paths.dataset, Inventory.load())
    rows, bags = entropy._phones(tiny_run.config, dataset)
    read = Dataset.batch

    def batch(self: Dataset, rows: np.ndarray) -> Batch:
        made = read(self, rows)
        made.phone_lengths[0] = 0
        return made

    monkeypatch.setattr(Dataset, "batch", batch)
    others, fewer = entropy._phones(tiny_run.config, dataset)
    assert others.tolist() == rows[1:].tolist() and torch.equal(fewer, bags[1:])


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


@pytest.mark.parametrize(("instance", "step"), [("pretrain", 6), ("joint", 4)])
def test_text_is_the_mean_of_the_llm_s_own_input_embeddings(
    tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch, instance: str, step: int
) -> None:
    """Of the checkpoint's LLM; of pretraining, of the one that post-training begins with (Eq. 10, section 4.4)."""
    monkeypatch.chdir(tiny_run.root)
    described = read_json(tiny_run.paths.step(instance, step) / "done.json")
    model, tokenizer = load_llm(tiny_run.paths.llm)
    if instance == "joint":
        load_weights(model, described["weights"]["llm"])
    text = "打开空调 play"
    ids = torch.tensor(tokenizer.encode(text, add_special_tokens=False))
    right = model.get_input_embeddings()(ids).mean(dim=0)
    (found,) = token_means(tiny_run.config, described, [text])
    assert torch.allclose(found, right, atol=1e-6)


def test_layers_are_compared_with_tokens_and_with_sentences(tiny_run: TinyRun) -> None:
    found = read_json(tiny_run.paths.entropy("joint", 4))
    assert found["layerwise_cka"].keys() == found["layerwise_cka_sentence"].keys()
    assert found["layerwise_cka"] != found["layerwise_cka_sentence"]


@pytest.mark.parametrize("shards", [True, False])
def test_the_matrix_of_a_published_folder_is_read_alone(tmp_path: Path, shards: bool) -> None:
    written = qwen3_like.write(tmp_path, tied=True, shards=shards)
    assert torch.equal(input_embeddings(tmp_path), written.get_input_embeddings().weight.float())
    with pytest.raises(CheckpointError, match=r"has no model\.embed_tokens\.weight"):
        input_embeddings(tmp_path / "nowhere")
