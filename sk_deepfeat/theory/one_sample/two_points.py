"""Two points of positive weight in place of many, with the same four moments.

What is wanted of errors is Σ e² and Σ s e²/(1+s q)² at many q. In log s the latter is smooth at all
q alike: two points in a class of that width are right up to the fourth derivative, where one is
wrong by the second.
"""

from __future__ import annotations

import numpy as np

from sk_deepfeat.theory.validation import FloatArray

# Variance of log s from which on two points are told apart.
_LEAST_VARIANCE = 1e-12


def two_points(
    moments: FloatArray, centres: FloatArray, ends: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return the weights of two points for each class, and these times their q.

    Parameters
    ----------
    moments : ndarray of shape (G, 4, C, t)
        Σ w xᵖ for p = 0..3, w not negative and x = log q - centre. What is returned lies in it.
    centres : ndarray of shape (G, C)
        Of the classes.
    ends : tuple of ndarray of shape (G, C)
        The least and the largest x in each class. Moments that no such x have are the rounding of
        a difference, and are cut to what these allow.

    Returns
    -------
    weight, weighted : ndarray of shape (G, 2C, t)
        First the lower points of all classes, then the upper ones.
    """
    for at_ridge, centre, least, most in zip(moments, centres, *ends, strict=True):
        least, most = least[:, None], most[:, None]
        radius = 0.5 * (most - least)
        total = np.maximum(at_ridge[0], 0.0)
        mean, second, third = (_ratio(values, total) for values in at_ridge[1:])
        mean = np.clip(mean, least, most)
        variance = np.minimum(second - np.square(mean), np.square(radius))
        variance[variance <= _LEAST_VARIANCE] = 0.0
        # Half of the skewness: the points are at mean + half -+ root, with the weights that keep
        # the mean; they are those of Gauss for four moments.
        half = _ratio(third - mean * (second + 2.0 * variance), 2.0 * variance)
        half = np.clip(half, -radius, radius)
        root = np.sqrt(np.square(half) + variance)
        upper = 0.5 * (1.0 - _ratio(half, root)) * total
        middle = mean + half + centre[:, None]
        at_ridge[0], at_ridge[1] = total - upper, upper
        at_ridge[2] = at_ridge[0] * np.exp(middle - root)
        at_ridge[3] = upper * np.exp(middle + root)
    grid, _, classes, outputs = moments.shape
    shape = (grid, 2 * classes, outputs)
    return moments[:, :2].reshape(shape), moments[:, 2:].reshape(shape)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide; 0 where the denominator is not positive."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
