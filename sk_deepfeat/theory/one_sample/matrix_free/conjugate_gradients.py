r"""Ridge coefficients by conjugate gradients, preconditioned by a sample's leading directions.

(FᵀF + a) w = Fᵀy for several outputs side by side. With r directions V and eigenvalues λ of a
sample, scaled to all rows, the preconditioner is V (λ_r + a)/(Λ + a) Vᵀ + 1 - V Vᵀ, which leaves
about the condition number of what the sample does not show. A solution is right to ‖residual‖/a in
any case, whatever the spectrum is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.progress import Stage, stage
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.matrix_free.folded_products import Rows
from sk_deepfeat.theory.validation import FloatArray

_MOST_DIRECTIONS, _MOST_ENTRIES = 256, 30_000_000
_MOST_STEPS, _TOLERANCE, _RESTARTS = 2000, 1e-6, 5


class Directions(NamedTuple):
    """Leading directions of the features."""

    vectors: FloatArray
    """Orthonormal, shape (n_features, r)."""
    eigenvalues: FloatArray
    """Of the Gram matrix, ascending, shape (r,)."""

    def precondition(self, residual: FloatArray, ridge: float) -> FloatArray:
        """Return the preconditioner times some columns."""
        if not self.eigenvalues.size:
            return residual.copy()
        along = self.vectors.T @ residual
        factor = (self.eigenvalues[0] + ridge) / (self.eigenvalues + ridge) - 1.0
        return np.asarray(residual + self.vectors @ (factor[:, None] * along))


def leading_directions(sample: RidgeFactorization, n_rows: int) -> Directions:
    """Return the directions of a sample, scaled to the training set.

    Parameters
    ----------
    sample : RidgeFactorization
        Of some of the rows.
    n_rows : int
        Of the training set.
    """
    rank = min(sample.eigenvalues.size, _MOST_DIRECTIONS, _MOST_ENTRIES // sample.n_features)
    values = sample.eigenvalues[sample.eigenvalues.size - rank :]
    left = sample.left_vectors(slice(None))[:, sample.eigenvalues.size - rank :]
    vectors = sample.features.transposed_times(left / np.sqrt(values))
    return Directions(np.linalg.qr(vectors)[0], values * (n_rows / sample.n_rows))


class Solution(NamedTuple):
    """Coefficients, shape (n_features, t), and how far off they are at most."""

    coefs: FloatArray
    relative_error: float
    """Bound of the error in units of the coefficients' norm, the largest over outputs."""

    @property
    def converged(self) -> bool:
        """Whether the bound is what was asked for."""
        return self.relative_error <= _TOLERANCE


def solve_ridge(rows: Rows, targets: FloatArray, ridge: float, directions: Directions) -> Solution:
    """Solve for the coefficients of all outputs.

    Parameters
    ----------
    rows : CentredRows or its like
        F.
    targets : ndarray of shape (n_rows, t)
        Likewise weighted and centred.
    ridge : float
        Positive, for weights of mean one.
    directions : Directions
        For the preconditioner.
    """
    cross = rows.transposed_times(targets)
    coefs = np.zeros_like(cross)
    bound, steps = np.inf, 0
    with stage("conjugate gradients") as told:
        for _ in range(_RESTARTS):  # what recursion makes of residuals drifts from what they are
            residual = cross - _gram_times(rows, coefs, ridge) if steps else cross.copy()
            bound = _bound(residual, coefs, ridge)
            if bound <= _TOLERANCE or steps >= _MOST_STEPS:
                break
            steps += _iterate(rows, coefs, residual, ridge, directions, _MOST_STEPS - steps, told)
        else:
            bound = _bound(cross - _gram_times(rows, coefs, ridge), coefs, ridge)
    return Solution(coefs, bound)


def _bound(residual: FloatArray, coefs: FloatArray, ridge: float) -> float:
    # Norms of what ridge · coefs should be: coefs alone may be too small to be squared.
    norms, lengths = np.linalg.norm(residual, axis=0), np.linalg.norm(ridge * coefs, axis=0)
    limits = np.where(norms > 0, np.inf, 0.0)
    return float(np.max(np.divide(norms, lengths, out=limits, where=lengths > 0), initial=0.0))


def _gram_times(rows: Rows, coefs: FloatArray, ridge: float) -> FloatArray:
    product = rows.transposed_times(rows.times(coefs))
    return np.asarray(product + ridge * coefs)


def _iterate(
    rows: Rows,
    coefs: FloatArray,
    residual: FloatArray,
    ridge: float,
    directions: Directions,
    most_steps: int,
    told: Stage,
) -> int:
    """Iterate from a residual, changing both in place, and return the number of steps."""
    scaled = directions.precondition(residual, ridge)
    direction, product = scaled, (residual * scaled).sum(axis=0)
    for step in range(most_steps):
        moved = _gram_times(rows, direction, ridge)
        told.advance()
        curvature = (direction * moved).sum(axis=0)
        length = np.divide(product, curvature, out=np.zeros_like(product), where=curvature > 0)
        coefs += length * direction
        residual -= length * moved
        if _bound(residual, coefs, ridge) <= 0.5 * _TOLERANCE:
            return step + 1
        scaled = directions.precondition(residual, ridge)
        before, product = product, (residual * scaled).sum(axis=0)
        growth = np.divide(product, before, out=np.zeros_like(product), where=before > 0)
        direction = scaled + growth * direction
    return most_steps
