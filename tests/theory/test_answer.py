import pickle

import numpy as np

from sk_deepfeat.theory import ErrorAnswer


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


def test_cells_take_another_shape():
    parts = tuple(np.full((6, 2), value) for value in range(4))
    found = record()._replace(parts=parts).reshape((2, 3))
    assert found.error.shape == (2, 3, 2) and found.reachable.shape == found.kappa.shape == (2, 3)
    assert found.parts[1].shape == (2, 3, 2)
    assert found.log_variance is None and found.degrees == 1
    assert pickle.loads(pickle.dumps(found)).degrees == 1
