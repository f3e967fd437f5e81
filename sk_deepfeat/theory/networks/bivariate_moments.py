r"""Covariances of functions of two jointly normal variables.

The closed form of the pair of activations where there is one. Elsewhere, with ρ the correlation,
Cov(f(X), g(Y)) = Σ_{k≥1} a_k b_k ρ^k/k! where the rest of the series is known to be small, one
integral at |ρ| = 1, and an integral of conditional means next to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.networks.gaussian_moments import (
    activation_moments,
    check_mean_and_std,
    normalized_coefs,
    rough_points,
)
from sk_deepfeat.theory.networks.gaussian_quadrature import REACH, FloatArray, gaussian_nodes
from sk_deepfeat.theory.validation import check_callable, real_array

# Order of the series, and what it may miss relative to the standard deviations of f and g.
_SERIES_ORDER = 100
_SERIES_TOLERANCE = 1e-8
# Correlations this close to one, or to minus one, are taken as that.
_FULL = 1e-13
# Closed forms are differences of terms of order one, or of that of E f E g: where standard
# deviations are smaller by this factor, digits are lost, and this order of the series is enough.
_CANCELS = 1e6
_NARROW_ORDER = 24
# Entries of a block of the series, and the most that are integrated one by one.
_BLOCK_ENTRIES = 20_000
_MOST_INTEGRALS = 5_000


def bivariate_covariance(
    activation: Any,
    mean: ArrayLike,
    std: ArrayLike,
    other: Any,
    other_mean: ArrayLike,
    other_std: ArrayLike,
    covariance: ArrayLike,
) -> FloatArray:
    """Return Cov(f(X), g(Y)) for jointly normal X and Y.

    Parameters
    ----------
    activation, other : activation object or function
        f and g; a closed form ``bivariate`` is used if there is one for the pair.
    mean, std, other_mean, other_std, covariance : array-like
        Of X, of Y, and Cov(X, Y); broadcast. A covariance beyond std * other_std is taken as that.

    Returns
    -------
    ndarray of shape broadcast(mean, …, covariance)

    Raises
    ------
    ValueError
        If a std is negative, an argument not finite, or a moment not finite.

    Examples
    --------
    >>> from sk_deepfeat.activations import relu, tanh
    >>> from sk_deepfeat.theory import bivariate_covariance
    >>> bivariate_covariance(relu, 0.0, 1.0, tanh, 0.0, 1.0, [0.0, 0.5, 1.0]).round(4)
    array([0.    , 0.1514, 0.3029])
    """
    check_callable(activation)
    check_callable(other, "other")
    mean, std = check_mean_and_std(mean, std)
    other_mean, other_std = check_mean_and_std(other_mean, other_std)
    between = real_array(covariance, "covariance")
    try:
        arrays = np.broadcast_arrays(mean, std, other_mean, other_std, between)
    except ValueError as error:
        raise ValueError(
            f"mean and std of shape {mean.shape}, other_mean and other_std of {other_mean.shape} "
            f"and covariance of {between.shape} do not broadcast."
        ) from error
    shape = arrays[0].shape
    mean, std, other_mean, other_std, between = (array.ravel() for array in arrays)
    size = std * other_std
    # Rounding next to full correlation would be magnified by functions with jumps, once a layer.
    full = np.abs(between) >= (1.0 - _FULL) * size
    between = np.where(full, np.copysign(size, between), between)
    closed = closed_covariance(activation, mean, std, other, other_mean, other_std, between)
    if closed is not None:
        return closed.reshape(shape)
    rho = np.divide(between, size, out=np.zeros(size.size), where=size > 0)
    value = np.zeros(size.size)
    laws = np.stack([mean, std, other_mean, other_std, rho])
    with_spread = size > 0
    whole = np.flatnonzero(full & with_spread)
    value[whole] = _at_full_correlation(activation, other, *laws[:, whole])
    partly = np.flatnonzero(~full & with_spread)
    value[partly], enough = _series(activation, other, *laws[:, partly])
    rest = partly[~enough]
    value[rest] = _by_conditioning(activation, other, *laws[:, rest])
    return value.reshape(shape)


def closed_covariance(
    activation: Any,
    mean: FloatArray,
    std: FloatArray,
    other: Any,
    other_mean: FloatArray,
    other_std: FloatArray,
    covariance: FloatArray,
) -> FloatArray | None:
    """Return Cov(f(X), g(Y)) from the closed form of the pair, None if there is none."""
    if not hasattr(activation, "bivariate"):
        return None
    product = activation.bivariate(other, mean, std, other_mean, other_std, covariance)
    if product is NotImplemented:
        return None
    first = activation_moments(activation, mean, std)
    second = activation_moments(other, other_mean, other_std)
    product_of_means = first.mean * second.mean
    value = np.array(product - product_of_means)
    size = np.sqrt(first.variance) * np.sqrt(second.variance)
    doubtful = 1.0 + np.abs(product_of_means) > _CANCELS * size
    if np.any(doubtful):
        _replace_cancelled(
            value, doubtful, activation, other, mean, std, other_mean, other_std, covariance
        )
    return value


def _replace_cancelled(
    value: FloatArray, doubtful: Any, activation: Any, other: Any, *laws: Any
) -> None:
    """Put the series where closed forms may cancel, if it converges there."""
    laws = np.broadcast_arrays(value, doubtful, *laws)[1:]
    chosen = np.flatnonzero(laws[0])
    parts = [part.ravel()[chosen] for part in laws[1:]]
    flat = value.reshape(-1)
    for start in range(0, chosen.size, _BLOCK_ENTRIES):
        block = slice(start, start + _BLOCK_ENTRIES)
        m, s, n, t, q = (part[block] for part in parts)
        rho = np.divide(q, s * t, out=np.zeros(s.size), where=s * t > 0)
        series, enough = _series(
            activation, other, m, s, n, t, np.clip(rho, -1.0, 1.0), _NARROW_ORDER
        )
        flat[chosen[block][enough]] = series[enough]


def strong_covariances(
    activation: Any,
    mean: FloatArray,
    std: FloatArray,
    other: Any,
    other_mean: FloatArray,
    other_std: FloatArray,
    rows: Any,
    columns: Any,
    rho: FloatArray,
) -> FloatArray:
    """Return Cov(f(X_i), g(Y_j)) for chosen pairs of units.

    The closed form where there is one, else the series of order 100, else, for up to 5,000 pairs,
    the integral.

    Parameters
    ----------
    activation, mean, std, other, other_mean, other_std
        Of the units of two layers.
    rows, columns : ndarray of int of shape (n,)
        i and j.
    rho : ndarray of shape (n,)
        Correlation of X_i and Y_j.

    Returns
    -------
    ndarray of shape (n,)
    """
    value = np.empty(rho.size)
    if not rho.size:
        return value

    def direct(chosen: Any) -> FloatArray:
        i, j = rows[chosen], columns[chosen]
        between = rho[chosen] * std[i] * other_std[j]
        return bivariate_covariance(
            activation, mean[i], std[i], other, other_mean[j], other_std[j], between
        )

    i, j = rows[:1], columns[:1]
    laws = mean[i], std[i], other, other_mean[j], other_std[j]
    closed = closed_covariance(activation, *laws, rho[:1] * std[i] * other_std[j]) is not None
    blocks = [slice(start, start + _BLOCK_ENTRIES) for start in range(0, rho.size, _BLOCK_ENTRIES)]
    if closed:
        for block in blocks:
            value[block] = direct(block)
        return value
    first, rest, variance = _coefs_and_rest(activation, mean, std, _SERIES_ORDER)
    second, other_rest, other_variance = _coefs_and_rest(
        other, other_mean, other_std, _SERIES_ORDER
    )
    enough = np.empty(rho.size, dtype=bool)
    for block in blocks:
        i, j, r = rows[block], columns[block], rho[block]
        value[block] = 0.0
        for a, b in zip(first[::-1], second[::-1], strict=True):
            value[block] = r * (value[block] + a[i] * b[j])
        bound = np.abs(r) ** (_SERIES_ORDER + 1) * np.sqrt(rest[i] * other_rest[j])
        enough[block] = bound <= _SERIES_TOLERANCE * np.sqrt(variance[i] * other_variance[j])
    missing = np.flatnonzero(~enough)
    if missing.size > _MOST_INTEGRALS:  # full correlation takes one integral for all pairs
        missing = missing[np.abs(rho[missing]) >= 1.0 - _FULL]
    value[missing] = direct(missing)
    return value


def _at_full_correlation(
    activation: Any,
    other: Any,
    mean: FloatArray,
    std: FloatArray,
    other_mean: FloatArray,
    other_std: FloatArray,
    sign: FloatArray,
) -> FloatArray:
    """Return Cov(f(X), g(Y)) where Y is a linear function of X, by one integral."""
    value = np.empty(mean.size)
    if not mean.size:
        return value
    sign = np.sign(sign)
    centre = activation_moments(activation, mean, std).mean
    rough = rough_points(activation, mean, std)
    other_rough = rough_points(other, other_mean, other_std, sign)
    for units, z, weights in gaussian_nodes(np.concatenate([rough, other_rough], axis=1)):
        first = activation(mean[units, None] + std[units, None] * z) - centre[units, None]
        scale = (sign * other_std)[units, None]
        second = other(other_mean[units, None] + scale * z)
        value[units] = np.einsum("uz,uz,uz->u", weights, first, second)
    return value


def _series(
    activation: Any,
    other: Any,
    mean: FloatArray,
    std: FloatArray,
    other_mean: FloatArray,
    other_std: FloatArray,
    rho: FloatArray,
    order: int = _SERIES_ORDER,
) -> tuple[FloatArray, Any]:
    """Return Σ_{k≥1} a_k b_k ρ^k/k! up to an order, and where the rest is known to be small.

    By Cauchy and Schwarz the rest is at most |ρ|^(K+1) √(rest of Var f · rest of Var g).
    """
    first, rest, variance = _coefs_and_rest(activation, mean, std, order)
    second, other_rest, other_variance = _coefs_and_rest(other, other_mean, other_std, order)
    orders = np.arange(1.0, order + 1.0)[:, None]
    value = np.sum(first * second * rho**orders, axis=0)
    bound = np.abs(rho) ** (order + 1) * np.sqrt(rest * other_rest)
    return value, bound <= _SERIES_TOLERANCE * np.sqrt(variance * other_variance)


def _coefs_and_rest(
    activation: Any, mean: FloatArray, std: FloatArray, order: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return a_k/√k! for k = 1 … order, what they leave of Var f, and Var f."""
    coefs = normalized_coefs(activation, order, mean, std)[1:]
    variance = activation_moments(activation, mean, std).variance
    rest = np.maximum(variance - np.sum(coefs**2, axis=0), 1e-12 * variance)
    return coefs, rest, variance


def _by_conditioning(
    activation: Any,
    other: Any,
    mean: FloatArray,
    std: FloatArray,
    other_mean: FloatArray,
    other_std: FloatArray,
    rho: FloatArray,
) -> FloatArray:
    """Return E[(f(X) - E f) E[g(Y) | X]] by quadrature, one unit at a time."""
    value = np.empty(mean.size)
    for unit, (m, s, n, t, r) in enumerate(zip(mean, std, other_mean, other_std, rho, strict=True)):
        centre = activation_moments(activation, m, s).mean
        rough = rough_points(activation, np.array([m]), np.array([s]))
        # points of X where the conditional mean of Y passes a rough point of g
        far = rough_points(other, np.array([n]), np.array([t])) / r
        (nodes,) = gaussian_nodes(np.clip(np.c_[rough, far], -REACH, REACH))
        z = nodes.z[0]
        narrow = np.full(z.size, t * np.sqrt((1.0 - r) * (1.0 + r)))
        inner = activation_moments(other, n + t * r * z, narrow).mean
        value[unit] = np.sum(
            nodes.weights[0] * (np.asarray(activation(m + s * z)) - centre) * inner
        )
    return value
