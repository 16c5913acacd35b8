"""Log-mel features against kaldi-native-fbank: `make bench`, or `python bench/bench_features.py`.

Interleaved, one thread; medians, and the median of the ratios of neighbours.
"""

import statistics
import time
from collections.abc import Callable

import kaldi_native_fbank as knf
import numpy as np

from earmark.audio.fbank import fbank
from earmark.audio.read import SAMPLE_RATE
from earmark.io import write_json

SECONDS = 10.0
ROUNDS = 15


def peer(samples: np.ndarray) -> np.ndarray:
    """kaldi-native-fbank as FireRedASR calls it, an utterance at a time."""
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80
    computer = knf.OnlineFbank(options)
    computer.accept_waveform(SAMPLE_RATE, (samples * 32768).tolist())
    return np.stack([computer.get_frame(number) for number in range(computer.num_frames_ready)])


def seconds(call: Callable[[np.ndarray], np.ndarray], samples: np.ndarray) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    call(samples)
    return time.perf_counter() - started


def main() -> None:
    """Write results/bench/features.json."""
    samples = np.random.default_rng(1).normal(0, 0.1, int(SECONDS * SAMPLE_RATE)).astype(np.float32)
    seconds(peer, samples), seconds(fbank, samples)
    pairs = [(seconds(peer, samples), seconds(fbank, samples)) for _ in range(ROUNDS)]
    row = {
        "what": "fbank vs kaldi-native-fbank",
        "peer": round(SECONDS / statistics.median(theirs for theirs, _ in pairs), 1),
        "ours": round(SECONDS / statistics.median(ours for _, ours in pairs), 1),
        "ratio": round(statistics.median(theirs / ours for theirs, ours in pairs), 2),
        "unit": "audio seconds a second",
        "command": "make bench",
    }
    write_json("results/bench/features.json", [row])
    print(row)


if __name__ == "__main__":
    main()
