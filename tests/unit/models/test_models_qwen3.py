"""A folder in Qwen3's published format: used as it is, or refused by the name of the file at fault."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import qwen3_like
import torch
import yaml
from safetensors.torch import load_file, save_file
from tiny import SETTINGS, Runner, TinyRun
from transformers import Qwen3ForCausalLM, utils

from earmark.decode.search import beam, greedy
from earmark.errors import CheckpointError
from earmark.io import read_json
from earmark.models.build import compose
from earmark.models.llm import SPEECH, attention, load_llm, prompt_ids, prompt_text
from earmark.standin.language import prepare
from earmark.text.inventory import Inventory
from earmark.train.place import Place
from earmark.train.state import initialise

PROMPT = "Transcribe the speech into text."
INDEX = "model.safetensors.index.json"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four shards, tied."""
    folder = tmp_path_factory.mktemp("qwen3")
    qwen3_like.write(folder)
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    for path in published.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(change(values) or values), encoding="utf-8")


# ---------------------------------------------------------------------------- as it is


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shards", [True, False])
def test_weights_and_outputs_are_those_that_were_written_on_one_machine(
    tmp_path: Path, tied: bool, shards: bool
) -> None:
    written = qwen3_like.write(tmp_path, tied, shards)
    assert (len(list(tmp_path.glob("model-*-of-*.safetensors"))) > 1) == (tmp_path / INDEX).exists() == shards
    model, tokenizer = load_llm(tmp_path)
    assert {one.dtype for one in model.parameters()} == {torch.float32}
    for name, tensor in written.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor.float()), name
    assert (model.lm_head.weight is model.get_input_embeddings().weight) == tied
    ids = torch.tensor([tokenizer.encode("打开 the kitchen")])
    again = Qwen3ForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    with torch.no_grad():
        assert torch.equal(model(ids).logits, again(ids).logits)


def test_speech_takes_a_free_row_and_the_matrix_stays(published: Path) -> None:
    model, tokenizer = load_llm(published)
    before = qwen3_like.tokenizer()
    assert SPEECH not in before.get_vocab()
    assert tokenizer.convert_tokens_to_ids(SPEECH) == len(before) < qwen3_like.PADDED
    assert model.get_input_embeddings().num_embeddings == model.config.vocab_size == qwen3_like.PADDED
    assert tokenizer.encode(f"a{SPEECH}b", add_special_tokens=False).count(len(before)) == 1


def test_rotary_frequencies_stay_exact_in_bfloat16(published: Path) -> None:
    """The engine casts modules with their buffers; angles of later positions would be others."""
    model, _ = load_llm(published)
    exact = model.model.rotary_emb.inv_freq.clone()
    rotary = model.to(torch.bfloat16).model.rotary_emb
    cosine, _ = rotary(torch.zeros(1, 1, 32), torch.tensor([[1000]]))
    torch.testing.assert_close(cosine[0, 0, :8], (1000 * exact).cos(), atol=1e-4, rtol=0)
    assert float((1000 * exact.bfloat16().float() - 1000 * exact).abs().max()) > 0.1
    assert "model.rotary_emb.inv_freq" not in model.state_dict()


def test_prompt_is_exactly_this(published: Path) -> None:
    """docs/paper.md shows it."""
    _, tokenizer = load_llm(published)
    whole = (
        "<|im_start|>user\nTranscribe the speech into text.<speech><|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )
    assert prompt_text(tokenizer, PROMPT) == whole
    before, after = prompt_ids(tokenizer, PROMPT)
    speech = tokenizer.convert_tokens_to_ids(SPEECH)
    assert [*before, speech, *after] == tokenizer.encode(whole, add_special_tokens=False)
    assert tokenizer.convert_tokens_to_ids("</think>") in after  # one token


def test_docs_show_that_prompt(repository: Path) -> None:
    shown = "<|im_start|>user\nTranscribe the speech into text.<speech><|im_end|>\n<|im_start|>assistant\n<think>\n\n"
    assert shown in (repository / "docs" / "paper.md").read_text(encoding="utf-8")


def test_settings_as_older_files_have_them(folder: Path) -> None:
    """The published config.json has rope_theta itself, and the template lies in tokenizer_config.json."""

    def older(values: dict[str, Any]) -> None:
        del values["rope_parameters"]
        values |= {"rope_theta": 1000000, "rope_scaling": None}
        values["torch_dtype"] = values.pop("dtype")

    edit(folder / "config.json", older)
    template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    (folder / "chat_template.jinja").unlink()
    edit(folder / "tokenizer_config.json", lambda values: values | {"chat_template": template})
    model, tokenizer = load_llm(folder)
    assert model.config.rope_parameters["rope_theta"] == 1000000
    assert prompt_text(tokenizer, PROMPT).endswith("</think>\n\n")


def test_a_base_model_s_targets_end_turns_too(folder: Path) -> None:
    edit(folder / "config.json", lambda values: values | {"eos_token_id": values["bos_token_id"]})
    edit(folder / "tokenizer_config.json", lambda values: values | {"eos_token": "<|endoftext|>"})
    _, tokenizer = load_llm(folder)
    assert tokenizer.eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>")


def test_search_gives_generate_s_tokens(published: Path) -> None:
    model, tokenizer = load_llm(published)
    model.eval()
    before, after = prompt_ids(tokenizer, PROMPT)
    embeddings = model.get_input_embeddings()(torch.tensor([before + after])).detach()
    end = tokenizer.eos_token_id
    for beams, found in (
        (1, greedy(model, embeddings, torch.tensor([embeddings.shape[1]]), end, 12)[0]),
        (3, beam(model, embeddings, torch.tensor([embeddings.shape[1]]), end, 12, beams=3)[0].tokens),
    ):
        generated = model.generate(
            inputs_embeds=embeddings,
            attention_mask=torch.ones(embeddings.shape[:2]),
            max_new_tokens=12,
            num_beams=beams,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=end,
        )[0].tolist()
        assert found == [one for one in generated if one != end], beams


def test_recipe_takes_the_folder(tiny_run: TinyRun, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`earmark language` reads no weight; a stage's model is built around the folder."""
    monkeypatch.chdir(tiny_run.root)
    config = tiny_run.config.model_copy(update={"llm": published})
    with monkeypatch.context() as patched:
        patched.setattr(Qwen3ForCausalLM, "from_pretrained", None)
        prepare(config, published.parent / "llm")
    done = read_json(published.parent / "llm" / "done.json")
    assert (done["folder"], done["stand_in"]) == (str(published), False)
    assert done["parameters"] == sum(one.numel() for one in qwen3_like.model(True).parameters())
    model, _ = compose(config, published)
    assert model.adaptor.linear2.out_features == 32
    features, lengths = torch.randn(2, 90, 80), torch.tensor([90, 40])
    speech, speech_lengths = model.eval().embed(features, lengths)
    spliced = model.splice(speech, speech_lengths, [[5, 6], [7]])
    assert int(spliced.mask.sum()) == 2 * (len(model.before) + len(model.after)) + int(speech_lengths.sum()) + 3


# ---------------------------------------------------------------------------- refused


def refused(folder: Path, *said: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_llm(folder)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(folder), *said):
        assert part in message


SHARD = "model-00002-of-00004.safetensors"


def test_missing_shard_is_named(folder: Path) -> None:
    (folder / SHARD).unlink()
    refused(folder, f"{folder / SHARD} does not exist, {INDEX} names it (1 of 4 shards missing)")


@pytest.mark.parametrize("keep", [0, 5, 200, 20_000, -1])
def test_shard_cut_short_is_named(folder: Path, keep: int) -> None:
    path = folder / SHARD
    path.write_bytes(path.read_bytes()[:keep])
    refused(folder, SHARD, "cut short or damaged")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda index: index["weight_map"].update({"model.norm.weight": "other.safetensors"}), "other.safetensors"),
        (
            lambda index: index["weight_map"].update({"model.norm.weight": "../model.safetensors"}),
            "no file of the folder",
        ),
        (lambda index: index["weight_map"].update({"model.norm.weight": SHARD}), "has no model.norm.weight"),
        (lambda index: index.pop("weight_map") and None, "weight_map"),
        (lambda index: [1], INDEX),
        (lambda index: {"weight_map": {"a": 3}}, INDEX),
    ],
)
def test_wrong_index_is_named(folder: Path, change: Callable[[Any], Any], said: str) -> None:
    edit(folder / INDEX, change)
    refused(folder, said)


def test_index_cut_short_is_named(folder: Path) -> None:
    (folder / INDEX).write_text((folder / INDEX).read_text()[:50])
    refused(folder, INDEX)


def test_no_weights_at_all(folder: Path) -> None:
    for path in folder.glob("model*"):
        path.unlink()
    refused(folder, "neither model.safetensors nor model.safetensors.index.json")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"model_type": "qwen3_moe"}, "a model of type 'qwen3_moe': a Qwen3 is expected"),
        ({"model_type": "llama"}, "a model of type 'llama'"),
        ({"num_hidden_layers": 2, "layer_types": None}, "belongs to another model than config.json describes"),
        ({"num_hidden_layers": 4, "layer_types": None}, "lacks 11 tensors"),
        ({"hidden_size": 48}, "config.json describes"),
        ({"num_key_value_heads": 4}, "k_proj.weight has shape (32, 32), config.json describes (64, 32)"),
        ({"hidden_size": "wide"}, "config.json"),
        ({"quantization_config": {"quant_method": "fp8"}}, "quantised"),
        ({"num_key_value_heads": 0}, "(config.json: no Qwen3 has this shape, ZeroDivisionError"),
        ({"vocab_size": -3}, "(config.json: no Qwen3 has this shape, RuntimeError"),
        ({"hidden_act": "bogus"}, "(config.json: no Qwen3 has this shape, KeyError: 'bogus')"),
    ],
)
def test_config_of_another_model(folder: Path, values: dict[str, Any], said: str) -> None:
    edit(folder / "config.json", lambda config: config | values)
    refused(folder, said)


def test_tensors_that_are_no_floats(folder: Path) -> None:
    tensors = load_file(folder / SHARD)
    name = next(iter(tensors))
    save_file(tensors | {name: tensors[name].to(torch.int8)}, folder / SHARD, metadata={"format": "pt"})
    refused(folder, SHARD, name, "is of type I8")


def test_tokenizer_of_a_larger_vocabulary(folder: Path) -> None:
    tokenizer = qwen3_like.tokenizer()
    tokenizer.add_tokens([f"token{number}" for number in range(100)])
    tokenizer.save_pretrained(folder)
    refused(folder, "tokenizer.json has ids up to 404, config.json 400 embeddings", "of different models")


def test_tokenizer_of_another_vocabulary(folder: Path) -> None:
    tokenizer = qwen3_like.tokenizer()
    text = json.loads(tokenizer.backend_tokenizer.to_str())
    for one in text["added_tokens"]:
        one["id"] += 10
    tokenizer.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(json.dumps(text), encoding="utf-8")
    edit(folder / "config.json", lambda config: config | {"eos_token_id": [3, 4]})
    refused(folder, "tokenizer.json gives <|im_end|> the id", "config.json ends with [3, 4]", "of different models")


def test_tokenizer_of_another_family(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    text = json.dumps(tokenizer).replace("<|im_end|>", "</s>")
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    edit(folder / "tokenizer_config.json", lambda values: values | {"eos_token": "</s>"})
    refused(folder, "tokenizer.json has no token <|im_end|>: it is not Qwen3's tokenizer")


def test_no_chat_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    refused(folder, "has no chat template")


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
    ],
)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Expecting value"),
        (b'{"a":', "Expecting value"),
        (b"[1]", "a JSON object is expected, not [1]"),
        (b"\xff", "can't decode"),
    ],
)
def test_damaged_json_is_named(folder: Path, name: str, content: bytes, said: str) -> None:
    (folder / name).write_bytes(content)
    refused(folder, f"is not a whole Qwen3 folder ({name}: ", said, "fetch its files again")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("chat_template.jinja", b"\xff\xfe", "(chat_template.jinja: 'utf-8' codec can't decode"),
        ("generation_config.json", b'{"watermarking_config": 3}', "(generation_config.json: "),
        ("special_tokens_map.json", b'{"eos_token": 3}', " or tokenizer_config.json or special_tokens_map.json: "),
    ],
)
def test_file_beside_the_weights_with_wrong_content_is_named(
    folder: Path, name: str, content: bytes, said: str
) -> None:
    (folder / name).write_bytes(content)
    refused(folder, said)


def test_tokenizer_without_its_settings(folder: Path) -> None:
    """transformers would guess them, and the special tokens with them."""
    (folder / "tokenizer_config.json").unlink()
    assert (folder / "chat_template.jinja").exists()
    refused(folder, f"{folder / 'tokenizer_config.json'} does not exist")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% for message in messages %}", "fails"),
        ("{{ raise_exception('no user here') }}", "fails (no user here)"),
        ("<|im_start|>assistant\n", "0 times, not once"),
        ("{{ messages[0].content }}{{ messages[0].content }}", "2 times, not once"),
    ],
)
def test_template_that_cannot_hold_the_speech(folder: Path, template: str, said: str) -> None:
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    _, tokenizer = load_llm(folder)
    with pytest.raises(CheckpointError) as caught:
        prompt_ids(tokenizer, PROMPT)
    assert said in str(caught.value) and str(folder) in str(caught.value)


def test_command_says_it_in_one_line(tiny_copy: TinyRun, folder: Path, earmark: Runner) -> None:
    (folder / SHARD).unlink()
    (tiny_copy.root / "real.yaml").write_text(yaml.safe_dump(SETTINGS | {"llm": str(folder)}), encoding="utf-8")
    code, out, err = earmark("language", "real.yaml")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {folder / SHARD} does not exist") and err.count("\n") == 1


# ---------------------------------------------------------------------------- attention


@pytest.mark.parametrize(
    ("precision", "gpu", "capability", "installed", "expected"),
    [
        ("bfloat16", True, (8, 0), True, "flash_attention_2"),
        ("bfloat16", True, (9, 0), True, "flash_attention_2"),
        ("bfloat16", True, (8, 0), False, "sdpa"),
        ("bfloat16", True, (7, 0), True, "sdpa"),
        ("bfloat16", False, (0, 0), True, "sdpa"),
        ("float32", True, (8, 0), True, "sdpa"),
    ],
)
def test_flash_attention_where_it_can_run(
    monkeypatch: pytest.MonkeyPatch,
    precision: str,
    gpu: bool,
    capability: tuple[int, int],
    installed: bool,
    expected: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(utils, "is_flash_attn_2_available", lambda: installed)
    assert attention(precision) == expected


@pytest.mark.parametrize("chosen", ["sdpa", "eager"])
def test_training_takes_the_attention_that_was_chosen(
    tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    monkeypatch.chdir(tiny_run.root)
    asked = []
    monkeypatch.setattr(initialise, "attention", lambda precision: asked.append(precision) or chosen)
    config = tiny_run.config
    place = Place(config, "align", config.stages.align.steps, False)
    task = initialise.build_task(config, place, Inventory.load(), tiny_run.paths.llm / "done.json")
    assert task.model.llm.config._attn_implementation == chosen
    assert asked == [config.precision]
