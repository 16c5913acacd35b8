"""dr_flac gives what libsndfile gives, and leaves all that is doubtful to it."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from earmark.audio import segments
from earmark.audio.formats import flac
from earmark.audio.formats.decoders import Source
from earmark.audio.formats.flac import whole_flac
from earmark.audio.read import read_audio, read_samples
from earmark.errors import AudioError


def noise(count: int, channels: int = 1) -> np.ndarray:
    """(count, channels), with silence, a constant and full scale in it."""
    samples = np.random.default_rng(count).normal(0, 0.05, (count, channels))
    samples[: count // 4], samples[count // 2 : count // 2 + 50], samples[-9:] = 0, 0.3, [[-1.0]]
    return samples


def encoded(count: int, rate: int = 16_000, channels: int = 1, subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, noise(count, channels), rate, format="FLAC", subtype=subtype)
    return file.getvalue()


def other_way(path: Path, duration: float, monkeypatch: pytest.MonkeyPatch) -> np.ndarray | str:
    """What libsndfile gives of the recording, or says."""
    with monkeypatch.context() as patched:
        patched.setattr(segments, "whole_flac", lambda *_: None)
        return tried(path, duration)


def tried(path: Path, duration: float) -> np.ndarray | str:
    try:
        return read_audio(path, 0.0, duration)
    except AudioError as error:
        return str(error)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("subtype", "taken"), [("PCM_16", True), ("PCM_24", False), ("PCM_S8", False)])
def test_samples_are_those_of_libsndfile_on_all_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: int, channels: int, subtype: str, taken: bool
) -> None:
    path, seconds = tmp_path / "one.flac", 9_001 / rate
    path.write_bytes(encoded(9_001, rate, channels, subtype))
    found = whole_flac(Source(path), seconds)
    assert (found is not None) == taken
    if found:
        expected = soundfile.read(path, dtype="int16", always_2d=True)
        assert found[0].dtype == np.int16 and np.array_equal(found[0], expected[0]) and found[1] == expected[1]
    assert np.array_equal(tried(path, seconds), other_way(path, seconds, monkeypatch))


def test_integers_are_given_where_they_are_all_there_is(tmp_path: Path) -> None:
    for rate, channels in ((16_000, 1), (16_000, 2), (8_000, 1)):
        path = tmp_path / f"{rate}-{channels}.flac"
        path.write_bytes(encoded(8_000, rate, channels))
        kind = np.int16 if (rate, channels) == (16_000, 1) else np.float32
        assert read_samples(path, 0.0, 8_000 / rate).dtype == kind
        one = read_samples(path, 0.0, 8_000 / rate, channel=channels - 1)
        assert one.dtype == (np.int16 if rate == 16_000 else np.float32) and one.flags.c_contiguous


@pytest.mark.parametrize("duration", [0.49995, 0.25, 0.5001, 1.0])
def test_another_duration_than_the_recording_s_is_not_for_this_way(tmp_path: Path, duration: float) -> None:
    path = tmp_path / "one.flac"
    path.write_bytes(encoded(8_000))
    assert whole_flac(Source(path), duration) is None
    assert whole_flac(Source(path), 0.5) is not None


def test_members_of_a_tar_on_all_machines(tmp_path: Path) -> None:
    path, data = tmp_path / "a.tar", encoded(4_000)
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("x/one.flac")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    found = whole_flac(Source(path, "x/one.flac"), 0.25)
    assert found and np.array_equal(found[0], soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)[0])


def test_every_flipped_byte_of_a_frame_and_every_cut_is_left_to_libsndfile(tmp_path: Path) -> None:
    path, whole = tmp_path / "one.flac", encoded(1_000)
    first = whole.rindex(b"\xff\xf8")
    for at in range(first, len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        assert whole_flac(Source(path), 1_000 / 16_000) is None, at
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert whole_flac(Source(path), 1_000 / 16_000) is None, length


def test_damage_is_told_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, whole, rng = tmp_path / "one.flac", encoded(20_000), np.random.default_rng(1)
    contents = [whole[:at] for at in (0, 4, 26, 42, 100, len(whole) // 2, len(whole) - 1)]
    contents += [whole + b"\0" * 50, b"ID3" + whole, whole.replace(b"fLaC", b"fLaX"), whole[:42] + whole[-60:]]
    for at in [*range(8, 42), *rng.integers(200, len(whole), 40)]:  # STREAMINFO, then frames
        contents.append(whole[:at] + bytes([whole[at] ^ 1 << int(rng.integers(8))]) + whole[at + 1 :])
    refused = 0
    for content in contents:
        path.write_bytes(content)
        ours, theirs = tried(path, 1.25), other_way(path, 1.25, monkeypatch)
        assert type(ours) is type(theirs) and np.array_equal(ours, theirs)
        refused += isinstance(ours, str)
    assert refused > 40


def test_size_is_bounded_by_the_header_and_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one.flac"
    data = bytearray(encoded(4_000))
    path.write_bytes(data)
    for name, limit in (("_MAX_VALUES", 3_999), ("_SPARE", len(data) - 50 - 2 * 4_000)):
        with monkeypatch.context() as patched:
            patched.setattr(flac, name, limit)
            assert whole_flac(Source(path), 0.25) is None
    data[21] |= 0x0F
    data[22:26] = b"\xff" * 4  # 2^36 - 1 samples
    path.write_bytes(data)
    assert whole_flac(Source(path), (2**36 - 1) / 16_000) is None
    data[21] &= 0xF0
    data[22:26] = (3_000).to_bytes(4, "big")  # a thousand less than there are: no more than that are decoded
    path.write_bytes(data)
    found = whole_flac(Source(path), 3_000 / 16_000)
    assert found and len(found[0]) == 3_000


@pytest.mark.parametrize("name", ["one.wav", "absent.flac", "folder.flac"])
def test_what_is_no_flac_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.flac").mkdir()
    soundfile.write(tmp_path / "one.wav", noise(100), 16_000)
    assert whole_flac(Source(tmp_path / name), 100 / 16_000) is None
