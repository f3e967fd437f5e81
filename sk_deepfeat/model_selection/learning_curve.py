"""Predicted and measured test error of ridge over training sizes and alphas."""

from __future__ import annotations

import numbers
import reprlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, check_random_state, check_scalar, indexable
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, column_or_1d

from sk_deepfeat.linear_model import ErrorPredictor
from sk_deepfeat.model_selection.curve_errors import (
    SQUARED_ERRORS,
    ClassLosses,
    Errors,
    metric_of,
)
from sk_deepfeat.model_selection.curve_estimators import unwrapped
from sk_deepfeat.model_selection.curve_predictions import (
    alphas_about_best,
    predictions,
    predictor_of_classes,
    predictor_of_numbers,
    ridge_intercept,
)
from sk_deepfeat.model_selection.curve_result import RidgeLearningCurve
from sk_deepfeat.model_selection.kept_cells import kept_in
from sk_deepfeat.model_selection.measuring import Refitted, measure_cells
from sk_deepfeat.model_selection.splits import IndexArray, check_train_sizes, random_subsets
from sk_deepfeat.progress import showing
from sk_deepfeat.rows import check_groups, deal_groups, in_numpy
from sk_deepfeat.theory.validation import FloatArray, axes_of, check_level, check_unmasked, is_whole

_MOST_REPEATS, _MOST_JOBS = 1_000_000, 1_000_000
_MOST_SEED = np.iinfo(np.int32).max


class _Task(NamedTuple):
    """How an estimator is measured, and what its prediction rests on."""

    readout: Any
    features: Any  # refitted for each subset; None: `X` holds the features
    X: Any  # rows to draw from and to measure on
    y: NDArray[Any]
    original: IndexArray  # which of the user's rows they are
    population_X: Any
    population_y: NDArray[Any]
    population_original: IndexArray  # which of the user's rows these are
    groups: IndexArray | None = None  # of the rows of `X`, 0 … G-1
    population_groups: IndexArray | None = None
    weights: FloatArray | None = None  # of the rows of `X`
    population_weights: FloatArray | None = None


def ridge_learning_curve(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    train_sizes: Any = None,
    alphas: Any = None,
    n_repeats: int = 5,
    test_size: Any = 0.1,
    groups: Any = None,
    sample_weight: Any = None,
    population: Any = None,
    scoring: str | None = None,
    n_jobs: int | None = None,
    random_state: Any = None,
    verbose: int = 0,
    level: float = 0.9,
    memory: Any = None,
) -> RidgeLearningCurve:
    """Compare the predicted with the measured test error over training sizes and alphas.

    Measured: ridge refitted on random subsets, each measured on all rows outside it that the
    feature map did not see, with one factorisation for all alphas. Predicted: by a population.

    Parameters
    ----------
    estimator : Ridge, DeterministicEquivalentRidge, Pipeline ending in one, or TwoStageRegressor
        Or the same for classes: RidgeClassifier, DeterministicEquivalentRidgeClassifier, Pipeline
        ending in one, or TwoStageClassifier, with the ``class_weight`` that they have.
        A ridge takes X as features and the prediction from all rows. Two stages fit their
        feature map once, on its part of the rows; the others are measured and predicted from.
        A pipeline is refitted, features included, on every subset, and takes its prediction from
        a split of the rows: features from one half, population from the other. Frozen steps are
        not refitted and need no split. The estimator's own alpha plays no part. A
        `TransformedTargetRegressor` or `MultiOutputRegressor` of one, and a fitted search, are
        taken as in `sk_deepfeat.predict_test_error`.
    X : array-like or sparse matrix of shape (n_samples, ...)
        Inputs.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets; labels for a classifier.
    train_sizes : array-like of shape (S,), optional
        Integers, or shares in (0, 1] of the largest size that `test_size` allows; None is five from
        a tenth of that on, at equal ratios. They count rows, with `groups` groups.
    alphas : array-like of shape (A,), optional
        Regularisations, not negative; None is a tenth of the best for the largest size, that, and
        ten times as much.
    n_repeats : int, default=5
        Subsets for each size.
    test_size : float or int, default=0.1
        Least share, or number, of the rows that stays outside every subset; with `groups`, of the
        groups.
    groups : array-like of shape (n_samples,), optional
        Labels of the rows' groups, such as patients or recordings. Subsets are then subsets of
        groups, measured on the rows of all other groups, and the prediction is that of rows of new
        groups. A feature map never sees a group that is measured.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows, positive, as in ``DeterministicEquivalentRidge.fit``: for the
        coefficients a weight equals repetition; a row of any weight is one draw, and counts by its
        weight in the errors, predicted and measured. Feature maps take none.
    population : str or population object, optional
        As in `DeterministicEquivalentRidge`; None is the estimator's own, else
        "leave-one-out".
    scoring : str, optional
        Of a classifier, "accuracy" (None is the same), "balanced_accuracy", "neg_log_loss" or
        "neg_mean_squared_error"; of a regressor, the last alone (None is the same). Errors are
        what is lost: the error rate, its mean over classes, the log-loss of the probabilities that
        ``predict_test_error(metric="log_loss")`` takes, the squared error.
    n_jobs : int, optional
        Parallel tasks, one for each subset, with -1 for one on each processor; any joblib backend.
        The numbers do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws the subsets, and seeds steps whose own ``random_state`` is no integer.
    verbose : int, default=0
        Positive: what takes more than two seconds, the prediction and the refits, has a bar of
        progress on standard error.
    level : float, default=0.9
        Nominal coverage of the intervals of the prediction.
    memory : str, path-like or joblib.Memory, optional
        A folder in which each refit is kept as soon as it is finished. The same call later, after
        whatever ended the first one, takes the finished ones from there, and gives the same
        numbers. Other data, parameters, seeds or versions never find them; code that your own
        steps call is not looked at: name another folder where that changes. It needs
        a `random_state`, since with None other subsets are drawn each time. Kept refits are
        checked, and computed again if they are damaged; no code is run, but whoever writes to the
        folder can write wrong numbers.

    Returns
    -------
    RidgeLearningCurve
        Predicted errors, with intervals if the population knows them, and measured ones with
        standard errors. A run that is interrupted returns what it had finished, with a warning; the
        rest is NaN. Its ``metric`` says what errors it holds.

    Raises
    ------
    ValueError
        If an argument is outside its range, `y` holds what a `TwoStageRegressor` refuses as
        classes or a classifier as none, or the population does not know what is asked for.
    TypeError
        If the estimator is none of the above.
    BrokenProcessPool
        If a worker was killed; what was finished is in `memory`.

    See Also
    --------
    RidgeLearningCurveDisplay : Draws the result.
    sklearn.model_selection.learning_curve : Scores any estimator, without a prediction.

    Notes
    -----
    Subsets are drawn independently of the targets, not stratified by class, and measured on all
    rows outside: predictions are averages over such draws. A class of which a subset has no row is
    not predicted by it; one class alone is always predicted.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sk_deepfeat import DeterministicEquivalentRidge
    >>> from sk_deepfeat.model_selection import ridge_learning_curve
    >>> X, y = load_diabetes(return_X_y=True)
    >>> curve = ridge_learning_curve(DeterministicEquivalentRidge(), X, y, train_sizes=[100, 300],
    ...                              alphas=[0.01, 1.0], random_state=0)
    >>> curve.predicted.shape, curve.measured.shape
    ((2, 2), (2, 2, 5))
    """
    n_repeats, level = _check_repeats(n_repeats), check_level(level)
    _check_jobs(n_jobs)
    alphas = None if alphas is None else _check_alphas(alphas)
    if y is None:
        raise ValueError("ridge_learning_curve requires y to be passed, but the target y is None.")
    check_scalar(verbose, "verbose", (bool, numbers.Integral), min_val=0)
    folder = kept_in(memory)
    if folder is not None and random_state is None:
        raise ValueError(
            f"memory={memory!r} keeps refits to find them again, but random_state=None draws other "
            "subsets in every run; pass an integer as random_state."
        )
    X, y = indexable(in_numpy(X), in_numpy(y))
    estimator, y = unwrapped(estimator, y)
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    of_classes = hasattr(last, "__sklearn_tags__") and is_classifier(last)
    metric = metric_of(scoring, classes=of_classes)
    if hasattr(last, "check_targets"):
        last.check_targets(y)  # as floats they would not tell that they are classes
    fit_intercept = ridge_intercept(_readout_of(estimator), classes=of_classes)
    y = _labels(y) if of_classes else check_array(y, ensure_2d=False, dtype=float, input_name="y")
    rng = check_random_state(random_state)
    codes = None if groups is None else check_groups(groups, len(y), warn=False)
    task = _task(_with_integer_seeds(estimator, rng), X, y, codes, rng)
    if sample_weight is not None:
        task = _weighted(task, sample_weight, len(y))
    codes = np.arange(len(task.y)) if task.groups is None else task.groups
    unit = "rows" if task.groups is None else "groups"
    sizes = check_train_sizes(train_sizes, int(codes.max()) + 1, test_size, unit)
    n_samples = _numbers_of_rows(sizes, codes)
    splits = random_subsets(codes, sizes, n_repeats, rng)
    errors: Errors = SQUARED_ERRORS
    if of_classes:
        weight = getattr(task.readout, "class_weight", None)
        errors = ClassLosses(np.unique(task.y), metric, weight)
    with showing(verbose):
        predictor = _predictor(task, population, errors)
        if alphas is None:
            alphas = alphas_about_best(predictor, float(n_samples.max()))
        prediction = predictions(predictor, n_samples, alphas, level)
    refitted = Refitted(task.features, task.X, task.y, alphas, fit_intercept, errors, task.weights)
    measured = measure_cells(refitted, splits, n_jobs=n_jobs, folder=folder, verbose=verbose)
    rows = task.original
    splits = [[(rows[train], rows[test]) for train, test in repeats] for repeats in splits]
    return RidgeLearningCurve(
        n_samples,
        alphas,
        measured=measured,
        splits=splits,
        n_groups=None if task.groups is None else sizes,
        metric=metric,
        level=level,
        **prediction,
    )


def _labels(y: Any) -> NDArray[Any]:
    """Return labels of classes as an array, or raise ValueError if they are none."""
    labels = column_or_1d(y, warn=True)
    check_classification_targets(labels)
    return np.asarray(labels)


def _predictor(task: _Task, population: Any, errors: Errors) -> ErrorPredictor:
    """Return what answers for the errors that are measured."""
    rows = task.population_X, task.population_y, task.population_groups, task.population_weights
    if isinstance(errors, ClassLosses):
        return predictor_of_classes(task.readout, population, *rows, errors)
    return predictor_of_numbers(task.readout, population, *rows)


def _numbers_of_rows(sizes: IndexArray, codes: IndexArray) -> Any:
    """Return how many rows so many groups have on average; whole numbers where all of them are."""
    rows = sizes * (codes.size / (codes.max() + 1))
    whole = np.rint(rows).astype(np.intp)
    return whole if np.allclose(rows, whole, rtol=1e-12, atol=0.0) else rows


def _check_alphas(alphas: Any) -> FloatArray:
    check_unmasked(alphas, "alphas")
    values = np.atleast_1d(alphas) if axes_of(alphas) < 2 else np.empty(0)
    if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "iuf":
        raise ValueError(f"alphas={alphas!r} must be a non-empty 1-d array of numbers.")
    values = values.astype(np.float64)
    if not np.all(np.isfinite(values)) or values.min() < 0:
        raise ValueError(f"alphas={alphas!r} must be finite and not negative.")
    return values


def _check_repeats(n_repeats: Any) -> int:
    if not is_whole(n_repeats) or not 1 <= n_repeats <= _MOST_REPEATS:
        raise ValueError(
            f"n_repeats={reprlib.repr(n_repeats)} must be an integer of at least 1, and at most "
            f"{_MOST_REPEATS:,}."
        )
    return int(n_repeats)


def _check_jobs(n_jobs: Any) -> None:
    if n_jobs is not None and (not is_whole(n_jobs) or not 0 < abs(n_jobs) <= _MOST_JOBS):
        raise ValueError(
            f"n_jobs={reprlib.repr(n_jobs)} must be None or an integer: a number of jobs, or -1 "
            "for one on each processor."
        )


def _with_integer_seeds(estimator: Any, rng: np.random.RandomState) -> Any:
    """Clone, with an integer in place of every random_state that is none: drawn in the parent."""
    if not isinstance(estimator, BaseEstimator):
        return estimator
    estimator = clone(estimator)
    seeds = {
        name: int(rng.randint(_MOST_SEED))
        for name, value in sorted(estimator.get_params(deep=True).items())
        if (name == "random_state" or name.endswith("__random_state"))
        and not isinstance(value, numbers.Integral)
    }
    return estimator.set_params(**seeds) if seeds else estimator


def _readout_of(estimator: Any) -> Any:
    """Return what must be a ridge: two stages have one, but not inside a pipeline."""
    if isinstance(estimator, Pipeline):
        return estimator[-1] if len(estimator) > 1 else _readout_of(estimator[-1])
    return estimator.readout if hasattr(estimator, "fit_feature_map") else estimator


def _task(
    estimator: Any, X: Any, y: NDArray[Any], groups: IndexArray | None, rng: np.random.RandomState
) -> _Task:
    if hasattr(estimator, "fit_feature_map"):
        apart = {} if groups is None else {"groups": groups}
        feature_map, rows = estimator.fit_feature_map(X, y, **apart)
        features = feature_map.transform(_safe_indexing(X, rows))
        outside = _counted_anew(groups, rows)
        return _Task(
            estimator.readout,
            None,
            features,
            y[rows],
            rows,
            features,
            y[rows],
            rows,
            outside,
            outside,
        )
    rows = np.arange(len(y))
    if isinstance(estimator, Pipeline):
        steps, readout = estimator[:-1], estimator[-1]
        if len(steps) == 0:
            return _task(readout, X, y, groups, rng)
        if all(isinstance(step, FrozenEstimator) for _, step in steps.steps):
            features = steps.transform(X)
            return _Task(readout, None, features, y, rows, features, y, rows, groups, groups)
        if groups is None:
            seen, unseen = train_test_split(rows, test_size=0.5, random_state=rng)
        else:
            seen, unseen = _halves(groups, rng)
        fitted = clone(steps).fit(_safe_indexing(X, seen), y[seen])
        features = fitted.transform(_safe_indexing(X, unseen))
        kept = _counted_anew(groups, unseen)
        return _Task(readout, steps, X, y, rows, features, y[unseen], unseen, groups, kept)
    X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32], input_name="X")
    return _Task(estimator, None, X, y, rows, X, y, rows, groups, groups)


def _weighted(task: _Task, sample_weight: Any, n_rows: int) -> _Task:
    """Give rows their weights, or raise ValueError where they are none."""
    weights = check_array(sample_weight, ensure_2d=False, dtype=float, input_name="sample_weight")
    if weights.shape != (n_rows,) or np.any(weights <= 0):
        raise ValueError(
            f"sample_weight must hold one positive number for each of the {n_rows} rows; got shape "
            f"{weights.shape}, the least {weights.min():g}. Leave out rows of weight zero."
        )
    return task._replace(
        weights=weights[task.original], population_weights=weights[task.population_original]
    )


def _halves(groups: IndexArray, rng: np.random.RandomState) -> list[IndexArray]:
    """Deal whole groups to the features of a pipeline and to the population of its prediction."""
    if groups.max() < 2:
        raise ValueError(
            f"groups has {groups.max() + 1} groups; to predict a pipeline that refits its features "
            "at least three are needed: one for the features, two for the population."
        )
    return deal_groups(groups, (groups.size / 2, groups.size), (1, 2), rng)


def _counted_anew(groups: IndexArray | None, rows: IndexArray) -> IndexArray | None:
    """Return the groups of some rows, 0 … G-1 again."""
    return None if groups is None else check_groups(groups[rows], len(rows), warn=False)
