"""Numbers as a reader expects them."""

from __future__ import annotations

from typing import Any

import numpy as np

_NEAR_ONE = 0.95
_MOST_DECIMALS = 8


def number(value: float) -> str:
    """Return three digits, without an exponent where that stays short: 0.0123, 3,330, 1.2e-09."""
    if not np.isfinite(value) or (value != 0 and not 1e-4 <= abs(value) < 1e9):
        return f"{value:.3g}"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def numbers(values: Any) -> str:
    """Return one number, or the median and the range of several: 3.2 (0.07 to 12.3)."""
    found = np.ravel(values)
    if np.any(np.isnan(found)):
        return "unknown"
    low, middle, high = (number(float(v)) for v in (found.min(), np.median(found), found.max()))
    return low if low == high else f"{middle} ({low} to {high})"


def share(value: float) -> str:
    """Return an R² with as many decimals as tell it from one: 0.50, 0.962, 0.99912."""
    if not np.isfinite(value):
        return f"{value:.3g}"
    decimals = 2
    if value > _NEAR_ONE:
        left = max(1.0 - value, 0.1**_MOST_DECIMALS)
        decimals = min(int(-np.log10(left)) + 2, _MOST_DECIMALS)
    return f"{value + 0.0:.{decimals}f}".replace("-", "\N{MINUS SIGN}")
