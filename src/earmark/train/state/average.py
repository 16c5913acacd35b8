"""The mean of a stage's last checkpoints, which the next stage and evaluation take (as in icefall and ESPnet)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from earmark.errors import CheckpointError
from earmark.io import read_tensors, sha256, write_tensors

SUFFIX = ".average.safetensors"


def average_files(files: Sequence[Path], output: Path, metadata: dict[str, str]) -> None:
    """Write the mean of each tensor over safetensors files of one module; sums are in float64.

    Tensors that hold no numbers with a fraction are those of the last file.
    :raises CheckpointError: a file is damaged, or has other tensors than the last one.
    """
    last, _ = read_tensors(files[-1])
    sums = {name: one.double() for name, one in last.items() if one.is_floating_point()}
    for path in files[:-1]:
        tensors, _ = read_tensors(path)
        if {name: one.shape for name, one in tensors.items()} != {name: one.shape for name, one in last.items()}:
            raise CheckpointError(f"{path} has other tensors than {files[-1]}: lower average_last, they have no mean")
        for name in sums:
            sums[name] += tensors[name].double()
    means = {name: (summed / len(files)).to(last[name].dtype) for name, summed in sums.items()}
    write_tensors(output, last | means, metadata)


def files_of(parts: Sequence[dict[str, Any]], module: str) -> list[Path]:
    """The file of a module in each of some segments.

    :param parts: what their done.json say.
    :raises CheckpointError: one is not what its segment wrote.
    """
    for part in parts:
        file = Path(part["weights"][module])
        if not file.is_file() or sha256(file) != part["sha256"][module]:
            raise CheckpointError(
                f"{file} is missing, cut short or damaged, and is to be averaged: set average_last to fewer checkpoints"
            )
    return [Path(part["weights"][module]) for part in parts]
