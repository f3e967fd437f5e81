r"""Gaussian moments of activations: E f, E f', Var f and Hermite coefficients.

Closed forms are used where an activation carries them (``moments(mean, std)`` and
``hermite(k, mean, std)``), quadrature elsewhere. With He_k the probabilists' Hermite polynomials,
a_k(μ, s) = E[f(μ + sZ) He_k(Z)]; E f' is a_1/s throughout, which sees jumps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.networks.gaussian_quadrature import (
    N_NODES,
    REACH,
    FloatArray,
    Nodes,
    gaussian_nodes,
    smooth_breakpoints,
    standard_cuts,
)
from sk_deepfeat.theory.validation import check_callable, is_whole, real_array

# Standard deviations beyond the quadrature where the integrand of E f² is looked at, and the share
# of E f² that it may have there.
_BEYOND = np.array([-24.0, -18.0, -14.0, 14.0, 18.0, 24.0])
_OUTSIDE_SHARE = 1e-8
_SMALLEST = 1e-150
# Beyond this, products of moments leave double precision.
_LARGEST = 1e100
# Beyond, k! is no floating-point number.
MAX_ORDER = 170


class ActivationMoments(NamedTuple):
    """Moments of f(X), X ~ N(mean, std²), of the shape of broadcast(mean, std).

    Attributes
    ----------
    mean : ndarray
        E f(X).
    slope : ndarray
        E f'(X) = E[Z f(mean + std Z)]/std.
    variance : ndarray
        Var f(X), computed without subtracting.
    """

    mean: FloatArray
    slope: FloatArray
    variance: FloatArray

    @property
    def second_moment(self) -> FloatArray:
        """E f(X)²."""
        return self.variance + self.mean**2


def activation_moments(activation: Any, mean: ArrayLike, std: ArrayLike) -> ActivationMoments:
    """Return E f(X), E f'(X) and Var f(X) for X ~ N(mean, std²).

    Parameters
    ----------
    activation : activation object or function
        f; its closed form ``moments`` is used if it has one.
    mean, std : array-like
        Broadcast; std not negative. At std = 0 the values are f(mean), f'(mean) and 0.

    Returns
    -------
    ActivationMoments

    Raises
    ------
    ValueError
        If std is negative, an argument not finite or above 1e100, or a moment not finite.

    Examples
    --------
    >>> from sk_deepfeat.activations import relu
    >>> from sk_deepfeat.theory import activation_moments
    >>> moments = activation_moments(relu, 0.0, 1.0)
    >>> [round(float(value), 4) for value in moments]
    [0.3989, 0.5, 0.3408]
    """
    check_callable(activation)
    mean, std = check_mean_and_std(mean, std)
    if hasattr(activation, "moments"):
        return ActivationMoments(*(np.asarray(part) for part in activation.moments(mean, std)))
    shape, mean, std = mean.shape, mean.ravel(), std.ravel()
    first, slope, variance = (np.empty(mean.size) for _ in range(3))
    for (units, z, weights), values in _values_at_nodes(activation, mean, std):
        first[units] = np.einsum("uz,uz->u", weights, values)
        values -= first[units, None]
        weighted = weights * values
        slope[units] = np.einsum("uz,uz->u", weighted, z) / np.maximum(std[units], _SMALLEST)
        variance[units] = np.einsum("uz,uz->u", weighted, values)
    # Where the input hardly varies, E[Z f]/std is lost in rounding.
    narrow = std <= 1e-9 * (1.0 + np.abs(mean))
    if np.any(narrow):
        step = 6e-6 * (1.0 + np.abs(mean[narrow]))
        above, below = activation(mean[narrow] + step), activation(mean[narrow] - step)
        slope[narrow] = (above - below) / (2.0 * step)
        variance[narrow] = np.square(slope[narrow] * std[narrow])
    return ActivationMoments(*(part.reshape(shape) for part in (first, slope, variance)))


def hermite_coefficients(
    activation: Any, order: int, mean: ArrayLike, std: ArrayLike
) -> FloatArray:
    """Return a_k = E[f(mean + std Z) He_k(Z)] for k = 0 … order.

    Parameters
    ----------
    activation : activation object or function
        f; its closed form ``hermite`` is used if it has one.
    order : int
        The highest k, at most 170.
    mean, std : array-like
        Broadcast; std not negative.

    Returns
    -------
    ndarray of shape (order + 1,) + broadcast(mean, std)

    Raises
    ------
    ValueError
        If std is negative, an argument not finite or above 1e100, or a moment not finite.

    Examples
    --------
    >>> from sk_deepfeat.activations import sign
    >>> from sk_deepfeat.theory import hermite_coefficients
    >>> hermite_coefficients(sign, 3, 0.0, 1.0).round(4)
    array([ 0.    ,  0.7979,  0.    , -0.7979])
    """
    check_callable(activation)
    whole = is_whole(order)
    if not whole or not 0 <= order <= MAX_ORDER:
        raise ValueError(
            f"order={order!r} must be an integer that is not negative, at most {MAX_ORDER}."
        )
    mean, std = check_mean_and_std(mean, std)
    coefs = normalized_coefs(activation, order, mean.ravel(), std.ravel())
    roots = np.sqrt(np.cumprod(np.maximum(np.arange(order + 1.0), 1.0)))
    return (coefs * roots[:, None]).reshape(order + 1, *mean.shape)


def normalized_coefs(activation: Any, order: int, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Return a_k/√k!, shape (order + 1, n_units), for 1-d mean and std."""
    coefs = np.empty((order + 1, mean.size))
    if hasattr(activation, "hermite"):
        root = 1.0
        for k in range(order + 1):
            root *= np.sqrt(max(k, 1.0))
            coefs[k] = activation.hermite(k, mean, std) / root
        return coefs
    for (units, z, weights), values in _values_at_nodes(activation, mean, std):
        values *= weights
        before, polynomial = np.zeros_like(z), np.ones_like(z)
        for k in range(order + 1):
            coefs[k, units] = np.einsum("uz,uz->u", values, polynomial)
            # He_k/√k!, which stays of order one where the density is not small
            following = (z * polynomial - np.sqrt(k) * before) / np.sqrt(k + 1.0)
            before, polynomial = polynomial, following
    return coefs


def check_mean_and_std(mean: ArrayLike, std: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both as float64 of one shape, or raise ValueError naming the argument."""
    given = real_array(mean, "mean"), real_array(std, "std")
    try:
        arrays = np.broadcast_arrays(*given)
    except ValueError as error:
        raise ValueError(
            f"mean of shape {given[0].shape} and std of shape {given[1].shape} do not broadcast."
        ) from error
    for name, values in zip(("mean", "std"), arrays, strict=True):
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name} must be finite; got NaN or infinity.")
        if np.any(np.abs(values) > _LARGEST):
            raise ValueError(f"{name} must be at most {_LARGEST:g}; got {np.abs(values).max():g}.")
    if np.any(arrays[1] < 0):
        raise ValueError(f"std must not be negative; got {arrays[1].min()!r}.")
    return arrays[0], arrays[1]


def _values_at_nodes(
    activation: Any, mean: FloatArray, std: FloatArray
) -> Iterator[tuple[Nodes, FloatArray]]:
    """Yield nodes and f(mean + std z) for blocks of units; raise if E f² is not finite."""
    if mean.size == 0:
        return
    for nodes in gaussian_nodes(rough_points(activation, mean, std)):
        centre, scale = mean[nodes.units], std[nodes.units]
        values = np.array(activation(centre[:, None] + scale[:, None] * nodes.z), dtype=np.float64)
        _check_second_moment(activation, centre, scale, nodes, values)
        yield nodes, values


def rough_points(activation: Any, mean: FloatArray, std: FloatArray, sign: Any = 1.0) -> FloatArray:
    """Return the z where the activation is rough at mean + sign std z, for each unit."""
    wide = np.maximum(std, _SMALLEST)
    lowest, highest = np.min(mean - REACH * wide), np.max(mean + REACH * wide)
    breakpoints = smooth_breakpoints(activation, float(lowest), float(highest))
    return standard_cuts(breakpoints, mean, sign * wide)


def _check_second_moment(
    activation: Any, mean: FloatArray, std: FloatArray, nodes: Nodes, values: FloatArray
) -> None:
    """Raise if E f² is infinite, or comes from where the quadrature does not look."""
    with np.errstate(all="ignore"):
        power = nodes.weights * values**2
        total = power.sum(axis=1)
        beyond = np.array(activation(mean[:, None] + std[:, None] * _BEYOND), dtype=np.float64)
        outside = np.max(beyond**2 * np.exp(-0.5 * _BEYOND**2), axis=1)
        # A piece of rounding size is one that was cut to no avail, as at a pole.
        pieces = power.reshape(len(power), -1, N_NODES).sum(axis=2)
        widths = np.ptp(nodes.z.reshape(len(power), -1, N_NODES), axis=2)
        outside = outside + np.sum(pieces, axis=1, where=widths < 1e-10)
        # A unit that is never active has what little it has in the outermost panel.
        dead = np.max(np.abs(values), axis=1, where=np.abs(nodes.z) < REACH - 1.0, initial=0) == 0
        wrong = ~np.isfinite(total) | (~dead & ~(outside <= _OUTSIDE_SHARE * total))
    if np.any(wrong):
        raise ValueError(
            f"activation={activation!r} has no finite second moment under a normal law of standard "
            f"deviation {std[wrong][0]:.3g}, or one that comes from beyond {REACH:.0f} standard "
            "deviations; scale the weights down, or use an activation that grows less."
        )
