"""Encoder and CTC head, the paper's second form of deployment, as a model of transformers."""

from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from earmark.export.hub.configuration_earmark import EarmarkCTCConfig
from earmark.export.hub.masks import lengths_of
from earmark.models.ctc_head import CTCHead
from earmark.models.encoder import ConformerEncoder, subsampled_lengths


class EarmarkForCTC(PreTrainedModel):
    """Phones of speech: takes what the processor gives."""

    config_class = EarmarkCTCConfig
    main_input_name = "input_features"

    def __init__(self, config: EarmarkCTCConfig):
        super().__init__(config)
        self.encoder = ConformerEncoder(**config.encoder)
        self.ctc_head = CTCHead(config.encoder["d_model"], config.vocab_size)
        self.post_init()

    def forward(
        self, input_features: torch.Tensor, input_features_mask: torch.Tensor | None = None, **kwargs: Any
    ) -> CausalLMOutput:
        """Features (B, T, n_mels) to logits (B, ceil(T / 4), vocabulary), a frame each 40 ms.

        :param input_features_mask: (B, T), 1 where a frame is speech; None: everywhere. Logits of frames that are not
            speech are meaningless.
        """
        encoded, _ = self.encoder(input_features, lengths_of(input_features, input_features_mask))
        return CausalLMOutput(logits=self.ctc_head(encoded))

    @torch.no_grad()
    def generate(
        self, input_features: torch.Tensor, input_features_mask: torch.Tensor | None = None, **kwargs: Any
    ) -> torch.Tensor:
        """Most probable symbol of each frame, (B, ceil(T / 4)), the blank where a frame is not speech.

        `processor.batch_decode` merges repeats and drops blanks.
        """
        symbols = self(input_features, input_features_mask).logits.argmax(-1)
        lengths = subsampled_lengths(lengths_of(input_features, input_features_mask))
        beyond = torch.arange(symbols.shape[1], device=symbols.device) >= lengths[:, None]
        return symbols.masked_fill(beyond, self.config.pad_token_id)
