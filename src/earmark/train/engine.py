"""The one file that knows DeepSpeed: backward, step, clipping, and the engine's state on disk.

Several processes, or bfloat16, use ZeRO-2 (over gloo on a CPU, NCCL on GPUs). A single float32 process keeps its
optimizer state as safetensors, so that a resumed segment is bit-identical and no pickle is read.
"""

import contextlib
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from earmark.config import Stage
from earmark.errors import CheckpointError
from earmark.io import read_tensors, write_tensors

_STATE = "optimizer.safetensors"


class Engine:
    """A module under training.

    :param module: its forward returns what the loop passes to `backward`. :param precision: float32 or bfloat16.
    """

    def __init__(self, module: nn.Module, stage: Stage, precision: str):
        deepspeed = _deepspeed()
        self.rank = torch.distributed.get_rank()
        self.world = torch.distributed.get_world_size()
        self._names = [name for name, parameter in module.named_parameters() if parameter.requires_grad]
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.device = (
            torch.device("cuda", self.rank % torch.cuda.device_count()) if torch.cuda.is_available() else "cpu"
        )
        self._trained, self._clip, self._norm = trained, stage.clip, 0.0
        self._optimizer = torch.optim.Adam(trained, lr=stage.peak_rate, betas=stage.betas, fused=True)
        self._plain = self.world == 1 and precision == "float32"
        with _quiet():
            self._engine, *_ = deepspeed.initialize(
                model=module.to(self.device),
                model_parameters=trained,
                optimizer=self._optimizer,
                config=self._settings(stage, precision),
            )
        if self._plain:
            # One process has nothing to reduce: flattening all gradients would take a twentieth of a small step.
            self._engine.enable_backward_allreduce = False

    def _settings(self, stage: Stage, precision: str) -> dict[str, Any]:
        return {
            "train_micro_batch_size_per_gpu": 1,  # batches come ready-made: this number only scales DeepSpeed's logs
            "gradient_accumulation_steps": stage.accumulation,
            "gradient_clipping": 0.0 if self._plain else stage.clip,
            "zero_optimization": {"stage": 0 if self._plain else 2},
            "zero_allow_untested_optimizer": True,
            "zero_force_ds_cpu_optimizer": False,
            "bf16": {"enabled": precision == "bfloat16"},
            "steps_per_print": 10**12,
        }

    def __call__(self, *arguments: Any) -> Any:
        """The module's forward."""
        return self._engine(*arguments)

    def backward(self, loss: torch.Tensor) -> None:
        """Accumulate gradients; DeepSpeed divides by the number of accumulated batches."""
        self._engine.backward(loss)

    def step(self, rate: float) -> None:
        """After each batch: at an accumulation boundary clip and update with learning rate `rate`."""
        for group in self._engine.optimizer.param_groups:
            group["lr"] = rate
        if self._plain and self._engine.is_gradient_accumulation_boundary():
            # All tensors at once: DeepSpeed goes one by one, which a small step feels.
            self._norm = float(nn.utils.clip_grad_norm_(self._trained, self._clip))
        self._engine.step()

    def gradient_norm(self) -> float:
        """Norm before clipping of the last update."""
        return self._norm if self._plain else float(self._engine.get_global_grad_norm() or 0.0)

    def save(self, folder: Path) -> None:
        """Write the optimizer's state into `folder` (made whole by a rename)."""
        if self._plain:
            state = self._optimizer.state
            tensors = {
                f"{key}/{name}": torch.as_tensor(value)
                for name, parameter in zip(self._names, self._trained, strict=True)
                for key, value in state[parameter].items()
            }
            write_tensors(folder / _STATE, tensors, {})
            return
        part = folder.with_name(folder.name + ".part")
        with _quiet():
            self._engine.save_checkpoint(str(part), tag="state", exclude_frozen_parameters=True)
        if self.rank == 0:
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
        self.barrier()

    def load(self, folder: Path) -> None:
        """Read what `save` wrote at the same number of processes.

        :raises CheckpointError: absent, damaged, or of another module.
        """
        if not self._plain:
            if not folder.is_dir():
                raise CheckpointError(f"{folder} does not exist: rerun the segment that writes it")
            with _quiet():
                loaded, _ = self._engine.load_checkpoint(str(folder), tag="state")
            if loaded is None:
                raise CheckpointError(f"{folder} holds no engine state: rerun the segment that writes it")
            return
        tensors, _ = read_tensors(folder / _STATE)
        for name, parameter in zip(self._names, self._trained, strict=True):
            try:
                state = {key: tensors[f"{key}/{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
            except KeyError as error:
                raise CheckpointError(
                    f"{folder} lacks {error}: it belongs to another model; rerun its segment"
                ) from None
            if state["exp_avg"].shape != parameter.shape:
                raise CheckpointError(
                    f"{folder}: {name} has shape {tuple(state['exp_avg'].shape)}, this model {tuple(parameter.shape)}: "
                    "it belongs to another model; rerun its segment"
                )
            self._optimizer.state[parameter] = state

    def barrier(self) -> None:
        """Wait for all processes."""
        if self.world > 1:
            torch.distributed.barrier()


def _deepspeed() -> Any:
    """DeepSpeed, distributed and quiet; gloo on a CPU, a file as meeting point when there is one process."""
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
                meeting = Path(tempfile.mkdtemp(prefix="earmark-")) / "meeting"
                torch.distributed.init_process_group(backend, init_method=f"file://{meeting}", rank=0, world_size=1)
            deepspeed.init_distributed(backend)
    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    return deepspeed


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """DeepSpeed prints on standard output, where results belong: send that to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        yield
