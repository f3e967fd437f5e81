"""Settings and fixtures that every test shares."""

import os

# scipy reads this when it is first imported; without it one of scikit-learn's checks is skipped.
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ["MPLBACKEND"] = "Agg"

from pathlib import Path

import numpy as np
import pytest

pytest_plugins = ["random_examples"]

# Markers of tests that plain `pytest` deselects, each with the option that runs them.
DESELECTED = {
    "statistical": "also run the long tests marked `statistical`",
    "installation": "also run the tests marked `installation`, which make a virtual environment",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    for marker, meaning in DESELECTED.items():
        parser.addoption(f"--{marker}", action="store_true", help=meaning)


def pytest_configure(config: pytest.Config) -> None:
    """Let the workers of `pytest -n`, which inherit these, share the cores."""
    if workers := config.getoption("numprocesses", None):
        each = str(max(1, (os.cpu_count() or 1) // workers))
        os.environ.update(OPENBLAS_NUM_THREADS=each, OMP_NUM_THREADS=each, MKL_NUM_THREADS=each)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    off = [marker for marker in DESELECTED if not config.getoption(f"--{marker}")]
    left_out = [item for item in items if any(map(item.get_closest_marker, off))]
    if left_out:
        items[:] = [item for item in items if not any(map(item.get_closest_marker, off))]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator of its own for each test, so that tests do not depend on their order."""
    return np.random.default_rng(20240213)


@pytest.fixture(scope="session")
def mnist_data_home() -> Path:
    """The folder that holds MNIST/raw."""
    home = os.environ.get("SK_DEEPFEAT_DATA")
    if not home:
        pytest.skip("MNIST is needed: the environment variable SK_DEEPFEAT_DATA is not set")
    folder = Path(home)
    if not (folder / "MNIST" / "raw").is_dir():
        pytest.skip("MNIST is needed: the folder in SK_DEEPFEAT_DATA holds no MNIST/raw")
    return folder
