"""Error rates of classes: units, names and order, and what can be larger than what."""

from dataclasses import dataclass

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from random_examples import examples_times
from training_draws import KINDS, any_seed, rows_of, silently

from sk_deepfeat import DeterministicEquivalentRidgeClassifier

pytestmark = pytest.mark.random_examples

dear = examples_times(0.5)

METRICS = ("error_rate", "mse", "balanced_error", "log_loss")
ROUNDED = 1.0 + 1e-9


@dataclass(frozen=True)
class Classes:
    """Rows of classes, and the alpha they are fitted at."""

    X: np.ndarray
    y: np.ndarray
    alpha: float
    fit_intercept: bool

    @property
    def cells(self):
        n = len(self.X)
        scale = float(np.square(self.X).sum() / n)
        sizes = np.array([max(2, n // 4), n // 2, n, 2 * n], dtype=float)
        return sizes[:, None], scale * np.array([0.1, 1.0, 30.0])

    def fit(self, X=None, y=None, alpha=None, **options):
        model = DeterministicEquivalentRidgeClassifier(
            self.alpha if alpha is None else alpha, fit_intercept=self.fit_intercept, **options
        )
        X, y = self.X if X is None else X, self.y if y is None else y
        return silently(lambda: model.fit(X, y))


@st.composite
def classes(draw, kinds=KINDS):
    """Draw two or three classes, each of five rows at least, some further apart than others."""
    n, p = draw(st.integers(20, 40)), draw(st.integers(1, 12))
    K = draw(st.sampled_from([2, 3]))
    X = draw(rows_of(n, p, kinds))
    rng = np.random.default_rng(draw(any_seed))
    y = rng.permutation(np.r_[np.repeat(np.arange(K), 5), rng.integers(K, size=n - 5 * K)])
    X = X + draw(st.floats(0.0, 2.0)) * rng.normal(size=(K, p))[y]
    return Classes(X, y, 10.0 ** draw(st.floats(-2.0, 2.0)), draw(st.booleans()))


def answers(model, cells):
    """Return what a fitted classifier answers, by name."""
    n, alpha = cells
    found = {"kappa_": model.kappa_}
    for metric in METRICS[:2]:
        names = (metric, f"{metric} lower", f"{metric} upper")
        told = model.predict_test_error(n, alpha, metric=metric, return_interval=True)
        found.update(zip(names, told, strict=True))
        found[f"{metric} reachable"] = model.reachable(n, alpha, metric=metric)
    found["each"] = model.predict_class_errors(n, alpha).error
    found["score"] = model.predict_score(n, alpha)
    found["least"] = silently(lambda: model.predict_test_error(n[:, 0], "optimal"))
    found["train"] = model.train_error_
    found["test"] = model.test_error_
    return found


def assert_same(after, before, *, rtol, atol=0.0, of_X=1.0, but=()):
    for name in before.keys() - set(but):
        factor = of_X**2 if name == "kappa_" else 1.0
        np.testing.assert_allclose(
            after[name] / factor, before[name], rtol=rtol, atol=atol, err_msg=name
        )


@dear
@hypothesis.given(rows=classes(), power=st.floats(-6.0, 6.0))
def test_features_of_classes_in_other_units_change_alpha_alone(rows, power):
    factor, (n, alpha) = 10.0**power, rows.cells
    before = answers(rows.fit(), rows.cells)
    scaled = rows.fit(X=factor * rows.X, alpha=factor**2 * rows.alpha)
    after = answers(scaled, (n, factor**2 * alpha))
    assert_same(after, before, of_X=factor, rtol=1e-7, atol=1e-9)


@dear
@hypothesis.given(rows=classes(), seed=any_seed)
def test_rotated_features_of_classes_are_the_same_features(rows, seed):
    p = rows.X.shape[1]
    turned = np.linalg.qr(np.random.default_rng(seed).normal(size=(p, p)))[0]
    before, after = (answers(rows.fit(X=X), rows.cells) for X in (rows.X, rows.X @ turned))
    assert_same(after, before, rtol=1e-7, atol=1e-9)


@dear
@hypothesis.given(rows=classes(), shift=st.floats(-100.0, 100.0))
def test_shifted_features_of_classes_are_the_same(rows, shift):
    hypothesis.assume(rows.fit_intercept)
    before, after = (answers(rows.fit(X=X), rows.cells) for X in (rows.X, rows.X + shift))
    assert_same(after, before, rtol=1e-6, atol=1e-8)


@dear
@hypothesis.given(rows=classes(), constant=st.floats(-1e6, 1e6))
def test_a_column_that_does_not_vary_tells_nothing_of_classes(rows, constant):
    column = np.full(len(rows.X), constant if rows.fit_intercept else 0.0)
    before = answers(rows.fit(), rows.cells)
    after = answers(rows.fit(X=np.column_stack([rows.X, column, column])), rows.cells)
    assert_same(after, before, rtol=1e-7, atol=1e-9)


@dear
@hypothesis.given(rows=classes())
def test_labels_of_classes_are_but_names(rows):
    before = answers(rows.fit(), rows.cells)
    names = np.array(["a class", "another", "the third"])
    after = answers(rows.fit(y=names[rows.y]), rows.cells)
    assert_same(after, before, rtol=1e-12)


@dear
@hypothesis.given(rows=classes())
def test_error_rates_are_in_order(rows):
    model, (n, alpha) = rows.fit(), rows.cells
    for metric in METRICS:
        error, lower, upper = model.predict_test_error(
            n, alpha, metric=metric, return_interval=True
        )
        known = ~np.isnan(error)
        ordered = np.stack([lower, error, upper])[:, known]
        assert np.all(ordered[1:] >= ordered[:-1] / ROUNDED), metric
        assert np.all(ordered >= 0), metric
        if metric in ("error_rate", "balanced_error"):
            assert np.all(ordered <= 1), metric
    # At other sizes subsets correct the rate of each class, and that of all, by themselves.
    n_rows = len(rows.X)
    each = model.predict_class_errors(n_rows, alpha).error
    error = model.predict_test_error(n_rows, alpha)
    assert np.all(each.min(axis=-1) <= error + 1e-12)
    assert np.all(each.max(axis=-1) >= error - 1e-12)
    np.testing.assert_allclose(model.predict_score(n_rows, alpha), 1.0 - error, rtol=1e-12)


@dear
@hypothesis.given(rows=classes())
def test_no_alpha_has_a_lower_error_rate_than_the_best(rows):
    model, (n, alpha) = rows.fit(), rows.cells
    sizes = n[:-1, 0]  # beyond the training rows what is least by chance is not believed
    least = silently(lambda: model.predict_test_error(sizes, "optimal"))
    best = silently(lambda: model.optimal_alpha(sizes))
    tried = model.predict_test_error(sizes[:, None], alpha)
    assert not np.any(tried.min(axis=1) < least * (1.0 - 1e-6))
    at_best = model.predict_test_error(sizes, best)
    assert np.all(at_best <= least * (1.0 + 1e-6))


@dear
@hypothesis.given(rows=classes(), share=st.floats(0.05, 0.95), fixed=st.booleans())
def test_required_samples_of_classes_suffice_and_one_fewer_does_not(rows, share, fixed):
    model, n_rows = rows.fit(), len(rows.X)
    alpha = rows.cells[1][1] if fixed else "optimal"
    n = np.unique(np.round(np.geomspace(2, n_rows, 8)))
    known = silently(lambda: model.predict_test_error(n, alpha))
    known = known[np.isfinite(known)]
    hypothesis.assume(known.size > 1 and np.ptp(known) > 1e-6)
    target = known.min() + share * np.ptp(known)
    needed = silently(lambda: model.required_samples(target, alpha))
    assert np.isfinite(needed) and needed == np.round(needed)
    at = silently(lambda: model.predict_test_error([needed, max(needed - 1, 1)], alpha))
    assert at[0] <= target * (1.0 + 1e-6)
    assert needed == 1 or np.isnan(at[1]) or at[1] >= target * (1.0 - 1e-6)


@dear
@hypothesis.given(rows=classes())
def test_single_precision_of_classes_is_double_of_the_same_numbers(rows):
    X = rows.X.astype(np.float32)
    single = answers(rows.fit(X=X), rows.cells)
    double = answers(rows.fit(X=X.astype(np.float64)), rows.cells)
    assert_same(single, double, rtol=1e-7, atol=1e-9)
