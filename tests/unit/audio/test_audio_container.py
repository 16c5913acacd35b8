"""Audio in tars and Parquet files: random access, and what hostile containers get."""

import gzip
import io
import tarfile
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from encoded import encoded, voice, write

from earmark.audio import container
from earmark.audio.container import tar_index
from earmark.audio.read import SAMPLE_RATE, audio_seconds, read_audio
from earmark.errors import AudioError


def pack(path, files, mode="w"):
    """A tar of (header or name, bytes)."""
    with tarfile.open(path, mode, format=tarfile.GNU_FORMAT, errors="surrogateescape") as tar:
        for name, data in files:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
    return path


def entry(name, **values):
    info = tarfile.TarInfo(name)
    for key, value in values.items():
        setattr(info, key, value)
    return info


VOICES = {f"x/{number}.flac": voice(0.5 + 0.1 * number, seed=number) for number in range(6)}
FILES = [(name, encoded("flac", samples)) for name, samples in VOICES.items()]


def same(samples, name):
    np.testing.assert_allclose(samples, VOICES[name], atol=2e-4)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_members_are_read_in_any_order(tmp_path, mode):
    path = pack(tmp_path / "a.tar", FILES, mode)
    for name in [*VOICES, *reversed(VOICES)]:
        same(read_audio(path, member=name), name)
        assert audio_seconds(path, name) == len(VOICES[name]) / SAMPLE_RATE
    np.testing.assert_allclose(
        read_audio(path, 0.25, 0.25, member="x/3.flac"), VOICES["x/3.flac"][4000:8000], atol=2e-4
    )


@pytest.mark.parametrize("ending", ["wav", "mp3", "opus", "m4a", "g722"])
def test_every_format_reads_as_it_does_from_a_file_on_one_machine(tmp_path, ending):
    file = write(tmp_path / f"a.{ending}", voice(2.0))
    path = pack(tmp_path / "a.tar", [(f"deep/er/a.{ending}", file.read_bytes())])
    member = f"deep/er/a.{ending}"
    np.testing.assert_array_equal(read_audio(path, member=member), read_audio(file))
    np.testing.assert_array_equal(read_audio(path, 0.5, 0.25, member=member), read_audio(file, 0.5, 0.25))
    assert audio_seconds(path, member) == audio_seconds(file)


def test_a_tar_is_indexed_once(tmp_path, monkeypatch):
    path = pack(tmp_path / "a.tar", FILES)
    container._open.__dict__.clear()
    made = []
    indexed = container._indexed
    monkeypatch.setattr(container, "_indexed", lambda file: made.append(file) or indexed(file))
    for name in VOICES:
        read_audio(path, member=name)
    assert len(made) == 1
    pack(path, FILES[:2])
    with pytest.raises(AudioError, match="no member"):
        read_audio(path, member="x/5.flac")
    assert len(made) == 2


def test_containers_that_are_left_are_closed(tmp_path):
    paths = [pack(tmp_path / f"{number}.tar", FILES[:1]) for number in range(9)]
    for path in paths:
        read_audio(path, 0.0, 0.1, member="x/0.flac")
    assert len(container._open.containers) == container.KEPT_OPEN


def test_the_index_keeps_the_order_and_the_first_of_a_name(tmp_path):
    path = pack(tmp_path / "a.tar", [*reversed(FILES), ("x/0.flac", b"another")])
    index = tar_index(path)
    assert list(index.members) == list(reversed(VOICES))
    assert (index.refused, index.fault) == ({}, None)
    same(read_audio(path, member="x/0.flac"), "x/0.flac")


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (entry("../out.flac"), "its name leads out of the archive"),
        (entry("x/../../out.flac"), "its name leads out of the archive"),
        (entry("/etc/out.flac"), "its name leads out of the archive"),
        (entry("x/link.flac", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "neither a folder nor a regular file"),
        (entry("x/hard.flac", type=tarfile.LNKTYPE, linkname="x/0.flac"), "neither a folder nor a regular file"),
        (entry("x/pipe.flac", type=tarfile.FIFOTYPE), "neither a folder nor a regular file"),
        (entry("x/disk.flac", type=tarfile.BLKTYPE), "neither a folder nor a regular file"),
    ],
)
def test_hostile_members_are_not_read_and_hide_no_other(tmp_path, hostile, reason):
    folder = tmp_path / "inside"
    folder.mkdir()
    path = pack(folder / "a.tar", [FILES[0], (hostile, b"data"), *FILES[1:]])
    with pytest.raises(AudioError, match=reason):
        read_audio(path, member=hostile.name)
    for name in VOICES:
        same(read_audio(path, member=name), name)
    assert [entry.name for entry in tmp_path.iterdir()] == ["inside"]
    assert [entry.name for entry in folder.iterdir()] == ["a.tar"]


@pytest.mark.parametrize("member", ["x/9.flac", "", "x", "../a.tar", "/etc/passwd", "x/0.flac\0", "\ud800"])
def test_a_name_only_looks_members_up(tmp_path, member):
    path = pack(tmp_path / "a.tar", FILES)
    for function in (lambda: read_audio(path, member=member), lambda: audio_seconds(path, member)):
        with pytest.raises(AudioError, match="holds no member"):
            function()


def test_a_member_that_claims_ten_terabytes(tmp_path):
    header = tarfile.TarInfo("x/big.flac")
    header.size = 10 << 40
    good = pack(tmp_path / "good.tar", FILES[:1]).read_bytes()
    path = tmp_path / "a.tar"
    path.write_bytes(good[: good.rstrip(b"\0").__len__() // 512 * 512 + 512] + header.tobuf() + bytes(2048))
    with pytest.raises(AudioError, match="claims more bytes than the archive has"):
        read_audio(path, member="x/big.flac")
    same(read_audio(path, member="x/0.flac"), "x/0.flac")


def test_a_sparse_member_that_claims_ten_terabytes(tmp_path):
    header = tarfile.TarInfo("x/sparse.flac")
    header.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[483:495] = b"\x80" + (10 << 40).to_bytes(11, "big")  # real size
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    path = tmp_path / "a.tar"
    path.write_bytes(bytes(block) + bytes(1024))
    with pytest.raises(AudioError):
        read_audio(path, member="x/sparse.flac")


def test_a_compressed_tar_of_zeros_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "MAX_UNPACKED", 1 << 20)
    path = pack(tmp_path / "a.tar.gz", [("x/0.flac", bytes(8 << 20))], "w:gz")
    assert path.stat().st_size < 20_000
    with pytest.raises(AudioError, match="unpacks to more than 1048576 bytes: unpack it with gunzip"):
        read_audio(path, member="x/0.flac")


def test_the_number_of_members_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "MAX_MEMBERS", 3)
    path = pack(tmp_path / "a.tar", FILES)
    assert tar_index(path).fault == "it has more than 3 members"
    same(read_audio(path, member="x/2.flac"), "x/2.flac")
    with pytest.raises(AudioError, match="more than 3 members"):
        read_audio(path, member="x/3.flac")


def test_a_tar_cut_short_keeps_what_precedes_the_cut(tmp_path):
    path = pack(tmp_path / "a.tar", FILES)
    place = tar_index(path).members["x/3.flac"]
    path.write_bytes(path.read_bytes()[: place.start + 700])
    same(read_audio(path, member="x/2.flac"), "x/2.flac")
    with pytest.raises(AudioError, match="claims more bytes"):
        read_audio(path, member="x/3.flac")
    with pytest.raises(AudioError, match="no member"):
        read_audio(path, member="x/5.flac")
    path.write_bytes(path.read_bytes()[: place.start - 100])
    assert "cut short" in str(tar_index(path).fault)


@pytest.mark.parametrize(
    "data",
    [b"not an archive at all", b"x" * 5000, b"\x1f\x8bnot gzip", b"PK\x03\x04" + bytes(3000), b"PAR1 and no more"],
)
def test_what_is_no_container_is_named(tmp_path, data):
    path = tmp_path / "a.tar"
    path.write_bytes(data)
    with pytest.raises(AudioError, match=r"a\.tar (is no tar|cannot be unpacked|is not readable Parquet)"):
        read_audio(path, member="0")


def test_an_archive_is_not_audio_without_a_member(tmp_path):
    path = pack(tmp_path / "a.wav", FILES)
    with pytest.raises(AudioError, match="not audio"):
        read_audio(path)
    (tmp_path / "b.wav").write_bytes(gzip.compress(bytes(10 << 20)))
    with pytest.raises(AudioError, match="not audio"):
        read_audio(tmp_path / "b.wav")


@pytest.mark.parametrize("name", ["empty.flac", "text.flac"])
def test_members_that_are_no_audio_are_named_with_their_tar(tmp_path, name):
    path = pack(tmp_path / "a.tar", [("empty.flac", b""), ("text.flac", b"not audio")])
    for function in (lambda: read_audio(path, member=name), lambda: audio_seconds(path, name)):
        with pytest.raises(AudioError, match=rf"a\.tar\[{name}\] is not audio"):
            function()


AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def parquet(path, rows, group=4, **columns):
    table = pa.table({"audio": pa.array([{"bytes": data, "path": None} for data in rows], AUDIO), **columns})
    pq.write_table(table, path, row_group_size=group)
    return path


def test_rows_of_parquet_are_read_in_any_order(tmp_path):
    path = parquet(tmp_path / "a.parquet", [data for _, data in FILES])
    names = list(VOICES)
    for row in [0, 1, 2, 3, 4, 5, 4, 0, 3]:
        same(read_audio(path, member=str(row)), names[row])
        assert audio_seconds(path, str(row)) == len(VOICES[names[row]]) / SAMPLE_RATE
    np.testing.assert_allclose(read_audio(path, 0.25, 0.25, member="3"), VOICES["x/3.flac"][4000:8000], atol=2e-4)


def test_ascending_rows_decode_each_batch_once(tmp_path, monkeypatch):
    path = parquet(tmp_path / "a.parquet", [FILES[0][1]] * 100, group=50)
    read_audio(path, member="0")
    (opened,) = [one for one in container._open.containers.values() if one.path == path]
    begun = []
    batches = opened.file.iter_batches

    class Watched:
        def __getattr__(self, name):
            return getattr(file, name)

        def iter_batches(self, *args, **values):
            begun.append(args)
            return batches(*args, **values)

    file, opened.file = opened.file, Watched()
    for row in range(100):
        read_audio(path, member=str(row))
    assert [groups for _, groups, _ in begun] == [[1]]  # the first group had begun


def test_binary_columns_and_other_names(tmp_path):
    data = [one for _, one in FILES]
    table = pa.table({"audio": data, "speech": pa.array(data[::-1], pa.large_binary()), "text": ["x"] * 6})
    pq.write_table(table, tmp_path / "a.parquet")
    same(read_audio(tmp_path / "a.parquet", member="1"), "x/1.flac")
    same(read_audio(tmp_path / "a.parquet", member="1:speech"), "x/4.flac")


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("6", "has no row '6', it has 6"),
        ("-1", "has no row"),
        ("", "has no row"),
        ("1.0", "has no row"),
        ("9" * 30, "has no row"),
        ("²", "has no row"),
        ("0:text", "no column 'text' of audio bytes, it has audio, text"),
        ("0:no", "no column 'no' of audio bytes"),
        ("4", "no bytes of audio in row 4"),
        ("5", "no bytes of audio in row 5"),
    ],
)
def test_wrong_rows_and_columns_of_parquet_are_named(tmp_path, member, message):
    rows = [data for _, data in FILES[:4]] + [None, b""]
    path = parquet(tmp_path / "a.parquet", rows, text=["x"] * 6)
    with pytest.raises(AudioError, match=message):
        read_audio(path, member=member)


def test_parquet_without_audio_names_its_columns(tmp_path):
    pq.write_table(pa.table({"audio": ["a.wav"], "text": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(AudioError, match="no column 'audio' of audio bytes, it has audio, text"):
        read_audio(tmp_path / "a.parquet", member="0")


def test_damaged_parquet_is_an_error_of_its_own_kind(tmp_path):
    path = parquet(tmp_path / "a.parquet", [data for _, data in FILES])
    data = bytearray(path.read_bytes())
    data[200 : len(data) // 2] = bytes(len(data) // 2 - 200)
    path.write_bytes(data)
    for row in range(6):
        try:
            read_audio(path, member=str(row))
        except AudioError as error:
            assert "a.parquet" in str(error)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_member_in_another_normal_form_is_found(tmp_path, form):
    path = pack(tmp_path / "a.tar", [(unicodedata.normalize(form, "é/が.wav"), encoded("wav", voice(0.5)))])
    for wanted in ("NFC", "NFD"):
        assert audio_seconds(path, unicodedata.normalize(wanted, "é/が.wav")) == 0.5
    with pytest.raises(AudioError, match="holds no member"):
        audio_seconds(path, "e/が.wav")


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "opus", "mp3"])
def test_a_member_that_was_cut_short_is_refused(tmp_path, ending):
    data = encoded(ending, voice(2.0))
    path = pack(tmp_path / "a.tar", [(f"whole.{ending}", data), (f"cut.{ending}", data[: len(data) * 3 // 4])])
    rows = pa.table({"audio": [{"bytes": data}, {"bytes": data[: len(data) * 3 // 4]}]})
    pq.write_table(rows, tmp_path / "a.parquet")
    for container_, whole, cut in ((path, f"whole.{ending}", f"cut.{ending}"), (tmp_path / "a.parquet", "0", "1")):
        assert len(read_audio(container_, member=whole)) >= 2 * SAMPLE_RATE
        with pytest.raises(AudioError, match="cut short"):
            read_audio(container_, member=cut)
