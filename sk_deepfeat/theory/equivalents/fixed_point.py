r"""The fixed point alpha/kappa = n - df1(kappa), vectorised over n and alpha, and its inverse.

With df1(kappa) = Σ ω/(ω+κ). Two facts carry the numerics.

* The difference n - df1 is never formed by subtraction. With m = #{ω > s} and a split s near κ,
  n - df1 = (n - m) + Σ_{ω>s} κ/(ω+κ) - Σ_{ω≤s} ω/(ω+κ), which keeps every digit on plateaus.
* g(κ) = α/κ - (n - df1(κ)) is convex and decreasing, with κ g''/|g'| ≤ 2. So Newton's method in κ
  climbs monotonically to the root from any point below it, and the relative error after a step is
  at most the square of that step: a relative step of 1e-7 ends the iteration at 1e-14.

The start comes from a table of n - df1 on a logarithmic grid of κ, shared by all cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sk_deepfeat.theory.validation import (
    FloatArray,
    broadcast_cells,
    check_alpha,
    check_cells,
    check_eigenvalues,
    check_n_samples,
)

_NEWTON_STEP_TOLERANCE = 1e-7
_NEGLIGIBLE = 1e-17  # relative to one: less than its rounding
_MAX_NEWTON_STEPS = 200
_BLOCK_ENTRIES = 100_000


def degrees_of_freedom(eigenvalues: ArrayLike, kappa: ArrayLike) -> FloatArray:
    """Return df1(kappa) = Σ ω/(ω + kappa) over the eigenvalues that are not zero.

    Parameters
    ----------
    eigenvalues : array-like of shape (n_features,)
        Spectrum of the features' second moment.
    kappa : array-like
        Effective regularisation, not negative.

    Returns
    -------
    ndarray of the shape of `kappa`
        Between 0 and the rank.

    Examples
    --------
    >>> from sk_deepfeat.theory import degrees_of_freedom
    >>> float(degrees_of_freedom([1.0, 1.0, 0.0], 1.0))
    1.0
    """
    spectrum = positive_ascending(eigenvalues)
    values = check_alpha(kappa, "kappa")
    count, excess, _ = _spectral_sums(spectrum, values.ravel())
    return (count - excess).reshape(values.shape)


def alpha_from_kappa(eigenvalues: ArrayLike, n_samples: ArrayLike, kappa: ArrayLike) -> FloatArray:
    """Return alpha = kappa (n - df1(kappa)), the inverse of `solve_kappa`.

    Parameters
    ----------
    eigenvalues : array-like of shape (n_features,)
        Spectrum of the features' second moment.
    n_samples, kappa : array-like
        Numbers of samples and effective regularisations; they broadcast.

    Returns
    -------
    ndarray of shape broadcast(n_samples, kappa)
        Negative where no alpha >= 0 has this kappa at this n.

    Examples
    --------
    >>> from sk_deepfeat.theory import alpha_from_kappa, solve_kappa
    >>> kappa = solve_kappa([2.0, 1.0, 0.5], 10, 0.3)
    >>> round(float(alpha_from_kappa([2.0, 1.0, 0.5], 10, kappa)), 12)
    0.3
    """
    spectrum = positive_ascending(eigenvalues)
    n, values = broadcast_cells(check_n_samples(n_samples), check_alpha(kappa, "kappa"), "kappa")
    count, excess, _ = _spectral_sums(spectrum, values.ravel())
    return values * ((n - count.reshape(n.shape)) + excess.reshape(n.shape))


def solve_kappa(eigenvalues: ArrayLike, n_samples: ArrayLike, alpha: ArrayLike) -> FloatArray:
    """Solve alpha/kappa = n - Σ ω/(ω + kappa) for the effective regularisation kappa.

    Parameters
    ----------
    eigenvalues : array-like of shape (n_features,)
        Spectrum of the features' second moment, any scale; zeros count for nothing.
    n_samples : array-like
        Numbers of samples, at least 1; not necessarily integers.
    alpha : array-like
        Regularisation as in `sklearn.linear_model.Ridge`, not negative. ``alpha=0`` is ridgeless:
        df1(kappa) = n below the rank, kappa = 0 at the rank and above.

    Returns
    -------
    ndarray of shape broadcast(n_samples, alpha)
        kappa, in the units of the eigenvalues, relative error about 1e-14.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    RuntimeError
        If Newton's method does not converge in 200 steps.

    See Also
    --------
    ridge_risk : Errors, degrees of freedom and norms that follow from kappa.

    References
    ----------
    Schröder, Dmitriev, Cui, Loureiro, "Asymptotics of Learning with Deep Structured (Random)
    Features", ICML 2024, arXiv:2402.13999.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import solve_kappa
    >>> solve_kappa(np.ones(100), [50, 100, 200], 0.0)
    array([1., 0., 0.])
    """
    n, a = check_cells(n_samples, alpha)
    return fixed_point_kappa(positive_ascending(eigenvalues), n, a)


def fixed_point_kappa(spectrum: FloatArray, n_samples: FloatArray, alpha: FloatArray) -> FloatArray:
    """Solve the fixed point for a positive ascending spectrum and any positive n, unchecked."""
    shape = alpha.shape
    n, a = n_samples.ravel(), alpha.ravel()
    if spectrum.size == 0:
        return (a / n).reshape(shape)
    kappa, closed = _far_from_spectrum(spectrum, n, a)
    open_cells = np.flatnonzero(~closed)
    if open_cells.size:
        # A power of two as unit makes the scaling law exact and keeps every intermediate in range.
        unit = 2.0 ** np.floor(np.log2(spectrum[-1]))
        kappa[open_cells] = unit * _newton(spectrum / unit, n[open_cells], a[open_cells] / unit)
    return kappa.reshape(shape)


def _far_from_spectrum(
    spectrum: FloatArray, n: FloatArray, alpha: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return κ where it is so far from the spectrum that df1 is constant, and where that is.

    Far below, df1 is r - κ Σ1/ω: for n > r, κ = α/(n - r), and for n = r, κ² = α/Σ1/ω. Far above,
    df1 ≤ tr Ω/κ is nothing beside n, and κ = α/n. There κ may leave the range of Newton's method.
    """
    spare, lowest = n - spectrum.size, spectrum[0]
    above_rank = np.maximum(spare, 0.0)
    narrow = _NEGLIGIBLE * lowest / spectrum.size
    below = alpha <= above_rank * (narrow * above_rank)
    root = np.sqrt(alpha) * np.sqrt(lowest / (lowest / spectrum).sum())
    at_rank = (spare == 0) & (root <= _NEGLIGIBLE * lowest)
    above = alpha * _NEGLIGIBLE > spectrum.sum()
    kappa = np.where(at_rank, root, alpha / np.where(above, n, np.where(spare > 0, spare, 1.0)))
    closed = (below & (spare > 0)) | at_rank | above
    return np.where(closed, kappa, 0.0), closed


def positive_ascending(eigenvalues: ArrayLike) -> FloatArray:
    """Return the nonzero eigenvalues, validated and sorted from small to large."""
    values = check_eigenvalues(eigenvalues)
    return np.sort(values[values > 0])


def _spectral_sums(
    spectrum: FloatArray, kappa: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return m, (m - df1) without cancellation, and Σ ω/(ω+κ)², one entry for each kappa.

    Cells are taken in ascending order of κ, in blocks within a factor of four, so that one split
    of the spectrum serves a block and the block stays in the processor's cache.
    """
    count = np.empty_like(kappa)
    excess = np.empty_like(kappa)
    slope = np.empty_like(kappa)
    order = np.argsort(kappa)
    ascending = kappa[order]
    octave_pair = np.floor(0.5 * np.log2(np.maximum(ascending, np.finfo(float).tiny)))
    edges = np.flatnonzero(np.diff(octave_pair)) + 1
    rows = max(1, _BLOCK_ENTRIES // max(spectrum.size, 1))
    for group in np.split(np.arange(kappa.size), edges):
        for start in range(0, group.size, rows):
            block = order[group[start : start + rows]]
            k = kappa[block]
            split = int(np.searchsorted(spectrum, np.sqrt(k[0]) * np.sqrt(k[-1]), side="right"))
            inverse = np.add.outer(k, spectrum)
            np.reciprocal(inverse, out=inverse)
            count[block] = spectrum.size - split
            excess[block] = (
                k * inverse[:, split:].sum(axis=1) - inverse[:, :split] @ spectrum[:split]
            )
            np.multiply(inverse, inverse, out=inverse)
            slope[block] = inverse @ spectrum
    return count, excess, slope


def _newton(spectrum: FloatArray, n: FloatArray, alpha: FloatArray) -> FloatArray:
    """Newton's method in κ for cells with alpha > 0 or n below the rank."""
    kappa, lower = _start(spectrum, n, alpha)
    active = np.arange(kappa.size)
    for _ in range(_MAX_NEWTON_STEPS):
        k, a = kappa[active], alpha[active]
        count, excess, slope = _spectral_sums(spectrum, k)
        remaining = (n[active] - count) + excess
        step = (a / k - remaining) / (a / k + k * slope)
        # From above the root the tangent may point far below it: the bracket's lower end holds.
        kappa[active] = np.maximum(k * (1.0 + step), lower[active])
        active = active[~(np.abs(step) <= _NEWTON_STEP_TOLERANCE)]
        if active.size == 0:
            return kappa
    raise RuntimeError(
        f"solve_kappa did not converge in {_MAX_NEWTON_STEPS} Newton steps for {active.size} of "
        f"{kappa.size} cells; the first has n_samples={n[active[0]]!r}."
    )


def _start(spectrum: FloatArray, n: FloatArray, alpha: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a start and a lower bound of κ for each cell, from a table on a grid of κ.

    Bounds: α/κ ≤ n gives κ ≥ α/n; df1 ≥ r ω_min/(ω_min+κ) gives κ ≥ ω_min (r-n)/n; and
    df1 ≤ tr Ω/κ gives κ ≤ (α + tr Ω)/n.
    """
    lower = np.maximum(alpha / n, spectrum[0] * np.maximum(spectrum.size - n, 0.0) / n)
    lower = np.maximum(lower, np.finfo(float).tiny)
    upper = np.maximum((alpha + spectrum.sum()) / n, lower)
    size = int(np.clip(n.size, 32, 512))
    grid = np.geomspace(lower.min(), max(upper.max(), 2.0 * lower.min()), size)
    count, excess, _ = _spectral_sums(spectrum, grid)

    def residual(index: FloatArray) -> FloatArray:
        i = index.astype(np.intp)
        return alpha / grid[i] - ((n - count[i]) + excess[i])

    low, high = np.zeros(n.size), np.full(n.size, size - 1.0)
    for _ in range(int(np.ceil(np.log2(size)))):
        middle = np.floor(0.5 * (low + high))
        below = residual(middle) > 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    g_low, g_high = residual(low), residual(high)
    low_kappa, high_kappa = grid[low.astype(np.intp)], grid[high.astype(np.intp)]
    bracketed = (g_low > 0) & (g_high <= 0)
    fraction = np.where(bracketed, g_low / np.where(bracketed, g_low - g_high, 1.0), 0.0)
    inside = low_kappa * (high_kappa / low_kappa) ** fraction
    lower = np.where(g_low > 0, np.maximum(lower, low_kappa), lower)
    return np.maximum(np.where(bracketed, inside, lower), lower), lower
