import numpy as np
import pytest
from scipy.special import ndtr

from sk_deepfeat.theory import gaussian_mixture_risk, ridge_risk
from sk_deepfeat.theory.equivalents.gaussian_mixture import binomial_rule, class_counts
from sk_deepfeat.theory.equivalents.mixture_scores import mixture_basis, mixture_scores

P = 30
rng = np.random.default_rng(0)
MEANS = 0.4 * rng.normal(size=(3, P))
ROOTS = rng.normal(size=(3, P, P)) / np.sqrt(P) * np.array([0.7, 1.0, 1.4])[:, None, None]
COVARIANCES = ROOTS @ ROOTS.transpose(0, 2, 1)
PRIORS = np.array([0.5, 0.3, 0.2])
TWO = MEANS[:2], COVARIANCES[:2], np.array([0.7, 0.3])
THREE = MEANS, COVARIANCES, PRIORS


def same(left, right, rtol=1e-8):
    """Points that an average over 4096 of them counts or not may change with rounding."""
    counted = left.class_errors.shape[-1] > 2
    for name, a, b in zip(left._fields, left, right, strict=True):
        tolerance = max(rtol, 1e-3) if counted and name in ("error_rate", "class_errors") else rtol
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-10, err_msg=name)


def refits(mixture, n, alpha, fit_intercept, stratified, repeats, seed=0):
    """Score means and variances of each class and binary error rates, one row a training set."""
    means, covariances, priors = mixture
    draws, kinds = np.random.default_rng(seed), np.arange(2)
    found = []
    for _ in range(repeats):
        if stratified:
            labels = np.repeat(kinds, np.round(n * priors).astype(int))
        else:
            labels = draws.choice(2, size=n, p=priors)
        X = means[labels] + np.einsum("nij,nj->ni", ROOTS[labels], draws.normal(size=(n, P)))
        y = 2.0 * labels - 1.0
        x_mean, y_mean = (X.mean(axis=0), y.mean()) if fit_intercept else (np.zeros(P), 0.0)
        centred = X - x_mean
        w = np.linalg.solve(centred.T @ centred + alpha * np.eye(P), centred.T @ (y - y_mean))
        score = (means - x_mean) @ w + y_mean
        variance = w @ covariances @ w
        margin = np.array([-1.0, 1.0]) * score
        with np.errstate(divide="ignore"):
            errors = ndtr(-margin / np.sqrt(variance))
        found.append([priors @ errors, *errors, *score, *variance])
    return np.array(found)


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize(("n", "alpha"), [(10, 3.0), (20, 30.0), (60, 3.0)])
def test_agrees_with_refits(n, alpha, fit_intercept, stratified):
    """Within four standard errors and, for the finite size, 6 % and a little for small ones."""
    runs = refits(TWO, n, alpha, fit_intercept, stratified, 1500)
    mean, error = runs.mean(axis=0), runs.std(axis=0) / np.sqrt(len(runs))
    options = {"fit_intercept": fit_intercept, "stratified": stratified}
    risk = gaussian_mixture_risk(*TWO, n, alpha, **options)
    variance = mean[5:] + runs[:, 3:5].var(axis=0)
    found = np.r_[risk.error_rate, risk.class_errors, risk.score_mean]
    room = 0.06 * np.abs(mean[:5]) + np.array([0.0, 0.005, 0.005, 0.02, 0.02])
    assert np.all(np.abs(found - mean[:5]) < 4 * error[:5] + room), found / mean[:5]
    np.testing.assert_allclose(risk.score_variance, variance, rtol=0.07)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize(("n", "alpha"), [(10, 3.0), (30, 30.0), (100, 3.0)])
def test_scatter_of_the_mean_scores_over_training_sets(n, alpha, fit_intercept):
    """The noise of means, intercept and resolvent; 15 % are four standard errors of a variance."""
    runs = refits(TWO, n, alpha, fit_intercept, True, 1500)
    basis, codes = mixture_basis(*TWO), np.array([[-1.0], [1.0]])
    found = mixture_scores(basis, codes, n * TWO[2], alpha, fit_intercept)
    np.testing.assert_allclose(found.scatter[:, 0, 0], runs[:, 3:5].var(axis=0), rtol=0.15)


def test_squared_error_is_that_of_the_scores():
    n, alpha = np.array([[10], [100]]), np.array([0.1, 1.0, 10.0])
    risk = gaussian_mixture_risk(*TWO, n, alpha)
    assert risk.error_rate.shape == (2, 3) and risk.score_mean.shape == (2, 3, 2)
    codes = np.array([-1.0, 1.0])
    expected = (risk.score_mean - codes) ** 2 + risk.score_variance
    np.testing.assert_allclose(risk.class_squared_errors, expected, rtol=1e-12)
    np.testing.assert_allclose(risk.squared_error, expected @ TWO[2], rtol=1e-12)
    np.testing.assert_allclose(risk.error_rate, risk.class_errors @ TWO[2], rtol=1e-12)
    several = gaussian_mixture_risk(*THREE, n, alpha)
    assert several.score_mean.shape == (2, 3, 3, 3)
    assert several.score_variance.shape == (2, 3, 3, 3, 3)
    spread = np.diagonal(several.score_variance, axis1=-2, axis2=-1)
    expected = np.mean((several.score_mean - np.eye(3)) ** 2 + spread, axis=-1)
    np.testing.assert_allclose(several.class_squared_errors, expected, rtol=1e-12)


@pytest.mark.parametrize("mixture", [TWO, THREE])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_scaling_law(mixture, fit_intercept):
    """(φ, alpha) -> (cφ, c²alpha) leaves everything as it is."""
    means, covariances, priors = mixture
    alpha = np.array([0.0, 1e-3, 1.0, 1e3])
    risk = gaussian_mixture_risk(*mixture, 40, alpha, fit_intercept=fit_intercept)
    for c in (1e-4, 1e3):
        scaled = c * means, c**2 * covariances, priors
        again = gaussian_mixture_risk(*scaled, 40, c**2 * alpha, fit_intercept=fit_intercept)
        same(again, risk, rtol=1e-6)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_rotation_and_order_of_the_classes(fit_intercept):
    basis = np.linalg.qr(rng.normal(size=(P, P)))[0]
    options = {"fit_intercept": fit_intercept, "stratified": True}
    risk = gaussian_mixture_risk(*THREE, [12, 80], 2.0, **options)
    rotated = MEANS @ basis, basis.T @ COVARIANCES @ basis, PRIORS
    same(gaussian_mixture_risk(*rotated, [12, 80], 2.0, **options), risk, rtol=1e-6)
    order = [2, 0, 1]
    other = gaussian_mixture_risk(
        *(values[order] for values in THREE), [12, 80], 2.0, codes=np.eye(3)[order], **options
    )
    np.testing.assert_allclose(other.class_errors, risk.class_errors[:, order], rtol=5e-3)
    np.testing.assert_allclose(other.squared_error, risk.squared_error, rtol=1e-9)


def test_an_intercept_takes_shifts_away():
    risk = gaussian_mixture_risk(*TWO, [5, 50], [0.0, 2.0])
    same(gaussian_mixture_risk(MEANS[:2] + 7.0, *TWO[1:], [5, 50], [0.0, 2.0]), risk, rtol=1e-6)


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("mixture", [TWO, THREE])
def test_an_intercept_is_a_large_constant_feature(mixture, stratified):
    means, covariances, priors = mixture
    constant = np.c_[means, np.full(len(means), 3e3)]
    padded = np.pad(covariances, ((0, 0), (0, 1), (0, 1)))
    n = [4, 20, 200]
    risk = gaussian_mixture_risk(*mixture, n, 2.0, stratified=stratified)
    other = gaussian_mixture_risk(
        constant, padded, priors, n, 2.0, fit_intercept=False, stratified=stratified
    )
    same(other, risk, rtol=1e-4)


def test_two_codes_of_one_column_and_of_two():
    one = gaussian_mixture_risk(*TWO, [10, 100], 1.0)
    two = gaussian_mixture_risk(*TWO, [10, 100], 1.0, codes=np.eye(2))
    np.testing.assert_allclose(two.class_errors, one.class_errors, rtol=1e-9)
    np.testing.assert_allclose(4 * two.squared_error, one.squared_error, rtol=1e-9)
    other = gaussian_mixture_risk(*TWO, [10, 100], 1.0, codes=[3.0, -1.0])
    np.testing.assert_allclose(other.error_rate, one.error_rate, rtol=1e-9)


def test_argmax_does_not_depend_on_the_sign_of_the_codes():
    one = gaussian_mixture_risk(*THREE, [10, 100], 1.0)
    other = gaussian_mixture_risk(*THREE, [10, 100], 1.0, codes=2 * np.eye(3) - 1)
    np.testing.assert_allclose(other.class_errors, one.class_errors, rtol=1e-3)


def test_forms_of_the_covariances():
    """A number, a diagonal, a matrix and one a class, by the diagonal and the general branch."""
    diagonal = np.linspace(0.5, 2.0, P)
    n, alpha = [6, 30, 300], 1.0
    forms = [diagonal, np.diag(diagonal), np.stack([np.diag(diagonal)] * 3)]
    first, *others = (gaussian_mixture_risk(MEANS, form, PRIORS, n, alpha) for form in forms)
    for other in others:
        same(other, first)
    same(
        gaussian_mixture_risk(MEANS, 2.0, PRIORS, n, alpha),
        gaussian_mixture_risk(MEANS, np.full(P, 2.0), PRIORS, n, alpha),
    )
    # A perturbation of size 1e-9 keeps the general branch from noticing the common basis.
    noise = 1e-9 * rng.normal(size=(3, P, P))
    near = np.diag(diagonal) + noise + noise.transpose(0, 2, 1)
    same(gaussian_mixture_risk(MEANS, near, PRIORS, n, alpha), first, rtol=1e-5)


@pytest.mark.parametrize("prior", [0.5, 0.8])
def test_equal_classes_are_noise(prior):
    """Rows say nothing about labels: ridge_risk of ψ = 0, error 1/2 or that of the larger class."""
    priors, eigenvalues = [1 - prior, prior], np.linspace(0.5, 2.0, P)
    n = np.array([200, 1000])
    risk = gaussian_mixture_risk(np.zeros((2, P)), eigenvalues, priors, n, 5.0)
    rho = 4 * prior * (1 - prior)
    expected = ridge_risk(eigenvalues, np.zeros(P), rho, n, 5.0, fit_intercept=True).test_error
    np.testing.assert_allclose(risk.squared_error, expected, rtol=2e-3)
    large = gaussian_mixture_risk(np.zeros((2, P)), eigenvalues, priors, 200, [0.0, 1e7])
    if prior == 0.5:
        np.testing.assert_allclose(large.error_rate, 0.5, atol=0.01)
    else:
        np.testing.assert_allclose(large.error_rate[1], 0.2, atol=1e-6)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_moments_alone_give_the_squared_error_where_covariances_are_equal(fit_intercept):
    means, covariance, priors = TWO[0], COVARIANCES[0], TWO[2]
    codes = np.array([-1.0, 1.0])
    center, target = (priors @ means, priors @ codes) if fit_intercept else (0.0, 0.0)
    second = covariance + np.einsum("c,ci,cj->ij", priors, means - center, means - center)
    moment = (priors * (codes - target)) @ (means - center)
    values, vectors = np.linalg.eigh(second)
    n, rho = np.array([60, 300, 3000]), 1.0 - target**2
    options = {"fit_intercept": fit_intercept}
    expected = ridge_risk(values, vectors.T @ moment, rho, n, 2.0, **options).test_error
    risk = gaussian_mixture_risk(means, covariance, priors, n, 2.0, **options)
    ratio = risk.squared_error / expected - 1
    assert np.all(np.abs(ratio) < [0.02, 4e-3, 3e-4]), ratio


def test_many_rows_reach_the_linear_discriminant():
    """Φ(-Δ/2) with Mahalanobis' distance Δ, whatever alpha is."""
    means, covariance = TWO[0], COVARIANCES[0]
    gap = means[1] - means[0]
    best = ndtr(-0.5 * np.sqrt(gap @ np.linalg.solve(covariance, gap)))
    risk = gaussian_mixture_risk(means, covariance, None, 1e8, [0.0, 1.0])
    np.testing.assert_allclose(risk.error_rate, best, rtol=1e-4)


def test_much_regularisation_compares_with_the_means():
    """w is along the difference of the estimated means, whose noise is isotropic here."""
    gap, n = 2.0, 50.0
    means = np.zeros((2, P))
    means[:, 0] = -gap / 2, gap / 2
    risk = gaussian_mixture_risk(means, 1.0, None, n, 1e9, stratified=True)
    # w = gap e + noise of variance 4/n; score (w·x - w·x̄), x̄ has variance 1/n
    spread = (gap**2 + 4 * P / n) * (1 + 1 / n) + (gap / 2) ** 2 * 4 / n
    expected = ndtr(-(gap**2) / 2 / np.sqrt(spread))
    np.testing.assert_allclose(risk.error_rate, expected, rtol=1e-3)


def test_ridgeless_is_the_limit():
    n = [5, 20, 100, 1000]
    exact, near = (gaussian_mixture_risk(*TWO, n, a) for a in (0.0, 1e-7))
    same(exact, near, rtol=1e-3)


def test_deficient_covariances():
    """Features without variance within classes: separated at once, or repeated, or constant."""
    covariance = np.diag(np.r_[np.ones(10), np.zeros(5)])
    means = np.zeros((2, 15))
    means[:, 0] = -1.0, 1.0
    full = gaussian_mixture_risk(means[:, :10], 1.0, None, [6, 40], 1.0)
    same(gaussian_mixture_risk(means, covariance, None, [6, 40], 1.0), full)
    means[:, -1] = -1.0, 1.0
    separated = gaussian_mixture_risk(means, covariance, None, [12, 40], 0.0, stratified=True)
    np.testing.assert_allclose(separated.error_rate, 0.0, atol=1e-12)
    points = gaussian_mixture_risk(means, 0.0, [0.3, 0.7], [2, 40], 0.1, stratified=True)
    np.testing.assert_allclose(points.class_errors[1], 0.0)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("kinds", [2, 3])
def test_means_where_no_class_varies(kinds, fit_intercept):
    """The limit of features that hardly vary, also where all classes have a covariance."""
    spectrum = np.linspace(0.5, 2.0, 6)
    means = 0.7 * np.random.default_rng(2).normal(size=(kinds, 10))
    priors = np.array([0.5, 0.3, 0.2])[:kinds] / np.sum([0.5, 0.3, 0.2][:kinds])
    options = {"fit_intercept": fit_intercept}
    found = gaussian_mixture_risk(
        means, np.r_[spectrum, np.zeros(4)], priors, [9, 50], 2.0, **options
    )
    near = gaussian_mixture_risk(
        means, np.r_[spectrum, np.full(4, 1e-9)], priors, [9, 50], 2.0, **options
    )
    same(found, near, rtol=1e-6)
    roots = np.random.default_rng(3).normal(size=(kinds, 6, 6))
    inner = roots @ roots.transpose(0, 2, 1)
    padded = [np.pad(inner, ((0, 0), (0, 4), (0, 4))) for _ in range(2)]
    padded[1][:, range(6, 10), range(6, 10)] = 1e-9
    found, near = (gaussian_mixture_risk(means, c, priors, [9, 50], 2.0, **options) for c in padded)
    same(found, near, rtol=1e-6)


def test_nothing_at_all_says_nothing():
    risk = gaussian_mixture_risk(np.zeros((2, 3)), 0.0, None, [4, 9], [0.0, 1.0], stratified=True)
    np.testing.assert_array_equal(risk.error_rate, 0.5)
    np.testing.assert_array_equal(risk.squared_error, 1.0)


def test_one_row_says_its_own_class():
    risk = gaussian_mixture_risk(*THREE, 1, 1.0)
    np.testing.assert_allclose(risk.error_rate, 1 - np.sum(PRIORS**2), rtol=0.05)
    two = gaussian_mixture_risk(*TWO, 1, 1.0)
    np.testing.assert_allclose(two.class_errors, [0.3, 0.7], rtol=1e-6)


def test_rows_are_averaged_over_multinomial_numbers():
    for n in (7.0, 60.0, 700.0):
        weights, counts = class_counts(n, PRIORS)
        np.testing.assert_allclose(counts.sum(axis=1), n)
        np.testing.assert_allclose(weights @ counts, n * PRIORS)
        apart = counts - n * PRIORS
        expected = n * (np.diag(PRIORS) - np.outer(PRIORS, PRIORS))
        np.testing.assert_allclose((weights * apart.T) @ apart, expected, atol=1e-9 * n)
    weights, rows = binomial_rule(4, 0.3, 9)
    np.testing.assert_allclose(rows, np.arange(5), atol=1e-12)
    np.testing.assert_allclose(weights, [0.2401, 0.4116, 0.2646, 0.0756, 0.0081])


@pytest.mark.parametrize("alpha", [0.0, 1e-8, 1.0, 1e8])
def test_every_cell_has_an_answer(alpha):
    """Spectra over many decades, peaks and rare classes."""
    for spectrum in (np.geomspace(1, 1e-12, P), np.r_[np.ones(5), np.full(P - 5, 1e-9)]):
        for priors in ([0.5, 0.5], [1e-6, 1 - 1e-6]):
            n = np.array([1, 2, 3, P, P + 1, P + 2, 1e9])
            risk = gaussian_mixture_risk(MEANS[:2], spectrum, priors, n, alpha)
            assert np.all(np.isfinite(risk.squared_error))
            assert np.all((risk.class_errors >= 0) & (risk.class_errors <= 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((MEANS[0], 1.0, None), r"means must have shape \(n_classes, n_features\)"),
        ((MEANS[:1], 1.0, None), "at least two classes"),
        ((MEANS * np.nan, 1.0, None), "means must be finite"),
        ((MEANS, np.eye(4), None), r"covariances must be a number or have shape \(30,\)"),
        ((MEANS, -1.0, None), "lowest entry is -1"),
        ((MEANS, -np.eye(P), None), "covariances must be positive semi-definite"),
        ((MEANS, COVARIANCES * [[[1]], [[1]], [[-1]]], None), r"covariances\[2\] must be positive"),
        ((MEANS, 1.0, [0.5, 0.5]), "one share for each of 3 classes"),
        ((MEANS, 1.0, [0.5, 0.5, 0.0]), "positive and of sum 1"),
        ((MEANS, 1.0, [0.5, 0.5, 0.1]), "positive and of sum 1"),
    ],
)
def test_bad_mixture(arguments, message):
    with pytest.raises(ValueError, match=message):
        gaussian_mixture_risk(*arguments, 10, 1.0)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([1.0, 2.0], r"codes must have shape \(3,\) or \(3, n_outputs\)"),
        ([1.0, 2.0, 1.0], "two of them are equal"),
        ([1.0, 2.0, np.inf], "codes must be finite"),
    ],
)
def test_bad_codes(codes, message):
    with pytest.raises(ValueError, match=message):
        gaussian_mixture_risk(*THREE, 10, 1.0, codes=codes)
