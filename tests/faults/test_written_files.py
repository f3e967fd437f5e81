"""What is written, pages, tables and pictures, appears whole or not at all."""

import ast
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from fault_cases import X, Y, full_disk

import sk_deepfeat
import sk_deepfeat.whole_files as whole_files
from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
from sk_deepfeat.__main__ import main
from sk_deepfeat.command_line import curve
from sk_deepfeat.report import write_report
from sk_deepfeat.whole_files import check_destination, replace_files

CURVE = ["digits", "--features", "none", "--repeats", "2", "--train-sizes", "50", "--alphas", "1"]
CURVE += ["--population", "gcv"]
NAMES = ["learning_curve.csv", "learning_curve.png"]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 kB, of which 4 are left."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)]
    if os.name != "posix" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk is needed: tmpfs cannot be mounted here")
    (place / "filler").write_bytes(bytes(60 * 1024))
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_all_files_or_none(tmp_path, monkeypatch):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"old")
    write, calls = whole_files._write, []

    def second_fails(*arguments):
        calls.append(1)
        return full_disk() if len(calls) == 2 else write(*arguments)

    monkeypatch.setattr(whole_files, "_write", second_fails)
    with pytest.raises(OSError, match=r"No space left.* no file was changed: make room.*new"):
        replace_files({old: b"changed", new: b"new"})
    assert [path.name for path in tmp_path.iterdir()] == ["old"] and old.read_bytes() == b"old"
    replace_files({old: b"changed", new: b"new"})
    assert old.read_bytes() == b"changed" and new.read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_interruption_changes_no_file(tmp_path, monkeypatch):
    def interrupted(handle):
        raise KeyboardInterrupt

    old = tmp_path / "old"
    old.write_bytes(b"old")
    monkeypatch.setattr(whole_files.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_files({old: b"changed"})
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_whoever_reads_meanwhile_sees_a_whole_file(tmp_path):
    file, ended, seen = tmp_path / "file", threading.Event(), set()
    contents = [bytes([letter]) * 300_000 for letter in b"ab"]
    replace_files({file: contents[0]})

    def look():
        while not ended.is_set():
            seen.add(file.read_bytes())

    reader = threading.Thread(target=look)
    reader.start()
    for count in range(40):
        replace_files({file: contents[count % 2]})
    ended.set()
    reader.join()
    assert seen <= set(contents) and len(seen) == 2


def test_permissions_are_those_of_any_new_file(tmp_path):
    ours, other = tmp_path / "ours", tmp_path / "other"
    replace_files({ours: b""})
    other.write_bytes(b"")
    assert ours.stat().st_mode == other.stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices have names")
def test_what_is_no_regular_file_is_no_destination(tmp_path):
    pipe, link, loop = tmp_path / "pipe", tmp_path / "link", tmp_path / "loop"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "not there yet")
    loop.symlink_to(loop)
    for path in (pipe, Path("/dev/null"), Path("/dev/full")):
        with pytest.raises(FileExistsError, match="is no regular file, and is not replaced"):
            check_destination(path, "a.html")
    assert check_destination(link, "a.html") == tmp_path / "not there yet"
    with pytest.raises(OSError):
        replace_files({check_destination(loop / "a.html", "a.html"): b""})
    with pytest.raises(TypeError, match=r"path=3 must name a file, such as 'a\.html'"):
        check_destination(3, "a.html")


def test_a_curve_that_finds_no_place_is_printed_all_the_same(small_disk, capsys):
    """The picture does not fit, so the table is not written either; the numbers are not lost."""
    pytest.importorskip("matplotlib", reason="the command line draws")
    (small_disk / "learning_curve.csv").write_text("old")
    assert main([*CURVE, "--output", str(small_disk)]) == 2
    out, err = capsys.readouterr()
    assert "relative error of the prediction: median" in out
    assert len(err.splitlines()) == 1 and "No space left on device" in err
    assert "no file was changed: make room, or name another place" in err
    assert (
        sorted(path.name for path in small_disk.iterdir()) == ["filler", "learning_curve.csv"][::1]
    )
    assert (small_disk / "learning_curve.csv").read_text() == "old"


def test_a_page_that_finds_no_place(small_disk, capsys):
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    page = small_disk / "page.html"
    page.write_text("old")
    ridge = DeterministicEquivalentRidge(population="gcv").fit(X, Y)
    with pytest.raises(OSError, match="No space left on device"):
        write_report(ridge, page)
    assert page.read_text() == "old" and len(list(small_disk.iterdir())) == 2


def test_features_that_find_no_place(small_disk):
    """The first page without room would end the process by a signal, without a word."""
    feature_map = RandomDeepFeatures((500,), random_state=0).fit(X)
    (small_disk / "filler").unlink()  # a file with holes has room for its last page
    shape = len(X), 500
    out = np.lib.format.open_memmap(small_disk / "out.npy", mode="w+", dtype=float, shape=shape)
    with pytest.raises(OSError, match=r"No space left on device: out needs 1,768,128 bytes.*out"):
        feature_map.transform(X, out=out)


def test_a_folder_that_vanished_meanwhile_is_made_anew(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib", reason="the command line draws")
    output = tmp_path / "out"
    output.mkdir()
    vanish_before_writing(monkeypatch, output)
    assert main([*CURVE, "--output", str(output)]) == 0
    assert sorted(path.name for path in output.iterdir()) == NAMES


def test_a_folder_that_is_a_file_meanwhile(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib", reason="the command line draws")
    output = tmp_path / "out"
    output.mkdir()
    vanish_before_writing(monkeypatch, output, lambda: output.write_text("mine"))
    assert main([*CURVE, "--output", str(output)]) == 2
    out, err = capsys.readouterr()
    assert "relative error of the prediction: median" in out and "File exists" in err
    assert output.read_text() == "mine"


def vanish_before_writing(monkeypatch, output, then=lambda: None):
    write = curve.write_curve

    def vanished(*arguments):
        output.rmdir()
        then()
        return write(*arguments)

    monkeypatch.setattr(curve, "write_curve", vanished)


def test_files_of_a_curve_that_are_no_regular_ones_are_not_replaced(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="the command line draws")
    elsewhere = tmp_path / "elsewhere.csv"
    (tmp_path / "learning_curve.csv").symlink_to(elsewhere)
    assert main([*CURVE, "--output", str(tmp_path)]) == 0
    assert (tmp_path / "learning_curve.csv").is_symlink()
    assert elsewhere.read_text().startswith("n_samples,")
    (tmp_path / "learning_curve.png").unlink()
    os.mkfifo(tmp_path / "learning_curve.png")
    before = elsewhere.stat().st_mtime_ns
    assert main([*CURVE, "--output", str(tmp_path)]) == 2
    assert "learning_curve.png is no regular file" in capsys.readouterr().err
    assert elsewhere.stat().st_mtime_ns == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_standard_output_on_a_full_disk(tmp_path):
    pytest.importorskip("matplotlib", reason="the command line draws")
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "sk_deepfeat", *CURVE, "--output", str(tmp_path)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=200,
        )
    assert ended.returncode == 2 and "No space left on device" in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES


# What can write a file, and where the package may call it.
WRITING = {"write_bytes", "write_text", "to_csv", "savefig", "save", "savez", "savez_compressed"}
WRITING |= {"mkstemp", "NamedTemporaryFile", "memmap", "tofile", "savetxt", "dump", "to_parquet"}
INTO_MEMORY = {("command_line/curve_output.py", "to_csv"), ("report/pictures.py", "savefig")}
INTO_MEMORY |= {("command_line/curve_output.py", "savefig")}
INTO_MEMORY |= {("array_files.py", "open")}  # members of an archive that the one module writes
OF_THE_USER = {("feature_maps/into_array.py", "open")}  # what transform(X, out=memmap) fills


def test_one_module_writes_all_files():
    folder, found = Path(sk_deepfeat.__file__).parent, set()
    for path in folder.rglob("*.py"):
        name = path.relative_to(folder).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func).split(".")[-1]
            written = called in WRITING or (called in {"open", "fdopen"} and _writes(node))
            if written and name != "whole_files.py":
                found.add((name, called))
    assert found == INTO_MEMORY | OF_THE_USER


def _writes(call):
    words = [*call.args, *(each.value for each in call.keywords)]
    constants = [word.value for word in words if isinstance(word, ast.Constant)]
    modes = [each for each in constants if isinstance(each, str) and set(each) <= set("rwaxbt+")]
    return any(set(mode) & set("wax+") for mode in modes)
