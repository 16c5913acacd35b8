"""Features against kaldi-native-fbank, the library that FireRedASR uses."""

import numpy as np
import pytest

from earmark.audio.fbank import fbank, frame_count

knf = pytest.importorskip(
    "kaldi_native_fbank", reason="kaldi-native-fbank is a test dependency: `make test` installs it"
)


def peer(samples: np.ndarray) -> np.ndarray:
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = 16000
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = 80
    computer = knf.OnlineFbank(options)
    computer.accept_waveform(16000, (samples * 32768).tolist())
    computer.input_finished()
    return np.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)])


@pytest.mark.parametrize("seconds", [0.03, 0.5, 7.3])
@pytest.mark.parametrize("kind", ["noise", "tone", "quiet"])
def test_equals_kaldi(kind: str, seconds: float) -> None:
    rng = np.random.default_rng(3)
    time = np.arange(int(seconds * 16000)) / 16000
    samples = {
        "noise": rng.normal(0, 0.1, len(time)),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * time) + 0.01 * rng.normal(size=len(time)) + 0.05,
        "quiet": rng.normal(0, 1e-4, len(time)),
    }[kind].astype(np.float32)
    ours, theirs = fbank(samples), peer(samples)
    assert ours.shape == theirs.shape == (frame_count(len(samples)), 80)
    assert (np.abs(ours - theirs) < 1e-3).mean() >= 0.9999
    assert np.abs(ours - theirs).max() < 1e-2


def test_shorter_than_a_window_has_no_frames() -> None:
    assert fbank(np.zeros(399, np.float32)).shape == (0, 80)
