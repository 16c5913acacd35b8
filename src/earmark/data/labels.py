"""Raw manifest -> labelled manifest: normalised text, phones, and a status for every row."""

import itertools
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from earmark.audio.fbank import frame_count
from earmark.audio.read import SAMPLE_RATE
from earmark.config import Shards, Text
from earmark.data.manifest import KEPT, LABELLED, LABELS, part_rows
from earmark.errors import TextError
from earmark.io import parquet_writer, stream_parquet
from earmark.text.normalise import normalise, script_fault
from earmark.text.phonemes import Phonemizer

UNKNOWN = re.compile(
    r"[\[<(]\s*(?:unk|unknown|unintelligible|inaudible|indiscernible)\s*[\])>]|\(\(\s*\)\)", re.IGNORECASE
)
"""Marks of words that were spoken and not written: [UNK], <unk>, (inaudible), (())."""
LONGEST = 200.0
"""Seconds that the encoder has positions for (5,000 of 40 ms)."""
SUBSAMPLING = 4
"""Feature frames an encoder frame (section A.2)."""


def phonemizer(settings: Text) -> Phonemizer:
    """What labels texts, as the configuration says."""
    return Phonemizer.from_settings(settings)


def label_part(raw: Path, part: int, parts: int, output: Path, labeller: Phonemizer, limits: Shards) -> None:
    """Label one part of a raw manifest, a row group at a time; parts beyond `parts`, of other settings, are removed.

    The manifest's metadata hold the labeller's hash.
    """
    start, end = part_rows(raw, part, parts)
    with parquet_writer(output, LABELLED.with_metadata({LABELS: labeller.hash})) as writer:
        for chunk in stream_parquet(raw, start=start, end=end):
            writer.write_table(label(chunk, labeller, limits))
    for stale in output.parent.glob("part_[0-9][0-9][0-9][0-9].parquet"):
        if int(stale.stem[-4:]) >= parts:
            stale.unlink(missing_ok=True)


def label(manifest: pa.Table, labeller: Phonemizer, limits: Shards) -> pa.Table:
    """Columns `text` and `phones` added, `status` set; no row is lost.

    Set aside: empty or unlabelled text, another script than the language's, too short, too long, fewer encoder frames
    than CTC needs, impossible speaking rate; outside test sets, text with a mark of unknown words (a label without a
    word that is heard).

    Test sets stay whole, as their published size is part of what a score means: only what cannot be recognised (no
    audio, longer than the encoder has positions for) or has no reference is set aside. An empty text is kept, with no
    phones: whatever is recognised there is invented. So is a text that has no phones: it has no phone error rate.
    """
    rows = manifest.to_pylist()
    for row in rows:
        row.update(text=None, phones=None)
        if row["status"] == KEPT:
            _normalise(row)
    for row in rows:
        if row["status"] == KEPT and not row["text"]:
            row["phones"] = []
            row["status"] = _status(row, limits)
    labelled = [row for row in rows if row["status"] == KEPT and row["text"]]
    results = labeller.label_many([(row["text"], row["language"]) for row in labelled])
    for row, phones in zip(labelled, results, strict=True):
        if isinstance(phones, TextError) and not is_test(row["split"]):
            row["status"] = phones.reason
            continue
        row["phones"] = [] if isinstance(phones, TextError) else phones
        row["status"] = _status(row, limits)
    return pa.Table.from_pylist(rows, schema=LABELLED)


def is_test(split: str) -> bool:
    """Whether a split is a test set."""
    return split not in ("train", "valid")


def _status(row: dict[str, Any], limits: Shards) -> str:
    if is_test(row["split"]):
        return recognisable(row["duration"])
    return length_status(row["duration"], row["phones"], limits)


def recognisable(seconds: float | None) -> str:
    """Kept, or why an utterance of a test set cannot be recognised at all."""
    if not seconds or frame_count(round(seconds * SAMPLE_RATE)) < 1:
        return "no audio"
    return "longer than the encoder takes" if seconds > LONGEST else KEPT


def _normalise(row: dict[str, Any]) -> None:
    tested = is_test(row["split"])
    if not (row["raw_text"] or "").strip():
        row["status"] = KEPT if tested and row["raw_text"] is not None else "empty text"
        row["text"] = "" if row["status"] == KEPT else None
        return
    if not tested and UNKNOWN.search(unicodedata.normalize("NFKC", row["raw_text"])):
        row["status"] = "unknown words in the text"
        return
    try:
        row["text"] = normalise(row["raw_text"], row["language"] or "")
    except TextError as error:
        row["status"] = error.reason
        return
    fault = None if tested else script_fault(row["text"], row["language"])
    row["status"] = fault or KEPT


def length_status(seconds: float | None, phones: list[str], limits: Shards) -> str:
    """Kept, or why an utterance of this length with these phones cannot be trained on."""
    if not seconds:
        return "no audio"
    if seconds < limits.min_seconds:
        return "too short"
    if seconds > limits.max_seconds:
        return "too long"
    status = frames_status(frame_count(round(seconds * SAMPLE_RATE)), phones)
    possible = limits.min_labels_per_second <= len(phones) / seconds <= limits.max_labels_per_second
    return "impossible speaking rate" if status == KEPT and phones and not possible else status


def frames_status(frames: int, phones: Sequence[object]) -> str:
    """Kept, or "too few frames for CTC": symbols and repeats need an encoder frame (40 ms) each."""
    if -(-frames // SUBSAMPLING) < minimum_ctc_frames(phones):
        return "too few frames for CTC"
    return KEPT


def minimum_ctc_frames(symbols: Sequence[object]) -> int:
    """Frames that CTC needs: one a symbol, and a blank between equal neighbours."""
    return len(symbols) + sum(one == other for one, other in itertools.pairwise(symbols))
