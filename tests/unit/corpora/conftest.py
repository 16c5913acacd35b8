"""Miniatures of the published corpora: real audio in the real formats and layouts."""

import io
import os
import tarfile
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile


def _voice(seconds, rate):
    """A buzz that rises and falls: something to encode that is not silence."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 150 * time) * np.sin(np.pi * time / seconds)).astype(np.float32)


def _encoded(format, seconds, rate):
    buffer = io.BytesIO()
    soundfile.write(buffer, _voice(seconds, rate), rate, format=format)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def mp3():
    """0.8 s as the Mandarin words are encoded."""
    return _encoded("MP3", 0.8, 22_050)


@pytest.fixture(scope="session")
def wav():
    """0.4 s as the digits are encoded."""
    return _encoded("WAV", 0.4, 8_000)


@pytest.fixture(scope="session")
def g722():
    """1.5 s as the prompts are encoded: raw, without a header."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="g722") as output:
        stream = output.add_stream("g722", rate=16_000, layout="mono")
        pcm = (_voice(1.5, 16_000)[None] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler("s16", "mono", 16_000, frame_size=stream.frame_size or 0)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.fixture
def pack(tmp_path):
    """Write a tar (or tar.gz) of a published layout: one folder, its SOURCE.md, and the given files."""

    def write(name, folder, files):
        path = tmp_path / name
        with tarfile.open(path, "w:gz" if name.endswith(".gz") else "w") as tar:
            top = tarfile.TarInfo(folder)
            top.type, top.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(top)
            for file, data in {"SOURCE.md": b"# where this is from\n", **files}.items():
                info = tarfile.TarInfo(f"{folder}/{file}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return path

    return write


@pytest.fixture
def shared_speech():
    """Folder of the real archives."""
    default = Path(__file__).parents[4] / "shared"
    folder = Path(os.environ.get("EARMARK_SHARED", default)) / "speech"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: set EARMARK_SHARED to the folder that holds speech/")
    return folder
