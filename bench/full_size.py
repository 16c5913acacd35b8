"""The paper's model at full size on a CPU: built in bfloat16 with random weights, one step of alignment, one decoding.

`python bench/full_size.py [SECONDS]` (of audio; default 3) prints parameters, seconds, and the most memory used.
Needs about 8 GB. No weights and no tokenizer are needed: tokens are numbers here.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from earmark.config import load
from earmark.data.dataset import Batch
from earmark.decode.search import beam
from earmark.models.adaptor import Adaptor
from earmark.models.encoder import ConformerEncoder
from earmark.models.qwen3 import build_published
from earmark.models.speech_llm import SpeechLLM
from earmark.train.engine import Engine
from earmark.train.tasks import Moment, NextTokenTask

REPOSITORY = Path(__file__).resolve().parents[1]
TOKENS = 8
"""Tokens that are decoded: random weights would never end."""


class Tokenizer:
    """A character is a token."""

    eos_token_id = 151_645

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        return [ord(character) for character in text]


def most_memory() -> float:
    """Peak resident memory of this process, GB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e9 for line in lines if line.startswith("VmHWM:"))


def build(config: Any) -> SpeechLLM:
    """Encoder, adaptor and Qwen3-1.7B in bfloat16 from the start: no float32 copy is ever made."""
    torch.manual_seed(config.seed)
    torch.set_default_dtype(torch.bfloat16)
    one = config.encoder
    encoder = ConformerEncoder(80, one.n_layers, one.n_heads, one.d_model, one.kernel_size, one.dropout)
    llm = build_published("Qwen3-1.7B")
    adaptor = Adaptor(one.d_model, llm.config.hidden_size, config.adaptor.downsample)
    torch.set_default_dtype(torch.float32)
    return SpeechLLM(encoder, adaptor, llm, list(range(10)), list(range(9)))


def step(model: SpeechLLM, config: Any, batch: Batch) -> dict[str, float]:
    """One update of alignment through the engine, as training makes it."""
    stage = config.stages.align.model_copy(update={"accumulation": 1})
    task = NextTokenTask(model, Tokenizer(), stage)
    engine = Engine(task, stage, "bfloat16")
    task.train()
    before = model.adaptor.linear1.weight.detach().clone()
    loss = engine(batch, Moment(1, "align", 0, 0, 0)).value
    engine.backward(loss)
    engine.step(stage.peak_rate)
    assert not torch.equal(before, model.adaptor.linear1.weight), "the adaptor has not moved"
    return {"loss": float(loss.detach()), "gradient_norm": engine.gradient_norm()}


@torch.no_grad()
def decode(model: SpeechLLM, batch: Batch) -> list[int]:
    """Tokens of beam 3."""
    model.eval()
    speech, lengths = model.embed(batch.features, batch.lengths)
    spliced = model.splice(speech, lengths)
    return beam(model.llm, spliced.embeddings, spliced.mask.sum(dim=1), 151_645, TOKENS, beams=3)[0].tokens


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    config = load(REPOSITORY / "config" / "paper.yaml")
    frames = int(seconds * 100)
    batch = Batch(
        ["one"],
        torch.randn(1, frames, 80),
        torch.tensor([frames]),
        torch.tensor([[1]]),
        torch.tensor([1]),
        ["transcript"],
        ["en"],
    )
    found: dict[str, Any] = {"audio_seconds": seconds, "threads": torch.get_num_threads()}
    started = time.perf_counter()
    model = build(config)
    parts = {"encoder": model.encoder, "adaptor": model.adaptor, "llm": model.llm}
    found["parameters"] = {name: sum(one.numel() for one in part.parameters()) for name, part in parts.items()}
    found["parameters"]["all"] = sum(found["parameters"].values())
    for name, work in (
        ("build", lambda: None),
        ("align_step", lambda: found.update(step(model, config, batch))),
        ("decode", lambda: found.update(tokens=len(decode(model, batch)))),
    ):
        work()
        now = time.perf_counter()
        found[name] = {"seconds": round(now - started, 1), "peak_gb": round(most_memory(), 2)}
        started = now
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
