"""Error rates of known mixtures against refits; run by .ci/nightly."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sk_deepfeat.datasets import GaussianClasses
from sk_deepfeat.theory.equivalents.nearest_code import wrong_code_probability

pytestmark = pytest.mark.statistical

P, REPEATS = 120, 300


def mixture_of(kind, n_classes):
    rng = np.random.default_rng(n_classes)
    spectra = np.arange(1, P + 1) ** np.linspace(-0.6, 0.0, n_classes)[:, None]
    spectra /= spectra.mean(axis=1, keepdims=True)
    means = 2.0 * rng.normal(size=(n_classes, P)) / np.sqrt(P)
    if kind == "equal":
        covariances = np.diag(spectra[0])
    else:
        bases = np.linalg.qr(rng.normal(size=(n_classes, P, P)))[0]
        covariances = (bases * spectra[:, None, :]) @ bases.transpose(0, 2, 1)
    if kind == "deficient":
        covariances[:, :, ::4] = covariances[:, ::4, :] = means[:, ::4] = 0.0
    priors = np.arange(1.0, n_classes + 1)
    return GaussianClasses(means, covariances, priors / priors.sum())


@pytest.mark.parametrize("kind", ["equal", "unequal", "deficient"])
@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n", [30, 100, 500])
def test_error_rates(kind, n_classes, fit_intercept, n):
    """Within four standard errors and 3 %, at alpha from nearly ridgeless to far above the best."""
    mixture = mixture_of(kind, n_classes)
    codes = np.array([[-1.0], [1.0]]) if n_classes == 2 else np.eye(n_classes)
    alphas, rng, errors = np.array([1.0, 10.0, 300.0]), np.random.RandomState(0), []
    for _ in range(REPEATS):
        X, y = mixture.sample(n, rng)
        for alpha in alphas:
            ridge = Ridge(alpha, fit_intercept=fit_intercept).fit(X, codes[y])
            w = np.atleast_2d(ridge.coef_)
            mean = mixture.means @ w.T + ridge.intercept_
            covariance = w @ mixture.covariances @ w.T
            if covariance.ndim == 2:
                covariance = np.tile(covariance, (n_classes, 1, 1))
            errors.append(mixture.priors @ wrong_code_probability(mean, covariance, codes))
    runs = np.reshape(errors, (REPEATS, alphas.size))
    mean, error = runs.mean(axis=0), runs.std(axis=0) / np.sqrt(REPEATS)
    found = mixture.error_rate(n, alphas, fit_intercept=fit_intercept)
    assert np.all(np.abs(found - mean) < 4 * error + 0.03 * mean), found / mean
