"""Modules from the configuration: built with seeded random weights, or loaded from files, one file a module."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from earmark.config import Config
from earmark.errors import CheckpointError
from earmark.io import read_json, read_tensors, write_tensors
from earmark.models.adaptor import Adaptor
from earmark.models.ctc_head import CTCHead
from earmark.models.decoder import AttentionDecoder
from earmark.models.encoder import ConformerEncoder
from earmark.models.llm import check_vocabulary, load_llm, prompt_ids
from earmark.models.quantizer import QuantizerHead, RandomQuantizer
from earmark.models.speech_llm import SpeechLLM

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

N_MELS = 80


def build_encoder(config: Config) -> ConformerEncoder:
    """Encoder with `encoder.weights`, or random ones from the run's seed."""
    settings = config.encoder
    torch.manual_seed(config.seed)
    encoder = ConformerEncoder(
        N_MELS, settings.n_layers, settings.n_heads, settings.d_model, settings.kernel_size, settings.dropout
    )
    if settings.weights:
        load_weights(encoder, settings.weights)
    return encoder


def build_ctc_head(config: Config, phones: int) -> CTCHead:
    """Random three-layer head over `phones` symbols, the blank among them."""
    torch.manual_seed(config.seed + 1)
    return CTCHead(config.encoder.d_model, phones)


def build_decoder(config: Config, labels: int) -> AttentionDecoder:
    """Random attention decoder over `labels` symbols, its boundary (the blank's place) among them."""
    settings = config.decoder
    torch.manual_seed(config.seed + 4)
    return AttentionDecoder(labels, settings.n_layers, settings.n_heads, config.encoder.d_model, settings.dropout)


def build_quantizer(config: Config) -> RandomQuantizer:
    """Projection and codebook of Best-RQ: functions of the run's seed, never trained."""
    return RandomQuantizer(N_MELS, config.best_rq.codebook_size, config.best_rq.codebook_dim, config.seed)


def build_quantizer_head(config: Config) -> QuantizerHead:
    """Random head over Best-RQ's codes."""
    torch.manual_seed(config.seed + 5)
    return QuantizerHead(config.encoder.d_model, config.best_rq.codebook_size)


def build_adaptor(config: Config, llm_dim: int) -> Adaptor:
    """Random adaptor into an embedding space of width `llm_dim`."""
    torch.manual_seed(config.seed + 2)
    return Adaptor(config.encoder.d_model, llm_dim, config.adaptor.downsample)


def build_speech_llm(config: Config, llm_done: Path) -> tuple[SpeechLLM, "PreTrainedTokenizerFast"]:
    """The composed model with random encoder and adaptor, and the tokenizer; `llm_done` names the LLM's folder.

    :raises CheckpointError: the folder's tokenizer is another now than when `llm_done` was written.
    """
    described = read_json(llm_done)
    model, tokenizer = compose(config, Path(described["folder"]))
    check_vocabulary(llm_done, described, tokenizer)
    return model, tokenizer


def compose(config: Config, llm_folder: Path) -> tuple[SpeechLLM, "PreTrainedTokenizerFast"]:
    """The composed model with random encoder and adaptor around the LLM of a folder, and the tokenizer."""
    llm, tokenizer = load_llm(llm_folder)
    before, after = prompt_ids(tokenizer, config.prompt)
    adaptor = build_adaptor(config, llm.config.hidden_size)
    return SpeechLLM(build_encoder(config), adaptor, llm, before, after), tokenizer


def load_weights(module: nn.Module, path: Path | str) -> None:
    """Load one module's safetensors.

    :raises CheckpointError: absent, damaged, or of another shape.
    """
    tensors, _ = read_tensors(path)
    own: dict[str, Any] = module.state_dict()
    missing = [name for name in own if name not in tensors and not _tied(module, name)]
    wrong = [name for name in tensors if name in own and tensors[name].shape != own[name].shape]
    unknown = [name for name in tensors if name not in own and not name.startswith("positional_encoding.")]
    if missing or wrong or unknown:
        name = (missing + wrong + unknown)[0]
        raise CheckpointError(
            f"{path} does not fit {type(module).__name__}: {len(missing)} tensors missing, {len(wrong)} of another "
            f"shape, {len(unknown)} unknown (first: {name}): use the configuration that it was trained with"
        )
    module.load_state_dict(tensors, strict=False)


def save_weights(module: nn.Module, path: Path, metadata: dict[str, str]) -> None:
    """Write one module's weights as safetensors; a tied output layer is not written twice."""
    tensors = {name: tensor for name, tensor in module.state_dict().items() if not _tied(module, name)}
    write_tensors(path, tensors, metadata)


def _tied(module: nn.Module, name: str) -> bool:
    return name == "lm_head.weight" and bool(getattr(getattr(module, "config", None), "tie_word_embeddings", False))
