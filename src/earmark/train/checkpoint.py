"""What a segment leaves on disk: weights, a file a module, and the engine states that are kept."""

import shutil
from collections.abc import Collection
from pathlib import Path

from torch import nn

from earmark.io import sha256
from earmark.models.build import save_weights
from earmark.paths import step_name
from earmark.train.place import Place

KEPT_STATES = 2
"""Engine states that are kept besides the one at a stage's end."""


def save_modules(
    modules: dict[str, nn.Module],
    folder: Path,
    frozen: dict[str, str],
    trained: Collection[str],
    metadata: dict[str, str],
) -> dict[str, str]:
    """Write the trained modules, and frozen ones that no segment has written yet; the file of every module.

    :param frozen: files of modules that were handed over. They are named, not written again, so a swap is one file.
    """
    weights = {}
    for name, module in modules.items():
        if name in frozen and name not in trained:
            weights[name] = frozen[name]
            continue
        path = folder / f"{name}.safetensors"
        save_weights(module, path, metadata)
        weights[name] = str(path)
    return weights


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below `folder`, by its name in it."""
    return {str(path.relative_to(folder)): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def prune(folder: Path, place: Place) -> None:
    """Remove the engine states of a stage's folder but the newest two and the one at the stage's end."""
    states = sorted(path.parent for path in folder.glob("step_*/engine"))
    for old in states[:-KEPT_STATES]:
        if old.name != step_name(place.steps):
            # An orphan of a killed snakemake may be pruning the same folder.
            shutil.rmtree(old / "engine", ignore_errors=True)
