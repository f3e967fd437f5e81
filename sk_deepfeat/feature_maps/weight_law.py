"""Draw the weights of one random layer: rows from N(0, C)."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from sk_deepfeat.theory.matrices import check_lowest_eigenvalue
from sk_deepfeat.theory.validation import FloatArray, real_array
from sk_deepfeat.theory.weight_spectra import power_law_spectrum

_REMEDY = (
    "give None, a symmetric positive semi-definite array of shape (fan_in, fan_in), its diagonal "
    "of shape (fan_in,), an exponent g for the spectrum k^-g, or a callable of the list of earlier "
    "weights"
)


def split_by_layer(weight_covariance: Any, depth: int) -> list[Any]:
    """Return one entry of `weight_covariance` per layer.

    Parameters
    ----------
    weight_covariance : object
        A list or tuple has one entry per layer; anything else serves every layer.
    depth : int
        Number of layers.

    Returns
    -------
    list of length depth

    Raises
    ------
    ValueError
        If a list has another length than `depth`.
    """
    if not isinstance(weight_covariance, list | tuple):
        return [weight_covariance] * depth
    if len(weight_covariance) != depth:
        raise ValueError(
            f"weight_covariance is a list of {len(weight_covariance)} entries, but "
            f"hidden_layer_sizes describes {depth} layers; give one entry per layer."
        )
    return list(weight_covariance)


def draw_layers(
    rng: np.random.RandomState, sizes: Sequence[int], fan_in: int, weight_covariance: Any
) -> list[FloatArray]:
    """Return the weights of every layer, drawn by `draw_weights`.

    Parameters
    ----------
    rng : numpy.random.RandomState
        Source of the weights.
    sizes : sequence of int
        Units of each layer.
    fan_in : int
        Inputs of the first.
    weight_covariance : object
        As of `split_by_layer`.

    Returns
    -------
    list of ndarray of shape (units, fan_in), float64

    Raises
    ------
    ValueError, TypeError
        As `split_by_layer` and `draw_weights`.
    """
    weights: list[FloatArray] = []
    for size, covariance in zip(sizes, split_by_layer(weight_covariance, len(sizes)), strict=True):
        weights.append(draw_weights(rng, (size, fan_in), covariance, weights))
        fan_in = size
    return weights


def draw_weights(
    rng: np.random.RandomState,
    shape: tuple[int, int],
    covariance: Any,
    earlier: Sequence[FloatArray],
) -> FloatArray:
    """Return a weight matrix whose rows are independent N(0, C).

    W = Z C^(1/2), with Z of independent standard normal entries and the symmetric square root.

    Parameters
    ----------
    rng : numpy.random.RandomState
        Source of Z.
    shape : (int, int)
        (number of units, fan_in).
    covariance : None, array, float or callable
        C, with None for the identity divided by fan_in; see `RandomDeepFeatures`.
    earlier : sequence of ndarray
        Weights of the earlier layers, for a callable.

    Returns
    -------
    ndarray of shape `shape`, float64

    Raises
    ------
    ValueError, TypeError
        If `covariance` does not describe a covariance of this layer; the message says why.
    """
    layer, fan_in = len(earlier), shape[1]
    if callable(covariance) and not isinstance(covariance, type):
        covariance = covariance(list(earlier))
    # The root is found first, so that a wrong covariance is refused before any drawing.
    root = _square_root(covariance, fan_in, f"weight_covariance of layer {layer}")
    weights = rng.standard_normal(shape)
    if root.ndim == 2:
        return weights @ root
    weights *= root
    return weights


def _square_root(covariance: Any, fan_in: int, name: str) -> FloatArray:
    """Return C^(1/2): a matrix, or a 1-d diagonal (of length 1 for a multiple of I)."""
    if covariance is None:
        return np.array([fan_in**-0.5])
    if isinstance(covariance, bool | str | bytes | type | np.timedelta64):
        raise TypeError(f"{name} is {covariance!r}; {_REMEDY}.")
    if isinstance(covariance, Real):
        exponent: Any = covariance
        return np.sqrt(power_law_spectrum(float(real_array(exponent, name)), fan_in, name))
    array = np.asarray(covariance)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be numeric; got {covariance!r}. Remedy: {_REMEDY}.")
    if array.shape not in {(fan_in,), (fan_in, fan_in)}:
        raise ValueError(
            f"{name} has shape {array.shape}, but the layer has fan_in={fan_in} inputs: the shape "
            f"must be ({fan_in}, {fan_in}), or ({fan_in},) for a diagonal."
        )
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite; got NaN or infinity. Remedy: {_REMEDY}.")
    # A covariance computed in single precision is only so symmetric and so definite.
    eps = np.finfo(array.dtype if array.dtype.kind == "f" else np.float64).eps
    tolerance = 10 * eps * fan_in
    values = array.astype(np.float64)
    if values.ndim == 1:
        return np.sqrt(_not_negative(values, tolerance, name))
    asymmetry = np.abs(values - values.T).max()
    if asymmetry > tolerance * np.abs(values).max():
        raise ValueError(
            f"{name} must be symmetric; entries differ from their mirror images by up to "
            f"{asymmetry:.3g}. Give (C + C.T) / 2 if that is what is meant."
        )
    eigenvalues, vectors = np.linalg.eigh((values + values.T) / 2)
    roots = np.sqrt(_not_negative(eigenvalues, tolerance, name))
    # The symmetric root does not depend on the signs and bases that eigh chooses.
    return (vectors * roots) @ vectors.T


def _not_negative(spectrum: FloatArray, tolerance: float, name: str) -> FloatArray:
    check_lowest_eigenvalue(spectrum.min(), tolerance * np.abs(spectrum).max(), name)
    return np.maximum(spectrum, 0.0)
