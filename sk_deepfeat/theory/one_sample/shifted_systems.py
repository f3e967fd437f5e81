"""(G + ridge)⁻¹ b of one symmetric matrix for many ridges.

Few ridges cost a Cholesky factorisation each. Many are cheaper by one reduction to tridiagonal
form, a third of an eigendecomposition, after which each takes no time. An eigendecomposition itself
is needed where a ridge is below the rounding of the matrix: directions of rounding must go.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from scipy.linalg import lapack

from sk_deepfeat.theory.one_sample.factorization import SPECTRUM_CUT
from sk_deepfeat.theory.validation import FloatArray

# A reduction to tridiagonal form takes as long as so many Cholesky factorisations.
MOST_CHOLESKY = 4
# In units of the trace: below it, what rounding adds to a direction may be more than what is there.
_LOWEST_RIDGE = 1e-10


def solve_shifted(gram: FloatArray, right: FloatArray, ridge: FloatArray) -> FloatArray:
    """Return (G + ridge)⁻¹ right for each ridge.

    Parameters
    ----------
    gram : ndarray of shape (m, m)
        The lower triangle of G, in Fortran's order; it is overwritten.
    right : ndarray of shape (m, t)
        b.
    ridge : ndarray of shape (A,)
        Positive.

    Returns
    -------
    ndarray of shape (A, m, t)
        NaN where rounding forbids it, with few ridges.
    """
    if ridge.size <= MOST_CHOLESKY:
        return _cholesky(gram, right, ridge)
    if ridge.min() > _LOWEST_RIDGE * np.trace(gram) and len(gram) > 1:
        return _tridiagonal(gram, right, ridge)
    return _eigenvectors(gram, right, ridge)


def _cholesky(gram: FloatArray, right: FloatArray, ridge: FloatArray) -> FloatArray:
    diagonal = np.diagonal(gram).copy()
    room = np.empty_like(gram) if ridge.size > 1 else gram
    solutions = np.full((ridge.size, *right.shape), np.nan)
    for k, value in enumerate(ridge):
        if room is not gram:
            np.copyto(room, gram)
        np.fill_diagonal(room, diagonal + value)
        factor, failed = lapack.dpotrf(room, lower=True, clean=False, overwrite_a=True)
        if not failed:
            solutions[k] = lapack.dpotrs(factor, right, lower=True)[0]
    return solutions


def _tridiagonal(gram: FloatArray, right: FloatArray, ridge: FloatArray) -> FloatArray:
    """Solve through G = QTQᵀ; Q leaves the first coordinate as it is."""
    room = int(lapack.dsytrd_lwork(len(gram), lower=True)[0])
    reduced, diagonal, beside, scale, _ = lapack.dsytrd(
        gram, lower=True, lwork=room, overwrite_a=True
    )
    reflectors = np.asfortranarray(reduced[1:, :-1])

    def rotated(transposed: bool, values: FloatArray) -> FloatArray:
        below = np.asfortranarray(values[1:])
        which = "T" if transposed else "N"
        work = int(lapack.dormqr("L", which, reflectors, scale, below, -1)[1][0])
        below = lapack.dormqr("L", which, reflectors, scale, below, work, overwrite_c=True)[0]
        return np.concatenate([values[:1], below])

    along = rotated(True, right)
    solutions = np.full((len(gram), ridge.size, right.shape[1]), np.nan)
    for k, value in enumerate(ridge):
        *_, found, failed = lapack.dptsv(diagonal + value, beside, along)
        if not failed:
            solutions[:, k] = found
    flat = solutions.reshape(len(gram), -1)
    return rotated(False, flat).reshape(solutions.shape).transpose(1, 0, 2)


def _eigenvectors(gram: FloatArray, right: FloatArray, ridge: FloatArray) -> FloatArray:
    """Solve on the directions that are no rounding."""
    values, vectors = scipy.linalg.eigh(gram, overwrite_a=True, check_finite=False, driver="evd")
    kept = values > max(SPECTRUM_CUT * float(values[-1]), 0.0)
    vectors, values = vectors[:, kept], values[kept]
    components = vectors.T @ right
    return np.stack([vectors @ (components / (values + a)[:, None]) for a in ridge])
