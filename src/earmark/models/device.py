"""Where a job that runs a model computes, and in which precision."""

import torch
from torch import nn


def device() -> torch.device:
    """A GPU, if this process has one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision_of(training: str) -> torch.dtype:
    """bfloat16 on a GPU where the run was trained in it; float32 else: a CPU is no faster with less."""
    return torch.bfloat16 if training == "bfloat16" and device().type == "cuda" else torch.float32


def placed(module: nn.Module, training: str) -> nn.Module:
    """The module there, in evaluation mode. :param training: `precision` of the configuration."""
    return module.to(device(), precision_of(training)).eval()
