"""Configurations of the speech LLM and of the encoder with its CTC head."""

from typing import Any

from transformers import CONFIG_MAPPING, PreTrainedConfig
from transformers.models.qwen3 import Qwen3Config


class EarmarkConfig(PreTrainedConfig):
    """Encoder, adaptor and language model.

    :param encoder: arguments of `ConformerEncoder`. :param downsample: encoder frames that the adaptor concatenates.
    :param text_config: the language model's configuration, or its values.
    :param speech_token_id: the token whose places speech embeddings take.
    :param tokens_per_second: :param spare_tokens: limit of a transcript: so many tokens a second of audio, and so many.
    """

    model_type = "earmark"
    sub_configs = {"text_config": Qwen3Config}  # noqa: RUF012  transformers' own form

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        downsample: int = 4,
        text_config: dict[str, Any] | PreTrainedConfig | None = None,
        speech_token_id: int = 0,
        tokens_per_second: float = 12.0,
        spare_tokens: int = 8,
        **kwargs: Any,
    ):
        self.encoder = encoder or {}
        self.downsample = downsample
        if text_config is None:
            text_config = Qwen3Config()
        elif isinstance(text_config, dict):
            text_config = CONFIG_MAPPING[text_config.get("model_type", "qwen3")](**text_config)
        self.text_config = text_config
        self.speech_token_id = speech_token_id
        self.tokens_per_second = tokens_per_second
        self.spare_tokens = spare_tokens
        kwargs.setdefault("tie_word_embeddings", text_config.tie_word_embeddings)
        super().__init__(**kwargs)


class EarmarkCTCConfig(PreTrainedConfig):
    """Encoder and CTC head.

    :param encoder: arguments of `ConformerEncoder`. :param vocab_size: phones, the blank among them.
    :param pad_token_id: the blank.
    """

    model_type = "earmark_ctc"

    def __init__(
        self, encoder: dict[str, Any] | None = None, vocab_size: int = 1, pad_token_id: int = 0, **kwargs: Any
    ):
        self.encoder = encoder or {}
        self.vocab_size = vocab_size
        self.pad_token_id = pad_token_id
        super().__init__(**kwargs)
