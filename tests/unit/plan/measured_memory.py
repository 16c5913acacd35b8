"""A program: train two steps as a stage does, print the most memory that they took; run in a process of its own.

Arguments: JSON with `sizes` (of the models), `stage`, `precision`, `shape` (utterances, frames), `labels`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from earmark.config import parse
from earmark.data.dataset import Batch
from earmark.models.build import build_adaptor, build_encoder
from earmark.models.speech_llm import SpeechLLM
from earmark.plan.activations import LABELS_PER_SECOND, PROMPT_TOKENS, TOKENS_PER_SECOND, Shape
from earmark.train.engine import Engine, _deepspeed
from earmark.train.place import Place
from earmark.train.state.initialise import build_task
from earmark.train.tasks import Moment, NextTokenTask

HEADS = {
    "ctc": ["ctc_head"],
    "aed": ["decoder"],
    "hybrid": ["ctc_head", "decoder"],
    "best_rq": ["quantizer_head"],
}


def configuration(case: dict[str, Any]) -> Any:
    """The settings of a case."""
    stage = {"frames_per_batch": 1, "peak_rate": 1e-4, "steps": 2, "segment_steps": 1, "accumulation": 2}
    trained = {"pretrain": ["encoder", "ctc_head"], "align": ["adaptor"], "ia_sft": ["adaptor", "llm"]}
    trained["joint"] = ["encoder", "adaptor", "llm"]
    loss = case.get("loss", "ctc")
    trained["pretrain"] = HEADS[loss] + ["encoder"]
    stages = {
        name: stage | {"trained": modules, "loss": loss if name == "pretrain" else "next_token"}
        for name, modules in trained.items()
    }
    for one in stages.values():
        one["activation_checkpointing"] = case.get("checkpointing", False)
    return parse(
        {
            "run": "measured",
            "corpora": [{"name": "none", "reader": "synthetic"}],
            "encoder": case["sizes"]["encoder"],
            "stages": stages,
            "watch": {"first_step": 1, "every": 1},
            "evaluation": {"tests": []},
            "precision": case["precision"],
            "decoder": {"n_layers": 2, "n_heads": 4},
        }
    )


def language_model(sizes: dict[str, Any]) -> Any:
    """A random Qwen3 of the case's size."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Qwen3ForCausalLM(Qwen3Config(**sizes["llm"]))


class Tokenizer:
    """Text of five characters a second is so many tokens."""

    eos_token_id = 1

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        """One token a character."""
        return [2] * len(text)


def batch(shape: Shape, labels: int) -> Batch:
    """Utterances of equal length."""
    B, tokens = shape.utterances, round(TOKENS_PER_SECOND * shape.frames / 100)
    phones = round(LABELS_PER_SECOND * shape.frames / 100)
    return Batch(
        ids=[str(number) for number in range(B)],
        features=torch.randn(B, shape.frames, 80),
        lengths=torch.full((B,), shape.frames),
        phones=torch.randint(1, labels, (B, phones)),
        phone_lengths=torch.full((B,), phones),
        texts=["x" * tokens] * B,
        languages=["zh"] * B,
    )


def memory(key: str) -> int:
    """VmRSS or VmHWM of this process, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


class Warm(torch.nn.Module):
    """A module with the layers of the models, next to nothing in size."""

    def __init__(self) -> None:
        super().__init__()
        self.plane, self.line = torch.nn.Conv2d(1, 8, 3, 2), torch.nn.Conv1d(8, 8, 3, groups=8)
        self.linear = torch.nn.Linear(8, 64)

    def forward(self, one: torch.Tensor) -> torch.Tensor:
        """A number of (1, 1, 32, 32)."""
        frames = self.line(self.plane(one).mean(3)).transpose(1, 2)
        return torch.nn.functional.log_softmax(self.linear(frames), 2).sum()


def warm_up(stage: Any, precision: str) -> None:
    """Load what the engine and kernels of this precision load once, which is no memory of a model."""
    engine = Engine(Warm(), stage, precision)
    one = torch.randn(1, 1, 32, 32, dtype=getattr(torch, precision))
    for _ in range(stage.accumulation):
        engine.backward(engine(one))
        engine.step(1e-4)


def main() -> None:
    """Print {"peak": bytes beyond what the libraries take, "left": no talk to other processes may outlive the work}."""
    case = json.loads(sys.argv[1])
    config, shape = configuration(case), Shape(*case["shape"])
    stage = getattr(config.stages, case["stage"])
    _deepspeed()
    import transformers.models.qwen3.modeling_qwen3  # noqa: F401

    warm_up(stage, config.precision)
    before = memory("VmRSS")
    if stage.loss == "next_token":
        llm = language_model(case["sizes"])
        model = SpeechLLM(
            build_encoder(config), build_adaptor(config, llm.config.hidden_size), llm, [3] * (PROMPT_TOKENS - 1), [4]
        )
        task: Any = NextTokenTask(model, Tokenizer(), stage)
    else:
        inventory = [None] * case["labels"]  # nothing but its size is asked for
        place = Place(config, "pretrain", stage.segment_steps, False)
        task = build_task(config, place, inventory, Path())  # type: ignore[arg-type]
    engine = Engine(task, stage, config.precision, config.gradients)
    task.train()
    one = batch(shape, case["labels"])
    for step in range(2):
        if step:
            Path("/proc/self/clear_refs").write_text("5")  # the peak of the second step, when all states are there
        for micro in range(stage.accumulation):
            engine.backward(engine(one, Moment(1, "x", step, micro, engine.rank)).value)
            engine.step(1e-4)
    peak = memory("VmHWM") - before
    engine.leave()
    if engine.rank == 0:
        print(json.dumps({"peak": peak, "left": engine.world == 1 or not torch.distributed.is_initialized()}))


if __name__ == "__main__":
    main()
