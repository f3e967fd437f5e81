"""The first centres of streamed sums."""

import numpy as np

from sk_deepfeat.theory.one_sample.streamed.accumulator import _means_of


def test_centres_are_means_and_those_of_constants_are_exact():
    rng = np.random.default_rng(0)
    rows = np.c_[rng.normal(size=(50, 2)), np.full(50, 1.0 / 3.0)].astype(np.float32)
    targets = 1e9 + rng.normal(size=(50, 2))
    found = _means_of(rows, targets)
    exact = np.r_[rows.astype(float).mean(axis=0), targets.mean(axis=0)]
    np.testing.assert_allclose(found, exact, rtol=1e-13)
    assert found[2] == float(np.float32(1.0 / 3.0))
