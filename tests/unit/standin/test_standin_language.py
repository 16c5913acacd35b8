"""The stand-in for pretrained weights: taught on training text alone, the same every time."""

import shutil
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from tiny import CONFIG, Runner, TinyRun

from earmark.config import SmallLLM
from earmark.data.batches import BatchPlan
from earmark.data.collect import EXCLUDED, training_rows
from earmark.io import read_json, read_parquet, write_json, write_parquet
from earmark.models.llm import build_small, load_llm
from earmark.models.speech_llm import splice, target_logits
from earmark.standin import language
from earmark.standin.language import Lesson, lesson_logits


def test_teaching_again_gives_the_same_files_on_one_machine(earmark: Runner, tiny_copy: TinyRun) -> None:
    names = ("model.safetensors", "tokenizer.json", "config.json")
    before = {name: (tiny_copy.paths.llm / name).read_bytes() for name in names}
    shutil.rmtree(tiny_copy.paths.llm)
    assert earmark("language", CONFIG)[0] == 0
    for name in names:
        assert (tiny_copy.paths.llm / name).read_bytes() == before[name], name


def test_only_training_transcripts_are_taught(tiny_run: TinyRun) -> None:
    _, tokenizer = load_llm(tiny_run.paths.llm)
    rows = [
        row
        for corpus in tiny_run.config.corpora
        for row in read_parquet(tiny_run.paths.manifest(corpus.name)).to_pylist()
        if row["status"] == "kept" and row["text"]
    ]
    unused = {
        row["id"]
        for corpus in tiny_run.config.corpora
        for row in read_parquet(tiny_run.paths.shards(corpus.name) / "aside.parquet").to_pylist()
    }
    assert "own-spoiled" in unused  # labelled, but in no shard: whether a test set has heard it is not known
    rows = [row for row in rows if row["id"] not in unused]
    train = {row["text"] for row in rows if row["split"] == "train"}
    done = read_json(tiny_run.paths.llm / "done.json")
    assert done["texts"] == len(train)
    assert (done["stand_in"], done["steps"], len(done["losses"])) == (True, 3, 3)
    known = set("".join(train) + tiny_run.config.prompt + "user assistant")
    for row in rows:
        ids = tokenizer.encode(row["text"], add_special_tokens=False)
        assert (tokenizer.unk_token_id in ids) == bool(set(row["text"]) - known - {" "}), row["text"]


def test_texts_of_rows_that_are_left_out_are_not_taught(earmark: Runner, tiny_copy: TinyRun) -> None:
    """A training row with the audio of a test set has the test set's words."""
    before = read_json(tiny_copy.paths.llm / "done.json")["texts"]
    row = next(training_rows(tiny_copy.config, ["corpus", "text"]))
    alike = [one["id"] for one in training_rows(tiny_copy.config, ["id", "text"]) if one["text"] == row["text"]]
    excluded = [{"id": key, "corpus": row["corpus"], "status": "audio of a test set"} for key in alike]
    write_parquet(tiny_copy.paths.excluded, pa.Table.from_pylist(excluded, schema=EXCLUDED))
    assert row["text"] not in {one["text"] for one in training_rows(tiny_copy.config, ["text"])}
    shutil.rmtree(tiny_copy.paths.llm)
    assert earmark("language", CONFIG)[0] == 0
    assert read_json(tiny_copy.paths.llm / "done.json")["texts"] == before - 1


def test_real_weights_are_pointed_to_not_copied(earmark: Runner, tiny_copy: TinyRun) -> None:
    values = read_json(tiny_copy.folder / "settings.json")
    real = tiny_copy.paths.llm.rename(tiny_copy.root / "qwen3")
    (real / "done.json").unlink()
    write_json(Path("real.yaml"), values | {"llm": "qwen3"})
    assert earmark("language", "real.yaml")[0] == 0
    assert [path.name for path in tiny_copy.paths.llm.iterdir()] == ["done.json"]
    done = read_json(tiny_copy.paths.llm / "done.json")
    assert (done["folder"], done["stand_in"], done["steps"]) == ("qwen3", False, 0)


def test_real_weights_that_are_not_there_are_named(earmark: Runner, tiny_copy: TinyRun) -> None:
    values = read_json(tiny_copy.folder / "settings.json")
    write_json(Path("real.yaml"), values | {"llm": "qwen3"})
    code, _, err = earmark("language", "real.yaml")
    assert code == 2
    assert "error: qwen3/config.json does not exist: llm must be a folder with a Qwen3 model" in err


def test_the_prompt_read_once_gives_what_it_gives_in_each_row() -> None:
    torch.manual_seed(3)
    model = build_small(SmallLLM(hidden_size=32, n_layers=2, n_heads=2), 50)
    prompt = (torch.tensor([7, 8, 9]), torch.tensor([4, 5]))
    lengths, targets = torch.tensor([2, 5, 3]), [[11, 12, 1], [13, 1], [14, 15, 16, 17, 1]]
    found = []
    for logits_of in (lesson_logits, lambda *given: target_logits(model, splice(*given))):
        speech = torch.randn(3, 5, 32, generator=torch.Generator().manual_seed(5)).requires_grad_()
        model.zero_grad()
        logits, labels = logits_of(model, prompt, speech, lengths, targets)
        torch.nn.functional.cross_entropy(logits, labels).backward()
        found.append((logits, labels, speech.grad, model.model.layers[0].self_attn.k_proj.weight.grad))
    assert found[0][1].tolist() == [11, 12, 1, 13, 1, 14, 15, 16, 17, 1]
    for once, each in zip(*found, strict=True):
        torch.testing.assert_close(once, each)
    assert found[0][2][0, 2:].abs().max() == 0  # beyond an utterance's end


def test_muon_has_the_matrices_and_adam_has_the_tables() -> None:
    model = build_small(SmallLLM(hidden_size=16, n_layers=2, n_heads=2), 30)
    heard = torch.nn.Embedding(7, 16)
    muon, adam = (
        [parameter for group in one.param_groups for parameter in group["params"]]
        for one in language._optimizers([model, heard], 1e-3)
    )
    assert len(muon) == 2 * 7
    assert all(parameter.ndim == 2 for parameter in muon)
    assert any(parameter is heard.weight for parameter in adam)
    assert any(parameter is model.get_input_embeddings().weight for parameter in adam)
    both = {id(parameter) for parameter in (*muon, *adam)}
    assert both == {id(parameter) for part in (model, heard) for parameter in part.parameters()}
    assert len(both) == len(muon) + len(adam)


def test_rare_words_are_taught_less_often_than_common_ones() -> None:
    lessons = [Lesson([3] * (1 + number % 3), [4] * (2 + number % 5), rare=number % 4 == 0) for number in range(4000)]
    order, strands = language._strands(lessons, language._positions(lessons, 3, 1.25))
    plan = BatchPlan(strands, 300, 1)
    taught = Counter(int(order[row]) for number in range(6 * plan.batches) for row in plan.rows(number))
    rare = sum(count for number, count in taught.items() if lessons[number].rare) / 1000
    common = sum(count for number, count in taught.items() if not lessons[number].rare) / 3000
    assert common == pytest.approx(6, abs=0.1)
    assert rare / common == pytest.approx(language.RARE, abs=0.05)
