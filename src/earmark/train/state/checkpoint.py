"""What a segment leaves on disk: weights, a file a module, and what of it is kept."""

import shutil
from collections.abc import Collection
from pathlib import Path

from torch import nn

from earmark.config import Stage, segments
from earmark.io import read_json, sha256
from earmark.models.build import save_weights
from earmark.models.done import last_of
from earmark.paths import step_name
from earmark.train.place import Place
from earmark.train.stopping import best_of, markers

KEPT = 2
"""Newest checkpoints of a stage that are kept: a damaged one can be trained again from the one before."""


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
    """Remove what the stage needs no more of its segments up to the one that was written, which `place` says.

    Engine states stay in the newest two segments. So do the weights of post-training, and those that the stage may yet
    hand on or average; pretraining's all stay, as the watch, the report and those who diagnose the encoder read them.
    Later segments, of an earlier training, are neither counted nor touched: they are trained again in their turn. Where
    its segments or its whole were of another length, what this training has overtaken is removed, metrics and all.
    """
    kept = [step_name(end) for end in segments(place.end, place.stage.segment_steps)[-KEPT:]]
    for state in folder.glob("step_*/engine"):
        if state.parent.name <= kept[-1] and state.parent.name not in kept:
            # An orphan of a killed snakemake may be pruning the same folder.
            shutil.rmtree(state, ignore_errors=True)
    if place.kind != "pretrain":
        _prune_weights(folder, place.stage, place.end)
    for other in folder.glob("step_*"):
        step = int(other.name.removeprefix("step_"))
        if place.start < step < place.end or place.end == place.steps < step:
            shutil.rmtree(other, ignore_errors=True)


def _prune_weights(folder: Path, stage: Stage, end: int) -> None:
    written = [read_json(done) for done in markers(folder, stage, end) if done.is_file()]
    count = stage.average_last or 1
    kept = written[-max(KEPT, count) :]
    if stage.patience is not None:
        best = written.index(best_of(written)) + 1
        kept += written[max(0, best - count) : best]
    files = [file for one in kept for file in (*one["weights"].values(), *last_of(one).values())]
    # Names are compared below the stage's folder: the run may have been called by another path.
    named = {Path(file).parts[-3:] for file in files}
    for one in written:
        for name in stage.trained:
            path = folder / step_name(one["step"]) / f"{name}.safetensors"
            if path.parts[-3:] not in named:
                path.unlink(missing_ok=True)
