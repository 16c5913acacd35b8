"""From each kind of own data to its samples: what a row says is what is heard."""

import importlib

import numpy as np
import pytest
from encoded import voice

from earmark.audio.read import SAMPLE_RATE, read_audio
from earmark.corpora.base import reader
from earmark.data import manifest

LONG, CALL = voice(3.0, seed=1), (voice(2.0, seed=2), voice(2.0, seed=3))


def part(samples, start, seconds):
    return samples[round(start * SAMPLE_RATE) : round((start + seconds) * SAMPLE_RATE)]


SPOKEN = {
    "folder": [voice(0.5 + 0.1 * number, seed=number) for number in range(4)],
    "kaldi": [part(LONG, 0.25, 0.75), part(LONG, 1.0, 1.5), part(CALL[0], 0.5, 1.0)],
    "lhotse_cuts": [
        part(LONG, 0.5, 0.7),
        part(LONG, 1.25, 0.7),
        part(LONG, 2.0, 1.0),
        part(CALL[0], 0.25, 1.0),
        part(CALL[1], 1.0, 0.5),
    ],
    "lhotse_shar": [voice(seconds, seed=number) for number, seconds in enumerate((1.0, 1.5, 0.8))],
    "hf_parquet": [voice(0.5 + 0.1 * number, seed=number) for number in range(5)],
    "webdataset": [voice(0.5 + 0.1 * number, seed=number) for number in range(4)],
}
"""What the rows of each miniature say, in order."""


def likeness(heard, spoken):
    """Largest normalised correlation within the delay of an encoder."""
    size = len(heard) + len(spoken)
    correlation = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size)), size)
    near = np.concatenate([correlation[:2200], correlation[-2200:]])
    return near.max() / (np.linalg.norm(heard) * np.linalg.norm(spoken))


@pytest.mark.parametrize("name", SPOKEN)
def test_rows_lead_to_their_samples(tmp_path, name):
    settings = importlib.import_module(f"miniatures.{name}").make(tmp_path / "corpus")
    before = sorted(tmp_path.rglob("*"))
    rows = manifest.table(reader(settings)(settings, tmp_path / "run")).to_pylist()
    assert [row["status"] for row in rows] == ["kept"] * len(SPOKEN[name])
    assert len({row["id"] for row in rows}) == len(rows)
    for row, spoken in zip(rows, SPOKEN[name], strict=True):
        heard = read_audio(row["audio"], row["offset"] or 0.0, row["duration"], row["channel"], row["member"])
        assert len(heard) == pytest.approx(row["duration"] * SAMPLE_RATE, abs=1)
        lossless = str(row["member"] or row["audio"]).endswith((".wav", ".flac"))
        assert likeness(heard, spoken) > (0.9999 if lossless else 0.9), row["id"]
        if lossless:
            np.testing.assert_allclose(heard, spoken, atol=2e-4)
    assert sorted(tmp_path.rglob("*")) == before  # nothing is written


@pytest.mark.parametrize("name", SPOKEN)
def test_rows_are_the_same_each_time(tmp_path, name):
    settings = importlib.import_module(f"miniatures.{name}").make(tmp_path)
    read = reader(settings)
    assert list(read(settings, tmp_path)) == list(read(settings, tmp_path))
