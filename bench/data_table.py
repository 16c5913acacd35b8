"""What the data half takes for corpora of several sizes: `python bench/data_table.py`, after `make bench-data`.

Computed from rates that results/bench/data.json holds, one core each; printed as the table of docs/data.md.
"""

import math
import sys
from pathlib import Path

from earmark.errors import UserError
from earmark.io import read_json

MEASURED = Path("results/bench/data.json")
HOURS = (1_000, 10_000, 560_000)
HOURS_A_PART = 1_200
SECONDS_AN_UTTERANCE = 6.72
"""560,000 hours in 300 million utterances."""
MEGABYTES_AN_HOUR = 57.6
"""80 log-mel energies of two bytes, 100 times a second."""
CORES = (16, 256)


def table(rows: list[dict[str, object]]) -> list[str]:
    """Lines of Markdown, a row a size."""
    rates = {str(row["what"]): float(str(row["ours"])) for row in rows}
    audio, labels = rates["shards vs lhotse"], rates["labels cold vs naive"]
    lines = [
        "| speech | shards on disk | labels, core hours | shards, core hours | both on "
        + " / ".join(f"{cores}" for cores in CORES)
        + " cores | jobs |",
        "|---|---|---|---|---|---|",
    ]
    for hours in HOURS:
        spent = [hours * 3600 / SECONDS_AN_UTTERANCE / labels / 3600, hours / audio]
        parts = math.ceil(hours / HOURS_A_PART)
        cells = [
            f"{hours:,} h",
            size(hours * MEGABYTES_AN_HOUR),
            *(f"{one:.2g}" if one < 10 else f"{one:,.0f}" for one in spent),
            # A part is labelled and sharded by jobs of its own: no more cores than two a part are of use.
            " / ".join(duration(sum(spent) / min(cores, 2 * parts)) for cores in CORES),
            f"{2 * parts + 3}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def size(megabytes: float) -> str:
    """Megabytes as GB or TB."""
    return f"{megabytes / 1e6:.1f} TB" if megabytes >= 1e6 else f"{megabytes / 1e3:.0f} GB"


def duration(hours: float) -> str:
    """Hours, or minutes where they are few."""
    return f"{hours:.1f} h" if hours >= 1 else f"{max(1, round(60 * hours))} min"


def main() -> int:
    """Print the table; 2 where nothing was measured yet."""
    try:
        print("\n".join(table(read_json(MEASURED))))
    except UserError as error:
        sys.stderr.write(f"error: {error}; make bench-data measures\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
