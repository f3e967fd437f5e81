r"""Population covariances of deep networks with given weights, and of a teacher like them.

With Ω the centred covariance of the features of a layer and m their mean, the next layer has
pre-activations of covariance P = W Ω Wᵀ and mean μ = W m + bias, taken as jointly normal; s² is the
diagonal of P. Four ways from P to the next Ω are in `layer_covariances`; depth is composition.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.plugins import resolve
from sk_deepfeat.theory.networks.finite_width import compose_finite_width
from sk_deepfeat.theory.networks.layer_covariances import (
    Preactivation,
    between,
    cross_covariance,
    own_covariance,
    preactivation,
)
from sk_deepfeat.theory.networks.rainbow_arguments import (
    Layer,
    check_input,
    check_layers,
    check_method,
    check_paired_rows,
)
from sk_deepfeat.theory.validation import FloatArray, check_flag


class RainbowCovariances(NamedTuple):
    """Centred covariances and means; the last four are None without a teacher.

    Attributes
    ----------
    feature_covariance : ndarray of shape (p, p)
        Ω = Cov(φ, φ).
    cross_covariance : ndarray of shape (p, k) or None
        Ω_× = Cov(φ, φ*).
    teacher_covariance : ndarray of shape (k, k) or None
        Ψ = Cov(φ*, φ*).
    feature_mean : ndarray of shape (p,)
        E φ.
    teacher_mean : ndarray of shape (k,) or None
        E φ*.
    """

    feature_covariance: FloatArray
    cross_covariance: FloatArray | None
    teacher_covariance: FloatArray | None
    feature_mean: FloatArray
    teacher_mean: FloatArray | None


def rainbow_covariances(
    weights: Sequence[ArrayLike],
    activations: Any,
    input_covariance: ArrayLike,
    *,
    teacher_weights: Sequence[ArrayLike] | None = None,
    teacher_activations: Any = None,
    paired_rows: Any = None,
    biases: Sequence[Any] | None = None,
    teacher_biases: Sequence[Any] | None = None,
    input_mean: ArrayLike | None = None,
    method: str = "per-unit",
    order: int = 4,
    finite_width: bool = False,
) -> RainbowCovariances:
    r"""Return the covariances of a random deep network and of a teacher, from their weights alone.

    The network is φ(x) = f_L(W_L f_{L-1}(… f_1(W_1 x + b_1) …) + b_L) with x of the given mean and
    covariance, taken as normal; the teacher φ* is another such network of the same inputs. With
    P = W Ω Wᵀ, μ and s the covariance, means and standard deviations of pre-activations, and
    m_i = E f(μ_i + s_i Z), d_i = E f′(μ_i + s_i Z), v_i = Var f(μ_i + s_i Z):

    - "per-unit": d_i P_ij d_j off the diagonal, v_i on it. Right for any activation to leading
      order in the width.
    - "hermite": Σ_{k=1}^order a_k(μ_i, s_i) a_k(μ_j, s_j) ρ_ij^k/k! off the diagonal, ρ the
      correlations; the rest of the series of which "per-unit" is the first term. From order 16
      on, entries whose correlation is too strong for that order are the whole series.
    - "closed-form": the whole series, for activations whose objects carry it (relu, leaky relu,
      identity, sign, erf, gelu among themselves; sin, cos): exact for one layer.
    - "averaged": the recursion of the paper, c₁² P + c*² I with constants at the mean of s_i²; the
      means are not carried on. Right for odd activations and centred inputs.

    Between network and teacher the same formulas hold, but that an entry (i, i) of paired rows is
    Cov(f(X), g(Y)) itself, as rows that are equal or alike have correlations of order one. Layers
    that only one network has follow Cov(φ_l, φ*) = diag(d) W Cov(φ_{l-1}, φ*).

    Parameters
    ----------
    weights : sequence of array-like of shape (units, fan_in)
        W_1, …, W_L.
    activations : str, activation object, function, or a sequence of these
        One serves every layer; a sequence has one entry for each.
    input_covariance : array-like of shape (d, d) or (d,)
        Covariance of the inputs, or its diagonal.
    teacher_weights : sequence of array-like of shape (units, fan_in), optional
        V_1, …; the number of layers may differ.
    teacher_activations : as `activations`, optional
        None: those of the network, if they serve every layer or the depths are equal.
    paired_rows : int or sequence of int, optional
        The first rows of W_l and V_l that are drawn in pairs; a sequence has one entry for each
        layer that both networks have. None pairs all rows of equal index, which is right in every
        case, but for "averaged", where the correlation of all pairs is taken as their mean; 0
        spares the work where rows are known to be independent.
    biases, teacher_biases : sequence of (array-like of shape (units,) or None), optional
        None: no biases.
    input_mean : array-like of shape (d,), optional
        None: centred inputs.
    method : {"per-unit", "averaged", "hermite", "closed-form"}, default="per-unit"
        See above.
    order : int, default=4
        Of "hermite", at most 170.
    finite_width : bool, default=False
        Also count, from the second layer on, that pre-activations are normal only up to
        1/√width: their third cumulants, and the leading fourth. Activations of
        layers that others follow then need a finite E f⁴. Costs some twenty products of matrices
        for each pair of layers; not for "averaged".

    Returns
    -------
    RainbowCovariances
        (feature_covariance, cross_covariance, teacher_covariance, feature_mean, teacher_mean).

    Raises
    ------
    ValueError
        If shapes do not chain, a covariance is not symmetric positive semi-definite, an activation
        has infinite moments or no closed form, more rows are paired than there are, or "averaged"
        is asked for with biases, an input mean or `finite_width`.
    TypeError
        If an argument is of the wrong kind.

    See Also
    --------
    sk_deepfeat.populations.LinearizedPopulation : The population of a fitted feature map.

    References
    ----------
    Schröder, Dmitriev, Cui, Loureiro, "Asymptotics of Learning with Deep Structured (Random)
    Features", ICML 2024, arXiv:2402.13999.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import rainbow_covariances
    >>> W = np.eye(3)
    >>> found = rainbow_covariances([W], "relu", np.eye(3), teacher_weights=[W[:2]])
    >>> found.feature_covariance.round(3)
    array([[0.341, 0.   , 0.   ],
           [0.   , 0.341, 0.   ],
           [0.   , 0.   , 0.341]])
    >>> found.cross_covariance.round(3)
    array([[0.341, 0.   ],
           [0.   , 0.341],
           [0.   , 0.   ]])
    >>> found.feature_mean.round(3)
    array([0.399, 0.399, 0.399])
    """
    check_method(method, order)
    check_flag(finite_width, "finite_width")
    covariance, mean = check_input(input_covariance, input_mean)
    layers = check_layers(weights, activations, biases, mean.size, "")
    teacher: list[Layer] = []
    if teacher_weights is not None:
        if teacher_activations is None:
            teacher_activations = activations
        teacher = check_layers(
            teacher_weights, teacher_activations, teacher_biases, mean.size, "teacher_"
        )
    elif teacher_activations is not None or teacher_biases is not None:
        raise ValueError(
            "teacher_activations and teacher_biases need teacher_weights; give them, or drop both."
        )
    if method == "averaged" and (np.any(mean) or _has_biases(layers + teacher)):
        raise ValueError(
            "method='averaged' carries no means, so biases and input_mean must be None or zero; "
            "use method='per-unit'."
        )
    if method == "averaged" and finite_width:
        raise ValueError("finite_width=True needs another method than 'averaged'.")
    paired = check_paired_rows(paired_rows, layers, teacher)
    if finite_width:
        return _compose_finite_width(layers, teacher, paired, covariance, mean, method, order)
    return _compose(layers, teacher, paired, covariance, mean, method, order)


def _has_biases(layers: list[Layer]) -> bool:
    return any(np.any(layer.bias) for layer in layers)


class _State(NamedTuple):
    """The features of a layer: centred covariance (or its diagonal) and mean."""

    covariance: FloatArray
    mean: FloatArray


def _compose(
    layers: list[Layer],
    teacher: list[Layer],
    paired: list[int],
    covariance: FloatArray,
    mean: FloatArray,
    method: str,
    order: int,
) -> RainbowCovariances:
    """Carry the covariances of both networks, and between them, from layer to layer."""
    state = teacher_state = _State(covariance, mean)
    cross = covariance if teacher else None
    for depth, (layer, second) in enumerate(zip_longest(layers, teacher)):
        first_side = second_side = None
        if layer is not None:
            first_side, state = _step(layer, state, method, order)
        if second is not None:
            second_side, teacher_state = _step(second, teacher_state, method, order)
        if cross is not None:
            n_paired = paired[depth] if depth < len(paired) else 0
            left = None if layer is None else layer.weights
            right = None if second is None else second.weights
            cross = between(left, cross, right)
            cross = cross_covariance(cross, first_side, second_side, n_paired, method, order)
    if not teacher:
        return RainbowCovariances(state.covariance, None, None, state.mean, None)
    return RainbowCovariances(
        state.covariance, cross, teacher_state.covariance, state.mean, teacher_state.mean
    )


def _step(layer: Layer, state: _State, method: str, order: int) -> tuple[Preactivation, _State]:
    pre = between(layer.weights, state.covariance, layer.weights)
    mean = layer.weights @ state.mean + layer.bias
    side = preactivation(layer.activation, mean, np.diagonal(pre), method)
    covariance = own_covariance(pre, side, method, order)
    return side, _State(covariance, side.moments.mean)


def _compose_finite_width(
    layers: list[Layer],
    teacher: list[Layer],
    paired: list[int],
    covariance: FloatArray,
    mean: FloatArray,
    method: str,
    order: int,
) -> RainbowCovariances:
    """Do as `_compose` with higher cumulants; the shorter network goes on as the identity."""
    identity = resolve("activations", "identity")
    depth = max(len(layers), len(teacher))
    networks = [layers, teacher] if teacher else [layers]
    for network in networks:
        width = len(network[-1].weights)
        missing = depth - len(network)
        network += [Layer(np.eye(width), np.zeros(width), identity)] * missing
    found, means = compose_finite_width(networks, paired, covariance, mean, method, order)
    if not teacher:
        return RainbowCovariances(found[0, 0], None, None, means[0], None)
    return RainbowCovariances(found[0, 0], found[0, 1], found[1, 1], means[0], means[1])
