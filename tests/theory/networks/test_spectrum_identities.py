"""Spectra without weights: closed forms, and traces of resolvents that real iterations give."""

import numpy as np
import pytest

from sk_deepfeat.plugins import resolve
from sk_deepfeat.theory import activation_moments, annealed_constants, annealed_spectrum
from sk_deepfeat.theory.networks.spectrum_maps import layer_spectrum, product_spectrum

KAPPAS = (0.01, 0.1, 1.0, 10.0)


def power_law(width, exponent):
    spectrum = np.arange(1.0, width + 1.0) ** -exponent
    return spectrum / spectrum.sum()


def fixed_point(step, start):
    """Iterate with damping, which converges for resolvents left of the spectrum."""
    value = start
    for _ in range(20_000):
        new = 0.5 * (value + step(value))
        if abs(new - value) <= 1e-14 * abs(new):
            return new
        value = new
    raise AssertionError("no convergence")


def layer_resolvent(a, slopes, offsets, counts, kappa):
    """Mean of 1/(x + κ) over the spectrum of D W A Wᵀ D + E."""

    def inverse(delta):
        return 1.0 / (offsets + kappa + slopes**2 * np.sum(a / (1.0 + a * delta)))

    delta = fixed_point(lambda d: counts @ (slopes**2 * inverse(d)), 1.0)
    return counts @ inverse(delta) / counts.sum()


def product_resolvent(first, second, kappa):
    """Mean of 1/(x + κ) over the spectrum of C^(1/2) Ω C^(1/2), by subordination.

    ψ(x) = mean x a/(1 - x a); ψ of the product at z is ψ_C(z1) = ψ_Ω(z2) with
    z1 z2 = z ψ/(1 + ψ), z = -1/κ.
    """
    z = -1.0 / kappa

    def psi(x, values):
        return np.mean(x * values / (1.0 - x * values))

    def step(z1):
        p = psi(z1, first)
        z2 = z * p / (1.0 + p) / z1
        q = psi(z2, second)
        return z * q / (1.0 + q) / z2

    psi_of_product = psi(fixed_point(step, z), first)
    return (1.0 + psi_of_product) / kappa


def resolvents(spectrum):
    return [np.mean(1.0 / (spectrum + kappa)) for kappa in KAPPAS]


GROUPS = (np.array([0.2, 0.6, 1.1]), np.array([0.3, 0.05, 0.1]), np.array([0.5, 0.2, 0.3]))


@pytest.mark.parametrize("n_units", [150, 900])
def test_layer_against_its_resolvent(n_units):
    a = np.r_[np.zeros(40), 3.0 * power_law(360, 0.6)]
    found = layer_spectrum(a, *GROUPS, n_units)
    slopes, offsets, shares = GROUPS
    expected = [layer_resolvent(a, slopes, offsets, n_units * shares, kappa) for kappa in KAPPAS]
    np.testing.assert_allclose(resolvents(found), expected, rtol=1e-3)


def test_layer_without_slopes_or_inputs_is_its_offsets():
    slopes, *others = GROUPS
    expected = np.repeat(np.sort(others[0]), [2, 3, 5])
    np.testing.assert_array_equal(layer_spectrum(np.zeros(4), *GROUPS, 10), expected)
    np.testing.assert_array_equal(layer_spectrum(np.ones(4), 0 * slopes, *others, 10), expected)


def test_offsets_that_are_large_beside_the_rest():
    """Each group keeps its own: the rest moves eigenvalues by no more than its norm."""
    offsets = np.array([0.5, 1e-3, 7.0])
    found = layer_spectrum(np.full(30, 1e-6), np.ones(3), offsets, np.array([0.2, 0.5, 0.3]), 40)
    norm = 1e-6 * (np.sqrt(30) + np.sqrt(40)) ** 2
    expected = np.repeat(np.sort(offsets), [20, 8, 12])
    # the grid of the distribution function has a relative width of 6e-4
    assert np.all(np.abs(found - expected) < norm + 6e-4 * expected)


def test_layers_spectrum_has_any_scale():
    a = power_law(50, 0.5)
    slopes, offsets, shares = GROUPS
    plain = layer_spectrum(a, *GROUPS, 40)
    for scale in (1e-12, 1e12):
        found = layer_spectrum(scale * a, slopes, scale * offsets, shares, 40)
        np.testing.assert_allclose(found, scale * plain, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-14, 1e14])
def test_products_have_any_scale(scale):
    first, second = np.geomspace(0.1, 2.0, 30), np.linspace(0.5, 3.0, 30)
    plain = product_spectrum(first, second)
    found = product_spectrum(scale * first, second)
    np.testing.assert_allclose(found, scale * plain, rtol=1e-6)
    found = product_spectrum(first, scale * second)
    np.testing.assert_allclose(found, scale * plain, rtol=1e-6)
    flat = np.full(30, 2.0 * scale)
    np.testing.assert_allclose(product_spectrum(flat, second), 2.0 * scale * second, rtol=1e-14)


def test_product_of_projections():
    """Two free projections on halves: the angles between them are uniform."""
    half = np.repeat([0.0, 1.0], 100)
    found = product_spectrum(half, half)
    np.testing.assert_array_equal(found[:100], 0.0)
    shares = (np.arange(200) + 0.5) / 200
    expected = np.sin(np.pi * (shares[100:] - 0.5)) ** 2
    np.testing.assert_allclose(found[100:], expected, atol=2e-3)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (power_law(400, 1.2) * 400, np.linspace(0.5, 3.0, 400)),
        (np.repeat([0.5, 2.0], [100, 300]), np.repeat([0.1, 1.0, 4.0], [200, 100, 100])),
        (np.r_[np.zeros(150), np.ones(250)], np.geomspace(1e-3, 10.0, 400)),
    ],
)
def test_product_against_its_resolvent(first, second):
    expected = [product_resolvent(first, second, kappa) for kappa in KAPPAS]
    for pair in ((first, second), (second, first)):
        np.testing.assert_allclose(resolvents(product_spectrum(*pair)), expected, rtol=3e-3)


def test_product_with_multiples_of_the_identity_only():
    np.testing.assert_allclose(product_spectrum(np.full(3, 2.0), np.full(3, 0.5)), np.ones(3))


def square_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values)) @ vectors.T


def turned(values, seed):
    basis, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(values.size,) * 2))
    matrix = (basis * values) @ basis.T
    return 0.5 * (matrix + matrix.T)


@pytest.mark.parametrize("shapes", [(1, 1), (1, 2), (2, 1), (2, 2)])
@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_only_the_eigenvalues_of_their_product_count(shapes, name):
    """One covariance of rows and of inputs in different bases, each a matrix or a diagonal."""
    rows, inputs = power_law(18, 1.0), np.linspace(0.2, 4.0, 18)[::-1]
    rows = turned(rows, 0) if shapes[0] == 2 else rows
    inputs = turned(inputs, 1) if shapes[1] == 2 else inputs
    full = [np.diag(c) if c.ndim == 1 else c for c in (rows, inputs)]
    joint = np.linalg.eigvals(full[0] @ full[1]).real
    assert annealed_constants([rows], name, inputs).r[0] == pytest.approx(joint.sum())
    following = [turned(power_law(25, 0.5), 2)]
    np.testing.assert_allclose(
        annealed_spectrum([rows, *following], name, inputs, 12),
        annealed_spectrum([joint, *following], name, np.ones(18), 12),
        rtol=1e-6,
    )


def test_matrix_and_diagonal_of_later_rows():
    """The spectrum of C_2 is that of its matrix; its entries matter through the means of units."""
    values = power_law(25, 0.8)
    matrix = turned(values, 3)
    found = annealed_spectrum([power_law(20, 0.3), matrix], "tanh", np.ones(20), 15)
    expected = annealed_spectrum([power_law(20, 0.3), values], "tanh", np.ones(20), 15)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    constants = annealed_constants([power_law(20, 0.3), matrix], "relu", np.ones(20))
    moments = activation_moments(resolve("activations", "relu"), 0.0, 1.0)
    assert constants.r[1] == pytest.approx(moments.variance * values.sum())
    assert constants.mean_variance[1] == pytest.approx(moments.mean**2 * matrix.sum())


@pytest.mark.parametrize("name", ["tanh", "relu"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_trace_is_the_mean_variance_of_units(name, depth):
    """What one more layer of white weights takes for the variance of its pre-activations."""
    sizes = [60, 90, 50, 70][: depth + 1]
    covariances = [1.5 * power_law(size, 0.4) for size in sizes[:-1]]
    white = np.full(sizes[-1], 1.0 / sizes[-1])
    found = annealed_spectrum(covariances, name, np.ones(60), 400)
    following = annealed_constants([*covariances, white], name, np.ones(60))
    assert found.mean() == pytest.approx(following.r[-1], rel=1e-2)


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_units_in_groups_are_as_good_as_each_by_itself(factor):
    """The second of two layers by hand, with the law of the means of units on a fine grid."""
    rows, inputs = power_law(60, 0.3), np.ones(60)
    second = np.full(80, factor / 80)
    gelu = resolve("activations", "gelu")
    first = activation_moments(gelu, 0.0, 1.0)
    features = layer_spectrum(
        rows,
        np.array([first.slope]),
        np.array([first.variance - first.slope**2]),
        np.ones(1),
        80,
    )
    r, spread = factor * float(first.variance), factor * float(first.mean) ** 2
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    moments = activation_moments(gelu, np.sqrt(spread) * nodes, np.sqrt(r))
    rest = moments.variance - r * moments.slope**2
    found = annealed_spectrum([rows, second], "gelu", inputs, 100)
    inner = features * factor / 80
    expected = [
        layer_resolvent(inner, moments.slope, rest, 100 * weights / weights.sum(), kappa)
        for kappa in KAPPAS
    ]
    np.testing.assert_allclose(resolvents(found)[1:], expected[1:], rtol=1e-3)
    assert resolvents(found)[0] == pytest.approx(expected[0], rel=6e-3)
