"""Whole archives are unpacked whole; damaged and hostile ones leave nothing that could be taken for whole."""

import gzip
import io
import tarfile
import zipfile

import pytest

from earmark.audio import archive
from earmark.audio.archive import MARKER, extract
from earmark.errors import CorpusError

FILES = {f"corpus/{number}.wav": bytes([number]) * (600 + number) for number in range(5)}


def member(name, data=b"data", kind=tarfile.REGTYPE, **values):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data) if kind == tarfile.REGTYPE else 0
    for key, value in values.items():
        setattr(info, key, value)
    return info, data


def pack(path, members, mode="w"):
    with tarfile.open(path, mode) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return path


def corpus(path, mode="w"):
    folder = member("corpus", kind=tarfile.DIRTYPE, mode=0o755)
    return pack(path, [folder, *(member(name, data) for name, data in FILES.items())], mode)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARKER
    }


def refused(source, target, match, **bounds):
    with pytest.raises(CorpusError, match=match) as caught:
        extract(source, target, "a public place", **bounds)
    assert str(source) in str(caught.value)
    assert not target.exists()


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_every_regular_file_is_unpacked(tmp_path, mode):
    extract(corpus(tmp_path / "a.tar", mode), tmp_path / "run" / "audio", "a public place")
    assert contents(tmp_path / "run" / "audio") == FILES
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["audio"]


def test_a_complete_folder_is_left_alone(tmp_path):
    source = corpus(tmp_path / "a.tar")
    extract(source, tmp_path / "audio", "a public place")
    before = (tmp_path / "audio" / MARKER).stat().st_mtime_ns
    extract(source, tmp_path / "audio", "a public place")
    assert (tmp_path / "audio" / MARKER).stat().st_mtime_ns == before


def test_a_changed_archive_is_unpacked_anew(tmp_path):
    extract(corpus(tmp_path / "a.tar"), tmp_path / "audio", "a public place")
    extract(pack(tmp_path / "a.tar", [member("new/1.wav")]), tmp_path / "audio", "a public place")
    assert contents(tmp_path / "audio") == {"new/1.wav": b"data"}


def test_a_lost_file_is_unpacked_again(tmp_path):
    source = corpus(tmp_path / "a.tar")
    extract(source, tmp_path / "audio", "a public place")
    (tmp_path / "audio/corpus/3.wav").unlink()
    extract(source, tmp_path / "audio", "a public place")
    assert contents(tmp_path / "audio") == FILES


def test_an_interruption_leaves_no_target_and_is_made_good(tmp_path, monkeypatch):
    source = corpus(tmp_path / "a.tar")
    whole = tarfile.TarFile.extract

    def interrupted(self, info, *args, **values):
        if info.name.endswith("3.wav"):
            raise KeyboardInterrupt
        whole(self, info, *args, **values)

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "extract", interrupted)
        with pytest.raises(KeyboardInterrupt):
            extract(source, tmp_path / "audio", "a public place")
    assert not (tmp_path / "audio").exists()
    assert contents(tmp_path / "audio.partial")  # some were written

    (tmp_path / "audio.partial" / "stray.wav").write_bytes(b"of the interrupted run")
    extract(source, tmp_path / "audio", "a public place")
    assert contents(tmp_path / "audio") == FILES


def test_a_folder_of_others_is_never_deleted(tmp_path):
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "mine.wav").write_bytes(b"precious")
    with pytest.raises(CorpusError, match="move it away"):
        extract(corpus(tmp_path / "a.tar"), tmp_path / "audio", "a public place")
    assert (tmp_path / "audio" / "mine.wav").read_bytes() == b"precious"


def test_an_absent_archive_names_path_and_source(tmp_path):
    refused(tmp_path / "a.tar", tmp_path / "audio", "not there: get it from a public place")
    refused(tmp_path, tmp_path / "audio", "not there")


@pytest.mark.parametrize(
    ("hostile", "match"),
    [
        (member("../out.wav"), "leads out"),
        (member("corpus/../../out.wav"), "leads out"),
        (member("/tmp/earmark-out.wav"), "leads out"),
        (member("corpus/link", kind=tarfile.SYMTYPE, linkname="/etc"), "neither a folder nor a regular"),
        (member("corpus/link", kind=tarfile.SYMTYPE, linkname="0.wav"), "neither a folder nor a regular"),
        (
            member("corpus/hard", kind=tarfile.LNKTYPE, linkname="corpus/0.wav"),
            "neither a folder nor a regular",
        ),
        (member("corpus/pipe", kind=tarfile.FIFOTYPE), "neither a folder nor a regular"),
        (
            member("corpus/device", kind=tarfile.CHRTYPE, devmajor=1, devminor=5),
            "neither a folder nor a regular",
        ),
        (member("corpus/0.wav/inside.wav"), "cannot be unpacked"),
        (member("corpus/\ud800.wav"), "cannot be unpacked"),
    ],
)
def test_hostile_members_are_refused_and_write_nothing_outside(tmp_path, hostile, match):
    inside = tmp_path / "deep" / "run"
    inside.mkdir(parents=True)
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, errors="surrogatepass") as tar:
        for info, data in [member("corpus/0.wav"), hostile]:
            tar.addfile(info, io.BytesIO(data) if info.isreg() else None)
    refused(path, inside / "audio", match)
    assert {file.name for file in tmp_path.rglob("*.wav")} <= {"0.wav"}
    assert {entry.name for entry in (tmp_path / "deep").iterdir()} == {"run"}


def test_modes_of_members_do_not_make_them_executable_or_unreadable(tmp_path):
    source = pack(tmp_path / "a.tar", [member("a.wav", mode=0o4777), member("b.wav", mode=0o000)])
    extract(source, tmp_path / "audio", "a public place")
    assert (tmp_path / "audio/a.wav").stat().st_mode & 0o7022 == 0
    assert (tmp_path / "audio/b.wav").stat().st_mode & 0o600 == 0o600


def test_size_and_number_are_bounded(tmp_path):
    bomb = pack(tmp_path / "bomb.tar.gz", [member("zeros.wav", bytes(8 << 20))], "w:gz")
    assert bomb.stat().st_size < 20_000
    refused(bomb, tmp_path / "audio", "claims 8388608 bytes", max_bytes=1 << 20)
    parts = pack(tmp_path / "parts.tar.gz", [member(f"{n}.wav", bytes(1 << 19)) for n in range(9)], "w:gz")
    refused(parts, tmp_path / "audio", "larger than allowed", max_bytes=1 << 20)
    refused(corpus(tmp_path / "many.tar"), tmp_path / "audio", "more than 3 members", max_files=3)


def test_a_header_that_would_fill_memory_is_refused(tmp_path):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 1 << 33
    with gzip.open(tmp_path / "a.tar.gz", "wb") as packed:
        packed.write(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))
    refused(tmp_path / "a.tar.gz", tmp_path / "audio", "a header claims 8589934592 bytes")


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_SPARSE])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_member_that_claims_ten_terabytes_is_refused_before_a_byte_is_written(tmp_path, kind, mode):
    header = tarfile.TarInfo("corpus/big.wav")
    header.size = 10 << 40
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    if kind == tarfile.GNUTYPE_SPARSE:
        block[124:136] = b"00000000000\0"  # stored size
        block[156:157] = kind
        block[483:495] = b"\x80" + (10 << 40).to_bytes(11, "big")  # real size
        block[148:156] = b" " * 8
        block[148:156] = f"{sum(block):06o}\0 ".encode()
    data = bytes(block) + bytes(2048)
    path = tmp_path / "a.tar"
    path.write_bytes(gzip.compress(data) if mode == "w:gz" else data)
    refused(path, tmp_path / "audio", "claims 10995116277760 bytes|neither a folder nor a regular file")
    assert not list(tmp_path.rglob("*.wav"))


def test_a_zip_is_no_archive_of_ours(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.tar", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("../out.wav", bytes(8 << 20))
    refused(tmp_path / "a.tar", tmp_path / "audio", "cannot be unpacked")


def test_a_negative_size_is_refused(tmp_path):
    header = tarfile.TarInfo("a.wav")
    header.size = -512
    (tmp_path / "a.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    refused(tmp_path / "a.tar", tmp_path / "audio", "a header claims -512 bytes")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_archive_cut_anywhere_is_refused(tmp_path, mode):
    whole = corpus(tmp_path / "whole.tar", mode).read_bytes()
    # Every block border of a tar is a place where `tarfile` alone would see a regular end.
    end = 512 + 5 * (512 + 1024)
    cuts = [*range(0, end + 1, 512), 700, end - 1] if mode == "w" else [1, 40, len(whole) // 2, len(whole) - 1]
    for cut in cuts:
        path = tmp_path / f"cut{cut}.tar"
        path.write_bytes(whole[:cut])
        refused(path, tmp_path / "audio", "cannot be unpacked")


def test_damage_in_a_header_is_not_taken_for_the_end(tmp_path):
    path = corpus(tmp_path / "a.tar")
    data = bytearray(path.read_bytes())
    data[512 + 1536 + 20] ^= 0xFF  # inside the second file's header
    path.write_bytes(data)
    refused(path, tmp_path / "audio", "cut short or damaged")
    data[512 + 1536 : 1024 + 1536] = bytes(512)  # the header lost to zeros
    path.write_bytes(data)
    refused(path, tmp_path / "audio", "data follows its end mark")


def test_a_flipped_byte_in_gzip_is_found_by_its_checksum(tmp_path):
    path = corpus(tmp_path / "a.tar.gz", "w:gz")
    data = bytearray(path.read_bytes())
    data[-6] ^= 0x01  # inside the checksum itself: every member still unpacks
    path.write_bytes(data)
    refused(path, tmp_path / "audio", "cannot be unpacked")


@pytest.mark.parametrize("data", [b"", b"not an archive", b"x" * 5000, b"\x1f\x8bnot gzip at all", b"PK\x03\x04"])
def test_what_is_no_archive_is_refused(tmp_path, data):
    (tmp_path / "a.tar").write_bytes(data)
    refused(tmp_path / "a.tar", tmp_path / "audio", "cannot be unpacked")


def test_a_full_disk_is_not_called_a_damaged_archive(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_unpack", full)
    refused(corpus(tmp_path / "a.tar"), tmp_path / "audio", "No space left on device.*make room")
