"""A tiny training run against stored losses: numerics of loop, engine, schedule, augmentation and losses in one.

When a change is meant to move them, run this file as a script: it prints the new numbers.
"""

import random
from typing import Any

import pytest
import torch

from earmark.config import Stage
from earmark.data.dataset import Batch
from earmark.models.ctc_head import CTCHead
from earmark.models.encoder import ConformerEncoder
from earmark.train.engine import Engine
from earmark.train.loop import train
from earmark.train.tasks import CTCTask, Moment

STEPS = 12
STAGE = Stage.model_validate(
    {
        "trained": ["encoder", "ctc_head"],
        "loss": "cr_ctc",
        "frames_per_batch": 400,
        "peak_rate": 3e-3,
        "warmup_steps": 3,
        "half_life": 20,
        "tail_fraction": 0.25,
        "steps": STEPS,
        "segment_steps": STEPS,
        "accumulation": 2,
        "consistency_from": 4,
        "consistency_warmup": 4,
        "augment": {"freq_masks": 1, "freq_width": 8, "time_masks": 1, "time_width": 10, "warp": 10, "from_step": 2},
    }
)
LOSSES = [
    1.6924675107002258,
    1.1536355018615723,
    0.6319899559020996,
    0.5424026250839233,
    0.5372447073459625,
    0.4474437087774277,
    0.40755869448184967,
    0.37249936163425446,
    0.3975564241409302,
    0.32627785205841064,
    0.35720206797122955,
    0.3117113560438156,
]


class Collected:
    """Records in memory."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def add(self, step: int, **values: float) -> None:
        self.rows.append({"step": step} | values)


def batch(step: int, micro: int, rank: int) -> Batch:
    """Tones whose mel bin is the phone, of lengths that differ."""
    rng = random.Random(f"{step} {micro} {rank}")
    generator = torch.Generator().manual_seed(rng.getrandbits(60))
    lengths = [60, 80, 100]
    phones = [[rng.randrange(1, 9) for _ in range(4)] for _ in lengths]
    features = torch.zeros(3, 100, 80)
    for number, (length, ids) in enumerate(zip(lengths, phones, strict=True)):
        for position, phone in enumerate(ids):
            part = slice(position * length // 4, (position + 1) * length // 4)
            features[number, part, 8 * phone : 8 * phone + 8] = 2.0
        features[number, :length] += 0.1 * torch.randn(length, 80, generator=generator)
    return Batch(
        ids=[f"{step}-{micro}-{number}" for number in range(3)],
        features=features,
        lengths=torch.tensor(lengths),
        phones=torch.tensor(phones),
        phone_lengths=torch.tensor([4, 4, 4]),
        texts=["", "", ""],
        languages=["en", "en", "en"],
    )


def run() -> list[float]:
    torch.manual_seed(7)
    task = CTCTask(ConformerEncoder(80, 2, 2, 32, 7, 0.1), CTCHead(32, 9), STAGE)
    task.train()
    engine = Engine(task, STAGE, "float32")
    records: Any = Collected()
    train(engine, STAGE, batch, records, lambda step, micro: Moment(1, "golden", step, micro, 0), range(STEPS), STEPS)
    return [row["loss"] for row in records.rows]


def test_losses_are_the_stored_ones() -> None:
    # Sums are ordered differently on other processors: a thousandth is far below any change of substance.
    assert run() == pytest.approx(LOSSES, rel=1e-3)


if __name__ == "__main__":
    print(run())
