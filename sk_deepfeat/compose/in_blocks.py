"""Fitting a pipeline on rows that are never held at once, nor are their features."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sk_deepfeat.progress import showing
from sk_deepfeat.rows import (
    RowSource,
    current_client,
    learn_on_workers,
    row_source,
    sample_rows,
    told_rows,
)

_MOST_SEED = 2**31 - 1


class _FittedSteps:
    """The transforms of steps, one after the other."""

    def __init__(self, steps: list[Any]) -> None:
        self.steps = steps

    def __call__(self, X: Any) -> Any:
        for step in self.steps:
            X = step.transform(X)
        return X


def fit_in_blocks(
    pipeline: Pipeline,
    X: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    sample_size: int = 10_000,
    keep_fitted: bool = False,
    random_state: Any = None,
    verbose: bool = False,
) -> Pipeline:
    """Fit a pipeline that ends in a ridge, block by block.

    Rows are read once for every step that has to learn, and once for the ridge; features of a block
    are made when it is read and dropped when it has been added up. Where a dask client is connected
    and rows are dask's or files by path, all of it happens on its workers.

    Parameters
    ----------
    pipeline : Pipeline
        Transformers, and a `DeterministicEquivalentRidge` at the end. Steps with ``partial_fit``,
        such as `~sklearn.preprocessing.StandardScaler`, learn from all rows. Others, such as
        `RandomDeepFeatures`, learn from a uniform sample: all rows, in their order, where there are
        no more than `sample_size`. Transformers are cloned before, as by a pipeline with memory.
    X : array, path, table, iterator or list of partitions
        As for `DeterministicEquivalentRidge.fit`; and a function without arguments that returns an
        iterator of blocks, which is called for every pass.
    y : array or str or list of str, optional
        Likewise.
    sample_weight : array or str, optional
        Weights of the rows, for the ridge alone.
    sample_size : int, default=10_000
        Most rows that a step without ``partial_fit`` learns from.
    keep_fitted : bool, default=False
        Whether steps that are fitted already stay as they are. A ``FrozenEstimator`` always does.
    random_state : int, RandomState instance or None, default=None
        Draws the sample.
    verbose : bool, default=False
        Whether to show, for every pass of more than two seconds, how many rows have come, and how
        long the rest takes.

    Returns
    -------
    Pipeline
        The same one, fitted. Of the ridge, what `partial_fit` says of exact and sampled holds.

    Raises
    ------
    TypeError
        If it is no pipeline, or its last step is not fitted block by block.
    ValueError
        If rows or an argument are not usable, or an iterator would have to be read twice.

    Notes
    -----
    A step that learns from the targets of the rows on which the ridge is fitted makes its
    predicted error too small: fit it on other rows, and pass it frozen.

    On a cluster, a step learns with ``partial_fit`` from one part after the other.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sk_deepfeat import DeterministicEquivalentRidge, RandomDeepFeatures
    >>> from sk_deepfeat.compose import fit_in_blocks
    >>> def blocks():
    ...     rng = np.random.default_rng(0)
    ...     for _ in range(20):
    ...         X = rng.normal(size=(500, 30))
    ...         yield X, np.abs(X[:, 0]) + rng.normal(size=500)
    >>> pipeline = make_pipeline(
    ...     StandardScaler(),
    ...     RandomDeepFeatures(200, random_state=0),
    ...     DeterministicEquivalentRidge(10.0, reservoir_size=2000),
    ... )
    >>> ridge = fit_in_blocks(pipeline, blocks, random_state=0)[-1]
    >>> ridge.n_samples_, round(float(ridge.predict_test_error(5000)), 1)
    (10000, 1.3)
    """
    _check_pipeline(pipeline)
    seed = int(check_random_state(random_state).randint(_MOST_SEED))
    size = _check_size(sample_size)
    if not isinstance(keep_fitted, (bool, np.bool_)):
        raise TypeError(f"keep_fitted={keep_fitted!r} must be True or False.")
    source = row_source(X, y, sample_weight)
    with showing(verbose):
        steps = _fit_all(pipeline, source, size, seed, keep_fitted)
    pipeline.steps[:-1] = steps
    return pipeline


def _fit_all(
    pipeline: Pipeline, source: RowSource, size: int, seed: int, keep_fitted: bool
) -> list[tuple[str, Any]]:
    """Fit the ridge of a pipeline, and return the steps before it, fitted."""
    steps, ridge = list(pipeline.steps[:-1]), pipeline.steps[-1][1]
    fitted: list[Any] = []
    sample: tuple[Any, Any] | None = None
    for index, (name, step) in enumerate(steps):
        if step is None or (isinstance(step, str) and step == "passthrough"):
            continue
        if not _stays(step, keep_fitted):
            step = clone(step)
            if hasattr(step, "partial_fit"):
                step = _learn(step, _mapped(source, fitted), name)
            else:
                if sample is None:
                    sample = sample_rows(source, size, seed)
                step = _learn_from(sample, step, fitted, name)
        fitted.append(step)
        steps[index] = (name, step)
    sample = None
    ridge.fit(_mapped(source, fitted))
    return steps


def _mapped(source: RowSource, fitted: list[Any]) -> RowSource:
    if not fitted:
        return source
    return source.map(_FittedSteps(list(fitted)))


def _learn(step: Any, source: RowSource, name: str) -> Any:
    """Return a step that has seen all blocks."""
    client = None if source.parts is None else current_client()
    if client is not None:
        return learn_on_workers(client, source, step)
    for block in told_rows(source, name):
        step.partial_fit(np.asarray(block.X) if isinstance(block.X, list) else block.X, block.y)
    return step


def _learn_from(sample: tuple[Any, Any], step: Any, fitted: list[Any], name: str) -> Any:
    """Return a step that is fitted on a sample of the rows."""
    X, y = sample
    try:
        return step.fit(_FittedSteps(fitted)(X), y)
    except ValueError as error:
        raise ValueError(f"Step {name!r}, on a sample of the rows: {error}") from error


def _stays(step: Any, keep_fitted: bool) -> bool:
    if isinstance(step, FrozenEstimator):
        return True
    if not keep_fitted:
        return False
    try:
        check_is_fitted(step)
    except NotFittedError:
        return False
    return True


def _check_pipeline(pipeline: Any) -> None:
    if not isinstance(pipeline, Pipeline):
        raise TypeError(
            f"pipeline={pipeline!r} must be a Pipeline; a ridge alone is fitted block by block by "
            "its own fit."
        )
    last = pipeline.steps[-1][1]
    if not hasattr(last, "reservoir_size"):
        raise TypeError(
            f"The last step, {last!r}, is not fitted block by block; take "
            "DeterministicEquivalentRidge."
        )


def _check_size(sample_size: Any) -> int:
    try:
        size = operator.index(sample_size)
    except TypeError:
        size = 0
    if size < 1 or isinstance(sample_size, bool):
        raise ValueError(f"sample_size={sample_size!r} must be a whole number of at least 1.")
    return size
