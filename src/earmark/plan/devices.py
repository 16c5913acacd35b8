"""GPUs of one machine: where nobody hands them out, each job takes free ones, by a lock each.

Snakemake counts GPUs (the resource `gpu`) and does not say which; SLURM does, and is left alone. A lock ends with its
process, however that comes about.
"""

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

from earmark.errors import ConfigError
from earmark.plan.site import gpus

_HELD: list[IO[str]] = []
"""Open for as long as this process runs."""


def claim(count: int, folder: Path | None = None) -> None:
    """Take `count` GPUs that no other job here has: CUDA_VISIBLE_DEVICES names them, for child processes, too.

    Nothing is done where the variable or SLURM says which, or where there are none, or too few: training says so.

    :param folder: of the locks; None: the temporary directory.
    :raises ConfigError: others have them.
    """
    there = len(gpus()) if "CUDA_VISIBLE_DEVICES" not in os.environ and "SLURM_JOB_ID" not in os.environ else 0
    if there < count or not there:
        return
    taken: list[int] = []
    for number in range(there):
        if len(taken) < count and _lock((folder or Path(tempfile.gettempdir())) / f"earmark-gpu-{number}.lock"):
            taken.append(number)
    if len(taken) < count:
        raise ConfigError(
            f"{count} of this machine's {there} GPUs are wanted, and {len(taken)} are free of other jobs: wait for "
            "those, or name devices with CUDA_VISIBLE_DEVICES"
        )
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, taken))


def _lock(path: Path) -> bool:
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    _HELD.append(file)
    return True
