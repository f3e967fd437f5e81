"""Sums over rows that come in blocks, from which ridge at every alpha follows.

All sums are entries of one matrix, Σ w aaᵀ with a = (x - c, y - d, 1) for centres c and d: a block
adds to them by one product, and moving the centres or merging two of them is a product with a
matrix that differs from one in its last row. With centres near the means, a mean of 1e6 standard
deviations costs no digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.one_sample.centred_rows import add_products
from sk_deepfeat.theory.one_sample.streamed.checked_blocks import (
    check_count,
    check_finite,
    checked_shapes,
    checked_weights,
)
from sk_deepfeat.theory.one_sample.streamed.group_reservoir import GroupReservoir
from sk_deepfeat.theory.one_sample.streamed.label_hashes import Hashes, label_hashes
from sk_deepfeat.theory.one_sample.streamed.reservoir import Reservoir
from sk_deepfeat.theory.validation import FloatArray

# Entries of the rows that are taken at once: they stay in the cache from one step to the next.
_BLOCK_ENTRIES = 500_000
# Centres stay while no mean is more than so many standard deviations, and roundings, away.
_MOST_DEVIATIONS, _ROUNDING = 8.0, 1e-12
_FEW_ROWS = 16
# Pickles hold what is below the diagonal, in stripes of so many columns.
_PACKED_COLUMNS = 128


class GramAccumulator:
    """Second moments of features and targets, summed over blocks of rows, and a sample of the rows.

    In double precision, whatever comes in. The order of blocks, and of merges, changes the sums by
    rounding alone, and the sample by chance.

    Parameters
    ----------
    reservoir_size : int, default=10_000
        Most rows that are kept, a uniform sample of all, or of whole groups; zero keeps none.
    random_state : int, default=0
        Draws the sample. Accumulators that are to be merged need different ones, unless rows come
        in groups: which of these are kept their labels alone decide.
    n_expected : int, optional
        How many rows of positive weight, at least, all accumulators have together that are to be
        merged. Each then keeps hardly more than its share of the sample; not where rows come in
        groups.

    Attributes
    ----------
    n_rows : int
        Rows of positive weight so far.
    n_blocks : int
        Calls of ``add`` so far, those of merged accumulators included.
    weight_sum : float
        Sum of their weights.
    feature_mean, target_mean : ndarray of shape (p,), (t,)
        Weighted means.
    n_groups : int or None
        Groups of these rows.
    reservoir : Reservoir
        The sample, of rows of positive weight.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import GramAccumulator
    >>> X, y = np.arange(12.0).reshape(6, 2) ** 2, np.arange(6.0)
    >>> first, second = GramAccumulator(), GramAccumulator(random_state=1)
    >>> both = first.add(X[:4], y[:4]).merge(second.add(X[4:], y[4:]))
    >>> both.n_rows, bool(np.allclose(both.feature_covariance, np.cov(X.T, bias=True)))
    (6, True)
    """

    _whole = True  # not while rows are added, or if that was broken off

    def __init__(
        self,
        *,
        reservoir_size: int = 10_000,
        random_state: int = 0,
        n_expected: int | None = None,
    ) -> None:
        self.reservoir_size = check_count(reservoir_size, "reservoir_size")
        self.random_state = check_count(random_state, "random_state")
        if n_expected is not None:
            n_expected = check_count(n_expected, "n_expected")
        self.n_rows, self.n_blocks = 0, 0
        self.n_features = self.n_outputs = 0
        self.dtype: np.dtype[Any] | None = None
        self.reservoir: Reservoir = Reservoir(self.reservoir_size, self.random_state, n_expected)
        self._sums = np.empty((0, 0), order="F")  # its lower triangle
        self._centre = np.empty(0)

    def add(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> GramAccumulator:
        """Add a block of rows, or nothing of it if anything in it is wrong.

        Parameters
        ----------
        X : array-like of shape (n_rows, p)
            Features.
        y : array-like of shape (n_rows,) or (n_rows, t)
            Targets.
        sample_weight : array-like of shape (n_rows,), optional
            Not negative. Rows of weight zero are left out.
        groups : array-like of shape (n_rows,), optional
            Integers or strings, with all blocks or with none: which rows, of all blocks, belong
            together. Whole groups are then kept, those to whose labels a fixed hash gives the
            smallest numbers.

        Returns
        -------
        GramAccumulator
            Itself.

        Raises
        ------
        ValueError
            If shapes do not fit each other or the blocks before, the features have another
            precision than those, or anything is not finite: the block and the column are named.
            If some blocks have groups and others none, or labels are missing.
        TypeError
            If a label is neither an integer nor a string.
        """
        rows, targets, weights, hashes = self._checked(X, y, sample_weight, groups)
        if weights is not None and not np.all(weights > 0):
            kept = weights > 0
            rows, targets, weights = rows[kept], targets[kept], weights[kept]
            hashes = None if hashes is None else hashes[kept]
        self._whole = False
        if self.dtype is None:
            self._begin(rows.shape[1], targets.shape[1], rows.dtype, hashes is not None)
        if len(rows):
            self._add(rows, targets, weights)
            of_rows = np.ones(len(rows)) if weights is None else weights
            if hashes is not None and isinstance(self.reservoir, GroupReservoir):
                self.reservoir.add_groups(rows, targets, of_rows, hashes)
            else:
                self.reservoir.add(rows, targets, of_rows)
            self.n_rows += len(rows)
        self.n_blocks += 1
        self._whole = True
        return self

    def merge(self, other: GramAccumulator) -> GramAccumulator:
        """Take over the rows of another accumulator, which stays as it is.

        Parameters
        ----------
        other : GramAccumulator
            Of as many features and outputs, in the same precision.

        Returns
        -------
        GramAccumulator
            Itself.

        Raises
        ------
        TypeError
            If `other` is none.
        ValueError
            If it is this one, or its widths, its precision or its `reservoir_size` differ, both
            draw by the same `random_state`, or one of them has groups.
        """
        if not isinstance(other, GramAccumulator):
            raise TypeError(f"other={type(other).__name__} must be a GramAccumulator to be merged.")
        if other is self:
            raise ValueError("An accumulator merged with itself would count every row twice.")
        if other.dtype is None:
            return self
        if other.reservoir_size != self.reservoir_size:
            raise ValueError(
                f"Accumulators with reservoir_size={self.reservoir_size} and "
                f"{other.reservoir_size} cannot be merged: rows would not be equally likely to be "
                "kept."
            )
        self.require_whole()
        other.require_whole()
        if self.dtype is None:
            self._begin(other.n_features, other.n_outputs, other.dtype, other.grouped)
            self._centre = other._centre.copy()
        elif other.random_state == self.random_state and not self.grouped:
            raise ValueError(
                f"Both accumulators have random_state={self.random_state} and draw the same "
                "sample of their rows; give each its own."
            )
        widths = other.n_features, other.n_outputs
        self._check_like(*widths, other.dtype, other.grouped, "The other accumulator")
        self._whole = False
        self._sums += _about(other._sums, self._centre - other._centre)
        self.reservoir.merge(other.reservoir)
        self.n_rows += other.n_rows
        self.n_blocks += other.n_blocks
        self._recentre()
        self._whole = True
        return self

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        starts = range(0, len(self._sums), _PACKED_COLUMNS)
        state["_sums"] = [
            np.asfortranarray(self._sums[k:, k : k + _PACKED_COLUMNS]) for k in starts
        ]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        packed = state["_sums"]
        size = len(packed[0]) if packed else 0
        self._sums = np.zeros((size, size), order="F")
        for k, columns in enumerate(packed):
            start = k * _PACKED_COLUMNS
            self._sums[start:, start : start + _PACKED_COLUMNS] = columns

    @property
    def grouped(self) -> bool:
        """Whether rows come in groups."""
        return isinstance(self.reservoir, GroupReservoir)

    @property
    def n_groups(self) -> int | None:
        """How many groups there are in all rows; None without."""
        return self.reservoir.n_groups if isinstance(self.reservoir, GroupReservoir) else None

    @property
    def weight_sum(self) -> float:
        """Sum of the weights."""
        return float(self._sums[-1, -1]) if self._sums.size else 0.0

    @property
    def feature_mean(self) -> FloatArray:
        """Weighted mean of the features, shape (p,)."""
        return self._means[: self.n_features]

    @property
    def target_mean(self) -> FloatArray:
        """Weighted mean of the targets, shape (t,)."""
        return self._means[self.n_features :]

    @property
    def feature_covariance(self) -> FloatArray:
        """Weighted covariance of the features, shape (p, p)."""
        gram = self.moments(fit_intercept=True)[0]
        lower = np.tril(gram, -1)
        return np.asarray((lower + lower.T + np.diag(np.diagonal(gram))) / self.weight_sum)

    def moments(self, *, fit_intercept: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return ΦᵀΦ, Φᵀy and the diagonal of yᵀy, weighted, about the means with an intercept.

        Parameters
        ----------
        fit_intercept : bool
            Whether about the means, or about zero.

        Returns
        -------
        gram : ndarray of shape (p, p)
            Its lower triangle, in Fortran's order.
        cross : ndarray of shape (p, t)
        squares : ndarray of shape (t,)
        """
        self._require_rows()
        p = self.n_features
        move = self._means - self._centre if fit_intercept else -self._centre
        found = _about(self._sums, move)
        cross = found[p:-1, :p].T.copy()
        return found[:p, :p], cross, np.diagonal(found)[p:-1].copy()

    def require_whole(self) -> None:
        """Raise ValueError if adding rows was broken off."""
        if not self._whole:
            raise ValueError(
                "Adding rows was interrupted: some of a block are counted, others not, and nothing "
                "can be learned from these sums. Start anew."
            )

    def _require_rows(self) -> None:
        self.require_whole()
        if self.n_rows < 1:
            raise ValueError("No rows of positive weight have been added.")

    @property
    def _means(self) -> FloatArray:
        self._require_rows()
        return np.asarray(self._centre + self._sums[-1, :-1] / self.weight_sum)

    def _begin(self, n_features: int, n_outputs: int, dtype: np.dtype[Any], grouped: bool) -> None:
        if grouped:
            self.reservoir = GroupReservoir(self.reservoir_size)
        self.n_features, self.n_outputs, self.dtype = n_features, n_outputs, dtype
        size = n_features + n_outputs + 1
        self._sums = np.zeros((size, size), order="F")
        self._centre = np.zeros(size - 1)

    def _add(self, rows: NDArray[Any], targets: FloatArray, weights: FloatArray | None) -> None:
        """Add checked rows, a few at a time."""
        p, size = self.n_features, len(self._sums)
        step = max(64, _BLOCK_ENTRIES // size)
        room = np.empty((min(step, len(rows)), size))
        for start in range(0, len(rows), step):
            part = slice(start, min(start + step, len(rows)))
            made = room[: part.stop - start]
            if self.weight_sum == 0.0:
                self._centre = _means_of(rows[part], targets[part])
            made[:, :p], made[:, p:-1] = rows[part], targets[part]  # cast, which costs less alone
            made[:, :-1] -= self._centre
            far = self._is_far(made[:, :-1])
            made[:, -1] = 1.0
            if weights is not None:
                made *= np.sqrt(weights[part])[:, None]
            if far:
                own, root = np.zeros_like(self._sums), made[:, -1].copy()
                mean = (root @ made[:, :-1]) / (root @ root)
                made[:, :-1] -= root[:, None] * mean
                add_products(made, own)
                self._sums += _about(own, -mean)
            else:
                add_products(made, self._sums)
            self._recentre()

    def _is_far(self, made: FloatArray) -> bool:
        """Say whether the mean of some rows is so far from the centres that squares lose digits."""
        if self.weight_sum == 0.0:
            return False
        few = made[:: max(1, len(made) // _FEW_ROWS)]
        variance = few.var(axis=0) + self._squares
        return bool(np.any(np.square(few.mean(axis=0)) > _MOST_DEVIATIONS**2 * variance))

    @property
    def _squares(self) -> FloatArray:
        """Mean squares about the centres, and what the rounding of the centres makes of them."""
        rounding = np.square(_ROUNDING * self._centre)
        return np.diagonal(self._sums)[:-1] / self.weight_sum + rounding

    def _recentre(self) -> None:
        """Move the centres to the means where these have gone far."""
        move = self._sums[-1, :-1] / self.weight_sum
        # Beyond it, mean squares are hardly more than the square of the mean.
        share = 1.0 - 1.0 / (1.0 + _MOST_DEVIATIONS**2)
        if np.any(np.square(move) > share * self._squares):
            self._sums = _about(self._sums, move)
            self._centre = self._centre + move

    def _checked(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, groups: ArrayLike | None
    ) -> tuple[NDArray[Any], FloatArray, FloatArray | None, Hashes | None]:
        self.require_whole()
        block = f"Block {self.n_blocks}"
        rows, targets = checked_shapes(X, y, block)
        self._check_like(rows.shape[1], targets.shape[1], rows.dtype, groups is not None, block)
        check_finite(rows, f"{block}: X")
        check_finite(targets, f"{block}: y")
        weights = checked_weights(sample_weight, len(rows), block)
        if groups is None:
            return rows, targets, weights, None
        try:
            return rows, targets, weights, label_hashes(groups, len(rows))
        except (ValueError, TypeError) as error:
            raise type(error)(f"{block}: {error}") from error

    def _check_like(
        self,
        n_features: int,
        n_outputs: int,
        dtype: np.dtype[Any] | None,
        grouped: bool,
        what: str,
    ) -> None:
        if self.dtype is None:
            return
        for name, had, has in (
            ("features", self.n_features, n_features),
            ("outputs", self.n_outputs, n_outputs),
        ):
            if had != has:
                raise ValueError(f"{what} has {has} {name}, those before have {had}.")
        if dtype != self.dtype:
            raise ValueError(
                f"{what} has features of {dtype}, those before of {self.dtype}; cast all of them "
                "to one precision."
            )
        if grouped != self.grouped:
            of_what = ("groups", "none") if grouped else ("no groups", "some")
            raise ValueError(
                f"{what} has {of_what[0]}, those before have {of_what[1]}; pass the groups of all "
                "rows, or of none."
            )


def _about(sums: FloatArray, move: FloatArray) -> FloatArray:
    """Return sums about centres that have moved, in a copy.

    S - s mᵀ - m sᵀ + W m mᵀ, with the last row (s, W) of the sums and the move m.
    """
    total = sums[-1, -1]
    along = np.append(move, 0.0)
    across = np.append(sums[-1, :-1] - 0.5 * total * move, total)
    found = scipy.linalg.blas.dsyr2(-1.0, along, across, a=sums, lower=True)
    return np.asarray(found)


def _means_of(rows: NDArray[Any], targets: FloatArray) -> FloatArray:
    """Return means of all columns; about the first row, so that those of constants are exact."""
    means = []
    for values in (rows, targets):
        first = values[0].astype(np.float64)
        means.append(first + (values - first).mean(axis=0))
    return np.concatenate(means)
