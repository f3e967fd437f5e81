r"""Limiting spectra of random matrices from those of their factors, as quantiles.

Both maps are known through the self-consistent equations of their resolvents. The number of
eigenvalues below x is the imaginary part of log det(K - z) at z just above x, and log det is
closed form at the fixed point, so that no density is integrated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sk_deepfeat.theory.validation import FloatArray

ComplexArray = NDArray[np.complexfloating[Any, Any]]

# z = x (1 + i ε): edges and gaps are resolved to this relative width.
_RESOLUTION = 1e-6
# The first ε, where plain iteration converges quickly; then quartered down to the last one.
_FIRST_RESOLUTION = 1.0
_PLAIN_STEPS, _MOST_STEPS = 3, 100
_N_POINTS, _N_REFINEMENTS = 120, 8


def layer_spectrum(
    eigenvalues: FloatArray,
    slopes: FloatArray,
    offsets: FloatArray,
    shares: FloatArray,
    n_units: int,
) -> FloatArray:
    r"""Return the spectrum of D W A Wᵀ D + E, W of independent N(0, 1) entries, D and E diagonal.

    G_ii = 1/(e_i - z + d_i² φ), φ = Σ_j a_j/(1 + a_j δ), δ = Σ_i d_i² G_ii, and
    log det = Σ_i log(1/G_ii) + Σ_j log(1 + a_j δ) - δ φ. Without D and E this is the map of
    Marchenko and Pastur.

    Parameters
    ----------
    eigenvalues : ndarray
        a_j, not negative.
    slopes, offsets, shares : ndarray of shape (n_groups,)
        d and e of groups of units, and the share of units in each group; shares sum to one.
    n_units : int
        Rows of W.

    Returns
    -------
    ndarray of shape (n_units,)
        Quantiles, ascending.

    References
    ----------
    Marchenko, Pastur, Mathematics of the USSR-Sbornik 1 (1967); Fan, Wang, "Spectra of the
    conjugate kernel and neural tangent kernel for linear-width neural networks", NeurIPS 2020.
    """
    a, squares = eigenvalues[eigenvalues > 0], slopes**2
    lowest = float(offsets.min())
    above, counts = offsets - lowest, n_units * shares
    if a.size == 0 or not np.any(squares):
        return np.sort(np.repeat(offsets, _whole(counts)))
    top = a.max() * (np.sqrt(n_units) + np.sqrt(a.size)) ** 2 * squares.max() + above.max()

    def unknowns(delta: ComplexArray, z: ComplexArray) -> tuple[Any, Any, Any, Any]:
        opened = 1.0 + a * delta[:, None]
        phi = np.sum(a / opened, axis=1)
        inverse = above - z[:, None] + squares * phi[:, None]
        return opened, phi, inverse, np.sum(counts * squares / inverse, axis=1)

    def step(delta: ComplexArray, z: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
        opened, _, inverse, value = unknowns(delta, z)
        slope = np.sum((a / opened) ** 2, axis=1)
        return value, np.sum(counts * (squares / inverse) ** 2, axis=1) * slope

    def count(z: ComplexArray) -> FloatArray:
        delta = _solve(step, z, -np.sum(counts * squares) / z)
        opened, phi, inverse, _ = unknowns(delta, z)
        log_det = np.log(inverse) @ counts + np.log(opened).sum(axis=1) - delta * phi
        return -log_det.imag / (np.pi * n_units)

    return lowest + _quantiles(count, 1e-7 * top, 1.05 * top, n_units)


def product_spectrum(first: FloatArray, second: FloatArray) -> FloatArray:
    r"""Return the spectrum of C^(1/2) Ω C^(1/2) for C and Ω in independent random bases.

    The free product: with s = -1/z, ψ = mean ac/(1+ac) = mean bω/(1+bω) = ab/(s+ab), and
    log det(1 + sCΩ)/n = mean log(1+ac) + mean log(1+bω) + log(1-ψ).

    Parameters
    ----------
    first, second : ndarray of shape (n,)
        Eigenvalues of C and of Ω, not negative.

    Returns
    -------
    ndarray of shape (n,)
        Quantiles, ascending.

    References
    ----------
    Voiculescu, "Multiplication of certain non-commuting random variables", Journal of Operator
    Theory 18 (1987).
    """
    n = first.size
    for flat, other in ((first, second), (second, first)):
        if np.ptp(flat) <= 1e-12 * flat.max():
            return np.sort(flat.mean() * other)
    top, bottom = first.max() * second.max(), first.min() * second.min()

    def half_step(
        a: ComplexArray, z: ComplexArray, values: FloatArray
    ) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
        """Return b with mean v/(1+av) = b/(s+ab), its derivative, and 1 - ψ."""
        opened = 1.0 + np.multiply.outer(a, values)
        mean, slope = np.mean(values / opened, axis=1), -np.mean((values / opened) ** 2, axis=1)
        rest = 1.0 - a * mean
        return -mean / z / rest, -(slope + mean**2) / z / rest**2, rest

    def step(a: ComplexArray, z: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
        b, slope, _ = half_step(a, z, first)
        value, outer_slope, _ = half_step(b, z, second)
        return value, slope * outer_slope

    def count(z: ComplexArray) -> FloatArray:
        a = _solve(step, z, -second.mean() / z)
        b, _, rest = half_step(a, z, first)
        log_det = np.log(-z) + np.log(rest)
        for unknown, values in ((a, first), (b, second)):
            log_det += np.log(1.0 + np.multiply.outer(unknown, values)).mean(axis=1)
        return -log_det.imag / np.pi

    return _quantiles(count, max(bottom, 1e-9 * top) * 0.99, 1.01 * top, n)


def _solve(
    step: Callable[[ComplexArray, ComplexArray], tuple[ComplexArray, ComplexArray]],
    z: ComplexArray,
    start: ComplexArray,
) -> ComplexArray:
    """Solve x = F(x, z) in the upper half plane, from far above the real axis down to `z`.

    `step` returns F and ∂F/∂x. F maps the upper half plane into itself, so that averaged
    iteration converges; close to the axis Newton's method takes over.
    """
    x, epsilon = start.copy(), _FIRST_RESOLUTION
    while True:
        epsilon = max(epsilon, _RESOLUTION)
        now = z.real * (1.0 + 1j * epsilon)
        open_points = np.arange(x.size)
        for iteration in range(_MOST_STEPS):
            old, at = x[open_points], now[open_points]
            value, slope = step(old, at)
            newton = old + (value - old) / (1.0 - slope)
            inside = (newton.imag > 0) & (iteration >= _PLAIN_STEPS)
            x[open_points] = np.where(inside, newton, 0.5 * (old + value))
            moved = np.abs(x[open_points] - old) > 1e-9 * np.abs(old)
            open_points = open_points[moved]
            if not open_points.size:
                break
        if epsilon <= _RESOLUTION:
            return x
        epsilon *= 0.25


def _quantiles(
    count: Callable[[ComplexArray], FloatArray], low: float, high: float, n: int
) -> FloatArray:
    """Return n quantiles of the distribution function on (low, high); what lies below is 0."""
    x = np.geomspace(low, high, _N_POINTS)
    cumulative = count(x * (1.0 + 1j * _RESOLUTION))
    for _ in range(_N_REFINEMENTS):
        rise = np.diff(cumulative)
        edge = (cumulative[1:] < 1.0 / _N_POINTS) | (cumulative[:-1] > 1.0 - 1.0 / _N_POINTS)
        steep = rise > np.where(edge, 0.2 / n, 1.0 / _N_POINTS)
        if not np.any(steep):
            break
        middle = np.sqrt(x[:-1] * x[1:])[steep]
        x = np.r_[x, middle]
        cumulative = np.r_[cumulative, count(middle * (1.0 + 1j * _RESOLUTION))]
        order = np.argsort(x)
        x, cumulative = x[order], cumulative[order]
    cumulative = np.maximum.accumulate(cumulative)
    wanted = (np.arange(n) + 0.5) / n
    values = np.exp(np.interp(wanted, cumulative, np.log(x)))
    return np.where(wanted < cumulative[0], 0.0, values)


def _whole(counts: FloatArray) -> NDArray[np.int_]:
    """Round so that the sum is kept."""
    return np.diff(np.round(np.r_[0.0, np.cumsum(counts)])).astype(int)
