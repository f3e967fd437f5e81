"""Power laws a + b n^(-c) through errors measured at several sizes, for many curves at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.validation import FloatArray

EXPONENTS = np.linspace(0.05, 2.0, 40)


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
        return np.asarray(self.a + self.b * np.asarray(n, dtype=np.float64) ** -self.c)


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
    # Columns w/R for a and w n^-c/R for b, against w; inner products of shape (K, C).
    flat = weights / errors
    powers = sizes ** -exponents[:, None]
    aa = np.square(flat).sum(axis=1)[:, None]
    ab = np.square(flat) @ powers.T
    bb = np.square(flat) @ np.square(powers).T
    ay = (flat * weights).sum(axis=1)[:, None]
    by = (flat * weights) @ powers.T
    determinant = aa * bb - ab * ab
    sound = determinant > 1e-12 * aa * bb
    inverse = np.where(sound, 1.0 / np.where(sound, determinant, 1.0), 0.0)
    a, b = (bb * ay - ab * by) * inverse, (aa * by - ab * ay) * inverse
    # Outside the quadrant the least squares lie on one of its edges.
    only_a, only_b = np.broadcast_to(ay / aa, a.shape), by / bb
    alone = (a < 0) | (b < 0) | ~sound
    flat = ay * only_a >= by * only_b
    a = np.where(alone, np.where(flat, only_a, 0.0), a)
    b = np.where(alone, np.where(flat, 0.0, only_b), b)
    explained = 2.0 * (a * ay + b * by) - (a * a * aa + 2.0 * a * b * ab + b * b * bb)
    # Rounding must not choose between exponents that do equally well: the smallest of them.
    most = explained.max(axis=1, keepdims=True)
    best = np.argmax(explained >= most - 1e-9 * np.abs(most), axis=1)
    curves = np.arange(len(errors))
    return PowerLaw(a[curves, best], b[curves, best], exponents[best])
