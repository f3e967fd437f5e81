"""The question that everybody has, put to whatever holds a ridge."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from sk_deepfeat.exceptions import warn_caller
from sk_deepfeat.linear_model.wrapped_ridges import fitted_ridge, steps_that_learned


def predict_test_error(
    estimator: Any, n_samples: ArrayLike | None = None, alpha: Any = None, **options: Any
) -> Any:
    """Predict the test error of a fitted estimator that ends in a ridge.

    Parameters
    ----------
    estimator : estimator
        Fitted: a `DeterministicEquivalentRidge` or `DeterministicEquivalentRidgeClassifier`; a
        `TwoStageRegressor` or `TwoStageClassifier`, a `Pipeline`, a search such as `GridSearchCV`,
        a `TransformedTargetRegressor`, a `MultiOutputRegressor` or a `FrozenEstimator` that ends in
        one; and any of these inside of each other.
    n_samples : array-like, optional
        Numbers of training rows of the ridge; None is the fitted one.
    alpha : array-like or "optimal", optional
        Regularisations, broadcast against `n_samples`; None is the fitted one, "optimal" the best
        for each n.
    **options
        Further arguments of the ``predict_test_error`` of that ridge: ``n_groups``,
        ``return_interval`` and ``level``; of a regressor ``multioutput``; of a classifier
        ``metric`` and ``temperature``.

    Returns
    -------
    error : float or ndarray of shape broadcast(n_samples, alpha)
        As of ``DeterministicEquivalentRidge.predict_test_error``, in squared units of the targets
        of `estimator`; of a classifier an error rate.
    lower, upper : the same
        Only with ``return_interval=True``.

    Raises
    ------
    TypeError
        If no such ridge is inside.
    NotFittedError
        If it is not fitted.

    Warns
    -----
    PopulationWarning
        If targets are transformed by something that is not linear, such as a logarithm: the error
        is then that of the transformed targets. If a step of a pipeline learned from the targets
        that the ridge then saw, which can make predicted errors far too small.

    Notes
    -----
    A `TransformedTargetRegressor` whose transformer is linear in each output (no transformer,
    StandardScaler, MinMaxScaler, RobustScaler, a function such as ``lambda y: y / 1000``, and
    pipelines of them) multiplies the squared error of an output by the square of its scale. Whether
    it is linear is tried out, not read from its name. For a ridge without intercept, what the
    transformer centres by counts as known: with n rows, errors are then too small by about 1/n.

    A `MultiOutputRegressor` has one ridge for each output. None stands for the fitted alpha of
    each, "optimal" for the best of each, and a number for an alpha that they have in common.

    Examples
    --------
    >>> from sklearn.compose import TransformedTargetRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sk_deepfeat import DeterministicEquivalentRidge, predict_test_error
    >>> X, y = load_diabetes(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), DeterministicEquivalentRidge("optimal"))
    >>> model = TransformedTargetRegressor(pipeline, transformer=StandardScaler()).fit(X, y)
    >>> plain = pipeline.fit(X, y)
    >>> bool(abs(predict_test_error(model, 1000) - predict_test_error(plain, 1000)) < 1e-3)
    True
    """
    ridge = fitted_ridge(estimator)
    learned = steps_that_learned(estimator)
    if learned:
        warn_caller(
            f"The step {learned[0]!r} of the pipeline learned from the targets of the rows that "
            "the ridge was then fitted on: predicted errors can be far too small. "
            "TwoStageRegressor and TwoStageClassifier keep the rows apart."
        )
    return ridge.predict_test_error(n_samples, alpha, **options)
