"""A profile of one step: a trace that chrome://tracing, Perfetto and TensorBoard open."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import torch

from earmark.io import replacing
from earmark.train.records import say

TRACE = "trace.json"
WARM = 2
"""Steps before the one that is profiled: the first ones allocate, and choose their kernels."""


def profiling(span: range, folder: Path) -> Callable[[int], AbstractContextManager[None]]:
    """What each step of `span` runs inside: the third one, or the last of a shorter span, leaves its trace."""
    chosen = span[min(WARM, len(span) - 1)]

    @contextlib.contextmanager
    def watching(step: int) -> Iterator[None]:
        if step != chosen:
            yield
            return
        kinds = [torch.profiler.ProfilerActivity.CPU]
        if torch.cuda.is_available():
            kinds.append(torch.profiler.ProfilerActivity.CUDA)
        profile = torch.profiler.profile(activities=kinds, record_shapes=True, profile_memory=True)
        with profile, torch.profiler.record_function(f"step {step + 1}"):
            yield
        with replacing(folder / TRACE) as temporary:
            profile.export_chrome_trace(str(temporary))
        say(f"the profile of step {step + 1} is in {folder / TRACE}: open it at chrome://tracing or ui.perfetto.dev")

    return watching
