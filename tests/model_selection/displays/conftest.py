"""What the tests of displays share: pyplot, closed afterwards, and a ridge with a short reach."""

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidge


@pytest.fixture
def pyplot():
    plt = pytest.importorskip("matplotlib.pyplot", reason="displays need matplotlib")
    yield plt
    plt.close("all")


@pytest.fixture(scope="session")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 90)) * np.arange(1, 91) ** -0.5
    return X, X[:, 0] + X[:, 3] + 0.3 * rng.normal(size=60)


@pytest.fixture(scope="session")
def ridge(rows):
    return DeterministicEquivalentRidge().fit(*rows)
