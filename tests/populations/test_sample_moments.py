"""The plug-in population against moments of repeated rows and a slow deterministic equivalent."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.sparse import csr_array
from sklearn.utils import get_tags

from sk_deepfeat.populations import PlugInPopulation, sample_moments
from sk_deepfeat.theory import ridge_factorization

RNG = np.random.default_rng(7)
ROWS, P = 90, 4
X = RNG.normal(size=(ROWS, P)) @ RNG.normal(size=(P, P)) + np.arange(P)
Y = X @ RNG.normal(size=(P, 3)) + RNG.normal(size=(ROWS, 3)) - 5.0
TIMES = RNG.integers(0, 4, size=ROWS)
TARGETS = {"one axis": Y[:, 0], "one column": Y[:, :1], "three": Y}
SIZES, ALPHA = np.array([[3.0], [40.0]]), np.array([0.3, 20.0])


def second_moments(X, y, centred):
    """Return the joint second moments of features and targets, or their joint covariance."""
    joint = np.column_stack([X, y])
    if centred:
        joint = joint - joint.mean(axis=0)
    moments = joint.T @ joint / len(joint)
    p = X.shape[1]
    return moments[:p, :p], moments[:p, p:], moments[p:, p:]


def slow_answer(X, y, n, alpha, fit_intercept):
    """Return kappa, df1, df2 and test errors of outputs, with no eigendecomposition."""
    omega, psi, rho = second_moments(X, y, fit_intercept)
    eye = np.eye(len(omega))
    rows = n - 1.0 if fit_intercept else n

    def df1(kappa):
        return np.trace(np.linalg.solve(omega + kappa * eye, omega))

    most = 10.0 * (alpha + np.trace(omega) + alpha / rows)
    kappa = brentq(lambda k: rows - df1(k) - alpha / k, 1e-9, most, xtol=1e-14, rtol=1e-13)
    shrunk = np.linalg.solve(omega + kappa * eye, omega)
    df2 = np.trace(shrunk @ shrunk)
    missed = np.linalg.solve(omega, psi) - np.linalg.solve(omega + kappa * eye, psi)
    error = missed.T @ omega @ missed + rho - psi.T @ np.linalg.solve(omega, psi)
    growth = (1.0 + 1.0 / n if fit_intercept else 1.0) / (1.0 - df2 / rows)
    return kappa, df1(kappa), df2, np.diagonal(error) * growth


def repeated(y):
    return np.repeat(X, TIMES, axis=0), np.repeat(y, TIMES, axis=0)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 250.0])
@pytest.mark.parametrize("kind", TARGETS)
def test_weighted_moments_are_those_of_repeated_rows(kind, scale):
    y = TARGETS[kind]
    fitted = PlugInPopulation().fit(X, y, scale * TIMES)
    rows, targets = repeated(y)
    omega, psi, rho = second_moments(rows, targets, centred=True)
    np.testing.assert_allclose(fitted.feature_mean_, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(fitted.target_mean_, targets.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(fitted.feature_covariance_, omega, rtol=1e-10)
    expected = psi[:, 0] if y.ndim == 1 else psi
    assert fitted.cross_covariance_.shape == expected.shape
    np.testing.assert_allclose(fitted.cross_covariance_, expected, rtol=1e-10)
    assert np.shape(fitted.target_covariance_) == (() if y.ndim == 1 else rho.shape)
    np.testing.assert_allclose(
        fitted.target_covariance_, rho[0, 0] if y.ndim == 1 else rho, rtol=1e-10
    )
    np.testing.assert_allclose(fitted.target_variance_.variance, np.diagonal(rho), rtol=1e-10)
    assert not np.any(fitted.target_variance_.log_variance)
    assert fitted.n_samples_ == np.count_nonzero(TIMES)


@pytest.mark.parametrize("fitted_with", [True, False])
@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("kind", TARGETS)
def test_weighted_answers_are_those_of_repeated_rows(kind, asked, fitted_with):
    y = TARGETS[kind]
    fitted = PlugInPopulation().fit(X, y, 2.5 * TIMES, fit_intercept=fitted_with)
    assert fitted.fit_intercept_ is fitted_with
    errors = fitted.test_error(SIZES, ALPHA, fit_intercept=asked)
    kappas = fitted.kappa(SIZES, ALPHA, fit_intercept=asked)
    assert errors.shape == (2, 2, *y.shape[1:])
    for i, j in np.ndindex(2, 2):
        n, alpha = SIZES[i, 0], ALPHA[j]
        kappa, df1, df2, error = slow_answer(*repeated(y), n, alpha, asked)
        np.testing.assert_allclose(errors[i, j], error[0] if y.ndim == 1 else error, rtol=1e-8)
        assert kappas[i, j] == pytest.approx(kappa, rel=1e-9)
        found = fitted.degrees_of_freedom(kappa, fit_intercept=asked)
        np.testing.assert_allclose(found, (df1, df2), rtol=1e-9)
    rows, targets = repeated(y)
    values = np.linalg.eigvalsh(second_moments(rows, targets, asked)[0])[::-1]
    np.testing.assert_allclose(fitted.eigenvalues(fit_intercept=asked), values, rtol=1e-9)
    # What is meant where a question does not say.
    np.testing.assert_array_equal(
        fitted.test_error(SIZES, ALPHA),
        fitted.test_error(SIZES, ALPHA, fit_intercept=fitted_with),
    )


def test_an_intercept_is_fitted_unless_told_otherwise():
    fitted = PlugInPopulation().fit(X, Y)
    np.testing.assert_array_equal(
        fitted.test_error(SIZES, ALPHA), fitted.test_error(SIZES, ALPHA, fit_intercept=True)
    )


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_rows_are_factorised_as_they_will_be_asked(monkeypatch, fit_intercept):
    """An answer of the factorisation itself needs no second one, of the moments."""
    fitted = PlugInPopulation().fit(X, Y, TIMES, fit_intercept=fit_intercept)
    monkeypatch.setattr(np.linalg, "eigh", None)
    assert np.all(fitted.test_error(SIZES, ALPHA) > 0.0)


def test_a_factorisation_is_taken_as_it_is(monkeypatch):
    path = ridge_factorization(X, Y, TIMES, fit_intercept=True)
    expected = PlugInPopulation().fit(X, Y, TIMES).test_error(SIZES, ALPHA)
    monkeypatch.setattr(sample_moments, "ridge_factorization", None)
    fitted = PlugInPopulation().fit(X, Y, TIMES, path=path)
    np.testing.assert_allclose(fitted.test_error(SIZES, ALPHA), expected, rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_directions_of_rounding_are_none(unit):
    """Copies of one column are that column, longer; asked as the fit did not factorise."""
    column = unit * (X[:, :1] + 3.0)
    lengths = np.array([1.0, -1 / 3, 0.7, 0.1])
    of_copies = PlugInPopulation().fit(column * lengths, Y)
    alone = PlugInPopulation().fit(column * np.linalg.norm(lengths), Y)
    asked = {"alpha": ALPHA * unit**2, "fit_intercept": False}
    assert of_copies.eigenvalues(fit_intercept=False).size == 1
    for question in ("test_error", "kappa"):
        np.testing.assert_allclose(
            getattr(of_copies, question)(SIZES, **asked),
            getattr(alone, question)(SIZES, **asked),
            rtol=1e-9,
        )


def test_sparse_rows_are_as_dense_ones():
    assert get_tags(PlugInPopulation()).input_tags.sparse
    thin = np.where(np.abs(X) > 1.0, X, 0.0)
    fitted = [PlugInPopulation().fit(rows, Y, TIMES) for rows in (thin, csr_array(thin))]
    for name in ("feature_mean_", "feature_covariance_", "cross_covariance_"):
        np.testing.assert_allclose(*(getattr(one, name) for one in fitted), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(*(one.test_error(SIZES, ALPHA) for one in fitted), rtol=1e-9)


def test_sparse_rows_of_too_many_columns_are_refused(monkeypatch):
    monkeypatch.setattr(sample_moments, "MOST_FACTORISED", P)
    PlugInPopulation().fit(csr_array(X), Y)
    monkeypatch.setattr(sample_moments, "MOST_FACTORISED", P - 1)
    with pytest.raises(ValueError, match=r"of which there may be 3; population='leave-one-out'"):
        PlugInPopulation().fit(csr_array(X), Y)
    PlugInPopulation().fit(X, Y)
