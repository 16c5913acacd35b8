"""Samples to what encoder and CTC head take, and their symbols to phones."""

from itertools import groupby
from typing import Any

import numpy as np
from transformers import BatchFeature, ProcessorMixin


class EarmarkCTCProcessor(ProcessorMixin):
    """Feature extractor, and the inventory of phones as a tokenizer (a token a phone, separated by spaces)."""

    def __init__(self, feature_extractor: Any, tokenizer: Any):
        super().__init__(feature_extractor, tokenizer)

    def __call__(
        self, audio: Any, sampling_rate: int | None = None, trim: bool | None = None, **kwargs: Any
    ) -> BatchFeature:
        """Features and their mask: see the feature extractor."""
        return self.feature_extractor(audio, sampling_rate=sampling_rate, trim=trim)

    def pieces(self, audio: Any) -> list[np.ndarray]:
        """A recording of any length as pieces that the model takes: see the feature extractor."""
        return self.feature_extractor.pieces(audio)

    def batch_decode(self, symbols: Any, **kwargs: Any) -> list[str]:
        """Phones of rows of symbols a frame: repeats merged, then blanks dropped (the B of paper Eqs. 36-37)."""
        blank = self.tokenizer.pad_token_id
        merged = ([symbol for symbol, _ in groupby(map(int, row)) if symbol != blank] for row in symbols)
        return [" ".join(self.tokenizer.convert_ids_to_tokens(row)) for row in merged]
