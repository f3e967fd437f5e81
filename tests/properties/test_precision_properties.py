"""Numbers of other precision are the numbers they are near to."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from training_draws import POPULATIONS, answers, assert_same, trainings, uncalibrated

pytestmark = pytest.mark.random_examples


@hypothesis.given(training=trainings())
def test_single_precision_is_double_precision_of_the_same_numbers(training):
    X = training.X.astype(np.float32)
    cells = training.cells()
    single = answers(training.fit(X=X), cells)
    double = answers(training.fit(X=X.astype(np.float64)), cells)
    assert_same(single, double, rtol=1e-8, atol=1e-9)


@hypothesis.given(
    training=trainings(populations=st.sampled_from([*map(uncalibrated, POPULATIONS)]))
)
def test_rounding_features_to_single_precision_changes_little(training):
    n, alpha, n_rows = training.cells()
    cells = n, alpha[1:], n_rows
    scale = float(np.square(training.X).sum() / training.n)
    hypothesis.assume(training.alpha > 0.1 * scale)
    single = answers(training.fit(X=training.X.astype(np.float32)), cells)
    double = answers(training.fit(), cells)
    assert_same(single, double, rtol=1e-4, atol=1e-4, but=("eigenvalues_",))


@hypothesis.given(training=trainings(), values=st.sampled_from([np.int64, np.int8, bool]))
def test_whole_numbers_are_floats(training, values):
    X = np.clip(np.round(2.0 * training.X), -100, 100).astype(values)
    cells = training.cells()
    whole = answers(training.fit(X=X), cells)
    floats = answers(training.fit(X=X.astype(np.float64)), cells)
    assert_same(whole, floats, rtol=1e-12)
