"""Tails of positive numbers: a power law, by Hill's estimator, or a few that stand apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from sk_deepfeat.theory.one_sample import tuning
from sk_deepfeat.theory.validation import FloatArray


class Tail(NamedTuple):
    """The largest of some positive numbers."""

    inverse_index: float
    """Mean log of the largest tenth over the next: 1/a, if P(value > x) falls as x^-a."""
    standard_error: float
    """Of `inverse_index`."""

    @property
    def exponent(self) -> float:
        """Hill's estimate of a."""
        return 1.0 / max(self.inverse_index, 1e-300)

    @property
    def exponent_error(self) -> float:
        """Its standard error."""
        return self.exponent * self.standard_error / max(self.inverse_index, 1e-300)


def hill_tail(values: FloatArray) -> Tail:
    """Return Hill's estimate from the largest tenth of some positive numbers.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Positive; zeros are taken for the smallest positive number.

    Returns
    -------
    Tail

    Examples
    --------
    >>> import numpy as np
    >>> from sk_deepfeat.theory.one_sample.tails import hill_tail
    >>> pareto = np.random.default_rng(0).pareto(3.0, size=10_000) + 1.0
    >>> tail = hill_tail(pareto)
    >>> round(tail.exponent, 1), round(tail.exponent_error, 1)
    (3.0, 0.1)
    """
    count = max(int(tuning.TAIL_SHARE * values.size), 1)
    logs = np.sort(np.log(np.maximum(values, np.finfo(float).tiny)))[::-1]
    mean = float(np.mean(logs[:count] - logs[count]))
    return Tail(mean, mean / count**0.5)


def chi_tail(freedom: float, n: int) -> Tail:
    """Return the tail of n numbers of the chi distribution, at their quantiles."""
    count = max(int(tuning.TAIL_SHARE * n), 1)
    largest = 0.5 * np.log(chdtri(freedom, (np.arange(count + 1) + 0.5) / n))
    mean = float(np.mean(largest[:-1] - largest[-1]))
    return Tail(mean, mean / count**0.5)


def standing_apart(values: FloatArray) -> NDArray[np.intp]:
    """Return which of some positive numbers stand apart above the others, the largest first.

    Of a power law, spacings of the logs of the largest numbers, times their rank, are independent
    exponentials of mean 1/a. One that is far larger than the mean of those below is none of them.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Positive.

    Returns
    -------
    ndarray of int
        Empty if there is no gap.
    """
    logs = np.log(np.maximum(values, np.finfo(float).tiny))
    order = np.argsort(-logs, kind="stable")
    logs = logs[order]
    most = max(int(tuning.OUTSIZE_SHARE * logs.size), 1)
    below = max(int(tuning.TAIL_SHARE * logs.size), 10)
    # An exponential over the mean of k others passes t with probability (1 + t/k)^-k.
    bound = below * np.expm1(tuning.OUTSIZE_SPACINGS / below)
    gaps = logs[:-1] - logs[1:]
    spacings = np.arange(1, logs.size) * gaps
    count = 0
    for m in np.flatnonzero(gaps[:most] > np.log(tuning.OUTSIZE_GAP)) + 1:
        usual = spacings[m : m + below].mean() if m < spacings.size else np.inf
        if spacings[m - 1] > bound * usual:
            count = int(m)
    return order[:count]
