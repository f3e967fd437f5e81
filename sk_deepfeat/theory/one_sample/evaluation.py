r"""From one training set to the test error at every other (n, alpha).

A `TransferCurve` gives κ, f = df1(κ), df2(κ), and rows with relative leverages s and squared
leave-one-out residuals e², N of them (less one with an intercept). The part of e² that does not
depend on the number of rows is a = e² - s V₀ with, at q and τ = f/q of the training set,

    V₀ = (N df2/τ²)·mean[s e²/(1+s q)²].

For n rows at the same κ, q_n solves n·mean[s q_n/(1+s q_n)] = f, and with c = n df2 q_n²/f²

    alpha = κ f/q_n,   V = c·mean[s a/(1+s q_n)²]/(1 - c·mean[s²/(1+s q_n)²]),   R = mean a + V.

At n = N this is mean e² again. For equal leverages R = (B + σ²)/(1 - df2/n): the same lines
evaluate the curve of generalised cross-validation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from sk_deepfeat.theory.one_sample.kappa_curve import TransferCurve, ratio, solve_leverage_scale
from sk_deepfeat.theory.validation import FloatArray, check_cells

_END_NODES = 120
_BISECTIONS = 50
_MOST_CACHED = 64


class TransferRisk(NamedTuple):
    """What `transfer_risk` returns; NaN where κ is not identifiable."""

    kappa: FloatArray
    """Effective regularisation, shape broadcast(n, alpha)."""
    test_error: FloatArray
    """Expected squared error on a new sample, shape broadcast(n, alpha) + (t,)."""
    train_error: FloatArray
    """Expected mean squared residual, same shape."""
    unexplained: FloatArray
    """Squared bias and noise together, same shape."""


class _Nodes(NamedTuple):
    """Everything at one n, along the κ with f < n; ascending alpha."""

    alpha: FloatArray
    kappa: FloatArray
    test: FloatArray  # without the intercept's factor, (nodes, t)
    train: FloatArray
    unexplained: FloatArray


def _active(curve: TransferCurve) -> float:
    """Return the share of the rows that have any leverage; rows of zeros have none."""
    return 1.0 - float(curve.share[0][curve.leverage[0] <= 0].sum())


def _nodes(curve: TransferCurve, n: float) -> _Nodes:
    active = _active(curve)
    left = (n * active - curve.n_effective) + curve.remaining
    first = int(np.argmax(left > 0))
    if first > 0:
        # alpha = κ (n - f) falls to 0 between two points of the grid: points of its own lead there
        # from where n - f still changes gently.
        gentle = left[first:-1] > 0.75 * left[first + 1 :]
        first += int(np.argmax(gentle)) if np.any(gentle) else gentle.size
    parts = [curve.kappa, curve.df1, curve.remaining, left, curve.df2, *curve[4:8]]
    parts = [part[first:] for part in parts]
    if first > 0:
        end = _towards_ridgeless(curve, n * active, float(left[first]), first)
        parts = [np.concatenate(pair) for pair in zip(end, parts, strict=True)]
    kappa, df1, remaining, left, df2, share, leverage, error, tilt = parts
    trained = curve.n_effective
    idle = trained * (1.0 - active)
    own = solve_leverage_scale(share, leverage, trained, df1, remaining - idle)
    here = own if n == trained else solve_leverage_scale(share, leverage, n, df1, left)

    # Means over rows of g(s) take s at a class's own mean, those of e² g(s) at its mean under e²:
    # both are then exact to first order in the width of a class.
    s, s_error = ratio(leverage, share), ratio(tilt, error)

    def damping(q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return c = n df2 q²/f² over n, 1/(1+s q)² for rows, and the same for errors."""
        return (
            df2 * np.square(q / df1),
            1.0 / np.square(1.0 + s * q[:, None]),
            1.0 / np.square(1.0 + s_error * q[:, None, None]),
        )

    scale, _, of_error = damping(own)
    noise = trained * scale[:, None] * (tilt * of_error).sum(axis=1)  # V₀
    scale, of_row, of_error = damping(here)
    quadratic = (leverage * s * of_row).sum(axis=1)
    linear = (tilt * of_error).sum(axis=1) - noise * quadratic[:, None]  # mean s a/(1+s q)²
    room = 1.0 - n * scale * quadratic
    variance = ratio(n * scale[:, None] * linear, np.broadcast_to(room[:, None], linear.shape))
    variance = np.where(room[:, None] > 0, variance, np.nan)
    unexplained = error.sum(axis=1) - noise  # mean a
    train = (error * of_error).sum(axis=1)
    train += (leverage * of_row).sum(axis=1)[:, None] * (variance - noise)
    found = _Nodes(kappa * df1 / here, kappa, unexplained + variance, train, unexplained)
    return _possible(found)


def _possible(nodes: _Nodes) -> _Nodes:
    """Take out nodes that noise has made impossible: no finite variance, alpha falling in κ."""
    highest = np.fmax.accumulate(nodes.alpha)
    rising = np.r_[True, nodes.alpha[1:] > highest[:-1] * (1.0 + 1e-12)]
    keep = rising & (nodes.alpha > 0) & np.isfinite(nodes.test).all(axis=1)
    return nodes if keep.all() else _Nodes(*(part[keep] for part in nodes))


def _towards_ridgeless(curve: TransferCurve, n: float, start: float, first: int) -> tuple[Any, ...]:
    """Return κ, f, N - f, n - f, df2 and class moments at points that close in on f = n.

    They do so geometrically. `start` is n - f at the grid point `first`; n counts the rows that
    have any leverage.
    """
    left = start * 2.0 ** (-0.25 * np.arange(_END_NODES, 0, -1))
    grid = np.log(curve.kappa)
    remaining = CubicSpline(grid, np.log(curve.remaining))
    wanted = np.log((curve.n_effective - n) + left)
    below, x = np.full(left.size, grid[0]), np.full(left.size, grid[first])
    for _ in range(_BISECTIONS):
        middle = 0.5 * (below + x)
        short = remaining(middle) < wanted
        below, x = np.where(short, middle, below), np.where(short, x, middle)
    df1 = n - left
    spread = np.exp(CubicSpline(grid, np.log(np.maximum(curve.df1 - curve.df2, 1e-300)))(x))
    # Classes are mixed by cubics through four grid points; each sum, which counts most, follows its
    # own spline.
    index = np.clip(np.searchsorted(grid, x) - 2, 0, grid.size - 4)[:, None] + np.arange(4)
    weights = _lagrange(grid[index], x)

    def totalled(classes: FloatArray, values: FloatArray) -> FloatArray:
        total = CubicSpline(grid, values.sum(axis=1))(x)
        return classes * ratio(total, classes.sum(axis=1))[:, None]

    def mixed(values: FloatArray) -> FloatArray:
        return np.maximum(np.einsum("xj,xj...->x...", weights, values[index]), 0.0)

    def mixed_within(values: FloatArray, base: FloatArray, mixed_base: FloatArray) -> FloatArray:
        """Mix such that the ratio to `base`, a mean of s, stays among those of the four points."""
        ratios, some = ratio(values, base)[index], (base > 0)[index]
        low = np.where(some, ratios, np.inf).min(axis=1)
        high = np.where(some, ratios, 0.0).max(axis=1)
        low = np.minimum(low, high)
        return np.clip(mixed(values), low * mixed_base, high * mixed_base)

    share, error = mixed(curve.share), mixed(curve.error)
    return (
        *(np.exp(x), df1, (curve.n_effective - n) + left, left, df1 - spread),
        totalled(share, curve.share),
        totalled(mixed_within(curve.leverage, curve.share, share), curve.leverage),
        totalled(error, curve.error),
        totalled(mixed_within(curve.tilt, curve.error, error), curve.tilt),
    )


def _lagrange(nodes: FloatArray, x: FloatArray) -> FloatArray:
    """Return the weights of interpolation at x from each row of nodes, shape of `nodes`."""
    weights = np.ones_like(nodes)
    for i in range(nodes.shape[1]):
        for j in range(nodes.shape[1]):
            if i != j:
                weights[:, i] *= (x - nodes[:, j]) / (nodes[:, i] - nodes[:, j])
    return weights


def transfer_risk(
    curve: TransferCurve,
    n_samples: ArrayLike,
    alpha: ArrayLike,
    *,
    fit_intercept: bool,
    guard: bool = True,
    cache: dict[float, Any] | None = None,
) -> TransferRisk:
    """Evaluate a curve at any numbers of samples and regularisations.

    Parameters
    ----------
    curve : TransferCurve
        From `gcv_curve` or `leave_one_out_curve`.
    n_samples, alpha : array-like
        Numbers of samples (at least 1) and regularisations (not negative); they broadcast.
    fit_intercept : bool
        Whether ridge fits an intercept: R(n) = (1 + 1/n) R_c(n - 1), as for the curve itself.
    guard : bool, default=True
        Whether an error for more rows than the curve's own is unknown where its squared bias and
        noise is below twice what N^(-1/2) of the leave-one-out error amounts to. Without it, noise
        is the caller's to judge.
    cache : dict, optional
        Of this curve: tables for single n, kept from call to call.

    Returns
    -------
    TransferRisk
        NaN where κ(n, alpha) lies below what the training set identifies.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import leave_one_out_curve, ridge_factorization, transfer_risk
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 50))
    >>> y = X[:, 0] + rng.normal(size=400)
    >>> curve = leave_one_out_curve(ridge_factorization(X, y, fit_intercept=False))
    >>> error = transfer_risk(curve, [100, 400], 10.0, fit_intercept=False).test_error
    >>> error[:, 0].round(1)
    array([1.5, 1.1])
    """
    if not isinstance(curve, TransferCurve):
        raise TypeError(
            f"curve must be a TransferCurve, from gcv_curve or leave_one_out_curve; got {curve!r}."
        )
    n, a = check_cells(n_samples, alpha)
    t = curve.error.shape[2]
    kappa = np.empty(n.shape)
    parts = [np.empty((*n.shape, t)) for _ in range(3)]
    for size in np.unique(n):
        cells = n == size
        rows = size - 1.0 if fit_intercept else size
        found = _at_size(curve, rows, a[cells], guard, {} if cache is None else cache)
        kappa[cells] = found.kappa
        for part, values in zip(parts, found[1:], strict=True):
            part[cells] = values
        if fit_intercept:
            parts[0][cells] *= 1.0 + 1.0 / size
            # A residual is 1 - 1/n - h of its leave-one-out residual, on the mean of n - 1 rows.
            parts[1][cells] *= 1.0 - 1.0 / size
            if curve.left_out:
                parts[1][cells] *= 1.0 - 1.0 / size**2
    return TransferRisk(kappa, *parts)


def _at_size(
    curve: TransferCurve, n: float, alpha: FloatArray, guard: bool, cache: dict[float, Any]
) -> TransferRisk:
    """Interpolate between the nodes of one n; errors without the intercept's factor."""
    if n < 1e-12 or curve.rank == 0:  # one sample beside the intercept, or features that are none
        alone = np.broadcast_to(curve.error[-1].sum(axis=0), (alpha.size, curve.error.shape[2]))
        kappa = alpha / n if n > 0.0 else np.full(alpha.size, np.inf)
        return TransferRisk(kappa, alone, alone * (n > 0.0), alone)
    nodes, interpolants = _tables(curve, n, cache)
    if nodes.alpha.size < 2:
        unknown = np.full((alpha.size, curve.error.shape[2]), np.nan)
        return TransferRisk(unknown[:, 0], unknown, unknown, unknown)
    at = np.log(np.clip(alpha, nodes.alpha[0], nodes.alpha[-1]))
    test, train, unexplained, kappa = (interpolant(at) for interpolant in interpolants)
    below, above = alpha < nodes.alpha[0], alpha > nodes.alpha[-1]
    # Beyond the ends df1 no longer moves. Downwards κ goes on to 0 with alpha only where the sample
    # shows every direction there is and n exceeds them; else κ stops, at df1 = n or at κ_min.
    to_zero = curve.rank < curve.n_effective
    active = n * _active(curve)
    moving = above | (below & to_zero & (active >= curve.rank))
    rate = np.where(above, nodes.kappa[-1] / nodes.alpha[-1], nodes.kappa[0] / nodes.alpha[0])
    kappa = np.where(moving, alpha * rate, kappa)
    peak = (alpha == 0) & to_zero & (active == curve.rank)
    test = np.where(peak[:, None] & (test > 0), np.inf, test)
    if active <= curve.rank:  # residuals are proportional to alpha there
        train = train * np.square(np.minimum(alpha / nodes.alpha[0], 1.0))[:, None]
    unknown = below & (n > curve.n_effective) & ~to_zero
    # Errors below zero are estimates lost in noise, of few or heavy-tailed rows. Beyond N rows the
    # error rests on mean a alone, a difference whose noise is about mean e²/√N.
    lost = unknown[:, None] | (test < 0)
    if guard and n > curve.n_effective and curve.left_out:
        log_kappa = np.log(np.clip(kappa, curve.kappa[0], curve.kappa[-1]))
        seen = _interpolant(np.log(curve.kappa), curve.error.sum(axis=1))(log_kappa)
        lost |= unexplained < 2.0 / np.sqrt(curve.n_effective) * seen
    parts = (np.where(lost, np.nan, part) for part in (test, train, unexplained))
    return TransferRisk(np.where(unknown, np.nan, kappa), *parts)


def _tables(
    curve: TransferCurve, n: float, cache: dict[float, Any]
) -> tuple[_Nodes, list[Callable[[FloatArray], FloatArray]]]:
    """Return the nodes at one n and interpolants of test, train, unexplained and κ; kept."""
    if n not in cache:
        if len(cache) >= _MOST_CACHED:
            cache.clear()
        nodes = _nodes(curve, n)
        interpolants = []
        if nodes.alpha.size >= 2:
            values = (nodes.test, nodes.train, nodes.unexplained, nodes.kappa)
            interpolants = [_interpolant(np.log(nodes.alpha), value) for value in values]
        cache[n] = nodes, interpolants
    found: tuple[_Nodes, list[Callable[[FloatArray], FloatArray]]] = cache[n]
    return found


def unexplained_moment_along_kappa(curve: TransferCurve) -> tuple[FloatArray, FloatArray]:
    """Return log κ, ascending, and squared bias and noise together there, shape (K, t)."""
    nodes = _nodes(curve, float(curve.n_effective))
    return np.log(nodes.kappa), nodes.unexplained


def alpha_at_share(
    curve: TransferCurve,
    n_samples: int,
    share: ArrayLike,
    *,
    fit_intercept: bool,
    cache: dict[float, Any] | None = None,
) -> FloatArray:
    """Return the alphas at which ridge on `n_samples` rows has given df1/n.

    Parameters
    ----------
    curve : TransferCurve
        What the training set shows.
    n_samples : int
        Number of samples, no more than the curve's own.
    share : array-like of shape (S,)
        df1/n, in (0, 1) and below rank/n, where n is less one with an intercept.
    fit_intercept : bool
        Whether ridge fits an intercept.
    cache : dict, optional
        As in `transfer_risk`.

    Returns
    -------
    ndarray of shape (S,)
        Positive; falling where `share` rises.
    """
    n = n_samples - 1.0 if fit_intercept else float(n_samples)
    nodes, _ = _tables(curve, n, {} if cache is None else cache)
    log_kappa, log_df1 = np.log(curve.kappa), np.log(curve.df1)
    df1 = np.exp(np.interp(np.log(nodes.kappa), log_kappa, log_df1))[::-1]
    wanted = np.asarray(share, dtype=np.float64) * n
    return np.exp(np.interp(wanted, df1, np.log(nodes.alpha)[::-1]))


def _interpolant(x: FloatArray, values: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Interpolate along the first axis; each column that is positive on a logarithmic scale."""
    positive = np.all(values > 0, axis=0)
    logarithms = np.log(np.where(positive, values, 1.0))
    spline = CubicSpline(x, np.where(positive, logarithms, values))

    def interpolant(at: FloatArray) -> FloatArray:
        found = spline(at)
        return np.where(positive, np.exp(np.where(positive, found, 0.0)), found)

    return interpolant
