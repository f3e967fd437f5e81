"""The points of several κ-curves that some numbers of rows can meet: those with f < n."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.theory.one_sample.curve_stack import SPECTRAL, SUMS, CurvePoints, CurveStack
from sk_deepfeat.theory.one_sample.leverage_classes import ConstantShare
from sk_deepfeat.theory.one_sample.ridgeless_end import Places, RidgelessEnds
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray


class PointsOfStack:
    """Points of the curves of a stack with f < n, and those that lead to f = n.

    Parameters
    ----------
    stack : CurveStack
        The curves.
    """

    def __init__(self, stack: CurveStack) -> None:
        self.stack, self.ends = stack, RidgelessEnds(stack)

    def seen_from(self, rows: FloatArray) -> tuple[CurvePoints, IndexArray]:
        """Return the points of all curves for each n, one n after the other, and how many.

        Parameters
        ----------
        rows : ndarray of shape (S,)
            Numbers of rows, less one with an intercept.

        Returns
        -------
        points : CurvePoints
            Of ascending κ for each curve and n.
        sizes : ndarray of shape (S * curves,)
            Points of each.
        """
        stack = self.stack
        unused, first = (np.stack(part) for part in zip(*map(stack.unused_rows, rows), strict=True))
        numbers, curves = np.nonzero(np.full(first.shape, True))
        first = first.ravel()
        size = stack.sizes[curves] - first
        index = _ranges(stack.starts[curves] + first, size)
        which = np.repeat(np.arange(size.size), size)
        spectral = {name: stack.known[name][index] for name in SPECTRAL}
        known = CurvePoints(
            **spectral,
            unused_rows=unused[numbers[which], index],
            rows=rows[numbers[which]],
            idle_rows=stack.idle_rows[curves[which]],
            **{name: stack.known[name][index] for name in SUMS},
            constant=_some(stack.constant, index),
        )
        led = np.flatnonzero((first > 0) & (size > 0))
        if not led.size:
            return known, size
        active = np.stack([stack.active_rows(n) for n in rows])
        at = numbers[led], curves[led]
        top = unused[at[0], stack.starts[at[1]] + first[led]]
        new = self.ends.points(Places(at[1], rows[at[0]], active[at], first[led], top))
        order = np.argsort(np.r_[np.repeat(led, self.ends.size), which], kind="stable")
        size[led] += self.ends.size
        return _joined(new, known, order), size


def _ranges(first: IndexArray, size: IndexArray) -> IndexArray:
    """Return first, first + 1 … of each, so many of them."""
    ends = np.cumsum(size)
    return np.arange(int(size.sum())) + np.repeat(first - (ends - size), size)


def _some(constant: dict[str, FloatArray] | None, index: IndexArray) -> ConstantShare | None:
    if constant is None:
        return None
    return ConstantShare(*(constant[name][index] for name in ConstantShare._fields))


def _joined(new: CurvePoints, known: CurvePoints, order: IndexArray) -> CurvePoints:
    """Return both in another order."""

    def both(pair: Any) -> FloatArray:
        return np.concatenate(pair)[order]

    constant = None
    if new.constant is not None and known.constant is not None:
        constant = ConstantShare(*map(both, zip(new.constant, known.constant, strict=True)))
    arrays: Any = [both(pair) for pair in zip(new[:-1], known[:-1], strict=True)]
    return CurvePoints(*arrays)._replace(constant=constant)
