r"""Lanczos tridiagonalisations of several vectors side by side, without keeping their bases.

From a start b, steps v_{j+1} β_{j+1} = A v_j - α_j v_j - β_j v_{j-1} make a tridiagonal T with
(A + a)⁻¹ b ≈ ‖b‖ V (T + a)⁻¹ e₁ for every ridge a at once, and bᵀ f(A) b ≈ ‖b‖² e₁ᵀ f(T) e₁. In
floating point bases lose their orthogonality, which costs steps but no accuracy, as in conjugate
gradients, of which these are the iterates.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg

from sk_deepfeat.theory.validation import FloatArray

# Relative to the largest entry of T: a start that lies in so few directions has told them all.
_BREAKDOWN = 1e-13

Product = Callable[[FloatArray], FloatArray]


class LanczosRun:
    """Tridiagonalisations that can be carried on.

    Parameters
    ----------
    product : callable
        Maps vectors of shape (d, C) to A times them, each column with an A of its own.
    starts : ndarray of shape (d, C)
        Overwritten.

    Attributes
    ----------
    norms : ndarray of shape (C,)
        Of the starts.
    """

    def __init__(self, product: Product, starts: FloatArray) -> None:
        self._product = product
        self.norms = np.linalg.norm(starts, axis=0)
        self._vectors = starts
        self._vectors /= np.where(self.norms > 0, self.norms, 1.0)
        self._before = np.zeros_like(starts)
        self._beta = np.zeros(self.norms.size)
        self._scale = np.zeros(self.norms.size)
        self._alphas: list[FloatArray] = []
        self._betas: list[FloatArray] = []

    @property
    def n_steps(self) -> int:
        """Steps taken so far."""
        return len(self._alphas)

    @property
    def largest(self) -> float:
        """About the largest eigenvalue that any column has met, after some steps."""
        found = [self.spectrum(column)[0].max() for column in range(self.norms.size)]
        return float(max(found))

    def advance(self, n_steps: int) -> None:
        """Take some more steps."""
        for _ in range(n_steps):
            following = self._product(self._vectors)
            alpha = np.einsum("ij,ij->j", self._vectors, following)
            following -= alpha * self._vectors
            following -= self._beta * self._before
            beta = np.linalg.norm(following, axis=0)
            self._scale = np.maximum(self._scale, np.maximum(np.abs(alpha), beta))
            beta = np.where(beta > _BREAKDOWN * self._scale, beta, 0.0)
            following /= np.where(beta > 0, beta, np.inf)
            self._before, self._vectors, self._beta = self._vectors, following, beta
            self._alphas.append(alpha)
            self._betas.append(beta)

    def spectrum(self, column: int, n_steps: int | None = None) -> tuple[FloatArray, FloatArray]:
        """Return eigenvalues of T, not negative, and its eigenvectors.

        Parameters
        ----------
        column : int
            Which start.
        n_steps : int, optional
            Of the first steps alone; None is all.
        """
        m = n_steps or self.n_steps
        alpha = np.array([step[column] for step in self._alphas[:m]])
        beta = np.array([step[column] for step in self._betas[: m - 1]])
        try:
            values, vectors = scipy.linalg.eigh_tridiagonal(alpha, beta)
        except scipy.linalg.LinAlgError:  # stemr of some LAPACKs, where off-diagonals vanish
            values, vectors = scipy.linalg.eigh_tridiagonal(alpha, beta, lapack_driver="stev")
        return np.maximum(values, 0.0), vectors

    def solutions(self, column: int, ridges: FloatArray, n_steps: int | None = None) -> FloatArray:
        """Return ‖b‖ (T + a)⁻¹ e₁ for some ridges, shape (steps, R)."""
        values, vectors = self.spectrum(column, n_steps)
        found = vectors @ (vectors[0][:, None] / (values[:, None] + ridges))
        return np.asarray(self.norms[column] * found)
