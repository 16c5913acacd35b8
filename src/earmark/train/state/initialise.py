"""Initialisation: a stage's modules with the weights that they have before anything is handed over."""

from pathlib import Path

from torch import nn

from earmark.config import Config
from earmark.models.build import (
    build_ctc_head,
    build_decoder,
    build_encoder,
    build_quantizer,
    build_quantizer_head,
    build_speech_llm,
)
from earmark.models.llm import attention
from earmark.text.inventory import Inventory
from earmark.train.place import Place
from earmark.train.tasks import CTCTask, NextTokenTask, Task
from earmark.train.variants import AEDTask, BestRQTask


def build_task(config: Config, place: Place, inventory: Inventory, llm_done: Path) -> Task:
    """The stage's modules with their initial weights: pretrained ones where the configuration names them, else random.

    The same configuration gives the same bits. What the stage does not train is frozen.
    """
    stage, labels = place.stage, len(inventory)
    if stage.loss == "next_token":
        model, tokenizer = build_speech_llm(config, llm_done)
        model.llm.set_attn_implementation(attention(config.precision))
        return NextTokenTask(model, tokenizer, stage)
    encoder = build_encoder(config)
    if stage.loss == "best_rq":
        return BestRQTask(encoder, build_quantizer_head(config), build_quantizer(config), config.best_rq, stage)
    if stage.loss in ("aed", "hybrid"):
        head = build_ctc_head(config, labels) if stage.loss == "hybrid" else None
        return AEDTask(encoder, build_decoder(config, labels), head, config.decoder.ctc_weight, stage)
    return CTCTask(encoder, build_ctc_head(config, labels), stage)


def modules_of(task: nn.Module) -> dict[str, nn.Module]:
    """Modules by the name that configuration and files give them."""
    assert isinstance(task, Task)
    return task.parts()


def parameters(module: nn.Module, trained: bool = False) -> int:
    """Number of parameters; `trained`: of those that receive updates only."""
    return sum(one.numel() for one in module.parameters() if one.requires_grad or not trained)


def what_trains(task: nn.Module, place: Place) -> list[str]:
    """A line a module: that it trains or is frozen, and its parameters; then how many parameters train in all."""
    lines = []
    for name, module in modules_of(task).items():
        verb = "trains" if name in place.stage.trained else "is frozen"
        lines.append(f"{place.instance}: {name} {verb} ({parameters(module):,} parameters)")
    return [*lines, f"{place.instance}: {parameters(task, trained=True):,} of {parameters(task):,} parameters train"]
