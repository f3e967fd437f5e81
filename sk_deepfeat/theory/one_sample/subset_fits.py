"""Ridge on some rows of a training set, at several alphas, by the cheapest way to a Gram matrix.

What the factorisation has is used again. Where features are no fewer than rows, the products FFᵀ of
all rows hold those of any of them, and coefficients are never needed: a fit is told by its weights
of the rows. Else two random halves have their Gram matrices from the pass that made that of all
rows, that of most rows is what is left without the others, and small subsets take the smaller one.
Where the training set itself had to be decomposed from its rows, so are its subsets.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from sk_deepfeat.theory.one_sample.centred_rows import add_products
from sk_deepfeat.theory.one_sample.factorization import RidgeFactorization
from sk_deepfeat.theory.one_sample.shifted_systems import solve_shifted
from sk_deepfeat.theory.one_sample.subset_costs import by_weights
from sk_deepfeat.theory.threads import scipy_product
from sk_deepfeat.theory.validation import FloatArray

_Rows = NDArray[np.intp]


class SubsetFit(NamedTuple):
    """One subset at A alphas, for t outputs."""

    numbers: FloatArray
    """Coefficients, or weights, shape (A, d, t) or (A, n, t) for n rows in the subset."""
    intercept: FloatArray
    """Shape (A, t)."""
    rows: FloatArray | _Rows | None = None
    """With weights: what products with the subset's rows come from, (p, n), or their numbers."""

    def predictions(self, basis: Any) -> FloatArray:
        """Return F w of rows of a `SubsetFits.basis`, without the intercept, (rows, A·t)."""
        if self.rows is not None:
            basis = basis[:, self.rows] if self.rows.ndim == 1 else basis @ self.rows
        return np.asarray(basis @ self.numbers.transpose(1, 0, 2).reshape(basis.shape[1], -1))


class SubsetFits:
    """Ridge on subsets of one training set.

    A fit is told by numbers for each alpha and output: coefficients of the features, or of all rows
    where these are fewer, or for many outputs weights of the subset's own rows.

    Parameters
    ----------
    factorization : RidgeFactorization
        The training set.
    """

    def __init__(self, factorization: RidgeFactorization) -> None:
        self.factorization = factorization
        self.by_rows = not factorization.primal and factorization.gram_is_enough
        self.size = factorization.n_rows if self.by_rows else factorization.n_features

    @cached_property
    def _products(self) -> FloatArray:
        """The smaller Gram matrix of all rows: of FFᵀ both triangles."""
        gram = self.factorization.gram()
        return gram + np.tril(gram, -1).T if self.by_rows else gram

    def basis(self, rows: slice) -> Any:
        """Return what d numbers are multiplied by to predict some rows: features, or products."""
        return self._products[rows] if self.by_rows else self.factorization.features.part(rows)

    def fit(self, rows: _Rows, alphas: FloatArray) -> SubsetFit:
        """Fit ridge on some rows.

        The rows of a factorisation are √w φ, centred by all rows. Those of a subset F are centred
        again, which takes the projection on √w from them: FᵀF loses w̄ m mᵀ, where m is their
        weighted mean, w̄ the sum of weights; nothing cancels, since m is small beside the rows.

        Parameters
        ----------
        rows : ndarray of int of shape (n,)
            Which rows.
        alphas : ndarray of shape (A,)
            Positive, for weights of mean one within the subset.

        Returns
        -------
        SubsetFit
            NaN where alpha is below the rounding of the Gram matrix, with few alphas.
        """
        factorization = self.factorization
        ridge = alphas * factorization.weights[rows].mean()
        targets, root = factorization.targets[rows], np.sqrt(factorization.weights[rows])
        if not factorization.fit_intercept:
            root = np.zeros_like(root)
        total = max(float(root @ root), np.finfo(float).tiny)
        target_mean = root @ targets / total
        if not factorization.gram_is_enough:
            found = self._from_rows(
                rows, targets - np.outer(root, target_mean), ridge, root / total
            )
        elif self._is_primal(rows):
            found = self._primal(rows, ridge, total, target_mean)
        else:
            found = self._dual(rows, targets - np.outer(root, target_mean), ridge, root, total)
        return found._replace(intercept=target_mean - found.intercept)

    def _half(self, rows: _Rows) -> int | None:
        """Return which of the halves these rows are, if they are one."""
        halves = self.factorization.halves
        for k, half in enumerate(() if halves is None else halves.rows):
            if np.array_equal(half, rows):
                return k
        return None

    def _is_primal(self, rows: _Rows) -> bool:
        """Say whether the Gram matrix of features is the smaller one, or at hand."""
        more = rows.size > self.factorization.n_features
        return self.factorization.primal and (more or self._half(rows) is not None)

    def _primal(
        self, rows: _Rows, ridge: FloatArray, total: float, target_mean: FloatArray
    ) -> SubsetFit:
        """Solve for the coefficients; the intercept is left at the mean prediction."""
        gram, cross = self._gram_and_cross(rows)
        mean = cross[:, -1] / total if self.factorization.fit_intercept else np.zeros(len(gram))
        scipy.linalg.blas.dsyr(-total, mean, a=gram, lower=True, overwrite_a=True)
        right = cross[:, :-1] - np.outer(total * mean, target_mean)
        coefs = solve_shifted(gram, right, ridge)
        return SubsetFit(coefs, mean @ coefs)

    def _gram_and_cross(self, rows: _Rows) -> tuple[FloatArray, FloatArray]:
        """Return FᵀF of a subset, its lower triangle, and Fᵀ[y, √w]."""
        factorization = self.factorization
        half = self._half(rows)
        if half is not None and factorization.halves is not None:
            return factorization.halves.gram(half), factorization.halves.cross[half]
        values = np.hstack([factorization.targets, np.sqrt(factorization.weights)[:, None]])
        # What to take from all rows costs their Gram matrix, once, and another one of the others.
        if 2 * rows.size <= factorization.n_rows:
            return factorization.features.gram(values, rows)
        others = np.ones(factorization.n_rows, dtype=bool)
        others[rows] = False
        gram, cross = factorization.features.gram(values, np.flatnonzero(others))
        np.subtract(self._products, gram, out=gram)
        return gram, self._cross - cross

    @cached_property
    def _cross(self) -> FloatArray:
        factorization = self.factorization
        values = np.hstack([factorization.targets, np.sqrt(factorization.weights)[:, None]])
        return factorization.features.transposed_times(values)

    def _dual(
        self, rows: _Rows, targets: FloatArray, ridge: FloatArray, root: FloatArray, total: float
    ) -> SubsetFit:
        """Solve for weights of the rows, whose products are centred."""
        factorization = self.factorization
        if self.by_rows:
            features, products = None, self._products[np.ix_(rows, rows)]
            gram = np.asfortranarray(products)
            along = products @ root / total
        else:
            features = factorization.features.take(rows)
            gram = np.zeros((rows.size, rows.size), order="F")
            add_products(features.T, gram)
            mean = scipy_product(features.T, root[:, None])
            along = scipy_product(features, mean)[:, 0] / total
        if factorization.fit_intercept:
            along_mean = along - 0.5 * (root @ along) / total * root
            scipy.linalg.blas.dsyr2(-1.0, root, along_mean, a=gram, lower=True, overwrite_a=True)
            # Nothing is left along √w, nor of the targets: something there spares it its rounding.
            scale = np.trace(gram) / (len(gram) * total)
            scipy.linalg.blas.dsyr(scale, root, a=gram, lower=True, overwrite_a=True)
        weights = solve_shifted(gram, targets, ridge)
        weights -= root[:, None] * (np.einsum("i,ait->at", root, weights) / total)[:, None, :]
        mean_prediction = np.einsum("i,ait->at", along, weights)
        if by_weights(factorization, rows.size, ridge.size):
            return SubsetFit(weights, mean_prediction, rows if features is None else features.T)
        if features is not None:
            flat = weights.transpose(1, 0, 2).reshape(rows.size, -1)
            coefs = scipy_product(features.T, flat).reshape(-1, ridge.size, targets.shape[1])
            return SubsetFit(coefs.transpose(1, 0, 2), mean_prediction)
        numbers = np.zeros((ridge.size, self.size, targets.shape[1]))
        numbers[:, rows] = weights
        return SubsetFit(numbers, mean_prediction)

    def _from_rows(
        self, rows: _Rows, targets: FloatArray, ridge: FloatArray, share: FloatArray
    ) -> SubsetFit:
        """Solve through the singular values of rows whose Gram matrix would lose too many."""
        features = self.factorization.features.take(rows)
        mean, root = share @ features, np.sqrt(self.factorization.weights[rows])
        features = features - np.outer(root, mean)
        left, singular, right = scipy.linalg.svd(features, full_matrices=False, check_finite=False)
        cut = max(features.shape) * float(np.finfo(float).eps) * float(singular[0])
        kept = singular > cut
        left, singular, right = left[:, kept], singular[kept], right[kept]
        components = left.T @ targets
        coefs = np.stack(
            [right.T @ (components / (singular + a / singular)[:, None]) for a in ridge]
        )
        return SubsetFit(coefs, mean @ coefs)
