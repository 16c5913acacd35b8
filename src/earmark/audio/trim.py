"""Where the speech of a recording begins and ends, and where a long one may be cut, by energy."""

import numpy as np

from earmark.audio.fbank import SAMPLE_RATE

FRAME_SECONDS = 0.01
"""Length of a frame whose energy is judged."""
QUIET_SECONDS = 0.2
"""Length over which loudness is judged where a long recording is cut."""
SHORTEST_PIECE = 0.25
"""Part of the longest piece that no piece falls below."""


def speech_bounds(samples: np.ndarray, rate: int, threshold_db: float = 35.0, margin: float = 0.08) -> tuple[int, int]:
    """First sample of speech and the one after its last, 0 <= start < end <= N for N > 0.

    Leading and trailing 10 ms frames whose mean power is more than `threshold_db` below the loudest
    frame's are outside, but for `margin`. Pauses within stay. Digital silence is not cut at all.

    :param samples: shape (N,).
    :param rate: samples a second.
    :param margin: seconds kept before the first and after the last loud frame.
    """
    hop = max(1, round(FRAME_SECONDS * rate))
    starts = np.arange(0, len(samples), hop)
    if len(starts) == 0:
        return 0, 0
    # reduceat sums the last, shorter frame as well; float64, for squares of small samples underflow.
    energy = np.add.reduceat(np.square(samples, dtype=np.float64), starts)
    power = energy / np.diff(starts, append=len(samples))
    loud = np.flatnonzero(power >= power.max() * 10 ** (-threshold_db / 10))
    kept = round(margin * rate)
    return max(0, int(loud[0]) * hop - kept), min(len(samples), (int(loud[-1]) + 1) * hop + kept)


def quiet_cuts(samples: np.ndarray, longest: int) -> list[int]:
    """Where to cut (N,) samples so that no piece exceeds `longest`: at the quietest 0.2 s within reach.

    No piece is shorter than a quarter of `longest`.
    """
    window = min(int(QUIET_SECONDS * SAMPLE_RATE), max(1, longest // 8))
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    shortest = int(longest * SHORTEST_PIECE)
    cuts: list[int] = []
    start = 0
    while len(samples) - start > longest:
        low, high = start + shortest, min(start + longest, len(samples) - shortest)
        centres = np.arange(low, high + 1)
        energy = total[np.minimum(centres + window // 2, len(samples))] - total[centres - window // 2]
        quietest = centres[energy <= energy.min() * (1 + 1e-6)]
        start = int(quietest[len(quietest) // 2])
        cuts.append(start)
    return cuts
