"""Raw manifest -> labelled manifest: normalised text, phones, and a status for every row."""

import itertools
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from earmark.audio.fbank import frame_count
from earmark.audio.read import SAMPLE_RATE
from earmark.config import Shards
from earmark.data.manifest import KEPT, LABELLED
from earmark.errors import TextError
from earmark.text.inventory import Inventory
from earmark.text.normalise import normalise
from earmark.text.phonemes import Phonemizer

SUBSAMPLING = 4
"""Feature frames an encoder frame (section A.2)."""


def label(manifest: pa.Table, inventory: Inventory, limits: Shards) -> pa.Table:
    """Columns `text` and `phones` added, `status` set; no row is lost.

    Set aside: empty or unlabelled text, too short, too long, fewer encoder frames than CTC needs.
    """
    rows = manifest.to_pylist()
    for row in rows:
        row.update(text=None, phones=None)
        if row["status"] == KEPT:
            _normalise(row)
    labelled = [row for row in rows if row["status"] == KEPT]
    results = Phonemizer(inventory).label_many([(row["text"], row["language"]) for row in labelled])
    for row, phones in zip(labelled, results, strict=True):
        if isinstance(phones, TextError):
            row["status"] = phones.reason
        else:
            row["phones"] = phones
            row["status"] = length_status(row["duration"], phones, limits)
    return pa.Table.from_pylist(rows, schema=LABELLED)


def _normalise(row: dict[str, Any]) -> None:
    if not (row["raw_text"] or "").strip():
        row["status"] = "empty text"
        return
    try:
        row["text"] = normalise(row["raw_text"], row["language"])
    except TextError as error:
        row["status"] = error.reason


def length_status(seconds: float | None, phones: list[str], limits: Shards) -> str:
    """Kept, or why an utterance of this length with these phones cannot be trained on."""
    if not seconds:
        return "no audio"
    if seconds < limits.min_seconds:
        return "too short"
    if seconds > limits.max_seconds:
        return "too long"
    return frames_status(frame_count(round(seconds * SAMPLE_RATE)), phones)


def frames_status(frames: int, phones: list[str]) -> str:
    """Kept, or "too few frames for CTC": symbols and repeats need an encoder frame (40 ms) each."""
    if -(-frames // SUBSAMPLING) < minimum_ctc_frames(phones):
        return "too few frames for CTC"
    return KEPT


def minimum_ctc_frames(symbols: Sequence[object]) -> int:
    """Frames that CTC needs: one a symbol, and a blank between equal neighbours."""
    return len(symbols) + sum(one == other for one, other in itertools.pairwise(symbols))
