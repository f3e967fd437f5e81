r"""Random deep networks before their weights are drawn: the constants of their layers.

With the covariances C_l of the rows of W_l alone, averages over the weights leave a few numbers for
each layer. Pre-activations of unit i are μ_i + s Z: s² = r = tr C_l E Ω_{l-1} is the same for
all units, and μ_i, which vanishes for odd activations, is N(0, t²) over the units,
t² = E mᵀC_l m.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.matrices import check_covariance
from sk_deepfeat.theory.networks.annealed_arguments import (
    RowLaws,
    check_cross_covariances,
    check_hidden_layer_sizes,
    check_row_laws,
)
from sk_deepfeat.theory.networks.bivariate_moments import bivariate_covariance
from sk_deepfeat.theory.networks.gaussian_moments import activation_moments, rough_points
from sk_deepfeat.theory.networks.gaussian_quadrature import REACH, gaussian_nodes
from sk_deepfeat.theory.validation import FloatArray

# Around a rough point of an activation, moments vary on the scale of the standard deviation.
_AROUND = np.array([-8.0, -4.0, -2.0, 0.0, 2.0, 4.0, 8.0])


class AnnealedConstants(NamedTuple):
    """Constants of each layer, arrays of shape (depth,).

    Attributes
    ----------
    r : ndarray
        Variance of a pre-activation around the mean of its unit.
    mean_variance : ndarray
        t², the variance of these means over the units; 0 for odd activations.
    c0, c1 : ndarray
        E f(N) and E f′(N), N ~ N(0, r + t²).
    c_star : ndarray
        c*: its square is Var f - r (E f′)², for one unit, averaged over units.
    """

    r: FloatArray
    mean_variance: FloatArray
    c0: FloatArray
    c1: FloatArray
    c_star: FloatArray


class AnnealedCross(NamedTuple):
    """Constants between paired rows of two networks, arrays of shape (number of common layers,).

    Attributes
    ----------
    r : ndarray
        ř, the covariance of paired pre-activations around the means of their units.
    mean_covariance : ndarray
        Covariance of these means.
    c_star : ndarray
        č*: Cov(f(N), f̃(Ñ)) - ř E f′ E f̃′ for one pair, averaged over pairs.
    """

    r: FloatArray
    mean_covariance: FloatArray
    c_star: FloatArray


def annealed_constants(
    weight_covariances: Any,
    activations: Any,
    input_covariance: ArrayLike,
    *,
    hidden_layer_sizes: Any = None,
) -> AnnealedConstants:
    r"""Return the constants r, c₀, c₁, c* of every layer from the covariances of the weights.

    Rows of W_l are independent N(0, C_l). For odd activations these are the paper's constants,
    with E Ω_l = (c₁² r + c*²) I.

    Parameters
    ----------
    weight_covariances : sequence of array-like of shape (fan_in, fan_in) or (fan_in,)
        C_1, C_2, …, or their diagonals. With `hidden_layer_sizes` also what
        `sk_deepfeat.RandomDeepFeatures` takes as ``weight_covariance``, but for a function: None
        for the identity divided by fan_in, a float g for the diagonal k^-g / Σ_j j^-g, or an array,
        for all layers or in a list with one entry per layer.
    activations : str, activation object, function, or a sequence of these
        One serves every layer.
    input_covariance : array-like of shape (d, d) or (d,)
        Covariance of the centred inputs, or its diagonal.
    hidden_layer_sizes : int or sequence of int, optional
        Widths of the layers; None: that of a layer is the size of the next C.

    Returns
    -------
    AnnealedConstants

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit or a covariance is not symmetric positive semi-definite.

    References
    ----------
    Schröder, Dmitriev, Cui, Loureiro, "Asymptotics of Learning with Deep Structured (Random)
    Features", ICML 2024, arXiv:2402.13999.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import annealed_constants
    >>> found = annealed_constants([np.full(100, 0.01), np.full(50, 0.02)], "tanh", np.ones(100))
    >>> found.r.round(4), found.c1.round(4), found.c_star.round(4)
    (array([1.    , 0.3943]), array([0.6057, 0.7635]), array([0.1656, 0.0811]))
    """
    covariance = check_covariance(input_covariance, "input_covariance")
    sizes = None if hidden_layer_sizes is None else check_hidden_layer_sizes(hidden_layer_sizes)
    laws = check_row_laws(weight_covariances, activations, len(covariance), "", sizes)
    return layer_constants(laws, covariance)


def annealed_cross_constants(
    weight_covariances: Sequence[ArrayLike],
    teacher_weight_covariances: Sequence[ArrayLike],
    cross_weight_covariances: Sequence[ArrayLike],
    activations: Any,
    teacher_activations: Any,
    input_covariance: ArrayLike,
) -> AnnealedCross:
    r"""Return ř and č* of every layer between paired rows of a network and a teacher.

    Rows of W_l are N(0, C_l), of V_l N(0, C̃_l), and E w vᵀ = Č_l for paired rows. The constants of
    each network alone are those of `annealed_constants`.

    Parameters
    ----------
    weight_covariances, teacher_weight_covariances : sequence of array-like
        C_1, …, and C̃_1, …, matrices or diagonals, as many layers of each.
    cross_weight_covariances : sequence of array-like of shape (fan_in, teacher's fan_in)
        Č_1, …; square ones may be given by their diagonals.
    activations, teacher_activations : str, activation object, function, or a sequence of these
        One serves every layer.
    input_covariance : array-like of shape (d, d) or (d,)
        Covariance of the centred inputs, or its diagonal.

    Returns
    -------
    AnnealedCross

    Raises
    ------
    ValueError
        If shapes do not fit, a covariance is not symmetric positive semi-definite, or no pair of
        rows has the covariances C_l, C̃_l and Č_l.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import annealed_cross_constants
    >>> whole, half = [np.full(100, 0.01)], [np.full(100, 0.005)]
    >>> annealed_cross_constants(whole, whole, half, "tanh", "tanh", np.ones(100)).r
    array([0.5])
    """
    covariance = check_covariance(input_covariance, "input_covariance")
    laws = check_row_laws(weight_covariances, activations, len(covariance), "")
    teacher_laws = check_row_laws(
        teacher_weight_covariances, teacher_activations, len(covariance), "teacher_"
    )
    cross = check_cross_covariances(cross_weight_covariances, laws, teacher_laws)
    return _cross_constants(laws, teacher_laws, cross, covariance)


class UnitLaws(NamedTuple):
    """Laws N(mean, std²) of the pre-activations of groups of units.

    Attributes
    ----------
    z, mean, std : ndarray of shape (n_groups,)
        The means are √mean_variance z.
    shares : ndarray of shape (n_groups,)
        Share of the units in each group; they sum to one.
    """

    z: FloatArray
    mean: FloatArray
    std: FloatArray
    shares: FloatArray


def unit_laws(activation: Any, r: float, mean_variance: float) -> UnitLaws:
    """Return the groups of units of a layer; one group if all means are 0."""
    std = np.sqrt(r)
    if not mean_variance > 0:
        return UnitLaws(np.zeros(1), np.zeros(1), np.full(1, std), np.ones(1))
    mean_std = np.sqrt(mean_variance)
    return _laws(_scaled_cuts(activation, std, mean_std), std, mean_std)


def _laws(cuts: FloatArray, std: float, mean_std: float) -> UnitLaws:
    (nodes,) = gaussian_nodes(cuts[None])
    z = nodes.z[0]
    return UnitLaws(z, mean_std * z, np.full(z.size, std), nodes.weights[0])


def _scaled_cuts(activation: Any, std: float, mean_std: float) -> FloatArray:
    """Return the z next to which moments of f(mean_std z + std Z) vary on a scale below one."""
    if not 0 < std < mean_std:
        return np.zeros(0)
    rough = rough_points(activation, np.zeros(1), np.array([np.hypot(mean_std, std)]))[0]
    rough = np.unique(rough[np.abs(rough) < REACH]) * (np.hypot(mean_std, std) / mean_std)
    cuts = np.add.outer(rough, std / mean_std * _AROUND).ravel()
    return np.clip(cuts, -REACH, REACH)


def layer_constants(layers: RowLaws, covariance: FloatArray) -> AnnealedConstants:
    """Return the constants of every layer, from the first to the last."""
    rows = []
    r, mean_variance = _trace(layers[0][0], covariance), 0.0
    for depth, (_, activation) in enumerate(layers):
        laws = unit_laws(activation, r, mean_variance)
        moments, shares = activation_moments(activation, laws.mean, laws.std), laws.shares
        c0, c1 = shares @ moments.mean, shares @ moments.slope
        rest = shares @ (moments.variance - r * moments.slope**2)
        rows.append((r, mean_variance, c0, c1, np.sqrt(np.maximum(rest, 0.0))))
        if depth + 1 < len(layers):
            following = layers[depth + 1][0]
            trace, total = _trace(following, None), _total(following)
            variance_over_units = float(shares @ (moments.mean - c0) ** 2)
            r = float(trace * (shares @ moments.variance))
            mean_variance = float(c0**2 * total + variance_over_units * trace)
            if mean_variance <= 1e-20 * r:  # what rounding leaves of an odd activation's mean
                mean_variance = 0.0
    return AnnealedConstants(*np.array(rows).T)


def _cross_constants(
    laws: RowLaws, teacher_laws: RowLaws, cross: list[FloatArray], covariance: FloatArray
) -> AnnealedCross:
    """Return the constants between paired rows, from the first layer to the last."""
    first, second = layer_constants(laws, covariance), layer_constants(teacher_laws, covariance)
    rows = []
    inputs = np.diag(covariance) if covariance.ndim == 1 else covariance
    r, mean_covariance = float(np.sum(cross[0] * inputs)), 0.0
    for depth, ((_, f), (_, g)) in enumerate(zip(laws, teacher_laws, strict=True)):
        s, t = np.sqrt(first.mean_variance[depth]), np.sqrt(second.mean_variance[depth])
        rho = np.clip(mean_covariance / (s * t), -1.0, 1.0) if s * t > 0 else 0.0
        # Given the mean of the first unit, Y is N(t ρ z, t²(1 - ρ²) + s̃²): the mean of the second
        # unit is averaged over by that.
        std, bare_std = np.sqrt(first.r[depth]), np.sqrt(second.r[depth])
        other_std = np.hypot(bare_std, t * np.sqrt((1.0 - rho) * (1.0 + rho)))
        far = _scaled_cuts(g, other_std, t * abs(rho))
        units = unit_laws(f, first.r[depth], first.mean_variance[depth])
        if s > 0:
            units = _laws(np.r_[_scaled_cuts(f, std, s), np.sign(rho) * far], std, s)
        other_mean, shares = t * rho * units.z, units.shares
        between = bivariate_covariance(f, units.mean, units.std, g, other_mean, other_std, r)
        a = activation_moments(f, units.mean, units.std)
        b = activation_moments(g, other_mean, np.full(units.z.size, other_std))
        rows.append((r, mean_covariance, float(shares @ (between - r * a.slope * b.slope))))
        if depth + 1 < len(laws):
            paired = float(np.trace(cross[depth + 1]))
            covariance_over_units = shares @ (
                (a.mean - first.c0[depth]) * (b.mean - second.c0[depth])
            )
            mean_covariance = float(
                first.c0[depth] * second.c0[depth] * cross[depth + 1].sum()
                + covariance_over_units * paired
            )
            r = float(paired * (shares @ between))
    return AnnealedCross(*np.array(rows).T)


def _trace(matrix: FloatArray, other: FloatArray | None) -> float:
    """Return tr(matrix @ other); a 1-d array is a diagonal, None the identity."""
    if other is not None and matrix.ndim == other.ndim == 2:
        return float(np.sum(matrix * other))
    diagonal = matrix if matrix.ndim == 1 else np.diagonal(matrix)
    if other is None:
        return float(diagonal.sum())
    return float(np.sum(diagonal * (other if other.ndim == 1 else np.diagonal(other))))


def _total(matrix: FloatArray) -> float:
    """Return the sum of all entries; of a diagonal, the trace."""
    return float(matrix.sum())
