"""Covariances of deep networks: identities, invariances, limits, a slow reference, Monte Carlo."""

import numpy as np
import pytest

from sk_deepfeat.activations import as_activation
from sk_deepfeat.activations.piecewise_linear import LeakyReLU
from sk_deepfeat.plugins import available, resolve
from sk_deepfeat.theory import activation_moments, bivariate_covariance, rainbow_covariances

NAMES = available("activations")
METHODS = ("per-unit", "hermite", "closed-form", "averaged")
SHAPES = ((12, 10), (9, 12), (11, 9))


def draw(seed=0, shapes=SHAPES):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) / np.sqrt(shape[1]) for shape in shapes]


def random_covariance(size, seed=0):
    root = np.random.default_rng(seed).normal(size=(size, 2 * size)) / np.sqrt(2 * size)
    return root @ root.T


SIGMA = random_covariance(10)
MEAN = np.random.default_rng(5).normal(size=10)


def close(found, expected, **tolerance):
    for name, a, b in zip(found._fields, found, expected, strict=True):
        if a is None:
            assert b is None, name
        else:
            np.testing.assert_allclose(a, b, err_msg=name, **({"atol": 1e-12} | tolerance))


@pytest.mark.parametrize("method", METHODS)
def test_linear_networks_are_exact(method):
    weights, teacher = draw(), draw(1, ((7, 10), (6, 7)))
    biases = None if method == "averaged" else [np.ones(12), None, np.arange(11.0)]
    mean = np.zeros(10) if method == "averaged" else MEAN
    found = rainbow_covariances(
        weights,
        "identity",
        SIGMA,
        teacher_weights=teacher,
        biases=biases,
        input_mean=mean,
        method=method,
    )
    left, right = np.linalg.multi_dot(weights[::-1]), teacher[1] @ teacher[0]
    offset = 0.0 if biases is None else weights[2] @ weights[1] @ biases[0] + biases[2]
    expected = (left @ SIGMA @ left.T, left @ SIGMA @ right.T, right @ SIGMA @ right.T)
    close(found, (*expected, left @ mean + offset, right @ mean))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", METHODS)
def test_a_teacher_that_is_the_learner(name, method):
    """Every covariance is the same one: the cross term of paired rows carries it."""
    if method == "closed-form" and name in ("tanh", "sigmoid", "softplus"):
        pytest.skip("no closed form")
    weights = draw()
    found = rainbow_covariances(weights, name, SIGMA, teacher_weights=weights, method=method)
    np.testing.assert_allclose(found.cross_covariance, found.feature_covariance, atol=1e-11)
    np.testing.assert_array_equal(found.teacher_covariance, found.feature_covariance)
    np.testing.assert_array_equal(found.teacher_mean, found.feature_mean)


@pytest.mark.parametrize("method", ["per-unit", "hermite", "averaged"])
def test_learner_and_teacher_change_places(method):
    weights, teacher = draw(), draw(1, ((9, 10), (12, 9), (8, 12)))
    options = {"method": method, "paired_rows": (5, 0, 8)}
    one = rainbow_covariances(
        weights, "relu", SIGMA, teacher_weights=teacher, teacher_activations="tanh", **options
    )
    other = rainbow_covariances(
        teacher, "tanh", SIGMA, teacher_weights=weights, teacher_activations="relu", **options
    )
    np.testing.assert_allclose(other.cross_covariance, one.cross_covariance.T, atol=1e-12)
    np.testing.assert_allclose(other.feature_covariance, one.teacher_covariance, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_order_of_hidden_units_does_not_matter(method):
    weights, order = draw(), np.random.default_rng(2).permutation(12)
    mixed = [weights[0][order], weights[1][:, order], weights[2]]
    found = rainbow_covariances(mixed, "relu", SIGMA, method=method)
    expected = rainbow_covariances(weights, "relu", SIGMA, method=method)
    np.testing.assert_allclose(found.feature_covariance, expected.feature_covariance, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_relu_is_homogeneous(method, scale):
    weights = draw()
    found = rainbow_covariances(weights, "relu", scale**2 * SIGMA, method=method)
    expected = rainbow_covariances(weights, "relu", SIGMA, method=method)
    np.testing.assert_allclose(
        found.feature_covariance / scale**2, expected.feature_covariance, atol=1e-12
    )
    np.testing.assert_allclose(found.feature_mean / scale, expected.feature_mean, atol=1e-12)


def test_series_end_with_the_fourth_order_unless_told_otherwise():
    found = rainbow_covariances(draw(), "gelu", SIGMA, method="hermite")
    close(found, rainbow_covariances(draw(), "gelu", SIGMA, method="hermite", order=4))


def test_first_order_is_per_unit():
    weights, teacher = draw(), draw(3)
    options = {"teacher_weights": teacher, "biases": [np.ones(12), None, None]}
    first = rainbow_covariances(weights, "gelu", SIGMA, method="hermite", order=1, **options)
    close(first, rainbow_covariances(weights, "gelu", SIGMA, **options))


@pytest.mark.parametrize("name", ["relu", "gelu", "erf", "sin", "leaky_relu"])
def test_high_order_tends_to_the_closed_form(name):
    # correlations of the pre-activations below 0.7, so that the series converges
    weights, sigma = draw(4, ((12, 40), (9, 12))), np.eye(40)
    options = {"input_mean": np.random.default_rng(0).normal(size=40)}
    closed = rainbow_covariances(weights, name, sigma, method="closed-form", **options)
    errors = []
    for order in (2, 6, 30):
        found = rainbow_covariances(weights, name, sigma, method="hermite", order=order, **options)
        errors.append(np.abs(found.feature_covariance - closed.feature_covariance).max())
    assert errors[2] < 1e-6
    assert errors[2] < errors[1] < errors[0]


@pytest.mark.parametrize("name", ["tanh", "erf", "sign", "sin"])
def test_averaged_is_per_unit_for_odd_units_of_equal_variance(name):
    rng = np.random.default_rng(0)
    rows, _ = np.linalg.qr(rng.normal(size=(10, 10)))
    teacher = (rows + np.roll(rows, 1, axis=0)) / np.sqrt(2)
    options = {"teacher_weights": [teacher]}
    averaged = rainbow_covariances([rows], name, np.ones(10), method="averaged", **options)
    close(averaged, rainbow_covariances([rows], name, np.ones(10), **options), atol=1e-9)


def test_diagonal_and_full_input_covariance_agree():
    weights, diagonal = draw(), np.arange(1.0, 11.0)
    options = {"teacher_weights": draw(1), "method": "hermite"}
    found = rainbow_covariances(weights, "relu", diagonal, **options)
    close(found, rainbow_covariances(weights, "relu", np.diag(diagonal), **options))


def test_functions_objects_and_names_mix():
    weights = draw()
    named = rainbow_covariances(weights, ["tanh", "relu", "softplus"], SIGMA)
    objects = [np.tanh, LeakyReLU(0.0), as_activation(resolve("activations", "softplus"))]
    close(rainbow_covariances(weights, objects, SIGMA), named, atol=1e-9)


def test_units_without_input():
    """A row of zeros is a constant feature: no variance, no covariance, its value as mean."""
    weights = draw()
    weights[0][3] = 0.0
    biases = [np.full(12, 0.5), None, None]
    for method in ("per-unit", "hermite", "closed-form"):
        found = rainbow_covariances(weights[:1], "relu", SIGMA, biases=biases[:1], method=method)
        np.testing.assert_allclose(found.feature_covariance[3], 0.0, atol=1e-12)
        assert found.feature_mean[3] == pytest.approx(0.5)
        for finite_width in (False, True):
            deep = rainbow_covariances(
                weights, "gelu", SIGMA, biases=biases, method=method, finite_width=finite_width
            )
            assert np.all(np.isfinite(deep.feature_covariance))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", METHODS)
def test_covariances_belong_to_a_population(name, method):
    """[[Ω, Ω_×], [Ω_×ᵀ, Ψ]] is positive semi-definite."""
    weights, teacher = draw(), draw(1)
    teacher[0][:6] = weights[0][:6]
    if method == "closed-form" and name in ("tanh", "sigmoid", "softplus"):
        pytest.skip("no closed form")
    found = rainbow_covariances(weights, name, SIGMA, teacher_weights=teacher, method=method)
    joint = np.block(
        [
            [found.feature_covariance, found.cross_covariance],
            [found.cross_covariance.T, found.teacher_covariance],
        ]
    )
    lowest = np.linalg.eigvalsh(joint)[0]
    assert lowest > (-1e-9 if method in ("per-unit", "closed-form") else -1e-2)


def slow(weights, biases, teacher, teacher_biases, f, g, sigma, mean, n_paired):
    """Per-unit linearisation entry by entry, by the definitions."""
    own, other, cross = sigma, sigma, sigma
    m, n = mean, mean
    for depth, (W, V) in enumerate(zip(weights, teacher, strict=True)):
        first = [(w @ m + b, np.sqrt(w @ own @ w)) for w, b in zip(W, biases[depth], strict=True)]
        second = [
            (v @ n + b, np.sqrt(v @ other @ v))
            for v, b in zip(V, teacher_biases[depth], strict=True)
        ]
        a = [activation_moments(f, *law) for law in first]
        c = [activation_moments(g, *law) for law in second]
        new_own, new_other = np.empty((len(W),) * 2), np.empty((len(V),) * 2)
        new_cross = np.empty((len(W), len(V)))
        for i, w in enumerate(W):
            for j, v in enumerate(W):
                linear = a[i].slope * a[j].slope * (w @ own @ v)
                new_own[i, j] = a[i].variance if i == j else linear
            for j, v in enumerate(V):
                between = w @ cross @ v
                new_cross[i, j] = a[i].slope * c[j].slope * between
                if i == j < n_paired[depth]:
                    new_cross[i, j] = bivariate_covariance(f, *first[i], g, *second[j], between)
        for i, w in enumerate(V):
            for j, v in enumerate(V):
                linear = c[i].slope * c[j].slope * (w @ other @ v)
                new_other[i, j] = c[i].variance if i == j else linear
        own, other, cross = new_own, new_other, new_cross
        m = np.array([moments.mean for moments in a])
        n = np.array([moments.mean for moments in c])
    return own, cross, other, m, n


@pytest.mark.parametrize("names", [("relu", "gelu"), ("tanh", "softplus"), ("sign", "relu")])
@pytest.mark.parametrize("paired", [(12, 9), (0, 0), (5, 2)])
def test_slow_reference(names, paired):
    rng = np.random.default_rng(0)
    weights, teacher = draw(0, ((12, 10), (9, 12))), draw(1, ((13, 10), (10, 13)))
    teacher[0][:5] = weights[0][:5] + 0.3 * teacher[0][:5]
    biases = [rng.normal(size=12), rng.normal(size=9)]
    teacher_biases = [rng.normal(size=13), np.zeros(10)]
    f, g = (resolve("activations", name) for name in names)
    found = rainbow_covariances(
        weights,
        names[0],
        SIGMA,
        teacher_weights=teacher,
        teacher_activations=names[1],
        paired_rows=paired,
        biases=biases,
        teacher_biases=[teacher_biases[0], None],
        input_mean=MEAN,
    )
    close(
        found,
        slow(weights, biases, teacher, teacher_biases, f, g, SIGMA, MEAN, paired),
        atol=1e-9,
    )


@pytest.mark.parametrize("method", METHODS)
def test_unequal_depth_is_padding_by_the_identity(method):
    weights, teacher = draw(), draw(1, ((9, 10),))
    name = "erf" if method == "averaged" else "relu"
    padded = rainbow_covariances(
        weights,
        name,
        SIGMA,
        teacher_weights=[*teacher, np.eye(9), np.eye(9)],
        teacher_activations=[name, "identity", "identity"],
        method="per-unit" if method == "closed-form" else method,
        paired_rows=(9, 0, 0),
    )
    found = rainbow_covariances(weights, name, SIGMA, teacher_weights=teacher, method=method)
    if method == "closed-form":
        np.testing.assert_allclose(found.teacher_mean, padded.teacher_mean, atol=1e-12)
        swapped = rainbow_covariances(
            teacher, name, SIGMA, teacher_weights=weights, method=method
        ).cross_covariance
        np.testing.assert_allclose(found.cross_covariance, swapped.T, atol=1e-12)
    else:
        close(found, padded)


# Ten rows of the table in docs/tables: activation, depth, inputs, weights, share of the teacher's
# weights, and the errors of "per-unit" in Ω, Ω_× and Ψ beyond the floor at width 150. Errors beyond
# the floor fall like one over the root of the width.
ROWS = [
    ("tanh", 1, "white", "white", 0.5, 0.03),
    ("tanh", 3, "white", "structured", 1.0, 0.09),
    ("erf", 2, "power law", "white", 0.0, 0.11),
    ("sign", 1, "white", "white", 1.0, 0.05),
    ("relu", 1, "white", "white", 0.5, 0.08),
    ("relu", 2, "white", "white", 0.5, 0.2),
    ("relu", 1, "power law", "structured", 1.0, 0.12),
    ("gelu", 2, "white", "white", 0.0, 0.25),
    ("leaky_relu", 2, "white", "structured", 1.0, 0.22),
    ("softplus", 3, "white", "white", 0.5, 0.09),
]
WIDTH, N_SAMPLES = 150, 20_000


def networks(inputs, weights, share, depth):
    rng = np.random.default_rng(1)
    spectrum = np.arange(1.0, WIDTH + 1) ** (-0.7 if inputs == "power law" else 0.0)
    spectrum /= spectrum.mean()
    learner, teacher = [], []
    for layer in range(depth):
        rows = np.eye(WIDTH)
        if weights == "structured" and layer:
            values, vectors = np.linalg.eigh(learner[-1] @ learner[-1].T + 0.5 * rows)
            rows = (vectors / np.sqrt(values)) @ vectors.T
        elif weights == "structured":
            rows = np.diag(np.arange(1.0, WIDTH + 1) ** -0.15)
        rows *= 1 / np.linalg.norm(rows * (np.sqrt(spectrum) if not layer else 1.0))
        learner.append(rng.normal(size=(WIDTH, WIDTH)) @ rows)
        fresh = rng.normal(size=(WIDTH, WIDTH)) @ rows
        teacher.append(share * learner[-1] + np.sqrt(1 - share**2) * fresh)
    return learner, teacher, spectrum


def sample_halves(learner, teacher, spectrum, name):
    """Return for each half of the samples Ω, Ω_×, Ψ and the means, and the means' deviations."""
    f, rng = resolve("activations", name), np.random.default_rng(2)
    halves = []
    for _ in range(2):
        a = b = rng.normal(size=(N_SAMPLES // 2, WIDTH)) * np.sqrt(spectrum)
        for W, V in zip(learner, teacher, strict=True):
            a, b = f(a @ W.T), f(b @ V.T)
        means = a.mean(axis=0), b.mean(axis=0)
        a, b = a - means[0], b - means[1]
        halves.append([*(x.T @ y / (len(a) - 1) for x, y in ((a, a), (a, b), (b, b))), *means])
    return halves


def beyond_floor(found, halves):
    """‖truth - found‖/‖truth‖ without the Monte-Carlo error: two halves have independent errors."""
    errors = []
    for guess, first, second in zip(found[:3], *(half[:3] for half in halves), strict=True):
        square = np.sum((first - guess) * (second - guess))
        errors.append(np.sqrt(max(square, 0.0)) / np.linalg.norm((first + second) / 2))
    return errors


@pytest.mark.parametrize(("name", "depth", "inputs", "weights", "share", "bound"), ROWS)
def test_monte_carlo(name, depth, inputs, weights, share, bound):
    learner, teacher, spectrum = networks(inputs, weights, share, depth)
    halves = sample_halves(learner, teacher, spectrum, name)
    options = {"teacher_weights": teacher}
    found = rainbow_covariances(learner, name, spectrum, **options)
    errors = beyond_floor(found, halves)
    assert max(errors) < bound
    if depth == 1:  # exact but for the terms beyond the order: the noise of the estimate remains
        series = rainbow_covariances(learner, name, spectrum, method="hermite", order=8, **options)
        assert max(beyond_floor(series, halves)) < 0.02
    for k, side in ((3, "feature"), (4, "teacher")):
        mean = (halves[0][k] + halves[1][k]) / 2
        variance = np.diagonal(getattr(found, f"{side}_covariance"))
        deviations = (mean - getattr(found, f"{side}_mean")) / np.sqrt(variance / N_SAMPLES)
        # one for unbiased means; deeper ones differ by O(1/width)
        assert np.sqrt(np.mean(deviations**2)) < (1.4 if depth == 1 else 3.0)


def test_per_unit_is_right_where_averaged_is_not():
    learner, teacher, spectrum = networks("white", "white", 0.5, 2)
    halves = sample_halves(learner, teacher, spectrum, "relu")
    averaged = rainbow_covariances(
        learner, "relu", spectrum, teacher_weights=teacher, method="averaged"
    )
    assert min(beyond_floor(averaged, halves)) > 0.4


W = np.eye(3)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([W], "relu", np.diag([1, 1, -1.0])), {}, "input_covariance must be positive semi-def"),
        (([W], "relu", 3), {}, r"or its diagonal, such as np.ones\(n_features\); got the number 3"),
        (([W], "relu", [1.0, 1.0, -1.0]), {}, "input_covariance, given as a diagonal"),
        (([W], "relu", W + np.triu(np.ones((3, 3)), 1)), {}, "input_covariance must be symmetric"),
        (([W], "relu", np.full((3, 3), np.nan)), {}, "input_covariance must be finite"),
        (([W, np.ones((2, 4))], "relu", W), {}, r"weights\[1\] must have shape \(units, 3\)"),
        (([np.ones((2, 4))], "relu", W), {}, r"weights\[0\] must have shape \(units, 3\)"),
        (([np.full((3, 3), np.inf)], "relu", W), {}, r"weights\[0\] and its biases must be finite"),
        (([], "relu", W), {}, "weights must be a list"),
        ((W, "relu", W), {}, "weights must be a list"),
        (([W], ["relu", "tanh"], W), {}, "activations has 2 entries for 1 layers"),
        (([W], "rulu", W), {}, "'rulu' is not a known name"),
        (([W], lambda x: np.exp(x**2), W), {}, "no finite second moment"),
        (([W], "tanh", W), {"method": "closed-form"}, "no closed form between activation="),
        (([W], "relu", W), {"method": "exact"}, "method='exact' must be one of"),
        (([W], "relu", W), {"method": "hermite", "order": 0}, "order=0"),
        (([W], "relu", W), {"method": "hermite", "order": 171}, "order=171.*at most 170"),
        (([W], "relu", W), {"biases": [np.ones(2)]}, r"biases\[0\] must have shape \(3,\)"),
        (([W], "relu", W), {"biases": [None, None]}, "biases has 2 entries"),
        (([W], "relu", W), {"input_mean": np.ones(2)}, r"input_mean must be finite, of shape"),
        (([W], "relu", W), {"teacher_activations": "relu"}, "need teacher_weights"),
        (([W], "relu", W), {"paired_rows": 1}, "paired_rows=1 needs teacher_weights"),
        (
            ([W], "relu", W),
            {"teacher_weights": [W[:2]], "paired_rows": 3},
            r"pairs 3 rows in layer 0.*3 rows and teacher_weights\[0\] has 2",
        ),
        (([W], "relu", W), {"teacher_weights": [W], "paired_rows": -1}, "between 0 and 3"),
        (([W], "relu", W), {"teacher_weights": [W], "paired_rows": [1, 1]}, "2 entries, but 1"),
        (
            ([W], "relu", W),
            {"teacher_weights": [np.ones((2, 5))]},
            r"teacher_weights\[0\] must have shape \(units, 3\)",
        ),
        (
            ([W], "relu", W),
            {"method": "averaged", "input_mean": np.ones(3)},
            "method='averaged' carries no means",
        ),
        (
            ([W], "relu", W),
            {"method": "averaged", "biases": [np.ones(3)]},
            "method='averaged' carries no means",
        ),
    ],
)
def test_bad_input(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        rainbow_covariances(*arguments, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"teacher_weights": [W], "paired_rows": np.array(1.5)}, r"paired_rows=array\(1\.5\) must"),
        ({"teacher_weights": [W], "paired_rows": 1.5}, r"paired_rows=1\.5 must be an int"),
        ({"teacher_weights": [W], "teacher_activations": 3}, "teacher_activations holds 3"),
    ],
)
def test_bad_types(options, message):
    with pytest.raises(TypeError, match=message):
        rainbow_covariances([W], "relu", W, **options)


def test_numbers_of_any_kind():
    """Lists of integers, and arrays that hold objects."""
    expected = rainbow_covariances(
        [2 * W, W[:2]],
        "relu",
        W,
        biases=[np.ones(3), None],
        input_mean=np.array([0.0, 1.0, 2.0]),
        method="hermite",
        order=1,
    )
    for kind in (np.ndarray.tolist, lambda values: values.astype(int).astype(object)):
        found = rainbow_covariances(
            [kind(2 * W), kind(W[:2])],
            "relu",
            kind(W),
            biases=[kind(np.ones(3)), None],
            input_mean=kind(np.array([0.0, 1.0, 2.0])),
            method="hermite",
            order=1,
        )
        close(found, expected)


def test_highest_order():
    found = rainbow_covariances([W], "relu", W, method="hermite", order=170)
    assert np.all(np.isfinite(found.feature_covariance))


@pytest.mark.parametrize("count", [2, np.int64(2), np.array(2), [2], np.array([2])])
def test_kinds_of_counts_of_paired_rows(count):
    expected = rainbow_covariances([W], "relu", W, teacher_weights=[W], paired_rows=(2,))
    found = rainbow_covariances([W], "relu", W, teacher_weights=[W], paired_rows=count)
    np.testing.assert_array_equal(found.cross_covariance, expected.cross_covariance)
