"""Swap: a pretraining snapshot's encoder takes the place of the one that a stage was handed (Eq. 13, section 3.4)."""

from pathlib import Path

from torch import nn

from earmark.errors import CheckpointError
from earmark.models.build import load_weights
from earmark.models.done import read_done
from earmark.text.inventory import Inventory
from earmark.train.state.handover import Origin, check_inventory
from earmark.train.state.initialise import modules_of


def swap_encoder(task: nn.Module, origin: Origin, snapshot: Path, inventory: Inventory) -> Origin:
    """Load the encoder of `snapshot` (its done.json) and nothing else; the origin that names its file.

    :raises CheckpointError: the snapshot has another inventory, or its encoder is absent, damaged or of another shape.
    """
    done = read_done(snapshot)
    check_inventory(snapshot, done["inventory"], inventory)
    if "encoder" not in done["weights"]:
        raise CheckpointError(f"{snapshot} names no encoder: name the done.json of a pretraining segment")
    path = done["weights"]["encoder"]
    load_weights(modules_of(task)["encoder"], path)
    return origin._replace(weights=origin.weights | {"encoder": path})
