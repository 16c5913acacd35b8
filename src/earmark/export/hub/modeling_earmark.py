"""The speech LLM (paper Eqs. 1-5) as a model of transformers.

Shapes: B utterances, T feature frames (10 ms), S positions of the language model, d its width.
"""

from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    GenerationMixin,
    PreTrainedModel,
    StoppingCriteria,
    StoppingCriteriaList,
)

from earmark.export.hub.configuration_earmark import EarmarkConfig
from earmark.export.hub.masks import lengths_of
from earmark.models.adaptor import Adaptor
from earmark.models.encoder import ConformerEncoder


class EarmarkForConditionalGeneration(PreTrainedModel, GenerationMixin):
    """Transcribes: takes what the processor gives."""

    config_class = EarmarkConfig
    main_input_name = "input_features"
    _supports_sdpa = True
    _supports_flash_attn = True

    def __init__(self, config: EarmarkConfig):
        super().__init__(config)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.encoder = ConformerEncoder(**config.encoder)
        self.adaptor = Adaptor(config.encoder["d_model"], config.text_config.hidden_size, config.downsample)
        self.post_init()

    def get_input_embeddings(self) -> Any:
        """The language model's."""
        return self.language_model.get_input_embeddings()

    def get_output_embeddings(self) -> Any:
        """The language model's."""
        return self.language_model.get_output_embeddings()

    def embed(
        self, input_ids: torch.Tensor, input_features: torch.Tensor, input_features_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Token ids (B, S) and features (B, T, n_mels) to (B, S, d): speech in the places of the speech token (Eq. 4).

        :param input_features_mask: (B, T), 1 where a frame is speech; None: everywhere.
        :raises ValueError: a row has another number of places than its speech takes.
        """
        encoded, lengths = self.encoder(input_features, lengths_of(input_features, input_features_mask))
        speech, speech_lengths = self.adaptor(encoded, lengths)
        embeddings = self.get_input_embeddings()(input_ids)
        places = input_ids == self.config.speech_token_id
        if places.sum(1).tolist() != speech_lengths.tolist():
            raise ValueError(
                f"the rows have {places.sum(1).tolist()} places for speech, their features fill "
                f"{speech_lengths.tolist()}: take input_ids and input_features from one call of the processor"
            )
        taken = torch.arange(speech.shape[1], device=speech.device) < speech_lengths.to(speech.device)[:, None]
        embeddings[places] = speech[taken].to(embeddings)
        return embeddings

    def forward(
        self,
        input_ids: torch.Tensor,
        input_features: torch.Tensor,
        input_features_mask: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """What the language model gives for the composed sequence: logits (B, S, vocabulary), with `labels` a loss."""
        embeddings = self.embed(input_ids, input_features, input_features_mask)
        return self.language_model(inputs_embeds=embeddings, attention_mask=attention_mask, **kwargs)

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: torch.Tensor,
        input_features: torch.Tensor,
        input_features_mask: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Token ids of the transcripts, without the prompt: what `generate` of the language model gives.

        Each utterance may have as many tokens as its length allows (`tokens_per_second`, `spare_tokens` of the
        configuration), unless `max_new_tokens`, `max_length` or `generation_config` says otherwise.
        """
        if not kwargs.keys() & {"max_new_tokens", "max_length", "generation_config"}:
            lengths = lengths_of(input_features, input_features_mask)
            limits = (lengths * (self.config.tokens_per_second / 100)).long() + self.config.spare_tokens
            kwargs["max_new_tokens"] = int(limits.max())
            kwargs["stopping_criteria"] = StoppingCriteriaList(
                [*(kwargs.get("stopping_criteria") or []), LengthLimits(limits)]
            )
        self.language_model.generation_config = self.generation_config
        embeddings = self.embed(input_ids, input_features, input_features_mask)
        # Given embeddings alone, the language model returns new tokens only.
        return self.language_model.generate(inputs_embeds=embeddings, attention_mask=attention_mask, **kwargs)


class LengthLimits(StoppingCriteria):
    """A limit of new tokens for each utterance of a batch.

    :param limits: (B,) int64.
    """

    def __init__(self, limits: torch.Tensor):
        self.limits = limits

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        """True for the rows that may not grow; an utterance has several with beams or several answers."""
        rows = self.limits.to(input_ids.device).repeat_interleave(len(input_ids) // len(self.limits))
        return rows <= input_ids.shape[1]
