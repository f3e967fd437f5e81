"""Records in other units, and averages over outputs, entry by entry."""

import numpy as np
import pytest
from scipy.special import stdtrit

from sk_deepfeat.theory import ErrorAnswer, TargetVariance

ERROR = np.array([[[1.0, 4.0]], [[9.0, 0.25]], [[0.0, np.inf]]])
FACTOR = np.array([4.0, 0.25])


def record(error=ERROR):
    return ErrorAnswer(
        error,
        np.ones(error.shape[:-1], bool),
        np.full(error.shape[:-1], 2.0),
        0.5 * error,
        0.25 * error,
        tuple(share * error for share in (0.1, 0.2, 0.3, 0.4)),
        1.5 * error,
        np.full(error.shape, 0.4),
        19,
        np.full(error.shape, 0.1),
    )


def test_a_record_per_output_has_all_its_errors_in_other_units():
    for root in (False, True):
        found = record().per_output(FACTOR, root=True) if root else record().per_output(FACTOR)

        def units(values, root=root):
            return np.sqrt(values * FACTOR) if root else values * FACTOR

        for name in ("error", "train_error", "bias_and_noise", "cautious_error"):
            np.testing.assert_array_equal(getattr(found, name), units(getattr(record(), name)))
        for part, given in zip(found.parts, record().parts, strict=True):
            np.testing.assert_array_equal(part, units(given))
        np.testing.assert_allclose(found.log_variance, 0.1 if root else 0.4)
        np.testing.assert_allclose(found.common_variance, 0.025 if root else 0.1)
    bare = ErrorAnswer(ERROR, np.ones((3, 1), bool), np.ones((3, 1))).per_output(FACTOR, root=True)
    assert bare.parts is None and bare.log_variance is None and bare.train_error is None


def test_a_record_scaled_has_its_caution_and_its_common_variance_scaled():
    found = record().scaled(np.array([[0.5], [np.nan], [1.0]]))
    np.testing.assert_array_equal(found.cautious_error[0], 0.75 * ERROR[0])
    assert np.isnan(found.cautious_error[1]).all() and np.isnan(found.common_variance[1]).all()
    np.testing.assert_array_equal(found.common_variance[0], 0.1)


def test_variances_in_other_units_and_of_all_outputs():
    variance = TargetVariance(np.array([1.0, 3.0]), np.array([0.04, 0.09]))
    scaled = variance.scaled(FACTOR)
    np.testing.assert_array_equal(scaled.variance, [4.0, 0.75])
    np.testing.assert_array_equal(scaled.log_variance, variance.log_variance)
    mean = variance.averaged()
    np.testing.assert_array_equal(mean.variance, [2.0, 2.0])
    np.testing.assert_allclose(mean.log_variance, (0.25 * 0.2 + 0.75 * 0.3) ** 2)
    nothing = TargetVariance(np.zeros(2), np.array([0.04, 0.09])).averaged()
    np.testing.assert_array_equal(nothing.log_variance, 0.0)
    small = TargetVariance(np.array([0.1, 0.3]), np.array([0.04, 0.09])).averaged()
    np.testing.assert_allclose(small.log_variance, mean.log_variance)


@pytest.mark.parametrize("weights", [[0.5, 0.5], [0.25, 0.75]])
def test_an_average_without_deviations_errs_together_within_each_part(weights):
    weights = np.array(weights)
    found = record(ERROR[:2])
    lower, upper = found.average_interval(0.9, weights)
    mean = ERROR[:2] @ weights
    # Equal variances of all outputs, own and common ones: shares add up to one in each.
    reach = stdtrit(19, 0.95) * np.sqrt(0.3 + 0.1)
    np.testing.assert_allclose(np.log(upper / mean), reach)
    np.testing.assert_allclose(np.log(mean / lower), reach)
    alone = record(ERROR[:2, :, :1]).average_interval(0.9, np.ones(1))
    np.testing.assert_array_equal(alone[0], record(ERROR[:2, :, :1]).interval(0.9)[0][..., 0])


def test_an_average_of_nothing_and_of_infinity():
    """Errors of zero, or infinite ones, have an interval of no width."""
    for error, end in (([[[0.0, 0.0]]], 0.0), ([[[np.inf, 1.0]]], np.inf)):
        lower, upper = record(np.array(error)).average_interval(0.9, np.array([0.5, 0.5]))
        assert lower.item() == upper.item() == end
