"""Numbers as a reader expects them."""

from __future__ import annotations

import numpy as np


def number(value: float) -> str:
    """Return three digits, without an exponent where that stays short: 0.0123, 3,330, 1.2e-09."""
    if not np.isfinite(value) or (value != 0 and not 1e-4 <= abs(value) < 1e9):
        return f"{value:.3g}"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"
