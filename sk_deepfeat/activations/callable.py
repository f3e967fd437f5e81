"""A user's own function as an activation."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.plugins import missing_members, resolve


class CallableActivation:
    """Wrap a vectorised function f(x) so that it keeps the activation contract.

    Parameters
    ----------
    function : callable
        Maps an array to an array of the same shape, entry by entry.

    Raises
    ------
    TypeError
        If `function` cannot be called.
    ValueError
        When called, if `function` changes the shape.
    """

    def __init__(self, function: Any) -> None:
        if not callable(function):
            raise TypeError(f"function={function!r} must be a function of an array.")
        self.function = function

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return f(x), in `out` when it is given."""
        x = np.asarray(x)
        value = np.asarray(self.function(x))
        if value.shape != x.shape:
            raise ValueError(
                f"activation={self.function!r} must keep the shape of its input: it made "
                f"{value.shape} from {x.shape}."
            )
        if out is None:
            return value.astype(x.dtype, copy=False) if x.dtype.kind == "f" else value
        np.copyto(out, value, casting="same_kind")
        return out

    def derivative(self, x: Any) -> Any:
        """Return the central difference (f(x + h) - f(x - h)) / 2h, ``h = 6e-6 max(1, |x|)``."""
        x = np.asarray(x, dtype=np.float64)
        step = 6e-6 * np.maximum(1.0, np.abs(x))
        return (self.function(x + step) - self.function(x - step)) / (2.0 * step)

    def __repr__(self) -> str:
        return f"CallableActivation({self.function!r})"


def as_activation(value: Any) -> Any:
    """Return an activation object from a name, an activation object or a plain function.

    Parameters
    ----------
    value : str, activation object or callable
        What a user gave as ``activation``.

    Returns
    -------
    object
        Keeps `sk_deepfeat.plugins.Activation`.

    Raises
    ------
    ValueError
        If a name is unknown.
    TypeError
        If `value` is neither a name nor callable.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.activations import as_activation
    >>> as_activation("relu")(np.array([-1.0, 2.0]))
    array([0., 2.])
    >>> as_activation(np.square)(np.array([-1.0, 2.0]))
    array([1., 4.])
    """
    found = resolve("activations", value)
    if isinstance(found, type) or not callable(found):
        raise TypeError(
            f"activation={value!r} must be the name of an activation, an activation object or a "
            "function of an array."
        )
    return CallableActivation(found) if missing_members("activations", found) else found
