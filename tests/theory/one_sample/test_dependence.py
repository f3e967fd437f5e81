"""Signs of dependent rows: exact where they are computed, silent and heard where they decide."""

from functools import partial

import numpy as np
import pytest

from sk_deepfeat.theory import leave_one_out_residuals, ridge_factorization
from sk_deepfeat.theory.one_sample import centred_rows, dependence, left_out_sets
from sk_deepfeat.theory.one_sample.dependence import (
    RowDependence,
    describe,
    least_gcv_ridge,
    row_dependence,
)
from sk_deepfeat.theory.one_sample.left_out_sets import InfluenceMetric


def linear_rows(n, p, rng, noise=0.7):
    X = rng.normal(size=(n, p)) * np.arange(1, p + 1) ** -0.5
    coef = rng.normal(size=p)
    y = X @ coef / np.linalg.norm(coef * np.arange(1, p + 1) ** -0.5)
    return X, y + noise * rng.normal(size=n)


def grouped_rows(sizes, p, rng, share=0.7, effect=0.7, ordered=False):
    """Return features that share variance within groups, a target with a group effect, the group
    of each row, and the coefficients and the noise of the target."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    group = group if ordered else rng.permutation(group)
    scale = np.arange(1, p + 1) ** -0.5
    X = np.sqrt(share) * rng.normal(size=(len(sizes), p))[group]
    X = (X + np.sqrt(1.0 - share) * rng.normal(size=(group.size, p))) * scale
    coef = rng.normal(size=p)
    coef /= np.linalg.norm(coef * scale)
    y = X @ coef + effect * rng.normal(size=len(sizes))[group] + 0.7 * rng.normal(size=group.size)
    return X, y, group, coef, scale**2, effect**2 + 0.49


def walk(shape, rho, rng):
    steps = rng.normal(size=shape) * np.sqrt(1.0 - rho**2)
    for t in range(1, shape[0]):
        steps[t] += rho * steps[t - 1]
    return steps


def found_in(X, y, weights=None, alpha=0.1):
    return row_dependence(ridge_factorization(X, y, weights), alpha)


def residual_without(X, Y, weights, intercept, row, out, alpha):
    """Return the residual of a row by a refit without some rows, times the root of its weight."""
    weights = weights / weights.mean()
    kept = np.setdiff1d(np.arange(len(X)), out)
    w = weights[kept]
    x_mean = np.average(X[kept], axis=0, weights=w) if intercept else np.zeros(X.shape[1])
    y_mean = np.average(Y[kept], axis=0, weights=w) if intercept else np.zeros(Y.shape[1])
    A = (X[kept] - x_mean) * np.sqrt(w)[:, None]
    b = (Y[kept] - y_mean) * np.sqrt(w)[:, None]
    coef = np.linalg.solve(A.T @ A + alpha * np.eye(X.shape[1]), A.T @ b)
    return np.sqrt(weights[row]) * (Y[row] - y_mean - (X[row] - x_mean) @ coef)


@pytest.mark.parametrize("intercept", [True, False], ids=["intercept", "no intercept"])
@pytest.mark.parametrize("p", [12, 90])
def test_rows_left_out_with_a_set_have_the_error_of_a_refit(p, intercept):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, p)) + 0.3
    Y = X[:, :2] + rng.normal(size=(60, 2))
    weights = rng.uniform(0.3, 3.0, 60)
    factorization = ridge_factorization(X, Y, weights, fit_intercept=intercept)
    metric = InfluenceMetric(factorization, 2.0)
    sets = np.array([rng.permutation(60)[:9] for _ in range(5)])
    for alpha, answer in zip((2.0, 0.5), metric.left_out(sets, (2.0, 0.5)), strict=True):
        exact = np.array(
            [
                [
                    residual_without(X, Y, weights, intercept, s[0], s[: k + 1], alpha)
                    for k in range(9)
                ]
                for s in sets
            ]
        )
        first = np.square(exact[:, 0])
        exact = (np.square(exact) / first.mean(axis=0)).mean(axis=2)
        np.testing.assert_allclose(answer.error, exact, rtol=2e-3, atol=1e-4)
        whole = np.square(leave_one_out_residuals(factorization, alpha))[sets[:, 0]]
        np.testing.assert_allclose(first, whole, rtol=1e-9)


@pytest.mark.parametrize("p", [12, 90])
def test_leverage_of_rows_left_out_with_a_set(p):
    rng = np.random.default_rng(1)
    X, y = linear_rows(60, p, rng)
    sets = np.array([rng.permutation(60)[:7] for _ in range(4)])
    factorization = ridge_factorization(X, y, fit_intercept=False)
    answer = InfluenceMetric(factorization, 0.5).left_out(sets, (0.5,))[0]
    hat = X @ np.linalg.solve(X.T @ X + 0.5 * np.eye(p), X.T)
    cosines = hat / np.sqrt(np.multiply.outer(np.diag(hat), np.diag(hat)))
    for s, row, similarity in zip(sets, answer.leverage, answer.similarity, strict=True):
        np.testing.assert_allclose(similarity, cosines[s[0], s], atol=1e-5)
        for k in range(7):
            kept = np.delete(X, s[: k + 1], axis=0)
            x = X[s[0]]
            exact = x @ np.linalg.solve(kept.T @ kept + 0.5 * np.eye(p), x)
            assert np.exp(row[k]) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("p", [50, 400])
def test_nearest_rows_are_those_of_the_group(p):
    rng = np.random.default_rng(2)
    X, y, group, *_ = grouped_rows([5] * 60, p, rng)
    metric = InfluenceMetric(ridge_factorization(X, y), 1.0)
    rows = np.arange(40)
    near = metric.nearest(rows, 4, (3, 3))
    np.testing.assert_array_equal(near[:, 0], rows)
    assert all(np.unique(each).size == 5 for each in near)
    assert np.mean(group[near] == group[rows][:, None]) > 0.95


@pytest.mark.parametrize("p", [100, 800])
@pytest.mark.parametrize("sizes", [[2] * 250, [6] * 100, [30] * 40, [3] * 120 + [20] * 12])
def test_groups_are_heard_and_what_they_cost_is_told(sizes, p):
    rng = np.random.default_rng(3)
    X, y, _, coef, variance, noise = grouped_rows(sizes, p, rng, share=0.9, effect=1.0)
    factorization = ridge_factorization(X, y)
    alpha = 0.01 * factorization.eigenvalues[-1]
    found = row_dependence(factorization, alpha)
    fitted = factorization.coefs(found.ridge)[:, 0]
    truth = np.sum((fitted - coef) ** 2 * variance) + noise
    row_wise = np.mean(leave_one_out_residuals(factorization, found.ridge) ** 2)
    if truth / row_wise > 1.2:
        assert found.dependent and found.by == "neighbours"
        assert 0.7 < found.optimism / (truth / row_wise) < 1.4
        assert found.partners >= min(sizes) - 1
    else:
        assert p == 100 and sizes == [2] * 250  # hardly matters there


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_series_are_heard_by_their_order(rho):
    rng = np.random.default_rng(4)
    X = walk((600, 500), rho, rng)
    y = X[:, :20].sum(axis=1) + 4.0 * walk((600,), rho, rng)
    found = found_in(X, y, alpha=50.0)
    assert found.dependent and found.optimism > 1.2
    shuffled = rng.permutation(600)
    again = found_in(X[shuffled], y[shuffled], alpha=50.0)
    assert again.by != "order"


def test_sorted_groups_too_large_for_neighbours_are_heard_by_order():
    rng = np.random.default_rng(5)
    X, y, *_ = grouped_rows([60] * 12, 300, rng, share=0.5, effect=1.0, ordered=True)
    assert found_in(X, y).by == "order"


def test_near_duplicates_are_called_so():
    rng = np.random.default_rng(6)
    X, y = linear_rows(150, 300, rng)
    X = np.repeat(X, 2, axis=0) + 1e-3 * rng.normal(size=(300, 300))
    order = rng.permutation(300)
    found = found_in(X[order], (np.repeat(y, 2))[order], alpha=0.01)
    assert found.dependent and found.by == "duplicates" and found.optimism > 1.5


def test_repeated_measurements_at_equal_features_are_heard():
    rng = np.random.default_rng(7)
    subject = rng.permutation(np.repeat(np.arange(100), 4))
    X, y = linear_rows(100, 150, rng)
    found = found_in(X[subject], y[subject] + 0.3 * rng.normal(size=400), alpha=0.01)
    assert found.dependent and found.by == "duplicates"


def relu(Z, p, rng):
    return np.maximum(Z @ rng.normal(size=(Z.shape[1], p)), 0.0)


def discrete(rng, n=1500, p=400):
    factors = rng.integers(5, size=(n, 3))
    X = relu(np.hstack([np.eye(5)[factor] for factor in factors.T]), p, rng)
    return X, rng.normal(size=(5, 5))[factors[:, 0], factors[:, 1]] + 0.3 * rng.normal(size=n)


def bent(rng, n=500, p=700):
    Z = rng.normal(size=(n, 4))
    return relu(Z, p, rng), np.sin(2.0 * Z[:, 0]) + Z[:, 1] * Z[:, 2] + 0.1 * rng.normal(size=n)


def clusters(rng, n=400, p=300, sort=False):
    label = rng.integers(10, size=n)
    label = np.sort(label) if sort else label
    X = 2.0 * rng.normal(size=(10, p))[label] + rng.normal(size=(n, p))
    return X, rng.normal(size=10)[label] if sort else label % 2 + 0.3 * rng.normal(size=n)


def heavy_tails(rng, n=400, p=100):
    X = rng.standard_t(3, size=(n, p))
    return X, X[:, :9].sum(axis=1) + rng.standard_t(3, size=n)


def sorted_by_target(rng, n=500, p=3):
    X, y = linear_rows(n, p, rng)
    return X[np.argsort(y)], np.sort(y)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "draw",
    [
        partial(linear_rows, 30, 20),
        partial(linear_rows, 300, 500),
        partial(linear_rows, 2000, 100),
        heavy_tails,
        bent,
        discrete,
        clusters,
        partial(clusters, sort=True),
        sorted_by_target,
    ],
)
def test_silent_on_independent_rows(draw, seed):
    # The target says nothing of the draw: arguments come last in partial ones.
    rng = np.random.default_rng(100 + seed)
    X, y = draw(rng=rng)
    for ridge in (1e-3, 1.0):
        found = found_in(X, y, alpha=ridge)
        assert found == RowDependence(False, "", 1.0, found.ridge, 0)


@pytest.mark.parametrize("weighted", [False, True])
def test_equal_rows_are_chance_where_their_numbers_are_uneven(weighted):
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(60, 80))
    numbers = {"chance": rng.integers(60, size=300), "groups": np.repeat(np.arange(60), 5)}
    for name, drawn in numbers.items():
        X, y = rows[drawn], rng.normal(size=60)[drawn] + 0.1 * rng.normal(size=300)
        weights = rng.uniform(0.5, 2.0, 300) if weighted else None
        factorization = ridge_factorization(X, y, weights)
        metric = InfluenceMetric(factorization, 0.1)
        sets = metric.nearest(np.arange(300), 3, ())
        assert dependence._equal_by_chance(factorization, sets) == (name == "chance")


def test_rows_sorted_by_class_would_be_heard_but_for_their_targets(monkeypatch):
    factorization = ridge_factorization(*clusters(np.random.default_rng(9), sort=True))
    assert not row_dependence(factorization, 0.1).dependent
    monkeypatch.setattr(dependence, "_is_sorted", lambda *_: False)
    assert row_dependence(factorization, 0.1).by == "order"


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_one_sorted_target_of_several_with_weights_is_seen(direction):
    rng = np.random.default_rng(14)
    X, y = linear_rows(100, 5, rng)
    both = np.column_stack([y, direction * np.sort(rng.normal(size=100))])
    weights = rng.uniform(0.2, 3.0, 100)
    assert dependence._is_sorted(ridge_factorization(X, both, weights))
    assert not dependence._is_sorted(ridge_factorization(X, y, weights))


@pytest.mark.parametrize("seed", range(3))
def test_groups_of_many_sizes_are_heard_at_rows_not_in_the_mean(seed):
    rng = np.random.default_rng(20 + seed)
    sizes = np.round(np.exp(rng.normal(1.5, 1.0, 120))).astype(int) + 1
    X, y, *_ = grouped_rows(list(sizes), 200, rng, share=0.9, effect=0.7)
    found = found_in(X, y)
    assert found.dependent and found.by == "neighbours" and found.optimism > 1.5


def test_groups_that_cost_nothing_are_not_worth_a_warning():
    rng = np.random.default_rng(16)
    X, y, *_ = grouped_rows([2] * 600, 60, rng, share=0.9, effect=0.0)
    factorization = ridge_factorization(X, y)
    metric = InfluenceMetric(factorization, 1.0)
    leverage = metric.left_out(metric.nearest(np.arange(200), 63, (3, 3)), (1.0,))[0].leverage
    assert dependence._kink(leverage, 60).errors_from_bound > 2.0
    assert not row_dependence(factorization, 1.0).dependent


@pytest.mark.parametrize("size", [1e-4, 1.0])
def test_order_of_independent_rows_raises_leverages_as_any_rows_do(size):
    rng = np.random.default_rng(17)
    X, y = linear_rows(80, 40, rng)
    factorization = ridge_factorization(X, y)
    metric = InfluenceMetric(factorization, 1.0 / size)
    centres = np.arange(80)
    left_out = metric.left_out(dependence._stretches(80, centres, 6), (1.0 / size,))[0]
    assert dependence._order_sign(metric, centres, left_out).errors_from_bound < -2.0


def test_sharpened_neighbours_do_not_count_themselves():
    rng = np.random.default_rng(18)
    X, y = linear_rows(50, 80, rng)
    factorization = ridge_factorization(X, y)
    lam = factorization.eigenvalues
    points = factorization.left_vectors(slice(0, 50)) * np.sqrt(lam / (lam + 1.0))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    cosine = points @ points.T
    near = InfluenceMetric(factorization, 1.0).nearest(np.arange(50), 6, (3,))
    for i in range(50):
        some = np.argsort(-cosine[i])[:4]
        score = [np.sum(cosine[some[some != j], j]) / np.sum(some != j) for j in range(50)]
        score[i] = np.inf
        np.testing.assert_array_equal(near[i], np.argsort(-np.array(score))[:7])


def test_the_scale_of_weights_and_of_numbers_does_not_matter():
    rng = np.random.default_rng(10)
    X, y, *_ = grouped_rows([6] * 60, 300, rng)
    weights = rng.uniform(0.5, 2.0, 360)
    found = found_in(X, y, weights, alpha=1.0)
    scaled = row_dependence(ridge_factorization(30.0 * X, 5.0 * y, 7.0 * weights), 900.0)
    assert found.dependent
    assert scaled.optimism == pytest.approx(found.optimism, rel=1e-4)
    assert scaled.ridge == pytest.approx(900.0 * found.ridge)


def test_several_outputs_count_alike():
    rng = np.random.default_rng(11)
    X, y, *_ = grouped_rows([6] * 60, 300, rng)
    both = found_in(X, np.column_stack([y, 1000.0 * y]))
    assert both.optimism == pytest.approx(found_in(X, y).optimism, rel=1e-6)
    with_constant = found_in(X, np.column_stack([y, np.ones_like(y)]))
    assert with_constant.dependent


def test_nothing_to_find_in_few_rows_or_constant_numbers():
    rng = np.random.default_rng(12)
    X, y, *_ = grouped_rows([5] * 5, 10, rng)
    assert not found_in(X, y).dependent
    X, y, *_ = grouped_rows([5] * 30, 10, rng)
    assert not found_in(X, np.ones_like(y)).dependent
    assert not found_in(np.ones_like(X), y).dependent


def test_rows_that_are_interpolated_without_ridge():
    rng = np.random.default_rng(13)
    X, y, *_ = grouped_rows([6] * 50, 600, rng, share=0.9)
    found = found_in(X, y, alpha=0.0)
    assert found.dependent and np.isfinite(found.optimism)


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="ridge_factorization"):
        row_dependence(np.zeros((3, 3)), 1.0)
    factorization = ridge_factorization(*linear_rows(40, 3, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="ridge"):
        row_dependence(factorization, -1.0)


@pytest.mark.parametrize("by", ["order", "neighbours", "duplicates"])
def test_the_message_says_by_how_much_and_names_the_remedy(by):
    text = describe(RowDependence(True, by, 2.5, 1.0, 5))
    assert "2.5 times" in text and "60 %" in text and "groups=" in text and " 5 " in text
    assert ('groups="blocks"' in text) == (by == "order")
    assert text.startswith("Rows ") and text.endswith(".")


def test_no_message_about_independent_rows():
    assert describe(RowDependence(False, "", 1.0, 1.0, 0)) == ""


@pytest.mark.parametrize(("scale", "size"), [(1e-60, 1.0), (1e60, 1.0), (1.0, 1e120)])
@pytest.mark.filterwarnings("error")
def test_units_of_features_and_targets_do_not_count(scale, size):
    """Rows are compared in single precision, which ends at 1e38."""
    rng = np.random.default_rng(0)
    site = rng.permutation(np.repeat(np.arange(100), 6))
    X = rng.normal(size=(100, 200))[site] + 0.5 * rng.normal(size=(600, 200))
    y = X[:, 0] + rng.normal(size=100)[site] + rng.normal(size=600)
    plain = row_dependence(ridge_factorization(X, y), 1.0)
    scaled = row_dependence(ridge_factorization(scale * X, size * y), scale**2)
    assert plain.dependent
    assert (scaled.dependent, scaled.by) == (plain.dependent, plain.by)
    assert scaled.optimism == pytest.approx(plain.optimism, rel=1e-3)


def test_errors_of_many_outputs_are_the_mean_of_each_alone():
    """More outputs than rows in a set: their squares come from as many as there are rows."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(80, 20)), rng.normal(size=(80, 30)) * np.geomspace(1e-3, 1e3, 30)
    sets = np.stack([rng.permutation(80)[:6] for _ in range(5)])
    together = InfluenceMetric(ridge_factorization(X, Y), 3.0).left_out(sets, (3.0, 0.5))
    for k in range(2):
        alone = [
            InfluenceMetric(ridge_factorization(X, y), 3.0).left_out(sets, (3.0, 0.5))[k].error
            for y in Y.T
        ]
        np.testing.assert_allclose(together[k].error, np.mean(alone, axis=0), rtol=1e-4)
        np.testing.assert_allclose(together[k].error[:, 0].mean(), 1.0, rtol=1e-4)


def test_many_rows_are_taken_block_by_block_without_a_copy(monkeypatch):
    """The same points, nearest rows and errors as from a copy."""
    rng = np.random.default_rng(0)
    path = ridge_factorization(rng.normal(size=(300, 40)) + 2.0, rng.normal(size=300))
    found = []
    for most in (left_out_sets._COPIED_ENTRIES, 0):
        monkeypatch.setattr(left_out_sets, "_COPIED_ENTRIES", most)
        metric = InfluenceMetric(path, 1.0)
        sets = metric.nearest(np.arange(20), 5, (3,))
        found.append((metric.lengths, sets, metric.left_out(sets, (1.0,))[0].error))
        monkeypatch.setattr(centred_rows, "_FEW_ENTRIES", 0)
        monkeypatch.setattr(centred_rows, "_BLOCK_ENTRIES", 4000)
        path = ridge_factorization(path.features.given, path.targets[:, 0])
    for copied, by_blocks in zip(*found, strict=True):
        np.testing.assert_allclose(copied, by_blocks, rtol=1e-4)


def test_ridge_of_least_gcv_takes_each_output_in_its_own_units():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 30))
    Y = np.c_[X[:, 0] + 0.1 * rng.normal(size=80), rng.normal(size=80), np.zeros(80)]
    alone, together = (ridge_factorization(X, Y[:, :k]) for k in (1, 2))
    found = least_gcv_ridge(together)
    for unit in (1e-6, 1e6):
        assert least_gcv_ridge(ridge_factorization(X, Y * [unit, 1.0, 1.0])) == found
    assert least_gcv_ridge(alone) < found, "the second output is noise"

    def gcv(ridge):
        hat = X - X.mean(axis=0)
        hat = hat @ np.linalg.solve(hat.T @ hat + ridge * np.eye(30), hat.T)
        centred = Y[:, :2] - Y[:, :2].mean(axis=0)
        left = np.square(centred - hat @ centred).sum(axis=0) / np.square(centred).sum(axis=0)
        return left.mean() / (79 - np.trace(hat)) ** 2

    assert gcv(found) <= 1.01 * min(gcv(found * step) for step in np.geomspace(0.01, 100.0, 41))
    assert least_gcv_ridge(ridge_factorization(X, 0.0 * Y)) is None
