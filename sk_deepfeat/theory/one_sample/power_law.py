"""Power laws a + b n^(-c) through errors measured at several sizes, for many curves at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.validation import FloatArray

EXPONENTS = np.linspace(0.05, 2.0, 40)
_BLOCK_ENTRIES = 16_000  # numbers in an array that stays in the cache


class PowerLaw(NamedTuple):
    """Curves a + b n^(-c), of any shape."""

    a: FloatArray
    """Not negative."""
    b: FloatArray
    """Not negative."""
    c: FloatArray
    """From 0.05 to 2."""

    def at(self, n: FloatArray | float) -> FloatArray:
        """Return the values at `n`, which broadcasts against the curves."""
        return np.asarray(self.a + self.b * n**-self.c)


def fit_power_law(
    sizes: FloatArray, errors: FloatArray, weights: FloatArray, exponents: FloatArray = EXPONENTS
) -> PowerLaw:
    """Fit a + b n^(-c) with a, b ≥ 0 to each of K curves.

    The weighted sum of squared relative deviations is minimised: over a and b in closed form, over
    c on a grid.

    Parameters
    ----------
    sizes : ndarray of shape (L,)
        Numbers of samples, or any positive abscissa.
    errors, weights : ndarray of shape (K, L)
        Positive errors, and the inverse of their relative standard errors.
    exponents : ndarray of shape (C,), optional
        The values of c; by default 40 from 0.05 to 2.

    Returns
    -------
    PowerLaw

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory.one_sample.power_law import fit_power_law
    >>> sizes = np.array([10.0, 20.0, 40.0, 80.0])
    >>> law = fit_power_law(sizes, 1.0 + 5.0 / sizes[None], np.ones((1, 4)))
    >>> law.at(1000.0).round(4)
    array([1.005])
    """
    powers = sizes ** -exponents[:, None]
    parts, step = [], max(_BLOCK_ENTRIES // max(exponents.size, sizes.size), 1)
    for start in range(0, max(len(errors), 1), step):
        some = slice(start, start + step)
        parts.append(_fitted(powers, errors[some], weights[some]))
    a, b, best = map(np.concatenate, zip(*parts, strict=True))
    return PowerLaw(a, b, exponents[best])


def _fitted(
    powers: FloatArray, errors: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Return a, b and the number of the exponent for a few curves, given n^-c of shape (C, L)."""
    # Columns w/R for a and w n^-c/R for b, against w; inner products of shape (C, K).
    flat = weights / errors
    squared, against = np.square(flat).T, (flat * weights).T
    aa, ay = squared.sum(axis=0), against.sum(axis=0)
    ab, by = powers @ squared, powers @ against
    bb = np.square(powers) @ squared
    only_a, only_b = ay / aa, by / bb
    # The second column without its part along the first.
    mean = ab * (1.0 / aa)
    left = bb - mean * ab
    sound = left > 1e-12 * bb
    b = (by - mean * ay) / np.where(sound, left, np.inf)
    a = only_a - mean * b
    # Outside the quadrant the least squares lie on one of its edges.
    alone = (a < 0) | (b < 0) | ~sound
    level = ay * only_a >= by * only_b
    a = np.where(alone, only_a * level, a)
    b = np.where(alone, only_b * ~level, b)
    explained = a * ay + b * by
    # Rounding must not choose between exponents that do equally well: the smallest of them.
    most = explained.max(axis=0)
    best = np.argmax(explained >= most - 1e-9 * np.abs(most), axis=0)
    curves = np.arange(len(errors))
    return a[best, curves], b[best, curves], best
