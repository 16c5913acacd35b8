"""Where the speech of a recording begins and ends, by energy."""

import numpy as np

FRAME_SECONDS = 0.01
"""Length of a frame whose energy is judged."""


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
