"""Several processes on one node: this very command once a rank under torchrun, and one line when a rank fails.

torchrun watches its ranks: when one dies, however that comes about, it stops the others at once (SIGTERM, and SIGKILL
after 30 s) and ends. Nothing but a temporary file is lost: the segment starts over from the checkpoint before.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from earmark.errors import TrainingError, UserError

SAID = "EARMARK_SAID"
"""Environment variable: file in which a rank leaves a mistake's line: torchrun says only that it failed."""


def under_torchrun(processes: int, arguments: Sequence[str]) -> None:
    """Run `earmark ARGUMENTS` in so many processes of this machine.

    :raises UserError: what a rank said. :raises TrainingError: a rank died without a word.
    """
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    with tempfile.TemporaryDirectory(prefix="earmark-") as folder:
        said = Path(folder) / "said"
        # After "--" torchrun leaves our options alone; it would take --run for an abbreviation of one of its own.
        command = [*launcher, "-m", "--", "earmark.cli", *arguments]
        code = _passing_signals(subprocess.Popen(command, env=os.environ | {SAID: str(said)}))
        if said.exists():
            raise UserError(said.read_text(encoding="utf-8"))
    if code:
        raise TrainingError(
            f"one of {processes} training processes died and the others were stopped (torchrun's exit code {code}; its "
            "report is above): run the same command again, the segment starts over from the checkpoint before it"
        )


def leave_word(error: UserError) -> None:
    """In a rank: leave the line of a mistake for the process that started torchrun; the first rank's counts."""
    place = os.environ.get(SAID)
    if place and not Path(place).exists():
        Path(place).write_text(str(error), encoding="utf-8")


def _passing_signals(child: subprocess.Popen[bytes]) -> int:
    """Exit code of `child`; what would end this process is passed on to it, so that no rank is left alone."""

    def forward(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    before = {one: signal.signal(one, forward) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        return child.wait()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
