"""Conformance suites for plugin authors; the project runs them on its own plugins."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_set_output_transform

from sk_deepfeat.exceptions import PopulationWarning
from sk_deepfeat.plugins import require_members, resolve
from sk_deepfeat.theory import RowClasses, ridge_factorization

__all__ = ["check_feature_map", "check_population"]


def _rows(n_samples: int = 60, n_features: int = 5) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    return X, X[:, 0] - 0.5 * X[:, 1] + 0.5 * rng.normal(size=n_samples)


def check_feature_map(estimator: Any) -> None:
    """Check that a feature map keeps the contract of the package.

    Parameters
    ----------
    estimator : transformer, or the name of one
        Unfitted; cloned before use. It must accept five numeric features and a float target.

    Raises
    ------
    AssertionError
        Naming the rule that is broken.
    TypeError
        If a required member is missing.

    Notes
    -----
    Checked: required members, clone without what was learned, one row of finite features for each
    row of input whatever the batch, feature names, ``set_output``, pickling, repeatability of a
    fit, stages of ``staged_transform``, that ``linearization_layers`` reproduce ``transform``, and
    that ``takes_classes`` answers, for floats no two of which are equal that they are numbers.

    Examples
    --------
    >>> from sk_deepfeat import RandomDeepFeatures
    >>> from sk_deepfeat.testing import check_feature_map
    >>> check_feature_map(RandomDeepFeatures((8,), random_state=0))
    """
    estimator = resolve("feature_maps", estimator)
    require_members("feature_maps", estimator)
    X, y = _rows()
    fitted = clone(estimator)
    assert fitted.fit(X, y) is fitted, "fit must return the estimator itself"
    features = np.asarray(fitted.transform(X))
    assert features.ndim == 2 and features.shape[0] == X.shape[0], (
        f"transform must return (n_samples, n_features_out); got shape {features.shape}"
    )
    assert np.all(np.isfinite(features)), "features must be finite"
    names = fitted.get_feature_names_out()
    assert len(names) == features.shape[1], "one feature name for each feature is needed"
    assert fitted.n_features_in_ == X.shape[1], "n_features_in_ must be the width of the input"
    scale = np.abs(features).max()
    parts = np.vstack([fitted.transform(X[:7]), fitted.transform(X[7:])])
    assert np.allclose(parts, features, rtol=1e-5, atol=1e-6 * scale), (
        "the features of a row must not depend on the rows beside it"
    )
    copy = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(copy.transform(X), features), "pickling must keep the features"
    unfitted = clone(fitted)
    assert not [name for name in vars(unfitted) if name.endswith("_") and name[0] != "_"], (
        "clone must not carry what was learned"
    )
    if "random_state" in estimator.get_params(deep=False):
        seeded = [clone(estimator).set_params(random_state=3).fit(X, y) for _ in range(2)]
        assert np.array_equal(seeded[0].transform(X), seeded[1].transform(X)), (
            "the same integer random_state must give the same features"
        )
    check_set_output_transform(type(estimator).__name__, clone(estimator))
    if hasattr(estimator, "takes_classes"):
        assert clone(estimator).takes_classes(y) is False, (
            "takes_classes must be False for floats no two of which are equal"
        )
    _check_layers(fitted, X, features)
    _check_stages(fitted, X, features)


def _check_layers(fitted: Any, X: Any, features: Any) -> None:
    if not hasattr(fitted, "linearization_layers"):
        return
    hidden = X
    for weights, bias, activation in fitted.linearization_layers():
        require_members("activations", activation)
        hidden = activation(hidden @ weights.T + (0.0 if bias is None else bias))
    assert np.allclose(hidden, features, rtol=1e-4, atol=1e-5 * np.abs(features).max()), (
        "linearization_layers must reproduce transform"
    )


def _check_stages(fitted: Any, X: Any, features: Any) -> None:
    if getattr(fitted, "checkpoints", None) is None:
        return
    stages = list(fitted.staged_transform(X))
    assert len(stages) == len(fitted.checkpoints), "one stage for each checkpoint is needed"
    assert all(np.shape(stage) == features.shape for stage in stages), (
        "every stage must have the shape of transform"
    )


def check_population(estimator: Any) -> None:
    """Check that a population keeps the contract of the package.

    Parameters
    ----------
    estimator : population, or the name of one
        Unfitted, cloned before use; it must accept five features. Populations that are given by
        their parameters must describe five features.

    Raises
    ------
    AssertionError
        Naming the rule that is broken.
    TypeError
        If a required member is missing.

    Notes
    -----
    Checked, for one and two outputs where the population learns from rows: shapes of
    ``test_error``, ``kappa`` and what is optional; broadcasting; errors that are NaN or not
    negative; unchanged answers when the factorisation is handed over and after pickling;
    parts of ``decomposition`` that sum to the error; ends of ``interval`` on either side of it;
    an ``answer`` of the same errors that knows every part of what it calls reachable, and none of
    what it does not know; order of ``degrees_of_freedom``; refusal of features of another width;
    error rates between 0 and 1, with their intervals, of a population with ``class_answer``.

    Examples
    --------
    >>> from sk_deepfeat.populations import GCVPopulation
    >>> from sk_deepfeat.testing import check_population
    >>> check_population(GCVPopulation())
    """
    estimator = resolve("populations", estimator)
    require_members("populations", estimator)
    X, y = _rows()
    outputs: list[tuple[Any, tuple[int, ...]]] = [(y, ())]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        learned = clone(estimator, safe=False).fit(X, np.column_stack([y, -y]))
        if np.shape(learned.test_error(5, 1.0, fit_intercept=True)) == (2,):
            outputs.append((np.column_stack([y, X[:, 2]]), (2,)))
        for targets, tail in outputs:
            for fit_intercept in (True, False):
                _check_answers(estimator, X, targets, tail, fit_intercept)
        _check_width(estimator, X, y)
        if hasattr(estimator, "class_answer"):
            _check_classes(estimator, X, y)


def _check_answers(
    estimator: Any, X: Any, y: Any, tail: tuple[int, ...], fit_intercept: bool
) -> None:
    fitted = clone(estimator, safe=False)
    assert fitted.fit(X, y, fit_intercept=fit_intercept) is fitted, "fit must return itself"
    assert fitted.n_features_in_ == X.shape[1], "n_features_in_ must be the number of features"
    asked: dict[str, bool] = {"fit_intercept": fit_intercept}
    n, alpha = np.array([[5], [30], [60]]), np.array([0.5, 20.0])
    errors = np.asarray(fitted.test_error(n, alpha, **asked))
    assert errors.shape == (3, 2, *tail), (
        f"test_error must have shape broadcast(n_samples, alpha) + {tail}; got {errors.shape}"
    )
    assert np.all(np.isnan(errors) | (errors >= 0)), "errors must be NaN or not negative"
    assert not np.all(np.isnan(errors)), "some error must be known"
    single = np.asarray(fitted.test_error(30, 20.0, **asked))
    assert single.shape == tail, "scalars must give one error for each output"
    assert np.allclose(single, errors[1, 1], rtol=1e-10, equal_nan=True), (
        "a cell must not depend on the cells beside it"
    )
    kappa = np.asarray(fitted.kappa(n, alpha, **asked))
    assert kappa.shape == (3, 2), "kappa must have shape broadcast(n_samples, alpha)"
    if hasattr(fitted, "train_error"):
        assert np.shape(fitted.train_error(n, alpha, **asked)) == errors.shape, (
            "train_error must have the shape of test_error"
        )
    if hasattr(fitted, "decomposition"):
        parts = fitted.decomposition(n, alpha, **asked)
        total = np.sum([np.asarray(part) for part in parts], axis=0)
        known = ~np.isnan(total)
        assert np.allclose(total[known], errors[known]), "the parts must sum to the test error"
    if hasattr(fitted, "interval"):
        lower, upper = fitted.interval(n, alpha, level=0.9, **asked)
        known = ~np.isnan(errors)
        assert np.shape(lower) == np.shape(upper) == errors.shape, (
            "the ends of interval must have the shape of test_error"
        )
        assert np.all(lower[known] <= errors[known]) and np.all(errors[known] <= upper[known]), (
            "interval must hold the error"
        )
    if hasattr(fitted, "reachable"):
        assert np.shape(fitted.reachable(n, alpha, **asked)) == (3, 2), (
            "reachable must have shape broadcast(n_samples, alpha)"
        )
    if hasattr(fitted, "answer"):
        _check_record(fitted.answer(n, alpha, variance=True, **asked), errors, tail)
    if hasattr(fitted, "degrees_of_freedom"):
        df1, df2 = fitted.degrees_of_freedom(kappa, **asked)
        known = ~np.isnan(np.add(df1, df2))
        assert np.shape(df1) == np.shape(df2) == kappa.shape, (
            "degrees_of_freedom must return two arrays of the shape of kappa"
        )
        assert np.all((df2[known] >= 0) & (df2[known] <= df1[known])), "0 <= df2 <= df1 must hold"
    copy = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(copy.test_error(n, alpha, **asked), errors, equal_nan=True), (
        "pickling must keep the answers"
    )
    path = ridge_factorization(X, y, fit_intercept=fit_intercept)
    shared = clone(estimator, safe=False).fit(X, y, fit_intercept=fit_intercept, path=path)
    assert np.allclose(shared.test_error(n, alpha, **asked), errors, rtol=1e-6, equal_nan=True), (
        "a factorisation handed over must not change the answers"
    )


def _check_record(record: Any, errors: Any, tail: tuple[int, ...]) -> None:
    """Check that the record of all questions is that of the single ones, and keeps its rule."""
    stacked = errors if tail else errors[..., None]
    assert np.array_equal(record.error, stacked, equal_nan=True), (
        "the errors of answer must be those of test_error, with an axis of outputs"
    )
    assert np.shape(record.reachable) == np.shape(record.kappa) == stacked.shape[:-1], (
        "reachable and kappa of answer must have the shape broadcast(n_samples, alpha)"
    )
    known = np.asarray(record.reachable, dtype=bool)
    for name in ("error", "train_error", "bias_and_noise", "log_variance"):
        values = getattr(record, name)
        assert values is None or not np.any(np.isnan(values[known])), (
            f"{name} must be known wherever answer says that a cell is reachable"
        )
        assert values is None or np.all(np.isnan(values[np.isnan(record.error)])), (
            f"{name} must be NaN wherever the error is"
        )
    for name in ("train_error", "bias_and_noise"):
        values = getattr(record, name)
        inside = values is None or (values[known] >= 0) & (values[known] <= record.error[known])
        assert np.all(inside), f"{name} must lie between 0 and the error"


def _check_classes(estimator: Any, X: Any, y: Any) -> None:
    """Check error rates: of two classes one column of codes, of three as many."""
    n, alpha = np.array([[5], [60], [90]]), np.array([0.5, 20.0])
    for n_classes in (2, 3):
        labels = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))
        codes = RowClasses(labels, n_classes).codes
        targets = codes[:, 0] if n_classes == 2 else codes
        fitted = clone(estimator, safe=False).fit(X, targets, labels=labels)
        assert fitted.knows_classes, "knows_classes must be true after fit(..., labels=...)"
        found = fitted.class_answer(n, alpha, fit_intercept=True, columns=slice(None))
        assert found.error.shape == (3, 2, n_classes + 2), (
            "class_answer must have an axis: each class, all rows, the mean over classes"
        )
        known = ~np.isnan(found.error)
        assert np.all((found.error[known] >= 0) & (found.error[known] <= 1)), (
            "error rates must lie between 0 and 1"
        )
        ends = found.interval(0.9)
        if ends is not None:
            assert np.all((ends[0] <= found.error)[known] & (found.error <= ends[1])[known]), (
                "interval must hold the error rate"
            )
        assert np.shape(found.reachable) == np.shape(found.kappa) == (3, 2), (
            "reachable and kappa of class_answer must have the shape broadcast(n_samples, alpha)"
        )
    plain = clone(estimator, safe=False).fit(X, y)
    assert not plain.knows_classes, "knows_classes must be false without labels"


def _check_width(estimator: Any, X: Any, y: Any) -> None:
    """Check that a population of five features does not pass for one of four."""
    try:
        fitted = clone(estimator, safe=False).fit(X[:, :4], y)
    except ValueError:
        return
    assert fitted.n_features_in_ == 4, "a population of another width must raise ValueError"
