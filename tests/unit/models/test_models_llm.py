"""The language model's tokenizer and folder: one token a hanzi, and every wrong folder named."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from earmark.config import SmallLLM
from earmark.errors import CheckpointError
from earmark.models.llm import SPEECH, build_small, build_tokenizer, load_llm, prompt_ids
from earmark.text.normalise import normalise

PROMPT = "Transcribe the speech into text."
TEXTS = [
    "打开空调",
    "关上客厅的窗户",
    "play some music in the kitchen",
    "what's the weather today",
    "打开 the window 好吗",
    PROMPT,
    "user assistant",
]
SETTINGS = SmallLLM(hidden_size=16, n_layers=2, n_heads=2, latin_vocabulary=60)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return build_tokenizer(TEXTS, SETTINGS)


@pytest.mark.parametrize("text", [text for text in TEXTS if "好" in text or "打" in text or "关" in text])
def test_a_hanzi_is_a_token(tokenizer: Any, text: str) -> None:
    hanzi = [character for character in text if "\u4e00" <= character <= "\u9fff"]
    tokens = tokenizer.convert_ids_to_tokens(tokenizer.encode(text, add_special_tokens=False))
    assert [token[0] for token in tokens if token[0] in hanzi] == hanzi
    assert all(len(token.removesuffix("</w>")) == 1 for token in tokens if token[0] in hanzi)


def test_common_words_are_few_tokens_and_new_ones_are_spelled(tokenizer: Any) -> None:
    assert len(tokenizer.encode("the", add_special_tokens=False)) == 1
    assert len(tokenizer.encode("kitten", add_special_tokens=False)) > 1
    assert tokenizer.decode(tokenizer.encode("kitten", add_special_tokens=False)) == "kitten"


@pytest.mark.parametrize("text", [*TEXTS[:5], "关上 music", "the 空调 in the 客厅", "kitten"])
def test_text_comes_back_through_batch_decode_and_normalise(tokenizer: Any, text: str) -> None:
    canonical = normalise(text, "zh-en")
    ids = [*tokenizer.encode(canonical, add_special_tokens=False), tokenizer.eos_token_id]
    (decoded,) = tokenizer.batch_decode([ids], skip_special_tokens=True)
    assert normalise(decoded, "zh-en") == canonical


def test_tokenizer_is_a_function_of_its_texts() -> None:
    """The library itself numbers pieces by the order of a hash table, another one each time."""
    saved = {build_tokenizer(TEXTS, SETTINGS).backend_tokenizer.to_str() for _ in range(4)}
    assert len(saved) == 1
    assert build_tokenizer(TEXTS[::-1], SETTINGS).backend_tokenizer.to_str() in saved


def test_size_is_bounded(tokenizer: Any) -> None:
    characters = {character for text in TEXTS for character in text if character != " "}
    assert len(tokenizer) <= 5 + 2 * len(characters) + SETTINGS.latin_vocabulary


def test_unknown_characters_are_one_token_each_and_vanish(tokenizer: Any) -> None:
    ids = tokenizer.encode("打魑魅开", add_special_tokens=False)
    assert ids.count(tokenizer.unk_token_id) == 2
    assert normalise(tokenizer.decode(ids, skip_special_tokens=True), "zh") == "打开"


def test_special_tokens_are_one_token_and_apart(tokenizer: Any) -> None:
    for token in ("<|im_start|>", "<|im_end|>", "<|endoftext|>", SPEECH):
        assert len(tokenizer.encode(token, add_special_tokens=False)) == 1
    assert tokenizer.eos_token == "<|im_end|>" and tokenizer.pad_token == "<|endoftext|>"


def test_prompt_is_the_chat_template_around_the_speech(tokenizer: Any) -> None:
    before, after = prompt_ids(tokenizer, PROMPT)
    whole = "<|im_start|>user\n" + PROMPT + SPEECH + "<|im_end|>\n<|im_start|>assistant\n"
    speech = tokenizer.convert_tokens_to_ids(SPEECH)
    assert [*before, speech, *after] == tokenizer.encode(whole, add_special_tokens=False)
    assert tokenizer.unk_token_id not in before + after


# ---------------------------------------------------------------------------- folders


@pytest.fixture
def folder(tokenizer: Any, tmp_path: Path) -> Path:
    """A tiny random Qwen3 in the format in which the real ones are published."""
    torch.manual_seed(0)
    build_small(SETTINGS, len(tokenizer)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def test_folder_comes_back(folder: Path, tokenizer: Any) -> None:
    model, loaded = load_llm(folder)
    torch.manual_seed(0)
    for name, tensor in build_small(SETTINGS, len(tokenizer)).state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name
    assert loaded.get_vocab() == tokenizer.get_vocab()
    assert prompt_ids(loaded, PROMPT) == prompt_ids(tokenizer, PROMPT)
    assert model.config.hidden_size == 16 and model.config.num_hidden_layers == 2


def test_published_weights_in_bfloat16_become_float32(folder: Path, tokenizer: Any) -> None:
    build_small(SETTINGS, len(tokenizer)).to(torch.bfloat16).save_pretrained(folder)
    model, _ = load_llm(folder)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def foreign_tokenizer() -> Any:
    """A tokenizer without `<speech>`, as Qwen3's is."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(TEXTS, trainers.BpeTrainer(special_tokens=special, initial_alphabet=alphabet))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = build_tokenizer(TEXTS, SETTINGS).chat_template
    return fast


@pytest.mark.parametrize("spare", [0, 1, 50])
def test_speech_is_added_where_it_lacks(tmp_path: Path, spare: int) -> None:
    """Qwen3 has more rows than tokens; where there is no row to spare, one is added."""
    without = foreign_tokenizer()
    size = len(without)
    torch.manual_seed(0)
    build_small(SETTINGS, size + spare).save_pretrained(tmp_path)
    without.save_pretrained(tmp_path)
    assert SPEECH not in without.get_vocab()
    model, tokenizer = load_llm(tmp_path)
    assert tokenizer.convert_tokens_to_ids(SPEECH) == size
    assert tokenizer.encode(f"a{SPEECH}b").count(size) == 1
    assert model.get_input_embeddings().num_embeddings == size + max(spare, 1)
    assert model.lm_head.weight.shape[0] == size + max(spare, 1)
    before, after = prompt_ids(tokenizer, PROMPT)
    assert size not in before + after and before and after


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name) as caught:
        load_llm(folder)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_file_cut_short_is_one_line(folder: Path, name: str, part: float) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(CheckpointError, match=r"is not a whole Qwen3 folder|holds a model of type") as caught:
        load_llm(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


def test_weights_that_lack_a_tensor_are_not_made_up(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"lacks 1 tensors \(first: model\.layers\.1\.mlp\.up_proj\.weight\)"):
        load_llm(folder)


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"] = torch.ones(17)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="is not a whole Qwen3 folder"):
        load_llm(folder)


def test_other_model_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(CheckpointError, match="holds a model of type 'gpt2': a Qwen3 is expected"):
        load_llm(folder)


def test_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere/config\.json does not exist: llm must be a folder"):
        load_llm(tmp_path / "nowhere")
