"""Settings of labels and shards."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, model_validator

from earmark.config.base import Section


class Text(Section):
    """Labels."""

    inventory: Path | None = None
    """Inventory, one phone (or character) a line; none: the packaged one of `targets`."""
    targets: Literal["phones", "characters"] = "phones"
    """What the CTC head learns; characters are the paper's comparison (section 3.5)."""
    stress: Literal["stripped", "kept"] = "stripped"
    """English stress marks: left out, or symbols of their own before the vowel."""
    lexicon: Path | None = None
    """TSV with your own pronunciations (word, tab, phones), for words that are read wrong; none: the libraries'."""

    @model_validator(mode="after")
    def _phones_only(self) -> "Text":
        if self.targets == "characters" and (self.lexicon or self.stress == "kept"):
            raise ValueError("targets: characters have neither stress nor pronunciations: leave out stress and lexicon")
        return self


class Shards(Section):
    """Limits of what is kept, and the size of shards."""

    min_seconds: PositiveFloat = 0.2
    """Shorter utterances are set aside."""
    max_seconds: Annotated[float, Field(gt=0, le=200)] = 30.0
    """Longer utterances are set aside; at most 200, for which the encoder has positions (5,000 of 40 ms)."""
    min_labels_per_second: Annotated[float, Field(ge=0)] = 0.3
    """Fewer phones or characters a second mean that words are missing in the transcript: set aside."""
    max_labels_per_second: PositiveFloat = 24.0
    """More phones or characters a second cannot be spoken; an encoder frame each would be 25."""
    hours: Annotated[float, Field(ge=0.001)] = 20.0
    """Hours of speech in a shard at most, before silence is trimmed; a part's shards are about equally long."""

    @model_validator(mode="after")
    def _ranges(self) -> "Shards":
        for what in ("seconds", "labels_per_second"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if low >= high:
                raise ValueError(f"min_{what} {low} is not below max_{what} {high}: nothing would be kept; change one")
        return self
