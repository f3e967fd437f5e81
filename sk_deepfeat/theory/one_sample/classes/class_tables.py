r"""Losses on unseen rows for any number of rows and any alpha, by the scores along κ.

At one n, some κ give alphas, squared errors R(n, κ), and with them how much more or less noise the
scores have than those of n₀ rows; between the alphas losses are interpolated. Every loss has K + 2
columns: one for each class, the mean over rows, and the mean over classes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.one_sample.classes.clouds import Cloud, CloudsAlongKappa, Loss
from sk_deepfeat.theory.one_sample.classes.removal import Transport, extrapolated
from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
from sk_deepfeat.theory.one_sample.evaluation import CurveEvaluator
from sk_deepfeat.theory.one_sample.row_groups import RowGroups
from sk_deepfeat.theory.validation import FloatArray

_NEAR_END = np.array([0.99, 0.95, 0.88, 0.8])
_APART = 0.02  # of log κ, at which two points are one
_AS_GOOD_AS_ZERO = 1e-10  # of the least eigenvalue: smaller ridges are
_MOST_TABLES = 512
_MOST_NUMBERS = 10_000_000  # of all transports that are kept
_NOTHING = 1e-30  # of a loss; slopes of less overflow


class LossesAtAlphas(NamedTuple):
    """Losses at some alphas, shapes (A, L)."""

    loss: FloatArray
    """NaN where nothing is known. Of more than n₀ rows, by transport."""
    row_variance: FloatArray
    """Variance of that mean over rows."""
    simulated: FloatArray | None = None
    """Of more than n₀ rows, by simulation and extrapolation."""


class ClassTables:
    """Losses of ridge on codes of classes, from one training set.

    Parameters
    ----------
    clouds : CloudsAlongKappa
        From `clouds_along_kappa`.
    evaluator : CurveEvaluator
        Of the same training set.
    n_rows : int
        n₀.
    groups : RowGroups or None
        Which rows belong together.
    """

    def __init__(
        self,
        clouds: CloudsAlongKappa,
        evaluator: CurveEvaluator,
        n_rows: int,
        groups: RowGroups | None = None,
    ) -> None:
        self.clouds, self.evaluator, self.n_rows, self.groups = clouds, evaluator, n_rows, groups
        self.n_outputs = clouds.classes.n_outputs
        self._tables: dict[tuple[float, Loss], _Table | None] = {}
        self._transports: dict[float, Transport] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_tables": {}, "_transports": {}}

    def losses(self, n_samples: float, alpha: FloatArray, loss: Loss) -> LossesAtAlphas:
        """Return losses of one number of rows.

        Parameters
        ----------
        n_samples : float
            Number of rows.
        alpha : ndarray of shape (A,)
            Regularisations for weights of mean one.
        loss : Loss
            Of which kind.
        """
        key = (float(n_samples), loss)
        if key not in self._tables:
            if len(self._tables) >= _MOST_TABLES:
                self._tables.clear()
            self._tables[key] = self._made(*key)
        table = self._tables[key]
        if table is None:
            width = self.clouds.classes.n_classes + 2
            unknown = np.full((alpha.size, width), np.nan)
            return LossesAtAlphas(unknown, unknown, unknown if n_samples > self.n_rows else None)
        return table.at(alpha)

    def _points(self, n: float) -> FloatArray:
        """Return the κ at which losses are taken: those of the clouds, and some near the end.

        Below the first of the clouds ridge hardly moves any more.
        """
        ends = self.evaluator.kappas_near_end(n, _NEAR_END)
        if ends.size == 0:
            return ends
        kappa = self.clouds.kappa
        found = np.sort(np.r_[ends[ends > kappa[0]], kappa[kappa > ends[0]]])
        if found.size == 0:
            return kappa[-1:]
        return found[np.r_[True, np.diff(np.log(found)) > _APART]]

    def _made(self, n: float, loss: Loss) -> _Table | None:
        if n <= float(self.evaluator.fit_intercept):
            return _Table(np.zeros(1), self._of_one_row(loss)[None])
        own = n == self.n_rows
        kappa = self.clouds.kappa if own else self._points(n)
        if kappa.size == 0:
            return None
        here, there = (self.evaluator.along_kappa(size, kappa) for size in (n, float(self.n_rows)))
        scale = self.clouds.scale_at(kappa) / self.n_outputs
        excess = (here.test_error - there.test_error) / scale
        alpha = self.clouds.ridge if own else here.alpha
        known = np.isfinite(alpha) & (own | np.isfinite(excess))
        known[1:] &= alpha[1:] > np.fmax.accumulate(np.where(known, alpha, 0.0))[:-1]
        if not known.any():
            return None
        rows = []
        for k in np.flatnonzero(known):
            if own:
                rows.append(self._of(kappa[k], loss, 0.0))
            elif n < self.n_rows:
                rows.append(self._of(kappa[k], loss, max(float(excess[k]), 0.0)))
            else:
                rows.append(self._removed(kappa[k], loss, max(-float(excess[k]), 0.0)))
        return _Table(np.log(alpha[known]), np.stack(rows))

    def _of(self, kappa: float, loss: Loss, factor: float) -> FloatArray:
        """Return losses and their variances, shape (2, L)."""
        values = loss.of_rows(self.clouds.at(kappa), factor)
        return np.stack(columns_of(values, self.clouds.classes, self.groups))

    def _of_one_row(self, loss: Loss) -> FloatArray:
        """Return losses where every score is the code of one row, which the intercept is."""
        classes, others = self.clouds.classes, self.clouds.margins.shape[1]
        margins = np.full((others, 2), -2.0)
        margins[:, 1] = np.where(np.arange(others) == 0, 2.0, 0.0)
        own, other = loss.of_rows(Cloud(margins, np.empty(0)), 0.0)
        values = other + (own - other) * classes.share[classes.number]
        return np.stack(columns_of(values, classes, self.groups))

    def _removed(self, kappa: float, loss: Loss, excess: float) -> FloatArray:
        """Return losses with less noise in two ways, between them their variances; (3, L)."""
        cloud, classes = self.clouds.at(kappa), self.clouds.classes
        steps = (loss.of_rows(cloud, step * excess) for step in tuning.SIMEX_STEPS)
        columns = [columns_of(values, classes, self.groups) for values in steps]
        simulated = extrapolated(np.stack([c[0] for c in columns]), classes.n_classes, loss)
        moved = self._transport(kappa, cloud).without(excess)
        of_rows = columns_of(loss.of_rows(moved, 0.0), classes, self.groups)
        return np.stack([of_rows[0], columns[0][1], simulated])

    def _transport(self, kappa: float, cloud: Cloud) -> Transport:
        """Return the transport at one κ, which serves every number of rows."""
        if kappa not in self._transports:
            made = Transport(cloud, self.clouds.classes)
            if made.size + sum(one.size for one in self._transports.values()) > _MOST_NUMBERS:
                self._transports.clear()
            self._transports[kappa] = made
        return self._transports[kappa]


class _Table:
    """Columns along log alpha, monotone between neighbours, and constant beyond the ends.

    Between two points of which one is not known nothing is.
    """

    def __init__(self, log_alpha: FloatArray, values: FloatArray) -> None:
        self._x, self._values = log_alpha, values
        self._known = np.isfinite(values)
        filled = np.where(self._known & (np.abs(values) > _NOTHING), values, 0.0)
        with np.errstate(over="ignore", divide="ignore"):  # slopes of next to nothing
            self._spline = PchipInterpolator(log_alpha, filled) if log_alpha.size > 1 else None

    def at(self, alpha: FloatArray) -> LossesAtAlphas:
        with np.errstate(divide="ignore"):
            x = np.clip(np.log(alpha), self._x[0], self._x[-1])
        if self._spline is None:
            found = np.broadcast_to(self._values, (alpha.size, *self._values.shape[1:]))
        else:
            found = self._spline(x)
            high = np.clip(np.searchsorted(self._x, x), 1, self._x.size - 1)
            found = np.where(self._known[high - 1] & self._known[high], found, np.nan)
        simulated = found[:, 2] if found.shape[1] > 2 else None
        return LossesAtAlphas(found[:, 0], found[:, 1], simulated)


def columns_of(
    values: FloatArray, classes: RowClasses, groups: RowGroups | None
) -> tuple[FloatArray, FloatArray]:
    """Return means of a loss over each class, over all rows, and over classes; and variances.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Loss of each row.
    classes : RowClasses
        Of the rows.
    groups : RowGroups or None
        Where rows are not independent, their deviations are summed in groups.

    Returns
    -------
    means, variances : ndarray of shape (K + 2,)
        NaN for a class without rows, which the mean over classes leaves out.
    """
    weights = classes.weights
    by_class = classes.means(values)
    there = classes.share > 0
    mean, balanced = float(weights @ values), float(by_class[there].mean())

    def variance(deviations: FloatArray) -> FloatArray:
        """Sum of squares, shape (rows, c) → (c,)."""
        sums = deviations if groups is None else groups.sums(deviations)
        return np.square(sums).sum(axis=0)

    own = weights * (values - by_class[classes.number])
    if groups is None:
        with np.errstate(invalid="ignore", divide="ignore"):
            of_class = classes.sums(np.square(own)) / np.square(classes.share)
        of_balanced = of_class[there].sum() / np.square(there.sum())
    else:
        one = np.zeros((values.size, classes.n_classes))
        with np.errstate(invalid="ignore", divide="ignore"):
            one[np.arange(values.size), classes.number] = own / classes.share[classes.number]
        of_class = np.where(there, variance(one), np.nan)
        of_balanced = variance(one[:, there].mean(axis=1, keepdims=True))[0]
    of_mean = variance((weights * (values - mean))[:, None])[0]
    return np.r_[by_class, mean, balanced], np.r_[of_class, of_mean, of_balanced]


def score_ridges(eigenvalues: FloatArray, n_effective: int, exact: FloatArray) -> FloatArray:
    """Return the ridges at which scores are kept, ascending: some degrees of freedom, and `exact`.

    Parameters
    ----------
    eigenvalues : ndarray of shape (rank,)
        Of the Gram matrix, not empty.
    n_effective : int
        Rows, less one with an intercept.
    exact : ndarray
        Ridges that are to be among them.
    """
    most = float(min(n_effective, eigenvalues.size))
    low, high = 1e-10 * eigenvalues[-1], 1e4 * eigenvalues.sum()
    grid = np.geomspace(low, high, 600)
    df1 = (eigenvalues / (eigenvalues + grid[:, None])).sum(axis=1)
    count = int(np.log(most) / np.log(tuning.SCORE_DF_STEP)) + 1
    wanted = most * np.r_[tuning.SCORE_DF_SHARES, 0.5 * tuning.SCORE_DF_STEP ** -np.arange(count)]
    wanted = np.r_[wanted, tuning.SCORE_LOW_DF]
    found = np.exp(np.interp(-np.unique(wanted)[::-1], -df1, np.log(grid)))
    exact = exact[(exact > 0) & (exact < high)]
    exact = np.unique(np.maximum(exact, _AS_GOOD_AS_ZERO * eigenvalues[0]))
    near = np.abs(np.log(found[:, None] / exact)).min(axis=1, initial=np.inf) < _APART
    return np.sort(np.r_[found[~near], exact])


def known_columns(classes: RowClasses) -> NDArray[np.bool_]:
    """Say for which columns there are rows enough: a class has two at least."""
    return np.r_[classes.counts > 1, True, True]
