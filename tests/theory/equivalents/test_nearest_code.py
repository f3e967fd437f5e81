import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from sk_deepfeat.theory.equivalents.nearest_code import wrong_code_probability


def test_two_classes_are_a_normal_tail():
    codes = np.array([[-1.0], [1.0]])
    found = wrong_code_probability(codes * 2.0, np.array([[[0.04]], [[0.25]]]), codes)
    np.testing.assert_allclose(found, ndtr([-10.0, -4.0]), rtol=1e-12)


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("scale", [0.2, 1.0, 2.0])
def test_many_classes_against_the_normal_orthant(size, scale):
    rng = np.random.default_rng(size)
    mean = np.eye(size) + 0.1 * rng.normal(size=(size, size))
    roots = 0.5 * scale * rng.normal(size=(size, size, size)) / np.sqrt(size)
    covariance = roots @ roots.transpose(0, 2, 1)
    found = wrong_code_probability(mean, covariance, np.eye(size))
    for c in range(size):
        apart = np.delete(np.eye(size), c, axis=0) - np.eye(size)[c]
        law = multivariate_normal(apart @ mean[c], apart @ covariance[c] @ apart.T)
        law.random_state = np.random.default_rng(0)
        law.maxpts, law.abseps, law.releps = 100_000, 1e-5, 1e-5
        assert found[c] == pytest.approx(1 - law.cdf(np.zeros(size - 1)), rel=6e-3, abs=1e-4)


def test_scores_that_sum_to_one():
    """Their covariance is singular, as that of one-hot codes with an intercept."""
    rng = np.random.default_rng(0)
    centring = np.eye(4) - 0.25
    roots = centring @ rng.normal(size=(4, 4, 4)) * 0.3
    covariance = roots @ roots.transpose(0, 2, 1)
    noise = np.einsum("cij,nj->nci", roots, rng.normal(size=(200_000, 4)))
    wrong = np.mean(np.argmax(np.eye(4) + noise, axis=2) != np.arange(4), axis=0)
    found = wrong_code_probability(np.eye(4), covariance, np.eye(4))
    np.testing.assert_allclose(found, wrong, atol=4e-3)


def test_scores_without_spread():
    codes, none = np.eye(3), np.zeros((3, 3, 3))
    np.testing.assert_array_equal(wrong_code_probability(np.eye(3), none, codes), 0.0)
    np.testing.assert_array_equal(wrong_code_probability(1 - np.eye(3), none, codes), 1.0)
    tie = wrong_code_probability(np.zeros((2, 1)), np.zeros((2, 1, 1)), np.array([[-1.0], [1.0]]))
    np.testing.assert_array_equal(tie, 0.5)
    # one rival is certain to lose, the other moves
    mean, covariance = np.array([[1.0, 0.0, 0.5]] * 3), np.zeros((3, 3, 3))
    covariance[:, 2, 2] = 0.25
    found = wrong_code_probability(mean, covariance, codes)[0]
    assert found == pytest.approx(ndtr(-1.0), rel=1e-6)
