"""A throw-away SLURM with two nodes on this host: one slurmctld, two slurmd, a munged of their own.

No systemd, no cgroups, no database. Every daemon is a child of this process that ends when it ends, however that comes
about; what a killed test leaves are two dangling links in /etc/slurm and a folder, which the next one removes.
"""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ETC = Path("/etc/slurm")
"""Debian's built-in place: the executor's job step drops SLURM_CONF from the environment, so links must lie here."""
PREFIX = "earmark-slurm-"
LOCK = Path(tempfile.gettempdir()) / "earmark-slurm.lock"
PROGRAMS = {
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
    "munged": "munge",
    "setpriv": "util-linux",
}
NODES = 2
MEMORY_MB = 9000
"""Of a node: room for one pretraining (4,000) and a light job, not for pretraining and post-training (6,000)."""

CONFIGURATION = """\
ClusterName=earmark
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
GresTypes=gpu
ReturnToService=2
MailProg=/bin/true
MpiDefault=none
SwitchType=switch/none
SlurmdParameters=config_overrides
KillWait=2
MinJobAge=300
SlurmdTimeout=30
"""


class Job(NamedTuple):
    """A finished job, as SLURM recorded it; times are its local ones, to the second."""

    id: str
    state: str
    node: str
    start: str
    end: str


class Slurm:
    """A running SLURM in `folder`."""

    def __init__(self, folder: Path, daemons: list[subprocess.Popen[bytes]]):
        self.folder, self.daemons = folder, daemons

    def jobs(self) -> dict[str, Job]:
        """Finished jobs by their number."""
        path = self.folder / "jobs.txt"
        jobs = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            field = dict(part.split("=", 1) for part in line.split() if "=" in part)
            job = Job(field["JobId"], field["JobState"], field["NodeList"], field["StartTime"], field["EndTime"])
            jobs[job.id] = job
        return jobs


def missing() -> str | None:
    """Why no SLURM can be started here, and what to do; none: it can."""
    absent = {package for program, package in PROGRAMS.items() if _program(program) is None}
    if absent:
        return f"SLURM is not installed: apt-get install --no-install-recommends {' '.join(sorted(absent))}"
    if os.geteuid() != 0:
        return "a throw-away SLURM needs root"
    foreign = [name for name in ("slurm.conf", "gres.conf") if not _is_ours(ETC / name)]
    if foreign:
        return f"{ETC / foreign[0]} belongs to a SLURM of this host: run the test on another one"
    return None


@contextlib.contextmanager
def running() -> Iterator[Slurm]:
    """Start SLURM, wait until all nodes are idle, and end it with all jobs and files.

    :raises RuntimeError: another test has one running, or a daemon did not come up.
    """
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another test runs its SLURM on this host: it holds {LOCK}") from None
        for left in LOCK.parent.glob(f"{PREFIX}*/"):
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        slurm = Slurm(folder, [])
        try:
            _configure(folder)
            _start(slurm)
            yield slurm
        finally:
            _stop(slurm)
            shutil.rmtree(folder)


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _is_ours(link: Path) -> bool:
    """Absent, or a link that a test of this kind has made."""
    if link.is_symlink():
        return link.readlink().parent.name.startswith(PREFIX)
    return not link.exists()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _configure(folder: Path) -> None:
    host = socket.gethostname().split(".")[0]
    nodes = [f"node{number + 1}" for number in range(NODES)]
    lines, gpus = [CONFIGURATION.format(host=host, port=_free_port(), folder=folder)], []
    for name in nodes:
        (folder / "spool" / name).mkdir(parents=True)
        lines.append(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={_free_port()} "
            f"CPUs=4 RealMemory={MEMORY_MB} Gres=gpu:2"
        )
        for number in range(2):
            # Character devices stand in for GPUs: SLURM hands them out, nothing opens them.
            os.mknod(folder / f"{name}-gpu{number}", 0o666 | 0o020000, os.makedev(1, 3))
        gpus.append(f"NodeName={name} Name=gpu File={folder}/{name}-gpu[0-1]")
    lines.append(f"PartitionName=main Nodes={','.join(nodes)} Default=YES MaxTime=INFINITE DefMemPerCPU=500")
    (folder / "slurm.conf").write_text("\n".join(lines) + "\n")
    (folder / "gres.conf").write_text("\n".join(gpus) + "\n")
    (folder / "state").mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    folder.chmod(0o755)
    ETC.mkdir(exist_ok=True)
    for name in ("slurm.conf", "gres.conf"):
        (ETC / name).unlink(missing_ok=True)
        (ETC / name).symlink_to(folder / name)


def _start(slurm: Slurm) -> None:
    folder = slurm.folder
    files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "seed", "log", "pid")]
    _daemon(slurm, "munged", "--foreground", "--force", f"--socket={folder}/munge.sock", *files)
    _wait((folder / "munge.sock").exists, "munged", folder)
    _daemon(slurm, "slurmctld", "-D", "-c")
    for number in range(NODES):
        _daemon(slurm, "slurmd", "-D", "-N", f"node{number + 1}")
    _wait(lambda: _states() == ["idle"] * NODES, "slurmd", folder)


def _daemon(slurm: Slurm, program: str, *arguments: str) -> None:
    """A daemon that the kernel ends when this process is gone."""
    path = _program(program)
    assert path
    with (slurm.folder / "daemons.log").open("ab") as log:
        slurm.daemons.append(
            subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", path, *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )


def _states() -> list[str]:
    found = subprocess.run(["sinfo", "-h", "-N", "-o", "%t"], capture_output=True, text=True, check=False)
    return found.stdout.split()


def _wait(ready: Callable[[], bool], what: str, folder: Path, seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > limit:
            logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in folder.glob("*.log"))
            raise RuntimeError(f"{what} did not come up in {seconds:.0f} s\n{logs}")
        time.sleep(0.2)


def _stop(slurm: Slurm) -> None:
    """End jobs, then daemons, and remove the links."""
    if slurm.daemons:
        subprocess.run(["scancel", "--user=root"], check=False, timeout=30)
        limit = time.monotonic() + 20
        while _queued() and time.monotonic() < limit:
            time.sleep(0.5)
    for daemon in reversed(slurm.daemons):
        daemon.terminate()
    for daemon in reversed(slurm.daemons):
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
    for name in ("slurm.conf", "gres.conf"):
        if (ETC / name).is_symlink() and _is_ours(ETC / name):
            (ETC / name).unlink()


def _queued() -> bool:
    found = subprocess.run(["squeue", "-h"], capture_output=True, text=True, check=False)
    return bool(found.stdout.strip())
