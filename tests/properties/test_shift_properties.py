"""With an intercept, where the origin of X and of y lies changes nothing.

The numbers are multiples of 2⁻²², which a shift by up to 2³⁰ leaves exact: what remains is the
rounding of means, of 2⁻²³ at most, by less than 2e-7 of features and targets of size one. Of the
centred rows it makes rows off centre by as much: residuals and leverages h move by that in the
first order, and errors of left-out rows, residuals over 1 - h, by that over the least 1 - h; ends
of intervals by a few dozen times as much.
"""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from training_draws import answers, assert_same, trainings

pytestmark = pytest.mark.random_examples

STEP = 2.0**-22
shifts = st.one_of(st.just(0.0), st.floats(-1e9, 1e9), st.just(1e9))
centred = trainings(rows=st.integers(12, 60), intercepts=st.just(True))


def on_grid(values):
    return STEP * np.round(np.asarray(values) / STEP)


def least_remainder(X, alpha):
    """Return the least 1 - h of rows that ridge at an alpha and an intercept leave."""
    F = X - X.mean(axis=0)
    gram = F.T @ F + alpha * np.eye(F.shape[1])
    return 1.0 - 1.0 / len(F) - np.einsum("ij,ij->i", F, np.linalg.solve(gram, F.T).T).max()


@hypothesis.given(training=centred, of_X=shifts, of_y=shifts)
def test_shifted_features_and_targets_are_the_same(training, of_X, of_y):
    X, y = on_grid(training.X), on_grid(training.y)
    n, alpha, n_rows = training.cells()
    cells = n, alpha[1:], n_rows
    remainder = least_remainder(X, min(training.alpha, alpha[1]))
    hypothesis.assume(remainder > 1e-3)
    tolerance = 1e-5 / remainder
    one = training.fit(X=X, y=y)
    other = training.fit(X=X + np.round(of_X), y=y + np.round(of_y))
    # The intercept is that of another origin; the coefficients times a shift are rounded, too.
    assert_same(
        answers(other, cells),
        answers(one, cells),
        rtol=tolerance,
        atol=tolerance,
        but={"intercept_"},
    )
    found, expected = other.predict(X + np.round(of_X)) - np.round(of_y), one.predict(X)
    # The prediction is a difference of numbers of the size of the shift.
    magnitude = abs(of_y) + abs(of_X) * np.abs(one.coef_).sum() + 1.0
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-14 * magnitude)
