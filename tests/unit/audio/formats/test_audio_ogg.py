"""Streams of Ogg that follow one another are one recording."""

import numpy as np
import pytest
from encoded import voice, write

from earmark.audio import segments
from earmark.audio.read import audio_seconds, read_audio
from earmark.errors import AudioError


def chained(folder, ending, parts, rates=(16_000, 16_000, 16_000)):
    """A file of several streams, and the streams."""
    paths = [
        write(folder / f"{number}.{ending}", voice(seconds, rates[number], seed=number), rates[number])
        for number, seconds in enumerate(parts)
    ]
    path = folder / f"chained.{ending}"
    path.write_bytes(b"".join(one.read_bytes() for one in paths))
    return path, paths


@pytest.mark.parametrize("ending", ["ogg", "opus"])
def test_all_streams_of_a_chain_are_read_and_sought(tmp_path, monkeypatch, ending):
    path, parts = chained(tmp_path, ending, [2.0, 1.5, 2.5])
    whole = np.concatenate([read_audio(one) for one in parts])
    assert audio_seconds(path) == 6.0
    np.testing.assert_array_equal(read_audio(path), whole)
    monkeypatch.setattr(segments, "CELL", 0.7)
    segments._open.__dict__.clear()
    for offset in (5.0, 1.75, 2.0, 3.25, 0.0, 3.5, 4.9):
        first = round(offset * 16_000)
        np.testing.assert_allclose(read_audio(path, offset, 0.5), whole[first : first + 8_000], atol=1e-6)
    with pytest.raises(AudioError, match="no samples after 7 s"):
        read_audio(path, 7.0, 1.0)


@pytest.mark.parametrize("ending", ["ogg", "opus"])
def test_a_stream_twice_has_one_serial_and_is_read_twice(tmp_path, ending):
    path = write(tmp_path / f"a.{ending}", voice(1.0))
    path.write_bytes(2 * path.read_bytes())
    samples = read_audio(path)
    np.testing.assert_array_equal(samples[:16_000], samples[16_000:])
    assert audio_seconds(path) == 2.0


def test_a_chain_that_changes_its_rate_is_refused(tmp_path):
    path, _ = chained(tmp_path, "ogg", [1.0, 1.0], (16_000, 22_050))
    for function in (read_audio, audio_seconds):
        with pytest.raises(AudioError, match="changes its rate or channels on the way"):
            function(path)


@pytest.mark.parametrize("number", [0, 1])
def test_a_chain_with_a_stream_that_was_cut_is_refused(tmp_path, number):
    path, parts = chained(tmp_path, "opus", [2.0, 2.0])
    pieces = [one.read_bytes() for one in parts]
    pieces[number] = pieces[number][: pieces[number].rindex(b"OggS")]
    path.write_bytes(b"".join(pieces))
    with pytest.raises(AudioError, match="cut short, its last page is not there"):
        audio_seconds(path)
