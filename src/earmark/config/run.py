"""Settings of a run: all sections, and what has to agree between them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from earmark.config.base import Fraction, Name, Section, Seed
from earmark.config.corpora import Corpus
from earmark.config.evaluation import Decoding, Evaluation
from earmark.config.labels import Shards, Text
from earmark.config.training import (
    TRAINS,
    Adaptor,
    BestRQ,
    Decoder,
    Encoder,
    SmallLLM,
    Stage,
    Stages,
    Validation,
    Watch,
)
from earmark.config.variants import PostTraining, Shares
from earmark.errors import ConfigError
from earmark.paths import RunPaths


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
    valid: Validation = Validation()
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
    gradients: Literal["float32", "bfloat16"] = "float32"
    """With precision bfloat16: type in which gradients are accumulated and reduced over processes. In bfloat16, small
    ones are lost beside large ones."""
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
        there += [f"mean of {scenario}" for scenario in dict.fromkeys([*(test.scenario for test in tests), "all"])]
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
