r"""Whether the rows of a training set look dependent, so that leave-one-out errors are too low.

Rows that come in groups leave traces in what happens when a row's nearest others are left out with
it. Let L(k) be the mean log leverage of rows that were left out together with their k nearest
(`left_out_sets`). Independent rows, however clustered, make L grow evenly in log(k+1), or ever
faster: the next neighbour is a little farther than the last. Groups make it grow until the last
partner is out, and stand nearly still from there. The sign of groups is that kink; no residual
enters. In the order of rows the sign is simpler still: neighbours in order of independent rows are
any rows, and what leaving any rows out does to L is known.

A sign alone is harmless. The alarm needs the error to rise as well when the partners are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization, check_factorization
from sk_deepfeat.theory.one_sample.left_out_sets import (
    InfluenceMetric,
    LeftOutSets,
    Rows,
    single_precision_unit,
)
from sk_deepfeat.theory.validation import FloatArray, single_alpha

_RIDGES, _BLOCK_ENTRIES = 40, 2_000_000
_FURTHEST = 63
_LEAST_SHARE, _MOST_SHARE = 1e-6, 10.0


class RowDependence(NamedTuple):
    """What `row_dependence` found."""

    dependent: bool
    """Whether rows look dependent and the row-wise error suffers."""
    by: str
    """"order", "neighbours" or "duplicates"; empty if not dependent."""
    optimism: float
    """Error without the found partners over row-wise leave-one-out error, at least 1."""
    ridge: float
    """The ridge at which that is so, for weights of mean one."""
    partners: int
    """How many rows were left out with each."""


class _Sign(NamedTuple):
    """A sign of dependence on a sample of rows, whether or not it is strong."""

    errors_from_bound: float
    """Standard errors from the bound to the measured sign."""
    partners: int


def row_dependence(factorization: RidgeFactorization, ridge: float) -> RowDependence:
    """Say whether rows look dependent, from a sample of them.

    Sampled rows are left out together with their nearest rows: nearest in row order, and by the
    cosine of their influences on the fit at the ridge of least generalised cross-validation. Rows
    of one group are found where the leverage stops growing once the partners are out.

    Parameters
    ----------
    factorization : RidgeFactorization
        The factorised training set, rows in the order in which they came.
    ridge : float
        Of the fit, not negative, for weights of mean one. The error is examined there, and at the
        ridge of least generalised cross-validation, which dependent rows make too small.

    Returns
    -------
    RowDependence

    Raises
    ------
    TypeError
        If `factorization` is none.
    ValueError
        If `ridge` is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import ridge_factorization
    >>> from sk_deepfeat.theory.one_sample.dependence import row_dependence
    >>> rng = np.random.default_rng(0)
    >>> site = rng.permutation(np.repeat(np.arange(100), 6))
    >>> X = rng.normal(size=(100, 200))[site] + 0.5 * rng.normal(size=(600, 200))
    >>> y = X[:, 0] + rng.normal(size=100)[site] + rng.normal(size=600)
    >>> found = row_dependence(ridge_factorization(X, y), 1.0)
    >>> found.dependent, found.by
    (True, 'neighbours')
    """
    check_factorization(factorization)
    ridge = single_alpha(ridge, "ridge")
    nothing = RowDependence(False, "", 1.0, ridge, 0)
    n, lam = factorization.n_rows, factorization.eigenvalues
    if n < tuning.DEPENDENCE_FEWEST_ROWS or lam.size == 0:
        return nothing
    least = least_gcv_ridge(factorization)
    if least is None:
        return nothing
    metric = InfluenceMetric(factorization, least)
    ridges = (max(ridge, _LEAST_SHARE * float(lam[-1])), least)
    found = [_by_order(metric, ridges), _by_neighbours(metric, ridges)]
    worst = max(found, key=lambda each: each.optimism)
    return worst._replace(ridge=ridge if worst.ridge == ridges[0] else worst.ridge)


def describe(dependence: RowDependence) -> str:
    """Return what to tell a user about dependent rows; empty if they are not."""
    if not dependence.dependent:
        return ""
    return " ".join(finding_and_remedy(dependence))


def finding_and_remedy(dependence: RowDependence) -> tuple[str, str]:
    """Return what was found about dependent rows, and what to do about it, a sentence each."""
    signs = {
        "order": "Rows that follow one another look dependent",
        "neighbours": "Rows look as if they came in groups",
        "duplicates": "Rows look like near-duplicates of one another",
    }
    left_out = {
        "order": f"the {dependence.partners} nearest in row order",
        "neighbours": f"the {dependence.partners} nearest in feature space",
        "duplicates": f"the {dependence.partners} nearest in feature space",
    }
    remedy = 'groups="blocks" for stretches of a series, or groups= with a label for each row'
    if dependence.by != "order":
        remedy = "groups= with a label for each row (patient, site, recording, original)"
    return (
        f"{signs[dependence.by]}: without {left_out[dependence.by]}, the error on a row is "
        f"{dependence.optimism:.2g} times its leave-one-out error. Errors on rows of new groups "
        f"are probably too low by {100 * (1 - 1 / dependence.optimism):.0f} %.",
        f"Pass {remedy}.",
    )


def least_gcv_ridge(factorization: RidgeFactorization) -> float | None:
    """Return the ridge of least generalised cross-validation; None if nothing is left to fit.

    It costs no product with the rows, and like leave-one-out it is too small for dependent ones,
    which makes their partners' influence plain.
    """
    lam = factorization.eigenvalues
    scale = np.square(factorization.targets).sum(axis=0)
    if not np.all(scale > 0):
        if not np.any(scale > 0):
            return None
        scale = np.where(scale > 0, scale, np.inf)
    ridges = np.geomspace(_LEAST_SHARE, _MOST_SHARE, _RIDGES) * lam[-1]
    kept = ridges[:, None] / (lam + ridges[:, None])
    residual = np.square(kept) @ np.square(factorization.target_components)
    residual += np.square(factorization.outside).sum(axis=0)
    freedom = factorization.n_effective - (1.0 - kept).sum(axis=1)
    score = (residual / scale).mean(axis=1) / np.square(freedom)
    return float(ridges[np.argmin(score)])


def _by_order(metric: InfluenceMetric, ridges: tuple[float, float]) -> RowDependence:
    """Leave out stretches of rows around some; in two stages, of which few pass the first."""
    factorization = metric.factorization
    n = factorization.n_rows
    nothing = RowDependence(False, "", 1.0, ridges[0], 0)
    if _is_sorted(factorization):
        return nothing
    most = min(_FURTHEST, n // tuning.FEWEST_STRETCHES)
    few, many = _sample_sizes(factorization)
    for rows, count in ((few, (most + 1) // 2), (many, most)):
        centres = np.unique(np.linspace(0, n - 1, rows).astype(np.intp))
        stretches = _stretches(n, centres, count)
        at_fit, at_least = _left_out(metric, stretches, ridges, both=rows == many)
        sign = _order_sign(metric, centres, at_least)
        if sign.errors_from_bound < tuning.SIGN_ERRORS * (rows == many):
            return nothing
    return _verdict("order", sign, at_fit, at_least, ridges)


def _by_neighbours(metric: InfluenceMetric, ridges: tuple[float, float]) -> RowDependence:
    """Leave out the rows nearest to some; in two stages, of which few pass the first."""
    n = metric.factorization.n_rows
    nothing = RowDependence(False, "", 1.0, ridges[0], 0)
    most = max(n // tuning.FEWEST_GROUPS, 1)
    count = min(_FURTHEST, 2 * most + 1)
    few, many = _sample_sizes(metric.factorization)
    chosen = np.random.default_rng(0).permutation(n)
    for rows in (few, many):
        sets = metric.nearest(
            chosen[:rows], count, (min(tuning.SHARPENING_ROWS, count),) * tuning.SHARPENINGS
        )
        at_fit, at_least = _left_out(metric, sets, ridges, both=rows == many)
        sign = _kink(at_least.leverage, most)
        if sign.errors_from_bound < tuning.SIGN_ERRORS * (rows == many):
            return nothing
    if _equal_by_chance(metric.factorization, sets):
        return nothing
    by = "duplicates" if _are_close(metric.factorization, sets) else "neighbours"
    return _verdict(by, sign, at_fit, at_least, ridges)


def _left_out(
    metric: InfluenceMetric, sets: Rows, ridges: tuple[float, float], *, both: bool
) -> tuple[LeftOutSets, LeftOutSets]:
    """Leave sets out at the ridge of the fit, where it is asked for, and at the metric's own."""
    answers = metric.left_out(sets, ridges if both else ridges[1:])
    return answers[0], answers[-1]


def _verdict(
    by: str,
    sign: _Sign,
    at_fit: LeftOutSets,
    at_least: LeftOutSets,
    ridges: tuple[float, float],
) -> RowDependence:
    """Say what the sign costs, at the worse of the two ridges."""
    rises = [each.error[:, sign.partners].mean() for each in (at_fit, at_least)]
    worse = int(rises[1] > rises[0])
    dependent = bool(rises[worse] >= tuning.OPTIMISM_OF_CONCERN)
    return RowDependence(
        dependent,
        by if dependent else "",
        float(rises[worse]) if dependent else 1.0,
        ridges[worse],
        sign.partners if dependent else 0,
    )


def _kink(leverage: FloatArray, most: int) -> _Sign:
    """Find where the growth of the log leverage breaks off, as no independent rows make it.

    In the mean over the rows, which is sharp for groups of one size; else for each row by itself,
    where groups are of many sizes.
    """
    k, before, after, bound = _breaks(leverage, most)
    mean_bound = np.exp(
        tuning.SATURATION * np.maximum((leverage[:, k] - leverage[:, :1]).mean(axis=0), 0.0)
    )
    ratio = before.mean(axis=0) / np.maximum(after.mean(axis=0), 1e-9) / mean_bound
    best = int(np.argmax(ratio))
    limit = tuning.SHARPEST_BREAK * mean_bound[best]
    distance = _errors_from_zero(before[:, best] - limit * after[:, best])
    broken = np.flatnonzero(ratio > tuning.SHARPEST_BREAK)
    in_mean = _Sign(distance, int(k[broken[-1]]) if broken.size else int(k[best]))
    # Of single rows, the growth is too rough within fewer than three steps, and must have stood
    # still for half as long as it lasted.
    usable = (k >= 3) & (2 * (leverage.shape[1] - 1 - k) >= k)
    if in_mean.errors_from_bound >= tuning.SIGN_ERRORS or not np.any(usable):
        return in_mean
    each = before[:, usable] / np.maximum(after[:, usable], 1e-6) / bound[:, usable]
    lower = float(np.quantile(each.max(axis=1), 1.0 - tuning.BROKEN_ROWS))
    partners = int(np.quantile(k[usable][each.argmax(axis=1)], tuning.LARGE_GROUP))
    beyond = np.log(max(lower, 1e-9) / tuning.SHARPEST_ROW_BREAK) / tuning.ROW_BREAK_ERROR
    return max(in_mean, _Sign(float(beyond) + tuning.SIGN_ERRORS, partners))


def _breaks(
    leverage: FloatArray, most: int
) -> tuple[NDArray[np.intp], FloatArray, FloatArray, FloatArray]:
    """Return numbers of partners k, and each row's growth before and after, and their bound.

    Growth up to k, from its half, and from k to its double, for each unit of log(k+1).
    Where rows lie in few dimensions, leverages stop growing when all rows around are out: the more
    they have grown already, the sharper a break must be.
    """
    last = leverage.shape[1] - 1
    k = np.arange(1, min(most, last - max(last // 16, 1)) + 1)
    half, double = k // 2, np.minimum(2 * k + 1, last)
    before = (leverage[:, k] - leverage[:, half]) / np.log((k + 1) / (half + 1))
    after = (leverage[:, double] - leverage[:, k]) / np.log((double + 1) / (k + 1))
    grown = np.maximum(leverage[:, k] - leverage[:, :1], 0.0)
    return k, before, after, np.exp(tuning.SATURATION * grown)


def _order_sign(metric: InfluenceMetric, centres: Rows, left_out: LeftOutSets) -> _Sign:
    """Compare the growth of the leverages with that of leaving out any rows.

    One row left out at random adds on average Σ_j H_ij²/((1 - h_i)(1 - h_j)) to Q_i, over n.
    """
    f = metric.factorization
    shrunk = np.square(metric.shrunk)
    squares = np.square(np.asarray(metric.points(centres), dtype=float))
    share = f.intercept_share[centres]
    h = squares.sum(axis=1) + share
    others = np.maximum(squares @ shrunk + share - np.square(h), 0.0)
    mean = (shrunk.sum() + f.n_rows - f.n_effective) / f.n_rows
    influence = others / (np.maximum(h, 1e-300) * np.maximum(1.0 - h, 1e-6))
    any_row = np.mean(influence) / ((1.0 - mean) * (f.n_rows - 1))
    any_row = max(float(any_row), np.finfo(float).eps)  # rows at right angles
    k = np.arange(1, left_out.leverage.shape[1])
    growth = (left_out.leverage[:, 1:] - left_out.leverage[:, :1]) / (k * any_row)
    excess = growth - tuning.MOST_ORDER_GROWTH
    distances = np.array([_errors_from_zero(column) for column in excess.T])
    above = np.flatnonzero(distances >= tuning.SIGN_ERRORS)
    return _Sign(float(distances.max()), int(k[above[-1]]) if above.size else 1)


def _errors_from_zero(values: FloatArray) -> float:
    """Return the mean in standard errors."""
    error = values.std(ddof=1) / np.sqrt(values.size)
    return float(values.mean() / max(error, np.finfo(float).tiny))


def _sample_sizes(factorization: RidgeFactorization) -> tuple[int, int]:
    """Return how many rows are left out first, and how many when they look dependent."""
    n = factorization.n_rows
    return min(tuning.SCREENED_ROWS, n), min(tuning.EXAMINED_ROWS, n)


def _stretches(n_rows: int, centres: Rows, count: int) -> Rows:
    """Return each centre and the `count` rows nearest in order, nearest first."""
    start = np.clip(centres - count // 2, 0, n_rows - count - 1)
    rows = start[:, None] + np.arange(count + 1)
    nearest = np.argsort(np.abs(rows - centres[:, None]), axis=1, kind="stable")
    return np.take_along_axis(rows, nearest, axis=1)


def _is_sorted(factorization: RidgeFactorization) -> bool:
    """Say whether rows are sorted by a target or by class: their order then tells what y does.

    By class: equal targets come in fewer runs than there are groups at least.
    """
    steps = np.diff(factorization.targets / np.sqrt(factorization.weights)[:, None], axis=0)
    small = 1e-9 * np.abs(factorization.targets).max(axis=0)
    if np.any(np.all(steps >= -small, axis=0) | np.all(steps <= small, axis=0)):
        return True
    runs = 1 + np.count_nonzero(np.any(np.abs(steps) > small, axis=1))
    return bool(runs < tuning.FEWEST_GROUPS)


def _are_close(factorization: RidgeFactorization, sets: Rows) -> bool:
    """Say whether the nearest rows are nearly the same rows."""
    apart, size = np.empty((2, len(sets)))
    step = max(1, _BLOCK_ENTRIES // factorization.n_features)
    for start in range(0, len(sets), step):
        part = slice(start, start + step)
        rows, near = (factorization.features.take(sets[part, k]) for k in (0, 1))
        apart[part] = np.square(rows - near).sum(axis=1)
        size[part] = np.square(rows).sum(axis=1) + np.square(near).sum(axis=1)
    return bool(np.median(apart / np.maximum(size, 1e-300)) < tuning.NEAR_DUPLICATE)


def _equal_by_chance(factorization: RidgeFactorization, sets: Rows) -> bool:
    """Say whether nearest rows are equal, and come as unequally often as discrete draws do."""
    numbers = factorization.features.numbers_of_equal(single_precision_unit(factorization))
    equal = numbers[sets[:, 0]] == numbers[sets[:, 1]]
    if equal.mean() < tuning.EQUAL_ROWS_SHARE:
        return False
    counts = np.bincount(numbers)
    return bool(counts.var() > tuning.EVEN_COPIES * counts.mean())
