r"""What pre-activations that are not normal add to the covariances, to leading order in the width.

A unit φ_a = f(x_a) of normal x is d_a x_a + h_a x_a²/2 + … with d = E f′ and h = E f″, so that sums
g = W φ over many units have cumulants beyond the second. Between two units of the next layer

    Cov(f(g_i), f(g_j)) gains (h_i κ_iij d_j + d_i κ_ijj h_j)/2 + h_i h_j κ_iijj/4.

The third cumulants are full matrices, exact to second order in the weak correlations between units
and to every order in that of a unit with its paired row. The fourth are s_i² s_j² q to this order,
q the variance of the mean square of all pre-activations, relative and beyond that of normal ones.
"""

from __future__ import annotations

from math import factorial
from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.networks.gaussian_moments import hermite_coefficients
from sk_deepfeat.theory.networks.layer_covariances import Preactivation
from sk_deepfeat.theory.validation import FloatArray

# A unit of a smaller standard deviation is constant.
_SMALLEST = 1e-12
# Order of the Hermite series between a unit and itself, or its paired row.
_ORDER = 16
_FACTORIALS = np.array([factorial(k) for k in range(_ORDER + 1)], dtype=np.float64)[:, None]


class UnitSeries(NamedTuple):
    """Hermite coefficients a_k of f and of (f - E f)² at each unit of a layer.

    Attributes
    ----------
    std : ndarray of shape (p,)
        Of the pre-activations.
    value, square : ndarray of shape (order + 1, p)
        Of f and of (f - E f)²; the latter NaN where it is not needed.
    """

    std: FloatArray
    value: FloatArray
    square: FloatArray

    def derivative(self, k: int, square: bool = False) -> FloatArray:
        """Return the mean of the k-th derivative, a_k/std^k; 0 for a unit that does not vary."""
        coefs = (self.square if square else self.value)[k]
        return np.divide(coefs, self.std**k, out=np.zeros_like(coefs), where=self.std > _SMALLEST)


def unit_series(side: Preactivation, *, squared: bool = True) -> UnitSeries:
    """Return the series of the units of a layer, those of the squares if E f⁴ is finite.

    Raises
    ------
    ValueError
        If it is not, and `squared` is True: a layer that others follow needs it.
    """
    std = np.maximum(side.std, _SMALLEST)
    function = side.activation
    value = hermite_coefficients(function, _ORDER, side.mean, std)
    if not squared:
        return UnitSeries(std, value, np.full_like(value, np.nan))
    try:
        square = hermite_coefficients(lambda x: np.square(function(x)), _ORDER, side.mean, std)
    except ValueError:
        raise ValueError(
            f"finite_width=True needs E f⁴ of activation={function!r}, which is not finite or "
            f"cannot be integrated at standard deviations up to {std.max():.3g}; use "
            "finite_width=False, or an activation that grows less."
        ) from None
    square -= 2.0 * value[0] * value
    square[0] += value[0] ** 2
    return UnitSeries(std, value, square)


class Source(NamedTuple):
    """A layer of nonlinear units, and the linear maps from its features to where they are seen.

    Attributes
    ----------
    first, second : UnitSeries
        Of the two networks (the same one twice for the cumulants of one network).
    own, cross : ndarray
        Covariance of the pre-activations of the first, and between first and second.
    n_paired : int
        Units of equal index that are strongly correlated.
    left, right : ndarray of shape (units, p) and (units, k)
        From the features of either network to the pre-activations that are looked at.
    """

    first: UnitSeries
    second: UnitSeries
    own: FloatArray
    cross: FloatArray
    n_paired: int
    left: FloatArray
    right: FloatArray


def third_cumulants(source: Source) -> FloatArray:
    r"""Return κ(g_i, g_i, g̃_j), g = left @ φ and g̃ = right @ φ̃.

    With x, x̃ the pre-activations of the source, Σ_abc W_ia W_ib V_jc κ(φ_a, φ_b, φ̃_c) and
    κ(φ_a, φ_b, φ̃_c) = h_a d_b d̃_c P_ab P×_ac + (a ↔ b) + h̃_c d_a d_b P×_ac P×_bc where all three
    units differ; δ, δ1, δ2 and η are what is missing where two or three of them coincide.
    """
    W, V, n = source.left, source.right, source.n_paired
    d, h = source.first.derivative(1), source.first.derivative(2)
    other_d, other_h = source.second.derivative(1), source.second.derivative(2)
    U, X, Y = (W * d) @ source.own, (V * other_d) @ source.cross.T, (W * d) @ source.cross
    # a = b: φ_a² answers to x̃_c with E (f²)′, of which 2 h d s² is counted
    delta = source.first.derivative(1, square=True) - 2.0 * h * d * source.first.std**2
    squares = W**2
    cumulants = (2.0 * W * h * U + squares * delta) @ X.T
    cumulants += (Y**2) @ (V * other_h).T
    if n:
        first_delta, second_delta, eta = _paired_terms(source, delta)
        paired = 2.0 * W[:, :n] * (U[:, :n] * first_delta + Y[:, :n] * second_delta)
        cumulants += (paired + squares[:, :n] * eta) @ V[:, :n].T
    return cumulants


def _paired_terms(source: Source, delta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return δ1, δ2 (where c is the paired row of a) and η (where a = b, too)."""
    n, one, two = source.n_paired, source.first, source.second
    s, t = one.std[:n], two.std[:n]
    joint = np.diagonal(source.cross)[:n]
    rho = np.clip(joint / (s * t), -1.0, 1.0)
    a, b = one.value[:, :n], two.value[:, :n]
    powers = rho ** np.arange(_ORDER + 1.0)[:, None] / _FACTORIALS
    # Cov(f′, g) and Cov(f, g′)
    slope_value = np.sum(a[2:] * b[1:-1] * powers[1:-1], axis=0) / s
    value_slope = np.sum(a[1:-1] * b[2:] * powers[1:-1], axis=0) / t
    third = np.sum(one.square[1:, :n] * b[1:] * powers[1:], axis=0)  # E (f - E f)² (g - E g)
    d, h = one.derivative(1)[:n], one.derivative(2)[:n]
    g, k = two.derivative(1)[:n], two.derivative(2)[:n]
    first_delta = slope_value - h * g * joint
    second_delta = value_slope - k * d * joint
    counted = 2.0 * h * d * s**2 * g * joint + k * d**2 * joint**2
    counted += delta[:n] * g * joint
    counted += 2.0 * (first_delta * d * s**2 + second_delta * d * joint)
    return first_delta, second_delta, third - counted


def excess(
    source: Source,
    features: FloatArray,
    thirds: tuple[FloatArray, FloatArray] | None,
    before: float,
) -> float:
    """Return Σ_ac w_a w̃_c (Cov(φ_a², φ̃_c²) - 2 Cov(φ_a, φ̃_c)²), w the mean squares of weights.

    Parameters
    ----------
    source : Source
        With the weights of the following layers as `left` and `right`.
    features : ndarray
        Covariance between the features, centred.
    thirds : tuple of two ndarrays or None
        κ(x_a, x_a, x̃_c) and κ(x̃_c, x̃_c, x_a) of the pre-activations of the source.
    before : float
        q of the pre-activations of the source.
    """
    one, two, n = source.first, source.second, source.n_paired
    w, v = np.mean(source.left**2, axis=0), np.mean(source.right**2, axis=0)
    first, bend = w * one.derivative(1, square=True), 0.5 * w * one.derivative(2, square=True)
    second, other_bend = (
        v * two.derivative(1, square=True),
        0.5 * v * two.derivative(2, square=True),
    )
    value = first @ source.cross @ second + 2.0 * bend @ source.cross**2 @ other_bend
    value -= 2.0 * w @ features**2 @ v
    value += before * (bend @ one.std**2) * (other_bend @ two.std**2)
    if thirds is not None:
        value += bend @ thirds[0] @ second + other_bend @ thirds[1] @ first
    if n:
        rho = np.diagonal(source.cross)[:n] / (one.std[:n] * two.std[:n])
        rho = np.clip(rho, -1.0, 1.0)
        powers = rho ** np.arange(3.0, _ORDER + 1.0)[:, None] / _FACTORIALS[3:]
        beyond = np.sum(one.square[3:, :n] * two.square[3:, :n] * powers, axis=0)
        value += float(np.sum(w[:n] * v[:n] * beyond))
    return float(value)


def gain(
    first: UnitSeries,
    second: UnitSeries,
    thirds: tuple[FloatArray, FloatArray],
    q: float,
) -> FloatArray:
    """Return what Cov(f(g_i), f̃(g̃_j)) gains; `thirds` are κ_iij and κ_jji (transposed roles)."""
    value = np.multiply.outer(
        first.derivative(2) * first.std**2, second.derivative(2) * second.std**2
    )
    value *= 0.25 * q
    value += 0.5 * first.derivative(2)[:, None] * thirds[0] * second.derivative(1)
    value += 0.5 * first.derivative(1)[:, None] * thirds[1].T * second.derivative(2)
    return value
