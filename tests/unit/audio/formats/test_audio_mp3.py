"""MP3 is sought by an index of its frames, and gives what decoding it from the start gives."""

import io

import numpy as np
import pytest
import soundfile
from encoded import voice

from earmark.audio.formats import mp3
from earmark.audio.formats.decoders import open_decoder
from earmark.audio.source import Source

SECONDS = 12.0
KINDS = [("CONSTANT", 0.5), ("CONSTANT", 0.99), ("VARIABLE", 0.5), ("AVERAGE", 0.9)]
ID3V2 = b"ID3\x03\0\0" + bytes([0, 0, 4, 0]) + bytes(512)
APE = b"APETAGEX" + bytes(4) + (9000).to_bytes(4, "little") + bytes(9016)


def made(rate, channels, mode, level=0.5):
    samples = voice(SECONDS, rate)
    if channels == 2:
        samples = np.stack([samples, 0.7 * np.roll(samples, 77)], axis=1)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="MP3", bitrate_mode=mode, compression_level=level)
    return buffer.getvalue()


def places(data):
    """Where frames begin, that of a header among them."""
    return [place for place, _ in mp3._frames(io.BytesIO(data), mp3.named(io.BytesIO(data)).start)]


def without_header(data):
    return data[places(data)[1] :]


def opened(tmp_path, data):
    (tmp_path / "a.mp3").write_bytes(data)
    return open_decoder(Source(tmp_path / "a.mp3"))


def whole(tmp_path, data):
    return opened(tmp_path, data).read(1 << 24)


def require_same(tmp_path, data):
    """Samples from random places on, and from the ends."""
    expected, decoder = whole(tmp_path, data), opened(tmp_path, data)
    assert decoder.seeks
    there = np.random.default_rng(len(data)).integers(0, len(expected), 5)
    for sample in (*there.tolist(), 0, len(expected) - 3000, len(expected) - 1):
        assert decoder.seek(sample)
        got = decoder.read(1 << 24)
        assert got.shape == expected[sample:].shape
        np.testing.assert_allclose(got, expected[sample:], rtol=0, atol=1e-5)
    assert not (decoder.seek(len(expected)) and len(decoder.read(1)))
    return expected


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("mode", "level"), [("CONSTANT", 0.5), ("CONSTANT", 0.99), ("VARIABLE", 0.5), ("AVERAGE", 0.9)]
)
def test_any_place_gives_what_decoding_from_the_start_gives(tmp_path, capfd, rate, channels, mode, level):
    data = made(rate, channels, mode, level)
    expected = require_same(tmp_path, data)
    file = soundfile.SoundFile(io.BytesIO(data))
    if mp3.named(io.BytesIO(data)).delay is not None:
        assert len(expected) == file.frames == SECONDS * rate  # delay and padding are cut
    if level == 0.5:
        assert "error" not in capfd.readouterr().err  # of frames without their reservoir


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize(
    "around", [(ID3V2, b"TAG" + bytes(125)), (ID3V2 * 2, APE), (b"", bytes(700)), (b"", APE + b"TAG" + bytes(125))]
)
def test_tags_before_and_behind_change_nothing(tmp_path, mode, around):
    data = made(16_000, 1, mode)
    expected = whole(tmp_path, data)
    np.testing.assert_array_equal(require_same(tmp_path, around[0] + data + around[1]), expected)


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize("cut", [0, 17])
def test_a_file_without_a_header_is_read_to_its_end(tmp_path, mode, cut):
    data = made(44_100, 2, mode)
    bare = without_header(data)
    bare = bare[: len(bare) - cut]
    expected = require_same(tmp_path, bare)
    assert len(expected) >= len(places(bare)) * 1152
    start = mp3.named(io.BytesIO(data)).delay + 529  # what the header would have had cut
    with_header = whole(tmp_path, data)[:-5000]
    np.testing.assert_allclose(expected[start:][: len(with_header)], with_header, rtol=0, atol=1e-5)


def test_a_quiet_part_behind_a_loud_one_is_read_without_a_header(tmp_path):
    """The length that the first frames' size suggests is a fraction of the whole."""
    data = without_header(made(44_100, 1, "VARIABLE", 0.1)) + without_header(made(44_100, 1, "VARIABLE", 0.99))
    assert len(require_same(tmp_path, data)) > 2 * SECONDS * 44_100


def strange(data, kind):
    at = places(data)
    head, middle = bytearray(data), at[len(at) // 2]
    tag = 4 + mp3.frame(data[at[0] : at[0] + 4]).side
    if kind == "between":
        return data[:middle] + bytes(100) + data[middle:]
    if kind == "header lost":
        return data[:middle] + bytes(50) + data[middle + 50 :]
    if kind == "tag in the middle":
        return data[:middle] + ID3V2 + data[middle:]
    if kind == "another kind":
        return without_header(data) + without_header(made(16_000, 2, "CONSTANT"))
    if kind == "fewer frames":
        return data[:middle]
    if kind == "free format":
        head[at[1] + 2] &= 0x0F
    elif kind == "no delay":
        head[tag + 120 : tag + 144] = bytes(24)
    elif kind == "no frames":
        head[tag + 7] &= ~1
    return bytes(head)


@pytest.mark.parametrize(
    "kind",
    [
        "between",
        "header lost",
        "tag in the middle",
        "another kind",
        "fewer frames",
        "free format",
        "no delay",
        "no frames",
    ],
)
def test_what_is_not_understood_is_decoded_forward(tmp_path, kind):
    data = strange(made(16_000, 1, "CONSTANT"), kind)
    assert mp3.index(io.BytesIO(data), len(data)) is None
    assert not opened(tmp_path, data).seeks


def test_an_index_names_every_sixteenth_frame(tmp_path):
    data = made(44_100, 1, "VARIABLE")
    found, at = mp3.index(io.BytesIO(data), len(data)), places(data)
    assert list(found.places) == at[1::16]  # one header frame, and mpg123 begins with the first of sound
    assert (found.frames, found.samples) == (len(at) - 1, SECONDS * 44_100)
