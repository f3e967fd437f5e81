"""(G + ridge)⁻¹ b of one symmetric matrix for many ridges.

Few ridges cost a Cholesky factorisation each. Many are cheaper by one reduction to tridiagonal
form, a third of an eigendecomposition, after which each takes no time. Where a ridge is below the
rounding of the matrix, and so are some directions, these must go: the tridiagonal form itself is
decomposed.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from scipy.linalg import lapack

from sk_deepfeat.theory.one_sample.factorization import SPECTRUM_CUT
from sk_deepfeat.theory.validation import FloatArray

# A reduction to tridiagonal form takes as long as so many Cholesky factorisations.
MOST_CHOLESKY = 6


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
    if ridge.size <= MOST_CHOLESKY or len(gram) == 1:
        return _cholesky(gram, right, ridge)
    return _tridiagonal(gram, right, ridge)


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
    lowest = scipy.linalg.eigvalsh_tridiagonal(
        diagonal, beside, select="i", select_range=(0, 0), check_finite=False, lapack_driver="stebz"
    )
    widths = np.append(np.abs(beside), 0.0) + np.append(0.0, np.abs(beside))
    highest = float(np.max(np.abs(diagonal) + widths))  # by Gershgorin
    safe = ridge + max(float(lowest[0]), 0.0) > SPECTRUM_CUT * highest
    solutions = np.full((len(gram), ridge.size, right.shape[1]), np.nan)
    for k in np.flatnonzero(safe):
        *_, found, failed = lapack.dptsv(diagonal + ridge[k], beside, along)
        if not failed:
            solutions[:, k] = found
    if not np.all(safe):
        solutions[:, ~safe] = _without_rounding(diagonal, beside, along, ridge[~safe])
    flat = solutions.reshape(len(gram), -1)
    return rotated(False, flat).reshape(solutions.shape).transpose(1, 0, 2)


def _without_rounding(
    diagonal: FloatArray, beside: FloatArray, right: FloatArray, ridge: FloatArray
) -> FloatArray:
    """Solve with a tridiagonal matrix on the directions that are no rounding, shape (m, A, t)."""
    values, vectors = scipy.linalg.eigh_tridiagonal(diagonal, beside, check_finite=False)
    kept = values > max(SPECTRUM_CUT * float(values[-1]), 0.0)
    values, vectors = values[kept], vectors[:, kept]
    components = (vectors.T @ right)[:, None] / (values[:, None] + ridge)[..., None]
    found = vectors @ components.reshape(len(values), -1)
    return np.asarray(found.reshape(len(vectors), ridge.size, right.shape[1]))
