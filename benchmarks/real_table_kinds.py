"""Constructed rows of the kinds that real tables are made of: `KINDS[name](rng, n)` gives (X, y).

What makes a population (weights, scales, rates, shapes, a run of a network) is fixed for each kind;
`rng` draws rows alone. Targets are linear in the features, with a signal of variance one and noise
of standard deviation 0.5, but where a kind says otherwise.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np

NOISE = 0.5
RUN_LENGTH = 60_000  # rows of the run behind "echo states"; no more can be drawn
_WASHOUT = 1000


def _linear(features, noise=NOISE, fixed=None):
    """Make a kind of `features(rng, n)` whose columns matter alike, whatever their scale.

    Weights are those of `fixed(scales)`, or random, over the standard deviations of the columns.
    """

    @cache
    def weights():
        rng = np.random.default_rng(1)
        X = features(rng, 20_000)
        scales = X.std(axis=0)
        scales[scales == 0] = 1.0
        if fixed is not None:
            return fixed(scales)
        found = rng.normal(size=scales.size) / scales
        return found / np.std(X @ found)

    def kind(rng, n):
        X = features(rng, n)
        return X, X @ weights() + noise * rng.normal(size=n)

    return kind


def gaussian(rng, n, p=100):
    """Independent columns with eigenvalues 1/j."""
    return rng.normal(size=(n, p)) / np.sqrt(np.arange(1, p + 1))


def rare_columns(rng, n, rate):
    """10 Gaussian columns and 30 indicators, each one with probability `rate`."""
    return np.hstack([rng.normal(size=(n, 10)), rng.random((n, 30)) < rate])


def _rare_weights(scales):
    """One on the first column, and on the indicators what a rare circumstance may add."""
    weights = np.zeros(scales.size)
    weights[0], weights[10:] = 1.0, 2.0 * np.random.default_rng(2).normal(size=30)
    return weights


def fingerprints(rng, n):
    """500 counts with rates falling as a power of the rank, cut at 4."""
    rates = 2.0 * np.arange(1, 501) ** -0.9
    return np.minimum(rng.poisson(rates, size=(n, 500)), 4).astype(float)


@cache
def _lorenz(steps, dt=0.02):
    """First coordinate of the Lorenz system, Runge-Kutta of fourth order, divided by 8."""

    def slope(s):
        return np.array([10 * (s[1] - s[0]), s[0] * (28 - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]])

    state, found = np.array([1.0, 1.0, 20.0]), np.empty(steps)
    for t in range(steps):
        a = slope(state)
        b = slope(state + dt / 2 * a)
        c = slope(state + dt / 2 * b)
        state = state + dt / 6 * (a + 2 * b + 2 * c + slope(state + dt * c))
        found[t] = state[0] / 8
    return found


@cache
def _run(units=400, radius=0.9):
    """States of an echo-state network along the series, and the value of the next step."""
    rng = np.random.default_rng(3)
    series = _lorenz(_WASHOUT + RUN_LENGTH + 1)
    inner = rng.normal(size=(units, units)) / np.sqrt(units)
    inner *= radius / np.abs(np.linalg.eigvals(inner)).max()
    inputs = rng.uniform(-1.0, 1.0, size=units)
    bias = rng.uniform(-0.5, 0.5, size=units)
    state, states = np.zeros(units), np.empty((RUN_LENGTH, units))
    for t in range(_WASHOUT + RUN_LENGTH):
        state = np.tanh(inner @ state + inputs * series[t] + bias)
        if t >= _WASHOUT:
            states[t - _WASHOUT] = state
    return states, series[_WASHOUT + 1 :]


def echo_states(rng, n, noise=0.0):
    """Rows of the run in random order, none twice; 400 units, the Lorenz series one step ahead."""
    states, following = _run()
    if n > RUN_LENGTH:
        raise ValueError(f"n={n} must be at most {RUN_LENGTH}, the rows of the run.")
    rows = np.arange(RUN_LENGTH) if n == RUN_LENGTH else rng.choice(RUN_LENGTH, n, replace=False)
    # The noise belongs to the row, not to the draw: the run was observed once.
    observed = np.random.default_rng(4).normal(size=RUN_LENGTH)[rows]
    return states[rows], following[rows] + noise * observed


@cache
def _bumps(p=700):
    """Spectra of a dozen substances, each a band at a place and of a width of its own."""
    rng = np.random.default_rng(5)
    places, widths = rng.uniform(0, 1, 12), rng.uniform(0.02, 0.12, 12)
    grid = np.linspace(0, 1, p)
    return np.exp(-0.5 * ((grid - places[:, None]) / widths[:, None]) ** 2)


def spectra(rng, n):
    """700 wavelengths: a dozen bands of random heights, a baseline, noise; target in the heights.

    The target is the content of three of the substances with noise a tenth of its spread.
    """
    heights = rng.gamma(4.0, 0.25, size=(n, 12))
    X = heights @ _bumps() + 0.1 * rng.normal(size=(n, 1)) + 0.003 * rng.normal(size=(n, 700))
    y = heights[:, :3] @ np.array([1.0, -0.7, 0.5])
    return X, y + 0.07 * rng.normal(size=n)


def column_scales(rng, n):
    """100 Gaussian columns whose scales are log-normal, sigma 3."""
    return rng.normal(size=(n, 100)) * np.exp(3.0 * np.random.default_rng(6).normal(size=100))


def contaminated(rng, n):
    """60 Gaussian columns; one row in a hundred is ten times as large."""
    return gaussian(rng, n, 60) * np.where(rng.random((n, 1)) < 0.01, 10.0, 1.0)


def student_rows(rng, n):
    """60 columns; each row has the scale of a Student-t(4.5) vector."""
    return gaussian(rng, n, 60) / np.sqrt(rng.chisquare(4.5, size=(n, 1)) / 4.5)


def duplicates(rng, n):
    """Every row of the Gaussian kind twice, with the same target, in random order."""
    X, y = _gaussian_kind(rng, (n + 1) // 2)
    order = rng.permutation(2 * len(y))[:n] // 2
    return X[order], y[order]


def _levels(rng, n, count):
    """One-hot columns of a category whose levels have shares falling as 1/rank."""
    shares = 1.0 / np.arange(1, count + 1)
    drawn = rng.choice(count, size=n, p=shares / shares.sum())
    return (drawn[:, None] == np.arange(count)).astype(float)


def mixed(rng, n):
    """20 correlated Gaussian columns, three categories of 60 levels, 10 skewed columns."""
    fixed = np.random.default_rng(7)
    mixing = fixed.normal(size=(20, 20)) / np.sqrt(20)
    scales = np.exp(fixed.normal(size=10))
    parts = [rng.normal(size=(n, 20)) @ mixing]
    parts += [_levels(rng, n, 60) for _ in range(3)]
    parts.append(np.exp(rng.normal(size=(n, 5))) * scales[:5])
    parts.append(rng.exponential(size=(n, 5)) * scales[5:])
    return np.hstack(parts)


@cache
def _mixed_moments():
    X = mixed(np.random.default_rng(8), 50_000)
    return X.mean(axis=0), X.std(axis=0)


def mixed_standardised(rng, n):
    """Return the same columns by mean and standard deviation of the population."""
    mean, scale = _mixed_moments()
    return (mixed(rng, n) - mean) / scale


@cache
def _layer():
    rng = np.random.default_rng(9)
    return rng.normal(size=(30, 400)) / np.sqrt(30), 0.5 * rng.normal(size=400)


def relu_features(rng, n):
    """400 random ReLU features of 30 Gaussian columns; the target is smooth, not linear."""
    inner, bias = _layer()
    Z = rng.normal(size=(n, 30))
    y = (np.sin(2.0 * Z[:, 0]) + Z[:, 1] * Z[:, 2] + Z[:, 3]) / 1.6
    return np.maximum(Z @ inner + bias, 0.0), y + NOISE * rng.normal(size=n)


_gaussian_kind = _linear(gaussian)

KINDS = {
    "rare columns .002": _linear(partial(rare_columns, rate=0.002), fixed=_rare_weights),
    "rare columns .01": _linear(partial(rare_columns, rate=0.01), fixed=_rare_weights),
    "rare columns .05": _linear(partial(rare_columns, rate=0.05), fixed=_rare_weights),
    "fingerprints": _linear(fingerprints),
    "echo states": echo_states,
    "noisy echo states": partial(echo_states, noise=0.1),
    "spectra": spectra,
    "column scales": _linear(column_scales),
    "contaminated": _linear(contaminated),
    "Student-t rows": _linear(student_rows),
    "duplicates": duplicates,
    "raw mixed": _linear(mixed),
    "standardised mixed": _linear(mixed_standardised),
    "Gaussian": _gaussian_kind,
    "ReLU features": relu_features,
}
FINITE = ("echo states", "noisy echo states")  # rows of one run: training rows come back in it
