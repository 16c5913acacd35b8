"""Segments are slices of the whole, each sample is decoded once, and length costs no memory."""

import gc
import resource
import time

import numpy as np
import psutil
import pytest
import soundfile
from encoded import voice, write

from earmark.audio import segments
from earmark.audio.formats import decoders
from earmark.audio.read import audio_seconds, read_audio
from earmark.audio.source import Source
from earmark.errors import AudioError

RATE = 16_000
ENDINGS = ["wav", "flac", "ogg", "opus", "mp3", "m4a", "aac", "webm", "g722"]
SECONDS = 12.0


@pytest.fixture(autouse=True)
def nothing_open():
    """What another test left open may be cut into cells of another length."""
    segments._open.__dict__.clear()
    yield
    segments._open.__dict__.clear()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    return {ending: write(folder / f"long.{ending}", voice(SECONDS), RATE) for ending in ENDINGS}


@pytest.fixture
def work(monkeypatch):
    """What the decoders did: recordings opened, samples decoded, farthest seek."""
    done = {"opened": 0, "decoded": 0}

    def watched(source, opened=decoders.open_decoder):
        decoder = opened(source)
        done["opened"] += 1
        read = decoder.read

        def counted(count):
            block = read(count)
            done["decoded"] += len(block)
            return block

        decoder.read = counted
        return decoder

    monkeypatch.setattr(segments, "open_decoder", watched)
    segments._open.__dict__.clear()
    return done


def rate_of(path):
    """The decoder's own rate: webm's opus is 48 kHz."""
    return decoders.open_decoder(Source(path)).rate


def raw(path, offset, duration):
    return segments.segment(Source(path), offset, duration)[0][:, 0]


SPANS = [(0.0, 0.5), (0.5, 0.25), (0.6, 1.0), (0.601, 2.0), (3.0, 0.0625), (3.7001, 4.0), (11.0, 0.75)]
"""Offset and duration in seconds, ascending: adjacent, overlapping, within one another, with gaps."""


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("order", ["ascending", "descending", "shuffled"])
def test_a_segment_is_a_slice_of_the_whole_on_one_machine(recordings, ending, order):
    path = recordings[ending]
    rate, whole = rate_of(path), raw(path, 0.0, None)
    assert abs(len(whole) / rate - SECONDS) < 0.15
    spans = {"ascending": SPANS, "descending": SPANS[::-1]}.get(order)
    for offset, duration in spans or np.random.default_rng(1).permutation(SPANS):
        first = round(offset * rate)
        expected = whole[first : first + round(duration * rate)]
        np.testing.assert_array_equal(raw(path, offset, duration), expected)
    np.testing.assert_array_equal(raw(path, 11.5, None), whole[round(11.5 * rate) :])


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_whole_read_in_pieces_is_the_whole_on_one_machine(recordings, ending):
    path = recordings[ending]
    rate = rate_of(path)
    pieces = [raw(path, start / 10, 0.7) for start in range(0, 125, 7)]
    np.testing.assert_array_equal(np.concatenate(pieces), raw(path, 0.0, None))
    assert rate >= RATE


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_what_can_be_sought_decodes_only_what_is_asked_for(recordings, work, ending):
    for offset, duration in [*SPANS, *SPANS[::-1]]:
        read_audio(recordings[ending], offset, duration)
    asked = 2 * sum(round(duration * RATE) for _, duration in SPANS)
    assert work == {"opened": 1, "decoded": asked}


@pytest.mark.parametrize("ending", ["ogg", "opus", "mp3", "m4a", "aac"])
def test_ascending_segments_decode_each_sample_once(recordings, work, ending):
    path = recordings[ending]
    for start in np.arange(0, 11.5, 0.1):  # half of each segment is the next one's
        read_audio(path, start, 0.2)
    assert work["opened"] == 1
    assert work["decoded"] <= (SECONDS + 0.2) * RATE  # an encoder's padding is decoded, too


SOUGHT = ["ogg", "opus", "m4a", "mp3"]
"""Lossy formats that can be sought."""


@pytest.mark.parametrize("ending", SOUGHT)
def test_what_is_sought_is_what_decoding_from_the_start_gives(recordings, monkeypatch, ending):
    path = recordings[ending]
    forward = raw(path, 0.0, None)
    monkeypatch.setattr(segments, "CELL", 1.5)
    segments._open.__dict__.clear()
    for offset, duration in SPANS[::-1]:
        first = round(offset * RATE)
        np.testing.assert_allclose(raw(path, offset, duration), forward[first:][: round(duration * RATE)], atol=1e-6)
    whole = raw(path, 0.0, None)
    np.testing.assert_allclose(whole, forward, atol=1e-6)
    assert len(raw(path, SECONDS + 5, 1.0)) == 0


@pytest.mark.parametrize("ending", SOUGHT)
def test_bits_do_not_depend_on_who_reads_what_on_one_machine(recordings, monkeypatch, ending):
    """Each worker gets other segments of a recording, and shards have to be equal bytes."""
    monkeypatch.setattr(segments, "CELL", 1.5)
    path, whole = recordings[ending], raw(recordings[ending], 0.0, None)
    for worker in range(3):
        segments._open.__dict__.clear()
        for start in np.arange(worker, 11, 3):
            np.testing.assert_array_equal(raw(path, start, 1.0), whole[start * RATE : (start + 1) * RATE])


@pytest.mark.parametrize("ending", SOUGHT)
def test_workers_together_decode_a_recording_about_once(tmp_path, work, monkeypatch, ending):
    monkeypatch.setattr(segments, "CELL", 20.0)
    path = write(tmp_path / f"a.{ending}", np.tile(voice(10.0), 16), RATE)
    for worker in range(2):
        segments._open.__dict__.clear()
        for start in range(40 * worker, 160, 80):  # they take turns
            for offset in range(start, start + 40, 5):
                assert len(raw(path, float(offset), 5.0)) == 5 * RATE
    assert 160 * RATE <= work["decoded"] <= 1.1 * 160 * RATE


@pytest.mark.parametrize("ending", ["aac", "webm", "g722"])
def test_what_cannot_be_sought_is_decoded_forward_and_opened_anew_to_turn_back_on_one_machine(
    recordings, work, monkeypatch, ending
):
    path = recordings[ending]
    rate, whole = rate_of(path), raw(path, 0.0, None)
    monkeypatch.setattr(segments, "CELL", 1.0)
    segments._open.__dict__.clear()
    work.update(opened=0, decoded=0)
    for offset, opened in ((5.0, 1), (5.1, 1), (2.0, 2)):
        first = round(offset * rate)
        np.testing.assert_array_equal(raw(path, offset, 0.5), whole[first : first + round(0.5 * rate)])
        assert work["opened"] == opened


def test_two_recordings_in_turns_stay_open(recordings, work):
    for start in range(11):
        for ending in ("mp3", "m4a"):
            read_audio(recordings[ending], start, 1.0)
    assert work["opened"] == 2


def test_a_file_that_was_replaced_is_opened_anew(tmp_path):
    path = write(tmp_path / "a.mp3", voice(3.0))
    before = read_audio(path, 1.0, 0.5)
    write(path, voice(3.5, seed=7))
    assert np.abs(read_audio(path, 1.0, 0.5) - before).max() > 0.1


def test_segments_behind_the_end_cost_no_second_decoding(recordings, work):
    for _ in range(5):
        with pytest.raises(AudioError, match="no samples after 60 s"):
            read_audio(recordings["m4a"], 60.0, 1.0)
    assert work["opened"] == 1
    assert work["decoded"] <= (SECONDS + 0.2) * RATE


def memory():
    """Peak resident bytes of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def ten_hours(path):
    """Silence at 8 kHz but for one buzz at nine hours."""
    with soundfile.SoundFile(path, "w", 8_000, 1) as file:
        minute = np.zeros(60 * 8_000, dtype=np.int16)
        for number in range(600):
            file.write((voice(60.0, 8_000) * 32767).astype(np.int16) if number == 540 else minute)
    return path


def test_a_segment_of_ten_hours_is_found_at_once_in_little_memory(tmp_path):
    path = ten_hours(tmp_path / "a.flac")
    read_audio(path, 0.0, 1.0)
    before, started = memory(), time.perf_counter()
    samples = raw(path, 9 * 3600 + 10.5, 2.0)
    assert len(read_audio(path, 9 * 3600 + 10.5, 2.0)) == 2 * RATE
    assert audio_seconds(path) == 36_000
    assert time.perf_counter() - started < 2.0
    assert memory() - before < 50 << 20
    np.testing.assert_allclose(samples, voice(60.0, 8_000)[84_000:100_000], atol=1e-4)


@pytest.mark.parametrize("ending", ["mp3", "m4a"])  # libsndfile, FFmpeg
def test_decoding_forward_takes_little_memory(tmp_path, ending):
    path = write(tmp_path / f"a.{ending}", np.zeros(600 * RATE, dtype=np.float32))
    read_audio(path, 0.0, 1.0)
    before = memory()
    assert len(read_audio(path, 590.0, 2.0)) == 2 * RATE
    assert audio_seconds(path) == pytest.approx(600, abs=0.2)
    assert memory() - before < 20 << 20  # the whole takes 38


def test_more_than_can_be_held_is_refused(recordings, monkeypatch):
    monkeypatch.setattr(segments, "_MAX_VALUES", 5 * RATE)
    with pytest.raises(AudioError, match="too long to be read at once: name an offset"):
        read_audio(recordings["flac"])
    assert len(read_audio(recordings["flac"], 7.0, 4.0)) == 4 * RATE


@pytest.mark.parametrize("ending", ["wav", "flac", "opus", "mp3", "aac"])
def test_a_recording_cut_short_keeps_its_first_segments(tmp_path, ending):
    path = write(tmp_path / f"a.{ending}", voice(SECONDS))
    whole = raw(path, 0.0, None)
    data = path.read_bytes()
    cut = tmp_path / f"cut.{ending}"
    cut.write_bytes(data[: len(data) // 2])
    np.testing.assert_array_equal(raw(cut, 1.0, 2.0), whole[RATE : 3 * RATE])
    for offset in (5.5, 8.0, 11.0):
        with pytest.raises(AudioError, match=r"cut short|no samples after|damaged|can be decoded"):
            read_audio(cut, offset, 2.0)
    np.testing.assert_array_equal(raw(cut, 1.0, 2.0), whole[RATE : 3 * RATE])


def test_an_m4a_without_its_index_is_named(tmp_path):
    path = write(tmp_path / "a.m4a", voice(3.0))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(AudioError, match="not audio that can be decoded"):
        read_audio(path, 0.0, 1.0)


def test_damage_in_the_middle_is_told_each_time(tmp_path):
    path = write(tmp_path / "a.flac", voice(SECONDS))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40_000] = bytes(40_000)
    path.write_bytes(data)
    first = read_audio(path, 1.0, 1.0)
    for _ in range(2):
        with pytest.raises(AudioError):
            read_audio(path, 0.0, 11.0)
        np.testing.assert_array_equal(read_audio(path, 1.0, 1.0), first)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "m4a", "webm"])
def test_recordings_that_were_read_do_not_stay_open(recordings, tmp_path, ending):
    content = recordings[ending].read_bytes()
    before = psutil.Process().num_fds()
    gc.disable()  # a run over millions of files must not depend on when circles are looked for
    try:
        for number in range(12):
            path = tmp_path / f"{number}.{ending}"
            path.write_bytes(content)
            read_audio(path, 0.0, None if number % 2 else 0.5)
            assert psutil.Process().num_fds() <= before + segments.KEPT_OPEN
    finally:
        gc.enable()
