"""The language model: Qwen3, either real weights from a folder or a small one with a tokenizer of one token a hanzi."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from earmark.config import SmallLLM
from earmark.errors import CheckpointError
from earmark.io import read_json
from earmark.models.qwen3 import END, PAD, START, check_folder
from earmark.text.normalise import HAN

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

EMBEDDINGS = "model.embed_tokens.weight"
SPEECH = "<speech>"
"""Placeholder whose place the speech embeddings take (Eq. 4)."""
EMBEDDING_DEVIATION = 0.02
_WORD_END = "</w>"
_PRIVATE = 0xF0000
_SPECIAL = [PAD, START, END, SPEECH, "<unk>"]
# Qwen3's own chat template without its tools and thinking parts.
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def build_tokenizer(texts: list[str], settings: SmallLLM) -> "PreTrainedTokenizerFast":
    """Tokenizer of the small model: a token for each hanzi, pieces of words for Latin script."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated")]
    )
    spoken = ([word for word, _ in words.pre_tokenize_str(text)] for text in texts)
    vocabulary, merges = _learn_pieces(spoken, set("".join(texts)), settings.latin_vocabulary)
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", end_of_word_suffix=_WORD_END))
    tokenizer.pre_tokenizer = words
    tokenizer.decoder = decoders.BPEDecoder(suffix=_WORD_END)
    tokenizer.add_special_tokens(_SPECIAL)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[START, SPEECH],
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = _TEMPLATE
    return fast


def _learn_pieces(
    texts: Iterable[list[str]], alphabet: set[str], merged: int
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges of byte-pair encoding over words, the same for the same words.

    The library gives pieces with a suffix ids in the order of a hash table. So while it learns, each word's last
    character is written as one of a private area; afterwards that is spelled as the character and the suffix.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    characters = sorted(character for character in alphabet if not character.isspace())
    inside = [character for character in characters if not re.match(f"[{HAN}]", character)]  # a hanzi is a word alone
    last = {character: chr(_PRIVATE + number) for number, character in enumerate(characters)}
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        # Every letter inside a word and every character at a word's end, merged pieces, special tokens.
        vocab_size=len(_SPECIAL) + len(inside) + len(characters) + merged,
        initial_alphabet=[*inside, *last.values()],
        special_tokens=_SPECIAL,
        show_progress=False,
    )
    learner.train_from_iterator((" ".join(word[:-1] + last[word[-1]] for word in words) for words in texts), trainer)
    spelled = str.maketrans({private: character + _WORD_END for character, private in last.items()})
    model = json.loads(learner.to_str())["model"]
    vocabulary = {piece.translate(spelled): number for piece, number in model["vocab"].items()}
    return vocabulary, [(one.translate(spelled), other.translate(spelled)) for one, other in model["merges"]]


def build_small(settings: SmallLLM, vocabulary: int) -> "Qwen3ForCausalLM":
    """A Qwen3 with random weights from torch's generator.

    Qwen3's deviation of 0.02 suits its width; a narrow model with it starts so quiet that it takes twice the steps.
    Layers get one over the root of the width; embeddings, which the output layer shares, keep 0.02.
    """
    from torch import nn
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=settings.hidden_size,
        intermediate_size=3 * settings.hidden_size,
        num_hidden_layers=settings.n_layers,
        num_attention_heads=settings.n_heads,
        num_key_value_heads=settings.n_heads,
        head_dim=settings.hidden_size // settings.n_heads,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        initializer_range=settings.hidden_size**-0.5,
    )
    model = Qwen3ForCausalLM(config)
    nn.init.normal_(cast(nn.Embedding, model.get_input_embeddings()).weight, std=EMBEDDING_DEVIATION)
    return model


def load_llm(folder: Path | str) -> tuple["Qwen3ForCausalLM", "PreTrainedTokenizerFast"]:
    """Model and tokenizer from a local folder in Qwen3's published format; `<speech>` is added where it lacks.

    Weights are float32 whatever the file has, as encoder and adaptor are: bfloat16 is the engine's matter.

    :raises CheckpointError: a file is absent or damaged, lacks tensors, or is of another model.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import Qwen3ForCausalLM

    folder = Path(folder)
    empty, tokenizer = check_folder(folder)
    try:
        model = Qwen3ForCausalLM.from_pretrained(
            folder, config=empty.config, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{folder} is not a whole Qwen3 folder ({error}): fetch its files again") from None
    if SPEECH not in tokenizer.get_vocab():
        # Qwen3 has more rows than tokens: the first free one is taken, and the matrix stays as it is.
        tokenizer.add_special_tokens({"additional_special_tokens": [SPEECH]}, replace_extra_special_tokens=False)
    speech: Any = tokenizer.convert_tokens_to_ids(SPEECH)
    if speech >= model.config.vocab_size:
        model.resize_token_embeddings(speech + 1)
    _keep_frequencies(model)
    return model, tokenizer


def input_embeddings(folder: Path, file: Path | None = None) -> "torch.Tensor":
    """The matrix (V, d_m) of a language model's own input embeddings, float32, and nothing else of the model.

    :param folder: in Qwen3's published format. :param file: trained weights in place of the folder's.
    :raises CheckpointError: the weights are absent or damaged, or hold no such matrix.
    """
    from safetensors import SafetensorError, safe_open

    try:
        path = file or _file_of(folder, EMBEDDINGS)
        with safe_open(path, "pt") as tensors:
            return tensors.get_tensor(EMBEDDINGS).float()
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{file or folder} has no {EMBEDDINGS} ({error}): fetch or train it again") from None


def _file_of(folder: Path, tensor: str) -> Path:
    """The file of a published folder that holds a tensor."""
    index = folder / "model.safetensors.index.json"
    return folder / (read_json(index)["weight_map"][tensor] if index.is_file() else "model.safetensors")


def vocabulary_hash(tokenizer: Any) -> str:
    """Hash of which token has which id, 16 hexadecimal digits; `<speech>`, which loading adds, does not count."""
    tokens = sorted((number, token) for token, number in tokenizer.get_vocab().items() if token != SPEECH)
    return hashlib.sha256(json.dumps(tokens).encode()).hexdigest()[:16]


def check_vocabulary(path: Path, described: dict[str, Any], tokenizer: Any) -> None:
    """Refuse weights that another tokenizer's ids were learnt with, though it has as many.

    :param described: what `path` (a done.json) says; without a hash of a vocabulary nothing is known.
    :raises CheckpointError: it is of another vocabulary.
    """
    found = vocabulary_hash(tokenizer)
    if described.get("vocabulary", found) != found:
        raise CheckpointError(
            f"{path} was made with vocabulary {described['vocabulary']}, the tokenizer of {tokenizer.name_or_path} has "
            f"{found}: use the language model that it was made with, or make it again"
        )


def _keep_frequencies(model: "Qwen3ForCausalLM") -> None:
    """Keep the rotary frequencies in float32 when the engine casts the model to bfloat16, buffers and all.

    Rounded to 8 bits they turn the angles of later positions into others than those of pretraining. The forward
    moves them to its device itself.
    """
    rotary = model.model.rotary_emb
    if rotary.rope_type not in ("dynamic", "longrope"):  # those recompute the buffer as sequences grow
        frequencies = rotary.inv_freq
        del rotary.inv_freq
        rotary.inv_freq = frequencies


def attention(precision: str) -> str:
    """Attention in training: FlashAttention-2 (A.3) where it is installed and can run, else torch's own.

    It runs on GPUs from Ampere on, in bfloat16.
    """
    import torch
    from transformers import utils

    fits = precision == "bfloat16" and torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0)
    return "flash_attention_2" if fits and utils.is_flash_attn_2_available() else "sdpa"


def checkpoint_activations(model: Any) -> None:
    """Let each layer compute its activations again in the backward pass, in training mode (Chen et al., 2016)."""
    model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    model.disable_input_require_grads()  # what the other form would need: embeddings that ask for gradients for nothing


def prompt_ids(tokenizer: Any, prompt: str) -> tuple[list[int], list[int]]:
    """Token ids before and after the speech: the chat template around `prompt<speech>` (section A.2, Eq. 4).

    :raises CheckpointError: the template cannot be filled, or does not hold the message once.
    """
    text = prompt_text(tokenizer, prompt)
    before, after = text.split(SPEECH)
    return (
        tokenizer.encode(before, add_special_tokens=False),
        tokenizer.encode(after, add_special_tokens=False),
    )


def prompt_text(tokenizer: Any, prompt: str) -> str:
    """The prompt as the model reads it, up to where the transcript begins; docs/paper.md shows Qwen3's."""
    message = {"role": "user", "content": prompt + SPEECH}
    try:
        text = tokenizer.apply_chat_template(
            [message], tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    except Exception as error:  # a template is a program of the folder's author
        raise CheckpointError(f"the chat template of {tokenizer.name_or_path} fails ({error})") from None
    if text.count(SPEECH) != 1:
        raise CheckpointError(
            f"the chat template of {tokenizer.name_or_path} holds {SPEECH} {text.count(SPEECH)} times, not once: "
            f"leave {SPEECH} out of the setting prompt, and fetch the tokenizer's files again"
        )
    return str(text)
