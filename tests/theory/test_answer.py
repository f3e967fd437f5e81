import pickle

import numpy as np
import pytest

from sk_deepfeat.theory import ErrorAnswer
from sk_deepfeat.theory.one_sample.jackknife import jackknife_variance, standardized_deviations


def record(cells=6, outputs=2):
    error = np.arange(1.0, 1.0 + cells * outputs).reshape(cells, outputs)
    return ErrorAnswer(error, error[:, 0] > 2, error[:, 0], 0.5 * error, 0.25 * error)


def test_an_answer_without_parts_tells_their_sums():
    found = record().decomposition()
    np.testing.assert_allclose(found.bias_and_noise + found.total_variance, record().error)
    assert all(np.isnan(part).all() for part in found)
    assert record()._replace(bias_and_noise=None).decomposition() is None


def test_an_answer_with_parts_tells_them():
    parts = tuple(np.full((6, 2), value) for value in (0.1, 0.2, 0.3, 0.4))
    found = record()._replace(parts=parts, bias_and_noise=parts[0] + parts[3]).decomposition()
    assert [part[0, 0] for part in found] == [0.1, 0.2, 0.3, 0.4]
    np.testing.assert_allclose(found.total_variance, 0.5)


def test_an_interval_is_that_of_student():
    """Twice the half-width in log R is what t tables give: 1.729 standard errors for 19 degrees."""
    found = record()._replace(log_variance=np.full((6, 2), 0.04), degrees=19)
    lower, upper = found.interval(0.9)
    np.testing.assert_allclose(np.log(upper / found.error), 1.7291 * 0.2, rtol=1e-4)
    np.testing.assert_allclose(lower * upper, found.error**2)
    assert record().interval(0.9) is None


def test_what_is_exact_or_infinite_has_an_interval_of_no_width():
    error = np.array([[0.0, np.inf]])
    found = ErrorAnswer(error, np.array([True]), np.ones(1), log_variance=np.ones((1, 2)))
    for end in found.interval(0.5):
        np.testing.assert_array_equal(end, error)


def jackknifed(rng, t=4, blocks=20, cells=3, shared=0.5):
    """Replicates of log errors of t outputs that move together in part."""
    common, own = rng.normal(size=(blocks, cells, 1)), rng.normal(size=(blocks, cells, t))
    return 0.01 * (np.sqrt(shared) * common + np.sqrt(1.0 - shared) * own)


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_an_average_has_the_interval_of_its_own_replicates(shared):
    """The slow way: average the errors of every replicate, and jackknife their logarithms."""
    rng = np.random.default_rng(0)
    varied = jackknifed(rng, shared=shared)
    error, weights = np.exp(rng.normal(size=(3, 4))), np.array([0.1, 0.2, 0.3, 0.4])
    found = ErrorAnswer(
        error,
        np.ones(3, bool),
        np.ones(3),
        log_variance=jackknife_variance(varied),
        degrees=19,
        deviations=standardized_deviations(varied),
    )
    lower, upper = found.average_interval(0.9, weights)
    averages = np.log((error * np.exp(varied)) @ weights)
    expected = 1.7291 * np.sqrt(jackknife_variance(averages))
    np.testing.assert_allclose(0.5 * np.log(upper / lower), expected, rtol=0.02)
    np.testing.assert_allclose(np.sqrt(lower * upper), error @ weights)


def test_what_is_common_to_outputs_does_not_average_down():
    rng = np.random.default_rng(0)
    varied = jackknifed(rng, t=25, shared=0.0)
    weights, variance = np.full(25, 0.04), jackknife_variance(varied)
    found = ErrorAnswer(
        np.ones((3, 25)), np.ones(3, bool), np.ones(3), log_variance=variance, degrees=19
    )

    def width(answer):
        lower, upper = answer.average_interval(0.9, weights)
        return np.log(upper / lower)

    apart = found._replace(deviations=standardized_deviations(varied))
    assert np.all(width(apart) < 0.4 * width(found)), "nothing known: outputs are wrong together"
    together = apart._replace(common_variance=variance)
    np.testing.assert_allclose(width(together), width(found))
    some = np.where(np.arange(25) < 5, np.nan, apart.deviations)
    assert np.all(width(apart._replace(deviations=some)) > width(apart))
    assert np.all(np.isinf(width(apart._replace(log_variance=np.full((3, 25), np.inf)))))
    assert record().average_interval(0.9, np.array([0.5, 0.5])) is None


def test_a_record_scaled_is_nothing_where_the_share_is_unknown():
    parts = tuple(np.full((6, 2), value) for value in (0.1, 0.2, 0.3, 0.4))
    found = record()._replace(parts=parts, log_variance=np.full((6, 2), 0.04))
    share = np.array([1.0, 0.5, np.nan, 1.0, 1.0, 1.0])
    scaled = found.scaled(share)
    np.testing.assert_allclose(scaled.error, found.error * share[:, None])
    np.testing.assert_allclose(scaled.parts[3], parts[3] * share[:, None])
    for values in (scaled.train_error, scaled.bias_and_noise, scaled.log_variance, scaled.kappa):
        assert np.isnan(values[2]).all() and not np.isnan(values[[0, 1, 3]]).any()
    assert not scaled.reachable[2] and scaled.reachable[3]
    assert scaled.log_variance[1, 0] == 0.04


def test_cells_take_another_shape():
    parts = tuple(np.full((6, 2), value) for value in range(4))
    deviations = np.zeros((20, 6, 2))
    found = record()._replace(parts=parts, deviations=deviations).reshape((2, 3))
    assert found.deviations.shape == (20, 2, 3, 2)
    assert found.error.shape == (2, 3, 2) and found.reachable.shape == found.kappa.shape == (2, 3)
    assert found.parts[1].shape == (2, 3, 2)
    assert found.log_variance is None and found.degrees == 1
    assert pickle.loads(pickle.dumps(found)).degrees == 1
