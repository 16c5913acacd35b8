"""Hold a finished default run against what it must reach: `python bench/check_bounds.py [SUMMARY]`.

The bounds are of one run, whatever its seed and processor: on another kind the same seed rounds otherwise, and that is
as good as another seed. So each rate's lies at least three standard deviations above the mean of the three seeds of
`make seeds`, which LOG.md gives.

Exit code 0: all bounds held; 1: one was missed; 2: there is no readable summary.
"""

import sys
from pathlib import Path
from typing import Any

from earmark.errors import UserError
from earmark.io import read_json

SUMMARY = Path("results/default/summary.json")

LIMITS = {
    "cer_zh": 0.08,
    "wer_en": 0.12,
    "mer_zh_en": 0.15,
    "per_zh": 0.2,
    "per_en": 0.2,
    "cer_zh_quiet": 0.08,
    "wer_en_quiet": 0.12,
    "wall_seconds": 720,
}
"""Largest values: error rates on held-out voices and sentences, as recorded and 20 dB quieter; seconds of the pipeline
on two cores."""

MIN_SWAPS = 2
"""Fewest swaps that CKA has to trigger."""


def checks(summary: dict[str, Any]) -> list[tuple[bool, str]]:
    """(held, line) of each bound; a missing key is a bound that is not held."""
    swaps = summary.get("swap_steps", [])
    started, ended = (float(summary.get(key, "nan")) for key in ("align_started", "pretrain_ended"))
    limited = [(key, float(summary.get(key, "nan")), limit) for key, limit in LIMITS.items()]
    return [
        *((value <= limit, f"{key} {value:.4g}, at most {limit:g}") for key, value, limit in limited),
        (len(swaps) >= MIN_SWAPS, f"swap_steps {swaps}, at least {MIN_SWAPS} of them"),
        (started < ended, f"alignment began {ended - started:.0f} s before pretraining ended, more than 0"),
    ]


def main(arguments: list[str]) -> int:
    """Write a line a bound; 0 if all are held, 1 if not, 2 if there is no summary."""
    try:
        results = checks(read_json(Path(arguments[0]) if arguments else SUMMARY))
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    for held, line in results:
        sys.stdout.write(f"{'held  ' if held else 'MISSED'} {line}\n")
    return 0 if all(held for held, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
