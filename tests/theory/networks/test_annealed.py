"""Constants and spectra without weights: limits, identities, and networks that are drawn."""

import numpy as np
import pytest

from sk_deepfeat.plugins import resolve
from sk_deepfeat.theory import (
    activation_moments,
    annealed_constants,
    annealed_cross_constants,
    annealed_spectrum,
    bivariate_covariance,
    rainbow_covariances,
)


def white(width):
    return np.full(width, 1.0 / width)


def power_law(width, exponent):
    spectrum = np.arange(1.0, width + 1.0) ** -exponent
    return spectrum / spectrum.sum()


@pytest.mark.parametrize("name", ["tanh", "erf", "sign"])
def test_recursion_of_odd_activations(name):
    """r = tr C Ω with E Ω = Var f · I; c₁ and c* are those of N(0, r); means vanish."""
    inputs = np.linspace(0.5, 2.0, 30)
    covariances = [power_law(30, 0.5), 2 * white(20), power_law(10, 1.0)]
    found = annealed_constants(covariances, name, inputs)
    r = covariances[0] @ inputs
    for depth in range(3):
        moments = activation_moments(resolve("activations", name), 0.0, np.sqrt(r))
        np.testing.assert_allclose(found.r[depth], r)
        np.testing.assert_allclose(found.c1[depth], moments.slope)
        np.testing.assert_allclose(
            found.c_star[depth] ** 2, moments.variance - r * moments.slope**2
        )
        r = moments.variance * (0.0 if depth == 2 else covariances[depth + 1].sum())
    np.testing.assert_allclose(found.c0, 0.0, atol=1e-12)
    np.testing.assert_array_equal(found.mean_variance, 0.0)


def test_relu_constants():
    """E f(N), E f'(N) and E f(N)² of the total law are known: the latter halves with each layer."""
    found = annealed_constants([2 * white(50)] * 4, "relu", np.ones(50))
    np.testing.assert_allclose(found.r + found.mean_variance, 2.0)
    np.testing.assert_allclose(found.c0, np.sqrt(2.0) / np.sqrt(2 * np.pi), rtol=1e-9)
    np.testing.assert_allclose(found.c1, 0.5, rtol=1e-9)


def arc_cosine(depth):
    """Variance around the mean of a unit, by layer, of relu networks whose E g² stays 2.

    q is the covariance of a unit for two independent inputs: E f(X) f(Y) at correlation q/2.
    """
    q, found = 0.0, []
    for _ in range(depth):
        found.append(2.0 - q)
        theta = np.arccos(q / 2.0)
        q = 2.0 * (np.sin(theta) + (np.pi - theta) * np.cos(theta)) / np.pi
    return np.array(found)


def test_deep_relu_follows_the_arc_cosine_recursion():
    """The means of units vary ever more than the units themselves."""
    depth, layers = 45, [2 * white(10)] * 45
    expected = arc_cosine(depth)
    assert expected[-1] < 0.04
    found = annealed_constants(layers, "relu", np.ones(10))
    np.testing.assert_allclose(found.r, expected, rtol=1e-8)
    np.testing.assert_allclose(found.mean_variance, 2.0 - expected, rtol=1e-8)
    halves = [c / 2 for c in layers]
    same = annealed_cross_constants(layers, layers, layers, "relu", "relu", np.ones(10))
    np.testing.assert_allclose(same.r, expected, rtol=1e-6)
    np.testing.assert_allclose(same.c_star, found.c_star**2, rtol=1e-4)
    half = annealed_cross_constants(layers, layers, halves, "relu", "relu", np.ones(10))
    assert np.all(half.r < found.r)
    spectrum = annealed_spectrum(layers, "relu", np.ones(10), 10)
    trace = found.c_star[-1] ** 2 * 10
    assert spectrum.sum() > trace


@pytest.mark.parametrize("name", ["relu", "softplus"])
def test_deep_constants_do_not_depend_on_how_means_are_averaged(name):
    """Total variance and the correlation of two inputs say the same."""
    f, depth = resolve("activations", name), 12
    found = annealed_constants([2 * white(10)] * depth, name, np.ones(10))
    for layer in range(depth - 1):
        total = np.sqrt(found.r[layer] + found.mean_variance[layer])
        spread = bivariate_covariance(f, 0.0, total, f, 0.0, total, found.mean_variance[layer])
        variance = activation_moments(f, 0.0, total).variance
        assert found.r[layer + 1] == pytest.approx(2 * float(variance - spread), rel=1e-5)


@pytest.mark.parametrize("share", [-0.6, 0.5, 0.95])
def test_cross_constants_of_three_layers(share):
    """Against the recursion of E f(X) g(Y) for the same input and for independent inputs."""
    layers = [2 * white(10)] * 4
    found = annealed_cross_constants(
        layers, layers, [share * c for c in layers], "relu", "softplus", np.ones(10)
    )
    f, g = resolve("activations", "relu"), resolve("activations", "softplus")
    own = annealed_constants(layers, "relu", np.ones(10))
    other = annealed_constants(layers, "softplus", np.ones(10))
    same, apart = 2.0 * share, 0.0
    for depth in range(4):
        assert found.r[depth] == pytest.approx(same - apart, rel=1e-6)
        assert found.mean_covariance[depth] == pytest.approx(apart, rel=1e-6, abs=1e-12)
        stds = (np.sqrt(net.r[depth] + net.mean_variance[depth]) for net in (own, other))
        s, t = stds
        both = own.c0[depth] * other.c0[depth]
        same, apart = (
            2 * share * (float(bivariate_covariance(f, 0.0, s, g, 0.0, t, q)) + both)
            for q in (same, apart)
        )


def test_impossible_cross_covariances_are_refused():
    whole = [white(3), white(3)]
    message = r"cross_weight_covariances\[1\] is impossible.*lowest eigenvalue"
    for factor in (1.5, -1.5):
        with pytest.raises(ValueError, match=message):
            annealed_cross_constants(
                whole, whole, [white(3), factor * white(3)], "tanh", "tanh", np.ones(3)
            )
    annealed_cross_constants(whole, whole, whole, "tanh", "tanh", np.ones(3))


def test_matrices_and_diagonals_agree():
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.normal(size=(20, 20)))
    c, sigma = power_law(20, 1.0), np.linspace(0.5, 2, 20)
    rotated = [(basis * c) @ basis.T, white(15)], (basis * sigma) @ basis.T
    np.testing.assert_allclose(
        annealed_constants(rotated[0], "relu", rotated[1]),
        annealed_constants([c, white(15)], "relu", sigma),
        rtol=1e-10,
    )
    np.testing.assert_allclose(
        annealed_spectrum(rotated[0], "tanh", rotated[1], 12),
        annealed_spectrum([c, white(15)], "tanh", sigma, 12),
        rtol=1e-6,
    )


def test_matrices_and_diagonals_agree_between_networks():
    """Č_1 counts where the inputs vary together."""
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.normal(size=(20, 20)))
    c, sigma = 0.5 * power_law(20, 1.0), np.linspace(0.5, 2, 20)
    full, apart = np.diag(c), 0.2 * c.min() * np.ones((20, 20)) / 20
    teacher, later = 2 * c, [white(15)]
    expected = annealed_cross_constants(
        [c, *later], [teacher, *later], [full + apart, *later], "relu", "gelu", sigma
    )
    assert expected.r[0] == pytest.approx(c @ sigma + np.trace(apart * sigma))

    def turn(matrix):
        return (basis @ matrix) @ basis.T

    found = annealed_cross_constants(
        [turn(np.diag(c)), *later],
        [turn(np.diag(teacher)), *later],
        [turn(full + apart), *later],
        "relu",
        "gelu",
        turn(np.diag(sigma)),
    )
    for values, others in zip(found, expected, strict=True):
        np.testing.assert_allclose(values, others, rtol=1e-7)


@pytest.mark.parametrize("scale", [1e-14, 1e14])
def test_constants_of_relu_have_any_scale(scale):
    covariances, inputs = [power_law(20, 0.5), white(15), white(10)], np.ones(20)
    found = annealed_constants(covariances, "relu", scale**2 * inputs)
    expected = annealed_constants(covariances, "relu", inputs)
    for name, power in (("r", 2), ("mean_variance", 2), ("c0", 1), ("c1", 0), ("c_star", 1)):
        np.testing.assert_allclose(
            getattr(found, name) / scale**power, getattr(expected, name), rtol=1e-9
        )
    cross = annealed_cross_constants(
        covariances, covariances, covariances, "relu", "relu", scale**2 * inputs
    )
    np.testing.assert_allclose(cross.r, found.r, rtol=1e-6)


def drawn(name, covariances, inputs, n_units, seed):
    rng = np.random.default_rng(seed)
    sizes = [len(c) for c in covariances[1:]] + [n_units]
    weights = [
        rng.normal(size=(size, len(c))) * np.sqrt(c)
        for size, c in zip(sizes, covariances, strict=True)
    ]
    return weights, rainbow_covariances(weights, name, inputs)


@pytest.mark.parametrize("name", ["tanh", "relu", "softplus"])
def test_constants_agree_with_drawn_networks(name):
    covariances, inputs = [white(300), power_law(250, 0.3), white(200)], np.ones(300)
    found = annealed_constants(covariances, name, inputs)
    ratios = []
    for seed in range(6):
        weights, exact = drawn(name, covariances, inputs, 200, seed)
        before = rainbow_covariances(weights[:2], name, inputs)
        pre = np.einsum("ij,jk,ik->i", weights[2], before.feature_covariance, weights[2])
        means = weights[2] @ before.feature_mean
        ratios.append(
            [
                pre.mean() / found.r[2],
                1.0 if name == "tanh" else np.mean(means**2) / found.mean_variance[2],
                1.0 if name == "tanh" else exact.feature_mean.mean() / found.c0[2],
            ]
        )
    spread = np.std(ratios, axis=0, ddof=1) / np.sqrt(6) + 2e-3
    assert np.all(np.abs(np.mean(ratios, axis=0) - 1) < 3.5 * spread)


@pytest.mark.parametrize("name", ["tanh", "relu"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_cross_constants_agree_with_drawn_networks(name, share):
    covariances, width = [white(300), white(300)], 300
    own = annealed_constants(covariances, name, np.ones(width))
    found = annealed_cross_constants(
        covariances, covariances, [share * c for c in covariances], name, name, np.ones(width)
    )
    f = resolve("activations", name)
    if share == 1.0:
        np.testing.assert_allclose(found.r, own.r, rtol=1e-9)
        np.testing.assert_allclose(found.mean_covariance, own.mean_variance, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.c_star, own.c_star**2, rtol=1e-6)
        return
    rows = []
    for seed in range(6):
        weights, _ = drawn(name, covariances, np.ones(width), width, seed)
        fresh, _ = drawn(name, covariances, np.ones(width), width, 100 + seed)
        teacher = [
            share * w + np.sqrt(1 - share**2) * v for w, v in zip(weights, fresh, strict=True)
        ]
        first = rainbow_covariances(weights[:1], name, np.ones(width), teacher_weights=teacher[:1])
        pre = np.einsum("ij,jk,ik->i", weights[1], first.cross_covariance, teacher[1])
        means = (weights[1] @ first.feature_mean) * (teacher[1] @ first.teacher_mean)
        rows.append([pre.mean(), means.mean()])
    spread = np.std(rows, axis=0, ddof=1) / np.sqrt(6) + 2e-3
    expected = [found.r[1], found.mean_covariance[1]]
    assert np.all(np.abs(np.mean(rows, axis=0) - expected) < 3.5 * spread)
    linear = share * activation_moments(f, 0.0, 1.0).slope ** 2
    between = bivariate_covariance(f, 0.0, 1.0, f, 0.0, 1.0, share)
    assert found.c_star[0] == pytest.approx(float(between) - linear, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "exponent", "n_units"),
    [
        ("tanh", 0.0, 300),
        ("tanh", 0.4, 300),
        ("sign", 0.0, 150),
        ("erf", 0.3, 500),
        ("relu", 0.0, 300),
        ("gelu", 0.4, 250),
    ],
)
def test_spectrum_agrees_with_drawn_networks(name, exponent, n_units):
    covariances = [power_law(400, 0.3), power_law(350, exponent)]
    inputs = 400 * power_law(400, 0.5)
    found = annealed_spectrum(covariances, name, inputs, n_units)
    assert found.shape == (n_units,)
    assert np.all(np.diff(found) >= 0)
    drawn_spectra = [
        np.linalg.eigvalsh(drawn(name, covariances, inputs, n_units, seed)[1].feature_covariance)
        for seed in range(3)
    ]
    mean = np.mean(drawn_spectra, axis=0)
    # distance of the two laws; a single draw of this width is about as far from the mean of three
    assert np.abs(found - mean).mean() < 0.05 * mean.mean()
    kappa = np.quantile(mean, [0.1, 0.5, 0.9])[:, None]
    df1 = np.sum(found / (found + kappa), axis=1) / np.sum(mean / (mean + kappa), axis=1)
    np.testing.assert_allclose(df1, 1.0, atol=0.02)


@pytest.mark.parametrize(
    ("shorthand", "written_out"),
    [
        (None, [white(30), white(50), white(40)]),
        (0.7, [power_law(30, 0.7), power_law(50, 0.7), power_law(40, 0.7)]),
        ([0.2, None, np.arange(40.0)], [power_law(30, 0.2), white(50), np.arange(40.0)]),
        ((2 * np.eye(30), 1, -0.5), [np.full(30, 2.0), power_law(50, 1.0), power_law(40, -0.5)]),
    ],
)
def test_covariances_may_be_in_the_shorthand_of_random_features(shorthand, written_out):
    """What each entry means is what RandomDeepFeatures draws rows from."""
    sizes, inputs = (50, 40, 35), power_law(30, 0.4) * 30
    written = {"hidden_layer_sizes": sizes}
    np.testing.assert_allclose(
        annealed_spectrum(shorthand, ["tanh", "relu", "erf"], inputs, **written),
        annealed_spectrum(written_out, ["tanh", "relu", "erf"], inputs, 35),
        rtol=1e-12,
        atol=1e-12,
    )
    short = annealed_constants(shorthand, "gelu", inputs, **written)
    for name, values in annealed_constants(written_out, "gelu", inputs)._asdict().items():
        np.testing.assert_allclose(getattr(short, name), values, rtol=1e-12)


def test_one_width_describes_one_layer():
    found = annealed_spectrum(0.3, "tanh", np.ones(20), hidden_layer_sizes=15)
    expected = annealed_spectrum([power_law(20, 0.3)], "tanh", np.ones(20), 15)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_covariance_that_depends_on_drawn_weights_is_refused():
    with pytest.raises(TypeError, match=r"weight_covariances\[1\] is a function of drawn weights"):
        annealed_spectrum(
            [None, lambda earlier: None], "tanh", np.ones(3), hidden_layer_sizes=(5, 4)
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: annealed_constants([white(3)], "tanh", np.ones(4)),
            r"weight_covariances\[0\] has",
        ),
        (lambda: annealed_constants([-white(3)], "tanh", np.ones(3)), "not negative"),
        (lambda: annealed_constants([], "tanh", np.ones(3)), "must be a list"),
        (lambda: annealed_constants([white(3)], ["tanh"] * 2, np.ones(3)), "2 entries for 1"),
        (lambda: annealed_spectrum([white(3)], "tanh", np.ones(3), 0), "n_units=0"),
        (lambda: annealed_spectrum([white(3)], "tanh", np.ones(3)), "n_units=None must be"),
        (lambda: annealed_spectrum(0.5, "tanh", np.ones(3), 4), "needs hidden_layer_sizes"),
        (
            lambda: annealed_spectrum([white(3), 0.5], "tanh", np.ones(3), 4),
            r"weight_covariances\[1\]=0\.5 is no array: .* hidden_layer_sizes",
        ),
        (
            lambda: annealed_spectrum(None, "tanh", np.ones(3), 4, hidden_layer_sizes=(4,)),
            "say the width of the last layer twice",
        ),
        (
            lambda: annealed_spectrum([0.5], "tanh", np.ones(3), hidden_layer_sizes=(5, 4)),
            "a list of 1 entries, but hidden_layer_sizes describes 2 layers",
        ),
        (
            lambda: annealed_spectrum(white(3), "tanh", np.ones(3), hidden_layer_sizes=(5, 4)),
            r"weight_covariances must be None, .* the layer has 5 inputs",
        ),
        (
            lambda: annealed_constants(np.inf, "tanh", np.ones(3), hidden_layer_sizes=4),
            "an exponent must be finite",
        ),
        (
            lambda: annealed_constants(True, "tanh", np.ones(3), hidden_layer_sizes=4),
            "weight_covariances must be None, an exponent",
        ),
        (
            lambda: annealed_constants(None, "tanh", np.ones(3), hidden_layer_sizes=(4, 0)),
            r"hidden_layer_sizes=\(4, 0\) must be a positive integer",
        ),
        (
            lambda: annealed_cross_constants(
                [white(3)], [white(3)] * 2, [white(3)], "tanh", "tanh", np.ones(3)
            ),
            "give as many",
        ),
        (
            lambda: annealed_cross_constants(
                [white(3)], [white(3)], [white(2)], "tanh", "tanh", np.ones(3)
            ),
            r"cross_weight_covariances\[0\] must be finite, of shape \(3, 3\)",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
