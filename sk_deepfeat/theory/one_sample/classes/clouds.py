r"""Clouds of scores of unseen rows along κ, and what is lost on them with more noise.

A margin is the score of another class less that of the row's own, so that a row is misclassified
where its largest margin is positive; of two classes there is one margin, -2yx. With n rows in place
of n₀, at the same κ, scores have the same mean and more or less noise: margins + f·noise, where the
noise of a row is normal with the second moment of its `wild_noise`.

* error: P(largest margin > 0). Of two classes Φ(margin/(f·sd)), exactly; of more, the mean over S
  draws, the same ones for every n and alpha.
* log-loss: of probabilities proportional to exp(score/T), E log(1 + Σ exp(margin/T)); of two
  classes by Gauss-Hermite quadrature.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
from sk_deepfeat.theory.validation import FloatArray

Floats = NDArray[np.float32] | NDArray[np.float64]

_QUADRATURE = 12
_BLOCK_ENTRIES = 250_000


class Cloud(NamedTuple):
    """Margins of n₀ rows at one κ, to m other classes."""

    margins: Floats
    """Shape (m, n₀)."""
    noise: Floats
    """Draws of shape (S, m, n₀); of two classes the variance, shape (1, 1, n₀)."""

    @property
    def binary(self) -> bool:
        """Whether `noise` holds variances."""
        return self.margins.shape[0] == 1

    @property
    def quiet(self) -> Cloud:
        """The same margins without noise."""
        return self._replace(noise=np.zeros((1, *self.margins.shape), self.margins.dtype))


class Loss(NamedTuple):
    """What is lost on a row: an error counts one, or the log-loss at a temperature."""

    temperature: float | None = None
    """None: errors are counted."""

    def of_rows(self, cloud: Cloud, factor: float) -> FloatArray:
        """Return the expected loss of every row, shape (n₀,).

        Parameters
        ----------
        cloud : Cloud
            Margins and noise.
        factor : float
            f², what multiplies the second moment of the noise.
        """
        if factor <= 0.0:
            return self._plain(cloud.margins)
        if cloud.binary:
            deviation = np.sqrt(factor * cloud.noise[0, 0].astype(np.float64))
            margin = cloud.margins[0].astype(np.float64)
            if self.temperature is None:
                with np.errstate(divide="ignore", invalid="ignore"):
                    found = ndtr(margin / deviation)
                return np.where(deviation > 0, found, margin > 0)
            nodes, weights = np.polynomial.hermite_e.hermegauss(_QUADRATURE)
            weights = weights / weights.sum()
            losses = (self._plain((margin + z * deviation)[None]) for z in nodes)
            return np.asarray(sum(w * loss for w, loss in zip(weights, losses, strict=True)))
        draws, others, rows = cloud.noise.shape
        found, step = np.zeros(rows), np.float32(np.sqrt(factor))
        together = max(1, _BLOCK_ENTRIES // (others * rows))
        for start in range(0, draws, together):
            moved = cloud.noise[start : start + together] * step
            moved += cloud.margins
            found += self._plain(moved).sum(axis=0)
        return found / draws

    def _plain(self, margins: Floats) -> FloatArray:
        """Return losses without noise, of margins of shape (..., m, rows)."""
        if self.temperature is None:
            return (_largest(margins) > 0).astype(np.float64)
        scaled = margins.astype(np.float64) / self.temperature
        top = np.maximum(_largest(scaled), 0.0)
        scaled -= top[..., None, :]
        return np.asarray(top + np.log(np.exp(-top) + np.exp(scaled, out=scaled).sum(axis=-2)))


class CloudsAlongKappa(NamedTuple):
    """Clouds at G values of κ, between which they are interpolated."""

    kappa: FloatArray
    """Ascending, shape (G,)."""
    ridge: FloatArray
    """The ridges on the n₀ rows that give them, shape (G,)."""
    margins: Floats
    """Shape (G, m, n₀)."""
    noise: Floats
    """Shape (G, S, m, n₀)."""
    scale: FloatArray
    """Second moment of the noise of scores, the mean over rows of its sum over codes, (G,)."""
    classes: RowClasses

    def at(self, kappa: float) -> Cloud:
        """Return the cloud at some κ, linear in log κ; that of the nearest one beyond the ends."""
        x, at = np.log(self.kappa), float(np.log(kappa))
        high = int(np.clip(np.searchsorted(x, at), 1, max(x.size - 1, 1)))
        if x.size == 1 or at <= x[high - 1]:
            low = high - 1
            return Cloud(self.margins[low], self.noise[low])
        if at >= x[high]:
            return Cloud(self.margins[high], self.noise[high])
        share = np.float32((at - x[high - 1]) / (x[high] - x[high - 1]))
        parts = (self.margins, self.noise)
        return Cloud(*((1 - share) * p[high - 1] + share * p[high] for p in parts))

    def scale_at(self, kappa: FloatArray) -> FloatArray:
        """Return `scale` at some κ, linear in the logarithms."""
        x = np.log(self.kappa)
        return np.exp(np.interp(np.log(kappa), x, np.log(np.maximum(self.scale, 1e-300))))


def margins_of(scores: Floats, classes: RowClasses) -> NDArray[np.float32]:
    """Return margins of scores or of their noise, shape (..., m, rows).

    Parameters
    ----------
    scores : ndarray of shape (rows, ..., t)
        One column for each code.
    classes : RowClasses
        Of those rows.
    """
    if classes.n_outputs == 1:
        sign = np.where(classes.number == 1, -2.0, 2.0)
        found: Any = (scores.T * sign).T
    else:
        number = classes.number.reshape(-1, *(1,) * (scores.ndim - 1))
        others = (number + np.arange(1, classes.n_classes)) % classes.n_classes
        own: Any = np.take_along_axis(scores, number, axis=-1)
        found = np.take_along_axis(scores, others, axis=-1) - own
    return np.ascontiguousarray(np.moveaxis(found, 0, -1), dtype=np.float32)


def _largest(margins: Floats) -> Floats:
    """Return the largest margin of each row, of shape (..., m, rows); numpy's own is slow here."""
    found = margins[..., 0, :]
    for k in range(1, margins.shape[-2]):
        found = np.maximum(found, margins[..., k, :])
    return found
