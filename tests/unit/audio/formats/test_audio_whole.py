"""Recordings that were cut short are found out; lengths that a recorder left open are read to the end."""

import io
import struct

import numpy as np
import pytest
import soundfile
from encoded import voice, write

from earmark.audio.read import audio_seconds, read_audio
from earmark.errors import AudioError

RATE = 16_000


def made(form, subtype=None, endian="FILE", seconds=2.0):
    buffer = io.BytesIO()
    soundfile.write(buffer, voice(seconds), RATE, format=form, subtype=subtype, endian=endian)
    return bytearray(buffer.getvalue())


def put(data, place, code, *values):
    struct.pack_into(code, data, place, *values)
    return data


def at(data, name):
    """Place behind a chunk's name."""
    return data.index(name) + len(name)


def riff(value, outer):
    data = made("WAV")
    return put(put(data, at(data, b"data"), "<I", value), 4, "<I", outer)


def rifx(value, outer):
    data = made("WAV", endian="BIG")
    return put(put(data, at(data, b"data"), ">I", value), 4, ">I", outer)


def aiff(value, outer):
    data = made("AIFF")
    return put(put(data, at(data, b"SSND"), ">I", value), at(data, b"COMM") + 6, ">I", outer)


def au(value, _):
    return put(made("AU"), 8, ">I", value)


LARGEST = 0xFFFFFFFF
OPEN = [0, LARGEST, 0x7FFFFFFF, 0x80000000, 0x7FFFF000, LARGEST - 36]


@pytest.mark.parametrize("value", OPEN)
@pytest.mark.parametrize("outer", [0, LARGEST])
@pytest.mark.parametrize("kind", [riff, rifx, aiff, au])
def test_an_open_length_of_32_bits_is_read_to_the_end(tmp_path, kind, value, outer):
    path = tmp_path / "a"
    path.write_bytes(kind(value, outer))
    whole = np.round(voice(2.0) * 32768)
    np.testing.assert_allclose(read_audio(path) * 32768, whole, atol=1.01)
    np.testing.assert_allclose(read_audio(path, 1.5, 0.25) * 32768, whole[24_000:28_000], atol=1.01)
    assert audio_seconds(path) == 2.0


@pytest.mark.parametrize("value", [0, -1, 2**63 - 1])
@pytest.mark.parametrize(
    ("form", "name", "code"),
    [("W64", b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a", "<q"), ("CAF", b"data", ">q")],
)
def test_an_open_length_of_64_bits_is_read_to_the_end(tmp_path, form, name, code, value):
    data = made(form)
    (tmp_path / "a").write_bytes(put(data, at(data, name), code, value))
    assert len(read_audio(tmp_path / "a")) == 2 * RATE
    assert audio_seconds(tmp_path / "a") == 2.0


@pytest.mark.parametrize("value", [0, -1])
@pytest.mark.parametrize("narrow", [0, LARGEST])
def test_an_open_length_of_rf64_is_read_to_the_end(tmp_path, value, narrow):
    data = made("RF64")
    put(put(data, at(data, b"ds64") + 4, "<qqq", value, value, 0), at(data, b"data"), "<I", narrow)
    (tmp_path / "a").write_bytes(data)
    assert len(read_audio(tmp_path / "a")) == 2 * RATE
    assert audio_seconds(tmp_path / "a") == 2.0


def test_a_wav_without_samples_has_none_whatever_stands_behind(tmp_path):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(0, dtype=np.float32), RATE, format="WAV")
    tag = b"INFOISFT" + struct.pack("<I", 14) + b"Lavf58.29.100\0"
    (tmp_path / "a.wav").write_bytes(buffer.getvalue() + b"LIST" + struct.pack("<I", len(tag)) + tag)
    with pytest.raises(AudioError, match="no samples"):
        read_audio(tmp_path / "a.wav")


FORMS = ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "SVX", "FLAC", "OGG", "MP3"]


def is_cut(path):
    """Whether the recording as a whole is refused."""
    try:
        read_audio(path)
    except AudioError as error:
        return any(word in str(error) for word in ("cut short", "can be decoded"))
    return False


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("share", [0.4, 0.95])
def test_what_was_cut_short_is_refused(tmp_path, form, share):
    data, path = made(form), tmp_path / "a"
    path.write_bytes(data)
    assert not is_cut(path)
    seconds = audio_seconds(path)
    path.write_bytes(data[: int(share * len(data))])
    assert is_cut(path)
    if form != "FLAC":
        with pytest.raises(AudioError, match="cut short"):
            audio_seconds(path)
    with pytest.raises(AudioError):
        read_audio(path, 0.0, seconds)  # as tables have it


@pytest.mark.parametrize("ending", ["opus", "m4a", "webm"])
def test_other_containers_that_were_cut_short_are_refused(tmp_path, ending):
    path = write(tmp_path / f"a.{ending}", voice(2.0))
    assert not is_cut(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    assert is_cut(path)
    with pytest.raises(AudioError, match="cut short"):
        audio_seconds(path)


def test_a_flac_cut_between_two_frames_is_refused(tmp_path):
    data = bytes(made("FLAC"))
    ends = [place for place in range(len(data)) if data[place : place + 3] == b"\xff\xf8\xc5"]
    assert len(ends) > 4
    (tmp_path / "a.flac").write_bytes(data[: ends[-1]])
    for span in ((), (0.0, 2.0)):
        with pytest.raises(AudioError, match="cut short"):
            read_audio(tmp_path / "a.flac", *span)


def test_an_mp3_whose_header_names_frames_alone(tmp_path):
    data = made("MP3")
    data[at(data, b"Info" if b"Info" in data else b"Xing") + 3] &= ~2  # bytes are not named
    (tmp_path / "a.mp3").write_bytes(data)
    assert audio_seconds(tmp_path / "a.mp3") == pytest.approx(2.0, abs=0.1)
    (tmp_path / "a.mp3").write_bytes(data[: len(data) // 2])
    with pytest.raises(AudioError, match="cut short, its header names more frames"):
        audio_seconds(tmp_path / "a.mp3")


def test_a_few_bytes_too_many_and_a_tag_behind_are_no_cut(tmp_path):
    data = made("WAV")
    (size,) = struct.unpack_from("<I", data, at(data, b"data"))
    (tmp_path / "a.wav").write_bytes(put(data, at(data, b"data"), "<I", size + 44))
    assert audio_seconds(tmp_path / "a.wav") == 2.0
    for ending in ("ogg", "opus"):
        path = write(tmp_path / f"a.{ending}", voice(2.0))
        path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
        assert audio_seconds(path) == 2.0


def test_the_first_segments_of_a_cut_recording_are_still_right(tmp_path):
    data = made("WAV")
    (tmp_path / "a.wav").write_bytes(data[: len(data) // 2])
    assert len(read_audio(tmp_path / "a.wav", 0.25, 0.5)) == RATE // 2
    with pytest.raises(AudioError, match="cut short"):
        read_audio(tmp_path / "a.wav", 0.5, 0.6)
