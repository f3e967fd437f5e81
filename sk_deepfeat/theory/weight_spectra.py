"""Spectra of the covariances of random weights that a single number stands for."""

from __future__ import annotations

import numpy as np

from sk_deepfeat.theory.validation import FloatArray


def power_law_spectrum(exponent: float, fan_in: int, name: str) -> FloatArray:
    """Return k^-exponent / Σ_j j^-exponent for k = 1 … fan_in, whatever the exponent.

    Parameters
    ----------
    exponent : float
        Finite; 0 is the identity divided by `fan_in`.
    fan_in : int
        Inputs of the layer.
    name : str
        Of the argument, for messages.

    Returns
    -------
    ndarray of shape (fan_in,)

    Raises
    ------
    ValueError
        If the exponent is not finite.
    """
    if not np.isfinite(exponent):
        raise ValueError(f"{name} is {exponent!r}, but an exponent must be finite.")
    logarithms = -exponent * np.log(np.arange(1.0, fan_in + 1.0))
    spectrum = np.exp(logarithms - logarithms.max())
    return np.asarray(spectrum / spectrum.sum())
