"""A folder with a published Qwen3, checked before a weight is read: which file is missing, cut or another model's.

config.json                              the shape; model_type qwen3
model.safetensors                        the weights, or:
model.safetensors.index.json             {"weight_map": {tensor: shard}} and the shards that it names
tokenizer.json, tokenizer_config.json    byte-level BPE, special tokens, and the chat template
chat_template.jinja                      the template, where tokenizer_config.json has none
special_tokens_map.json, added_tokens.json, generation_config.json    read where they are there
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from earmark.errors import CheckpointError, UserError
from earmark.io import read_json

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

START, END, PAD = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
_SINGLE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_FLOATS = ("F32", "BF16", "F16")
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
Shapes = dict[str, tuple[int, ...]]


SIZES = {
    # size: (hidden, intermediate, layers, heads, key-value heads, tied), as published
    "0.6B": (1024, 3072, 28, 16, 8, True),
    "1.7B": (2048, 6144, 28, 16, 8, True),
    "4B": (2560, 9728, 36, 32, 8, True),
    "8B": (4096, 12288, 36, 32, 8, False),
}


def build_published(name: Path | str) -> "Qwen3ForCausalLM":
    """A Qwen3 of a published size (Qwen3-1.7B, ...) with random weights, on torch's default device.

    :raises CheckpointError: another name.
    """
    from transformers import Qwen3Config, Qwen3ForCausalLM

    size = Path(name).name.removeprefix("Qwen3-").removesuffix("-Base")
    if size not in SIZES:
        known = ", ".join(f"Qwen3-{one}" for one in SIZES)
        raise CheckpointError(f"{name} does not exist, and its shape is not known by name as are those of {known}")
    hidden, intermediate, layers, heads, groups, tied = SIZES[size]
    config = Qwen3Config(
        vocab_size=151_936,
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        head_dim=128,
        max_position_embeddings=40_960,
        tie_word_embeddings=tied,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
    )
    return Qwen3ForCausalLM(config)


def check_folder(folder: Path) -> tuple["Qwen3ForCausalLM", "PreTrainedTokenizerFast"]:
    """The model without memory (on torch's meta device), and the tokenizer; only headers of the weights are read.

    :raises CheckpointError: a file is missing, damaged, or does not fit the others; it is named.
    """
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder / name} does not exist: llm must be a folder with a Qwen3 model")
    config = _config(folder)
    _check_generation(folder)
    model = _empty(folder, config)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if config.tie_word_embeddings:
        expected.pop("lm_head.weight", None)
    _compare(folder, expected, _stored(folder), config)
    return model, _tokenizer(folder, config)


def _whole(folder: Path, name: str, what: object) -> CheckpointError:
    return CheckpointError(f"{folder} is not a whole Qwen3 folder ({name}: {what}): fetch its files again")


def _object(folder: Path, name: str) -> dict[str, Any]:
    try:
        values = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _whole(folder, name, error) from None
    if not isinstance(values, dict):
        raise _whole(folder, name, f"a JSON object is expected, not {json.dumps(values)[:40]}")
    return values


def _config(folder: Path) -> "Qwen3Config":
    from transformers import Qwen3Config

    values = _object(folder, "config.json")
    kind = values.get("model_type")
    if kind != "qwen3":
        raise CheckpointError(f"{folder} holds a model of type {kind!r}: a Qwen3 is expected")
    if values.get("quantization_config"):
        raise CheckpointError(f"{folder} holds quantised weights: training takes the plain ones (bfloat16)")
    try:
        return cast("Qwen3Config", Qwen3Config.from_pretrained(folder, local_files_only=True))
    except Exception as error:  # transformers checks values in many ways
        raise _whole(folder, "config.json", error) from None


def _check_generation(folder: Path) -> None:
    """The file that transformers reads beside the weights: it would fail there, or pass over one that is cut."""
    from transformers import GenerationConfig

    name = "generation_config.json"
    if not (folder / name).exists():
        return
    _object(folder, name)
    try:
        GenerationConfig.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers checks values in many ways
        raise _whole(folder, name, error) from None


def _empty(folder: Path, config: "Qwen3Config") -> "Qwen3ForCausalLM":
    """The model of this config without memory."""
    import torch
    from transformers import Qwen3ForCausalLM

    try:
        with torch.device("meta"):
            return Qwen3ForCausalLM(config)
    except Exception as error:  # what the config's own checks let pass fails wherever it is computed with
        raise _whole(folder, "config.json", f"no Qwen3 has this shape, {type(error).__name__}: {error}") from None


def _stored(folder: Path) -> dict[str, dict[str, Any]]:
    """{file: {tensor: (shape, type)}} of all files of weights, from their headers."""
    if not (folder / _INDEX).is_file():
        if not (folder / _SINGLE).is_file():
            raise CheckpointError(f"{folder} has neither {_SINGLE} nor {_INDEX}: fetch its files again")
        return {_SINGLE: _header(folder, _SINGLE)}
    try:
        weight_map = read_json(folder / _INDEX)["weight_map"]
        files = sorted(set(weight_map.values()))
        foreign = [name for name in files if Path(name).name != name]
    except (UserError, KeyError, TypeError, AttributeError) as error:
        raise _whole(folder, _INDEX, error) from None
    if foreign:
        raise _whole(folder, _INDEX, f"it names {foreign[0]}, which is no file of the folder")
    if missing := [name for name in files if not (folder / name).is_file()]:
        raise CheckpointError(
            f"{folder / missing[0]} does not exist, {_INDEX} names it ({len(missing)} of {len(files)} shards missing): "
            "fetch its files again"
        )
    stored = {name: _header(folder, name) for name in files}
    for tensor, name in weight_map.items():
        if tensor not in stored[name]:
            raise _whole(folder, name, f"it has no {tensor}, which {_INDEX} says is there")
    return stored


def _header(folder: Path, name: str) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / name, framework="pt") as handle:  # compares the file's length with its header
            slices = {key: handle.get_slice(key) for key in handle.keys()}  # noqa: SIM118
            return {key: (tuple(one.get_shape()), one.get_dtype()) for key, one in slices.items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise _whole(folder, name, f"cut short or damaged, {error}") from None


def _compare(folder: Path, expected: Shapes, stored: dict[str, dict[str, Any]], config: "Qwen3Config") -> None:
    """Compare what config.json describes with what the files hold."""
    known = {*expected, "lm_head.weight"}
    found: set[str] = set()
    for name, tensors in stored.items():
        for tensor, (shape, kind) in tensors.items():
            if tensor not in known:
                raise _whole(folder, name, f"{tensor} belongs to another model than config.json describes")
            wanted = expected.get(tensor, (config.vocab_size, config.hidden_size))
            if shape != wanted:
                raise _whole(folder, name, f"{tensor} has shape {shape}, config.json describes {wanted}")
            if kind not in _FLOATS:
                raise _whole(folder, name, f"{tensor} is of type {kind}, not one of {', '.join(_FLOATS)}")
        found |= set(tensors)
    if missing := sorted(set(expected) - found):
        # transformers would go on with random weights.
        raise CheckpointError(f"{folder} lacks {len(missing)} tensors (first: {missing[0]}): fetch its files again")


def _check_tokenizer(folder: Path) -> list[str]:
    """The tokenizer's JSON files that are there; each can be read: transformers does not say which one it fails at."""
    present = [name for name in _TOKENIZER if (folder / name).exists()]
    for name in present:
        _object(folder, name)
    path = folder / "chat_template.jinja"
    try:
        if path.exists():
            path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _whole(folder, path.name, error) from None
    return present


def _tokenizer(folder: Path, config: "Qwen3Config") -> "PreTrainedTokenizerFast":
    from transformers import AutoTokenizer

    present = _check_tokenizer(folder)
    try:
        loaded = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the parser of tokenizers raises Exception itself
        raise _whole(folder, " or ".join(present), error) from None
    tokenizer = cast("PreTrainedTokenizerFast", loaded)
    vocabulary = tokenizer.get_vocab()
    if absent := [token for token in (START, END, PAD) if token not in vocabulary]:
        raise CheckpointError(f"{folder / 'tokenizer.json'} has no token {absent[0]}: it is not Qwen3's tokenizer")
    apart = "tokenizer and weights are of different models"
    largest = max(vocabulary.values())
    if largest >= config.vocab_size:
        raise CheckpointError(
            f"{folder / 'tokenizer.json'} has ids up to {largest}, config.json {config.vocab_size} embeddings: {apart}"
        )
    ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    if not {None, vocabulary[END], vocabulary[PAD]} & set(ends):
        raise CheckpointError(
            f"{folder / 'tokenizer.json'} gives {END} the id {vocabulary[END]}, config.json ends with {ends}: {apart}"
        )
    if not tokenizer.chat_template:
        raise CheckpointError(
            f"{folder} has no chat template: fetch its tokenizer_config.json (or chat_template.jinja) again"
        )
    # Qwen3's base models end documents, not turns, but the template ends turns, and so do our targets.
    tokenizer.eos_token = END
    return tokenizer
