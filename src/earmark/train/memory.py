"""Out of memory: one line that says what to lower, and by how much."""

import contextlib
import re
from collections.abc import Callable, Iterator
from math import log10

import torch

from earmark.config import Config
from earmark.errors import TrainingError
from earmark.train.place import Place

MARGIN = 0.9
"""Part of the memory that the suggestion fills: the allocator loses some to fragments."""
_CPU = re.compile(r"DefaultCPUAllocator|[Cc]annot allocate memory|[Uu]nable to allocate")


@contextlib.contextmanager
def saying_what_to_lower(place: Place, longest: int) -> Iterator[None]:
    """Turn an allocation that failed into a `TrainingError` of one line; other errors pass.

    :param longest: feature frames of the longest utterance, below which no frame budget can go.
    """
    held = torch.cuda.memory_allocated() if torch.cuda.is_available() else 0
    with _advising(lambda error: advice(place, longest, fraction(error, held))):
        yield


@contextlib.contextmanager
def saying_how_to_share(place: Place, config: Config) -> Iterator[None]:
    """The same before the first batch, when the models themselves do not fit and no frame budget helps."""
    with _advising(lambda error: sharing(place, config)):
        yield


@contextlib.contextmanager
def _advising(advised: Callable[[BaseException], str]) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(advised(error)) from None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation has failed: on a GPU, by torch on a CPU, or by numpy."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or bool(_CPU.search(str(error)))


def fraction(error: BaseException, held: int) -> float:
    """Part of the frames that will fit; a half where nothing is known of the device's memory.

    :param held: bytes before the first batch: weights. What a batch takes beside them and the optimizer's state is
        about proportional to its frames.
    """
    if not isinstance(error, torch.OutOfMemoryError) or not torch.cuda.is_available():
        return 0.5
    total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    return fitting(total, held, torch.cuda.max_memory_allocated() + asked_for(str(error)))


def fitting(total: int, held: int, needed: int) -> float:
    """Part of the frames with which `needed` bytes, of which `held` stay, become MARGIN of `total`; 0.25 to 0.75."""
    room = (MARGIN * total - held) / max(needed - held, 1)
    return min(max(room, 0.25), 0.75)


def asked_for(message: str) -> int:
    """Bytes of the allocation that failed, out of torch's message ("Tried to allocate 2.50 GiB."); 0: not said."""
    found = re.search(r"allocate ([\d.]+) (bytes|[KMG]iB)", message)
    if not found:
        return 0
    units = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
    return int(float(found[1]) * units[found[2]])


def advice(place: Place, longest: int, part: float) -> str:
    """What to lower, and the value to lower it to: `part` of the frames, but an utterance has to fit."""
    stage, name = place.stage, f"stages.{place.kind}"
    budget = max(rounded(part * stage.frames_per_batch), longest)
    ways = []
    if not stage.activation_checkpointing:
        ways.append(f"set {name}.activation_checkpointing: true (the stage goes on where it is)")
    if budget < stage.frames_per_batch:
        lower = f"lower {name}.frames_per_batch from {stage.frames_per_batch} to {budget}"
        ways.append(f"{lower} (other batches: the stage starts over)")
    else:
        ways.append(f"lower shards.max_seconds below {longest / 100:g} and {name}.frames_per_batch with it")
    return f"out of memory in {place.instance} with batches of {stage.frames_per_batch} frames: " + ", or ".join(ways)


def sharing(place: Place, config: Config) -> str:
    """Over how many processes to spread what the stage holds before its first batch, and what makes it smaller."""
    ways = [f"raise processes from {config.processes} to {2 * config.processes} (they share the optimizer's state)"]
    if config.precision == "float32":
        ways.append("set precision: bfloat16 (half the weights)")
    ways.append("name a smaller llm, or encoder")
    return (
        f"out of memory before the first batch of {place.instance}, whose weights and optimizer state do not fit: "
        f"{', or '.join(ways)}; earmark plan memory CONFIG --stage {place.kind} says what each process takes"
    )


def rounded(value: float) -> int:
    """Down to two digits: 14,321 -> 14,000."""
    unit = 10 ** max(0, int(log10(max(value, 1))) - 1)
    return int(value // unit) * unit
