"""Units of X and y: everything that is predicted goes with them, and with nothing else."""

import hypothesis
import pytest
from hypothesis import strategies as st
from training_draws import answers, assert_same, trainings

pytestmark = pytest.mark.random_examples


@hypothesis.given(training=trainings(), power=st.floats(-6.0, 6.0))
def test_features_in_other_units_change_alpha_alone(training, power):
    factor = 10.0**power
    n, alpha, n_rows = cells = training.cells()
    before = answers(training.fit(), cells)
    ridge = training.fit(X=factor * training.X, alpha=factor**2 * training.alpha)
    after = answers(ridge, (n, factor**2 * alpha, n_rows))
    assert_same(after, before, of_X=factor, rtol=1e-8, atol=1e-10)


@hypothesis.given(training=trainings(), power=st.floats(-150.0, 150.0))
def test_targets_in_other_units_change_errors_alone(training, power):
    factor = 10.0**power
    before = answers(training.fit(), training.cells())
    after = answers(training.fit(y=factor * training.y), training.cells())
    assert_same(after, before, of_y=factor, rtol=1e-8, atol=1e-10)
