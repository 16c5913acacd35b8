"""The one file that knows DeepSpeed: backward, step, clipping, and the engine's state on disk.

Several processes, or bfloat16, use ZeRO-2 (over gloo on a CPU, NCCL on GPUs). A single float32 process keeps its
optimizer state as safetensors, so that a resumed segment is bit-identical and no pickle is read.
"""

import contextlib
import datetime
import logging
import math
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from earmark.config import Stage
from earmark.data.dataset import Batch
from earmark.errors import CheckpointError, TrainingError
from earmark.io import read_tensors, write_tensors
from earmark.train.records import say
from earmark.train.state.universal import from_partitions, from_tensors, nothing_runs, read_parameter, written_by

_STATE = "optimizer.safetensors"
PATIENCE = datetime.timedelta(hours=2)
"""How long processes wait for each other: while one writes and checks the largest model's files, and no longer than a
dead one may go unnoticed by torchrun. Nothing that grows with the data is done by one of them alone."""


class Engine:
    """A module under training.

    :param module: its forward returns what the loop passes to `backward`. :param precision: float32 or bfloat16.
    :param gradients: type in which ZeRO accumulates and reduces gradients, float32 or bfloat16.
    :raises TrainingError: there are GPUs, but none for this process.
    """

    def __init__(self, module: nn.Module, stage: Stage, precision: str, gradients: str = "float32"):
        deepspeed = _deepspeed()
        self.rank = torch.distributed.get_rank()
        self.world = torch.distributed.get_world_size()
        self._names = [name for name, parameter in module.named_parameters() if parameter.requires_grad]
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.device = device_of(int(os.environ["LOCAL_RANK"]), torch.cuda.device_count())
        self._trained, self._clip, self._norm = trained, stage.clip, 0.0
        self._optimizer = _Adam(trained, lr=stage.peak_rate, betas=stage.betas, fused=True)
        self._plain = self.world == 1 and precision == "float32"
        with _quiet():
            self._engine, *_ = deepspeed.initialize(
                model=module.to(self.device),
                model_parameters=trained,
                optimizer=self._optimizer,
                config=self._settings(stage, precision, gradients if precision == "bfloat16" else "float32"),
            )
        if self._plain:
            # One process has nothing to reduce: flattening all gradients would take a twentieth of a small step.
            self._engine.enable_backward_allreduce = False

    def _settings(self, stage: Stage, precision: str, gradients: str) -> dict[str, Any]:
        kind = {"float32": "fp32", "bfloat16": "bf16"}[gradients]
        return {
            "data_types": {"grad_accum_dtype": kind},
            "communication_data_type": kind,
            "train_micro_batch_size_per_gpu": 1,  # batches come ready-made: this number only scales DeepSpeed's logs
            "gradient_accumulation_steps": stage.accumulation,
            "gradient_clipping": 0.0 if self._plain else stage.clip,
            "zero_optimization": {"stage": 0 if self._plain else 2},
            "zero_allow_untested_optimizer": True,
            "zero_force_ds_cpu_optimizer": False,
            "bf16": {"enabled": precision == "bfloat16"},
            "steps_per_print": 10**12,
        }

    def weigh(self, batch: Batch) -> int:
        """What a batch counts in an update, as its task says."""
        return int(self._engine.module.weigh(batch))

    def __call__(self, *arguments: Any) -> Any:
        """The module's forward; a batch comes to where the module is."""
        return self._engine(*(one.to(self.device) if isinstance(one, Batch) else one for one in arguments))

    def backward(self, loss: torch.Tensor) -> None:
        """Accumulate gradients; DeepSpeed divides by the number of accumulated batches."""
        self._engine.backward(loss)

    def step(self, rate: float, skip: bool = False) -> None:
        """After each batch: at an accumulation boundary clip and update with learning rate `rate`.

        `skip`: make no update; gradients are dropped, weights and Adam's moments stay. So it is where the gradient's
        norm is no finite number; with ZeRO, DeepSpeed sees to that.
        """
        self._optimizer.skip = skip
        for group in self._engine.optimizer.param_groups:
            group["lr"] = rate
        if self._plain and self._engine.is_gradient_accumulation_boundary():
            # All tensors at once: DeepSpeed goes one by one, which a small step feels.
            self._norm = float(nn.utils.clip_grad_norm_(self._trained, self._clip))
            self._optimizer.skip = skip or not math.isfinite(self._norm)
        self._engine.step()

    def gradient_norm(self) -> float:
        """Norm before clipping of the last update."""
        return self._norm if self._plain else float(self._engine.get_global_grad_norm() or 0.0)

    def shares(self, weights: Sequence[float]) -> list[torch.Tensor]:
        """What each of this process's batches of an update is multiplied with: the engine's mean over batches and
        processes is then the mean over all that the weights count. It stays on the device: nothing waits for it.

        :param weights: of the batches, as `Task.weigh` has them.
        """
        mine = torch.tensor(weights, dtype=torch.float64)
        total = mine.sum()
        if self.world > 1:
            total = total.to(self.device)
            torch.distributed.all_reduce(total)
        mine = mine.to(self.device) * (len(weights) * self.world) / total.to(self.device)
        return list(mine.float())

    def mean(self, values: Sequence[torch.Tensor]) -> list[float]:
        """Means over all processes; the one time in an update that the host waits for losses."""
        summed = torch.stack([value.to(self.device, torch.float64) for value in values])
        if self.world > 1:
            torch.distributed.all_reduce(summed)
        return (summed / self.world).tolist()

    def sum(self, values: Sequence[float]) -> list[float]:
        """Sums over all processes."""
        if self.world == 1:
            return list(values)
        summed = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(summed)
        return summed.tolist()

    def gather(self, names: list[str]) -> list[str]:
        """What all processes hold, in the order of their ranks."""
        held: list[Any] = [names] * self.world
        if self.world > 1:
            torch.distributed.all_gather_object(held, names)
        return [name for part in held for name in part]

    def save(self, folder: Path) -> None:
        """Write the optimizer's state into `folder` (made whole by a rename)."""
        if self._plain:
            state = self._optimizer.state
            tensors = {
                f"{key}/{name}": torch.as_tensor(value)
                for name, parameter in zip(self._names, self._trained, strict=True)
                for key, value in state[parameter].items()
            }
            if written_by(folder):
                shutil.rmtree(folder)  # of the same segment at several processes
            write_tensors(folder / _STATE, tensors, {})
            return
        part = folder.with_name(folder.name + ".part")
        if self.rank == 0:
            shutil.rmtree(part, ignore_errors=True)  # of a killed job, which may have had more processes
        with _quiet():
            self._engine.save_checkpoint(str(part), tag="state", exclude_frozen_parameters=True)
        if self.rank == 0:
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
        self.barrier()

    def load(self, folder: Path) -> None:
        """Read what `save` wrote, at whatever number of processes.

        :raises CheckpointError: absent, damaged, or of another module.
        """
        if not folder.is_dir():
            raise CheckpointError(f"{folder} does not exist: rerun the segment that writes it")
        writers = written_by(folder)
        if self._plain and not writers:
            self._load_tensors(folder)
        elif not self._plain and writers == self.world:
            with _quiet(), nothing_runs():
                loaded, _ = self._engine.load_checkpoint(str(folder), tag="state", custom_load_fn=self._fill(folder))
            if loaded is None:
                raise CheckpointError(f"{folder} holds no engine state: rerun the segment that writes it")
        else:
            self._load_universal(folder, writers)

    def _fill(self, folder: Path) -> Callable[..., None]:
        """How the module takes the weights of a state, which holds none of frozen modules: those are handed over."""

        def fill(src: dict[str, torch.Tensor], dst: nn.Module) -> None:
            found = dst.load_state_dict(src, strict=False)
            if wrong := sorted({*found.unexpected_keys, *(set(found.missing_keys) & set(self._names))}):
                raise CheckpointError(
                    f"{folder} does not fit this model in {wrong[0]} and {len(wrong) - 1} more: it belongs to another "
                    "stage or model; rerun its segment"
                )

        return fill

    def _load_tensors(self, folder: Path) -> None:
        """Adam's state of a single process."""
        tensors, _ = read_tensors(folder / _STATE)
        for name, parameter in zip(self._names, self._trained, strict=True):
            self._optimizer.state[parameter] = _beside(_fitting(tensors, folder, name, parameter), parameter)

    def _load_universal(self, folder: Path, writers: int) -> None:
        """A state that another number of processes wrote, by way of a universal checkpoint in a temporary folder."""
        universal = folder.with_name(".universal")
        if self.rank == 0:
            shutil.rmtree(universal, ignore_errors=True)  # of a killed job
            self._convert(folder, universal, writers)
            say(f"{folder}: written by {writers or 1} process(es), made universal, and read by {self.world}")
        self.barrier()
        try:
            if self._plain:
                for name, parameter in zip(self._names, self._trained, strict=True):
                    held = read_parameter(universal, name)
                    with torch.no_grad():
                        parameter.copy_(held.pop("fp32"))
                    self._optimizer.state[parameter] = _beside(held, parameter)
            else:
                with _quiet(), nothing_runs():
                    self._engine.optimizer.load_state_dict(None, checkpoint_folder=str(universal))
                    self._engine.optimizer.update_lp_params()
            self.barrier()
        finally:
            if self.rank == 0:
                shutil.rmtree(universal, ignore_errors=True)

    def _convert(self, folder: Path, universal: Path, writers: int) -> None:
        if writers:
            with _quiet():
                from_partitions(folder, universal)
            return
        tensors, _ = read_tensors(folder / _STATE)
        weights = dict(zip(self._names, self._trained, strict=True))
        for name, parameter in weights.items():
            _fitting(tensors, folder, name, parameter)
        from_tensors(tensors, {name: one.float().cpu() for name, one in weights.items()}, universal)

    def barrier(self) -> None:
        """Wait for all processes."""
        if self.world > 1:
            torch.distributed.barrier()

    def leave(self) -> None:
        """Meet the other processes for the last time, and end the threads that talk to them.

        Left to the interpreter's end, one of those may still run, and abort a process whose work is done.
        """
        if self.world > 1:
            torch.distributed.barrier()
            torch.distributed.destroy_process_group()


def device_of(local_rank: int, gpus: int) -> torch.device:
    """Where a process trains that is number `local_rank` of its node's, which shows it so many GPUs.

    :raises TrainingError: there are fewer GPUs than processes.
    """
    if not gpus:
        return torch.device("cpu")
    if local_rank >= gpus:
        raise TrainingError(
            f"training process {local_rank} (from 0) of {socket.gethostname()} finds {gpus} GPU(s) there: ask for one "
            "a process on each node (docs/cluster.md), or set fewer processes"
        )
    return torch.device("cuda", local_rank)


def _fitting(
    tensors: dict[str, torch.Tensor], folder: Path, name: str, parameter: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Adam's state of a parameter out of a file's tensors.

    :raises CheckpointError: it is not there, or of another shape.
    """
    try:
        state = {key: tensors[f"{key}/{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
    except KeyError as error:
        raise CheckpointError(f"{folder} lacks {error}: it belongs to another model; rerun its segment") from None
    if state["exp_avg"].shape != parameter.shape:
        raise CheckpointError(
            f"{folder}: {name} has shape {tuple(state['exp_avg'].shape)}, this model {tuple(parameter.shape)}: "
            "it belongs to another model; rerun its segment"
        )
    return state


def _beside(state: dict[str, torch.Tensor], parameter: torch.Tensor) -> dict[str, torch.Tensor]:
    """Adam's state where its parameter is: the fused update takes no other, the count of steps included."""
    return {key: one.to(parameter.device) for key, one in state.items()}


class _Adam(torch.optim.Adam):
    """Adam whose next update can be left out: DeepSpeed goes on counting and clearing as if it were made."""

    skip = False

    def step(self, closure: Any = None) -> Any:
        return None if self.skip else super().step(closure)


def _deepspeed() -> Any:
    """DeepSpeed, distributed and quiet; gloo on a CPU, and without a meeting point where there is one process."""
    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    os.environ.setdefault("DS_SKIP_CUDA_CHECK", "1")
    with _quiet():
        import deepspeed
        import deepspeed.ops

        # Its shared-memory all-reduce would be compiled at the first start, for minutes.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
        if "RANK" not in os.environ:
            # The one variable that DeepSpeed insists on; RANK would make processes started from here seem launched.
            os.environ.setdefault("LOCAL_RANK", "0")
        if not torch.distributed.is_initialized():
            backend = "nccl" if torch.cuda.is_available() else "gloo"
            if "RANK" not in os.environ:
                # In memory: a file to meet at would be left behind.
                torch.distributed.init_process_group(backend, store=torch.distributed.HashStore(), rank=0, world_size=1)
            deepspeed.init_distributed(backend, timeout=PATIENCE)
    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    return deepspeed


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """DeepSpeed prints on standard output, where results belong: send that to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        yield
