"""Packed tables from anyone: what they unpack to is bounded by their own size."""

import gzip

import numpy as np
import pytest

from sk_deepfeat.__main__ import main

pandas = pytest.importorskip("pandas", reason="tables are read through pandas")


@pytest.fixture
def small_bound(monkeypatch):
    monkeypatch.setattr("sk_deepfeat.array_files.FREE_BYTES", 2**20)


@pytest.fixture
def refused(capsys, tmp_path):
    def said(path):
        words = ["--target", "y", "--output", str(tmp_path / "page.html")]
        assert main(["report", str(path), *words]) == 2
        return capsys.readouterr().err

    return said


def test_a_bomb_of_text(tmp_path, small_bound, refused):
    """One line of zeros that never ends."""
    path = tmp_path / "data.csv.gz"
    with gzip.open(path, "wb") as stream:
        stream.write(b"x,y\n")
        for _ in range(8):
            stream.write(b"0" * 2**20)
    assert "unpacks to more than" in refused(path)


def test_a_damaged_text(tmp_path, refused):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"x,y\n1,2\n" * 100)[:20])
    assert "cannot be read" in refused(path)


def test_a_bomb_of_parquet(tmp_path, small_bound, refused):
    pytest.importorskip("pyarrow", reason="Parquet is read through pyarrow")
    path = tmp_path / "data.parquet"
    pandas.DataFrame({"x": np.zeros(2**20), "y": np.zeros(2**20)}).to_parquet(path)
    assert "claims 1,048,576 rows of 2 columns" in refused(path)


def test_honest_tables_are_read(tmp_path, small_bound):
    pytest.importorskip("pyarrow", reason="Parquet is read through pyarrow")
    pytest.importorskip("matplotlib", reason="a report holds pictures")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame({"x": rng.normal(size=60)})
    frame["y"] = frame["x"] + rng.normal(size=60)
    frame.to_parquet(tmp_path / "data.parquet")
    frame.to_csv(tmp_path / "data.csv.gz")
    for name in ("data.parquet", "data.csv.gz"):
        words = ["--target", "y", "--output", str(tmp_path / "page.html")]
        assert main(["report", str(tmp_path / name), *words]) == 0
