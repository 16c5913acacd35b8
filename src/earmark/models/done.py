"""done.json of a training segment: what describes a checkpoint, read by all that load its weights."""

from pathlib import Path
from typing import Any

from earmark.errors import CheckpointError
from earmark.io import read_json

FORMAT = 1
"""Version of checkpoints: the keys of done.json, and the files and tensors that it describes."""


def read_done(path: Path | str) -> dict[str, Any]:
    """What the done.json of a segment says.

    :raises UserError: absent or damaged. :raises CheckpointError: of another version.
    """
    described: dict[str, Any] = read_json(path)
    version = described.get("format", 1)  # the first checkpoints do not say it
    if version != FORMAT:
        raise CheckpointError(
            f"{path} describes a checkpoint of version {version}, this earmark reads version {FORMAT}: go on with the "
            "earmark that wrote it (report.html of its run names the commit), or train it again"
        )
    return described
