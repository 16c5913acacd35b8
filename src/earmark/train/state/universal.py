"""Engine states for another number of processes, by way of DeepSpeed's universal checkpoints: a folder a parameter.

    FOLDER/zero/NAME/fp32.pt, exp_avg.pt, exp_avg_sq.pt    {"param": tensor of the parameter's shape}
    FOLDER/zero/NAME/step.pt                               updates made
    FOLDER/zero/optimizer_state.pt                         what is not a parameter's

DeepSpeed's files are pickles. They are read with torch's `weights_only`, which knows tensors and plain values and the
few classes below, and runs nothing else.
"""

import argparse
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import torch

from earmark.errors import CheckpointError

MOMENTS = ("exp_avg", "exp_avg_sq")


def written_by(folder: Path) -> int:
    """Number of processes that wrote an engine state; 0: a single one, without DeepSpeed's partitions."""
    return len(list((folder / "state").glob("*zero_pp_rank_*_optim_states.pt")))


@contextlib.contextmanager
def nothing_runs() -> Iterator[None]:
    """Within, `torch.load` builds tensors, plain values and DeepSpeed's records, and no other class."""
    from deepspeed.runtime.fp16.loss_scaler import LossScaler
    from deepspeed.runtime.zero.config import ZeroStageEnum
    from deepspeed.utils.tensor_fragment import fragment_address

    known = [fragment_address, LossScaler, ZeroStageEnum]
    with torch.serialization.safe_globals(known), mock.patch.dict(os.environ, TORCH_FORCE_WEIGHTS_ONLY_LOAD="1"):
        yield


def from_partitions(folder: Path, into: Path) -> None:
    """Turn a state that several processes wrote into the universal form.

    :raises CheckpointError: damaged.
    """
    from deepspeed.checkpoint.ds_to_universal import main

    arguments = argparse.Namespace(
        input_folder=str(folder / "state"),
        output_folder=str(into),
        num_extract_workers=1,
        num_merge_workers=1,
        keep_temp_folder=False,
        strict=True,
        inject_missing_state=True,
    )
    with nothing_runs():
        try:
            main(arguments)
        except (OSError, RuntimeError, EOFError, KeyError, AssertionError) as error:
            raise CheckpointError(f"{folder} cannot be converted ({error}): rerun the segment that writes it") from None


def from_tensors(moments: dict[str, torch.Tensor], weights: dict[str, torch.Tensor], into: Path) -> None:
    """Write the universal form of a single process's state.

    :param moments: `exp_avg/NAME`, `exp_avg_sq/NAME` and `step/NAME`. :param weights: float32 parameters by name.
    """
    import deepspeed

    for name, weight in weights.items():
        folder = into / "zero" / name
        folder.mkdir(parents=True)
        torch.save({"param": weight.detach().cpu()}, folder / "fp32.pt")
        for key in MOMENTS:
            torch.save({"param": moments[f"{key}/{name}"]}, folder / f"{key}.pt")
        torch.save(moments[f"step/{name}"], folder / "step.pt")
    torch.save({"ds_version": deepspeed.__version__, "param_groups": [{}]}, into / "zero" / "optimizer_state.pt")


def read_parameter(folder: Path, name: str) -> dict[str, torch.Tensor]:
    """`fp32`, `exp_avg`, `exp_avg_sq` and `step` of a parameter in a universal checkpoint.

    :raises CheckpointError: it has no such parameter.
    """
    where = folder / "zero" / name
    with nothing_runs():
        try:
            held = {key: torch.load(where / f"{key}.pt")["param"] for key in ("fp32", *MOMENTS)}
            return held | {"step": torch.as_tensor(torch.load(where / "step.pt"), dtype=torch.float32)}
        except FileNotFoundError:
            raise CheckpointError(f"the state lacks {name}: it belongs to another model; rerun its segment") from None
