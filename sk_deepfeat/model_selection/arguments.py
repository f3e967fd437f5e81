"""Checks of numbers that displays and reports are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.validation import FloatArray, axes_of, check_unmasked, real_array


def as_row(values: Any, name: str, *, least: float, strict: bool = False) -> FloatArray:
    """Return `values` as an ascending 1-d array of distinct finite numbers of at least `least`."""
    row = np.atleast_1d(_array(values, name))
    if row.ndim != 1 or row.size == 0 or row.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be a non-empty 1-d array of numbers; got {values!r}.")
    row = np.unique(row.astype(np.float64))
    wrong = (row <= least) if strict else (row < least)
    if not np.all(np.isfinite(row)) or np.any(wrong):
        bound = f"above {least:g}" if strict else f"at least {least:g}"
        raise ValueError(f"{name} must be finite and {bound}; got {values!r}.")
    return row


def _array(values: Any, name: str) -> NDArray[Any]:
    check_unmasked(values, name)
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers; got {values!r}.") from error


def as_sizes(n_samples: Any, default: FloatArray) -> FloatArray:
    """Return numbers of training samples, ascending; None is `default`."""
    return as_row(default if n_samples is None else n_samples, "n_samples", least=1.0)


def as_axis(
    values: Any, name: str, *, least: float, strict: bool = False, at_least_two: bool = False
) -> FloatArray:
    """Return `values` as `as_row` does, but refuse them if they are not ascending already."""
    row = as_row(values, name, least=least, strict=strict)
    if row.size < 1 + at_least_two or not np.array_equal(row, np.ravel(values)):
        wanted = "at least two ascending numbers" if at_least_two else "ascending numbers"
        raise ValueError(f"{name} must be {wanted}; got {values!r}.")
    return row


def as_cells(values: Any, name: str, dtype: Any = np.float64, **lengths: int) -> NDArray[Any]:
    """Return `values` as an array whose axes have the given lengths, in the order given.

    Parameters
    ----------
    values : array-like
        Numbers.
    name : str
        What the message calls them.
    dtype : dtype, default=float64
        Of the array.
    **lengths : int
        The length of each axis, by the name of what it runs over.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If the shape is another one.
    TypeError
        If they are no real numbers.

    Examples
    --------
    >>> from sk_deepfeat.model_selection.arguments import as_cells
    >>> as_cells([[1, 2, 3]], "test_error", n_samples=1, alphas=2)
    Traceback (most recent call last):
    ValueError: test_error must have the shape (n_samples, alphas) = (1, 2); got (1, 3).
    """
    cells = real_array(values, name).astype(dtype)
    wanted = tuple(lengths.values())
    if cells.shape != wanted:
        axes = str(tuple(lengths)).replace("'", "")
        raise ValueError(f"{name} must have the shape {axes} = {wanted}; got {cells.shape}.")
    return cells


def check_one_alpha(alpha: Any) -> None:
    """Refuse several regularisations where a picture shows one."""
    if axes_of(alpha) > 0:
        raise ValueError(f"alpha must be one number, 'optimal' or None; got {alpha!r}.")
