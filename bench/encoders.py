"""Our encoder and the public FireRedASR's (PyPI's fireredasr, Apache-2.0) with the same weights: speed and memory.

`python bench/encoders.py ours|theirs` measures the memory of one training step, in a process of its own.
"""

import json
import subprocess
import sys
import time
from typing import Any

import torch
from fireredasr.models.module.conformer_encoder import ConformerEncoder as Theirs
from measured import compared, peak_memory, row
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from earmark.models.encoder import ConformerEncoder as Ours

WIDTH, BLOCKS, HEADS, KERNEL, MELS = 256, 6, 4, 33, 80
DROPOUT = 0.1
SHAPES = ((16, 400), (4, 1600))
"""Utterances and feature frames (10 ms) of each, all of one length."""
UNIT = "audio seconds a second"


def pair(dropout: float) -> tuple[Ours, Theirs]:
    """Both encoders in training mode, with the same random weights."""
    torch.manual_seed(0)
    ours = Ours(MELS, BLOCKS, HEADS, WIDTH, KERNEL, dropout)
    theirs = Theirs(MELS, BLOCKS, HEADS, WIDTH, dropout, dropout, KERNEL)
    missing, unexpected = theirs.load_state_dict(ours.state_dict(), strict=False)
    assert missing == ["positional_encoding.pe"]
    assert not unexpected
    return ours.train(), theirs.train()


def given(utterances: int, frames: int) -> tuple[Tensor, Tensor]:
    features = torch.randn(utterances, frames, MELS, generator=torch.Generator().manual_seed(1))
    return features, torch.full((utterances,), frames)


def assert_equal(utterances: int, frames: int, padded: bool) -> None:
    """Outputs within 1e-4, gradients within 1e-5 of the largest, without dropout."""
    features, lengths = given(utterances, frames)
    if padded:
        lengths -= torch.arange(utterances) * (frames // (2 * utterances))
        for one, length in zip(features, lengths.tolist(), strict=True):
            one[length:] = 0
    ours, theirs = pair(dropout=0.0)
    valid = torch.arange((frames + 3) // 4) < ((lengths + 3) // 4)[:, None]
    outputs = []
    for encoder in (ours, theirs):
        output = encoder(features, lengths)[0][valid]
        output.square().mean().backward()
        outputs.append(output.detach())
    worst = float((outputs[0] - outputs[1]).abs().max())
    assert worst < 1e-4, f"outputs differ by {worst}"
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    largest = max(float(one.abs().max()) for one in gradients.values())
    for name, parameter in ours.named_parameters():
        apart = float((parameter.grad - gradients[name]).abs().max()) / largest
        assert apart < 1e-5, f"the gradients of {name} differ by {apart} of the largest"


def step(encoder: nn.Module, optimizer: torch.optim.Optimizer, features: Tensor, lengths: Tensor) -> None:
    """Forward, backward, update."""
    optimizer.zero_grad()
    encoder(features, lengths)[0].square().mean().backward()
    optimizer.step()


def adam(encoder: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(encoder.parameters(), lr=1e-4, fused=True)


def speed() -> list[dict[str, Any]]:
    """Training steps (dropout 0.1) and inference, after both were found equal."""
    found = []
    for utterances, frames in SHAPES:
        for padded in (False, True):
            assert_equal(utterances, frames, padded)
        found += _speed(utterances, frames)
    return found


def _speed(utterances: int, frames: int) -> list[dict[str, Any]]:
    features, lengths = given(utterances, frames)
    seconds, size = utterances * frames / 100, {"frames": f"{utterances} x {frames}", "limit": 1.4}
    ours, theirs = pair(DROPOUT)
    by_ours, by_theirs = adam(ours), adam(theirs)
    trained = compared(
        "encoder train step vs FireRedASR",
        UNIT,
        seconds,
        lambda: step(theirs, by_theirs, features, lengths),
        lambda: step(ours, by_ours, features, lengths),
        rounds=7,
        clock=time.process_time,
    )
    ours.eval(), theirs.eval()
    with torch.inference_mode():
        inferred = compared(
            "encoder inference vs FireRedASR",
            UNIT,
            seconds,
            lambda: theirs(features, lengths),
            lambda: ours(features, lengths),
            rounds=11,
            clock=time.process_time,
        )
    return [trained | size, inferred | size]


def memory() -> list[dict[str, Any]]:
    """Peak of one training step above what weights and optimizer state take, each in a process of its own."""
    found = []
    for utterances, frames in SHAPES:
        taken = []
        for whose in ("ours", "theirs"):
            command = [sys.executable, __file__, whose, str(utterances), str(frames)]
            taken.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        for kind, how in (("allocated", "allocations of torch's tensors"), ("resident", "growth of the resident set")):
            ours, theirs = (round(one[kind] / 2**20, 1) for one in taken)
            what = f"peak memory of a training step, {kind}"
            size = {"frames": f"{utterances} x {frames}", "method": how}
            found.append(row(what, "MiB", ours, theirs, round(theirs / ours, 2), **size))
    return found


def taken(whose: str, utterances: int, frames: int) -> dict[str, int]:
    """Bytes of one step: highest sum of live allocations (torch's profiler), growth of the largest resident set."""
    encoder = dict(zip(("ours", "theirs"), pair(DROPOUT), strict=True))[whose]
    optimizer = adam(encoder)
    step(encoder, optimizer, *given(1, 16))  # code is loaded, the optimizer has its state
    optimizer.zero_grad()
    features, lengths = given(utterances, frames)
    before = peak_memory()
    step(encoder, optimizer, features, lengths)
    resident = round(1e9 * (peak_memory() - before))
    optimizer.zero_grad()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        step(encoder, optimizer, features, lengths)
    events = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    live = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    return {"allocated": peak, "resident": resident}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(taken(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
