"""Test errors of several κ-curves at any n and alpha, from tables of single n that are kept.

For n rows, `nodes` gives alpha and the errors at each κ of a curve; here they are interpolated to
the alphas that are asked for, and carried beyond the curve's ends, where df1 no longer moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve, ratio
from sk_deepfeat.theory.one_sample.nodes import CurveNodes, NodesOfStack
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.spline_rows import SplineRows
from sk_deepfeat.theory.validation import FloatArray

# Numbers in one array: while nodes are made, and of all tables that are kept.
_BLOCK_ENTRIES, _KEPT_ENTRIES = 30_000, 10_000_000
_FEWEST_KEPT, _MOST_KEPT = 8, 64


class Table(NamedTuple):
    """The nodes of B curves at one n, and splines over log alpha through what is at them."""

    row: IndexArray
    """Each curve's row of the splines, -1 where it has less than two nodes; shape (B,)."""
    low: FloatArray
    """Smallest alpha of the nodes, NaN where there are less than two; shape (B,)."""
    high: FloatArray
    """The largest, likewise."""
    splines: SplineRows
    """With the columns of `CurveTables.columns`, of several n."""
    nodes: CurveNodes
    """Those of the first curve."""


class CurveTables:
    """Curves at any number of samples and any alpha.

    Parameters
    ----------
    curves : list of KappaCurve
        At least one, of the same N and outputs.
    fit_intercept : bool
        Whether ridge fits an intercept: R(n) = (1 + 1/n) R_c(n - 1), as for the curves themselves.
    errors_alone : bool, default=False
        Whether test errors are all that will be asked for.
    """

    def __init__(
        self,
        curves: list[KappaCurve],
        *,
        fit_intercept: bool,
        errors_alone: bool = False,
    ) -> None:
        self.fit_intercept, self.errors_alone = fit_intercept, errors_alone
        self._nodes = NodesOfStack(curves, errors_alone=errors_alone)
        self.stack = self._nodes.stack
        self._tables: dict[float, Table] = {}
        entries = self.stack.entries
        self._together = max(_BLOCK_ENTRIES // max(entries, 1), 1)
        kept = int(self.stack.ends[-1]) * max(self.stack.n_outputs, 1)
        self._most = int(np.clip(_KEPT_ENTRIES // kept, _FEWEST_KEPT, _MOST_KEPT))

    def rows(self, n_samples: float) -> float:
        """Return n, less one with an intercept."""
        return float(n_samples) - 1.0 if self.fit_intercept else float(n_samples)

    def cells(self, n_samples: FloatArray) -> Iterator[tuple[float, Table, IndexArray]]:
        """Yield each of the numbers of samples, its table, and which cells ask for it."""
        sizes, which = np.unique(n_samples, return_inverse=True)
        groups = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])
        for start in range(0, sizes.size, self._most):
            block = sizes[start : start + self._most]
            tables = self.at(block)
            for k, (n, table) in enumerate(zip(block, tables, strict=True), start):
                yield float(n), table, groups[k]

    def at(self, n_samples: FloatArray) -> list[Table]:
        """Return the tables of some numbers of samples."""
        wanted = [self.rows(n) for n in n_samples]
        missing = [n for n in dict.fromkeys(wanted) if n not in self._tables]
        for n in wanted:  # those used last come last
            if n in self._tables:
                self._tables[n] = self._tables.pop(n)
        for start in range(0, len(missing), self._together):
            block = missing[start : start + self._together]
            self._tables.update(zip(block, self._made(np.array(block)), strict=True))
        found = [self._tables[n] for n in wanted]
        for n in list(self._tables)[: -self._most]:
            del self._tables[n]
        return found

    def _made(self, rows: FloatArray) -> list[Table]:
        """Return new tables."""
        nodes, sizes = self._nodes.seen_from(rows)
        ends = np.cumsum(sizes)
        known = sizes >= 2
        row = np.where(known, np.cumsum(known) - 1, -1)
        low, high = np.full(sizes.size, np.nan), np.full(sizes.size, np.nan)
        low[known] = nodes.alpha[(ends - sizes)[known]]
        high[known] = nodes.alpha[ends[known] - 1]
        columns = [nodes.test_error]
        if not self.errors_alone:
            columns += [nodes.train_error, nodes.bias_and_noise, nodes.kappa[:, None]]
        some = np.repeat(known, sizes)
        splines = SplineRows(
            sizes[known], np.log(nodes.alpha[some]), np.hstack(columns)[some], log=True
        )
        count = len(self.stack.curves)
        tables = []
        for start in range(0, sizes.size, count):
            mine = slice(start, start + count)
            points = slice(ends[start] - sizes[start], ends[start])
            first = CurveNodes(*(part[points] for part in nodes))
            tables.append(Table(row[mine], low[mine], high[mine], splines, first))
        return tables

    def test_error(self, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
        """Return test errors.

        Parameters
        ----------
        n_samples, alpha : ndarray of one shape
            Numbers of samples, at least 1, and regularisations for weights of mean one.

        Returns
        -------
        ndarray of shape (B,) + that shape + (t,)
        """
        shape = (len(self.stack.curves), n_samples.size, self.stack.n_outputs)
        test, flat = np.empty(shape), alpha.ravel()
        for n, table, cells in self.cells(n_samples.ravel()):
            found = self.test_error_of(self.rows(n), table, flat[cells])
            test[:, cells] = found * (1.0 + 1.0 / n) if self.fit_intercept else found
        return test.reshape(shape[0], *n_samples.shape, shape[2])

    def test_error_of(self, n: float, table: Table, alpha: FloatArray) -> FloatArray:
        """Return test errors at one n, less one with an intercept, whose factor is left out.

        They are interpolated between the nodes; beyond their ends df1 no longer moves. Shape
        (B, A, t).
        """
        stack = self.stack
        active = stack.active_rows(n)
        test = self.interpolated(table, alpha, slice(0, stack.n_outputs))
        if np.any(alpha == 0):
            peak = (stack.shows_all & (active == stack.rank))[:, None] & (alpha == 0)
            test = np.where(peak[:, :, None] & (test > 0), np.inf, test)
        # Errors below zero are estimates lost in noise, of few or heavy-tailed rows.
        test = np.where(self.below_reach(n, table, alpha)[:, :, None] | (test < 0), np.nan, test)
        for b in np.flatnonzero(self.learns_nothing(n)):
            test[b] = nothing_learned(stack.curves[b], n, alpha)[0]
        return test

    def interpolated(self, table: Table, alpha: FloatArray, columns: slice) -> FloatArray:
        """Return columns of the splines at some alphas, no further out than the nodes; (B, A, m).

        NaN where a curve has no nodes.
        """
        known = table.row >= 0
        clipped = np.clip(alpha, table.low[known, None], table.high[known, None])
        rows = np.repeat(table.row[known], alpha.size)
        found = table.splines(rows, np.log(clipped).ravel(), columns)
        found = found.reshape(*clipped.shape, found.shape[-1])
        if known.all():
            return found
        everything = np.full((known.size, *found.shape[1:]), np.nan)
        everything[known] = found
        return everything

    def below_reach(self, n: float, table: Table, alpha: FloatArray) -> NDArray[np.bool_]:
        """Say where κ is below what a curve shows, shape (B, A)."""
        hidden = (n > self.stack.n_effective) & ~self.stack.shows_all
        return hidden[:, None] & (alpha < table.low[:, None])

    def learns_nothing(self, n: float) -> NDArray[np.bool_]:
        """Say which curves learn nothing: from one sample, or features of nothing."""
        return (self.stack.active_rows(n) <= 1e-12 * (n + 1.0)) | (self.stack.rank == 0)


def nothing_learned(
    curve: KappaCurve, n: float, alpha: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return test error, training error, squared bias with noise, and κ where nothing is learned.

    Errors have the shape (A, t).
    """
    shape = (alpha.size, curve.n_outputs)
    moment = curve.error[-1].sum(axis=0)
    test, train = moment, moment * (n > 0.0)
    if curve.constant is not None:  # the intercept is off by the means of whole groups
        more = curve.constant.mean_error[-1] - moment
        test = moment + more / (n + 2.0)
        # As for nodes, exact at the training size.
        of_curve = moment - more / curve.n_effective
        exact = ratio(curve.training_error[-1], of_curve)
        train = np.maximum(moment - more / max(n, 1e-12), 0.0) * exact * (n > 0.0)
    kappa = alpha / n if curve.active_rows(n) > 0.0 else np.full(alpha.size, np.inf)
    test, train, moment = (np.broadcast_to(part, shape) for part in (test, train, moment))
    return test, train, moment, kappa
