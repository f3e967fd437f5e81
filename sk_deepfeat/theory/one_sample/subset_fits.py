"""Ridge on some rows of a training set, at several alphas.

Few alphas cost a Cholesky factorisation each of the smaller Gram matrix; many are cheaper by one
eigendecomposition, which also answers where alpha is below the rounding of that matrix. Where the
training set itself had to be decomposed from its rows, so are its subsets.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.factorization import SPECTRUM_CUT, RidgeFactorization
from sk_deepfeat.theory.validation import FloatArray

# An eigendecomposition takes as long as so many Cholesky factorisations.
MOST_CHOLESKY = 8


class Buffers:
    """Memory that the subsets of one size share: fresh pages take as long as the products."""

    def __init__(self, most_rows: int, n_features: int) -> None:
        small = min(most_rows, n_features)
        self._features = np.empty((most_rows, n_features))
        self._gram, self._work = np.empty(small * small), np.empty(small * small)

    def features(self, n_rows: int) -> FloatArray:
        """Return room for the features of some rows."""
        return self._features[:n_rows]

    def squares(self, size: int) -> tuple[FloatArray, FloatArray]:
        """Return room for a Gram matrix and a copy of it."""
        part = slice(size * size)
        return self._gram[part].reshape(size, size), self._work[part].reshape(size, size)


def ridge_on_rows(
    factorization: RidgeFactorization, rows: NDArray[np.intp], alphas: FloatArray, buffers: Buffers
) -> tuple[FloatArray, FloatArray]:
    """Return coefficients and intercepts of ridge on some rows.

    The rows of a factorization are √w φ, centred by all rows. Those of a subset F are centred
    again, which takes the projection on √w from them: FᵀF loses w̄ m mᵀ, where m is their weighted
    mean, w̄ the sum of weights; nothing cancels, since m is small beside the rows.

    Parameters
    ----------
    factorization : RidgeFactorization
        The training set.
    rows : ndarray of int of shape (n,)
        Which rows.
    alphas : ndarray of shape (A,)
        Positive, for weights of mean one within the subset.
    buffers : Buffers
        For at least so many rows.

    Returns
    -------
    coefs, intercepts : ndarray of shape (A, p, t), (A, t)
        NaN where alpha is below the rounding of the Gram matrix, with few alphas.
    """
    features = buffers.features(rows.size)
    factorization.features.take(rows, features)
    targets, ridge = factorization.targets[rows], alphas * factorization.weights[rows].mean()
    centre = _Centre(factorization, rows, features) if factorization.fit_intercept else None
    if centre is not None:
        targets = targets - np.outer(centre.root, centre.mean_of(targets))
    if not factorization.gram_is_enough:
        coefs = _from_rows(features, targets, ridge, centre)
    else:
        coefs = _from_gram(features, targets, ridge, centre, buffers)
    if centre is None:
        return coefs, np.zeros((alphas.size, targets.shape[1]))
    return coefs, centre.mean_of(factorization.targets[rows]) - centre.feature_mean @ coefs


class _Centre:
    """Weighted means of a subset, whose rows and targets are multiplied by √w."""

    def __init__(
        self, factorization: RidgeFactorization, rows: NDArray[np.intp], features: FloatArray
    ) -> None:
        self.root = np.sqrt(factorization.weights[rows])
        self.feature_mean = self.mean_of(features)

    def mean_of(self, values: FloatArray) -> FloatArray:
        return np.asarray(self.root @ values / (self.root @ self.root))

    def take_from(self, gram: FloatArray, features: FloatArray, primal: bool) -> None:
        """Centre a Gram matrix in place: the triangle that LAPACK reads of its transpose."""
        mean, weight = self.feature_mean, self.root @ self.root
        if primal:
            scipy.linalg.blas.dsyr(-weight, mean, a=gram.T, overwrite_a=1)
        else:
            along = features @ mean - 0.5 * (mean @ mean) * self.root
            scipy.linalg.blas.dsyr2(-1.0, self.root, along, a=gram.T, overwrite_a=1)


def _from_gram(
    features: FloatArray,
    targets: FloatArray,
    ridge: FloatArray,
    centre: _Centre | None,
    buffers: Buffers,
) -> FloatArray:
    """Solve through the smaller Gram matrix; rows are not centred yet, targets are."""
    primal = features.shape[0] > features.shape[1]
    gram, work = buffers.squares(min(features.shape))
    pair = (features.T, features) if primal else (features, features.T)
    np.matmul(*pair, out=gram)
    if centre is not None:
        centre.take_from(gram, features, primal)
    right = features.T @ targets if primal else targets
    solve = _cholesky if ridge.size <= MOST_CHOLESKY else _eigenvectors
    solution = solve(gram, work, right, ridge)  # (A, min(n, p), t)
    if primal:
        return solution
    if centre is not None:
        means = np.einsum("i,ait->at", centre.root, solution) / (centre.root @ centre.root)
        solution -= centre.root[:, None] * means[:, None, :]
    return np.matmul(features.T, solution)


def _cholesky(
    gram: FloatArray, work: FloatArray, right: FloatArray, ridge: FloatArray
) -> FloatArray:
    """Return (G + ridge)⁻¹ right for each ridge, NaN where rounding forbids it."""
    diagonal = np.diagonal(gram).copy()
    solutions = np.full((ridge.size, *right.shape), np.nan)
    for k, value in enumerate(ridge):
        np.copyto(work, gram)
        np.fill_diagonal(work, diagonal + value)
        # The transpose is in LAPACK's order, so that the factor takes the place of the matrix.
        factor, failed = scipy.linalg.lapack.dpotrf(work.T, lower=False, clean=False, overwrite_a=1)
        if not failed:
            solutions[k] = scipy.linalg.lapack.dpotrs(factor, right, lower=False)[0]
    return solutions


def _eigenvectors(
    gram: FloatArray, work: FloatArray, right: FloatArray, ridge: FloatArray
) -> FloatArray:
    """Return (G + ridge)⁻¹ right for each ridge, on the directions that are no rounding."""
    values, vectors = scipy.linalg.eigh(
        gram.T, lower=False, overwrite_a=True, check_finite=False, driver="evd"
    )
    kept = values > max(SPECTRUM_CUT * float(values[-1]), 0.0)
    vectors, values = vectors[:, kept], values[kept]
    components = vectors.T @ right
    return np.stack([vectors @ (components / (values + a)[:, None]) for a in ridge])


def _from_rows(
    features: FloatArray, targets: FloatArray, ridge: FloatArray, centre: _Centre | None
) -> FloatArray:
    """Solve through the singular values of the rows, whose Gram matrix would lose too many."""
    if centre is not None:
        features = features - np.outer(centre.root, centre.feature_mean)
    left, singular, right = scipy.linalg.svd(features, full_matrices=False, check_finite=False)
    cut = max(features.shape) * float(np.finfo(float).eps) * float(singular[0])
    kept = singular > cut
    left, singular, right = left[:, kept], singular[kept], right[kept]
    components = left.T @ targets
    return np.stack([right.T @ (components / (singular + a / singular)[:, None]) for a in ridge])
