"""Error rates from one training set against the closed form of known mixtures; .ci/nightly."""

import numpy as np
import pytest

from sk_deepfeat import DeterministicEquivalentRidgeClassifier
from sk_deepfeat.datasets import make_gaussian_classes

pytestmark = pytest.mark.statistical

ROWS, P, DRAWS = 600, 60, 30
SIZES, ALPHA = np.array([60, 150, 300, 600, 1200, 3000]), 20.0


def known_mixture(n_classes, priors, seed):
    rng = np.random.default_rng(seed)
    means = 0.3 * rng.normal(size=(n_classes, P))
    variances = np.arange(1, P + 1) ** -0.5
    return {
        "means": means * np.sqrt(variances),
        "covariances": np.diag(variances),
        "priors": priors,
    }


@pytest.mark.parametrize(
    ("n_classes", "priors"), [(2, None), (2, (0.85, 0.15)), (4, None), (3, (0.1, 0.4, 0.5))]
)
def test_means_are_right_and_intervals_hold_the_truth(n_classes, priors):
    given = known_mixture(n_classes, priors, n_classes)
    ratios, holds = [], []
    for draw in range(DRAWS):
        X, y, mixture = make_gaussian_classes(ROWS, **given, random_state=draw)
        model = DeterministicEquivalentRidgeClassifier(ALPHA).fit(X, y)
        found, lower, upper = model.predict_test_error(SIZES, return_interval=True)
        truth = mixture.error_rate(SIZES, ALPHA)
        ratios.append(found / truth)
        holds.append((lower <= truth) & (truth <= upper))
    np.testing.assert_allclose(np.mean(ratios, axis=0), 1.0, atol=0.08)
    assert 0.78 <= np.mean(holds) <= 0.995
