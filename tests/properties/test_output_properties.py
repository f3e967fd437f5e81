"""Several outputs are predicted together as each is alone."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from training_draws import POPULATIONS, answers, any_seed, assert_same, trainings, uncalibrated

pytestmark = pytest.mark.random_examples

TOGETHER = ("error", "lower", "upper", "train_error", "bias_and_noise", "total_variance", "noise")
OF_ALL = ("kappa", "kappa_", "df1", "df2", "eigenvalues_")

# What random subsets say of a failed theory is decided for all outputs together.
uncalibrated_ones = st.sampled_from([uncalibrated(name) for name in POPULATIONS])


@hypothesis.given(
    training=trainings(outputs=3, populations=uncalibrated_ones),
    powers=st.tuples(*[st.floats(-20.0, 20.0)] * 3),
)
def test_outputs_together_are_each_alone(training, powers):
    y, cells = training.y * 10.0 ** np.array(powers), training.cells()
    ridge = training.fit(y=y)
    together = answers(ridge, cells)
    reachable = np.ones_like(together["reachable"])
    for k in range(3):
        of_one = training.fit(y=y[:, k])
        alone = answers(of_one, cells)
        reachable &= alone["reachable"]
        for name in TOGETHER:
            if name in together:
                expected = alone[name][..., 0]
                np.testing.assert_allclose(
                    *(together[name][..., k], expected),
                    rtol=1e-8,
                    atol=1e-10 * of_one.test_error_ if name == "noise" else 0.0,
                    err_msg=name,
                )
        for name in OF_ALL:
            if name in together:
                np.testing.assert_allclose(together[name], alone[name], rtol=1e-8, err_msg=name)
        size = np.abs(of_one.coef_).max()
        np.testing.assert_allclose(ridge.coef_[k], of_one.coef_, rtol=1e-8, atol=1e-10 * size)
    assert np.array_equal(together["reachable"], reachable)


@hypothesis.given(training=trainings(outputs=2, populations=uncalibrated_ones), seed=any_seed)
def test_averages_are_those_of_the_outputs(training, seed):
    ridge = training.fit()
    n, alpha, _ = training.cells()
    weights = np.random.default_rng(seed).random(2)
    raw = ridge.predict_test_error(n[:, None], alpha, multioutput="raw_values")
    mean = ridge.predict_test_error(n[:, None], alpha)
    weighted = ridge.predict_test_error(n[:, None], alpha, multioutput=weights)
    np.testing.assert_allclose(mean, raw.mean(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(weighted, raw @ weights / weights.sum(), rtol=1e-12)
    np.testing.assert_allclose(ridge.train_error_, training_errors(ridge, training).mean())


def training_errors(ridge, training):
    return np.square(training.y - ridge.predict(training.X)).mean(axis=0)


@hypothesis.given(training=trainings(populations=uncalibrated_ones), outputs=st.integers(2, 8))
def test_equal_outputs_are_one_output(training, outputs):
    cells = training.cells()
    one = answers(training.fit(), cells)
    many = answers(training.fit(y=np.tile(training.y[:, None], outputs)), cells)
    for name in {*TOGETHER, "coef_", "intercept_"} & set(many):
        axis = 0 if name in ("coef_", "intercept_") else -1
        if many[name].ndim:
            each = np.moveaxis(many[name], axis, 0)
            np.testing.assert_allclose(each, np.broadcast_to(each[0], each.shape), rtol=1e-8)
            many[name] = np.moveaxis(each[:1], 0, axis).reshape(one[name].shape)
    assert_same(many, one, rtol=1e-8, atol=1e-9)


@hypothesis.given(
    training=trainings(populations=st.just(uncalibrated("leave-one-out"))),
    outputs=st.integers(9, 30),
)
def test_many_equal_outputs_are_nearly_one_output(training, outputs):
    # Products of more than eight are in single precision where that serves, and blocks of their
    # jackknife have fewer classes of rows: the widths of intervals differ by up to a few per cent.
    n = np.array([2.0, max(2, training.n // 3), training.n])[:, None]
    alpha = training.cells()[1]
    asked = {"multioutput": "raw_values", "return_interval": True}
    one, many = (
        training.fit(y=y).predict_test_error(n, alpha, **asked)
        for y in (training.y, np.tile(training.y[:, None], outputs))
    )
    for k in (0, outputs - 1):
        np.testing.assert_allclose(many[0][..., k], one[0][..., 0], rtol=1e-3)
        for end in (1, 2):
            width = np.log(one[end] / one[0])[..., 0]
            np.testing.assert_allclose(np.log(many[end] / many[0])[..., k], width, rtol=0.1)
