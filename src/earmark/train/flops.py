"""Model FLOPs utilisation (MFU): what a step has to compute, over what the device could have computed in its time.

    MFU = FLOPs of the step's utterances / (seconds of the step x peak FLOP/s of the device)

(Chowdhery et al., "PaLM", 2022, appendix B.) FLOPs are those of the matrix products and convolutions that the model
needs for the valid frames and tokens: 2 for a multiplication with its addition. Padding, activations that are computed
again, norms and the optimizer do not count, so waste lowers the figure. A backward pass costs twice the forward pass
where weights are trained, once where gradients only pass through a frozen module, and nothing before the first trained
one.

L encoder frames of width D a Conformer block: 52 L D^2 (two feed-forward nets 32, projections 8, pointwise convolutions
12), 6 L^2 D (content, distance, mix), 4 L D k (depthwise convolution), and 2 (2 L - 1) D^2 for the distances' keys,
once a batch.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from earmark.data.dataset import Batch
from earmark.models.adaptor import Adaptor
from earmark.models.ctc_head import CTCHead
from earmark.models.encoder import ConformerEncoder
from earmark.train.tasks import CTCTask, NextTokenTask, Task

PEAKS = {
    ("H100", "bfloat16"): 989e12,
    ("H100 PCIe", "bfloat16"): 756e12,
    ("H100 NVL", "bfloat16"): 835e12,
    ("H200", "bfloat16"): 989e12,
    ("GH200", "bfloat16"): 989e12,
    ("A100", "bfloat16"): 312e12,
    ("L40S", "bfloat16"): 362e12,
    ("A10", "bfloat16"): 125e12,
    ("A10G", "bfloat16"): 70e12,
    ("RTX 4090", "bfloat16"): 165e12,
    ("H100", "float32"): 67e12,
    ("H100 PCIe", "float32"): 51e12,
    ("H100 NVL", "float32"): 60e12,
    ("H200", "float32"): 67e12,
    ("GH200", "float32"): 67e12,
    ("A100", "float32"): 19.5e12,
    ("L40S", "float32"): 91.6e12,
    ("A10", "float32"): 31.2e12,
    ("A10G", "float32"): 35e12,
    ("RTX 4090", "float32"): 82.6e12,
}
"""FLOP/s of dense products by (whole words of the device's name, precision), from the makers' data sheets; float32 is
without TF32. The longest that fits counts."""


def peak_of(name: str, precision: str) -> float | None:
    """FLOP/s of the device called `name`; None: it is not in the table."""
    fitting = [
        (len(part), peak)
        for (part, precise), peak in PEAKS.items()
        if precise == precision and re.search(rf"\b{part}\b", name)  # an A10G is no A10
    ]
    return max(fitting)[1] if fitting else None


class Meter:
    """Counts a step's FLOPs on this process; `mfu` then says what share of the device's they are, and begins anew.

    :param peak: FLOP/s of the device.
    """

    def __init__(self, task: Task, peak: float):
        self.task, self.peak, self.flops = task, peak, 0.0

    def add(self, batch: Batch, step: int) -> None:
        """A batch that is trained on at `step` (from 0)."""
        self.flops += step_flops(self.task, batch, step) or 0.0

    def mfu(self, seconds: float) -> float:
        """Share of the device's peak that the step reached."""
        share = self.flops / (seconds * self.peak)
        self.flops = 0.0
        return share


def meter_for(task: Task, precision: str, peak_tflops: float | None) -> Meter | None:
    """A meter where there is a GPU whose peak is set or known, and a task whose FLOPs can be counted; else None."""
    if not torch.cuda.is_available() or not isinstance(task, CTCTask | NextTokenTask):
        return None
    known = peak_of(torch.cuda.get_device_name(), precision)
    peak = peak_tflops * 1e12 if peak_tflops else known
    return Meter(task, peak) if peak else None


def step_flops(task: Task, batch: Batch, step: int) -> float | None:
    """Forward and backward FLOPs of a batch; None: a task that is not counted (AED, Best-RQ)."""
    lengths = batch.lengths.tolist()
    if isinstance(task, CTCTask):
        views = 2 if task.stage.loss == "cr_ctc" and step >= task.stage.consistency_from else 1
        frames = encoder_frames(lengths * views)
        return trained_flops(
            task.stage.trained,
            [("encoder", encoder_flops(task.encoder, lengths * views)), ("ctc_head", head_flops(task.head, frames))],
        )
    if isinstance(task, NextTokenTask):
        texts = [len(task.tokenizer.encode(text, add_special_tokens=False)) + 1 for text in batch.texts]
        return next_token_flops(task, lengths, texts)
    return None


def trained_flops(trained: Sequence[str], forward: Sequence[tuple[str, float]]) -> float:
    """Forward and backward FLOPs of modules in a row, each with the FLOPs of its forward pass."""
    total, reached = 0.0, False
    for name, flops in forward:
        total += flops * (3 if name in trained else 2 if reached else 1)
        reached = reached or name in trained
    return total


def encoder_frames(lengths: Iterable[int]) -> list[int]:
    """Encoder frames (40 ms) of utterances, for their feature frames (10 ms)."""
    return [-(-length // 4) for length in lengths]


def encoder_flops(encoder: ConformerEncoder, lengths: Sequence[int]) -> float:
    """Forward FLOPs of the encoder for utterances of so many feature frames."""
    block: Any = encoder.layer_stack[0]
    width, kernel = encoder.input_preprocessor.out.out_features, block.conv.depthwise_conv.kernel_size[0]
    frames = encoder_frames(lengths)
    blocks = sum(52 * size * width**2 + 6 * size**2 * width + 4 * size * width * kernel for size in frames)
    distances = 2 * (2 * max(frames) - 1) * width**2
    return sum(map(_subsampling, lengths, [width] * len(frames))) + len(encoder.layer_stack) * (blocks + distances)


def _subsampling(length: int, width: int) -> float:
    """Two 3 x 3 convolutions of stride 2 over 80 mel bins into 32 planes, and a product into the encoder's width."""
    first = ((length + 6 - 3) // 2 + 1, 39)
    second = ((first[0] - 3) // 2 + 1, 19)
    convolutions = 2 * 9 * 32 * (first[0] * first[1] + 32 * second[0] * second[1])
    return convolutions + 2 * second[0] * 32 * 19 * width


def head_flops(head: CTCHead, frames: Sequence[int]) -> float:
    """Forward FLOPs of the CTC head."""
    return 2 * sum(frames) * _matrices(head)


def adaptor_flops(adaptor: Adaptor, frames: Sequence[int]) -> float:
    """Forward FLOPs of the adaptor for utterances of so many encoder frames."""
    return 2 * sum(max(1, size // adaptor.downsample) for size in frames) * _matrices(adaptor)


def next_token_flops(task: NextTokenTask, lengths: Sequence[int], texts: Sequence[int]) -> float:
    """Forward and backward FLOPs of utterances of so many feature frames and target tokens (the end among them)."""
    model, frames = task.model, encoder_frames(lengths)
    prompt = len(model.before) + len(model.after)
    speech = [max(1, size // model.adaptor.downsample) for size in frames]
    positions = [prompt + size + text for size, text in zip(speech, texts, strict=True)]
    forward = [
        ("encoder", encoder_flops(model.encoder, lengths)),
        ("adaptor", adaptor_flops(model.adaptor, frames)),
        ("llm", llm_flops(model.llm, positions, sum(texts))),
    ]
    return trained_flops(task.stage.trained, forward)


def llm_flops(llm: Any, positions: Sequence[int], predicted: int) -> float:
    """Forward FLOPs of Qwen3 for sequences of so many positions; logits are computed where a target is predicted.

    Attention counts in full, without the half that causality saves, as in PaLM.
    """
    settings = llm.config
    inner = settings.num_attention_heads * settings.head_dim
    attention = 4 * settings.num_hidden_layers * inner * sum(size**2 for size in positions)
    layers = 2 * sum(positions) * _matrices(llm.model.layers)
    return layers + attention + 2 * predicted * settings.hidden_size * settings.vocab_size


def _matrices(module: torch.nn.Module) -> int:
    """Weights that each position is multiplied with: those of the linear layers."""
    return sum(one.weight.numel() for one in module.modules() if isinstance(one, torch.nn.Linear))
