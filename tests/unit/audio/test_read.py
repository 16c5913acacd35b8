"""Real files in the formats that corpora come in, and files that are not audio."""

import os
import unicodedata

import av
import numpy as np
import pytest
import soundfile

from earmark.audio.read import SAMPLE_RATE, audio_seconds, read_audio, resample
from earmark.errors import AudioError


def tone(seconds, rate, frequency=440.0):
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encode(path, samples, rate, codec, container=None):
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        pcm = (samples[None] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format.name, "mono", rate, frame_size=stream.frame_size or 0)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))


def spectrum_peak(samples):
    """Hz of the strongest component."""
    return np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / len(samples)


@pytest.mark.parametrize(("name", "rate"), [("a.wav", 8_000), ("a.flac", 44_100), ("a.mp3", 22_050), ("a.ogg", 16_000)])
def test_formats_of_libsndfile_keep_pitch_and_length(tmp_path, name, rate):
    soundfile.write(tmp_path / name, tone(1.0, rate), rate)
    samples = read_audio(tmp_path / name)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert abs(len(samples) - SAMPLE_RATE) < 0.11 * SAMPLE_RATE  # mp3 is padded to whole blocks
    assert spectrum_peak(samples) == pytest.approx(440, abs=2)
    assert np.abs(samples[4000:12000]).max() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [("a.g722", "g722", "g722"), ("a.m4a", "aac", "ipod"), ("A.G722", "g722", "g722")],
)
def test_formats_of_ffmpeg_keep_pitch_and_length(tmp_path, name, codec, container):
    encode(tmp_path / name, tone(1.0, 16_000), 16_000, codec, container)
    samples = read_audio(tmp_path / name)
    assert len(samples) == pytest.approx(SAMPLE_RATE, abs=2100)
    assert audio_seconds(tmp_path / name) == pytest.approx(len(samples) / SAMPLE_RATE)
    assert spectrum_peak(samples) == pytest.approx(440, abs=2)


def test_offset_and_duration_cut_the_same_samples_in_both_decoders_on_one_machine(tmp_path):
    samples = np.linspace(-0.9, 0.9, 32_000, dtype=np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav", 0.5, 0.25), samples[8_000:12_000])
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav", 1.5), samples[24_000:])

    encode(tmp_path / "a.g722", samples, 16_000, "g722", "g722")
    whole = read_audio(tmp_path / "a.g722")
    np.testing.assert_array_equal(read_audio(tmp_path / "a.g722", 0.5, 0.25), whole[8_000:12_000])


def test_channels_are_averaged_or_chosen(tmp_path):
    stereo = np.stack([np.full(1600, 0.5), np.full(1600, -0.25)], axis=1).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", stereo, 16_000, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav"), 0.125)
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", channel=1), -0.25)
    with pytest.raises(AudioError, match="2 channels, channel 2 was asked"):
        read_audio(tmp_path / "a.wav", channel=2)


def unknown_length(path):
    """A FLAC file whose header gives no length, as encoders write it to a pipe."""
    soundfile.write(path, tone(1.0, 16_000), 16_000)
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)


def test_flac_without_a_length_in_its_header_is_decoded(tmp_path):
    unknown_length(tmp_path / "a.flac")
    assert len(read_audio(tmp_path / "a.flac")) == 16_000
    assert audio_seconds(tmp_path / "a.flac") == 1.0


def test_seconds_of_an_mp3_are_those_that_decode(tmp_path):
    path = tmp_path / "a.mp3"
    soundfile.write(path, tone(3.0, 22_050), 22_050)
    assert audio_seconds(path) == pytest.approx(len(read_audio(path)) / SAMPLE_RATE, abs=1e-3)


def test_seconds_come_from_the_header(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(1.25, 8_000), 8_000)
    assert audio_seconds(tmp_path / "a.wav") == 1.25


@pytest.mark.parametrize("function", [read_audio, audio_seconds])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"", r"empty \(0 bytes\)"),
        (b"this is text, not audio\n" * 50, "not audio that can be decoded"),
        (bytes(range(256)) * 20, "not audio that can be decoded"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "not audio that can be decoded"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not audio that can be decoded"),
    ],
)
@pytest.mark.parametrize("name", ["a.wav", "a.mp3"])
def test_what_is_not_audio_is_named(tmp_path, function, content, message, name):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as caught:
        function(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("function", [read_audio, audio_seconds])
def test_what_is_no_file_is_named_as_what_it_is(tmp_path, function):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AudioError, match=f"^{tmp_path} is a folder, not a file: name its files$"):
        function(tmp_path)
    with pytest.raises(AudioError, match=r"pipe is a device or pipe, not a file: name a file$"):
        function(tmp_path / "pipe")


@pytest.mark.parametrize("function", [read_audio, audio_seconds])
def test_wav_without_samples_is_refused(tmp_path, function):
    soundfile.write(tmp_path / "a.wav", np.zeros(0, dtype=np.float32), 16_000)
    with pytest.raises(AudioError, match=r"a\.wav has no samples: replace it or leave it out$"):
        function(tmp_path / "a.wav")


def test_a_segment_without_samples_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(1.0, 16_000), 16_000)
    with pytest.raises(AudioError, match=r"no samples after 2 s: correct offset and duration$"):
        read_audio(tmp_path / "a.wav", offset=2.0)
    with pytest.raises(AudioError, match=r"no samples after 0 s: correct offset and duration$"):
        read_audio(tmp_path / "a.wav", duration=0.0)


def test_samples_that_are_not_finite_are_refused(tmp_path):
    samples = tone(0.1, 16_000)
    samples[7] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    with pytest.raises(AudioError, match="not finite"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_resampling_keeps_a_tone(rate):
    resampled = resample(tone(1.0, rate), rate)
    assert resampled.dtype == np.float32
    assert len(resampled) == SAMPLE_RATE
    middle = slice(2_000, 14_000)
    np.testing.assert_allclose(resampled[middle], tone(1.0, SAMPLE_RATE)[middle], atol=2e-3)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_samples_are_refused_in_one_channel_of_two(tmp_path, value):
    samples = np.stack([tone(0.1, 48_000), tone(0.1, 48_000)], axis=1)
    samples[40, 1] = value
    soundfile.write(tmp_path / "a.wav", samples, 48_000, subtype="FLOAT")
    with pytest.raises(AudioError, match="not finite"):
        read_audio(tmp_path / "a.wav")
    assert len(read_audio(tmp_path / "a.wav", channel=0)) == 1600


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_stereo_at_other_rates_is_cut_mixed_and_resampled(tmp_path, rate):
    samples = np.stack([tone(2.0, rate), -0.5 * tone(2.0, rate)], axis=1)
    soundfile.write(tmp_path / "a.flac", samples, rate)
    np.testing.assert_allclose(
        read_audio(tmp_path / "a.flac")[2000:-2000], 0.25 * tone(2.0, 16_000)[2000:-2000], atol=2e-3
    )
    part = read_audio(tmp_path / "a.flac", 0.5, 1.0, channel=0)
    assert len(part) == SAMPLE_RATE
    np.testing.assert_allclose(part[2000:-2000], tone(2.0, 16_000)[10_000:22_000], atol=2e-3)


@pytest.mark.parametrize("rate", [1, 999, 2_000_000_000])
def test_rates_that_no_recording_has_fill_no_memory(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", tone(0.1, 16_000), 16_000)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[24:28] = rate.to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(data)
    for function in (read_audio, audio_seconds):
        with pytest.raises(AudioError, match=f"sample rate of {rate} Hz"):
            function(tmp_path / "a.wav")


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {}\n",
        "[playlist]\nFile1={}\n",
    ],
)
@pytest.mark.parametrize("name", ["a.m3u8", "a.m4a", "a.ffconcat"])
def test_a_playlist_leads_to_no_other_file(tmp_path, text, name):
    soundfile.write(tmp_path / "other.wav", tone(1.0, 16_000), 16_000)
    (tmp_path / name).write_text(text.format("other.wav"))
    with pytest.raises(AudioError, match="not audio that can be decoded"):
        read_audio(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["x" * 5000, "nul\0.wav", "http://localhost:1/a.wav", "concat:a.wav|a.wav", "-", "pipe:0"]
)
def test_names_that_are_no_files(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", tone(1.0, 16_000), 16_000)
    for function in (read_audio, audio_seconds):
        with pytest.raises(AudioError, match="does not exist"):
            function(name)


@pytest.mark.parametrize(
    ("offset", "duration"), [(-1.0, None), (np.nan, None), (np.inf, 1.0), (0.0, -1.0), (0.0, np.nan)]
)
def test_impossible_segments_are_refused(tmp_path, offset, duration):
    soundfile.write(tmp_path / "a.wav", tone(1.0, 16_000), 16_000)
    with pytest.raises(AudioError, match="has no segment"):
        read_audio(tmp_path / "a.wav", offset, duration)


@pytest.mark.parametrize(
    ("offset", "duration", "there"),
    [(1.0, 1.005, 1.0), (1.0, 1.45, 1.0), (0.0, 2.49, 2.0), (1.7, 0.5, 0.3), (1.0, 1.5, None), (1.8, 0.41, None)],
)
def test_a_segment_past_the_end_is_cut_by_less_than_half_a_second_and_half_of_itself(tmp_path, offset, duration, there):
    soundfile.write(tmp_path / "a.wav", tone(2.0, 16_000), 16_000)
    if there:
        assert len(read_audio(tmp_path / "a.wav", offset, duration)) == round(there * SAMPLE_RATE)
        return
    with pytest.raises(AudioError, match=rf"cut short: {2 - offset:.2f} of {duration:.2f} s after {offset:g} s are"):
        read_audio(tmp_path / "a.wav", offset, duration)


def test_integers_saved_as_floats_are_named_and_gain_is_not(tmp_path):
    soundfile.write(tmp_path / "loud.wav", 8 * tone(0.1, 16_000), 16_000, subtype="FLOAT")
    assert read_audio(tmp_path / "loud.wav").max() == pytest.approx(4.0, abs=0.01)
    for scale in (32768, -32768, 40):
        soundfile.write(tmp_path / "integers.wav", scale * tone(0.1, 16_000), 16_000, subtype="FLOAT")
        with pytest.raises(AudioError, match=r"holds samples up to [0-9]+ where 1 is full scale: divide them by 32768"):
            read_audio(tmp_path / "integers.wav")


def test_a_dead_channel_halves_the_level_and_can_be_left_out(tmp_path):
    stereo = np.stack([tone(0.5, 16_000), np.zeros(8_000, dtype=np.float32)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 16_000, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav"), 0.5 * tone(0.5, 16_000), atol=1e-6)
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", channel=0), tone(0.5, 16_000), atol=1e-6)


def test_a_constant_stays_one_at_another_rate():
    np.testing.assert_array_equal(resample(np.full(8_001, 0.25, dtype=np.float32), 8_000), np.full(16_002, 0.25))
    assert len(resample(np.zeros(44_101, dtype=np.float32), 44_100)) == len(
        resample(tone(44_101 / 44_100, 44_100), 44_100)
    )


ENDINGS = ".raw .RAW .pcm .au .snd .vox .gsm .sds .wav .flac .mp3 .ogg .opus .m4a .webm .aac .g722 .w64 .caf .sph .txt"


@pytest.mark.parametrize("ending", [*ENDINGS.split(), ""])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_file_holds_and_is_called_it_is_read_or_named(tmp_path, ending, seed):
    """A wrong ending, damage, and numbers that nobody recorded: no exception but ours."""
    random = np.random.default_rng([seed, len(ending), *ending.encode()])
    kind = ["WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "RF64", "VOC", "NIST"][random.integers(11)]
    soundfile.write(tmp_path / "whole", tone(0.3, 16_000), 16_000, format=kind)
    data = bytearray((tmp_path / "whole").read_bytes())
    for _ in range(8):
        damaged = data[:]
        for place in random.integers(0, 120, random.integers(1, 9)):
            damaged[place] = random.choice([0, 1, 127, 128, 255, random.integers(256)])
        path = tmp_path / f"a{ending}"
        path.write_bytes(damaged[: random.choice([len(damaged), random.integers(len(damaged) + 1)])])
        for read in (read_audio, audio_seconds, lambda name: read_audio(name, 0.1, 0.1)):
            try:
                read(path)
            except AudioError as error:
                assert str(path) in str(error)


@pytest.mark.parametrize("error", [TypeError, KeyError, OverflowError, MemoryError, RuntimeError, UnicodeDecodeError])
def test_an_exception_that_a_library_never_named_is_ours(tmp_path, monkeypatch, error):
    soundfile.write(tmp_path / "a.wav", tone(0.1, 16_000), 16_000)

    def raising(*_, **__):
        raise error("utf-8", b"x", 0, 1, "no") if error is UnicodeDecodeError else error("a number")

    monkeypatch.setattr(soundfile.SoundFile, "read", raising)
    with pytest.raises(AudioError, match="damaged"):
        read_audio(tmp_path / "a.wav")


def test_the_ending_does_not_decide_what_a_file_is(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(0.5, 16_000), 16_000)
    for ending in (".raw", ".RAW", ".au", ".snd", ".pcm", ".mp3"):
        path = (tmp_path / "a.wav").rename(tmp_path / f"a{ending}")
        assert len(read_audio(path)) == 8_000
        path.rename(tmp_path / "a.wav")
    for ending in (".raw", ".au", ".snd"):
        (tmp_path / f"b{ending}").write_bytes(b"no audio at all, " * 50)
        with pytest.raises(AudioError, match="not audio that can be decoded"):
            read_audio(tmp_path / f"b{ending}")


def test_links_in_a_circle_and_files_without_access(tmp_path):
    (tmp_path / "a.wav").symlink_to(tmp_path / "b.wav")
    (tmp_path / "b.wav").symlink_to(tmp_path / "a.wav")
    for function in (read_audio, audio_seconds):
        with pytest.raises(AudioError, match="does not exist"):
            function(tmp_path / "a.wav")
    soundfile.write(tmp_path / "c.wav", tone(0.1, 16_000), 16_000)
    (tmp_path / "c.wav").chmod(0)
    if os.access(tmp_path / "c.wav", os.R_OK):
        pytest.skip("root reads everything")
    for function in (read_audio, audio_seconds):
        with pytest.raises(AudioError, match=r"c\.wav"):
            function(tmp_path / "c.wav")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_in_another_normal_form_is_found(tmp_path, form):
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    folder = tmp_path / unicodedata.normalize(form, "Müller")
    folder.mkdir()
    soundfile.write(folder / unicodedata.normalize(other, "café が.wav"), tone(0.1, 16_000), 16_000)
    for wanted in ("NFC", "NFD"):
        assert audio_seconds(tmp_path / unicodedata.normalize(wanted, "Müller/café が.wav")) == pytest.approx(0.1)
    with pytest.raises(AudioError, match="does not exist"):
        audio_seconds(folder / "cafe が.wav")
