"""The effective regularisation solves its equation, at whatever a fitted ridge is asked."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from training_draws import trainings, uncalibrated

pytestmark = pytest.mark.random_examples

of_moments = trainings(populations=st.just("plug-in"))
of_one_sample = trainings(populations=st.sampled_from(["gcv", uncalibrated("leave-one-out")]))
ratios = st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=4)


def asked(training, size, powers):
    scale = float(np.square(training.X).sum() / training.n)
    return max(3.0, np.round(size * training.n)), scale * 10.0 ** np.asarray(powers)


@hypothesis.given(training=of_moments, size=st.floats(0.1, 20.0), powers=ratios)
def test_kappa_of_moments_solves_the_equation(training, size, powers):
    ridge = training.fit()
    n, alphas = asked(training, size, powers)
    kappa = ridge.predict_kappa(n, alphas)[:, None]
    omega = ridge.eigenvalues_
    df1, df2 = ridge.degrees_of_freedom(kappa[:, 0])
    np.testing.assert_allclose(df1, (omega / (omega + kappa)).sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(df2, np.square(omega / (omega + kappa)).sum(axis=1), rtol=1e-10)
    rows = n - 1.0 if training.fit_intercept else n
    # α/κ = n - df1(κ), as κ n = α + κ df1, in which nothing cancels.
    np.testing.assert_allclose(rows * kappa[:, 0], alphas + kappa[:, 0] * df1, rtol=1e-10)


@hypothesis.given(training=of_one_sample, powers=ratios)
def test_degrees_of_freedom_at_all_rows_are_those_of_ridge_on_them(training, powers):
    ridge = training.fit()
    _, alphas = asked(training, 1.0, powers)
    lam = training.n * ridge.eigenvalues_
    expected = (lam / (lam + alphas[:, None])).sum(axis=1)
    kappa = ridge.predict_kappa(training.n, alphas)
    df1, df2 = ridge.degrees_of_freedom(kappa)
    # The curve is tabulated in steps of an eighth, and in between interpolated.
    np.testing.assert_allclose(df1, expected, rtol=5e-3)
    assert np.all(df2 <= df1 * (1.0 + 1e-6))


@hypothesis.given(training=trainings(populations=st.just("gcv")), powers=ratios)
def test_kappa_of_homogeneous_rows_solves_the_equation(training, powers):
    ridge = training.fit()
    n, alphas = asked(training, 1.0, powers)
    rows = n - 1.0 if training.fit_intercept else n
    kappa = ridge.predict_kappa(n, alphas)
    df1, _ = ridge.degrees_of_freedom(kappa)
    np.testing.assert_allclose(rows * kappa, alphas + kappa * df1, rtol=1e-4)


@hypothesis.given(training=trainings(populations=st.just("plug-in")), power=st.floats(-12.0, 12.0))
def test_alpha_beyond_all_eigenvalues_is_kappa_times_n(training, power):
    ridge = training.fit()
    alpha = 10.0 ** (power + 12.0) * training.n * ridge.eigenvalues_.sum()
    rows = training.n - 1.0 if training.fit_intercept else training.n
    expected = alpha / rows + ridge.eigenvalues_.sum() / rows
    # What df1 lacks of Σλ/κ is less than Σλ²/κ², and κ is above α/n.
    left = 10.0 ** (-2.0 * (power + 12.0))
    found = ridge.predict_kappa(training.n, alpha)
    np.testing.assert_allclose(found, expected, rtol=1e-10 + left)
