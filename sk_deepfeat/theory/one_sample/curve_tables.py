"""Test errors of several κ-curves at any n and alpha, from tables of single n that are kept.

For n rows, `nodes` gives alpha and the errors at each κ of a curve; here they are interpolated to
the alphas that are asked for, and carried beyond the curve's ends, where df1 no longer moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample.curve_stack import CurveStack
from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.leverage_scale import ratio
from sk_deepfeat.theory.one_sample.nodes import CurveNodes, NodesOfStack
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.spline_rows import SplineRows
from sk_deepfeat.theory.validation import FloatArray

# Numbers in one array: while nodes are made, and of all tables that are kept.
_BLOCK_ENTRIES, _KEPT_ENTRIES = 30_000, 10_000_000
_FEWEST_KEPT, _MOST_KEPT = 8, 64


class Table(NamedTuple):
    """The nodes of B curves at one n, and splines over log alpha through what is at them."""

    rows: float
    """n, less one with an intercept."""
    place: IndexArray
    """Each curve's row of the splines, -1 where it has less than two nodes; shape (B,)."""
    low: FloatArray
    """Smallest alpha of the nodes, NaN where there are less than two; shape (B,)."""
    high: FloatArray
    """The largest, likewise."""
    splines: SplineRows
    """Of several n; columns are test errors, and unless these are all, training errors, squared
    bias with noise, and κ."""
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
        self, curves: list[KappaCurve], *, fit_intercept: bool, errors_alone: bool = False
    ) -> None:
        self.fit_intercept, self.errors_alone = fit_intercept, errors_alone
        self._nodes = NodesOfStack(curves, errors_alone=errors_alone)
        self.stack = self._nodes.stack
        self._tables: dict[float, Table] = {}
        self._together = max(_BLOCK_ENTRIES // max(self.stack.entries, 1), 1)
        kept = int(self.stack.ends[-1]) * max(self.stack.n_outputs, 1)
        self._most = int(np.clip(_KEPT_ENTRIES // kept, _FEWEST_KEPT, _MOST_KEPT))

    def rows(self, n_samples: float) -> float:
        """Return n, less one with an intercept."""
        return float(n_samples) - 1.0 if self.fit_intercept else float(n_samples)

    def at(self, n_samples: FloatArray) -> list[Table]:
        """Return the tables of some numbers of samples; those that were used last are kept."""
        wanted = [self.rows(n) for n in n_samples]
        for n in wanted:
            if n in self._tables:
                self._tables[n] = self._tables.pop(n)
        missing = [n for n in dict.fromkeys(wanted) if n not in self._tables]
        if missing:
            self._tables.update(zip(missing, self._made(np.array(missing)), strict=True))
        found = [self._tables[n] for n in wanted]
        for n in list(self._tables)[: -self._most]:
            del self._tables[n]
        return found

    def _made(self, rows: FloatArray) -> list[Table]:
        """Return new tables."""
        blocks = [rows[i : i + self._together] for i in range(0, rows.size, self._together)]
        made = [self._nodes.seen_from(block) for block in blocks]
        nodes = CurveNodes(*map(np.concatenate, zip(*(part for part, _ in made), strict=True)))
        sizes = np.concatenate([size for _, size in made])
        ends = np.cumsum(sizes)
        known = sizes >= 2
        place = np.where(known, np.cumsum(known) - 1, -1)
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
        count, tables = len(self.stack.curves), []
        for n, start in zip(rows, range(0, sizes.size, count), strict=True):
            mine = slice(start, start + count)
            points = slice(ends[start] - sizes[start], ends[start])
            first = CurveNodes(*(part[points] for part in nodes))
            tables.append(Table(float(n), place[mine], low[mine], high[mine], splines, first))
        return tables

    def asked(self, n_samples: FloatArray, alpha: FloatArray) -> Iterator[AskedCells]:
        """Yield cells with their tables, as many as may be kept at a time.

        Parameters
        ----------
        n_samples, alpha : ndarray of shape (cells,)
            Numbers of samples, at least 1, and regularisations for weights of mean one.
        """
        sizes, which = np.unique(n_samples, return_inverse=True)
        for start in range(0, sizes.size, self._most):
            tables = self.at(sizes[start : start + self._most])
            number = which - start
            cells = np.flatnonzero((number >= 0) & (number < len(tables)))
            yield AskedCells(self.stack, tables, cells, number[cells], alpha[cells])

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
        test = np.empty((len(self.stack.curves), n_samples.size, self.stack.n_outputs))
        for asked in self.asked(n_samples.ravel(), alpha.ravel()):
            test[:, asked.cells] = asked.test_error()
        if self.fit_intercept:
            test *= (1.0 + 1.0 / n_samples.ravel())[:, None]
        return test.reshape(len(test), *n_samples.shape, test.shape[2])


class AskedCells:
    """Cells, each with its table.

    Parameters
    ----------
    stack : CurveStack
        The curves.
    tables : list of Table
        Of the numbers of samples.
    cells : ndarray of shape (Q,)
        Which of the cells that were asked for.
    which : ndarray of shape (Q,)
        The table of each.
    alpha : ndarray of shape (Q,)
        Regularisations.
    """

    def __init__(
        self,
        stack: CurveStack,
        tables: list[Table],
        cells: IndexArray,
        which: IndexArray,
        alpha: FloatArray,
    ) -> None:
        self.stack, self.tables, self.cells = stack, tables, cells
        self.which, self.alpha = which, alpha
        rows = np.array([table.rows for table in tables])
        self.rows = rows[which]
        active = np.stack([stack.active_rows(n) for n in rows], axis=1)
        self._rank = stack.rank[:, None]
        # From one sample, or features of nothing, nothing is learned.
        self.learns_nothing = (active <= 1e-12 * (rows + 1.0)) | (self._rank == 0)
        self.active_rows = active[:, which]
        self.low, self.high = (
            np.stack([getattr(table, end) for table in tables], axis=1)[:, which]
            for end in ("low", "high")
        )
        self.at_peak = stack.shows_all[:, None] & (self.active_rows == self._rank)
        hidden = (self.rows > stack.n_effective) & ~stack.shows_all[:, None]
        hidden |= stack.cut_short(rows)[:, which]
        self.below_reach = hidden & (alpha < self.low)

    def test_error(self) -> FloatArray:
        """Return test errors without the factor of an intercept, shape (B, Q, t).

        They are interpolated between the nodes; beyond their ends df1 no longer moves.
        """
        stack, alpha = self.stack, self.alpha
        test = self.interpolated(slice(0, stack.n_outputs))
        peak = self.at_peak & (alpha < self.low)
        if np.any(peak):  # κ and 1 - γ go on with the root of alpha, to zero
            with np.errstate(divide="ignore"):
                growth = np.where(peak, np.sqrt(self.low) / np.sqrt(alpha), 1.0)[:, :, None]
            np.multiply(test, growth, out=test, where=test > 0)
        # Errors below zero are estimates lost in noise, of few or heavy-tailed rows.
        test = np.where(self.below_reach[:, :, None] | (test < 0), np.nan, test)
        for b, table in zip(*np.nonzero(self.learns_nothing), strict=True):
            mine, n = self.which == table, self.tables[table].rows
            test[b, mine] = nothing_learned(stack.curves[b], n, alpha[mine])[0]
        return test

    def interpolated(self, columns: slice) -> FloatArray:
        """Return columns of the splines, no further out than the nodes, shape (B, Q, m).

        NaN where a curve has no nodes.
        """
        place = np.stack([table.place for table in self.tables], axis=1)[:, self.which]
        with np.errstate(divide="ignore"):
            log_alpha = np.log(np.clip(self.alpha, self.low, self.high))
        splines = {id(table.splines): table.splines for table in self.tables}
        if len(splines) == 1 and (place >= 0).all():
            (only,) = splines.values()
            found = only(place.ravel(), log_alpha.ravel(), columns)
            return found.reshape(*place.shape, found.shape[1])
        width = len(range(*columns.indices(self.tables[0].splines.values.shape[1])))
        found = np.full((*place.shape, width), np.nan)
        numbers = np.array([id(table.splines) for table in self.tables])[self.which]
        for number, spline in splines.items():
            mine = (place >= 0) & (numbers == number)
            found[mine] = spline(place[mine], log_alpha[mine], columns)
        return found


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
