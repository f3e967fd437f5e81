"""Gaussian moments: closed forms against quadrature, quadrature against scipy and limits."""

import numpy as np
import pytest
from numpy.polynomial import hermite_e
from scipy import integrate, stats

from sk_deepfeat.activations import as_activation, identity, relu, sigmoid, sign, softplus, tanh
from sk_deepfeat.plugins import available, resolve
from sk_deepfeat.theory import activation_moments, bivariate_covariance, hermite_coefficients

NAMES = available("activations")
CLOSED = [name for name in NAMES if hasattr(resolve("activations", name), "moments")]
LAWS = [(0.0, 1.0), (0.7, 0.5), (-1.5, 2.0), (3.0, 0.4), (-2.0, 0.3)]


class Bare:
    """An activation without its closed forms."""

    def __init__(self, name):
        self.activation = resolve("activations", name)

    def __call__(self, x, out=None):
        return self.activation(x, out=out)

    def derivative(self, x):
        return self.activation.derivative(x)


def by_scipy(function, mean, std):
    """E function(x, z), adaptively, split at x = 0."""

    def integrand(z):
        return function(mean + std * z, z) * stats.norm.pdf(z)

    middle = np.clip(-mean / std, -10, 10)
    value = 0.0
    for ends in ((-12, middle), (middle, 12)):
        value += integrate.quad(integrand, *ends, epsabs=1e-12, epsrel=1e-11, limit=200)[0]
    return value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("mean", "std"), LAWS)
def test_moments_agree_with_scipy(name, mean, std):
    f = resolve("activations", name)
    first = by_scipy(lambda x, z: f(x), mean, std)
    slope = by_scipy(lambda x, z: f(x) * z, mean, std) / std
    variance = by_scipy(lambda x, z: (f(x) - first) ** 2, mean, std)
    found = activation_moments(f, mean, std)
    np.testing.assert_allclose(found, [first, slope, variance], rtol=1e-9, atol=1e-11)
    second = by_scipy(lambda x, z: f(x) ** 2, mean, std)
    np.testing.assert_allclose(found.second_moment, second, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("mean", "std"), LAWS)
def test_hermite_coefficients_agree_with_scipy(name, mean, std):
    f = resolve("activations", name)
    found = hermite_coefficients(f, 5, mean, std)
    for k in range(6):
        polynomial = hermite_e.HermiteE.basis(k)
        expected = by_scipy(lambda x, z, h=polynomial: f(x) * h(z), mean, std)
        assert found[k] == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("std", [1e-6, 1e-3, 0.1, 1.0, 10.0, 1e3])
def test_quadrature_agrees_with_closed_forms_at_every_width(name, std):
    """At kinks, at jumps, and where the input is far wider or narrower than the activation."""
    if name in ("sin", "cos") and std > 100:
        pytest.skip("thousands of periods: the quadrature refuses")
    means = np.array([0.0, 0.5 * std, -1.0, 3.0 * std, 1.0])
    bare, closed = Bare(name), resolve("activations", name)
    found = activation_moments(bare, means, np.full(5, std))
    expected = activation_moments(closed, means, np.full(5, std))
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-9, atol=1e-13 * max(std, 1))
    # E[Z f]/s amplifies the rounding of f by 1/s.
    np.testing.assert_allclose(found.slope, expected.slope, rtol=1e-9, atol=1e-15 / std)
    np.testing.assert_allclose(found.variance, expected.variance, rtol=2e-8, atol=1e-25)
    order = 4
    np.testing.assert_allclose(
        hermite_coefficients(bare, order, means, np.full(5, std)),
        hermite_coefficients(closed, order, means, np.full(5, std)),
        atol=1e-12 * max(std, 1.0),
    )


def bump(x):
    return np.exp(-np.square(x))


@pytest.mark.parametrize("function", [softplus, sigmoid, bump, lambda x: np.exp(-np.abs(x))])
@pytest.mark.parametrize("std", [1e-6, 1e-3, 0.1, 1.0, 2.5, 10.0, 62.0, 1e3])
def test_functions_that_die_away_at_every_width(function, std):
    """Far out they are subnormal numbers, which look rough."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    for mean in (0.0, 0.5 * std, -1.0):
        ends = np.r_[mean + std * np.arange(-12.0, 12.5), np.arange(-80.0, 81.0) / 2]
        ends = np.unique(np.clip(ends, mean - 12 * std, mean + 12 * std))
        half = np.diff(ends)[:, None] / 2
        x = ends[:-1, None] + half + half * nodes
        share = half * weights * stats.norm.pdf((x - mean) / std) / std
        first = np.sum(share * function(x))
        variance = np.sum(share * (function(x) - first) ** 2)
        found = activation_moments(function, mean, std)
        assert found.mean == pytest.approx(first, rel=1e-9)
        assert found.variance == pytest.approx(variance, rel=1e-6, abs=1e-24)


def test_wide_tanh_is_a_sign_and_narrow_tanh_is_linear():
    wide, narrow = activation_moments(tanh, 0.0, 1e3), activation_moments(tanh, 0.0, 1e-6)
    assert wide.slope == pytest.approx(np.sqrt(2 / np.pi) / 1e3, rel=1e-5)
    assert wide.variance == pytest.approx(1 - 2 / np.sqrt(2 * np.pi) / 1e3, rel=1e-6)
    np.testing.assert_allclose(narrow.variance, 1e-12, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "c0", "c1", "c_star"),
    [
        ("relu", 1 / np.sqrt(2 * np.pi), 0.5, np.sqrt((np.pi - 2) / (4 * np.pi))),
        ("erf", 0.0, 2 / np.sqrt(3 * np.pi), 0.200364),
        ("tanh", 0.0, 0.605706, 0.165576),
        ("sign", 0.0, np.sqrt(2 / np.pi), np.sqrt(1 - 2 / np.pi)),
    ],
)
def test_known_constants(name, c0, c1, c_star):
    found = activation_moments(resolve("activations", name), 0.0, 1.0)
    np.testing.assert_allclose(found.mean, c0, atol=1e-12)
    np.testing.assert_allclose(found.slope, c1, atol=1e-6)
    np.testing.assert_allclose(np.sqrt(found.variance - found.slope**2), c_star, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_parseval(name):
    """Var f = Σ_{k≥1} a_k²/k!."""
    f = resolve("activations", name)
    mean, std = np.array([0.5, -1.0]), np.array([1.0, 0.7])
    coefs = hermite_coefficients(f, 60, mean, std)[1:]
    factorials = np.cumprod(np.arange(1.0, 61.0))
    variance = np.sum(coefs**2 / factorials[:, None], axis=0)
    # coefficients decay like k^(-3/4) √k! at a jump, k^(-5/4) √k! at a kink
    rest = {"sign": 0.15, "relu": 2e-3, "leaky_relu": 2e-3}.get(name, 1e-8)
    expected = activation_moments(f, mean, std).variance
    np.testing.assert_allclose(variance, expected, rtol=rest)
    assert np.all(variance <= expected * (1 + 1e-12))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mean", [0.0, 0.8, -0.8])
def test_no_spread_gives_the_value_itself(name, mean):
    f = resolve("activations", name)
    found = activation_moments(f, np.array([mean]), np.array([0.0]))
    if not (mean == 0 and name in ("relu", "leaky_relu", "sign")):
        np.testing.assert_allclose(found.mean, f(np.array([mean])), atol=1e-15)
        np.testing.assert_allclose(found.slope, f.derivative(np.array([mean])), 1e-8, 1e-9)
        assert found.variance < 1e-200


def pieces(mean, std):
    """Nodes z and weights of a Gauss-Legendre rule on short pieces that meet where x = 0."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    middle = np.clip(-mean / std, -9, 9)[..., None]
    ends = np.concatenate([np.linspace(-10, middle, 9), np.linspace(middle, 10, 9)[1:]])
    half = np.diff(ends, axis=0) / 2
    z = (ends[:-1] + half) + half * nodes
    return np.moveaxis(z, 0, -2), np.moveaxis(half * weights * stats.norm.pdf(z), 0, -2)


def product_by_pieces(f, mean, std, g, other_mean, other_std, rho):
    """Cov(f(X), g(Y)): outer integral over X, inner one over Y given X."""
    z, weights = pieces(np.asarray(mean), std)
    rest = other_std * np.sqrt(1 - rho**2)
    centre = other_mean + other_std * rho * z
    inner_z, inner_weights = pieces(centre, rest)
    inner = np.sum(g(centre[..., None, None] + rest * inner_z) * inner_weights, axis=(-2, -1))
    value = f(mean + std * z)
    return np.sum((value - np.sum(value * weights)) * inner * weights)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("relu", "relu"),
        ("sign", "gelu"),
        ("erf", "leaky_relu"),
        ("sin", "cos"),
        ("tanh", "softplus"),
        ("relu", "tanh"),
        ("sign", "sigmoid"),
        ("identity", "softplus"),
    ],
)
@pytest.mark.parametrize(
    ("mean", "std", "other_mean", "other_std", "rho"),
    [(0.0, 1.0, 0.0, 1.0, 0.4), (0.6, 0.5, -0.9, 1.6, -0.8), (-0.3, 2.0, 0.5, 1.0, 0.97)],
)
def test_bivariate_agrees_with_scipy(first, second, mean, std, other_mean, other_std, rho):
    f, g = resolve("activations", first), resolve("activations", second)
    expected = product_by_pieces(f, mean, std, g, other_mean, other_std, rho)
    found = bivariate_covariance(f, mean, std, g, other_mean, other_std, rho * std * other_std)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-8)
    mirrored = bivariate_covariance(g, other_mean, other_std, f, mean, std, rho * std * other_std)
    assert mirrored == pytest.approx(float(found), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("names", [("relu", "sign"), ("erf", "gelu"), ("sign", "sign")])
def test_series_and_conditioning_agree_with_closed_forms(names):
    rng = np.random.default_rng(0)
    mean, other_mean = rng.normal(size=(2, 8))
    std, other_std = rng.uniform(0.3, 2.0, size=(2, 8))
    covariance = np.array([-1.0, -0.99, -0.5, 0.0, 0.3, 0.9, 0.999, 1.0]) * std * other_std
    f, g = (resolve("activations", name) for name in names)
    found = bivariate_covariance(
        Bare(names[0]), mean, std, Bare(names[1]), other_mean, other_std, covariance
    )
    closed = bivariate_covariance(f, mean, std, g, other_mean, other_std, covariance)
    np.testing.assert_allclose(found, closed, atol=1e-8)


@pytest.mark.parametrize(
    ("first", "second"),
    [("erf", "erf"), ("gelu", "gelu"), ("relu", "relu"), ("sin", "cos"), ("gelu", "relu")],
)
@pytest.mark.parametrize("std", [1e-7, 1e-5, 1e-3])
@pytest.mark.parametrize("mean", [1.0, 0.3])
def test_closed_forms_of_narrow_inputs(first, second, mean, std):
    """Next to a mean the activations are linear, and their covariance is far below E f E g."""
    f, g = resolve("activations", first), resolve("activations", second)
    rho = np.array([-1.0, -0.5, 0.2, 0.9, 1.0])
    found = bivariate_covariance(f, mean, std, g, -mean, std, rho * std**2)
    slopes = activation_moments(f, mean, std).slope * activation_moments(g, -mean, std).slope
    curved = [hermite_coefficients(h, 2, m, std)[2] for h, m in ((f, mean), (g, -mean))]
    expected = rho * std**2 * slopes + np.prod(curved) * rho**2 / 2
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9 * std**2)


@pytest.mark.parametrize("name", NAMES)
def test_bivariate_at_full_correlation_is_the_variance(name):
    f = resolve("activations", name)
    mean, std = np.array([0.0, 1.2, -0.7]), np.array([1.0, 0.5, 2.0])
    found = bivariate_covariance(f, mean, std, f, mean, std, std**2)
    np.testing.assert_allclose(found, activation_moments(f, mean, std).variance, rtol=1e-8)
    apart = bivariate_covariance(f, mean, std, f, mean, std, 0.0)
    np.testing.assert_allclose(apart, 0.0, atol=1e-12)


def test_known_kernels():
    """Arc-cosine kernel of relu, arcsine kernels of erf and sign, second moments."""
    rng = np.random.default_rng(0)
    s, t = rng.uniform(0.2, 3.0, size=(2, 50))
    rho = rng.uniform(-1, 1, size=50)
    theta, q = np.arccos(rho), rho * s * t
    arc_cosine = s * t / (2 * np.pi) * (np.sin(theta) + (np.pi - theta) * rho)
    np.testing.assert_allclose(relu.bivariate(relu, 0.0, s, 0.0, t, q), arc_cosine, rtol=1e-12)
    erf = resolve("activations", "erf")
    arcsine = 2 / np.pi * np.arcsin(2 * q / np.sqrt((1 + 2 * s**2) * (1 + 2 * t**2)))
    np.testing.assert_allclose(erf.bivariate(erf, 0.0, s, 0.0, t, q), arcsine, atol=1e-14)
    signs = 2 / np.pi * np.arcsin(rho)
    np.testing.assert_allclose(sign.bivariate(sign, 0.0, s, 0.0, t, q), signs, atol=1e-14)


@pytest.mark.parametrize("step", [0.0, 1e-16, 1e-13, 1e-9, 1e-4])
def test_arc_cosine_kernel_next_to_full_correlation(step):
    """1 - ρ keeps its digits: 1/2 - g/2 + g √(2g)/(3π) + O(g²) with g = 1 - ρ."""
    found = relu.bivariate(relu, 0.0, 1.0, 0.0, 1.0, 1.0 - step)
    gap = 1.0 - (1.0 - step)
    expected = 0.5 - 0.5 * gap + gap * np.sqrt(2 * gap) / (3 * np.pi)
    assert found == pytest.approx(expected, abs=3e-16 + gap**2)


def hard_tanh(x):
    return np.clip(x - 0.3, -1.0, 1.0)


@pytest.mark.parametrize("std", [1e-6, 1e-2, 1.0, 1e3])
@pytest.mark.parametrize("mean", [0.0, 0.3, -0.7, 1.3])
def test_own_function_with_kinks_anywhere(mean, std):
    a, b = (-1.0 - mean + 0.3) / std, (1.0 - mean + 0.3) / std  # from -1 up to 1
    inside = stats.norm.cdf(b) - stats.norm.cdf(a)
    tail = stats.norm.sf(b) - stats.norm.cdf(a)
    first = (mean - 0.3) * inside + std * (stats.norm.pdf(a) - stats.norm.pdf(b)) + tail
    found = activation_moments(as_activation(hard_tanh), mean, std)
    assert found.mean == pytest.approx(first, rel=1e-9, abs=1e-12)
    assert found.slope == pytest.approx(inside, rel=1e-8, abs=2e-10)


def test_own_function_with_a_jump():
    found = activation_moments(lambda x: np.heaviside(x - 0.3, 0.5), 0.0, np.array([1e-3, 1, 50.0]))
    np.testing.assert_allclose(found.mean, stats.norm.sf(0.3 / np.array([1e-3, 1, 50])), atol=1e-12)


def test_function_in_single_precision():
    found = activation_moments(lambda x: np.tanh(x).astype(np.float32), 0.1, 1.0)
    np.testing.assert_allclose(found, activation_moments(tanh, 0.1, 1.0), rtol=1e-5)


@pytest.mark.parametrize(
    ("function", "std"),
    [
        (lambda x: np.exp(x**2), 1.0),
        (np.exp, 10.0),
        (np.sinh, 100.0),
        (lambda x: 1 / x, 1.0),
        (lambda x: np.abs(x) ** -0.5, 1.0),
        (np.tan, 1.0),
        (lambda x: np.where(x > 5, np.nan, x), 1.0),
    ],
)
def test_infinite_moments_are_refused(function, std):
    with pytest.raises(ValueError, match=r"moment|finite"):
        activation_moments(as_activation(function), 0.1, std)
    with pytest.raises(ValueError, match=r"moment|finite"):
        hermite_coefficients(as_activation(function), 2, 0.1, std)


def test_growing_functions_with_finite_moments():
    found = activation_moments(np.exp, 0.5, np.array([0.1, 1.0, 2.5]))
    squares = np.array([0.1, 1.0, 2.5]) ** 2
    np.testing.assert_allclose(found.mean, np.exp(0.5 + squares / 2), rtol=1e-9)
    np.testing.assert_allclose(found.variance, np.exp(1 + squares) * np.expm1(squares), rtol=1e-7)
    cube = activation_moments(lambda x: x**3, 0.0, 2.0)
    np.testing.assert_allclose(cube, [0.0, 12.0, 15 * 64.0], atol=1e-9)


def test_units_that_are_never_active():
    means = np.array([-11.0, -11.5, -11.9, -11.99, -13.0, -30.0])
    found = activation_moments(Bare("relu"), means, np.ones(6))
    assert np.all(found.mean < 1e-28)
    assert np.all(found.variance < 1e-28)


def test_shapes_broadcast():
    found = activation_moments(softplus, np.zeros((3, 1)), np.ones(4))
    assert found.mean.shape == found.slope.shape == found.variance.shape == (3, 4)
    assert hermite_coefficients(softplus, 2, np.zeros((3, 1)), np.ones(4)).shape == (3, 3, 4)
    assert bivariate_covariance(
        softplus, np.zeros((3, 1)), 1.0, identity, 0.0, np.ones(4), 0.5
    ).shape == (3, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: activation_moments(tanh, 0.0, -1.0), "std must not be negative"),
        (lambda: activation_moments(tanh, np.nan, 1.0), "mean must be finite"),
        (lambda: hermite_coefficients(tanh, -1, 0.0, 1.0), "order=-1"),
        (lambda: hermite_coefficients(tanh, 171, 0.0, 1.0), "order=171.*at most 170"),
        (lambda: hermite_coefficients(tanh, 1.5, 0.0, 1.0), r"order=1\.5"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
