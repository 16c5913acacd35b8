"""How often the host waits for the device in an update: whenever it reads a number that the model computed.

Counted on a processor, in the loop that trains: reads of floating-point tensors (`item`, `float`, `tolist`). Lengths
and other whole numbers stay on the host, and are no wait. What DeepSpeed itself reads with ZeRO is not in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from measured import row
from torch.utils._python_dispatch import TorchDispatchMode

from earmark.config import Stage
from earmark.data.dataset import Batch
from earmark.models.ctc_head import CTCHead
from earmark.models.encoder import ConformerEncoder
from earmark.train.engine import Engine
from earmark.train.loop import train
from earmark.train.tasks import CTCTask, Moment

ACCUMULATION, LIMIT = 4, 2
STAGE = Stage.model_validate(
    {
        "trained": ["encoder", "ctc_head"],
        "loss": "cr_ctc",
        "frames_per_batch": 1000,
        "peak_rate": 1e-3,
        "steps": 2,
        "segment_steps": 2,
        "accumulation": ACCUMULATION,
    }
)


class _Reads(TorchDispatchMode):
    count = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        if function is torch.ops.aten._local_scalar_dense.default and arguments[0].is_floating_point():
            self.count += 1
        return function(*arguments, **(named or {}))


@contextmanager
def reads() -> Iterator[_Reads]:
    """Counts reads of floating-point tensors by the host."""
    listed, counted = torch.Tensor.tolist, _Reads()

    def tolist(tensor: torch.Tensor) -> Any:
        counted.count += tensor.is_floating_point()
        return listed(tensor)

    with mock.patch.object(torch.Tensor, "tolist", tolist), counted:
        yield counted


def batch(step: int, micro: int, rank: int) -> Batch:
    """Noise, of lengths that differ."""
    lengths = torch.tensor([100 - 10 * micro, 60])
    features = torch.randn(2, int(lengths.max()), 80)
    return Batch(
        ["a", "b"], features, lengths, torch.tensor([[1, 2], [3, 4]]), torch.tensor([2, 2]), ["", ""], ["en"] * 2
    )


class _Kept:
    def __init__(self) -> None:
        self.at: list[int] = []
        self.counted: Any = None

    def add(self, step: int, **values: Any) -> None:
        self.at.append(self.counted.count)


def count() -> int:
    """Reads of the second of two updates."""
    torch.manual_seed(0)
    task = CTCTask(ConformerEncoder(80, 1, 2, 16, 5, 0.1), CTCHead(16, 9), STAGE)
    engine, records = Engine(task, STAGE, "float32"), _Kept()
    task.train()
    with reads() as records.counted:
        train(
            engine,
            STAGE,
            batch,
            records,  # type: ignore[arg-type]
            lambda step, micro: Moment(1, "pretrain", step, micro, 0),
            range(2),
            2,
        )
    return records.at[1] - records.at[0]


def rows() -> list[dict[str, Any]]:
    """The one row."""
    return [row(f"host synchronisations an update, accumulation {ACCUMULATION}", "reads", count(), limit=LIMIT)]
