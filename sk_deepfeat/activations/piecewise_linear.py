"""relu, leaky relu, identity and sign."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_deepfeat.activations.gated_linear import Gate, GatedLinear


class ReLU(GatedLinear):
    """max(x, 0); the derivative at 0 is 0."""

    torch_name = "ReLU"
    gate = Gate(gain=1.0)

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return max(x, 0)."""
        return np.maximum(x, 0, out=out)

    def derivative(self, x: Any) -> Any:
        """Return 1 where x > 0, else 0."""
        return np.heaviside(x, 0.0)


class LeakyReLU(GatedLinear):
    """x where x > 0, else `slope` * x; the derivative at 0 is `slope`.

    Parameters
    ----------
    slope : float, default=0.01
        In [0, 1]; torch's default is 0.01.
    """

    torch_name = "LeakyReLU"

    def __init__(self, slope: float = 0.01) -> None:
        if not 0.0 <= slope <= 1.0:
            raise ValueError(f"slope={slope!r} must lie in [0, 1].")
        self.slope = slope
        self.gate = Gate(slope=slope, gain=1.0 - slope)

    @property
    def torch_params(self) -> dict[str, float]:
        """Parameters for the torch class."""
        return {"negative_slope": self.slope}

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return max(x, slope * x)."""
        return np.maximum(x, np.multiply(x, self.slope), out=out)

    def derivative(self, x: Any) -> Any:
        """Return 1 where x > 0, else `slope`."""
        return self.slope + (1.0 - self.slope) * np.heaviside(x, 0.0)


class Identity(GatedLinear):
    """The identity, for linear layers."""

    torch_name = "Identity"
    gate = Gate(slope=1.0)

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return x, a copy unless `out` is given."""
        return np.positive(x, out=out)

    def derivative(self, x: Any) -> Any:
        """Return 1 everywhere."""
        return np.ones_like(x, dtype=np.float64)


class Sign(GatedLinear):
    """The sign of x; the derivative is 0 wherever it exists."""

    torch_name = "sign"
    gate = Gate(constant=-1.0, jump=2.0)

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return -1, 0 or 1."""
        if not isinstance(x, np.ndarray) or x.dtype not in (np.float32, np.float64) or not x.ndim:
            return np.sign(x, out=out)
        # x / |x|, ten times faster than np.sign, which branches on every entry. The bounds serve
        # infinities and zeros.
        largest = np.finfo(x.dtype).max
        x = np.clip(x, -largest, largest)
        size = np.abs(x)
        np.maximum(size, np.nextafter(x.dtype.type(0), x.dtype.type(1)), out=size)
        return np.divide(x, size, out=out)

    def derivative(self, x: Any) -> Any:
        """Return 0 everywhere (theory uses E[N f(N)], which sees the jump)."""
        return np.zeros_like(x, dtype=np.float64)


relu = ReLU()
leaky_relu = LeakyReLU()
identity = Identity()
sign = Sign()
