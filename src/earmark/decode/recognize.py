"""Features in, text out: the trained speech LLM, or encoder and CTC head alone."""

from pathlib import Path
from typing import Any, NamedTuple

import torch

from earmark.config import Config
from earmark.decode.ctc import ctc_greedy
from earmark.decode.search import beam, greedy
from earmark.errors import TextError
from earmark.models.build import build_ctc_head, build_encoder, build_speech_llm, load_weights
from earmark.models.ctc_head import CTCHead
from earmark.models.device import device
from earmark.models.done import read_done
from earmark.models.encoder import ConformerEncoder
from earmark.models.llm import check_vocabulary
from earmark.models.speech_llm import SpeechLLM
from earmark.text.inventory import Inventory
from earmark.text.normalise import normalise

SPARE_TOKENS = 8
"""Tokens that an output may have besides those that its length allows."""


class Transcript(NamedTuple):
    """What was heard: text as the model wrote it, normalised text ("" when nothing is left), log-probability."""

    raw: str
    text: str
    score: float | None


class Recognizer:
    """A speech LLM with its tokenizer."""

    def __init__(self, model: SpeechLLM, tokenizer: Any, config: Config):
        self.model, self.tokenizer, self.config = model.eval(), tokenizer, config

    @classmethod
    def load(cls, config: Config, done: Path, llm_done: Path) -> "Recognizer":
        """The model that a segment's done.json describes."""
        model, tokenizer = build_speech_llm(config, llm_done)
        described = read_done(done)
        check_vocabulary(done, described, tokenizer)
        weights = described["weights"]
        for name, module in (("encoder", model.encoder), ("adaptor", model.adaptor), ("llm", model.llm)):
            load_weights(module, weights[name])
        return cls(model.to(device()), tokenizer, config)

    @torch.no_grad()
    def transcribe(
        self, features: torch.Tensor, lengths: torch.Tensor, languages: list[str], beams: int
    ) -> list[Transcript]:
        """Normalised features (B, T, n_mels) and their lengths (B,) -> transcripts."""
        speech, speech_lengths = self.model.embed(features.to(self.model.before.device), lengths)
        spliced = self.model.splice(speech, speech_lengths)
        prompt_lengths = spliced.mask.sum(dim=1)
        limits = (lengths * (self.config.decoding.tokens_per_second / 100)).long() + SPARE_TOKENS
        end = self.tokenizer.eos_token_id
        scores: list[float | None]
        if beams == 1:
            found = greedy(self.model.llm, spliced.embeddings, prompt_lengths, end, limits)
            scores = [None] * len(found)
        else:
            hypotheses = beam(self.model.llm, spliced.embeddings, prompt_lengths, end, limits, beams=beams)
            found = [one.tokens for one in hypotheses]
            scores = [one.score for one in hypotheses]
        texts = self.tokenizer.batch_decode(found, skip_special_tokens=True)
        return [
            Transcript(raw, clean(raw, language), score)
            for raw, language, score in zip(texts, languages, scores, strict=True)
        ]


class PhoneRecognizer:
    """Encoder and CTC head: the paper's second form of deployment."""

    def __init__(self, encoder: ConformerEncoder, head: CTCHead, inventory: Inventory):
        self.encoder, self.head, self.inventory = encoder.eval(), head.eval(), inventory

    @classmethod
    def load(cls, config: Config, done: Path, inventory: Inventory) -> "PhoneRecognizer":
        """What a pretraining segment's done.json describes."""
        encoder, head = build_encoder(config), build_ctc_head(config, len(inventory))
        weights = read_done(done)["weights"]
        load_weights(encoder, weights["encoder"])
        load_weights(head, weights["ctc_head"])
        return cls(encoder.to(device()), head.to(device()), inventory)

    @torch.no_grad()
    def transcribe(self, features: torch.Tensor, lengths: torch.Tensor) -> list[list[str]]:
        """Phones of each utterance by best path."""
        at = next(self.encoder.parameters()).device
        encoded, encoded_lengths = self.encoder(features.to(at), lengths)[:2]
        return [self.inventory.decode(ids) for ids in ctc_greedy(self.head(encoded), encoded_lengths)]


def clean(text: str, language: str) -> str:
    """Normalised text; "" where nothing is left of it."""
    try:
        return normalise(text, language)
    except TextError:
        return ""
