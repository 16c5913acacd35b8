"""Memory of a training process, planned before there is a GPU: what ZeRO-2 shards, and what a batch's activations take.

1. weights, gradients and optimizer states are counted, as DeepSpeed's ZeRO-2 holds them (Rajbhandari et al., 2020)
2. the stage's own modules go forward and backward over a batch of its frame budget (`activations`)
3. the fullest moment counts: in the backward pass, or in the optimizer's step

Not in it: the CUDA context (0.5 to 1 GB), NCCL's buffers, fragmentation, workspaces inside kernels, and the float32
copy of the weights while a process starts.
"""

from typing import Any, NamedTuple

import torch
from torch import nn

from earmark.config import Config, Stage
from earmark.models.adaptor import Adaptor
from earmark.models.build import N_MELS
from earmark.models.ctc_head import CTCHead
from earmark.models.decoder import AttentionDecoder
from earmark.models.encoder import ConformerEncoder
from earmark.models.llm import checkpoint_activations
from earmark.models.quantizer import QuantizerHead
from earmark.plan.activations import Shape, activations

BUCKET = 500_000_000
"""Gradients that DeepSpeed reduces at a time: a buffer of so many numbers (its default)."""


class Memory(NamedTuple):
    """Bytes of one process."""

    weights: int
    optimizer: int
    """Master copies and Adam's moments."""
    earlier: int
    """Gradients of the step's batches before this one."""
    gradients: int
    """Gradients of this batch, as far as they are this process's."""
    bucket: int
    """Where DeepSpeed collects gradients before it reduces them."""
    activations: int
    """Most that the backward pass waits for and works with at a time."""
    step: int
    """What the optimizer's step needs besides: flat gradients, and as float32."""

    @property
    def total(self) -> int:
        """The fullest of three moments: the backward pass begins, it ends, the optimizer's step."""
        moments = (
            self.earlier + self.bucket + self.activations,
            self.earlier + self.bucket + self.gradients,
            self.gradients + self.step,
        )
        return self.weights + self.optimizer + max(moments)


def plan_memory(
    config: Config, stage: Stage, llm: "nn.Module | None", labels: int, world: int, shape: Shape, device: str = "meta"
) -> Memory:
    """Memory of each of `world` processes that train `stage` on batches of `shape`.

    :param llm: the language model (its weights are not used); None in pretraining. :param labels: CTC's symbols.
    :param device: meta, or cpu to run the batch with this machine's kernels.
    """
    modules = _modules(config, stage, llm, labels, device)
    everything = sum(one.numel() for module in modules.values() for one in module.parameters())
    trained = sum(one.numel() for name in stage.trained for one in modules[name].parameters())
    size = 2 if config.precision == "bfloat16" else 4
    live = activations(modules, stage, config, shape, device)
    before = 1 if stage.accumulation > 1 else 0
    if world == 1 and config.precision == "float32":  # Adam itself, without a DeepSpeed optimizer around it
        return Memory(4 * everything, 8 * trained, 4 * trained * before, 4 * trained, 0, live, 0)
    share, each = -(-trained // world), 2 if config.precision == config.gradients == "bfloat16" else 4
    return Memory(
        weights=size * everything,
        optimizer=12 * share,
        earlier=each * share * before,
        gradients=each * share,
        bucket=each * BUCKET,
        activations=live,
        step=each * share + (4 * share if each != 4 else 0),
    )


def _modules(config: Config, stage: Stage, llm: "nn.Module | None", labels: int, device: str) -> dict[str, nn.Module]:
    settings = config.encoder
    dtype = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
    with torch.device(device):
        encoder = ConformerEncoder(
            N_MELS, settings.n_layers, settings.n_heads, settings.d_model, settings.kernel_size, settings.dropout
        )
        encoder.checkpointing = stage.activation_checkpointing
        modules: dict[str, nn.Module] = {"encoder": encoder}
        if stage.loss == "next_token":
            assert llm is not None
            width: Any = llm.config
            modules["adaptor"] = Adaptor(settings.d_model, width.hidden_size, config.adaptor.downsample)
            modules["llm"] = llm
        if stage.loss in ("ctc", "cr_ctc", "hybrid"):
            modules["ctc_head"] = CTCHead(settings.d_model, labels)
        if stage.loss in ("aed", "hybrid"):
            size = config.decoder
            modules["decoder"] = AttentionDecoder(labels, size.n_layers, size.n_heads, settings.d_model, size.dropout)
        if stage.loss == "best_rq":
            modules["quantizer_head"] = QuantizerHead(settings.d_model, config.best_rq.codebook_size)
    for name, module in modules.items():
        module.to(dtype).requires_grad_(name in stage.trained).train(name in stage.trained)
    if "llm" in modules:
        model: Any = modules["llm"]
        model.activation_checkpointing_disable()
        if stage.activation_checkpointing:
            checkpoint_activations(model)
            for layer in model.model.layers:
                layer.training = True
    return modules
