import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from earmark import io
from earmark.errors import CheckpointError, UserError


def names(folder: Path) -> list[str]:
    """All names in a folder, hidden ones included."""
    return sorted(path.name for path in folder.iterdir())


def test_replacing_makes_folders_and_leaves_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    io.write_text(path, "声\n")
    assert path.read_text(encoding="utf-8") == "声\n"
    assert names(path.parent) == ["b.txt"]


def test_error_while_writing_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "b.txt"
    io.write_text(path, "old")
    with pytest.raises(RuntimeError), io.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["b.txt"]


def test_nothing_stands_under_the_name_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "b.txt"
    with io.replacing(path) as temporary:
        temporary.write_text("half")
        assert temporary.parent == tmp_path  # a rename is atomic within one file system only
        assert not path.exists()
    assert path.read_text() == "half"


def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        io.write_text(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_json_comes_back(tmp_path: Path) -> None:
    value = {"词": [1, 2.5, None], "b": "é"}
    io.write_json(tmp_path / "a.json", value)
    assert io.read_json(tmp_path / "a.json") == value
    assert "词" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_tensors_and_parquet_come_back(tmp_path: Path) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    tensors = {"a": shared, "b": shared.T, "c": torch.tensor([True])}
    io.write_tensors(tmp_path / "w.safetensors", tensors, {"step": "3"})
    read, notes = io.read_tensors(tmp_path / "w.safetensors")
    assert notes == {"step": "3"}
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())

    table = pa.table({"id": ["a", "b"], "seconds": [1.0, 2.0]})
    io.write_parquet(tmp_path / "t.parquet", table)
    assert io.read_parquet(tmp_path / "t.parquet").equals(table)
    assert io.read_parquet(tmp_path / "t.parquet", ["id"]).column_names == ["id"]


def test_equal_tensors_and_metadata_give_equal_files(tmp_path: Path) -> None:
    metadata = {name: f'{name}声\\"\n' for name in ("step", "inventory", "c", "b", "a")}
    files = [tmp_path / f"{number}.safetensors" for number in range(8)]
    for path in files:  # safetensors draws an order for each
        io.write_tensors(path, {"x": torch.arange(5), "y": torch.ones(3)}, metadata)
    assert len({path.read_bytes() for path in files}) == 1
    tensors, read = io.read_tensors(files[0])
    assert read == metadata and torch.equal(tensors["x"], torch.arange(5))


def test_read_tensors_outlive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    io.write_tensors(path, {"a": torch.ones(1000)}, {})
    tensors, _ = io.read_tensors(path)
    path.write_bytes(bytes(path.stat().st_size))
    assert tensors["a"].sum() == 1000


READERS = {"json": io.read_json, "parquet": io.read_parquet, "safetensors": io.read_tensors}


def _write(path: Path) -> None:
    if path.suffix == ".json":
        io.write_json(path, {"key": list(range(100))})
    elif path.suffix == ".parquet":
        io.write_parquet(path, pa.table({"a": list(range(100))}))
    else:
        io.write_tensors(path, {"a": torch.ones(100)}, {})


@pytest.mark.parametrize("kind", READERS)
def test_missing_file_is_one_line_that_names_it(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"none.{kind}"
    with pytest.raises(UserError, match="does not exist: run the stage") as caught:
        READERS[kind](path)
    assert str(path) in str(caught.value)


def test_json_that_is_a_folder_or_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "a.json"):
        with pytest.raises(UserError, match=f"^{path} is not a file"):
            io.read_json(path)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.99])
def test_file_cut_short_is_one_line_that_says_what_to_do(kind: str, part: float, tmp_path: Path) -> None:
    path = tmp_path / f"cut.{kind}"
    _write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(UserError, match="delete it and run its stage again") as caught:
        READERS[kind](path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, CheckpointError) == (kind == "safetensors")


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert io.sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_digest_depends_on_values_not_on_order_of_keys() -> None:
    assert io.digest({"a": 1, "b": [Path("x")]}) == io.digest({"b": [Path("x")], "a": 1})
    different = [io.digest(1), io.digest("1"), io.digest(1, 1), io.digest([1]), io.digest(1.5)]
    assert len(set(different)) == len(different)
    assert all(len(text) == 16 for text in different)


def test_what_a_killed_process_left_in_its_scratch_folder_goes(tmp_path: Path) -> None:
    body = "import os, pathlib, signal\nfrom earmark.io import scratch_folder\n"
    body += f"with scratch_folder(pathlib.Path({str(tmp_path)!r}), 'sorting') as folder:\n"
    body += "    (folder / 'rows').write_text('many')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    assert subprocess.run([sys.executable, "-c", body], check=False).returncode == -signal.SIGKILL
    (tmp_path / ".sorted.json").write_text("of others")
    assert len(names(tmp_path)) == 2
    with io.scratch_folder(tmp_path, "sorting") as folder:
        assert names(tmp_path) == sorted([".sorted.json", folder.name]) and names(folder) == []
    assert names(tmp_path) == [".sorted.json"]
