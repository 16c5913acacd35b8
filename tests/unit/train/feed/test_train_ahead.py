"""Batches made ahead are those that would be made on the spot, and the thread that makes them always ends."""

import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from tiny import CONFIG, Runner, TinyRun

from earmark.config import SpecAugment, Stage
from earmark.data.dataset import Batch, Dataset
from earmark.errors import ShardError
from earmark.text.inventory import Inventory
from earmark.train import segment
from earmark.train.feed.ahead import UPDATES, Ahead
from earmark.train.feed.augment import Drawn, draw
from earmark.train.loop import Batches, Source
from earmark.train.tasks import Moment

CPU = torch.device("cpu")
ACCUMULATION = 2


def moment(step: int, micro: int) -> Moment:
    return Moment(1, "pretrain", step, micro, 0)


@pytest.fixture
def stage() -> Stage:
    values: dict[str, Any] = {"trained": ["encoder"], "loss": "ctc", "frames_per_batch": 600, "peak_rate": 1e-3}
    augment = SpecAugment(warp=10, level_shift=0.5, from_step=1)
    return Stage(steps=8, segment_steps=8, accumulation=ACCUMULATION, augment=augment, **values)


@pytest.fixture
def source(tiny_run: TinyRun, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Batches:
    monkeypatch.chdir(tiny_run.root)
    return Batches(Dataset(tiny_run.paths.dataset, Inventory.load()), tiny_run.config, stage, world=1)


def taken(source: Source, stage: Stage, span: range) -> list[Batch]:
    with Ahead(source, stage, span, 0, moment, CPU) as ahead:
        return [ahead(step, micro, 0) for step in span for micro in range(ACCUMULATION)]


def tensors(batch: Batch) -> list[torch.Tensor]:
    drawn = batch.drawn if isinstance(batch.drawn, Drawn) else ()
    return [one for one in (batch.features, batch.lengths, batch.phones, *drawn) if one is not None]


def same(one: Batch, other: Batch) -> bool:
    pairs = zip(tensors(one), tensors(other), strict=True)
    return one.ids == other.ids and all(torch.equal(mine, yours) for mine, yours in pairs)


def test_batches_and_draws_are_those_of_the_step_wherever_a_segment_begins_on_one_machine(
    source: Batches, stage: Stage
) -> None:
    whole, resumed = taken(source, stage, range(6)), taken(source, stage, range(3, 6))
    places = [(step, micro) for step in range(6) for micro in range(ACCUMULATION)]
    for (step, micro), batch in zip(places, whole, strict=True):
        here = source(step, micro, 0)
        assert same(batch, here._replace(drawn=draw(here, stage, step, moment(step, micro).draws())))
        assert isinstance(batch.drawn, Drawn) == (step >= 1)
    assert len(resumed) == 6 and all(map(same, whole[6:], resumed))


class Watched:
    """A source of empty batches that notes what it was asked for, and by which thread."""

    def __init__(self, meets: Callable[[int, int], None] = lambda step, micro: None):
        self.asked: list[tuple[int, int]] = []
        self.threads: set[int] = set()
        self.meets = meets

    def __call__(self, step: int, micro: int, rank: int) -> Batch:
        self.asked.append((step, micro))
        self.threads.add(threading.get_ident())
        self.meets(step, micro)
        numbers = torch.ones(1, 1, dtype=torch.int64)
        return Batch([f"{step}-{micro}"], torch.zeros(1, 1, 4), numbers[0], numbers, numbers[0], [""], ["en"])


def test_one_other_thread_reads_while_a_step_computes(stage: Stage) -> None:
    reading = threading.Event()
    source = Watched(lambda step, micro: reading.set() if step == UPDATES else None)
    with Ahead(source, stage, range(4), 0, moment, CPU) as ahead:
        assert ahead(0, 0, 0).ids == ["0-0"]
        assert reading.wait(60)  # nothing was asked of it meanwhile
    assert len(source.threads) == 1 and threading.get_ident() not in source.threads


def test_no_more_is_read_than_two_updates_ahead(stage: Stage) -> None:
    source = Watched()
    ahead = Ahead(source, stage, range(100), 0, moment, CPU)
    with ahead:
        for number in range(7):
            ahead(number // ACCUMULATION, number % ACCUMULATION, 0)
    bound = 7 + UPDATES * ACCUMULATION
    assert 7 <= len(source.asked) <= bound
    assert source.asked == [(number // ACCUMULATION, number % ACCUMULATION) for number in range(len(source.asked))]


@pytest.mark.parametrize("error", [ShardError("row 3 is damaged: run it again"), MemoryError(), KeyError("x")])
def test_error_is_raised_where_its_batch_is_asked_for_and_the_thread_ends(error: Exception, stage: Stage) -> None:
    def meets(step: int, micro: int) -> None:
        if (step, micro) == (1, 1):
            raise error

    before = threading.active_count()
    with pytest.raises(type(error)) as caught, Ahead(Watched(meets), stage, range(4), 0, moment, CPU) as ahead:
        for step, micro in ((0, 0), (0, 1), (1, 0)):
            assert ahead(step, micro, 0).ids == [f"{step}-{micro}"]
        ahead(1, 1, 0)
    assert caught.value is error
    assert threading.active_count() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_what_ends_the_loop_ends_the_thread(error: type[BaseException], stage: Stage) -> None:
    before, source = threading.active_count(), Watched()
    with pytest.raises(error), Ahead(source, stage, range(10**6), 0, moment, CPU) as ahead:
        ahead(0, 0, 0)
        raise error
    assert threading.active_count() == before
    assert len(source.asked) <= 1 + UPDATES * ACCUMULATION


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises, also where the tests were started in the background of a shell, which has it ignored."""
    given = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, given)


@pytest.mark.usefixtures("interruptible")
def test_interrupted_while_it_waits_for_a_batch_it_ends(stage: Stage) -> None:
    """Ctrl-C reaches a main thread that waits for a slow disk."""
    goes_on = threading.Event()

    def meets(step: int, micro: int) -> None:
        if step == 1:
            signal.raise_signal(signal.SIGINT)
            goes_on.wait(60)

    before = threading.active_count()
    timer = threading.Timer(1.0, goes_on.set)  # until then the disk is slow
    with pytest.raises(KeyboardInterrupt), Ahead(Watched(meets), stage, range(4), 0, moment, CPU) as ahead:
        timer.start()
        for step in range(4):
            for micro in range(ACCUMULATION):
                ahead(step, micro, 0)
    timer.join()
    assert threading.active_count() == before


def test_batches_come_in_the_order_of_the_loop(stage: Stage) -> None:
    with Ahead(Watched(), stage, range(4), 0, moment, CPU) as ahead, pytest.raises(AssertionError, match="is next"):
        ahead(1, 0, 0)


def test_for_a_gpu_batches_are_pinned_by_the_thread_on_that_gpu(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[tuple[int, tuple[int, ...]]] = []
    chosen: list[tuple[int, torch.device]] = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append((threading.get_ident(), tuple(tensor.shape)))
        return tensor.clone()

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: chosen.append((threading.get_ident(), device)))
    device, source = torch.device("cuda", 3), Watched()
    with Ahead(source, stage, range(1, 2), 0, moment, device) as ahead:
        for micro in range(ACCUMULATION):
            assert isinstance(ahead(1, micro, 0).drawn, Drawn)
    (thread,) = source.threads
    assert chosen == [(thread, device)]
    parts = [(1, 1, 4), (1, 1), (1, 1), (1, 1), (1, 1, 4), (1, 1, 1)]  # features, phones; taps, weights, bins, levels
    assert sorted(pinned) == sorted((thread, shape) for shape in parts * ACCUMULATION)


# ---------------------------------------------------------------------------- a segment


class Beside(Ahead):
    """Everything on the spot, in the main thread."""

    def __call__(self, step: int, micro: int, rank: int) -> Batch:
        batch: Batch = self._source(step, micro, rank)
        return batch


def test_weights_are_the_same_bits_without_the_thread_on_one_machine(
    earmark: Runner, tiny_copy: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_copy.paths.step("pretrain", 6)
    expected = {path.name: path.read_bytes() for path in folder.rglob("*.safetensors")}
    shutil.rmtree(folder)
    monkeypatch.setattr(Ahead, "_ask", lambda self: None)
    monkeypatch.setattr(segment, "Ahead", Beside)
    before = tiny_copy.paths.step("pretrain", 4) / "done.json"
    assert earmark("train", CONFIG, "pretrain", 6, "--before", before)[0] == 0
    assert {path.name: path.read_bytes() for path in folder.rglob("*.safetensors")} == expected


def test_a_damaged_row_ends_the_segment_with_one_line(earmark: Runner, tiny_copy: TinyRun) -> None:
    for path in tiny_copy.folder.glob("shards/*/**/*.arrow"):
        data = np.fromfile(path, np.uint8)
        data[len(data) // 4 : len(data) // 2] ^= 255
        data.tofile(path)
    shutil.rmtree(tiny_copy.paths.step("pretrain", 6))
    before, threads = tiny_copy.paths.step("pretrain", 4) / "done.json", threading.active_count()
    code, _, err = earmark("train", CONFIG, "pretrain", 6, "--before", before)
    assert code == 2
    assert err.rstrip().splitlines()[-1].startswith("error: ")
    assert "is damaged in row" in err
    assert "Traceback" not in err
    assert threading.active_count() == threads
