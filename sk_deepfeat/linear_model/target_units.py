"""Whether a fitted transformer of targets is linear, and which units it gives them."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from sk_deepfeat.theory.validation import FloatArray

# Where an inverse is looked at, in transformed units: about nought, and far beyond any target.
_MAGNITUDES = (0.01, 1.0, 30.0, 1000.0)
_FAR = 1024.0
_TOLERANCE = 1e-9
_ROUNDINGS = 256.0  # of an offset that dwarfs the scale


class TargetUnits(NamedTuple):
    """Targets are ``offset + scale * transformed``, each output by itself."""

    scale: FloatArray
    """Shape (t,), not zero."""
    offset: FloatArray
    """Shape (t,)."""


def target_units(transformer: Any, n_outputs: int) -> TargetUnits | None:
    """Return the units of the targets that a fitted transformer turned into its own.

    Its ``inverse_transform`` is tried out: whatever it is called, it must be linear up to an
    offset, leave outputs apart, and have ``transform`` for its inverse.

    Parameters
    ----------
    transformer : transformer
        Fitted, such as ``TransformedTargetRegressor(...).fit(X, y).transformer_``.
    n_outputs : int
        Of the transformed targets.

    Returns
    -------
    TargetUnits or None
        None if it is no such transformer.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return _tried_out(transformer, n_outputs)
        except Exception:  # of users' functions, which need not stand every number
            return None


def _tried_out(transformer: Any, n_outputs: int) -> TargetUnits | None:
    def inverse(points: FloatArray) -> FloatArray:
        found = np.asarray(transformer.inverse_transform(points), dtype=np.float64)
        return found.reshape(len(points), -1)

    offset = inverse(np.zeros((1, n_outputs)))[0]
    axes = _FAR * np.eye(n_outputs)
    slopes = (inverse(axes) - inverse(-axes)) / (2.0 * _FAR)
    if slopes.shape != (n_outputs, n_outputs):
        return None
    scale = np.diag(slopes)
    rng = np.random.default_rng(0)
    points = np.concatenate([size * rng.normal(size=(4, n_outputs)) for size in _MAGNITUDES])
    found = inverse(points)
    linear = points * scale
    rounding = _ROUNDINGS * np.finfo(np.float64).eps * np.abs(offset)
    # Outputs that are mixed, and bends, move what is found by far more than this.
    allowed = rounding + _TOLERANCE * np.abs(linear)
    if not np.all(np.abs(found - (offset + linear)) <= allowed):
        return None
    back = np.asarray(transformer.transform(found), dtype=np.float64).reshape(points.shape)
    if not np.all(np.abs((back - points) * scale) <= 10.0 * allowed):
        return None
    return TargetUnits(scale, offset) if np.all(scale) else None
