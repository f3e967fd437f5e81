r"""Sums over a spectrum along a grid of ridges, by stochastic Lanczos quadrature.

For orthogonal random z of norm one in d dimensions, d·mean of zᵀ g(A) z is tr g(A), and
zᵀ g(A) z = Σ τ² g(θ) with the eigenvalues θ of T and the first entries τ of its eigenvectors. All
sums come from the same positive weights: what is not negative for a spectrum is not for them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sk_deepfeat.theory.one_sample.matrix_free.lanczos import LanczosRun
from sk_deepfeat.theory.one_sample.row_groups import IndexArray
from sk_deepfeat.theory.validation import FloatArray


class SpectralSums(NamedTuple):
    """Sums over the eigenvalues λ of the Gram matrix of N rows, at G ridges a."""

    df1: FloatArray
    """Σ λ/(λ+a)."""
    residual_df: FloatArray
    """N - df1, without subtraction."""
    decay: FloatArray
    """Σ λ a/(λ+a)²."""
    shared_noise: FloatArray
    """2 (Σk⁴/(Σk²)² - 1/N) over N directions, k = a/(λ+a)."""


class ProbedSpectrum:
    """What probes tell of a spectrum.

    Parameters
    ----------
    run : LanczosRun
        Some of its columns are probes, of norm one.
    columns : sequence of int
        Which ones.
    dimension : int
        d, of the space they are drawn from.
    n_effective : int
        N; the spectrum has N - d zeros beside those of the matrix.
    """

    def __init__(self, run: LanczosRun, columns: range, dimension: int, n_effective: int) -> None:
        self.n_probes, self._dimension, self._n = len(columns), dimension, n_effective
        found = [run.spectrum(column) for column in columns]
        self._values = np.array([values for values, _ in found])
        self._weights = np.array([np.square(vectors[0]) for _, vectors in found])

    @property
    def trace(self) -> float:
        """Σ λ."""
        return float(self._dimension * (self._weights * self._values).sum(axis=1).mean())

    @property
    def largest(self) -> float:
        """The largest eigenvalue that shows."""
        return float(self._values.max())

    def sums(self, ridges: FloatArray, probes: IndexArray | None = None) -> SpectralSums:
        """Return the sums, from all probes or from some."""
        chosen = np.arange(self.n_probes) if probes is None else probes
        values, weights = self._values[chosen], self._weights[chosen] * self._dimension
        zeros, found = self._n - self._dimension, np.empty((5, ridges.size))
        for g, ridge in enumerate(ridges):
            kept = ridge / (values + ridge)
            shrunk = values / (values + ridge)
            functions = (shrunk, kept, kept * shrunk, np.square(kept), np.square(np.square(kept)))
            found[:, g] = [(weights * each).sum(axis=1).mean() for each in functions]
        square, fourth = found[3] + zeros, found[4] + zeros
        shared = 2.0 * (fourth / np.square(square) - 1.0 / self._n)
        return SpectralSums(found[0], found[1] + zeros, found[2], np.maximum(shared, 0.0))

    def all_but(self, probe: int) -> IndexArray:
        """Return the numbers of all probes but one; of all, if there is no such or no other."""
        numbers = np.arange(self.n_probes)
        return numbers[numbers != probe] if self.n_probes > 1 else numbers
