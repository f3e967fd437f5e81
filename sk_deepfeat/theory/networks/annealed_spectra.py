"""Limiting spectra of the features of random deep networks, from the laws of their weights."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sk_deepfeat.theory.matrices import check_covariance, eigh_psd
from sk_deepfeat.theory.networks.annealed_arguments import check_hidden_layer_sizes, check_row_laws
from sk_deepfeat.theory.networks.annealed_layers import layer_constants, unit_laws
from sk_deepfeat.theory.networks.gaussian_moments import activation_moments
from sk_deepfeat.theory.networks.spectrum_maps import layer_spectrum, product_spectrum
from sk_deepfeat.theory.validation import MOST_UNITS, FloatArray, is_whole

# Groups of units of one slope and one rest.
_N_GROUPS = 48


def annealed_spectrum(
    weight_covariances: Any,
    activations: Any,
    input_covariance: ArrayLike,
    n_units: int | None = None,
    *,
    hidden_layer_sizes: Any = None,
) -> FloatArray:
    r"""Return the limiting spectrum of the features' covariance, without drawing weights.

    Layer by layer: the free product of C_l and Ω_{l-1}, then the map of Marchenko and Pastur for
    W, with the slopes of the units and the rest c*² on the diagonal.

    Parameters
    ----------
    weight_covariances, activations, input_covariance
        As in `annealed_constants`.
    n_units : int, optional
        Width of the last layer; that of any other is the size of the next C.
    hidden_layer_sizes : int or sequence of int, optional
        In place of `n_units`: the widths of all layers, with which the covariances may be in the
        shorthand of `sk_deepfeat.RandomDeepFeatures`.

    Returns
    -------
    ndarray of shape (n_units,)
        Quantiles of the limiting law, ascending: `eigenvalues` for `ridge_risk`, say.

    Raises
    ------
    ValueError, TypeError
        As `annealed_constants`, or if `n_units` is no positive integer, or both `n_units` and
        `hidden_layer_sizes` are given.

    References
    ----------
    Fan, Wang, "Spectra of the conjugate kernel and neural tangent kernel for linear-width neural
    networks", NeurIPS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory import annealed_spectrum
    >>> spectrum = annealed_spectrum([np.full(400, 1 / 400)], "identity", np.ones(400), 100)
    >>> spectrum[[0, -1]].round(2)  # within (1 - √(100/400))² and (1 + √(100/400))²
    array([0.27, 2.18])

    Two layers of weights with the spectrum k^-0.5:

    >>> annealed_spectrum(0.5, "tanh", np.ones(50), hidden_layer_sizes=(200, 100)).shape
    (100,)
    """
    sizes = None
    if hidden_layer_sizes is not None:
        if n_units is not None:
            raise ValueError(
                f"n_units={n_units!r} and hidden_layer_sizes={hidden_layer_sizes!r} say the width "
                "of the last layer twice; pass one."
            )
        sizes = check_hidden_layer_sizes(hidden_layer_sizes)
        n_units = sizes[-1]
    units: Any = n_units
    if not is_whole(units) or not 1 <= units <= MOST_UNITS:
        raise ValueError(
            f"n_units={reprlib.repr(units)} must be a positive integer, at most {MOST_UNITS:,}, "
            "or hidden_layer_sizes given."
        )
    covariance = check_covariance(input_covariance, "input_covariance")
    layers = check_row_laws(weight_covariances, activations, len(covariance), "", sizes)
    constants = layer_constants(layers, covariance)
    widths = [len(c) for c, _ in layers[1:]] + [int(units)]
    spectrum = None
    for depth, ((weights, activation), width) in enumerate(zip(layers, widths, strict=True)):
        if spectrum is None:
            inner = _joint_eigenvalues(weights, covariance)
        else:
            inner = product_spectrum(_eigenvalues(weights), spectrum)
        laws = unit_laws(activation, constants.r[depth], constants.mean_variance[depth])
        moments = activation_moments(activation, laws.mean, laws.std)
        # units whose trace r fluctuates around s² by nothing in the limit
        rest = np.maximum(moments.variance - constants.r[depth] * moments.slope**2, 0.0)
        slopes, rest, shares = _grouped(moments.slope, rest, laws.shares)
        spectrum = layer_spectrum(inner, slopes, rest, shares, width)
    assert spectrum is not None  # there is at least one layer
    return spectrum


def _grouped(
    slopes: FloatArray, rest: FloatArray, shares: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return fewer groups of neighbours, of the same mean d² and e."""
    starts = np.unique(np.floor(_N_GROUPS * np.cumsum(shares)), return_index=True)[1]
    total = np.add.reduceat(shares, starts)
    squares = np.add.reduceat(shares * slopes**2, starts) / total
    return np.sqrt(squares), np.add.reduceat(shares * rest, starts) / total, total


def _eigenvalues(matrix: FloatArray) -> FloatArray:
    if matrix.ndim == 1:
        return matrix
    return eigh_psd(matrix, "weight_covariances")[0]


def _joint_eigenvalues(weights: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the eigenvalues of C^(1/2) Ω C^(1/2)."""
    if weights.ndim == covariance.ndim == 1:
        return weights * covariance
    if weights.ndim == 2 and covariance.ndim == 2:
        values, vectors = eigh_psd(weights, "weight_covariances[0]")
        root = vectors * np.sqrt(values)
        inner = root.T @ covariance @ root
    elif weights.ndim == 1:
        inner = np.sqrt(weights)[:, None] * covariance * np.sqrt(weights)
    else:
        inner = np.sqrt(covariance)[:, None] * weights * np.sqrt(covariance)
    return np.maximum(np.linalg.eigvalsh(inner), 0.0)
