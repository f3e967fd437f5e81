import numpy as np
from scipy.optimize import nnls

from sk_deepfeat.theory.one_sample.power_law import fit_power_law

SIZES = np.array([10.0, 20.0, 40.0, 80.0, 160.0])


def test_recovers_exact_laws():
    exact = np.stack([0.3 + 2.0 * SIZES**-0.5, 0.7 * SIZES**-1.0, np.full(5, 4.0)])
    law = fit_power_law(SIZES, exact, np.ones((3, 5)))
    for n in (5.0, 1e6):
        expected = [0.3 + 2.0 * n**-0.5, 0.7 / n, 4.0]
        np.testing.assert_allclose(law.at(n), expected, rtol=1e-6)


def test_agrees_with_nonnegative_least_squares():
    """Each exponent of the grid by scipy; noisy curves, some of which rise."""
    rng = np.random.default_rng(0)
    errors = np.exp(rng.normal(size=(50, 5)))
    weights = rng.uniform(0.5, 2.0, size=(50, 5))
    law = fit_power_law(SIZES, errors, weights)
    for k in range(50):
        best = (np.inf, np.nan)
        for c in np.linspace(0.05, 2.0, 40):
            columns = np.stack([np.ones(5), SIZES**-c], axis=1) * (weights[k] / errors[k])[:, None]
            (a, b), residual = nnls(columns, weights[k])
            best = min(best, (residual, a + b * 1000.0**-c))
        assert np.isclose(law.at(1000.0)[k], best[1], rtol=1e-6)


def test_many_curves_are_fitted_as_each_is():
    """In blocks; all points but one of no weight leave one column."""
    rng = np.random.default_rng(2)
    errors, weights = np.exp(rng.normal(size=(1000, 5))), rng.uniform(0.5, 2.0, size=(1000, 5))
    weights[500:510, 1:] = 0.0
    law = fit_power_law(SIZES, errors, weights)
    for k in (0, 399, 400, 505, 999):
        alone = fit_power_law(SIZES, errors[k : k + 1], weights[k : k + 1])
        np.testing.assert_allclose([part[k] for part in law], np.ravel(alone), rtol=1e-9)
    np.testing.assert_allclose(law.at(SIZES[0])[500:510], errors[500:510, 0])
    assert np.all(law.c[500:510] == 0.05), "the smallest of exponents that do equally well"
    assert all(part.shape == (0,) for part in fit_power_law(SIZES, errors[:0], weights[:0]))


def test_never_negative_nor_rising():
    rng = np.random.default_rng(1)
    law = fit_power_law(SIZES, np.exp(rng.normal(size=(200, 5))), np.ones((200, 5)))
    values = np.array([law.at(n) for n in np.geomspace(1, 1e9, 40)])
    assert np.all(values >= 0) and np.all(np.diff(values, axis=0) <= 1e-12)


def test_units_of_errors_and_of_weights_do_not_matter():
    rng = np.random.default_rng(3)
    errors, weights = np.exp(rng.normal(size=(50, 5))), rng.uniform(0.5, 2.0, size=(50, 5))
    law = fit_power_law(SIZES, errors, weights)
    for unit, of_weights in ((1e12, 1.0), (1e-12, 1e-3), (1.0, 1e6)):
        other = fit_power_law(SIZES, unit * errors, of_weights * weights)
        np.testing.assert_array_equal(other.c, law.c)
        np.testing.assert_allclose(other.at(3.0), unit * law.at(3.0), rtol=1e-9)
