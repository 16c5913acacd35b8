"""Samples to all that the speech LLM takes, and its tokens to text."""

from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, ProcessorMixin


class EarmarkProcessor(ProcessorMixin):
    """Feature extractor and tokenizer, with the instruction of training around the speech (paper Eq. 4).

    :param prompt: the instruction. :param speech_token: stands for one speech embedding.
    :param downsample: encoder frames (40 ms) an embedding.
    """

    def __init__(
        self,
        feature_extractor: Any,
        tokenizer: Any,
        prompt: str = "",
        speech_token: str = "<speech>",
        downsample: int = 4,
        chat_template: str | None = None,
    ):
        self.prompt, self.speech_token, self.downsample = prompt, speech_token, downsample
        super().__init__(feature_extractor, tokenizer, chat_template=chat_template)

    def __call__(
        self, audio: Any, sampling_rate: int | None = None, trim: bool | None = None, **kwargs: Any
    ) -> BatchFeature:
        """Inputs of the model for one or several recordings; rows are padded on the left, features on the right.

        :param audio: samples in [-1, 1] at 16 kHz, (N,), or a list of such. :param sampling_rate: is checked.
        :param trim: cut off silence at both ends; None: as training did. False for what `pieces` gives.
        :raises ValueError: another rate, several channels, too short, or too long.
        """
        inputs = self.feature_extractor(audio, sampling_rate=sampling_rate, trim=trim)
        before, after = self._instruction()
        speech = self.tokenizer.convert_tokens_to_ids(self.speech_token)
        rows = [
            [*before, *[speech] * self._embeddings(frames), *after]
            for frames in inputs["input_features_mask"].sum(1).tolist()
        ]
        longest = max(map(len, rows))
        pad = self.tokenizer.pad_token_id
        inputs["input_ids"] = torch.tensor([[pad] * (longest - len(row)) + row for row in rows])
        inputs["attention_mask"] = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        return inputs

    def pieces(self, audio: Any) -> list[np.ndarray]:
        """A recording of any length as pieces that the model takes: see the feature extractor."""
        return self.feature_extractor.pieces(audio)

    def batch_decode(self, tokens: Any, **kwargs: Any) -> list[str]:
        """Texts of the rows that `generate` gives."""
        return self.tokenizer.batch_decode(tokens, **{"skip_special_tokens": True} | kwargs)

    def _instruction(self) -> tuple[list[int], list[int]]:
        """Token ids before and after the speech."""
        text = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": self.prompt + self.speech_token}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
        )
        before, after = text.split(self.speech_token)
        return (
            self.tokenizer.encode(before, add_special_tokens=False),
            self.tokenizer.encode(after, add_special_tokens=False),
        )

    def _embeddings(self, frames: int) -> int:
        """Speech embeddings (160 ms) of so many feature frames (10 ms)."""
        return max(1, (frames + 3) // 4 // self.downsample)
