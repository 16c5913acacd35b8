"""Batches made ready while the step before computes: read, their augmentation drawn, and pinned where there is a GPU.

The plan and all draws are functions of the step, so a batch is the same whoever makes it, and when: a resumed segment
goes on exactly.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import torch

from earmark.config import Stage
from earmark.data.dataset import Batch
from earmark.train.feed.augment import draw
from earmark.train.loop import Source
from earmark.train.tasks import Moment

UPDATES = 2
"""How many updates' batches are ready or being made, at most."""


class Ahead:
    """A source that has the batches of `span` made by a thread of its own, and gives them in the order of the loop.

    Used as a context: at its end, on an error, too, what nobody took is given up and the thread has ended. An error of
    the thread is raised where its batch is asked for.

    :param source: called in that thread alone. :param moment: of (step, micro), as the loop takes it.
    :param device: where batches will go.
    """

    def __init__(
        self,
        source: Source,
        stage: Stage,
        span: range,
        rank: int,
        moment: Callable[[int, int], Moment],
        device: torch.device,
    ):
        self._source, self._stage, self._rank, self._moment = source, stage, rank, moment
        self._pins = device.type == "cuda"
        self._places = iter([(step, micro) for step in span for micro in range(stage.accumulation)])
        self._coming: deque[tuple[tuple[int, int], Future[Batch]]] = deque()
        # A thread begins with the first GPU, and would take memory there.
        begins = (torch.cuda.set_device, (device,)) if self._pins else (None, ())
        self._thread = ThreadPoolExecutor(1, "ahead", *begins)

    def __enter__(self) -> Self:
        for _ in range(UPDATES * self._stage.accumulation):
            self._ask()
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._coming.clear()

    def __call__(self, step: int, micro: int, rank: int) -> Batch:
        """Batch number `micro` of `step` on `rank`, of which the next one is asked for here."""
        place, coming = self._coming.popleft()
        assert (*place, self._rank) == (step, micro, rank), f"{place} is next, {step, micro} was asked for"
        batch = coming.result()
        self._ask()
        return batch

    def _ask(self) -> None:
        if place := next(self._places, None):
            self._coming.append((place, self._thread.submit(self._made, *place)))

    def _made(self, step: int, micro: int) -> Batch:
        batch: Batch = self._source(step, micro, self._rank)
        drawn = draw(batch, self._stage, step, self._moment(step, micro).draws())
        batch = batch._replace(drawn=drawn)
        return batch.pinned() if self._pins else batch
