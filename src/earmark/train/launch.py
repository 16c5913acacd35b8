"""Several processes: this very command once a rank under torchrun, on one node or on all of a SLURM job's.

torchrun watches its ranks: when one dies, however that comes about, it stops the others of its node at once (SIGTERM,
and SIGKILL after 30 s) and ends. srun, which starts a torchrun on each of several nodes, then ends those of the others.
Nothing is lost but the segment, which starts over from the checkpoint before.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from earmark.errors import ConfigError, TrainingError, UserError
from earmark.io import write_text

SAID = "EARMARK_SAID"
"""Environment variable: file in which a rank leaves a mistake's line: torchrun says only that it failed."""
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
OF_JOB = {"SLURM_JOB_ID", "SLURM_CONF"}
"""Variables of SLURM that hold for the whole job."""
SRUN = [
    "srun",
    "--export=ALL",
    "--overlap",  # Snakemake's job step holds what the job has, and waits for this one
    "--ntasks-per-node=1",
    "--cpu-bind=none",  # the ranks of a node share all its cores: one task would else be bound to one
    "--kill-on-bad-exit=1",
    "--wait=0",  # torchruns may end apart, whatever the cluster's WaitTime
    "--quit-on-interrupt",
]


def under_torchrun(processes: int, arguments: Sequence[str], said: Path) -> None:
    """Run `earmark ARGUMENTS` in so many processes, spread evenly over the nodes of this SLURM job, or on this machine.

    :param said: where a rank leaves a mistake's line meanwhile; all nodes see it.
    :raises UserError: what a rank said. :raises ConfigError: the nodes cannot share the processes evenly.
    :raises TrainingError: a rank died without a word, or SLURM does not say how many nodes there are.
    """
    nodes = nodes_of_job()
    said.unlink(missing_ok=True)  # of a killed job
    said.parent.mkdir(parents=True, exist_ok=True)
    try:
        code = _run(processes, nodes, arguments, os.environ | {SAID: str(said.resolve())})
        if said.exists():
            raise UserError(said.read_text(encoding="utf-8"))
    finally:
        said.unlink(missing_ok=True)
    if code:
        launcher, where = ("srun", f" on {nodes} nodes") if nodes > 1 else ("torchrun", "")
        raise TrainingError(
            f"one of {processes} training processes{where} died{' or did not start' if where else ''} and the others "
            f"were stopped ({launcher}'s exit code {code}; its report is above): run the same command again, the "
            "segment starts over from the checkpoint before it"
        )


def nodes_of_job() -> int:
    """Number of nodes of the SLURM job that this process is of; 1 outside of SLURM.

    SLURM is asked, as its variables are no guide: in Snakemake's job step they tell of the step, which has one node,
    or, where that is not started by srun, are taken away but for the job's number.

    :raises TrainingError: SLURM does not answer.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if not job or not shutil.which("squeue"):
        return 1
    command = ["squeue", "--noheader", f"--jobs={job}", "--format=%A %D"]
    asked = subprocess.run(command, check=False, capture_output=True, text=True)
    # Of a job array all jobs may be listed.
    found = re.search(rf"^{job} (\d+)$", asked.stdout, re.MULTILINE)
    if not found:
        raise TrainingError(
            f"squeue does not say how many nodes SLURM job {job} has ({asked.stderr.strip() or 'no such job'}): "
            "run the same command again, or unset SLURM_JOB_ID where this is no job of SLURM"
        )
    return int(found[1])


def refuse_idle_nodes() -> None:
    """Refuse to train in one process where the SLURM job has several nodes: all but one would idle without a word.

    A SLURM that does not answer matters to nobody here.

    :raises ConfigError: there are several nodes.
    """
    try:
        nodes = nodes_of_job()
    except TrainingError:
        return
    _shared_out(1, nodes)


def leave_word(error: UserError) -> None:
    """In a rank: leave the line of a mistake for the process that started torchrun; the first rank's counts."""
    place = os.environ.get(SAID)
    if place and not Path(place).exists():
        write_text(place, str(error))


def _run(processes: int, nodes: int, arguments: Sequence[str], environment: dict[str, str]) -> int:
    """Exit code of the ranks' launcher.

    :raises ConfigError: the nodes cannot share the processes evenly.
    """
    each = _shared_out(processes, nodes)
    ranks = _ranks(each, arguments)
    environment = environment | {"OMP_NUM_THREADS": _threads(each)}
    if nodes == 1:
        return _waiting([*TORCHRUN, "--standalone", *ranks], environment)
    from torch.distributed import TCPStore

    # Where the torchruns meet. It is here, not with one of them, so that the system picks a port that is free.
    meeting = TCPStore(socket.gethostname(), 0, is_master=True, wait_for_workers=False)
    across = [
        f"--nnodes={nodes}",
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint={meeting.host}:{meeting.port}",
        "--rdzv-conf=is_host=false",
        "--rdzv-id=earmark",
    ]
    # What a step around this one was given would be taken for what the job has.
    kept = {name: value for name, value in environment.items() if not name.startswith("SLURM_") or name in OF_JOB}
    return _waiting([*SRUN, f"--nodes={nodes}", f"--ntasks={nodes}", *TORCHRUN, *across, *ranks], kept)


def _shared_out(processes: int, nodes: int) -> int:
    """Processes of each node.

    :raises ConfigError: the nodes cannot share the processes evenly.
    """
    if processes % nodes:
        raise ConfigError(
            f"processes {processes} cannot be shared out evenly to the {nodes} nodes of this SLURM job: "
            "ask for a number of nodes that divides it, or set another number of processes"
        )
    return processes // nodes


def _ranks(count: int, arguments: Sequence[str]) -> list[str]:
    """What torchrun starts on a node."""
    # After "--" torchrun leaves our options alone; it would take --run for an abbreviation of one of its own.
    return [f"--nproc-per-node={count}", "-m", "--", "earmark.cli", *arguments]


def _threads(ranks: int) -> str:
    """Threads of each of a node's ranks: they share what Snakemake names, which is the job's number."""
    return str(max(1, int(os.environ.get("OMP_NUM_THREADS", "1")) // ranks))


def _waiting(command: list[str], environment: dict[str, str]) -> int:
    """Exit code of `command`; what would end this process is passed on to it, so that no rank is left alone."""
    child = subprocess.Popen(command, env=environment)

    def forward(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    before = {one: signal.signal(one, forward) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        return child.wait()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
