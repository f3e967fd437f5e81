"""The commands as a user runs them, and data for them."""

import numpy as np
import pytest

from sk_deepfeat.__main__ import main

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
