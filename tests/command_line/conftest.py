"""The commands as a user runs them, and data for them."""

import numpy as np
import pytest
from customers import customers

from sk_deepfeat.__main__ import main
from sk_deepfeat.command_line.arguments import parse
from sk_deepfeat.command_line.data import load

SHAPES = {"table": (8,), "images": (4, 2)}


@pytest.fixture
def run(capsys):
    """Run the command line in this process; return its status, output and messages."""

    def command(*arguments):
        status = main(list(arguments))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


@pytest.fixture
def save(tmp_path):
    """Save 8 columns, as a table or as images, and a target; return the file's name."""

    def file(kind, n_rows=300, scales=1.0):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n_rows, 8))
        y = X[:, 0] + 0.1 * rng.normal(size=n_rows)
        path = tmp_path / "data.npz"
        np.savez(path, X=(X * scales).reshape(n_rows, *SHAPES[kind]), y=y)
        return str(path)

    return file


@pytest.fixture
def loaded():
    """Load data as a command does."""
    return lambda name, *words: load(parse(["curve", str(name), *words]))


@pytest.fixture
def write(tmp_path):
    """Write a changed table of customers, and return the file's name."""

    def file(name="data.csv", frame=None, **options):
        path = tmp_path / name
        frame = customers() if frame is None else frame
        if name.endswith(".parquet"):
            pytest.importorskip("pyarrow", reason="Parquet is read through pyarrow")
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False, **options)
        return str(path)

    return file
