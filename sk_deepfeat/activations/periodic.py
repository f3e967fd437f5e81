"""sin and cos."""

from __future__ import annotations

from typing import Any

import numpy as np


class Sin:
    """The sine."""

    torch_name = "sin"

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return sin(x)."""
        return np.sin(x, out=out)

    def derivative(self, x: Any) -> Any:
        """Return cos(x)."""
        return np.cos(x)


class Cos:
    """The cosine."""

    torch_name = "cos"

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return cos(x)."""
        return np.cos(x, out=out)

    def derivative(self, x: Any) -> Any:
        """Return -sin(x)."""
        return -np.sin(x)


sin = Sin()
cos = Cos()
