"""Units in which targets are counted, so that squares of their squares stay in double precision.

They are powers of two: going over to them and back rounds nothing.
"""

from __future__ import annotations

import numpy as np

from sk_deepfeat.theory.validation import FloatArray

# Within these squares of targets are ordinary numbers in single precision, which many outputs use.
_SMALLEST, _LARGEST = 2.0**-40, 2.0**40


# Sums of squares of features: of theirs the theory takes squares once more, and quotients.
_LEAST_SQUARES, _MOST_SQUARES = 1e-140, 1e140


def check_feature_squares(squares: FloatArray) -> None:
    """Raise ValueError where squares of features leave double precision.

    Parameters
    ----------
    squares : ndarray of shape (m,)
        Sums of squares of rows or of columns, not negative but for rounding.
    """
    largest = float(np.max(squares, initial=0.0))
    if not largest <= _MOST_SQUARES or 0.0 < largest < _LEAST_SQUARES:
        size = "large" if not largest < 1.0 else "small"
        raise ValueError(
            f"features are too {size}: the largest sum of their squares is {largest:.3g}, and "
            f"products of such sums leave double precision beyond {_LEAST_SQUARES:g} to "
            f"{_MOST_SQUARES:g}. Count X in other units, as StandardScaler does; alpha goes with "
            "their squares."
        )


def units_of(scale: FloatArray) -> FloatArray:
    """Return powers of two, each at most twice and more than its positive scale; one for zero."""
    return np.where(scale > 0.0, np.ldexp(1.0, np.frexp(scale)[1]), 1.0)


def units_of_targets(targets: FloatArray) -> FloatArray | None:
    """Return units of targets, or None where they can stay as they are.

    Parameters
    ----------
    targets : ndarray of shape (n_rows, t)
        Finite.

    Returns
    -------
    ndarray of shape (t,) or None
        One for each output that is neither very large nor very small.
    """
    largest = np.maximum(targets.max(axis=0), -targets.min(axis=0))
    extreme = (largest > _LARGEST) | (largest < _SMALLEST)
    return np.where(extreme, units_of(largest), 1.0) if np.any(extreme & (largest > 0.0)) else None
