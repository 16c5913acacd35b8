"""Features against kaldi-native-fbank, the library that FireRedASR uses, and both against a reference in float64.

Where a frame holds bins far below its loudest one (a pure tone, the band that MP3 cuts off), the float32 of either
rounds them by more than 1e-3: there, the two differ from each other as they do from the reference.
"""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from earmark.audio.fbank import fbank, frame_count
from earmark.audio.read import read_audio

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


def reference(samples: np.ndarray) -> np.ndarray:
    """The same features by their definition, all in float64."""

    def mel(hertz: np.ndarray | float) -> np.ndarray:
        return 1127 * np.log1p(np.asarray(hertz) / 700)

    scaled = samples.astype(np.float64) * 32768
    frames = np.lib.stride_tricks.sliding_window_view(scaled, 400)[::160]
    frames = frames - frames.mean(axis=1, keepdims=True)
    emphasised = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    power = np.abs(np.fft.rfft(emphasised * window, 512))[:, :256] ** 2
    edges = np.linspace(mel(20), mel(8000), 82)
    bins = mel(np.arange(256) * 16000 / 512)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.log(np.maximum(power @ np.clip(np.minimum(rising, falling), 0, None), np.finfo(np.float32).eps))


def distances(recordings: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Of each cell: how far ours is from the reference, and how far kaldi-native-fbank's is."""
    ours, theirs, exact = (np.concatenate([way(one) for one in recordings]) for way in (fbank, peer, reference))
    return np.abs(ours - exact), np.abs(theirs - exact)


def test_recorded_words_are_as_near_to_the_reference_as_kaldi_s(shared: Path) -> None:
    archive = shared / "speech" / "hsk-words.tar"
    with tarfile.open(archive) as tar:
        names = [name for name in tar.getnames() if name.endswith(".mp3")][::400]
    ours, theirs = distances([read_audio(archive, member=name) for name in names])
    assert ours.mean() <= theirs.mean()
    assert (ours < 1e-3).mean() >= (theirs < 1e-3).mean() > 0.99


def test_pure_tones_are_as_near_to_the_reference_as_kaldi_s() -> None:
    time = np.arange(16000) / 16000
    tones = [(0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32) for hertz in range(200, 3400, 160)]
    ours, theirs = distances(tones)
    assert ours.mean() <= theirs.mean()


def test_shorter_than_a_window_has_no_frames() -> None:
    assert fbank(np.zeros(399, np.float32)).shape == (0, 80)
