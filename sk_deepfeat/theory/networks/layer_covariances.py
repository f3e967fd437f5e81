r"""From the covariance of pre-activations to that of activations, in four ways.

Every function may write into the covariance it is given: the arrays are large.
"""

from __future__ import annotations

from math import factorial
from typing import Any, NamedTuple

import numpy as np

from sk_deepfeat.theory.networks.bivariate_moments import (
    bivariate_covariance,
    closed_covariance,
    strong_covariances,
)
from sk_deepfeat.theory.networks.gaussian_moments import (
    ActivationMoments,
    activation_moments,
    hermite_coefficients,
)
from sk_deepfeat.theory.validation import FloatArray

# Entries of a block of rows in the closed forms, which need some twenty temporary arrays.
_BLOCK_ENTRIES = 2**20
# From this order on, entries of "hermite" are computed by themselves where ρ^(order + 1) is larger
# than that; below, few would be left, and a mixture may not be positive semi-definite.
_LEAST_ORDER = 16
_NEGLIGIBLE = 1e-9


class Preactivation(NamedTuple):
    """The pre-activations of a layer, unit by unit, and the moments of the activation there."""

    activation: Any
    mean: FloatArray
    std: FloatArray
    moments: ActivationMoments


def preactivation(
    activation: Any, mean: FloatArray, variance: FloatArray, method: str
) -> Preactivation:
    """Return the description of a layer; "averaged" puts the mean variance and no mean."""
    variance = np.maximum(variance, 0.0)
    if method == "averaged":
        variance, mean = np.full_like(variance, variance.mean()), np.zeros_like(mean)
    std = np.sqrt(variance)
    return Preactivation(activation, mean, std, activation_moments(activation, mean, std))


def between(
    left: FloatArray | None, covariance: FloatArray, right: FloatArray | None
) -> FloatArray:
    """Return left @ covariance @ right.T; a 1-d covariance is a diagonal, None the identity."""
    if covariance.ndim == 1:
        assert left is not None and right is not None  # both networks have a first layer
        return (left * covariance) @ right.T
    if left is not None:
        covariance = left @ covariance
    return covariance if right is None else covariance @ right.T


def own_covariance(pre: FloatArray, side: Preactivation, method: str, order: int) -> FloatArray:
    """Return the covariance of the activations of one layer.

    Parameters
    ----------
    pre : ndarray of shape (units, units)
        Covariance of the pre-activations; overwritten.
    side : Preactivation
        Of the same units.
    method : str
        See `rainbow_covariances`.
    order : int
        Of "hermite".

    Returns
    -------
    ndarray of shape (units, units)
    """
    diagonal = side.moments.variance
    if method == "averaged":
        # c₁² P + c*² I, c*² = Var f - r c₁²
        diagonal = diagonal + side.moments.slope**2 * (np.diagonal(pre) - side.std**2)
    features = _pairwise_covariances(pre, side, side, method, order, len(pre))
    np.fill_diagonal(features, diagonal)
    features += features.T.copy()
    features *= 0.5
    return features


def cross_covariance(
    pre: FloatArray,
    first: Preactivation | None,
    second: Preactivation | None,
    n_paired: int,
    method: str,
    order: int,
) -> FloatArray:
    """Return the covariance between the activations of two layers.

    Parameters
    ----------
    pre : ndarray of shape (p, k)
        Covariance between the pre-activations; overwritten.
    first, second : Preactivation or None
        Of the rows and of the columns. None: this network has ended, and its features stay.
    n_paired : int
        Rows of equal index whose pre-activations have a correlation of order one.
    method : str
        See `rainbow_covariances`.
    order : int
        Of "hermite".

    Returns
    -------
    ndarray of shape (p, k)
    """
    if first is None or second is None:
        # Stein: Cov(f(X), Y) = E f' Cov(X, Y)
        if first is not None:
            pre *= first.moments.slope[:, None]
        if second is not None:
            pre *= second.moments.slope
        return pre
    paired = np.arange(n_paired)
    direct = np.diagonal(pre)[:n_paired].copy()
    if method == "averaged" and n_paired:
        # the diagonal of Cov(N, Ñ) = ř, and what a single entry has beyond it
        single, direct = direct, np.full(n_paired, direct.mean())
    features = _pairwise_covariances(pre, first, second, method, order, n_paired)
    if n_paired:
        exact = bivariate_covariance(
            first.activation,
            first.mean[:n_paired],
            first.std[:n_paired],
            second.activation,
            second.mean[:n_paired],
            second.std[:n_paired],
            direct,
        )
        if method == "averaged":
            slopes = first.moments.slope[:n_paired] * second.moments.slope[:n_paired]
            exact = exact + slopes * (single - direct)
        features[paired, paired] = exact
    return features


def _pairwise_covariances(
    pre: FloatArray,
    first: Preactivation,
    second: Preactivation,
    method: str,
    order: int,
    n_known: int,
) -> FloatArray:
    """Return Cov(f(X_i), g(Y_j)) for every pair, the entries of small correlation right.

    The first `n_known` entries of the diagonal are known better.
    """
    if method == "hermite":
        return _by_series(pre, first, second, order, n_known)
    if method == "closed-form":
        return _by_closed_form(pre, first, second)
    pre *= first.moments.slope[:, None]
    pre *= second.moments.slope
    return pre


def _by_series(
    pre: FloatArray, first: Preactivation, second: Preactivation, order: int, n_known: int
) -> FloatArray:
    """Σ_k a_k b_k ρ^k/k!, by Horner's rule in ρ; the whole series where ρ is large."""
    for side, axis in ((first, 1), (second, 0)):
        pre /= np.expand_dims(np.where(side.std > 0, side.std, 1.0), axis)
    np.clip(pre, -1.0, 1.0, out=pre)
    strong = np.abs(pre) > (_NEGLIGIBLE ** (1 / (order + 1)) if order >= _LEAST_ORDER else 1.0)
    strong[np.arange(n_known), np.arange(n_known)] = False
    where = i, j = np.nonzero(strong)
    exact = strong_covariances(*first[:3], *second[:3], i, j, pre[where])
    rows = hermite_coefficients(first.activation, order, first.mean, first.std)
    columns = hermite_coefficients(second.activation, order, second.mean, second.std)
    value = np.zeros_like(pre)
    for k in range(order, 0, -1):
        value += np.multiply.outer(rows[k] / float(factorial(k)), columns[k])
        value *= pre
    value[where] = exact
    return value


def _by_closed_form(pre: FloatArray, first: Preactivation, second: Preactivation) -> FloatArray:
    step = max(1, _BLOCK_ENTRIES // pre.shape[1])
    for start in range(0, len(pre), step):
        rows = slice(start, start + step)
        mean, std = first.mean[rows, None], first.std[rows, None]
        bound = std * second.std
        block = closed_covariance(
            first.activation,
            mean,
            std,
            second.activation,
            second.mean,
            second.std,
            np.clip(pre[rows], -bound, bound),
        )
        if block is None:
            raise ValueError(
                f"method='closed-form' knows no closed form between activation="
                f"{first.activation!r} and activation={second.activation!r}; use method='hermite'."
            )
        pre[rows] = block
    return pre
