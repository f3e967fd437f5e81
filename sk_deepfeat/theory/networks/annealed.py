r"""Random deep networks before their weights are drawn: constants and limiting spectra.

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

from sk_deepfeat.theory.matrices import check_covariance, check_definite
from sk_deepfeat.theory.networks.bivariate_moments import bivariate_covariance
from sk_deepfeat.theory.networks.gaussian_moments import activation_moments, rough_points
from sk_deepfeat.theory.networks.gaussian_quadrature import REACH, gaussian_nodes
from sk_deepfeat.theory.networks.rainbow_arguments import one_per_layer
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
    weight_covariances: Sequence[ArrayLike], activations: Any, input_covariance: ArrayLike
) -> AnnealedConstants:
    r"""Return the constants r, c₀, c₁, c* of every layer from the covariances of the weights.

    Rows of W_l are independent N(0, C_l). For odd activations these are the paper's constants,
    with E Ω_l = (c₁² r + c*²) I.

    Parameters
    ----------
    weight_covariances : sequence of array-like of shape (fan_in, fan_in) or (fan_in,)
        C_1, C_2, …, or their diagonals.
    activations : str, activation object, function, or a sequence of these
        One serves every layer.
    input_covariance : array-like of shape (d, d) or (d,)
        Covariance of the centred inputs, or its diagonal.

    Returns
    -------
    AnnealedConstants

    Raises
    ------
    ValueError
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
    return layer_constants(
        check_row_laws(weight_covariances, activations, len(covariance), ""), covariance
    )


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
    own = check_row_laws(weight_covariances, activations, len(covariance), "")
    other = check_row_laws(
        teacher_weight_covariances, teacher_activations, len(covariance), "teacher_"
    )
    if len(other) != len(own):
        raise ValueError(
            f"teacher_weight_covariances has {len(other)} entries, but weight_covariances has "
            f"{len(own)}; give as many."
        )
    shapes = [(len(a), len(b)) for (a, _), (b, _) in zip(own, other, strict=True)]
    cross = _check_cross(cross_weight_covariances, shapes)
    for number, ((a, _), (b, _), between) in enumerate(zip(own, other, cross, strict=True)):
        _check_joint(a, b, between, f"cross_weight_covariances[{number}]")
    first, second = layer_constants(own, covariance), layer_constants(other, covariance)
    return _cross_constants(own, other, cross, first, second, covariance)


_NO_PAIR = (
    "{name} is impossible: with the covariances of the rows of both networks it makes a matrix "
    "whose lowest eigenvalue is {lowest:.6g}; it must not be negative."
)

RowLaws = list[tuple[FloatArray, Any]]


def check_row_laws(covariances: Any, activations: Any, width: int, prefix: str) -> RowLaws:
    """Return (C_l, activation) of every layer, checked; `prefix` is that of the arguments."""
    name = f"{prefix}weight_covariances"
    if not isinstance(covariances, Sequence) or not len(covariances):
        raise ValueError(f"{name} must be a list of one array for each layer.")
    checked = [check_covariance(c, f"{name}[{i}]") for i, c in enumerate(covariances)]
    if len(checked[0]) != width:
        raise ValueError(
            f"{name}[0] has {len(checked[0])} rows, but input_covariance has {width}; they must "
            "agree."
        )
    functions = one_per_layer(activations, len(checked), f"{prefix}activations")
    return list(zip(checked, functions, strict=True))


def _check_cross(given: Any, shapes: list[tuple[int, int]]) -> list[FloatArray]:
    if len(given) != len(shapes):
        raise ValueError(
            f"cross_weight_covariances has {len(given)} entries for {len(shapes)} layers."
        )
    matrices = []
    for number, (matrix, shape) in enumerate(zip(given, shapes, strict=True)):
        values = np.asarray(matrix, dtype=np.float64)
        values = np.diag(values) if values.ndim == 1 else values
        if values.shape != shape or not np.all(np.isfinite(values)):
            raise ValueError(
                f"cross_weight_covariances[{number}] must be finite, of shape {shape}; got "
                f"{values.shape}."
            )
        matrices.append(values)
    return matrices


def _check_joint(own: FloatArray, other: FloatArray, cross: FloatArray, name: str) -> None:
    """Raise unless [[C, Č], [Čᵀ, C̃]] is positive semi-definite."""
    first, second = (np.diag(c) if c.ndim == 1 else c for c in (own, other))
    joint = np.block([[first, cross], [cross.T, second]])
    tolerance = 1e-10 * max(np.abs(first).max(), np.abs(second).max())
    check_definite(joint, tolerance, name, _NO_PAIR)


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
    spread = np.sqrt(mean_variance)
    return _laws(_scaled_cuts(activation, std, spread), std, spread)


def _laws(cuts: FloatArray, std: float, spread: float) -> UnitLaws:
    (nodes,) = gaussian_nodes(cuts[None])
    z = nodes.z[0]
    return UnitLaws(z, spread * z, np.full(z.size, std), nodes.weights[0])


def _scaled_cuts(activation: Any, std: float, spread: float) -> FloatArray:
    """Return the z next to which moments of f(spread z + std Z) vary on a scale below one."""
    if not 0 < std < spread:
        return np.zeros(0)
    rough = rough_points(activation, np.zeros(1), np.array([np.hypot(spread, std)]))[0]
    rough = np.unique(rough[np.abs(rough) < REACH]) * (np.hypot(spread, std) / spread)
    cuts = np.add.outer(rough, std / spread * _AROUND).ravel()
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
            spread = float(shares @ (moments.mean - c0) ** 2)
            r = float(trace * (shares @ moments.variance))
            mean_variance = float(c0**2 * total + spread * trace)
            if mean_variance <= 1e-20 * r:  # what rounding leaves of an odd activation's mean
                mean_variance = 0.0
    return AnnealedConstants(*np.array(rows).T)


def _cross_constants(
    own: RowLaws,
    other: RowLaws,
    cross: list[FloatArray],
    first: AnnealedConstants,
    second: AnnealedConstants,
    covariance: FloatArray,
) -> AnnealedCross:
    rows = []
    joint = np.diag(covariance) if covariance.ndim == 1 else covariance
    r, mean_covariance = float(np.sum(cross[0] * joint)), 0.0
    for depth, ((_, f), (_, g)) in enumerate(zip(own, other, strict=True)):
        s, t = np.sqrt(first.mean_variance[depth]), np.sqrt(second.mean_variance[depth])
        rho = np.clip(mean_covariance / (s * t), -1.0, 1.0) if s * t > 0 else 0.0
        # Given the mean of the first unit, Y is N(t ρ z, t²(1 - ρ²) + s̃²): the mean of the second
        # unit is averaged over by that.
        std, bare = np.sqrt(first.r[depth]), np.sqrt(second.r[depth])
        other_std = np.hypot(bare, t * np.sqrt((1.0 - rho) * (1.0 + rho)))
        far = _scaled_cuts(g, other_std, t * abs(rho))
        laws = unit_laws(f, first.r[depth], first.mean_variance[depth])
        if s > 0:
            laws = _laws(np.r_[_scaled_cuts(f, std, s), np.sign(rho) * far], std, s)
        other_mean, shares = t * rho * laws.z, laws.shares
        between = bivariate_covariance(f, laws.mean, laws.std, g, other_mean, other_std, r)
        a = activation_moments(f, laws.mean, laws.std)
        b = activation_moments(g, other_mean, np.full(laws.z.size, other_std))
        rows.append((r, mean_covariance, float(shares @ (between - r * a.slope * b.slope))))
        if depth + 1 < len(own):
            paired = float(np.trace(cross[depth + 1]))
            spread = shares @ ((a.mean - first.c0[depth]) * (b.mean - second.c0[depth]))
            mean_covariance = float(
                first.c0[depth] * second.c0[depth] * cross[depth + 1].sum() + spread * paired
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
