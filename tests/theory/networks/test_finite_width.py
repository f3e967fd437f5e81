"""Higher cumulants of pre-activations: a slow reference, invariances, Monte Carlo."""

import numpy as np
import pytest
from test_rainbow import beyond_floor, close, draw, networks, sample_halves

from sk_deepfeat.activations import gelu, relu, softplus, tanh
from sk_deepfeat.theory import activation_moments, bivariate_covariance, rainbow_covariances
from sk_deepfeat.theory.networks.cumulants import Source, excess, gain, third_cumulants, unit_series
from sk_deepfeat.theory.networks.layer_covariances import preactivation

P, K = 7, 5


def joint_law(p, k, seed=0, share=0.8):
    """Pre-activations of two layers: rows of equal index alike, all others weakly correlated."""
    rng = np.random.default_rng(seed)
    rows = np.linalg.qr(rng.normal(size=(12, 12)))[0][:, :p].T + 0.1 * rng.normal(size=(p, 12))
    others = (
        share * rows[:k] + np.sqrt(1 - share**2) * np.linalg.qr(rng.normal(size=(12, 12)))[0][:k]
    )
    return rows @ rows.T, rows @ others.T, others @ others.T, rng.normal(size=p), rng.normal(size=k)


def source(f, g, n_paired, p=P, k=K):
    own, cross, other, mean, other_mean = joint_law(p, k)
    rng = np.random.default_rng(1)
    sides = [
        preactivation(h, m, np.diagonal(c), "per-unit")
        for h, m, c in ((f, mean, own), (g, other_mean, other))
    ]
    maps = rng.normal(size=(3, p)), rng.normal(size=(4, k))
    return Source(*map(unit_series, sides), own, cross, n_paired, *maps), sides


def slow_third(s, sides, derivatives):
    """Σ_abc W_ia W_ib V_jc κ(φ_a, φ_b, φ̃_c), every κ by itself."""
    f, g = sides[0].activation, sides[1].activation
    df, dg = derivatives
    m, t = sides[0].mean, sides[0].std
    n, u = sides[1].mean, sides[1].std
    d, e = sides[0].moments.slope, sides[1].moments.slope
    h = [activation_moments(df, *law).slope for law in zip(m, t, strict=True)]
    k = [activation_moments(dg, *law).slope for law in zip(n, u, strict=True)]
    own, cross = s.own, s.cross
    kappa = np.empty((len(own), *cross.shape))
    for a in range(len(own)):
        mean = sides[0].moments.mean[a]

        def square(x, mean=mean):
            return (f(x) - mean) ** 2

        for b in range(len(own)):
            for c in range(cross.shape[1]):
                first, second = c == a < s.n_paired, c == b < s.n_paired
                laws = m[a], t[a], g, n[c], u[c], cross[a, c]
                if a == b and first:
                    kappa[a, b, c] = bivariate_covariance(square, *laws)
                elif a == b:
                    slope = activation_moments(square, m[a], t[a]).slope
                    kappa[a, b, c] = slope * e[c] * cross[a, c] + k[c] * (d[a] * cross[a, c]) ** 2
                elif first or second:
                    p, q = (a, b) if first else (b, a)  # p is paired with c
                    laws = m[p], t[p], n[c], u[c], cross[p, c]
                    one = bivariate_covariance(df, *laws[:2], g, *laws[2:])
                    two = bivariate_covariance(f, *laws[:2], dg, *laws[2:])
                    kappa[a, b, c] = d[q] * (one * own[p, q] + two * cross[q, c])
                    kappa[a, b, c] += h[q] * d[p] * e[c] * own[p, q] * cross[q, c]
                else:
                    kappa[a, b, c] = (
                        h[a] * d[b] * e[c] * own[a, b] * cross[a, c]
                        + h[b] * d[a] * e[c] * own[a, b] * cross[b, c]
                        + k[c] * d[a] * d[b] * cross[a, c] * cross[b, c]
                    )
    return np.einsum("ia,ib,jc,abc->ij", s.left, s.left, s.right, kappa)


def softplus_slope(x):
    return softplus.derivative(x)


def tanh_slope(x):
    return tanh.derivative(x)


def gelu_slope(x):
    return gelu.derivative(x)


@pytest.mark.parametrize("n_paired", [0, 3, K])
@pytest.mark.parametrize(
    ("f", "g", "derivatives"),
    [
        (softplus, gelu, (softplus_slope, gelu_slope)),
        (gelu, tanh, (gelu_slope, tanh_slope)),
    ],
)
def test_third_cumulants_agree_with_the_sum_over_triples(f, g, derivatives, n_paired):
    s, sides = source(f, g, n_paired)
    np.testing.assert_allclose(
        third_cumulants(s), slow_third(s, sides, derivatives), rtol=1e-4, atol=1e-4
    )


def test_third_cumulants_of_few_units():
    s, sides = source(softplus, gelu, 1, 2, 2)
    slow = slow_third(s, sides, (softplus_slope, gelu_slope))
    np.testing.assert_allclose(third_cumulants(s), slow, rtol=1e-4, atol=1e-4)


def test_excess_agrees_with_the_sum_over_pairs():
    s, sides = source(softplus, gelu, 3)
    rng = np.random.default_rng(2)
    features = rng.normal(size=(P, K))
    thirds, q = (rng.normal(size=(P, K)), rng.normal(size=(K, P))), 0.3
    w, v = np.mean(s.left**2, axis=0), np.mean(s.right**2, axis=0)
    total = 0.0
    for a in range(P):
        for c in range(K):
            means = sides[0].moments.mean[a], sides[1].moments.mean[c]

            def one(x, mean=means[0]):
                return (softplus(x) - mean) ** 2

            def two(x, mean=means[1]):
                return (gelu(x) - mean) ** 2

            laws = (sides[0].mean[a], sides[0].std[a]), (sides[1].mean[c], sides[1].std[c])
            slopes = (
                activation_moments(one, *laws[0]).slope,
                activation_moments(two, *laws[1]).slope,
            )
            bends = [
                s.first.derivative(2, square=True)[a],
                s.second.derivative(2, square=True)[c],
            ]
            rho = s.cross[a, c]
            if a == c < 3:
                between = float(bivariate_covariance(one, *laws[0], two, *laws[1], rho))
            else:
                between = slopes[0] * slopes[1] * rho + 0.5 * bends[0] * bends[1] * rho**2
            between += 0.5 * bends[0] * slopes[1] * thirds[0][a, c]
            between += 0.5 * bends[1] * slopes[0] * thirds[1][c, a]
            between += 0.25 * bends[0] * bends[1] * (laws[0][1] * laws[1][1]) ** 2 * q
            total += w[a] * v[c] * (between - 2 * features[a, c] ** 2)
    assert excess(s, features, thirds, q) == pytest.approx(total, rel=1e-4)


def test_common_scale():
    """Independent units times one random scale: Cov(f(g_i), f(g_j)) is the variance of E[f | S]."""
    spread = 0.02
    side = preactivation(softplus, np.array([0.3, -0.5]), np.array([1.0, 0.64]), "per-unit")
    scales = np.sqrt(1.0 + spread * np.array([-1.0, 1.0]))
    means = [activation_moments(softplus, side.mean, scale * side.std).mean for scale in scales]
    expected = np.prod((means[1] - means[0]) / 2)
    series = unit_series(side)
    found = gain(series, series, (np.zeros((2, 2)), np.zeros((2, 2))), spread**2)
    assert found[0, 1] == pytest.approx(expected, rel=1e-3)


def test_skewed_units():
    """g = a x + ε x y and g̃ = y have κ(g, g, g̃) = 2aε and no covariance."""
    series = unit_series(preactivation(gelu, np.array([0.2]), np.array([0.9]), "per-unit"))
    line = unit_series(preactivation(np.positive, np.zeros(1), np.ones(1), "per-unit"))
    strength = 0.01
    a = np.sqrt(0.9 - strength**2)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    x, y = np.meshgrid(nodes, nodes, indexing="ij")
    exact = weights @ (gelu(0.2 + a * x + strength * x * y) * y) @ weights
    thirds = np.array([[2 * a * strength]]), np.zeros((1, 1))
    assert gain(series, line, thirds, 0.0)[0, 0] == pytest.approx(exact, rel=2e-3)
    assert gain(line, series, thirds[::-1], 0.0)[0, 0] == pytest.approx(exact, rel=2e-3)


SIGMA = np.linspace(0.5, 1.5, 10)


def test_one_layer_has_nothing_to_add():
    weights, teacher = draw(0, ((12, 10),)), draw(1, ((9, 10),))
    for method in ("per-unit", "hermite"):
        options = {"teacher_weights": teacher, "method": method}
        plain = rainbow_covariances(weights, "relu", SIGMA, **options)
        close(rainbow_covariances(weights, "relu", SIGMA, finite_width=True, **options), plain)


def test_odd_activations_of_centred_inputs_have_nothing_to_add():
    plain = rainbow_covariances(draw(), "tanh", SIGMA, teacher_weights=draw(1))
    found = rainbow_covariances(draw(), "tanh", SIGMA, teacher_weights=draw(1), finite_width=True)
    close(found, plain, atol=1e-9)


WIDE = ((60, 50), (55, 60), (50, 55))


@pytest.mark.parametrize("name", ["relu", "softplus", "gelu"])
def test_a_teacher_that_is_the_learner(name):
    weights = draw(0, WIDE)
    found = rainbow_covariances(
        weights, name, np.ones(50), teacher_weights=weights, finite_width=True
    )
    alone = rainbow_covariances(weights, name, np.ones(50), finite_width=True)
    np.testing.assert_allclose(found.feature_covariance, alone.feature_covariance, atol=1e-6)
    np.testing.assert_allclose(found.cross_covariance, alone.feature_covariance, atol=1e-6)


def test_learner_and_teacher_change_places():
    weights, teacher = draw(0, WIDE), draw(1, ((40, 50), (45, 40), (40, 45)))
    teacher[0][:20] = weights[0][:20]
    one = rainbow_covariances(
        weights,
        "relu",
        np.ones(50),
        teacher_weights=teacher,
        teacher_activations="gelu",
        finite_width=True,
    )
    other = rainbow_covariances(
        teacher,
        "gelu",
        np.ones(50),
        teacher_weights=weights,
        teacher_activations="relu",
        finite_width=True,
    )
    np.testing.assert_allclose(other.cross_covariance, one.cross_covariance.T, atol=1e-10)


def test_hidden_units_may_be_permuted_and_relu_scaled():
    weights, order = draw(0, WIDE), np.random.default_rng(2).permutation(60)
    options = {"finite_width": True, "method": "hermite"}
    expected = rainbow_covariances(weights, "relu", np.ones(50), **options).feature_covariance
    mixed = [weights[0][order], weights[1][:, order], weights[2]]
    found = rainbow_covariances(mixed, "relu", np.full(50, 1e-6), **options).feature_covariance
    np.testing.assert_allclose(1e6 * found, expected, atol=1e-10)


def test_unequal_depth():
    """The shorter network goes on as the identity, whichever it is."""
    weights, teacher = draw(0, WIDE), draw(1, ((40, 50),))
    options = {"finite_width": True}
    found = rainbow_covariances(weights, relu, np.ones(50), teacher_weights=teacher, **options)
    mirrored = rainbow_covariances(teacher, relu, np.ones(50), teacher_weights=weights, **options)
    np.testing.assert_allclose(found.cross_covariance, mirrored.cross_covariance.T, atol=1e-10)
    plain = rainbow_covariances(teacher, relu, np.ones(50))
    np.testing.assert_allclose(found.teacher_covariance, plain.feature_covariance, atol=1e-10)
    np.testing.assert_allclose(found.teacher_mean, plain.feature_mean)


@pytest.mark.parametrize(
    ("name", "depth", "inputs", "weights", "share", "bounds"),
    [
        # errors beyond the floor at width 150 without and with the higher cumulants
        ("relu", 2, "white", "white", 0.5, (0.1, 0.025)),
        ("relu", 3, "white", "white", 1.0, (0.12, 0.05)),
        ("gelu", 2, "power law", "white", 0.0, (0.11, 0.05)),
        ("softplus", 2, "white", "white", 0.5, (0.02, 0.01)),
    ],
)
def test_monte_carlo(name, depth, inputs, weights, share, bounds):
    learner, teacher, spectrum = networks(inputs, weights, share, depth)
    halves = sample_halves(learner, teacher, spectrum, name)
    options = {"teacher_weights": teacher, "method": "hermite"}
    plain = rainbow_covariances(learner, name, spectrum, **options)
    found = rainbow_covariances(learner, name, spectrum, finite_width=True, **options)
    assert max(beyond_floor(plain, halves)) > bounds[0]
    assert max(beyond_floor(found, halves)) < bounds[1]


@pytest.mark.parametrize("name", ["relu", "gelu", "softplus"])
def test_narrow_networks_still_belong_to_a_population(name):
    weights, teacher = draw(), draw(1)
    teacher[0][:6] = weights[0][:6]
    found = rainbow_covariances(weights, name, SIGMA, teacher_weights=teacher, finite_width=True)
    joint = np.block(
        [
            [found.feature_covariance, found.cross_covariance],
            [found.cross_covariance.T, found.teacher_covariance],
        ]
    )
    assert np.linalg.eigvalsh(joint)[0] > -1e-9 * np.trace(joint)


def test_averaged_is_refused():
    with pytest.raises(ValueError, match="finite_width=True needs another method"):
        rainbow_covariances(draw(), "relu", SIGMA, method="averaged", finite_width=True)


def growing(x):
    """E f² is finite for standard deviations to 1.29, E f⁴ to 0.91."""
    return np.exp(0.15 * np.square(x))


def test_fourth_moments_are_needed_of_layers_that_others_follow():
    weights = [np.eye(6), np.full((4, 6), 0.4)]
    with pytest.raises(ValueError, match=r"finite_width=True needs E f⁴ of activation=.*growing"):
        rainbow_covariances(weights, [growing, "tanh"], np.ones(6), finite_width=True)
    found = rainbow_covariances([np.eye(6)], growing, np.ones(6), finite_width=True)
    plain = rainbow_covariances([np.eye(6)], growing, np.ones(6))
    np.testing.assert_allclose(found.feature_covariance, plain.feature_covariance)
