"""done.json of a training segment: what describes a checkpoint, read by all that load its weights."""

from pathlib import Path
from typing import Any

from earmark.errors import CheckpointError
from earmark.io import read_json

FORMAT = 1
"""Version of checkpoints: the keys of done.json, and the files and tensors that it describes."""

_NEEDED = {"instance": str, "step": int, "inventory": str, "weights": dict, "sha256": dict}
"""Keys that are read without asking whether they are there, and the type of each."""


def read_done(path: Path | str) -> dict[str, Any]:
    """What the done.json of a segment says.

    :raises UserError: absent or no JSON. :raises CheckpointError: of another version, or no segment's.
    """
    described: Any = read_json(path)
    if not isinstance(described, dict):
        raise CheckpointError(f"{path} holds no object: name the done.json of a training segment, or train it again")
    version = described.get("format", 1)  # the first checkpoints do not say it
    if version != FORMAT:
        raise CheckpointError(
            f"{path} describes a checkpoint of version {version}, this earmark reads version {FORMAT}: go on with the "
            "earmark that wrote it (report.html of its run names the commit), or train it again"
        )
    lacking = [key for key, kind in _NEEDED.items() if not isinstance(described.get(key), kind)]
    if lacking:
        raise CheckpointError(
            f"{path} lacks {', '.join(lacking)}: name the done.json of a training segment, or train it again"
        )
    return described


def handed_over(described: dict[str, Any], goes_on: bool) -> dict[str, str]:
    """File of each module that is taken over from a segment, whose training goes on or another stage begins.

    The stage that averaged its checkpoints goes on from its last one, to which the optimizer's state belongs; others
    take the mean.
    """
    return described["weights"] | (last_of(described) if goes_on else {})


def last_of(described: dict[str, Any]) -> dict[str, str]:
    """File of each module as the last step left it, where the segment names the mean of several checkpoints."""
    last: dict[str, str] = described.get("averaged", {}).get("last", {})
    return last
