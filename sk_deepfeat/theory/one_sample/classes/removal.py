r"""What would be lost on scores of less noise than they have: two ways to take noise away.

*Transport.* The margins of one class have the covariance Σ, of which N is noise; that of n rows is
N'. The symmetric map that takes Σ to Σ^½ max(1 - Σ^-½(N - N')Σ^-½, floor) Σ^½ moves every margin.
It makes the cloud as narrow as it should be, and takes what noise does to be the same everywhere.

*Simulation and extrapolation* (SIMEX; Cook and Stefanski 1994). Noise of ζ times the excess is
added, and the loss as it changes with ζ is extrapolated to ζ = -1. Of an error ε, it is 1/d² that
is linear in ζ, with the distance d at which K normal clouds of unit variance are confused so often:
ε = ∫φ(z - d)(1 - Φ(z)^(K-1)) dz.

Where the two differ, neither is to be believed; their geometric mean is taken.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from sk_deepfeat.theory.one_sample.classes import tuning
from sk_deepfeat.theory.one_sample.classes.clouds import Cloud, Loss
from sk_deepfeat.theory.one_sample.classes.row_classes import RowClasses
from sk_deepfeat.theory.validation import FloatArray

_NODES, _DISTANCES = 60, np.linspace(-1.0, 12.0, 1301)
_LEAST_ERROR, _SHORTEST, _LEAST_WIDTH = 1e-9, 0.05, 0.5


class Transport:
    """The transport of the margins at one κ, for any noise that is taken away.

    Parameters
    ----------
    cloud : Cloud
        Margins with their noise.
    classes : RowClasses
        Of the rows.
    """

    def __init__(self, cloud: Cloud, classes: RowClasses) -> None:
        self.cloud, self.classes = cloud, classes
        several = np.flatnonzero(classes.counts > 1)
        self._maps = [self._map_of(int(label)) for label in several]

    @property
    def size(self) -> int:
        """How many numbers it holds beside the cloud."""
        return sum(one.moved.size + one.inverse.size for one in self._maps)

    def without(self, excess: float) -> Cloud:
        """Return the margins that the transport of each class makes, without noise.

        Parameters
        ----------
        excess : float
            What multiplies the second moment of the noise to be what is taken away; not negative.
        """
        margins = self.cloud.margins.astype(np.float64)
        for one in self._maps:
            own = margins[:, one.rows]
            margins[:, one.rows] = one.mean + one.at(excess) @ (own - one.mean)
        return Cloud(margins, self.cloud.noise).quiet

    def _map_of(self, label: int) -> _ClassMap:
        """Return the map of one class."""
        cloud, rows = self.cloud, self.classes.number == label
        own = cloud.margins[:, rows].astype(np.float64)
        spread = np.cov(own).reshape(len(own), len(own))
        if cloud.binary:
            second = cloud.noise[0][:, rows].mean(axis=1, dtype=np.float64).reshape(1, 1)
        else:
            draws = np.concatenate(list(cloud.noise[:, :, rows]), axis=1).astype(np.float64)
            second = draws @ draws.T / draws.shape[1]
        values, vectors = np.linalg.eigh(spread)
        kept = values > 1e-10 * max(float(values[-1]), 1e-300)
        root = np.where(kept, np.sqrt(np.where(kept, values, 1.0)), 0.0)
        inverse = np.where(kept, 1.0 / np.where(kept, root, 1.0), 0.0)
        half_inverse = (vectors * inverse) @ vectors.T
        shares, axes = np.linalg.eigh(half_inverse @ second @ half_inverse)
        moved = (vectors * np.square(root)) @ vectors.T @ axes
        return _ClassMap(rows, own.mean(axis=1, keepdims=True), half_inverse, moved, shares)


class _ClassMap(NamedTuple):
    """The symmetric map from normal clouds of covariance Σ to those of Σ less x times S.

    The eigenvectors of Σ^-½ S Σ^-½ are those for every x.
    """

    rows: NDArray[np.bool_]
    mean: FloatArray
    """Of the margins, shape (m, 1)."""
    inverse: FloatArray
    """Σ^-½."""
    moved: FloatArray
    """Σ times the eigenvectors."""
    shares: FloatArray
    """The eigenvalues: of what there is in some direction, what S takes."""

    def at(self, x: float) -> FloatArray:
        """Return the map, Σ^-½ (Σ max(1 - x Σ^-½ S Σ^-½, floor) Σ)^½ Σ^-½."""
        left = np.clip(1.0 - x * self.shares, tuning.LEAST_SPREAD, None)
        values, vectors = np.linalg.eigh((self.moved * left) @ self.moved.T)
        middle = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        return np.asarray(self.inverse @ middle @ self.inverse)


def extrapolated(losses: FloatArray, n_classes: int, loss: Loss) -> FloatArray:
    """Return what losses with noise of ζ times an excess say of ζ = -1.

    Parameters
    ----------
    losses : ndarray of shape (Z, L)
        At ``tuning.SIMEX_STEPS``.
    n_classes : int
        K.
    loss : Loss
        Of which kind they are.

    Returns
    -------
    ndarray of shape (L,)
        NaN where one of the losses is.
    """
    steps = np.array(tuning.SIMEX_STEPS)
    design = np.stack([np.ones_like(steps), steps], axis=1)
    at = np.array([1.0, -1.0]) @ np.linalg.pinv(design)
    if loss.temperature is not None:
        with np.errstate(divide="ignore"):
            return np.exp(at @ np.log(losses))
    inverse = 1.0 / np.square(np.maximum(distance_of(losses, n_classes), _SHORTEST))
    with np.errstate(invalid="ignore", divide="ignore"):
        # Where clouds would be half as wide or less, next to nothing is known of them.
        extrapolated = at @ inverse
        known = extrapolated > _LEAST_WIDTH**2 * inverse[0]
        found = np.where(known, error_of(1.0 / np.sqrt(extrapolated), n_classes), np.nan)
    nothing = (losses <= 0.0).all(axis=0)
    return np.where(nothing, 0.0, found)


def error_of(distance: FloatArray, n_classes: int) -> FloatArray:
    """Return how often K normal clouds at some distance are confused; see the module."""
    table = _log_errors(n_classes)
    return np.exp(np.interp(distance, _DISTANCES, table))


def distance_of(error: FloatArray, n_classes: int) -> FloatArray:
    """Return the distance d of an error, the inverse of `error_of`."""
    table = _log_errors(n_classes)
    with np.errstate(invalid="ignore"):
        found = np.interp(np.log(np.maximum(error, _LEAST_ERROR)), table[::-1], _DISTANCES[::-1])
    return np.where(np.isnan(error), np.nan, found)


@cache
def _log_errors(n_classes: int) -> FloatArray:
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    at = nodes + _DISTANCES[:, None]
    wrong = -np.expm1((n_classes - 1) * log_ndtr(at))
    return np.log(np.maximum(wrong @ (weights / weights.sum()), 1e-300))
