"""Files of arrays from anyone: no code runs, and no header is believed before the file is seen."""

import tracemalloc
import zipfile

import hostile_files
import numpy as np
import pytest

from sk_deepfeat.__main__ import main
from sk_deepfeat.array_files import FREE_BYTES, ArrayFileError, NpzFile, check_npy
from sk_deepfeat.rows.sources import row_source

ENOUGH = 2**22  # bytes that a refusal may take, with the parser of a nested header


@pytest.fixture
def little_memory():
    """Fail where more is allocated than a refusal needs."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < ENOUGH


@pytest.mark.parametrize("kind", hostile_files.LIES)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_lie_in_an_npz_file_is_named(tmp_path, little_memory, kind, method):
    head, message = hostile_files.LIES[kind]
    members = {"X": head + hostile_files.NUMBERS * bool(head)}
    path = hostile_files.write_npz(tmp_path / "data.npz", members, method=method)
    with NpzFile(path) as arrays, pytest.raises(ArrayFileError, match=f"X: the array .*{message}"):
        arrays.read("X")


@pytest.mark.parametrize("kind", hostile_files.LIES)
def test_a_lie_in_an_npy_file_is_named(tmp_path, little_memory, kind):
    head, message = hostile_files.LIES[kind]
    path = tmp_path / "X.npy"
    path.write_bytes(head + hostile_files.NUMBERS * bool(head))
    with pytest.raises(ArrayFileError, match=message):
        check_npy(path)
    with pytest.raises(ValueError, match=rf"X='.*X.npy' ends early, or is no .npy file.*{message}"):
        row_source(path, np.zeros(3))


def test_a_lie_of_the_archive_itself(tmp_path, little_memory):
    """Header and archive agree on four gigabytes, and the file has hardly any."""
    n = (2**32 - 2 - 128) // 8
    head = hostile_files.header(shape=f"({n},)")
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / f"{method}.npz"
        hostile_files.write_npz(path, {"X": head + b"\0" * 4096}, method=method)
        hostile_files.claim_size(path, len(head) + 8 * n)
        with NpzFile(path) as arrays, pytest.raises(ArrayFileError, match="too many for a file"):
            arrays.read("X")


def test_a_bomb_of_zeros(tmp_path, little_memory):
    """A thousandth of what it unpacks to; told before it is unpacked."""
    path = tmp_path / "bomb.npz"
    head = hostile_files.header(shape=f"({FREE_BYTES // 8 + 1},)")
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("X.npy", "w") as stream,
    ):
        stream.write(head)
        for _ in range(FREE_BYTES // 2**19):
            stream.write(bytes(2**19))
        stream.write(bytes(8))
    with NpzFile(path) as arrays, pytest.raises(ArrayFileError, match="too many for a file"):
        arrays.read("X")


def test_arrays_are_counted_together(tmp_path, monkeypatch):
    """One record of an archive may be read under many names: their sum is what is bounded."""
    monkeypatch.setattr("sk_deepfeat.array_files.FREE_BYTES", 2**16)
    path = tmp_path / "data.npz"
    np.savez_compressed(path, **{f"a{k}": np.zeros(2**12) for k in range(10)})
    with NpzFile(path) as arrays, pytest.raises(ArrayFileError, match="too many for a file"):
        for name in arrays.names * 200:
            arrays.read(name)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_honest_files_are_read(tmp_path, rng, save):
    arrays = {
        "numbers": rng.normal(size=(50, 3)),
        "columns": np.asfortranarray(rng.normal(size=(4, 5, 6))),
        "one": np.float32(3.0),
        "none": np.empty((0, 7), dtype=np.int8),
        "words": np.array(["a", "", "ß"]),
        "bytes": np.array([b"a", b"bc"]),
        "truth": np.array([True, False]),
        "complex": np.array([1j]),
        "big_end": np.arange(5, dtype=">i4"),
        "days": np.array(["2026-11-30"], dtype="M8[D]"),
        "strange / name": np.arange(3),
    }
    save(tmp_path / "data.npz", **arrays)
    with NpzFile(tmp_path / "data.npz") as found:
        assert found.names == list(arrays)
        for name, value in arrays.items():
            read = found.read(name)
            assert read.dtype == value.dtype
            np.testing.assert_array_equal(read, value)


def test_damaged_archives(tmp_path, rng):
    path = tmp_path / "data.npz"
    np.savez_compressed(path, X=rng.normal(size=100))
    whole = path.read_bytes()
    path.write_bytes(whole[:300] + b"\xff" * 40 + whole[340:])
    with NpzFile(path) as arrays, pytest.raises(ArrayFileError, match="X: the array cannot be"):
        arrays.read("X")
    for wrong in (b"", b"no archive", whole[:200]):
        path.write_bytes(wrong)
        with pytest.raises(ArrayFileError, match=r"it is no \.npz archive"):
            NpzFile(path)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", whole)
        archive.writestr("X.npy", whole)
    with pytest.raises(ArrayFileError, match="two arrays of the same name"):
        NpzFile(path)
    hostile_files.write_npz(path, {"X": whole}, method=zipfile.ZIP_BZIP2)
    with NpzFile(path) as arrays, pytest.raises(ArrayFileError, match="in another way"):
        arrays.read("X")


@pytest.mark.parametrize("option", [[], ["--groups", "things"], ["--target", "things"]])
def test_the_command_line_unpickles_nothing(tmp_path, capsys, option):
    made = tmp_path / "made by a pickle"
    wired = np.array([hostile_files.Tripwire(made)] * 60, dtype=object)
    arrays = {"X": np.random.default_rng(0).normal(size=(60, 3)), "y": np.arange(60.0)}
    arrays = {**arrays, "things": wired} if option else {**arrays, "y": wired}
    path = tmp_path / "data.npz"
    members = {name: hostile_files.npy(array) for name, array in arrays.items()}
    hostile_files.write_npz(path, members)
    assert main(["curve", str(path), *option, "--json"]) == 2
    assert "the array holds Python's objects" in capsys.readouterr().err
    assert not made.exists()


def test_the_command_line_believes_no_header(tmp_path, capsys):
    head, _ = hostile_files.LIES["1e12 elements"]
    members = {"X": head, "y": hostile_files.npy(np.zeros(60))}
    path = hostile_files.write_npz(tmp_path / "data.npz", members)
    assert main(["report", str(path), "--output", str(tmp_path / "page.html")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"sk_deepfeat: {path}: X: the array claims shape (1000000000000,)")
    assert said.count("\n") == 1
