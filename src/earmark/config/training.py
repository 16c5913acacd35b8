"""Settings of the models, the four stages and the CKA watch."""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from earmark.config.base import Fraction, Section

Module = Literal["encoder", "ctc_head", "decoder", "quantizer_head", "adaptor", "llm"]
TRAINS: dict[str, tuple[str, set[str]]] = {
    "ctc": ("CTC", {"encoder", "ctc_head"}),
    "cr_ctc": ("CR-CTC", {"encoder", "ctc_head"}),
    "aed": ("AED", {"encoder", "decoder"}),
    "hybrid": ("CTC + AED", {"encoder", "ctc_head", "decoder"}),
    "best_rq": ("Best-RQ", {"encoder", "quantizer_head"}),
    "next_token": ("next-token prediction", {"encoder", "adaptor", "llm"}),
}
"""Each objective's name for people, and the modules that it can train."""


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
    """Initial encoder weights (safetensors with FireRedASR's keys, as `earmark import` writes them); none: random."""
    cmvn: Path | None = None
    """Mean and deviation that features are normalised by, if `weights` were trained on others than this run's:
    cmvn.json of `earmark import`, or another run's dataset.json; none: those of the training split."""

    @model_validator(mode="after")
    def _shapes(self) -> "Encoder":
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} is not a multiple of n_heads {self.n_heads}: change one")
        if self.d_model % 2:
            raise ValueError(f"d_model {self.d_model} is odd: use an even one, half of it is sines and half cosines")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size {self.kernel_size} is even: use an odd one")
        return self


class Adaptor(Section):
    """Frame concatenation and two linear layers (section A.2)."""

    downsample: PositiveInt = 4
    """Consecutive frames concatenated: 25 Hz -> 6.25 Hz."""


class Decoder(Section):
    """Attention decoder of AED and hybrid pretraining (Eqs. 38, 39), laid out as FireRedASR-AED's.

    It is as wide as the encoder, and writes the targets of `text`.
    """

    n_layers: PositiveInt = 16
    """Transformer layers."""
    n_heads: PositiveInt = 20
    """Attention heads."""
    dropout: Fraction = 0.1
    """Dropout probability."""
    ctc_weight: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Hybrid: lambda, the share of CTC (Eq. 39); 0.3 as in the public recipes of ESPnet and WeNet."""


class BestRQ(Section):
    """Best-RQ pretraining (Eq. 40; Chiu et al., 2022): masked frames' codes in a random codebook are to be told."""

    codebook_size: PositiveInt = 8192
    """Codes."""
    codebook_dim: PositiveInt = 16
    """Dimension of a code, and of the random projection of four stacked frames (40 ms)."""
    mask_probability: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Probability that a masked span begins at a frame of 10 ms; every utterance has one span at least."""
    mask_frames: PositiveInt = 40
    """Length of a masked span, frames of 10 ms; a multiple of 4, since encoder frames are masked as a whole."""
    noise: Annotated[float, Field(ge=0)] = 0.1
    """Deviation of the noise in the place of masked features, whose own is 1."""

    @model_validator(mode="after")
    def _whole_frames(self) -> "BestRQ":
        if self.mask_frames % 4:
            raise ValueError(f"mask_frames {self.mask_frames} is not a multiple of 4: encoder frames are masked whole")
        return self


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
    """Learning rate after warm-up, of Muon and Adam."""
    latin_vocabulary: PositiveInt = 400
    """Upper bound of merged pieces for Latin script."""
    texts: list[Literal["hsk_sentences", "jieba_words"]] = []
    """Further text besides the training transcripts, from PyPI packages: the sentences of hsk-sentences-audio, and
    jieba's 40,000 most frequent words of two to four characters."""

    @model_validator(mode="after")
    def _shapes(self) -> "SmallLLM":
        if self.hidden_size % (2 * self.n_heads):
            raise ValueError(
                f"hidden_size {self.hidden_size} is not a multiple of twice n_heads {self.n_heads}: change one "
                "(a head's rotary positions take an even width)"
            )
        return self


# ---------------------------------------------------------------------------- stages

Beta = Annotated[float, Field(ge=0, lt=1)]


class SpecAugment(Section):
    """Masks drawn for each view, as lhotse's SpecAugment draws them; by default those of CR-CTC's recipe in icefall.

    An utterance of T frames has `min(time_masks, ceil(time_fraction T / time_width))` time masks, whose widths are
    drawn below `min(time_width, time_fraction T / their number)`: 4 masks below 0.93 s in 10 s, one below 0.37 s in
    1 s.
    """

    mask_probability: Fraction = 0.9
    """Probability that a view has masks at all."""
    freq_masks: int = Field(2, ge=0)
    """Number of frequency masks."""
    freq_width: PositiveInt = 27
    """Bound of a frequency mask's width, mel bins: 0 to 26 are drawn, all alike."""
    time_masks: int = Field(25, ge=0)
    """Bound of the number of time masks; 25 is the usual 10 times CR-CTC's ratio of 2.5."""
    time_width: PositiveInt = 100
    """Bound of a time mask's width, frames of 10 ms: 0 to 99 are drawn, all alike."""
    time_fraction: Fraction = 0.375
    """Bound of the part of an utterance that its time masks cover; 0.375 is the usual 0.15 times that ratio."""
    level_shift: float = Field(0.0, ge=0)
    """Largest shift of an utterance's level, up or down: a gain in units of the log-mel energies' deviation, shared
    by both views. 0 in the paper."""
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
    loss: Literal["ctc", "cr_ctc", "aed", "hybrid", "best_rq", "next_token"]
    """Objective: of pretraining one of the first five (section B.4), of all else next_token."""
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
    activation_checkpointing: bool = False
    """Keep a block's input only and compute its activations again in the backward pass: a third more time, far less
    memory. For encoder and LLM wherever gradients pass through them."""
    average_last: PositiveInt | None = None
    """At the stage's end: the mean of its last so many checkpoints is what the next stage, diagnosis and evaluation
    take; none: the last one."""
    patience: PositiveInt | None = None
    """The stage stops when its validation loss has not improved for so many checkpoints (segments), and hands on the
    best one; none: all steps. 3 in the paper's section 4.5."""
    packing: bool = False
    """Put the utterances of a batch one behind the other in the LLM, without padding; the loss is the same. Meant for
    FlashAttention-2: other attention computes a block-diagonal mask over the whole row."""
    clip: PositiveFloat = 5.0
    """Largest gradient norm."""
    spike: Annotated[float, Field(gt=1)] | None = None
    """A loss above this many times the median of the last 100 steps, or a loss or gradient that is no number, makes no
    update, and its utterances are named in the log and in metrics.parquet; none: no guard, what is no number ends the
    segment."""
    spikes_in_a_row: PositiveInt = 5
    """So many spikes in a row end the segment."""
    betas: tuple[Beta, Beta] = (0.9, 0.98)
    """Adam's moments."""
    augment: SpecAugment | None = None
    """Feature augmentation; none: clean features."""
    short_first: ShortFirst | None = None
    """Curriculum by length; none: all utterances from the first step."""
    consistency_scale: float = Field(0.2, ge=0)
    """CR-CTC: weight of the consistency term."""
    consistency_warmup: int = Field(2000, ge=0)
    """CR-CTC: steps over which that weight grows from 0. Ours, not of the paper or icefall; 0: none."""
    consistency_from: int = Field(0, ge=0)
    """CR-CTC: before this step one view and plain CTC."""

    @model_validator(mode="after")
    def _fits(self) -> "Stage":
        name, modules = TRAINS[self.loss]
        if not set(self.trained) <= modules:
            listed = " and ".join(one for one in get_args(Module) if one in modules)
            raise ValueError(f"trained {self.trained} with loss {self.loss}: {name} trains {listed} only")
        if self.loss == "best_rq" and self.augment:
            raise ValueError("augment with loss best_rq: it masks features itself; leave out augment")
        if self.packing and self.loss != "next_token":
            raise ValueError(f"packing with loss {self.loss}: it packs what the LLM reads; use it with next_token")
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
            raise ValueError("pretrain.loss next_token: pretraining takes ctc, cr_ctc, aed, hybrid or best_rq")
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


class Validation(Section):
    """What is measured at each segment's end, and decides `patience`."""

    utterances: PositiveInt = 1000
    """Validation utterances, spread evenly over corpora and languages; all where there are no more. The processes of a
    training share them."""


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
    """Validation utterances that scores are computed on, spread evenly over corpora and languages."""
