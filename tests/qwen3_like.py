"""A tiny random Qwen3 in the format in which the real ones are published: shards with an index, padded vocabulary."""

import json
from pathlib import Path
from typing import Any

import torch

TEXTS = [
    "打开空调",
    "关上客厅的窗户",
    "play some music in the kitchen",
    "Transcribe the speech into text.",
    "user assistant",
]
PADDED = 400
"""Rows of the embedding: more than tokens, as in the real ones."""
# A template with what Qwen3's has: roles, tools, reasoning that is cut from earlier turns, and a switch for thinking.
TEMPLATE = (
    "{%- if tools %}<|im_start|>system\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}<|im_end|>\n"
    "{% endif -%}"
    "{%- set last = namespace(index=messages|length - 1) -%}"
    "{%- for message in messages -%}"
    "{%- set content = message.content if message.content is string else '' -%}"
    "{%- if message.role == 'assistant' and loop.index0 < last.index and '</think>' in content -%}"
    "{%- set content = content.split('</think>')[-1].lstrip('\\n') -%}"
    "{%- endif -%}"
    "{{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}"
    "{%- if enable_thinking is defined and enable_thinking is false -%}"
    "{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}"
    "{%- endif -%}"
)


def tokenizer() -> Any:
    """Byte-level BPE with its special tokens behind the learned ones, saved under the class that Qwen3 names."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    learned = Tokenizer(models.BPE())
    learned.normalizer = normalizers.NFC()
    learned.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    learned.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learned.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet))
    learned.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    learned.add_tokens([AddedToken("<think>", special=False), AddedToken("</think>", special=False)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=learned,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = TEMPLATE
    return fast


def model(tied: bool, vocabulary: int = PADDED) -> Any:
    """Random weights in Qwen3's proportions: grouped queries, heads wider than width / heads."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    tokens = tokenizer()
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=32,
            intermediate_size=96,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=16,
            max_position_embeddings=512,
            tie_word_embeddings=tied,
            eos_token_id=tokens.convert_tokens_to_ids("<|im_end|>"),
            bos_token_id=tokens.convert_tokens_to_ids("<|endoftext|>"),
        )
    )


def write(folder: Path, tied: bool = True, shards: bool = True) -> Any:
    """Config, weights in bfloat16 (in several shards with an index), tokenizer; the model that was written."""
    written = model(tied).to(torch.bfloat16)
    written.save_pretrained(folder, max_shard_size="40KB" if shards else "50GB")
    tokenizer().save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {"tokenizer_class": "Qwen2Tokenizer"}
    path.write_text(json.dumps(settings), encoding="utf-8")
    return written


def write_embedding(folder: Path) -> None:
    """A Qwen3-Embedding as published: the same without a head, its tensors' names begin without `model.`."""
    model(tied=True).model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
