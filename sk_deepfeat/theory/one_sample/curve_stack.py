"""Several κ-curves of one training set, point after point, to be evaluated together at any n."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.kappa_curve import KappaCurve
from sk_deepfeat.theory.one_sample.leverage_classes import ConstantShare
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray


class CurvePoints(NamedTuple):
    """Points of κ-curves, each seen from some n rows; names as in `KappaCurve`."""

    kappa: FloatArray
    df1: FloatArray
    residual_df: FloatArray  # N - f
    unused_rows: FloatArray  # n - f, of the rows that have any leverage
    rows: FloatArray  # n
    idle_rows: FloatArray  # of N, those without any leverage
    df2: FloatArray
    row_share: FloatArray
    leverage: FloatArray
    error: FloatArray
    leverage_weighted_error: FloatArray
    training_error: FloatArray
    constant: ConstantShare | None = None


SPECTRAL = ("kappa", "df1", "residual_df", "df2", "training_error")
SUMS = ("row_share", "leverage", "error", "leverage_weighted_error")


class CurveStack:
    """Curves that share N, outputs, and whether groups make them; classes may differ.

    Parameters
    ----------
    curves : list of KappaCurve
        At least one.
    """

    def __init__(self, curves: list[KappaCurve]) -> None:
        first = curves[0]
        self.curves, self.n_outputs, self.left_out = curves, first.n_outputs, first.left_out
        self.n_effective = float(first.n_effective)
        self.sizes: IndexArray = np.array([curve.kappa.size for curve in curves])
        self.ends = np.cumsum(self.sizes)
        self.starts = self.ends - self.sizes
        self.rank = np.array([curve.rank for curve in curves])
        self.shows_all = np.array([curve.shows_all for curve in curves])
        self._truncated = np.array([curve.truncated for curve in curves])
        self._active_share = np.array([curve.active_share for curve in curves])
        self._active_shift = np.array([curve.active_rows(0.0) for curve in curves])
        self.idle_rows = self.n_effective - self.active_rows(self.n_effective)

    @property
    def entries(self) -> int:
        """Numbers in one of the larger arrays of all points."""
        classes = max(curve.row_share.shape[1] for curve in self.curves)
        return int(self.ends[-1]) * classes * max(self.n_outputs, 1)

    def active_rows(self, n: float) -> FloatArray:
        """Return `KappaCurve.active_rows` of every curve."""
        return np.asarray(n * self._active_share + self._active_shift)

    def cut_short(self, n: FloatArray) -> NDArray[np.bool_]:
        """Say which curves end for n rows above the κ that these reach, shape (curves, len(n))."""
        active = np.stack([self.active_rows(each) for each in n], axis=1)
        lowest = self.known["residual_df"][self.starts] - self.n_effective
        return np.asarray(self._truncated[:, None] & (active + lowest[:, None] > 0))

    @cached_property
    def known(self) -> dict[str, FloatArray]:
        """The arrays of all curves, one curve after the other, with as many classes as any has."""
        return {name: self._joined(self.curves, name) for name in SPECTRAL + SUMS}

    @cached_property
    def constant(self) -> dict[str, FloatArray] | None:
        """Likewise of the shares of the constant, where there are any."""
        shares: list[Any] = [curve.constant for curve in self.curves]
        if shares[0] is None:
            return None
        return {name: self._joined(shares, name) for name in ConstantShare._fields}

    def _joined(self, owners: list[Any], name: str) -> FloatArray:
        parts = [getattr(owner, name) for owner in owners]
        if len(parts) == 1:
            return np.asarray(parts[0])
        if name not in SUMS:
            return np.concatenate(parts)
        most = max(part.shape[1] for part in parts)
        joined = np.zeros((int(self.ends[-1]), most, *parts[0].shape[2:]))
        for start, part in zip(self.starts, parts, strict=True):
            joined[start : start + len(part), : part.shape[1]] = part
        return joined

    def unused_rows(self, n: float) -> tuple[FloatArray, IndexArray]:
        """Return n - f at all points, and from which point on those of each curve are of use.

        The latter is the first point where n - f is positive and changes gently, if it is not at
        all of them, counted within the curve; or the number of points, if it is at none, or nothing
        is learned.
        """
        active = np.repeat(self.active_rows(n), self.sizes)
        unused = (active - self.n_effective) + self.known["residual_df"]
        some = (unused > 0) & np.repeat((self.rank > 0) & (n > 0), self.sizes)
        if some.all():
            return unused, np.zeros_like(self.sizes)
        following = np.append(unused[1:], 0.0)
        gentle = some & (unused > 0.75 * following)
        gentle[self.ends - 1] = True
        place = np.where(gentle, np.arange(unused.size), unused.size)
        first = np.minimum.reduceat(place, self.starts) - self.starts
        first = np.where(some[self.starts], 0, first)
        return unused, np.where(np.logical_or.reduceat(some, self.starts), first, self.sizes)
