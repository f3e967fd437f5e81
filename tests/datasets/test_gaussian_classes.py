import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier

from sk_deepfeat.datasets import GaussianClasses, make_gaussian_classes
from sk_deepfeat.theory import gaussian_mixture_risk

MEANS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
COVARIANCES = np.stack([np.eye(3), np.diag([1.0, 2.0, 0.0]), np.eye(3) + 0.5])
PRIORS = [0.2, 0.5, 0.3]


def test_rows_have_the_law_of_their_class():
    X, y, mixture = make_gaussian_classes(
        60_000, MEANS, COVARIANCES, PRIORS, labels=["a", "b", "c"], random_state=0
    )
    assert X.shape == (60_000, 3) and mixture.labels.tolist() == ["a", "b", "c"]
    for label, mean, covariance, prior in zip("abc", MEANS, COVARIANCES, PRIORS, strict=True):
        rows = X[y == label]
        assert len(rows) / len(X) == pytest.approx(prior, abs=0.01)
        np.testing.assert_allclose(rows.mean(axis=0), mean, atol=0.06)
        np.testing.assert_allclose(np.cov(rows.T), covariance, atol=0.06)


@pytest.mark.parametrize("covariances", [2.0, [1.0, 2.0, 3.0], np.eye(3) + 0.5])
def test_a_covariance_in_common(covariances):
    X, y, mixture = make_gaussian_classes(30_000, MEANS, covariances, random_state=0)
    expected = covariances if np.ndim(covariances) == 2 else np.eye(3) * covariances
    np.testing.assert_allclose(np.cov((X - MEANS[y]).T), expected, atol=0.06)
    assert mixture.error_rate(100, 1.0) < 0.7


def test_answers_are_those_of_the_theory():
    _, _, mixture = make_gaussian_classes(9, MEANS, COVARIANCES, PRIORS)
    n, alpha = np.array([[10], [100]]), [1.0, 10.0]
    risk = gaussian_mixture_risk(MEANS, COVARIANCES, PRIORS, n, alpha, fit_intercept=False)
    np.testing.assert_array_equal(mixture.error_rate(n, alpha, fit_intercept=False), risk[0])
    np.testing.assert_array_equal(mixture.class_errors(n, alpha, fit_intercept=False), risk[1])
    np.testing.assert_array_equal(mixture.squared_error(n, alpha, fit_intercept=False), risk[2])
    stratified = gaussian_mixture_risk(MEANS, COVARIANCES, PRIORS, n, alpha, stratified=True)
    for left, right in zip(mixture.risk(n, alpha, stratified=True), stratified, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_predicts_fitted_classifiers(n_classes):
    """120 training sets of 80 rows, all of them measured on the same 100,000 others."""
    _, _, mixture = make_gaussian_classes(
        1, n_classes=n_classes, n_features=40, class_sep=2.0, random_state=0
    )
    X_test, y_test = mixture.sample(100_000, random_state=1)
    rows = np.random.RandomState(2)
    errors = [
        1 - RidgeClassifier(alpha=20.0).fit(*mixture.sample(80, rows)).score(X_test, y_test)
        for _ in range(120)
    ]
    assert mixture.error_rate(80, 20.0) == pytest.approx(np.mean(errors), rel=0.07)


def test_defaults_are_of_the_given_size():
    X, y, mixture = make_gaussian_classes(random_state=0)
    assert X.shape == (100, 20) and set(y.tolist()) == {0, 1}
    assert repr(mixture) == "<GaussianClasses: 2 classes, 20 features>"
    _, _, many = make_gaussian_classes(n_features=5000, n_classes=3, class_sep=1.5, random_state=0)
    apart = np.linalg.norm(many.means[:, None] - many.means, axis=-1)
    np.testing.assert_allclose(apart[np.triu_indices(3, 1)], 3.0, rtol=0.05)


def test_seeds():
    first, again, other = (make_gaussian_classes(random_state=seed)[:2] for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    mixture = GaussianClasses(MEANS)
    np.testing.assert_array_equal(mixture.sample(5, 3)[0], mixture.sample(5, 3)[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_gaussian_classes(0), "n_samples=0 must be a positive integer"),
        (lambda: make_gaussian_classes(n_features=2.5), r"n_features=2\.5 must be"),
        (lambda: make_gaussian_classes(n_classes=1), "n_classes=1 must be at least 2"),
        (lambda: make_gaussian_classes(class_sep=-1.0), r"class_sep=-1\.0 must be finite"),
        (lambda: make_gaussian_classes(5, MEANS, np.eye(2)), "covariances must be a number or"),
        (lambda: make_gaussian_classes(5, MEANS, labels=[0, 1]), "labels must be 3 different"),
        (lambda: make_gaussian_classes(5, MEANS, labels=[0, 1, 1]), "labels must be 3 different"),
        (lambda: GaussianClasses(MEANS).sample(-1), "n_samples=-1 must be a positive integer"),
        (lambda: GaussianClasses(MEANS).error_rate(0, 1.0), "n_samples must be finite and at"),
        (lambda: GaussianClasses(MEANS).error_rate(5, -1.0), "alpha must be finite and not"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("scale", [1e-150, 1e-8, 1e8, 1e150])
def test_units_of_length(scale):
    means = np.array([[0.0, 1.0], [3.0, 0.0]])
    usual = GaussianClasses(means, [1.0, 2.0], [0.1, 0.9])
    other = GaussianClasses(means * scale, np.array([1.0, 2.0]) * scale**2, [0.1, 0.9])
    np.testing.assert_allclose(
        other.error_rate([5, 50], scale**2), usual.error_rate([5, 50], 1.0), rtol=1e-9
    )


def test_the_largest_covariance():
    errors = GaussianClasses([[0.0], [3.0]], 1e308, [0.1, 0.9]).error_rate([5, 50], 1.0)
    assert np.all((errors >= 0) & (errors <= 1))
