"""Out of memory: what to lower, and by how much."""

from typing import Any

import pytest
import torch
from tiny import CONFIG, Runner, TinyRun

from earmark.data.dataset import Dataset
from earmark.errors import TrainingError
from earmark.text.inventory import Inventory
from earmark.train import segment, tasks
from earmark.train.memory import advice, asked_for, fitting, fraction, is_out_of_memory, rounded, saying_what_to_lower
from earmark.train.place import Place
from earmark.train.state import ending
from earmark.train.state.initialise import build_task
from earmark.train.validate import validate

GPU = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79.15 GiB of which 1.02 GiB "
    "is free. Process 1 has 78.12 GiB memory in use."
)


def changed(run: TinyRun, **values: object) -> Place:
    place = Place(run.config, "ia_sft_2", 2, True)
    place.stage = place.stage.model_copy(update=values)
    return place


def test_failed_allocations_are_known_and_nothing_else() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 55)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(torch.OutOfMemoryError(GPU))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"))


@pytest.mark.parametrize(
    ("message", "size"),
    [
        (GPU, 2_684_354_560),
        ("Tried to allocate 20.00 MiB.", 20 << 20),
        ("to allocate 512 bytes", 512),
        ("no", 0),
    ],
)
def test_size_of_the_allocation_that_failed(message: str, size: int) -> None:
    assert asked_for(message) == size


def test_part_that_fits_is_what_is_left_beside_the_weights() -> None:
    # 80 of memory, 20 of weights: 60 were wanted for the batch and 52 are there with the margin.
    assert fitting(80, 20, 90) == pytest.approx(52 / 70)
    assert fitting(80, 20, 81) == 0.75  # what is known is a lower bound: never go down by little
    assert fitting(80, 70, 200) == 0.25


def test_a_cpu_does_not_say_what_it_has_so_half_is_advised() -> None:
    assert fraction(MemoryError(), 0) == 0.5


@pytest.mark.parametrize(("value", "down"), [(14321, 14000), (999, 990), (20000, 20000), (7, 7), (0.5, 0)])
def test_advised_values_have_two_digits(value: float, down: int) -> None:
    assert rounded(value) == down


def test_advice_names_the_setting_and_the_value(tiny_run: TinyRun) -> None:
    said = advice(changed(tiny_run, frames_per_batch=20000), 3000, 0.7)
    assert said == (
        "out of memory in ia_sft_2 with batches of 20000 frames: set stages.ia_sft.activation_checkpointing: true (the "
        "stage goes on where it is), or lower stages.ia_sft.frames_per_batch from 20000 to 14000 (other batches: the "
        "stage starts over)"
    )
    said = advice(changed(tiny_run, frames_per_batch=20000, activation_checkpointing=True), 16000, 0.7)
    assert "frames: lower stages.ia_sft.frames_per_batch from 20000 to 16000 (" in said  # the longest one has to fit


def test_where_the_longest_utterance_fills_a_batch_utterances_have_to_be_shorter(tiny_run: TinyRun) -> None:
    said = advice(changed(tiny_run, frames_per_batch=3000), 3000, 0.5)
    assert "lower shards.max_seconds below 30 and stages.ia_sft.frames_per_batch with it" in said


def test_other_errors_pass(tiny_run: TinyRun) -> None:
    with pytest.raises(RuntimeError, match="must match"), saying_what_to_lower(changed(tiny_run), 100):
        raise RuntimeError("must match")
    with pytest.raises(TrainingError, match="out of memory"), saying_what_to_lower(changed(tiny_run), 100):
        raise torch.OutOfMemoryError(GPU)


@pytest.mark.parametrize("where", ["Engine", "build_task"])
def test_models_that_do_not_fit_want_more_processes(
    earmark: Runner, tiny_copy: TinyRun, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(segment, where, lambda *_, **given: torch.empty(1 << 55))
    code, _, err = earmark("train", CONFIG, "pretrain", 2)
    assert code == 2
    assert err == (
        "error: out of memory before the first batch of pretrain, whose weights and optimizer state do not fit: raise "
        "processes from 1 to 2 (they share the optimizer's state), or set precision: bfloat16 (half the weights), or "
        "name a smaller llm, or encoder; earmark plan memory CONFIG --stage pretrain says what each process takes\n"
    )


@pytest.mark.parametrize(("share", "sizes"), [(4, [4]), (0.26, [2, 2]), (0.01, [1, 1, 1, 1])])
def test_a_lower_frame_budget_validates_fewer_utterances_at_a_time(
    tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch, share: float, sizes: list[int]
) -> None:
    monkeypatch.chdir(tiny_run.root)
    inventory = Inventory.from_settings(tiny_run.config.text)
    dataset = Dataset(tiny_run.config.paths.dataset, inventory)
    place = Place(tiny_run.config, "pretrain", 2, False)
    task = build_task(tiny_run.config, place, inventory, tiny_run.config.paths.llm / "done.json").eval()
    seen: list[int] = []
    task.encoder.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    longest = int(dataset.frames(dataset.split("valid")).max())
    validate(task, dataset, round(share * longest))
    assert seen == sizes


@pytest.mark.parametrize(("owner", "name"), [(tasks.CTCTask, "forward"), (ending, "validate")])
def test_a_segment_that_runs_out_of_memory_ends_with_one_line(
    earmark: Runner, tiny_copy: TinyRun, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    """In a training step, and while it validates."""
    monkeypatch.setattr(owner, name, lambda *_, **given: torch.empty(1 << 55))
    done = tiny_copy.paths.step("pretrain", 2) / "done.json"
    done.unlink()
    code, _, err = earmark("train", CONFIG, "pretrain", 2)
    assert code == 2
    last = err.rstrip().splitlines()[-1]
    assert last.startswith(
        "error: out of memory in pretrain with batches of 2000 frames: set stages.pretrain.activation_ch"
    )
    assert "from 2000 to 1000" in last
    assert not done.exists()
