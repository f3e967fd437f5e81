r"""Closed Gaussian moments of every f(x) = a + b x + (c + d x) Φ(x/σ).

Φ(x/σ) = P(x + σN > 0) is a gate that opens where x plus noise is positive; σ = 0 is the step. relu,
leaky relu, sign and the identity have σ = 0, erf has σ² = 1/2 and gelu σ = 1. A mean of products
of two such functions is then a moment of a truncated bivariate normal law.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]

# A standard deviation of zero is taken as this, times the mean where that is above one: moments
# then are the limits.
_SMALLEST = 1e-150
# Terms of Var f = Σ a_k²/k! where the gate is much smoother than the input is wide.
_N_TERMS = 24


class Gate(NamedTuple):
    """The numbers a, b, c, d and σ² of f(x) = a + b x + (c + d x) Φ(x/σ)."""

    constant: float = 0.0
    slope: float = 0.0
    jump: float = 0.0
    gain: float = 0.0
    noise: float = 0.0


class GatedLinear:
    """Gaussian moments of an activation that is described by its ``gate``."""

    gate = Gate()

    def moments(self, mean: Any, std: Any) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return E f(X), E f'(X) and Var f(X) for X ~ N(mean, std²).

        Parameters
        ----------
        mean, std : ndarray
            Broadcast.

        Returns
        -------
        tuple of three ndarrays
        """
        mean, std = _floats(mean, std)
        variance = _step_variance if self.gate.noise == 0.0 else _smooth_variance
        return (
            self.hermite(0, mean, std),
            self.hermite(1, mean, std) / std,
            variance(self, mean, std),
        )

    def hermite(self, k: int, mean: Any, std: Any) -> FloatArray:
        """Return a_k = E[f(mean + std Z) He_k(Z)] = std^k d^k/dmean^k E f(mean + std Z).

        Parameters
        ----------
        k : int
            Not negative.
        mean, std : ndarray
            Broadcast.

        Returns
        -------
        ndarray
        """
        mean, std = _floats(mean, std)
        a, b, c, d, noise = self.gate
        width = np.sqrt(std**2 + noise)
        h = mean / width
        density, open_share = _density(h), special.ndtr(h)
        if k == 0:
            opened = mean * open_share + std * (std / width) * density
            return a + b * mean + c * open_share + d * opened
        ratio = std / width
        if k == 1:
            # d/dmean of E[x Φ] is Φ + (1 - ratio²) h density
            return std * (b + d * (open_share + noise / width**2 * h * density)) + (
                c * ratio * density
            )
        h = np.clip(h, -40.0, 40.0)  # beyond, the density is 0 and powers of h may overflow
        sign = -1.0 if k % 2 else 1.0
        jump = -sign * special.eval_hermitenorm(k - 1, h)
        gain = sign * (
            special.eval_hermitenorm(k - 2, h) - noise / width**2 * special.eval_hermitenorm(k, h)
        )
        return ratio**k * density * (c * jump + d * width * gain)

    def bivariate(
        self, other: Any, mean: Any, std: Any, other_mean: Any, other_std: Any, covariance: Any
    ) -> Any:
        """Return E f(X) g(Y) for X, Y jointly normal, g the activation `other`.

        Parameters
        ----------
        other : object
            Activation.
        mean, std, other_mean, other_std, covariance : ndarray
            Of X, of Y, and Cov(X, Y); broadcast.

        Returns
        -------
        ndarray or NotImplemented
            NotImplemented unless `other` is gated linear, too.
        """
        if not isinstance(other, GatedLinear):
            return NotImplemented
        mean, std = _floats(mean, std)
        other_mean, other_std = _floats(other_mean, other_std)
        return _product_moment(self.gate, other.gate, mean, std, other_mean, other_std, covariance)


def _floats(mean: Any, std: Any) -> tuple[FloatArray, FloatArray]:
    mean = np.asarray(mean, np.float64)
    least = _SMALLEST * np.maximum(1.0, np.abs(mean))
    return mean, np.maximum(np.asarray(std, np.float64), least)


def _density(x: FloatArray) -> FloatArray:
    x = np.clip(x, -40.0, 40.0)  # beyond, it is 0
    return np.exp(-0.5 * np.square(x)) / np.sqrt(2.0 * np.pi)


def _step_variance(activation: GatedLinear, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Return Var f for σ = 0 as a sum of covariances of x, the step and relu."""
    _, b, c, d, _ = activation.gate
    t = mean / std
    share, closed = special.ndtr(t), special.ndtr(-t)
    density = _density(t)
    # relu on the side where it is rarely open; on the other side relu(x) = x + relu(-x)
    u = np.abs(t)
    rare = special.ndtr(-u)
    tail_mean = density - u * rare
    tail = np.maximum((u**2 + 1.0) * rare - u * density - tail_mean**2, 0.0)
    relu = np.where(t > 0, 1.0 - 2.0 * rare + tail, tail)
    relu_mean = np.where(t > 0, t + tail_mean, tail_mean)
    return (
        b**2 * std**2
        + c**2 * share * closed
        + d**2 * std**2 * relu
        + 2.0 * b * c * std * density
        + 2.0 * b * d * std**2 * share
        + 2.0 * c * d * std * relu_mean * closed
    )


def _smooth_variance(activation: GatedLinear, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Return Var f for σ > 0: E f² - (E f)², or where that cancels Σ_k a_k²/k!."""
    second = _product_moment(activation.gate, activation.gate, mean, std, mean, std, std**2)
    direct = second - activation.hermite(0, mean, std) ** 2
    series = np.zeros(np.broadcast_shapes(mean.shape, std.shape))
    factorial = 1.0
    for k in range(1, _N_TERMS + 1):
        factorial *= k
        series += activation.hermite(k, mean, std) ** 2 / factorial
    return np.where(std**2 < 0.1 * activation.gate.noise, series, np.maximum(direct, 0.0))


def _product_moment(
    first: Gate,
    second: Gate,
    mean: FloatArray,
    std: FloatArray,
    other_mean: FloatArray,
    other_std: FloatArray,
    covariance: Any,
) -> FloatArray:
    """Return E f(x) g(y), with the gates u = x + noise, v = y + noise and Stein's identity."""
    q = np.asarray(covariance, np.float64)
    one = _OneGate(mean, std, first.noise)
    two = _OneGate(other_mean, other_std, second.noise)
    # E[(a + b x)(a' + b' y)], the lines alone
    value = (first.constant + first.slope * mean) * (second.constant + second.slope * other_mean)
    value = value + first.slope * second.slope * q
    # a line against an open gate: E[x (c' + d' y) 1(v > 0)] and its mirror image
    if second.jump or second.gain:
        value = value + _line_gate(first, mean, q, two, second)
    if first.jump or first.gain:
        value = value + _line_gate(second, other_mean, q, one, first)
        if second.jump or second.gain:
            value = value + _gate_gate(one, two, q, first, second)
    return value


class _OneGate:
    """A variable x ~ N(mean, std²) and its gate u = x + noise > 0."""

    def __init__(self, mean: FloatArray, std: FloatArray, noise: float) -> None:
        self.mean, self.std, self.noise = mean, std, noise
        self.width = np.sqrt(std**2 + noise)
        self.h = mean / self.width
        self.share = special.ndtr(self.h)  # P(u > 0)
        self.density = _density(self.h) / self.width  # of u at 0


def _line_gate(
    line: Gate, line_mean: FloatArray, q: FloatArray, gate: _OneGate, numbers: Gate
) -> FloatArray:
    """Return E[(a + b x)(c + d y) 1(v > 0)], y the variable of `gate`, Cov(x, y) = q."""
    opened = gate.mean * gate.share + gate.std**2 * gate.density  # E[y 1(v > 0)]
    level = line.constant + line.slope * line_mean
    value = level * (numbers.jump * gate.share + numbers.gain * opened)
    # E[(x - mean) F] = q E F'(y), as x enters F through y alone
    slope = numbers.gain * gate.share + gate.density * (
        numbers.jump + numbers.gain * gate.mean * gate.noise / gate.width**2
    )
    return value + line.slope * q * slope


def _gate_gate(
    one: _OneGate, two: _OneGate, q: FloatArray, first: Gate, second: Gate
) -> FloatArray:
    """Return E[(c + d x) 1(u > 0) (c' + d' y) 1(v > 0)]."""
    link = _Link(one, two, q)
    both = link.share(one.h, two.h)
    first_given, second_given = link.beyond(two.h, one.h), link.beyond(one.h, two.h)
    first_edge = one.density * special.ndtr(first_given)  # u = 0, v > 0
    second_edge = two.density * special.ndtr(second_given)  # v = 0, u > 0
    value = first.jump * second.jump * both
    x_open = one.mean * both + one.std**2 * first_edge + q * second_edge  # E[x 1 1]
    y_open = two.mean * both + q * first_edge + two.std**2 * second_edge
    value = value + first.gain * second.jump * x_open + first.jump * second.gain * y_open
    if first.gain and second.gain:
        # E[y δ(u) 1(v>0)] and E[y δ(v) 1(u>0)], from the laws given u = 0 and given v = 0
        spread = (two.width * link.rest) ** 2 - two.noise
        on_first = (two.mean - q / one.width**2 * one.mean) * first_edge
        on_first += spread * one.density * _density(first_given) / (two.width * link.rest)
        on_second = two.mean * second_edge
        on_second += q * two.density * _density(second_given) / (one.width * link.rest)
        on_second *= two.noise / two.width**2
        products = one.mean * y_open + q * both + one.std**2 * on_first + q * on_second
        value = value + first.gain * second.gain * products
    return value


class _Link:
    """The correlation ρ of two gates, with 1 - |ρ| and √(1 - ρ²) to full relative accuracy."""

    def __init__(self, one: _OneGate, two: _OneGate, q: FloatArray) -> None:
        size = one.width * two.width
        q = np.clip(q, -size, size)
        self.sign = np.where(q < 0.0, -1.0, 1.0)
        self.gap = (size - np.abs(q)) / size
        self.rest = np.maximum(np.sqrt(self.gap * (2.0 - self.gap)), 1e-15)

    def beyond(self, k: FloatArray, h: FloatArray) -> FloatArray:
        """Return (k - ρ h)/√(1 - ρ²)."""
        return ((k - self.sign * h) + self.sign * self.gap * h) / self.rest

    def share(self, h: FloatArray, k: FloatArray) -> FloatArray:
        """Return P(X < h, Y < k) of standard normals of correlation ρ, by Owen's T function."""
        # T(h, a) needs h != 0; the limit at 0 is that of a tiny positive h.
        h, k = np.where(h == 0.0, 1e-290, h), np.where(k == 0.0, 1e-290, k)
        with np.errstate(over="ignore"):
            slope_h, slope_k = self.beyond(k, h) / h, self.beyond(h, k) / k
        value = 0.5 * (special.ndtr(h) + special.ndtr(k) - (np.sign(h) != np.sign(k)))
        value = value - special.owens_t(h, slope_h) - special.owens_t(k, slope_k)
        return np.clip(value, 0.0, 1.0)
